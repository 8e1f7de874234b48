#!/usr/bin/env python3
"""The table of README.md, "From scikit-learn, LIBLINEAR, glmnet, statsmodels": what its two columns of commands fit is the same model.

    compare.py PEER SOURCE_FOLDER PROGRAM    PEER is scikit-learn, LIBLINEAR, glmnet or statsmodels

Each row of the table is run as it stands there, on both sides to the optimum, and weights and biases are compared: of both, the mean over
the classes is taken off, which softmax does not see. Exits with 77 (skipped) where the peer is not installed.
"""
import csv
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
TOLERANCE = 1e-5  # of the largest weight
# Both sides go as near to the optimum as they can: scikit-learn's default solver stops where the objective changes by some 1e-9 of itself.
EXACT_SKLEARN = {"tol": 1e-8, "max_iter": 100000}
EXACT_HERE = ["--backend", "reference", "--tolerance", "1e-10", "--gap", "1e-14", "--quiet"]
NEEDS = {"scikit-learn": ["sklearn"], "statsmodels": ["statsmodels.api"], "LIBLINEAR": [], "glmnet": []}


def skip(why):
    print("SKIPPED: " + why)
    sys.exit(SKIPPED)


def need(peer):
    """What the peer is found by; else another Python that has it, else nothing."""
    try:
        for module in ["numpy"] + NEEDS[peer]:
            importlib.import_module(module)
    except ImportError as lacking:
        system = "/usr/bin/python3"  # Debian's, whatever python3 is first on PATH
        if os.access(system, os.X_OK) and os.path.realpath(system) != os.path.realpath(sys.executable):
            os.execv(system, [system, *sys.argv])
        skip("%s (python3-sklearn, python3-statsmodels or PyPI have it)" % lacking)
    if peer == "LIBLINEAR" and shutil.which("liblinear-train") is None:
        skip("no liblinear-train (Debian: liblinear-tools)")
    if peer == "glmnet":
        if shutil.which("Rscript") is None:
            skip("no R (Debian: r-cran-glmnet)")
        if subprocess.run(["Rscript", "-e", "library(glmnet)"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            skip("R without glmnet (Debian: r-cran-glmnet)")


def rows(text, peer):
    """[(data, their command, ours)] of the table."""
    section = re.search(r"^## From scikit-learn, .*?\n(.*?)^## ", text, re.S | re.M).group(1)
    found = re.findall(r"^\| %s \| ([^|]*) \| `([^|]*)` \| `setosa ([^|]*)` \|$" % re.escape(peer), section, re.M)
    return [(data, there, here.split()) for data, there, here in found]


def read(folder, name):
    """X (N,D) in double and the classes of its rows."""
    import numpy as np
    if name.endswith(".csv"):
        with open(os.path.join(folder, "data", name), encoding="utf-8") as file:
            lines = list(csv.reader(file))[1:]
        return np.array([[float(value) for value in line[:-1]] for line in lines]), [line[-1] for line in lines]
    with open(os.path.join(folder, "data", name), encoding="utf-8") as file:
        lines = [line.split() for line in file]
    entries = [[tuple(entry.split(":")) for entry in line[1:]] for line in lines]
    x = np.zeros((len(lines), max(int(index) for line in entries for index, _ in line)))
    for i, line in enumerate(entries):
        for index, value in line:
            x[i, int(index) - 1] = float(value)
    return x.astype(np.float32).astype(float), [str(int(line[0])) for line in lines]


def ours(program, arguments, folder):
    """Weights (K,D), biases (K) and the names of the classes of the model that a command line trains; weights of x as it is scaled."""
    import numpy as np
    path = os.path.join(folder, "model.safetensors")
    subprocess.run([program, *arguments, "--model", path, *EXACT_HERE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    names = json.loads(header.pop("__metadata__")["class_names"])
    kind = {"F32": "<f4", "F64": "<f8"}
    tensors = {name: np.frombuffer(body[slice(*of["data_offsets"])], kind[of["dtype"]]).reshape(of["shape"]).astype(float)
               for name, of in header.items()}
    return tensors["weights"], tensors["bias"], names


def two_columns(vector, bias, positive, names):
    """One vector for a class against the other, as two columns of softmax."""
    import numpy as np
    k = names.index(positive)
    sign = np.where(np.arange(2) == k, 0.5, -0.5)
    return sign[:, None] * np.asarray(vector, float), sign * bias


def by_sklearn(there, x, y, names, folder):
    import numpy as np
    from sklearn import linear_model
    exact = lambda **options: linear_model.LogisticRegression(**{"solver": "newton-cg", **options, **EXACT_SKLEARN})  # noqa: E731
    model = eval(there, {"LogisticRegression": exact})
    model.fit(x, y)
    if len(names) == 2:
        return two_columns(model.coef_[0], float(np.ravel(model.intercept_)[0]), str(model.classes_[1]), names)
    order = [list(model.classes_).index(name) for name in names]
    return model.coef_[order], model.intercept_[order]


def by_statsmodels(there, x, y, names, folder):
    import numpy as np
    import statsmodels.api as sm
    codes = np.array([names.index(label) for label in y])
    scope = {"MNLogit": sm.MNLogit, "add_constant": sm.add_constant, "X": x, "y": codes}
    fitted = eval(there.replace(".fit()", '.fit(method="newton", maxiter=100, tol=1e-14, disp=0)'), scope)
    parameters = np.hstack([np.zeros((x.shape[1] + 1, 1)), np.asarray(fitted.params)])  # the first class is the base
    return parameters[1:].T, parameters[0]


def by_liblinear(there, x, y, names, folder):
    import numpy as np
    command = there.split()
    model = os.path.join(folder, "liblinear.model")
    data = os.path.join(folder, "data", command[-1])
    subprocess.run(["liblinear-train", *command[1:-1], "-e", "1e-12", "-q", data, model], check=True)
    with open(model, encoding="utf-8") as file:
        lines = file.read().split("\n")
    first = next(line for line in lines if line.startswith("label")).split()[1]
    vector = [float(line) for line in lines[lines.index("w") + 1:] if line.strip()]
    return two_columns(np.array(vector), 0.0, first, names)


def by_glmnet(there, x, y, names, folder):
    import numpy as np
    np.savetxt(os.path.join(folder, "X.txt"), x, fmt="%.17g")
    with open(os.path.join(folder, "y.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(str(names.index(label)) for label in y))
    code = """library(glmnet)
X <- as.matrix(read.table("X.txt")); y <- factor(scan("y.txt", quiet = TRUE))
glmnet.control(fdev = 0, devmax = 1)
fit <- %s
b <- coef(fit)
b <- if (is.list(b)) do.call(cbind, lapply(b, as.matrix)) else as.matrix(b)
write.table(format(b, digits = 17), "coefficients.txt", quote = FALSE, row.names = FALSE, col.names = FALSE)
""" % re.sub(r"\)$", ", thresh = 1e-16, maxit = 1e7)", there)
    subprocess.run(["Rscript", "-e", code], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    table = np.loadtxt(os.path.join(folder, "coefficients.txt"), ndmin=2)
    if len(names) == 2 and table.shape[1] == 1:
        return two_columns(table[1:, 0], float(table[0, 0]), names[1], names)
    return table[1:].T, table[0]


PEERS = {"scikit-learn": by_sklearn, "LIBLINEAR": by_liblinear, "glmnet": by_glmnet, "statsmodels": by_statsmodels}


def centred(weights, bias):
    return weights - weights.mean(axis=0), bias - bias.mean()


def main():
    peer, source, program = sys.argv[1:]
    need(peer)
    import numpy as np
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        table = rows(file.read(), peer)
    failed = 0
    for data, there, here in table:
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(os.path.join(os.path.abspath(source), "data"), os.path.join(folder, "data"))
            weights, bias, names = ours(os.path.abspath(program), here, folder)
            x, y = read(folder, here[1].split("/")[1])
            if "--standardize" in here:
                x = (x - x.mean(axis=0)) / x.std(axis=0)
            found = centred(*PEERS[peer](there, x, y, names, folder))
            expected = centred(weights, bias)
            size = max(np.abs(found[0]).max(), np.abs(found[1]).max())
            apart = max(np.abs(one - other).max() for one, other in zip(found, expected)) / size
            print("%s: %s\n    %s and setosa %s: %.1e apart" % ("ok" if apart <= TOLERANCE else "WRONG", data, there, " ".join(here), apart))
            failed += not apart <= TOLERANCE
    print("%d passed, %d failed" % (len(table) - failed, failed))
    return 1 if failed or not table else 0


if __name__ == "__main__":
    sys.exit(main())
