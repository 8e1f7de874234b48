#!/usr/bin/env python3
"""Odd tables, and exactly what is said of each: odd.txt.

    test_odd.py PROGRAM            compares
    test_odd.py PROGRAM --write    writes what is said now into odd.txt, to be read before it is committed

In odd.txt "== NAME" begins a case. "| " is a line of the table t.csv, or of the file that "> FILE [ENCODING]" names before it; escapes are
Python's, and a line ends with a line feed unless it ends with \\c. "$ " is a command in a folder that has these files; behind it stand its
exit code where that is not 0, its stderr, and its stdout: of a training the rows, classes and features.
"""
import difflib
import gzip
import json
import os
import subprocess
import sys
import tempfile

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "odd.txt")
HOW = {"train": ["--backend", "reference", "--tolerance", "1e9", "--gap", "0", "--json", "--model", "m.safetensors"],  # its first point will do
       "eval": ["--backend", "reference", "--json"], "predict": ["--backend", "reference"]}


class Case:
    def __init__(self, title):
        self.title, self.files, self.encodings, self.lines, self.commands = title, {}, {}, [], []


def parse(text):
    cases, name = [], "t.csv"
    for line in text.splitlines():
        if line.startswith("== "):
            cases.append(Case(line[3:]))
            name = "t.csv"
        elif line.startswith("> "):
            name, *encoding = line[2:].split()
            cases[-1].files[name] = b""
            cases[-1].encodings.update({name: one for one in encoding})
            cases[-1].lines.append(line)
        elif line.startswith("|"):
            cases[-1].lines.append(line)
            body, end = (line[2:-2], b"") if line.endswith("\\c") else (line[2:], b"\n")
            cases[-1].files[name] = cases[-1].files.get(name, b"") + body.encode("utf-8").decode("unicode_escape").encode("latin-1") + end
        elif line.startswith("$ "):
            cases[-1].commands.append((line[2:], []))
        elif line and cases:
            cases[-1].commands[-1][1].append(line)
    return cases


def read_names(path):
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]


def show_training(out, folder):
    data = json.loads(out)["data"]
    names = read_names(os.path.join(folder, "m.safetensors"))
    left_out = ", %d left out" % data["left_out"] if data.get("left_out") else ""
    features = json.loads(names["feature_names"]) if "feature_names" in names else ["%d without names" % data["features"]]
    shown = [json.dumps(name, ensure_ascii=False)[1:-1] for name in features]
    return ["%d rows%s; classes %s; features %s" % (data["rows"], left_out, " ".join(json.loads(names["class_names"])), " ".join(shown))]


def show_evaluation(out):
    document = json.loads(out)
    data = document.get("data", document)
    return ["%d rows%s" % (data["rows"], ", %d left out" % data["left_out"] if data.get("left_out") else "")]


def run(program, command, folder):
    """What is said, a list of lines."""
    first, _, rest = command.partition(" ")
    arguments = [program, first, *rest.split(), *HOW.get(first, [])]
    with open(os.path.join(folder, "stdin"), "rb") as stdin:
        done = subprocess.run(arguments, cwd=folder, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line]
    if done.returncode != 0:
        return ["exit %d" % done.returncode] + lines
    out = done.stdout.decode("utf-8", "replace")
    return lines + (show_training(out, folder) if first == "train" else show_evaluation(out) if first == "eval" else out.splitlines())


def answers(program, case):
    with tempfile.TemporaryDirectory() as folder:
        for name, data in {"stdin": b"", **case.files}.items():
            data = data.decode("utf-8").encode(case.encodings[name]) if name in case.encodings else data
            with open(os.path.join(folder, name), "wb") as file:
                file.write(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        return [run(program, command, folder) for command, _ in case.commands]


def main():
    program = os.path.abspath(sys.argv[1])
    with open(LIST, encoding="utf-8") as file:
        cases = parse(file.read())
    failed, written = 0, []
    for case in cases:
        said = answers(program, case)
        written += ["== " + case.title, *case.lines]
        for (command, expected), lines in zip(case.commands, said):
            written += ["$ " + command, *lines]
            if lines != expected:
                failed += 1
                print("== %s\n$ %s" % (case.title, command))
                print("\n".join(difflib.ndiff(expected, lines)), end="\n\n")
        written.append("")
    if sys.argv[2:] == ["--write"]:
        with open(LIST, "w", encoding="utf-8") as file:
            file.write("\n".join(written))
        return 0
    print("%d cases, %d commands with another answer" % (len(cases), failed))
    return 1 if failed or len(cases) < 60 else 0


if __name__ == "__main__":
    sys.exit(main())
