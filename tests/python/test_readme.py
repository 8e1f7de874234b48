"""What the pages show of Python runs, and prints what stands beside it."""

import contextlib
import io
import os
import re

import pytest


def blocks(source, page, heading):
    """The Python of a section of a page; None: of all of it."""
    with open(os.path.join(source, page), encoding="utf-8") as file:
        text = file.read()
    if heading:
        text = re.search(rf"^## {heading}\n(.*?)(?=^## )", text, re.S | re.M).group(1)
    return re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)


@pytest.mark.parametrize("page, heading", [("README.md", "From Python"), (os.path.join("host", "python", "README.md"), None)])
def test_the_program_of(source, page, heading, tmp_path, monkeypatch):
    os.symlink(os.path.join(source, "data"), tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    found = blocks(source, page, heading)
    assert found
    for code in found:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {})
        promised = re.findall(r"print\(.*\)  # (.*)$", code, re.M)
        assert promised and printed.getvalue().splitlines() == promised
