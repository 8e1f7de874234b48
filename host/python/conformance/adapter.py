"""SoftmaxClassifier under the name and with the parameters of LogisticRegression."""

import numpy as np
import pytest
import setosa
from setosa._linear import LinearSoftmax

NOT_HERE = "not applicable: "

# sag and saga stand for "any that finds the optimum": of scikit-learn's solvers only saga has an elastic net.
SOLVERS = {"lbfgs": "lbfgs", "newton-cg": "newton", "newton-cholesky": "newton", "sag": "auto", "saga": "auto"}
UNSET = "deprecated"


def not_applicable(reason):
    pytest.skip(NOT_HERE + reason)


def elsewhere(reason):
    """In place of a class or function that the tests call and this package has not."""

    def called(*_arguments, **_settings):
        not_applicable(reason)

    return called


class LogisticRegression(LinearSoftmax):
    """What it is told is told to a SoftmaxClassifier, whose result it has. What that does not have ends the test as not applicable."""

    def __init__(
        self,
        penalty=UNSET,
        *,
        C=1.0,
        l1_ratio=None,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="lbfgs",
        max_iter=100,
        multi_class=UNSET,
        verbose=0,
        warm_start=False,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.multi_class = multi_class
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def _settings(self):
        if self.solver not in SOLVERS:
            not_applicable(f"solver {self.solver!r}")
        if self.dual:
            not_applicable("dual")
        if self.intercept_scaling != 1:
            not_applicable("intercept_scaling")
        if self.multi_class not in (UNSET, "auto", "warn", "multinomial"):
            not_applicable(f"multi_class={self.multi_class!r}")
        penalty = "l2" if self.penalty == UNSET else self.penalty
        ratio = {"l1": 1.0, "elasticnet": self.l1_ratio, "l2": 0.0 if self.penalty != UNSET else self.l1_ratio or 0.0}.get(penalty, 0.0)
        # The defaults of LogisticRegression mean those of SoftmaxClassifier, which are stricter.
        return {
            "C": np.inf if penalty in (None, "none") else self.C,
            "l1_ratio": ratio,
            "tol": None if self.tol == 1e-4 else self.tol,
            "max_iter": 1000 if self.max_iter == 100 else self.max_iter,
            "solver": SOLVERS[self.solver],
            "fit_intercept": self.fit_intercept,
            "class_weight": self.class_weight,
            "random_state": self.random_state,
            "warm_start": self.warm_start,
        }

    def fit(self, X, y, sample_weight=None):
        if not hasattr(self, "_inner") or not self.warm_start:
            self._inner = setosa.SoftmaxClassifier()
        self._inner.set_params(**self._settings()).fit(X, y, sample_weight)
        for name, value in vars(self._inner).items():
            if name.endswith("_") or name == "_encoder":
                setattr(self, name, value)
        return self
