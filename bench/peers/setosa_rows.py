"""Setosa's own times: `setosa bench --suite --json` turned into rows like the peers'. Standard library only."""

import json
import subprocess


def command_of(program, works, small, arguments):
    """One command for all works of the suite; a small work is a synthetic data set of its shape."""
    if not small:
        return [program, "bench", "--work", ",".join(work.name for work in works), "--json", "--quiet", *arguments]
    return [program, "bench", works[0].source(), "--json", "--quiet", *arguments]


def rows_of(document, names):
    """Rows of the peers' form from a document of `setosa bench --json`; limits go along as they are."""
    rows = []
    for result in document["results"]:
        name = result["work"] if result["work"] in names else names[0]  # a synthetic data set goes by its own name
        about = [str(result[key]) for key in ("backend", "family", "storage") if result.get(key)]
        row = {"peer": "setosa", "work": name, "version": "setosa " + " ".join(about), "status": result["status"]}
        if result.get("reason"):
            row["reason"] = result["reason"]
        for key in ("median_ms", "min_ms", "max_ms", "gflops", "gbytes_per_s", "limit_ms", "gather_ms", "part_of_limit", "first_call_ms", "workspace_bytes"):
            if result.get(key) is not None:
                row[key] = result[key]
        row["gradient_error"] = result.get("error")
        row["device"] = result.get("device")
        rows.append(row)
    return rows


def run(program, works, small, arguments, environment, seconds):
    """Rows of every work in works; a failure is a row with the reason."""
    rows, limits = [], []
    for group in [[work] for work in works] if small else [works]:
        names = [work.name for work in group]
        try:
            done = subprocess.run(
                command_of(program, group, small, arguments), capture_output=True, text=True, timeout=seconds, env=environment, check=False
            )
            document = json.loads(done.stdout) if done.stdout.strip() else {"results": []}
            found = rows_of(document, names)
            limits = document.get("limits", limits)
            reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}, no row for it"])[-1]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            found, reason = [], f"{type(error).__name__}: {error}"[:300]
        seen = {row["work"] for row in found}
        found += [{"peer": "setosa", "work": name, "version": "setosa", "status": "failed", "reason": reason} for name in names if name not in seen]
        rows += found
    return rows, limits
