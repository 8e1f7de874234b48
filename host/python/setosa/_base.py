"""scikit-learn's ways where it is installed, of any version from 1.2 on, and what is needed of them where it is not."""

from __future__ import annotations

import inspect
import numbers
import warnings
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import ConvergenceWarning, NotFittedError
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, column_or_1d

    HAVE_SKLEARN = True
except ImportError:
    HAVE_SKLEARN = False

    class ConvergenceWarning(UserWarning):  # type: ignore[no-redef]
        """A training ended before it was told to be good enough."""

    class NotFittedError(ValueError, AttributeError):  # type: ignore[no-redef]
        """Predictions were asked for before fit."""

    class BaseEstimator:  # type: ignore[no-redef]
        """get_params and set_params by the arguments of __init__."""

        @classmethod
        def _names(cls) -> list[str]:
            return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {name: getattr(self, name) for name in self._names()}

        def set_params(self, **params: Any) -> Any:
            for name, value in params.items():
                if name not in self._names():
                    raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {self._names()!r}.")
                setattr(self, name, value)
            return self

        def __repr__(self) -> str:
            defaults = inspect.signature(type(self).__init__).parameters
            given = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not defaults[name].default]
            return f"{type(self).__name__}({', '.join(given)})"

    class ClassifierMixin:  # type: ignore[no-redef]
        """The accuracy."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))  # type: ignore[attr-defined]


__all__ = ["BaseEstimator", "ClassifierMixin", "ConvergenceWarning", "NotFittedError"]


def validate_rows(estimator: Any, X: Any, *, reset: bool) -> Any:
    """X as an array (rows,features) or CSR, finite, with n_features_in_ and feature_names_in_ set or compared."""
    if HAVE_SKLEARN:
        try:
            from sklearn.utils.validation import validate_data
        except ImportError:  # before 1.6
            return estimator._validate_data(X, reset=reset, accept_sparse="csr", dtype="numeric")
        return validate_data(estimator, X, reset=reset, accept_sparse="csr", dtype="numeric")
    remember_columns(estimator, X, reset=reset)
    X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got {X.ndim}D array instead. Reshape your data using array.reshape(-1, 1).")
    if X.dtype.kind == "O":
        X = X.astype(np.float64)
    if min(X.shape) < 1:
        raise ValueError(f"Found array with shape {X.shape} while a minimum of 1 row and 1 feature is required.")
    values = X.data if hasattr(X, "tocsr") else X
    if values.dtype.kind == "f" and not np.isfinite(values.sum(dtype=np.float64)) and not np.isfinite(values).all():
        raise ValueError("Input X contains NaN or infinity.")
    return X


def remember_columns(estimator: Any, X: Any, *, reset: bool) -> None:
    """Sets n_features_in_ and feature_names_in_ by X (rows,columns), or compares it with them."""
    if HAVE_SKLEARN:
        try:
            from sklearn.utils.validation import _check_feature_names, _check_n_features

            _check_feature_names(estimator, X, reset=reset)
            _check_n_features(estimator, X, reset=reset)
        except ImportError:  # before 1.6
            estimator._check_feature_names(X, reset=reset)
            estimator._check_n_features(X, reset=reset)
        return
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    count = np.shape(X)[1] if np.ndim(X) == 2 or hasattr(X, "tocsr") else 0
    if reset:
        estimator.n_features_in_ = count
        vars(estimator).pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = np.asarray(names, dtype=object)
        return
    known = getattr(estimator, "feature_names_in_", None)
    if count != estimator.n_features_in_:
        raise ValueError(f"X has {count} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features as input.")
    if known is not None and names is not None and list(known) != names:
        raise ValueError("The feature names should match those that were passed during fit.")


def validate_labels(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """(classes (K,), sorted, and the class of each row (rows,) int32) of y (rows,) of numbers, texts or truth values."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if HAVE_SKLEARN:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
    else:
        y = np.asarray(y)
        y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim != 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    classes, codes = np.unique(y, return_inverse=True)
    return classes, codes.ravel().astype(np.int32)


def validate_weights(sample_weight: Any, rows: int) -> np.ndarray | None:
    """Weights (rows,) f64, 0 or more; None: every row counts 1."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Real):
        weights = np.full(rows, float(sample_weight))
    elif HAVE_SKLEARN:
        weights = _check_sample_weight(sample_weight, np.empty((rows, 1)), dtype=np.float64)
    else:
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.shape != (rows,):
            raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(rows,)}!")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample_weight has values that are negative or not finite")
    if not weights.any():
        raise ValueError("sample_weight is zero for every row")
    return weights


def seed_of(random_state: Any) -> int:
    """A number for the library: None is 1, so that a training without random_state gives the same model again, as the program does."""
    if random_state is None:
        return 1
    if isinstance(random_state, (int, np.integer)):
        if random_state < 0:
            raise ValueError(f"random_state={random_state} is negative")
        return int(random_state)
    if HAVE_SKLEARN:
        random_state = check_random_state(random_state)
    return int(random_state.randint(2**31 - 1))


def warn_of_convergence(text: str) -> None:
    warnings.warn(text, ConvergenceWarning, stacklevel=4)


def warn_of_rounding(features: list[int]) -> None:
    """Of features (from 0) whose digits only an intercept could keep."""
    if features:
        shown = ", ".join(str(d + 1) for d in features[:3]) + (f", ... ({len(features)} in all)" if len(features) > 3 else "")
        warnings.warn(
            f"features {shown} are far from 0 beside their spread, and with fit_intercept=False they are rounded to single precision as they "
            "are, which loses digits; take a number off them, or fit an intercept",
            stacklevel=4,
        )


def folds_of(cv: Any, X: Any, y: Any, rows: int) -> np.ndarray:
    """The fold (rows,) int32 of each row by a splitter of scikit-learn, or an iterable of (train, test)."""
    parts = cv.split(X, y) if hasattr(cv, "split") else cv
    fold = np.full(rows, -1, dtype=np.int32)
    for number, (_, test) in enumerate(parts):
        test = np.asarray(test)
        if (fold[test] >= 0).any():
            raise ValueError(f"row {int(test[fold[test] >= 0][0])} is in the test rows of two folds; each row must be in those of exactly one")
        fold[test] = number
    if (fold < 0).any():
        raise ValueError(f"row {int(np.flatnonzero(fold < 0)[0])} is in no fold's test rows; each row must be in those of exactly one")
    return fold
