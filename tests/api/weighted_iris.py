"""The weighted optimum of iris in double, by Newton's method and nothing of Setosa: the known answer of tests/api/test_weights.c.
Four features, l2 0.01 on the weights (K,D), free bias, the weight of row i = 1 + (i mod 3), i from 0. Needs numpy."""
import csv
import sys

import numpy as np

rows = list(csv.reader(open(sys.argv[1])))[1:]
x = np.array([[float(v) for v in r[:4]] for r in rows]).astype(np.float32).astype(float)
names = sorted({r[4] for r in rows})
y = np.array([names.index(r[4]) for r in rows])
s = 1.0 + np.arange(len(rows)) % 3
n, k, l2 = len(rows), len(names), 0.01
a = np.hstack([x, np.ones((n, 1))])  # (N, D+1), the bias as a feature of ones
ridge = np.tile(np.append(np.full(4, l2), 0.0), k)  # (K (D+1))
w = np.zeros((k, 5))
for _ in range(50):
    z = a @ w.T
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -(s * np.log(p[np.arange(n), y])).sum() / s.sum() + 0.5 * (ridge * w.ravel() ** 2).sum()
    gradient = ((p - np.eye(k)[y]) * s[:, None]).T @ a / s.sum() + (ridge * w.ravel()).reshape(k, 5)
    curvature = np.einsum("i,ij,jl->ijl", s / s.sum(), p, np.eye(k)) - np.einsum("i,ij,il->ijl", s / s.sum(), p, p)
    hessian = np.einsum("ijl,id,ie->jdle", curvature, a, a).reshape(15, 15) + np.diag(ridge)
    w -= np.linalg.lstsq(hessian, gradient.ravel(), rcond=None)[0].reshape(k, 5)
print(f"objective {loss:.15f}, largest |gradient| {np.abs(gradient).max():.1e}")
