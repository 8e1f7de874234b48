"""SciPy on sparse rows in f32: X W, a softmax in place, X' R. Its products run on one core, so rows (and for X' R columns) are cut in as many
parts as there are threads, each with a thread of its own. Each product is tried as one and in parts, and the quicker way is timed.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy
from scipy import sparse

VERSION = f"scipy {scipy.__version__}"
ROWS = ("sparse",)


def cuts_of(X, parts):
    """Where to cut the rows of X (CSR) into parts of about as many entries."""
    cuts = np.searchsorted(X.indptr, np.linspace(0, X.nnz, parts + 1)[1:-1])
    return [0, *map(int, cuts), X.shape[0]]


class Product:
    """to = X from, for X (CSR) and dense matrices."""

    def __init__(self, X, columns, pool, threads):
        self.pool, self.rows = pool, X.shape[0]
        sample = np.ones((X.shape[1], columns), np.float32)
        best = None
        for parts in sorted({1, threads}):
            cuts = cuts_of(X, parts)
            self.parts = [(slice(*pair), X[slice(*pair)]) for pair in zip(cuts, cuts[1:])]
            seconds = min(self.seconds(sample) for _ in range(5))
            if best is None or seconds < best[0]:
                best = (seconds, self.parts)
        self.parts = best[1]

    def seconds(self, sample):
        started = time.perf_counter()
        self(sample)
        return time.perf_counter() - started

    def each(self, work):
        """work(rows, part of X) for every part at once."""
        if len(self.parts) == 1:
            return [work(*self.parts[0])]
        return list(self.pool.map(lambda part: work(*part), self.parts))

    def __call__(self, matrix):
        to = np.empty((self.rows, matrix.shape[1]), np.float32)

        def work(rows, part):
            to[rows] = part @ matrix

        self.each(work)
        return to


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        self.y, self.l2, self.count = y, np.float32(l2), np.float32(X.shape[0])
        pool = ThreadPoolExecutor(threads)
        self.forward = Product(X, len(W), pool, threads)
        self.backward = Product(sparse.csr_matrix(X.T), len(W), pool, threads)
        self.place(W, b)

    def place(self, W, b):
        self.W, self.b = np.ascontiguousarray(W.T, np.float32), np.asarray(b, np.float32)  # (D,K)

    def residuals(self, rows, part):
        """Of a part of the rows, in place of its logits. Returns its loss."""
        z = self.R[rows]
        z[:] = part @ self.W
        z += self.b
        index, labels = np.arange(len(z)), self.y[rows]
        z -= z.max(axis=1, keepdims=True)
        at_label = z[index, labels]
        np.exp(z, out=z)
        total = z.sum(axis=1)
        z /= total[:, None] * self.count
        z[index, labels] -= 1 / self.count
        return float((np.log(total) - at_label).sum(dtype=np.float64))

    def __call__(self):
        self.R = np.empty((self.forward.rows, len(self.b)), np.float32)
        self.loss = sum(self.forward.each(self.residuals)) / len(self.R) + float(self.l2) / 2 * float(np.vdot(self.W, self.W))
        self.dW = self.backward(self.R)
        self.dW += self.l2 * self.W
        self.db = self.R.sum(axis=0)

    def read(self):
        return self.loss, self.dW.T, self.db
