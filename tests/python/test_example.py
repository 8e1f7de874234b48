"""The example runs, and prints a line of each tool."""

import os
import subprocess
import sys

import pytest


def test_with_scikit_learn(source):
    pytest.importorskip("sklearn")
    path = os.path.join(source, "host", "python", "examples", "with_scikit_learn.py")
    done = subprocess.run([sys.executable, "-W", "ignore", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    tools = {"digits", "LogisticRegression", "cross_val_score", "GridSearchCV", "SoftmaxClassifierCV", "CalibratedClassifierCV"}
    assert tools | {"permutation_importance", "DataFrame"} <= set(said)
    accuracy = float(said["digits"].split()[1].rstrip(","))
    assert accuracy > 0.94
