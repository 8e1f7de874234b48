#!/usr/bin/env python3
"""The table of `setosa cv` computed by others, in double. check_table.py PROGRAM DATA.csv[.gz] [--sklearn] [--bound B] [options of setosa cv]

Trains one model for each lambda and fold on the same rows: the folds are those that `setosa cv --json` tells. By Newton's method in NumPy, or by
scikit-learn's LogisticRegression (--sklearn). Then the mean loss, its standard error, the accuracy, lambda_min and lambda_1se by the
definitions of glmnet. Numbers are plain columns, the label is the last one. Exit code 77: NumPy (or scikit-learn) is not here.
"""
import csv
import gzip
import json
import subprocess
import sys
import warnings

try:
    import numpy as np
except ImportError:
    print("no NumPy")
    sys.exit(77)


def read(path):
    with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as file:
        rows = list(csv.reader(file))[1:]
    names = sorted({row[-1] for row in rows}, key=lambda name: name.encode())
    x = np.array([[float(value) for value in row[:-1]] for row in rows]).astype(np.float32).astype(float)
    return x, np.array([names.index(row[-1]) for row in rows]), len(names)


def log_sum(z):
    top = z.max(axis=1, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=1)) + top[:, 0]


def by_newton(x, y, classes, l2, start):
    """Weights (K, D+1), the bias last. The features are centred for the arithmetic: the free bias takes that up."""
    rows, features = x.shape
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation == 0] = 1
    x = np.column_stack([(x - mean) / deviation, np.ones(rows)])
    penalty, size = np.append(l2 / deviation**2, 0.0), features + 1
    one = np.eye(classes)[y]
    w = np.zeros((classes, size))
    if start is not None:
        w[:, :-1], w[:, -1] = start[:, :-1] * deviation, start[:, -1] + start[:, :-1] @ mean

    def value(w):
        z = x @ w.T
        return (log_sum(z) - z[np.arange(rows), y]).mean() + 0.5 * (penalty * w**2).sum()

    for _ in range(100):
        z = x @ w.T
        p = np.exp(z - log_sum(z)[:, None])
        gradient = (p - one).T @ x / rows + penalty * w
        hessian = np.zeros((classes, size, classes, size))
        for a in range(classes):
            for b in range(a + 1):
                part = x.T @ (x * (p[:, a] * ((a == b) - p[:, b]) / rows)[:, None]) + (np.diag(penalty) if a == b else 0)
                hessian[a, :, b], hessian[b, :, a] = part, part.T
        hessian = hessian.reshape(classes * size, classes * size)
        for d in range(size):  # what all classes have in common changes nothing: without this the matrix is singular
            alike = np.zeros(classes * size)
            alike[d::size] = np.sqrt(hessian.diagonal()[d::size].mean())
            hessian += np.outer(alike, alike)
        units = 1 / np.sqrt(hessian.diagonal())
        step = (units * np.linalg.solve(hessian * np.outer(units, units), units * gradient.ravel())).reshape(w.shape)
        decrement, length = (gradient * step).sum(), 1.0
        if decrement < 1e-18:
            break
        before = value(w)
        while value(w - length * step) > before - 1e-4 * length * decrement and length > 1e-12 and decrement > 1e-13:
            length /= 2
        w = w - length * step
    else:
        raise ArithmeticError("Newton's method did not end")
    weights = w[:, :-1] / deviation
    return np.column_stack([weights, w[:, -1] - weights @ mean])


def by_sklearn(x, y, classes, l2, start):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / (l2 * len(y)), solver="newton-cg", tol=1e-12, max_iter=10000, warm_start=start is not None)
    if start is not None:
        model.classes_, model.coef_, model.intercept_ = np.arange(classes), start[:, :-1].copy(), start[:, -1].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such a tolerance is not always reached
        model.fit(x, y)
    return np.column_stack([model.coef_, model.intercept_])


def table(x, y, classes, fold, lambdas, fit):
    """(loss, accuracy) of every fold and lambda."""
    folds = sorted(set(fold))
    losses, rights = np.zeros((len(folds), len(lambdas))), np.zeros((len(folds), len(lambdas)))
    for f, number in enumerate(folds):
        seen, w = fold != number, None
        for j, l2 in enumerate(lambdas):
            w = fit(x[seen], y[seen], classes, l2, w)
            z = x[~seen] @ w[:, :-1].T + w[:, -1]
            losses[f, j] = (log_sum(z) - z[np.arange(len(z)), y[~seen]]).mean()
            rights[f, j] = (z.argmax(axis=1) == y[~seen]).mean()
    return losses, rights


def main():
    arguments = sys.argv[1:]
    use_sklearn = "--sklearn" in arguments
    if use_sklearn:
        arguments.remove("--sklearn")
        try:
            import sklearn  # noqa: F401
        except ImportError:
            print("no scikit-learn")
            sys.exit(77)
    bound = 1e-5
    if "--bound" in arguments:
        at = arguments.index("--bound")
        bound = float(arguments[at + 1])
        del arguments[at:at + 2]
    program, data, options = arguments[0], arguments[1], arguments[2:]
    done = subprocess.run([program, "cv", data, "--json", "--quiet", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout.decode("utf-8"))
    x, y, classes = read(data)
    if "--scale" in options:
        x = (x * np.float32(options[options.index("--scale") + 1])).astype(np.float32).astype(float)
    fold, points = np.array(found["fold"]), found["points"]
    for k in range(classes):  # every fold has its share of each class
        shares = [((fold == f) & (y == k)).sum() for f in range(1, found["folds"] + 1)]
        assert max(shares) - min(shares) <= 1, shares
    sizes = np.array([(fold == f).sum() for f in range(1, found["folds"] + 1)])
    assert sizes.max() - sizes.min() <= 1, sizes
    losses, rights = table(x, y, classes, fold, [point["l2"] for point in points], by_sklearn if use_sklearn else by_newton)
    mean = (sizes[:, None] * losses).sum(axis=0) / sizes.sum()
    error = np.sqrt((sizes[:, None] * (losses - mean) ** 2).sum(axis=0) / sizes.sum() / (len(sizes) - 1))
    accuracy = (sizes[:, None] * rights).sum(axis=0) / sizes.sum()
    best = mean.argmin()
    within = np.nonzero(mean <= mean[best] + error[best])[0][0]
    worst = {
        "loss": np.abs(mean - [point["loss"] for point in points]).max(),
        "standard error": np.abs(error - [point["standard_error"] for point in points]).max(),
        "rows right": len(y) * np.abs(accuracy - [point["accuracy"] for point in points]).max(),
    }
    print(f"{len(points)} lambdas, {len(sizes)} folds: largest differences", {what: float("%.2g" % value) for what, value in worst.items()})
    assert worst["loss"] <= bound and worst["standard error"] <= bound and worst["rows right"] < 1.5, worst
    assert found["lambda_min"] == points[best]["lambda"], (found["lambda_min"], points[best]["lambda"])
    assert found["lambda_1se"] == points[within]["lambda"], (found["lambda_1se"], points[within]["lambda"])


if __name__ == "__main__":
    main()
