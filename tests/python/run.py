#!/usr/bin/env python3
"""Runs a file of these tests with the package of a build folder: run.py BUILD_FOLDER FILE [ARGUMENTS of pytest].

Exits with 77 (skipped) where there is no pytest or numpy, or where every test of the file was skipped; what was skipped is printed with why.
Of the Pythons at hand one is used that has both: this one, or that of the system's packages.
"""

import os
import subprocess
import sys

SKIPPED = 77
NEEDED = "import numpy, pytest"


def python():
    for path in (os.environ.get("SETOSA_TEST_PYTHON"), sys.executable, "/usr/bin/python3"):
        if path and subprocess.run([path, "-c", NEEDED], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return path
    return None


def main():
    build, file, *more = sys.argv[1:]
    interpreter = python()
    if interpreter is None:
        print("no Python here has numpy and pytest (python3-numpy and python3-pytest bring them)")
        return SKIPPED
    environment = {**os.environ, "PYTHONPATH": os.path.join(build, "python"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [interpreter, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning", file, *more]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return SKIPPED if done.returncode in (0, 5) and "skipped" in last and "passed" not in last else done.returncode


if __name__ == "__main__":
    sys.exit(main())
