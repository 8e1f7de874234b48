"""Import: without a driver, with another library, and what is not loaded by it."""

import os
import subprocess
import sys

import pytest
import setosa


def python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_version_is_that_of_the_program(run):
    assert setosa.__version__ in run("--version").split()


def test_import_is_light():
    done = python("import sys, setosa; print(sorted(set(sys.modules) & {'sklearn', 'pandas', 'polars', 'scipy'}))")
    assert done.stdout == "[]\n", done.stderr


def test_without_a_driver(tmp_path):
    code = """
import numpy as np, setosa
X, y = np.arange(12, dtype=float).reshape(6, 2), [0, 0, 0, 1, 1, 1]
print(setosa.devices())
print(setosa.SoftmaxClassifier().fit(X, y).predict(X).tolist())
try:
    setosa.SoftmaxClassifier(backend="native").fit(X, y)
except setosa.DeviceError as problem:
    print("refused:", problem)
"""
    done = python(code, OCL_ICD_VENDORS=str(tmp_path))
    lines = done.stdout.splitlines()
    assert lines[:2] == ["[]", "[0, 0, 0, 1, 1, 1]"], done.stderr
    assert lines[2].startswith("refused: ") and "OpenCL" in lines[2]


def test_a_library_that_is_another(tmp_path):
    (tmp_path / "other.c").write_text('const char *setosa_version(void) { return "0.0.9"; }\n', encoding="utf-8")
    if subprocess.run(["cc", "-shared", "-fPIC", "other.c", "-o", "other.so"], cwd=tmp_path, check=False).returncode:
        pytest.skip("no C compiler")
    done = python("import setosa", SETOSA_LIBRARY=str(tmp_path / "other.so"))
    assert f"other.so is 0.0.9, and this package is for {setosa.__version__}" in done.stderr
    done = python("import setosa", SETOSA_LIBRARY=str(tmp_path / "none.so"))
    assert "libsetosa could not be loaded" in done.stderr and done.returncode == 1


def test_devices(device):
    found = setosa.devices()
    assert [one.index for one in found] == list(range(len(found)))
    usable = next(one for one in found if one.usable)
    assert usable.type in ("cpu", "gpu", "other") and usable.memory_bytes > 0 and usable.refusal == ""


def test_a_forked_process_says_so(device):
    code = """
import os, setosa
setosa.devices()
if os.fork() == 0:
    try:
        setosa.SoftmaxClassifier(device="cpu").fit([[0.0], [1.0]], [0, 1])
    except setosa.DeviceError as problem:
        print(problem, flush=True)
    os._exit(0)
os.wait()
"""
    assert python(code).stdout.startswith("this process was forked from one that uses OpenCL")
