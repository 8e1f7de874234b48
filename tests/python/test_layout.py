"""The declarations made of setosa.h are those that a C compiler reads there."""

import ctypes
import os
import shutil
import subprocess

import pytest
from setosa import _api


def structs():
    return {
        name: kind
        for name, kind in vars(_api).items()
        if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and kind is not ctypes.Structure
    }


def test_structs_lie_as_in_c(source, tmp_path):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    lines = ["#include <stdio.h>", '#include "setosa_bench.h"', "int main(void) {"]
    expected = []
    for name, kind in structs().items():
        lines.append(f'printf("%zu\\n", sizeof({name}));')
        expected.append((name, ctypes.sizeof(kind)))
        for field, _ in kind._fields_:
            lines.append(f'printf("%zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));')
            place = getattr(kind, field)
            expected.append((f"{name}.{field}", (place.offset, place.size)))
    (tmp_path / "layout.c").write_text("\n".join([*lines, "return 0; }"]), encoding="utf-8")
    subprocess.run([compiler, f"-I{source}/host/include", "layout.c", "-o", "layout"], cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "layout")], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    assert len(printed) == len(expected) > 200
    for (what, places), line in zip(expected, printed):
        found = tuple(map(int, line.split()))
        assert found == (places if isinstance(places, tuple) else (places,)), what


def test_constants_are_those_of_c(source, tmp_path):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    names = [name for name, value in vars(_api).items() if name.startswith("SETOSA_") and isinstance(value, int)]
    body = "".join(f'printf("%d\\n", (int){name});' for name in names)
    (tmp_path / "constants.c").write_text('#include <stdio.h>\n#include "setosa_bench.h"\nint main(void) {' + body + "return 0; }", encoding="utf-8")
    subprocess.run([compiler, f"-I{source}/host/include", "constants.c", "-o", "constants"], cwd=tmp_path, check=True)
    printed = subprocess.run([str(tmp_path / "constants")], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert len(names) > 50
    assert [int(value) for value in printed] == [getattr(_api, name) for name in names]


def test_every_function_of_the_headers_is_declared(source):
    text = ""
    for header in ("setosa.h", "setosa_bench.h"):
        with open(os.path.join(source, "host", "include", header), encoding="utf-8") as file:
            text += file.read()
    import re

    declared = set(re.findall(r"^\w[\w ]*[ *](setosa_\w+)\(", text, re.M))
    assert len(declared) > 100
    assert declared == set(_api.FUNCTIONS)
