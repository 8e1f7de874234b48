"""LIBLINEAR -s 0: one vector of a sigmoid by a trust-region Newton method; its several classes are one-against-rest, so two classes only."""

from importlib.metadata import version

import numpy as np
from liblinear.liblinearutil import train
from peer_sklearn import penalty_constant, two_columns
from scipy import sparse
from worker import Unsupported

ROWS = ("dense", "sparse")
VERSION = f"LIBLINEAR {version('liblinear-official')}"


def fit(X, y, classes, l2, iterations, threads):
    if classes != 2:
        raise Unsupported("its several classes are one-against-rest, another objective; see fit-two and fit-sparse-two")
    constant = penalty_constant(X.shape[0], classes, l2)
    model = train(np.where(y == 1, 1.0, -1.0), sparse.csr_matrix(X, dtype=np.float64), f"-s 0 -c {constant!r} -B 1 -R -e 1e-6 -q")
    coefficients, intercept = model.get_decfun(0)
    # The vector is for the label that came first in the data.
    sign = 1.0 if model.get_labels()[0] == 1 else -1.0
    return *two_columns(sign * np.asarray(coefficients)[None, :], sign * np.asarray([intercept])), -1
