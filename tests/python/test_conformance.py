"""scikit-learn's own tests of LogisticRegression, with SoftmaxClassifier in its place; host/python/README.md has the table."""

import os
import re
import subprocess
import sys

import pytest


def test_of_the_installed_scikit_learn(source):
    pytest.importorskip("sklearn.linear_model.tests.test_logistic")
    command = [sys.executable, os.path.join(source, "host", "python", "conformance", "run.py"), "--failures"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    passed, failed = map(int, re.search(r"(\d+) cases passed, (\d+) failed", done.stdout).groups())
    assert passed > 100 and failed == 0


def test_a_failure_shows(source, tmp_path):
    """With a classifier that is wrong, the table says so."""
    wrong = tmp_path / "sitecustomize.py"
    wrong.write_text(
        "import setosa\nfrom setosa._linear import LinearSoftmax\n"
        "LinearSoftmax.predict = lambda self, X, right=LinearSoftmax.predict: right(self, X)[::-1]\n",
        encoding="utf-8",
    )
    pytest.importorskip("sklearn.linear_model.tests.test_logistic")
    command = [sys.executable, os.path.join(source, "host", "python", "conformance", "run.py"), "--only", "test_predict_3_classes"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "FAILED" in done.stdout, done.stdout + done.stderr
