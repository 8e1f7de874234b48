"""What the tests of the Python package share."""

import csv
import os
import subprocess

import numpy as np
import pytest

SOURCE = os.environ.get("SETOSA_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("SETOSA_PROGRAM")
    if not path:
        pytest.skip("SETOSA_PROGRAM names no program")
    return path


@pytest.fixture(scope="session")
def iris():
    """(X (150,4) f64, species (150,))."""
    with open(os.path.join(SOURCE, "data", "iris.csv"), encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(x) for x in row[:-1]] for row in rows]), np.array([row[-1] for row in rows])


@pytest.fixture(scope="session")
def device():
    """A selector of a device to compute on."""
    import setosa

    if not any(one.usable for one in setosa.devices()):
        pytest.skip("no usable OpenCL device")
    return os.environ.get("SETOSA_TEST_DEVICE", "cpu")


@pytest.fixture
def run(program):
    """Runs the program; what it prints on standard output."""

    def run_program(*arguments):
        return subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout

    return run_program
