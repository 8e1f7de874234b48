#!/usr/bin/env python3
"""README.md tells the truth.

    test_readme.py sessions SOURCE_FOLDER PROGRAM    what its sessions show is what they print
    test_readme.py python SOURCE_FOLDER PROGRAM      its NumPy program predicts what `setosa predict` does
    test_readme.py promises SOURCE_FOLDER PROGRAM    the tests that its table of promises names are there

Times, names of devices and what the width of the processor's vectors changes are not compared. Exits with 77 (skipped) where there is no
OpenCL device, or no NumPy.
"""
import contextlib
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
NOT_RUN = ("export ", "setosa bench", "setosa train synthetic:")  # the others measure, and say what the times are
UNITS = r"(?:TB|GB|MB|kB|B|[kMG])\b"


def sessions(text):
    """[(command, lines)]: the indented blocks of text, cut before every "$ "."""
    found = []
    for line in text.split("\n"):
        if line.startswith("    $ "):
            found.append((line[6:], []))
            inside = True
        elif line.startswith("    ") and found and inside:
            found[-1][1].append(line[4:].rstrip())
        elif line.strip():
            inside = False
    for _, lines in found:
        while lines and not lines[-1]:
            lines.pop()
    return found


def words(lines):
    """Wherever lines are broken: the page shows some as a narrow terminal does."""
    text = "\n".join(re.sub(r"^(  (?:device|time|gradient) ).*", r"\1...", line) for line in lines)
    text = re.sub(r"after \d+ iterations?", "after ... iterations", text)
    text = re.sub(r"(?:\d+ h )?(?:\d+ min )?\d+(?:\.\d+)? s\b", "...", text)
    text = re.sub(r"\s*\d+(?:\.\d+)? ?" + UNITS, " ...", text)
    return re.split(r"[\s,]+", text.strip())


def same(expected, got):
    """Words alike, numbers near: other processors add up in another order."""
    expected, got = words(expected), words(got)
    if len(expected) != len(got):
        return False
    for one, other in zip(expected, got):
        try:
            if abs(float(one) - float(other)) > 1e-6 + 5e-3 * abs(float(one)):
                return False
        except ValueError:
            if one != other:
                return False
    return True


def shell(command, folder, environment):
    """Both outputs of a command line as a terminal mixes them."""
    return subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False, timeout=120).stdout


def check_sessions(text, folder, environment):
    if subprocess.run(["setosa", "devices"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        print("no usable OpenCL device")
        return SKIPPED
    passed = failed = 0
    for command, expected in sessions(text):
        if command.startswith(NOT_RUN):
            continue
        got = shell(command, folder, environment).splitlines()
        if same(expected, got):
            passed += 1
            continue
        failed += 1
        print("NOT WHAT README.md SHOWS: %s\n--- README.md\n%s\n--- printed\n%s\n" % (command, "\n".join(expected), "\n".join(got)))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or passed < 5 else 0


def check_prediction(code, options, data, folder, environment):
    """What the program of the page gives for the rows of data, and what `setosa predict` does: the largest difference."""
    model = os.path.join(folder, "flowers.safetensors")
    subprocess.run(["setosa", "train", data, *options, "--backend", "reference", "-q", "--model", model], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    predicted = subprocess.run(["setosa", "predict", model, data, "--backend", "reference"], env=environment, check=True,
                               stdout=subprocess.PIPE, universal_newlines=True).stdout
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, names)  # it reads the model from the working folder
    with open(data, encoding="utf-8") as file:
        x = [names["values"](row) for row in csv.DictReader(file) if "NA" not in row.values()]
    expected = [[float(row[name]) for name in names["classes"]] for row in csv.DictReader(io.StringIO(predicted)) if row["predicted"]]
    return abs(names["probabilities"](names["np"].array(x)) - names["np"].array(expected)).max(), printed.getvalue()


def check_python(text, folder, environment):
    try:
        import numpy  # noqa: F401
    except ImportError:
        system = "/usr/bin/python3"  # where Debian's NumPy is, whatever python3 is first on PATH
        if os.access(system, os.X_OK) and os.path.realpath(system) != os.path.realpath(sys.executable):
            os.execv(system, [system, *sys.argv])
        print("no NumPy")
        return SKIPPED
    code = re.search(r"^```python\n(.*?)^```", text, re.S | re.M).group(1)
    promised = re.search(r"print\(.*#\s*(\S+) (\S+)", code)
    cases = (("iris.csv", ["--standardize"]), ("iris.csv", []), ("iris.csv", ["--scale", "0.5", "--l2", "0.01"]),
             ("iris.csv", ["--positive", "versicolor", "--standardize"]), ("penguins.csv", ["--label", "species", "--standardize"]),
             ("penguins.csv", ["--label", "species"]),
             ("wine.csv", ["--standardize", "--l2", "1e-6", "--validation", "0.4", "--calibrate-validation"]))
    failed = 0
    os.chdir(folder)
    for name, options in cases:
        data = os.path.join(folder, "data", name)
        run = code if name == "iris.csv" else code.split("\np = ")[0]  # the last lines are about a flower
        difference, printed = check_prediction(run, options, data, folder, environment)
        good = difference < 1e-5
        if options == ["--standardize"]:
            kind, probability = printed.split()
            good = good and kind == promised.group(1) and abs(float(probability) - float(promised.group(2))) < 5e-3
        print("%s: %s %s: largest difference %.1e, prints %s" % ("ok" if good else "WRONG", name, " ".join(options), difference, printed.strip()))
        failed += not good
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return 1 if failed else 0


def check_promises(text, folder, environment):
    table = re.search(r"^## What is promised\n(.*?)^## ", text, re.S | re.M).group(1)
    build = os.path.dirname(os.path.realpath(os.path.join(folder, "bin", "setosa")))
    listed = subprocess.run(["ctest", "--test-dir", build, "-N"], stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
    tests = re.findall(r"Test +#\d+: (\S+)", listed)
    held = [row.rsplit("|", 2)[1] for row in table.split("\n") if row.startswith("| ") and not row.startswith("| about")]
    names = re.findall(r"`([^`]+)`", "".join(held))
    absent = [name for name in names if not os.path.exists(os.path.join(folder, name)) and
              not any(test == name or test.startswith(name + ".") for test in tests)]
    for name in absent:
        print("README.md names a test that is not there: " + name)
    print("%d passed, %d failed" % (len(names) - len(absent), len(absent)))
    return 1 if absent or len(names) < 10 else 0


def main():
    what, source, program = sys.argv[1:]
    folder = tempfile.mkdtemp()
    try:
        os.mkdir(os.path.join(folder, "bin"))
        os.symlink(os.path.abspath(program), os.path.join(folder, "bin", "setosa"))
        shutil.copytree(os.path.join(source, "data"), os.path.join(folder, "data"))
        os.symlink(os.path.join(os.path.abspath(source), "tests"), os.path.join(folder, "tests"))
        environment = {**os.environ, "PATH": os.path.join(folder, "bin") + os.pathsep + os.environ["PATH"]}
        with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
            text = file.read()
        os.environ["PATH"] = environment["PATH"]
        return {"sessions": check_sessions, "python": check_python, "promises": check_promises}[what](text, folder, environment)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
