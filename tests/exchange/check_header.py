#!/usr/bin/env python3
"""The C99 header of a model, by every compiler that is here: no warning, its own check passes, and over all rows its probabilities are those
that Setosa predicts in double, to 1e-6; in 8 bits to what the header itself says.

    check_header.py PROGRAM SOURCE
"""
import csv
import ctypes
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wshadow", "-Wconversion", "-Wdouble-promotion", "-O2"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
if not COMPILERS:
    print("skipped: neither gcc nor clang is here")
    sys.exit(77)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def read_table(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return {name: [row[i].strip() for row in rows[1:]] for i, name in enumerate(rows[0])}


def names_of(header, what):
    """The texts of an array in the header, whose octal digits are bytes."""
    found = re.search(r"_%s\[\d+\] = \{(.*?)\};" % what, header, re.S)
    texts = re.findall(r'"((?:[^"\\]|\\[0-7]{3})*)"', found.group(1)) if found else []
    decode = lambda text: re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), text.encode()).decode()
    return [decode(text) for text in texts]


def predict_all(library, header, table):
    numbers, categories, classes = (names_of(header, what) for what in ("numbers", "categories", "classes"))
    levels = [names_of(header, f"levels_{i}") for i in range(len(categories))]
    number = ctypes.c_double if "const double *numbers" in header else ctypes.c_float
    predict = ctypes.CDLL(library).predict
    for row in range(len(next(iter(table.values())))):
        value = [float(table[name][row]) if table[name][row] not in ("", "NA") else float("nan") for name in numbers]
        level = [texts.index(table[name][row]) if table[name][row] in texts else -1 for name, texts in zip(categories, levels)]
        out = (ctypes.c_float * len(classes))()
        arguments = [(number * len(value))(*value)] if numbers else []
        arguments += [(ctypes.c_int * len(level))(*level)] if categories else []
        best = predict(*arguments, out)
        yield classes[best], list(out)


def compare(name, data, train, export=()):
    with tempfile.TemporaryDirectory() as folder:
        model, path, library = (os.path.join(folder, file) for file in ("m.safetensors", "3 odd-name.h", "m.so"))
        run(PROGRAM, "train", data, "--backend", "reference", "-q", "--model", model, *train)
        told = json.loads(run(PROGRAM, "export", model, "-o", path, "--json", *export))
        tolerance = 1e-6 + told.get("quantize", {}).get("largest_difference", 0)
        lines = list(csv.reader(run(PROGRAM, "predict", model, data, "--backend", "reference", "-q").splitlines()))
        with open(path, encoding="utf-8") as file:
            header = file.read()
        with open(os.path.join(folder, "use.c"), "w", encoding="utf-8") as file:
            arguments = re.search(r"model_3_odd_name_predict\((.*?)\) \{", header).group(1)
            words = ", ".join(re.findall(r"\*(\w+)", arguments))
            file.write(f'#include "3 odd-name.h"\nint predict({arguments});\n'
                       f"int predict({arguments}) {{ return model_3_odd_name_predict({words}); }}\n")
        for compiler in COMPILERS:
            run(compiler, *FLAGS, "-ffreestanding", "-fPIC", "-shared", os.path.join(folder, "use.c"), "-o", library)
            run(compiler, *FLAGS, "-x", "c", "-DMODEL_3_ODD_NAME_SELF_CHECK", path, "-o", os.path.join(folder, "check"))
            run(os.path.join(folder, "check"))
            start, worst, other, rows = lines[0].index("predicted") + 1, 0.0, 0, 0
            for line, (label, probabilities) in zip(lines[1:], predict_all(library, header, read_table(data))):
                if line[start - 1] == "":
                    continue  # it lacks a value
                rows += 1
                other += label != line[start - 1]
                worst = max(worst, *(abs(p - float(text)) for p, text in zip(probabilities, line[start:])))
            os.unlink(library)  # the next has the same name, and is to be loaded anew
            library += "_"
            print(f"{name:24} {compiler:6} {rows:5} rows: {worst:.2e} apart ({tolerance:.2e} allowed), {other} other classes")
            if not worst <= tolerance or rows == 0 or (other > 0 and not export):
                sys.exit(f"{name}: more apart than is allowed, or other classes")


def main():
    iris, penguins, digits = (os.path.join(SOURCE, "data", file) for file in ("iris.csv", "penguins.csv", "digits.csv.gz"))
    compare("iris", iris, [])
    compare("iris, standardized", iris, ["--standardize", "--l2", "1e-6"])
    compare("penguins", penguins, ["--label", "species"])
    compare("penguins, mean", penguins, ["--label", "species", "--missing", "mean", "--standardize"])
    compare("penguins, words alone", penguins, ["--label", "species", "--features", "island,sex"])
    compare("digits, standardized", digits, ["--standardize"])
    compare("iris, int8", iris, [], ["--quantize", "int8", "--data", iris])
    compare("penguins, int8", penguins, ["--label", "species", "--missing", "mean"], ["--quantize", "int8", "--data", penguins])
    compare("digits, int8", digits, ["--standardize"], ["--quantize", "int8", "--data", digits])
    with tempfile.TemporaryDirectory() as folder:
        far = os.path.join(folder, "far.csv")
        table = read_table(iris)
        for name in list(table)[:-1]:
            table[name] = [f"{float(value) + 1e9:.1f}" for value in table[name]]
        with open(far, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(table), *zip(*table.values())])
        compare("iris + 1e9", far, [])


main()
