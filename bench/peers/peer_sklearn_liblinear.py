"""scikit-learn's liblinear on sparse rows of two classes.

It penalises the bias as a weight of a constant feature. A large constant makes that little, and slow to find: with 10 its objective is a little
above the optimum by design.
"""

import peer_sklearn
from worker import Unsupported

VERSION = peer_sklearn.VERSION + " liblinear"
ROWS = ("sparse",)


def fit(X, y, classes, l2, iterations, threads):
    if classes != 2:
        raise Unsupported("its several classes are one-against-rest, another objective; see fit-sparse-two")
    return peer_sklearn.fit(X, y, classes, l2, iterations, threads, solver="liblinear", intercept_scaling=10, random_state=0)
