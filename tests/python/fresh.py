#!/usr/bin/env python3
"""As on a fresh machine: `pip install host/python` in an empty environment, ten lines of Python, and then all tests of the package with the
newest scikit-learn and polars: fresh.py SOURCE_FOLDER. Exits with 77 (skipped) where there is no package index to be reached."""

import glob
import os
import re
import subprocess
import sys
import tempfile
import venv

SKIPPED = 77
TEN_LINES = """
import pickle, numpy as np, setosa
rows = [line.split(",") for line in open("data/iris.csv").read().split()[1:]]
X, y = np.array([row[:-1] for row in rows], dtype=float), np.array([row[-1] for row in rows])
model = setosa.SoftmaxClassifier(l2=0.01).fit(X, y)
print(f"objective {model.result_.objective:.9f} accuracy {model.score(X, y):.4f}")
again = pickle.loads(pickle.dumps(model))
assert (again.predict_proba(X) == model.predict_proba(X)).all()
print(setosa.__version__, again.predict(X[:1])[0])
"""


def main():
    source = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = os.path.join(folder, "bin", "python")
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

        def run(*command, **settings):
            return subprocess.run([python, *command], cwd=source, env=environment, check=False, text=True, **settings)

        newest = run("-m", "pip", "install", "-q", "scikit-learn", "pandas", "polars", "pytest", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if newest.returncode:
            print("skipped: pip cannot install from a package index here\n", newest.stdout[-1000:])
            return SKIPPED
        if run("-m", "pip", "install", os.path.join(source, "host", "python")).returncode:
            return 1
        lines = run("-c", TEN_LINES, stdout=subprocess.PIPE).stdout
        print(lines)
        if not re.fullmatch(r"objective 0\.\d{9} accuracy 0\.97\d\d\n\d+\.\d+\.\d+ setosa\n", lines):
            return 1
        tests = [path for path in sorted(glob.glob(os.path.join(source, "tests", "python", "test_*.py"))) if "fashion" not in path]
        return run("-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning", *tests).returncode


if __name__ == "__main__":
    sys.exit(main())
