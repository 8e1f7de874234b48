#!/usr/bin/env python3
"""The optimum of every table of own/, in double, by Newton's method: NumPy, and nothing of Setosa. Writes own/expected.tsv.

    optima.py FOLDER

The objective is that of README.md with the penalty 1e-4: a mean log-loss of the rows that are kept, and a bias that is free.
"""
import os
import sys

import numpy as np

import make_own

L2 = 1e-4


def design(table):
    """(x, y, s, rows left out): numbers as they are, a 0/1 column for each level of the rows that are kept."""
    label, weights = table.column("label"), table.column("weights")
    features = [column for column in table.columns if column.role in ("number", "name")]
    needed = [label] + ([weights] if weights else []) + ([] if table.mean else features)
    kept = [i for i in range(len(label.cells)) if all(column.cells[i] is not make_own.MISSING for column in needed)]
    x = []
    for column in features:
        cells = [column.cells[i] for i in kept]
        if column.role == "number":
            present = [float(cell) for cell in cells if cell is not make_own.MISSING]
            x.append([sum(present) / len(present) if cell is make_own.MISSING else float(cell) for cell in cells])
        else:
            levels = sorted({cell for cell in cells if cell is not make_own.MISSING}, key=lambda level: level.encode())
            x.extend([float(cell == level) for cell in cells] for level in levels)
    classes = sorted({label.cells[i] for i in kept})
    y = np.array([classes.index(label.cells[i]) for i in kept])
    s = np.array([float(weights.cells[i]) if weights else 1.0 for i in kept])
    return np.array(x).T, y, s / s.sum(), len(label.cells) - len(kept), len(classes)


def minimise(x, y, s, classes):
    """(objective, accuracy). Columns are brought to mean 0 and deviation 1 for the arithmetic alone: the free bias takes the mean up,
    and the penalty is that of the weights of the columns as they are."""
    rows, features = x.shape
    deviation = x.std(axis=0)
    deviation[deviation == 0] = 1
    x = np.column_stack([(x - x.mean(axis=0)) / deviation, np.ones(rows)])
    penalty = np.append(L2 / deviation**2, 0.0)
    size = features + 1
    w, one = np.zeros((classes, size)), np.zeros((rows, classes))
    one[np.arange(rows), y] = 1

    def value(w):
        z = x @ w.T
        top = z.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(z - top).sum(axis=1)) + top[:, 0]
        return (s * (log_sum - z[np.arange(rows), y])).sum() + 0.5 * (penalty * w**2).sum()

    for _ in range(200):
        z = x @ w.T
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        gradient = ((p - one) * s[:, None]).T @ x + penalty * w
        hessian = np.zeros((classes * size, classes * size))
        for a in range(classes):
            for b in range(classes):
                part = x.T @ (x * (s * p[:, a] * ((a == b) - p[:, b]))[:, None])
                hessian[a * size:(a + 1) * size, b * size:(b + 1) * size] = part + (np.diag(penalty) if a == b else 0)
        for d in range(size):  # the weights of all classes raised alike change the loss by nothing, and would leave it singular
            alike = np.zeros(classes * size)
            alike[d::size] = np.sqrt(hessian.diagonal()[d::size].mean())
            hessian += np.outer(alike, alike)
        units = 1 / np.sqrt(hessian.diagonal())
        step = (units * np.linalg.solve(hessian * np.outer(units, units), units * gradient.ravel())).reshape(w.shape)
        decrement, length = (gradient * step).sum(), 1.0
        if decrement < 1e-19:  # the objective is nearer than that
            break
        before = value(w)
        while value(w - length * step) > before - 1e-4 * length * decrement and length > 1e-12 and decrement > 1e-13:
            length /= 2
        w = w - length * step
    else:
        raise ArithmeticError("Newton's method did not end")
    return value(w), (s * ((x @ w.T).argmax(axis=1) == y)).sum()


def main():
    with open(os.path.join(sys.argv[1], "expected.tsv"), "w", encoding="utf-8") as file:
        file.write("file\tlabel\trows\tleft_out\tfeatures\tclasses\tobjective\taccuracy\toptions\n")
        for table in make_own.tables():
            x, y, s, left_out, classes = design(table)
            objective, accuracy = minimise(x, y, s, classes)
            file.write("%s\t%s\t%d\t%d\t%d\t%d\t%.12g\t%.4f\t%s\n" % (table.file, table.column("label").name, *x.shape[:1], left_out, x.shape[1],
                                                                 classes, objective, accuracy, table.options))


if __name__ == "__main__":
    main()
