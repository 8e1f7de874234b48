"""The classifier that finds its penalty by cross-validation along a path."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Any, Callable, Literal, NamedTuple, Optional

import numpy as np

from . import _api
from ._base import folds_of, seed_of
from ._devices import Selector
from ._interrupt import Interruptible
from ._library import as_namespace, call, choice, lib
from ._linear import LinearSoftmax
from ._model import Model
from ._train import computing, fill, is_small


class CvProgress(NamedTuple):
    """What a progress callback gets after each iteration of a model. Returning False ends all with KeyboardInterrupt."""

    fit: int
    fits: int
    fold: int
    folds: int
    # `lambda` is a word of Python.
    penalty: float
    iteration: int
    objective: float
    gradient_norm: float
    fitted: bool
    loss: float
    accuracy: float
    seconds: float


class CvResult(SimpleNamespace):
    """What a cross-validation said at its end, as SetosaCvResult in setosa.h; `points` are (count,) of SetosaCvPoint."""


class SoftmaxClassifierCV(LinearSoftmax):
    """Softmax regression whose penalty is chosen by cross-validation, as `setosa cv` does it.

    Along a path of lambdas from the largest to the least, models of all rows and of all but one fold are trained, each beginning where the
    one before ended; X is brought to the device once. The log-loss of rows that a model has not seen decides.

    Parameters
    ----------
    n_lambdas : int or None, default=None
        Penalties on the path, evenly spaced by their logarithms; None: the library's default.
    lambda_min, lambda_max : float or None, default=None
        Ends of the path; None: 1e-6 to 1, and with an L1 penalty from where all weights are 0 to 1e-4 of that, as glmnet has it.
    l1_ratio : float, default=0.0
        l1 = l1_ratio lambda, l2 = (1 - l1_ratio) lambda.
    cv : int, splitter, iterable of (train, test) or None, default=None
        Folds. An int, or None for the library's default: chosen so that each has its share of every class. Of a splitter each row must be
        in the test rows of exactly one fold.
    choice : {"min", "1se"}, default="min"
        The lambda of the least mean log-loss, or the largest within one standard error of it.
    solver, preconditioner, tol, gap, max_iter, fit_intercept, class_weight, random_state, device, backend, storage, reproducible,
    device_memory, progress, verbose : as of SoftmaxClassifier; a solver that converges. `progress` gets a CvProgress.

    Attributes
    ----------
    classes_, coef_, intercept_, n_features_in_, feature_names_in_, model_ : as of SoftmaxClassifier, of all rows with the chosen lambda.
    n_iter_ : (1,) int, of all models.
    lambda_, l1_, l2_ : float, as chosen.
    lambda_min_, lambda_1se_ : float, what either choice gives.
    lambdas_ : (count,) from the largest to the least.
    log_loss_, standard_error_, accuracy_ : (count,), of rows not seen.
    fold_log_loss_, fold_accuracy_ : (folds,count).
    fold_ : (n,) int, the fold of each row.
    result_ : CvResult
    """

    def __init__(
        self,
        *,
        n_lambdas: int | None = None,
        lambda_min: float | None = None,
        lambda_max: float | None = None,
        l1_ratio: float = 0.0,
        cv: Any = None,
        choice: Literal["min", "1se"] = "min",
        solver: str = "auto",
        preconditioner: str = "auto",
        tol: float | None = None,
        gap: float | None = None,
        max_iter: int = 1000,
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        random_state: Any = None,
        device: Selector = None,
        backend: str = "auto",
        storage: str = "auto",
        reproducible: bool = False,
        device_memory: int | None = None,
        progress: Callable[[CvProgress], Optional[bool]] | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_lambdas = n_lambdas
        self.lambda_min = lambda_min
        self.lambda_max = lambda_max
        self.l1_ratio = l1_ratio
        self.cv = cv
        self.choice = choice
        self.solver = solver
        self.preconditioner = preconditioner
        self.tol = tol
        self.gap = gap
        self.max_iter = max_iter
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.random_state = random_state
        self.device = device
        self.backend = backend
        self.storage = storage
        self.reproducible = reproducible
        self.device_memory = device_memory
        self.progress = progress
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SoftmaxClassifierCV:
        """Chooses lambda on X (n,features), labels y (n,) and weights of the rows (n,) or None, and trains on all of them."""
        X = self._rows_to_fit(X)
        labels = self._labels_to_fit(y, X.shape[0])
        weights, _ = self._weights_to_fit(labels, sample_weight, self.class_weight)
        options = lib.setosa_cv_options_default()
        small = is_small(X.shape[0], X.shape[1], len(self.classes_))
        fill(options.train, self._settings())
        options.choice = choice("choice", self.choice, "SETOSA_CV_")
        ends = {"path_count": self.n_lambdas, "path_least": self.lambda_min, "path_most": self.lambda_max, "l1_ratio": self.l1_ratio}
        fill(options, ends)
        fold = self._fill_folds(options, X, y, len(labels))
        compute: dict[str, Any] = {"storage": self.storage, "reproducible": bool(self.reproducible), "device_memory": self.device_memory}
        dataset = self._dataset(X, labels, weights, bool(self.fit_intercept))
        model = ctypes.c_void_p()
        result: Any = ctypes.POINTER(_api.SetosaCvResult)()
        try:
            with computing(options.train.compute, small=small, backend=self.backend, device=self.device, **compute), Interruptible() as interrupt:
                callback = _api.SetosaCvCallback(self._watch(interrupt))
                options.progress = callback
                call(lib.setosa_cv, ctypes.byref(model), ctypes.byref(result), dataset.pointer, ctypes.byref(options))
            if not result.contents.complete:
                raise KeyboardInterrupt
            self._take(Model(model), X, self.l1_ratio)
            self._take_result(result.contents)
        finally:
            lib.setosa_cv_result_destroy(result)
        del fold
        return self

    def _settings(self) -> dict[str, Any]:
        settings = {
            "solver": self.solver,
            "tolerance": self.tol,
            "gap": self.gap,
            "intercept": bool(self.fit_intercept),
            "seed": seed_of(self.random_state),
            "max_iterations": self.max_iter,
        }
        if self.solver in ("auto", "lbfgs"):
            settings["preconditioner"] = self.preconditioner
        return settings

    def _fill_folds(self, options: Any, X: Any, y: Any, rows: int) -> Any:
        """What the options borrow: the fold of each row, or None."""
        if self.cv is None or isinstance(self.cv, (int, np.integer)):
            fill(options, {"folds": None if self.cv is None else int(self.cv)})
            return None
        fold = folds_of(self.cv, X, y, rows)
        options.folds = int(fold.max()) + 1
        options.fold = fold.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        return fold

    def _watch(self, interrupt: Interruptible) -> Any:
        names = [name for name, *_ in _api.SetosaCvProgress._fields_]

        def goes_on(report: Any, _user: Any) -> bool:
            try:
                told = CvProgress(*(getattr(report.contents, name) for name in names))
                if self.verbose > 1 and told.fitted:
                    print(f"{told.fit:5d} of {told.fits}  lambda {told.penalty:.4g}  log-loss {told.loss:.6g}", file=sys.stderr)
                if self.progress is not None and self.progress(told) is False:
                    return False
            except BaseException as problem:  # none may pass through C
                interrupt.keep(problem)
            return not interrupt.stop

        return goes_on

    def _take_result(self, result: Any) -> None:
        count, folds, rows = result.count, result.folds, result.rows
        points = [as_namespace(SimpleNamespace, result.points[i]) for i in range(count)]
        penalties = [getattr(point, "lambda") for point in points]
        table = np.ctypeslib.as_array
        self.lambdas_ = np.array(penalties)
        self.log_loss_ = np.array([point.loss for point in points])
        self.standard_error_ = np.array([point.standard_error for point in points])
        self.accuracy_ = np.array([point.accuracy for point in points])
        self.fold_log_loss_ = table(result.fold_loss, (folds, count)).copy()
        self.fold_accuracy_ = table(result.fold_accuracy, (folds, count)).copy()
        self.fold_ = table(result.fold, (rows,)).copy()
        self.lambda_min_, self.lambda_1se_ = penalties[result.best], penalties[result.within_error]
        chosen = points[result.chosen]
        self.lambda_, self.l1_, self.l2_ = penalties[result.chosen], chosen.l1, chosen.l2
        self.n_iter_ = np.array([result.iterations], dtype=np.int64)
        self.result_ = as_namespace(CvResult, result)
        self.result_.points = points
        if self.verbose:
            print(f"lambda {self.lambda_:.6g}: log-loss {chosen.loss:.6g}, accuracy {chosen.accuracy:.4f}", file=sys.stderr)
