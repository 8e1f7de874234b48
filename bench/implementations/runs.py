"""One implementation's runs: processes with a time limit, and what came of them in a few words. Standard library only."""

import collections
import json
import os
import shutil
import signal
import subprocess
import time

SKIPPED = 77  # exit code

# text: a cell of the table; remark: what went wrong, "" when nothing did
Outcome = collections.namedtuple("Outcome", "what text remark seconds fine")


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing was said"


def run(command, environment, seconds, log):
    """(exit code, or None when it was stopped; standard output; standard error; seconds). Everything that it starts ends with it."""
    began = time.monotonic()
    with open(log.with_suffix(".out"), "w+") as out, open(log.with_suffix(".err"), "w+") as err:
        process = subprocess.Popen(
            [str(word) for word in command], stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read(), time.monotonic() - began


def failure(what, code, out, err, seconds, limit):
    """The outcome of a run that did not end with a verdict."""
    if code is None:
        return Outcome(what, f"stopped after {limit:.0f} s", f"not done after {limit:.0f} s: {last_line(err)}", seconds, False)
    if code < 0 or code > 128:
        name = signal.Signals(-code if code < 0 else code - 128).name
        return Outcome(what, f"died ({name})", f"{name}: {last_line(err)}", seconds, False)
    return Outcome(what, "failed", f"exit code {code}: {last_line(err or out)}", seconds, False)


def as_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def judge_devices(code, out, err, seconds, limit):
    what, answer = "devices --check", as_json(out)
    if answer is None:
        return "", failure(what, code, out, err, seconds, limit)
    if not answer["devices"]:
        return "", Outcome(what, "no device", last_line(err or "; ".join(answer.get("warnings", []))), seconds, False)
    device = answer["devices"][0]
    verdict = device.get("check") or {"passed": device["usable"], "reason": device["refusal"]}
    text = "ok" if verdict["passed"] else "refused"
    return device["driver"], Outcome(what, text, verdict["reason"], seconds, verdict["passed"])


def judge_check(what, code, out, err, seconds, limit):
    answer = as_json(out)
    if answer is None:
        return failure(what, code, out, err, seconds, limit)
    count = len(answer["checks"])
    wrong = [f"{c['what']} of {c['rows']} x {c['features']}, {c['classes']} classes" for c in answer["checks"] if not c["passed"]]
    if wrong:
        return Outcome(what, f"{len(wrong)} of {count} wrong", "; ".join(wrong[:3]), seconds, False)
    return Outcome(what, f"{count} ok", "", seconds, code == 0)


def kernel_tests(found, options, environment, logs):
    """Each case by itself, but for the long ones of the night."""
    bad, count, total = [], 0, 0.0
    for program in sorted(path for path in options.build.glob("tests/kernels_*") if os.access(path, os.X_OK)):
        command = [*found.prefix, program]
        _, cases, _, _ = run(command, {**environment, "SETOSA_TEST_LIST": "1"}, options.seconds, logs / program.name)
        for case in cases.split():
            if case.startswith("nightly_"):
                continue
            name = f"{program.name}.{case}"
            code, _, _, seconds = run(command, {**environment, "SETOSA_TEST_CASE": case}, options.seconds, logs / name)
            count += 1
            total += seconds
            if code not in (0, SKIPPED):
                bad.append(name)
    return Outcome("kernel tests", f"{count - len(bad)} of {count} ok", ", ".join(bad) + " failed" if bad else "", total, count > 0 and not bad)


def run_all(found, folder, options):
    """The version that the driver gives itself, and the outcomes. Nothing is compiled yet when it begins."""
    cache, logs = folder / "cache", folder / "logs"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
    environment.update(XDG_CACHE_HOME=str(cache), NO_COLOR="1", **found.environment)
    environment.update(SETOSA_TEST_DEVICE="0", SETOSA_SOURCE_DIR=str(options.source), SETOSA_PROGRAM=str(options.setosa))
    setosa = [*found.prefix, options.setosa]
    answer = run([*setosa, "devices", *([] if found.slow else ["--check"]), "--json"], environment, options.seconds, logs / "devices")
    version, outcome = judge_devices(*answer, options.seconds)
    if not version:  # the self-test ended without a word
        version, _ = judge_devices(*run([*setosa, "devices", "--json"], environment, 60, logs / "version"), 60)
    outcomes = [outcome._replace(text="not asked") if found.slow and outcome.fine else outcome]
    for family in ("cpu", "gpu"):
        what = f"check --family {family}"
        command = [*setosa, "check", *found.data, "--device", "0", "--family", family, "--json"]
        outcomes.append(judge_check(what, *run(command, environment, options.seconds, logs / f"check-{family}"), options.seconds))
    if options.kernels:
        if found.slow:
            outcomes.append(Outcome("kernel tests", "not asked", "", 0.0, True))
        else:
            outcomes.append(kernel_tests(found, options, environment, logs))
    return version, outcomes
