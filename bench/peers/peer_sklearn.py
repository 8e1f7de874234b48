"""scikit-learn: the loss and gradient that its own lbfgs calls, and LogisticRegression."""

import numpy as np
import sklearn
from sklearn._loss.loss import HalfMultinomialLoss
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model._linear_loss import LinearModelLoss

VERSION = f"scikit-learn {sklearn.__version__}"
ROWS = ("dense", "sparse")


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        self.X, self.y, self.l2, self.threads = X, y.astype(X.dtype), l2, threads
        self.loss = LinearModelLoss(base_loss=HalfMultinomialLoss(n_classes=len(W)), fit_intercept=True)
        self.place(W, b)

    def place(self, W, b):
        self.coefficients = np.asfortranarray(np.column_stack([W, b]))  # (K,D+1), the intercept last

    def __call__(self):
        self.value, self.gradient = self.loss.loss_gradient(
            self.coefficients, self.X, self.y, l2_reg_strength=self.l2, n_threads=self.threads
        )

    def read(self):
        gradient = self.gradient.reshape(self.coefficients.shape, order="F") if self.gradient.ndim == 1 else self.gradient
        return self.value, gradient[:, :-1], gradient[:, -1]


def two_columns(coefficients, intercept):
    """One vector of a sigmoid (class 1 positive) as two columns of a softmax: half of it to each, with opposite signs."""
    if len(coefficients) > 1:
        return coefficients, intercept
    return np.vstack([-coefficients / 2, coefficients / 2]), np.concatenate([-intercept / 2, intercept / 2])


def penalty_constant(rows, classes, l2):
    """scikit-learn's C. With two classes it fits one sigmoid vector, whose l2 is half of the two columns' l2."""
    return 1 / (rows * (l2 if classes > 2 else l2 / 2))


def fit(X, y, classes, l2, iterations, threads, estimator=LogisticRegression, **more):
    model = estimator(C=penalty_constant(X.shape[0], classes, l2), max_iter=iterations, tol=1e-12, **more)
    model.fit(X, y)
    weights, bias = two_columns(model.coef_, model.intercept_)
    return weights, bias, int(np.max(model.n_iter_))
