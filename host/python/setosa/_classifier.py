"""The classifier, with scikit-learn's contract."""

from __future__ import annotations

import numbers
from typing import Any, Literal

import numpy as np

from ._base import seed_of, warn_of_convergence
from ._devices import Selector
from ._library import in_python
from ._linear import LinearSoftmax
from ._train import ProgressFunction, TrainResult, train


class SoftmaxClassifier(LinearSoftmax):
    """Softmax regression (multinomial logistic regression) on an OpenCL device.

    With X (n,features), labels y and weights s of rows (1 each by default) it minimises over W (classes,features) and b (classes,)::

        sum_i s_i loss_i / sum_i s_i + l2 / 2 ||W||^2 + l1 ||W||_1,   loss_i = logsumexp(W x_i + b) - (W x_i + b)[y_i]

    `C` and `l1_ratio` are those of scikit-learn's LogisticRegression, and the optimum is the same: of more than two classes
    l2 = (1 - l1_ratio) / (C sum s) and l1 = l1_ratio / (C sum s). Two classes are two rows of W here and one vector there, so l2 is twice
    that. Who gives `l1` or `l2` gives them as they stand in the formula, as the program `setosa` has them, and `C` and `l1_ratio` do not count.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty; `np.inf`: none.
    l1_ratio : float, default=0.0
        From 0 (L2 alone) to 1 (L1 alone).
    l1, l2 : float or None, default=None
        The penalties themselves. When one of them is given, the other is 0 unless it is given, too.
    solver : {"auto", "newton", "lbfgs", "gd", "sgd", "adam"}, default="auto"
    preconditioner : {"auto", "none", "diagonal", "kron", "blocks"}, default="auto"
        For lbfgs.
    tol : float or None, default=None
        Converged when no component of the gradient is larger; None: 3e-6, and 1e-9 where "auto" computes on the host in double.
    gap : float, default=1e-7
        newton, lbfgs: converged only when the objective is at most so much of itself above the optimum; 0: whatever it is.
    max_iter : int, default=1000
        newton, lbfgs, gd: iterations at most.
    fit_intercept : bool, default=True
    class_weight : dict, "balanced" or None, default=None
        Weights by class, which rows are multiplied with; "balanced": all classes weigh the same.
    warm_start : bool, default=False
        Begin with the model of the fit before, features and classes found by their names.
    random_state : int, RandomState or None, default=None
        Order of rows and batches, and which rows are sampled. None is a fixed seed: the same data give the same model.
    device : int, str, list of them or None, default=None
        As `setosa --device`: an index of :func:`devices`, a part of a name, "cpu", "gpu", "all"; None: the best.
    backend : {"auto", "native", "clblast", "blas", "reference"}, default="auto"
        "auto": our kernels on a device, but on the host in double (reference) where there is so little work that a device would only wait
        (p = features * classes parameters: n p up to 2^17 and n p p up to 2^21, and no `device` given), and on the host with OpenBLAS where
        there is no usable device.
    storage : {"auto", "f32", "f16", "u8"}, default="auto"
        How the device holds X.
    label_smoothing : float, default=0.0
    learning_rate, momentum, nesterov, batch_size, epochs, schedule : optional
        sgd, adam (learning_rate: gd, too); None: the library's defaults.
    history : int or None, default=None
        lbfgs: pairs kept.
    reproducible : bool, default=False
        The same bits whatever shapes of kernels tuning would find.
    device_memory : int or None, default=None
        Bytes of the device that may be used; rows beyond it stream.
    progress : callable or None, default=None
        Called with a :class:`Progress` once an iteration; False ends the training with what it has.
    verbose : int, default=0
        1: a line at the end, 2: a line for each iteration, on standard error.

    Attributes
    ----------
    classes_ : (classes,)
    coef_ : (classes,features), or (1,features) of two classes: the weights of the second less those of the first, as scikit-learn has it.
        f32 when X is, else f64. Without an L1 penalty their sum over more than two classes is 0.
    intercept_ : (classes,) or (1,)
    n_iter_ : (1,) int
    n_features_in_, feature_names_in_ : columns of X. `coef_` has a feature for each level of a column of names: get_feature_names_out().
    model_ : Model, as the library trained it.
    result_ : TrainResult, what the training said at its end: objective, gap, seconds_train, ...
    l1_, l2_ : float, the penalties of the formula above.
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        l1_ratio: float = 0.0,
        l1: float | None = None,
        l2: float | None = None,
        solver: str = "auto",
        preconditioner: str = "auto",
        tol: float | None = None,
        gap: float = 1e-7,
        max_iter: int = 1000,
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        device: Selector = None,
        backend: str = "auto",
        storage: str = "auto",
        label_smoothing: float = 0.0,
        learning_rate: float | None = None,
        momentum: float | None = None,
        nesterov: bool | None = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        schedule: str | None = None,
        history: int | None = None,
        reproducible: bool = False,
        device_memory: int | None = None,
        progress: ProgressFunction | None = None,
        verbose: int = 0,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.l1 = l1
        self.l2 = l2
        self.solver = solver
        self.preconditioner = preconditioner
        self.tol = tol
        self.gap = gap
        self.max_iter = max_iter
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.backend = backend
        self.storage = storage
        self.label_smoothing = label_smoothing
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.batch_size = batch_size
        self.epochs = epochs
        self.schedule = schedule
        self.history = history
        self.reproducible = reproducible
        self.device_memory = device_memory
        self.progress = progress
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SoftmaxClassifier:
        """Trains on X (n,features), an array, scipy.sparse or DataFrame, labels y (n,) and weights of the rows (n,) or None.

        f32 in C order and CSR are read where they lie. Ctrl-C raises KeyboardInterrupt after the iteration and leaves what was fitted before.
        """
        X = self._rows_to_fit(X)
        labels = self._labels_to_fit(y, X.shape[0])
        weights, total = self._weights_to_fit(labels, sample_weight, self.class_weight)
        l1, l2 = self._penalties(total)
        settings = {
            "solver": self.solver,
            "l1": l1,
            "l2": l2,
            "tolerance": self.tol,
            "intercept": bool(self.fit_intercept),
            "label_smoothing": self.label_smoothing,
            "seed": seed_of(self.random_state),
            "max_iterations": self.max_iter,
            "learning_rate": self.learning_rate,
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "batch_size": self.batch_size,
            "epochs": self.epochs,
            "schedule": self.schedule,
            "history": self.history,
        }
        if self.solver in ("auto", "newton", "lbfgs"):
            settings["gap"] = self.gap
        if self.solver in ("auto", "lbfgs"):
            settings["preconditioner"] = self.preconditioner
        initial = self.model_ if self.warm_start and hasattr(self, "model_") else None
        compute = {
            "backend": self.backend,
            "device": self.device,
            "storage": self.storage,
            "reproducible": bool(self.reproducible),
            "device_memory": self.device_memory,
        }
        dataset = self._dataset(X, labels, weights, bool(self.fit_intercept))
        model, result = train(dataset, settings, compute, initial=initial, progress=self.progress, verbose=self.verbose)
        self._take(model, X, l1)
        self.l1_, self.l2_, self.result_ = l1, l2, result
        self.n_iter_ = np.array([result.iterations], dtype=np.int32)
        self._warn(result)
        return self

    def _penalties(self, total: float) -> tuple[float, float]:
        """(l1, l2) of the formula, of weights that sum to `total`."""
        if self.l1 is not None or self.l2 is not None:
            return float(self.l1 or 0), float(self.l2 or 0)
        if not (isinstance(self.C, numbers.Real) and self.C > 0):
            raise ValueError(f"C={self.C!r} is not above 0; np.inf is no penalty at all")
        if not (isinstance(self.l1_ratio, numbers.Real) and 0 <= self.l1_ratio <= 1):
            raise ValueError(f"l1_ratio={self.l1_ratio!r} is not in 0 to 1")
        strength = 1 / (self.C * total)
        return self.l1_ratio * strength, (1 - self.l1_ratio) * strength * (2 if len(self.classes_) == 2 else 1)

    def _warn(self, result: TrainResult) -> None:
        asked_for = self.progress is not None and result.stop_reason == "interrupted"
        if not result.converged and self.solver not in ("sgd", "adam") and not asked_for:
            advice = in_python(result.advice) or "more max_iter, a larger tol, or StandardScaler may help"
            warn_of_convergence(f"{result.solver} failed to converge after {result.iterations} iterations ({result.stop_reason}): {advice}")
