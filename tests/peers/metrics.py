#!/usr/bin/env python3
"""What `setosa eval` tells is what scikit-learn makes of the probabilities of `setosa predict`.

    metrics.py SOURCE_FOLDER PROGRAM

AUC of each class and their mean, log-loss, Brier score and accuracy, with and without weights of rows, of a model with a temperature and one
without. Exits with 77 (skipped) where scikit-learn is not installed.
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
TOLERANCE = 2e-6  # predict rounds probabilities to f32, and so makes a few ties


def need():
    try:
        import sklearn.metrics  # noqa: F401
    except ImportError:
        system = "/usr/bin/python3"  # Debian's, whatever python3 is first on PATH
        if os.access(system, os.X_OK) and os.path.realpath(system) != os.path.realpath(sys.executable):
            os.execv(system, [system, *sys.argv])
        print("SKIPPED: no scikit-learn (python3-sklearn or PyPI have it)")
        sys.exit(SKIPPED)


def run(program, *arguments):
    return subprocess.run([program, *arguments, "--backend", "reference"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout


def expected(labels, probabilities, names, weights):
    import numpy as np
    from sklearn import metrics
    hot = np.array([[float(label == name) for name in names] for label in labels])
    codes = hot.argmax(axis=1)
    auc = [metrics.roc_auc_score(hot[:, k], probabilities[:, k], sample_weight=weights) for k in range(len(names))]
    return {"macro_auc": float(np.mean(auc)), "auc": auc,
            "log_loss": metrics.log_loss(codes, probabilities, sample_weight=weights, labels=range(len(names))),
            "brier": float(np.average(((probabilities - hot) ** 2).sum(axis=1), weights=weights)),
            "accuracy": metrics.accuracy_score(codes, probabilities.argmax(axis=1), sample_weight=weights)}


def main():
    source, program = (os.path.abspath(path) for path in sys.argv[1:])
    need()
    import numpy as np
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.safetensors")
        for name, options in (("wine.csv", []), ("wine.csv", ["--standardize", "--validation", "0.4", "--l2", "1e-6", "--calibrate-validation"]),
                              ("digits.csv.gz", ["--l2", "1", "--max-iterations", "3"]), ("iris.csv", ["--l2", "10"])):
            data = os.path.join(source, "data", name)
            run(program, "train", data, "--model", model, "-q", *options)
            rows = list(csv.DictReader(io.StringIO(run(program, "predict", model, data, "-q"))))
            names = [key for key in rows[0] if key not in ("row", "predicted")]
            p = np.array([[float(row[key]) for key in names] for row in rows])
            p /= p.sum(axis=1, keepdims=True)
            text = subprocess.run(["gzip", "-dcf", data], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
            labels = [line[-1] for line in csv.reader(io.StringIO(text)) if line][-len(rows):]
            labels = [label if label in names else str(int(float(label))) for label in labels]
            for weighted in (False, True):
                weights = 1 + np.arange(len(rows)) % 4 if weighted else np.ones(len(rows))
                np.savetxt(os.path.join(folder, "weights.txt"), weights, fmt="%d")
                more = ["--weights", os.path.join(folder, "weights.txt")] if weighted else []
                told = json.loads(run(program, "eval", model, data, "--json", "-q", *more))
                wanted = expected(labels, p, names, weights)
                told["auc"] = [of["auc"] for of in told["per_class"]]
                for key in ("accuracy", "log_loss", "brier", "auc", "macro_auc"):
                    apart = float(np.max(np.abs(np.array(told[key]) - np.array(wanted[key]))))
                    good = apart <= TOLERANCE
                    print("%s: %s %s%s: %s %.1e apart" % ("ok" if good else "WRONG", name, " ".join(options), " weighted" * weighted, key, apart))
                    failed += not good
                    passed += good
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
