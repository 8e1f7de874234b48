#!/usr/bin/env python3
"""What onnxruntime makes of an exported model, beside what Setosa predicts in double: probabilities to 1e-6, and the same labels.

    check_onnx.py PROGRAM SOURCE [NAME...]

Exits with 77 where onnx, onnxruntime or numpy cannot be imported: pip install onnx onnxruntime brings them.
"""
import csv
import gzip
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}; pip install onnx onnxruntime")
    sys.exit(77)

TOLERANCE = 1e-6
PROGRAM, SOURCE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FASHION = "/usr/share/datasets/fashion-mnist"


def setosa(*arguments):
    done = subprocess.run([PROGRAM, *arguments, "-q"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"setosa {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def read_table(path):
    """Fields as texts, by the names of the columns."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return {name: [row[i].strip() for row in rows[1:]] for i, name in enumerate(rows[0])}


def feed_of(session, model, table, numbers):
    """What the graph asks for: one tensor of all features, or a column for each input."""
    kinds = {"tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(string)": object}
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].name == "X":
        if numbers is None:
            import json
            names = json.loads(next(p.value for p in model.metadata_props if p.key == "feature_names"))
            numbers = numpy.array([table[name] for name in names], float).T
        return {"X": numbers.astype(kinds[inputs[0].type])}
    feed = {}
    for wanted in inputs:
        column = table[wanted.name]
        if wanted.type != "tensor(string)":
            column = [float(value) if value not in ("", "NA") else numpy.nan for value in column]
        feed[wanted.name] = numpy.array(column, kinds[wanted.type]).reshape(-1, 1)
    return feed


def compare(name, data, train, table=None, numbers=None, tolerance=TOLERANCE, how=()):
    with tempfile.TemporaryDirectory() as folder:
        model, exported = os.path.join(folder, "m.safetensors"), os.path.join(folder, "m.onnx")
        setosa("train", data, "--backend", "reference", "--model", model, *train)
        setosa("export", model, "-o", exported, *how)
        lines = list(csv.reader(setosa("predict", model, data, "--backend", "reference").splitlines()))
        graph = onnx.load(exported)
        onnx.checker.check_model(graph, full_check=True)
        session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
        assert [output.name for output in session.get_outputs()] == ["label", "probabilities"]
        label, probabilities = session.run(None, feed_of(session, graph, table, numbers))
    start = lines[0].index("predicted") + 1
    kept = [i for i, line in enumerate(lines[1:]) if line[start] != ""]  # rows without a prediction lack a value
    expected = numpy.array([lines[1 + i][start:] for i in kept], float)
    difference = numpy.abs(probabilities[kept] - expected).max()
    classes = lines[0][start:]
    integers = all(text.lstrip("-").isdigit() and str(int(text)) == text for text in classes)
    assert label.dtype == (numpy.int64 if integers else object), label.dtype
    unlike = sum(str(label[i]) != lines[1 + i][start - 1] for i in kept)
    ties = sum(abs(numpy.sort(expected[j])[-1] - numpy.sort(expected[j])[-2]) < 2 * tolerance for j in range(len(kept)))
    sizes = ", ".join(f"{i.name} {i.type[7:-1]}" for i in session.get_inputs()[:4])
    print(f"{name:24} {len(kept):6} rows, {len(classes):2} classes: {difference:.2e} apart, {unlike} other labels; {sizes}")
    if not difference <= tolerance or unlike > ties:
        sys.exit(f"{name}: more than {tolerance:g} apart, or other labels")


def iris():
    path = os.path.join(SOURCE, "data", "iris.csv")
    table = read_table(path)
    compare("iris", path, [], table)
    compare("iris, standardized", path, ["--standardize", "--l2", "1e-6"], table)
    compare("iris, f32", path, ["--standardize", "--l2", "1e-6"], table, how=["--single"])


def shifted():
    """Columns far from 0, which f32 cannot hold: years in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shifted.csv")
        table = read_table(os.path.join(SOURCE, "data", "iris.csv"))
        names = list(table)
        for name in names[:-1]:
            table[name] = [f"{float(value) + 1e9:.1f}" for value in table[name]]
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([names, *zip(*table.values())])
        compare("iris + 1e9", path, [], table)
        compare("iris + 1e9, standardized", path, ["--standardize"], table)
        compare("iris + 1e9, f32", path, [], table, how=["--single"])


def digits():
    path = os.path.join(SOURCE, "data", "digits.csv.gz")
    table = read_table(path)
    compare("digits", path, [], table)
    compare("digits, standardized", path, ["--standardize"], table)


def categories():
    path = os.path.join(SOURCE, "data", "penguins.csv")
    table = read_table(path)
    for how in ("drop", "mean"):
        compare(f"penguins, {how}", path, ["--label", "species", "--missing", how, "--standardize"], table)
    compare("penguins, f32", path, ["--label", "species", "--missing", "mean"], table, how=["--single"])


def odd():
    """Names that the graph has for itself, classes that are whole numbers, and words alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "odd.csv")
        with open(path, "w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["label", "/numbers", "probabilities", "kind", "y"])
            for i in range(60):
                lines.writerow([i % 7, (i * i) % 11, "ab"[i % 2], ("ü", "q, r", "s")[i // 3 % 3], i % 3 - 1])
        table = read_table(path)
        renamed = {"label_": "label", "_/numbers": "/numbers", "probabilities_": "probabilities"}
        table.update({new: table.pop(old) for new, old in renamed.items()})
        compare("odd names", path, [], table)
        compare("words alone", path, ["--features", "kind,probabilities"], table)


def fashion():
    images = os.path.join(FASHION, "t10k-images-idx3-ubyte.gz")
    if not os.path.exists(images):
        print("fashion: not installed, left out")
        return
    with gzip.open(images) as file:
        numbers = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 784)
    compare("Fashion-MNIST", images, ["--backend", "blas", "--max-iterations", "100"], None, numbers)
    compare("Fashion-MNIST, f32", images, ["--backend", "blas", "--max-iterations", "100"], None, numbers, 1e-5, ["--single"])


CASES = {case.__name__: case for case in (iris, shifted, digits, categories, odd, fashion)}
for case in sys.argv[3:] or CASES:
    CASES[case]()
