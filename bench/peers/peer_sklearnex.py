"""scikit-learn-intelex: oneDAL's cross-entropy (value and gradient), and the patched LogisticRegression."""

from importlib.metadata import version

import daal4py
import numpy as np
import peer_sklearn
from sklearnex.linear_model import LogisticRegression
from worker import Unsupported

VERSION = f"scikit-learn-intelex {version('scikit-learn-intelex')}"


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        daal4py.daalinit(threads)
        self.X, self.y = X, y.astype(X.dtype)[:, None]
        # Its penalty is penaltyL2 ||W||^2, without the half.
        self.function = daal4py.optimization_solver_cross_entropy_loss(
            nClasses=len(W),
            numberOfTerms=len(X),
            fptype="float",
            method="defaultDense",
            interceptFlag=True,
            penaltyL1=0.0,
            penaltyL2=l2 / 2,
            resultsToCompute="value|gradient",
        )
        self.place(W, b)

    def place(self, W, b):
        self.argument = np.column_stack([b, W]).reshape(-1, 1)  # the intercept first
        self.shape = (len(W), W.shape[1] + 1)
        self.function.setup(self.X, self.y, self.argument)

    def __call__(self):
        self.result = self.function.compute(self.X, self.y, self.argument)

    def read(self):
        gradient = self.result.gradientIdx.reshape(self.shape)
        return float(self.result.valueIdx.item()), gradient[:, 1:], gradient[:, 0]


def fit(X, y, classes, l2, iterations, threads):
    daal4py.daalinit(threads)
    if LogisticRegression.__module__.split(".")[0] not in ("sklearnex", "daal4py"):
        raise Unsupported("it does not patch LogisticRegression here")
    return peer_sklearn.fit(X, y, classes, l2, iterations, threads, estimator=LogisticRegression)
