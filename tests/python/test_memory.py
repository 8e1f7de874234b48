"""How much memory a training takes beside the array it is given: getrusage of a process of its own."""

import json
import os
import subprocess
import sys

import pytest

ROWS, FEATURES, SLACK_MB = 12000, 784, 16


def measure(source, kind, place):
    command = [sys.executable, os.path.join(source, "host", "python", "tools", "measure.py"), "memory", kind, place, str(ROWS), str(FEATURES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "OpenBLAS" in done.stderr:
        pytest.skip("this build has no OpenBLAS")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["f8", "u1"])
def test_at_most_one_copy_beyond_the_devices(source, device, kind):
    found = measure(source, kind, device)
    assert found["fit_mb"] <= found["device_mb"] + found["single_mb"] + SLACK_MB, found
    assert found["predict_mb"] <= SLACK_MB, found


def test_no_copy_at_all_of_single_precision(source):
    found = measure(source, "f4", "blas")
    assert found["single_mb"] > 2 * SLACK_MB
    assert found["fit_mb"] <= SLACK_MB, found
