"""What the classifiers have in common: rows and labels in, predictions out."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._base import (
    BaseEstimator,
    ClassifierMixin,
    NotFittedError,
    remember_columns,
    validate_labels,
    validate_rows,
    validate_weights,
    warn_of_rounding,
)
from ._data import Dataset, is_sparse, make_dataset
from ._frames import Encoder
from ._model import Model

_BLOCK_NUMBERS = 1 << 20  # of X that predictions hold in double at a time


class LinearSoftmax(ClassifierMixin, BaseEstimator):
    """What classifiers of this package have in common: rows and labels in, predictions out."""

    classes_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray
    model_: Model
    _encoder: Encoder | None

    def _check_fitted(self) -> None:
        if not hasattr(self, "coef_"):
            name = type(self).__name__
            raise NotFittedError(f"This {name} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator.")

    # ---- rows and labels -----------------------------------------------------------------------------------------

    def _rows_to_fit(self, X: Any) -> Any:
        """X as numbers, with what is remembered of its columns."""
        if Encoder.needed(X):
            remember_columns(self, X, reset=True)
            self._encoder = Encoder(X)
            return self._encoder.encode(X)
        self._encoder = None
        return validate_rows(self, X, reset=True)

    def _rows_to_predict(self, X: Any) -> Any:
        self._check_fitted()
        if self._encoder is not None:
            remember_columns(self, X, reset=False)
            return self._encoder.encode(X)
        return validate_rows(self, X, reset=False)

    def _labels_to_fit(self, y: Any, rows: int) -> np.ndarray:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        self.classes_, labels = validate_labels(y)
        if len(labels) != rows:
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[rows, len(labels)]}")
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(f"{type(self).__name__} needs samples of at least 2 classes in the data, but the data contains only one class: {only!r}")
        return labels

    def _weights_to_fit(self, labels: np.ndarray, sample_weight: Any, class_weight: Any) -> tuple[np.ndarray | None, float]:
        """(weights of the rows (rows,) or None, their sum), those of the classes multiplied in."""
        weights = validate_weights(sample_weight, len(labels))
        if class_weight is None:
            return weights, float(len(labels) if weights is None else weights.sum())
        count = len(self.classes_)
        if isinstance(class_weight, str):
            if class_weight != "balanced":
                raise ValueError(f"class_weight={class_weight!r} is neither 'balanced' nor a dict of weights by class")
            total = np.bincount(labels, weights=weights, minlength=count)
            factors = total.sum() / (count * np.where(total > 0, total, np.inf))
        else:
            known = {label: k for k, label in enumerate(self.classes_.tolist())}
            factors = np.ones(count)
            for label, value in dict(class_weight).items():
                if label not in known:
                    raise ValueError(f"class_weight names the class {label!r}, and y has only {list(known)}")
                factors[known[label]] = value
            if not (np.isfinite(factors).all() and (factors >= 0).all()):
                raise ValueError("class_weight has values that are negative or not finite")
        weights = factors[labels] if weights is None else weights * factors[labels]
        return weights, float(weights.sum())

    def _dataset(self, X: Any, labels: np.ndarray, weights: np.ndarray | None, intercept: bool) -> Dataset:
        dataset = make_dataset(X, labels, len(self.classes_))
        if not intercept:
            warn_of_rounding(dataset.shifted())
        dataset.set_weights(weights)
        dataset.set_names(self._feature_names(), [str(label) for label in self.classes_])
        return dataset

    def _feature_names(self) -> Any:
        return self._encoder.names if self._encoder is not None else getattr(self, "feature_names_in_", None)

    def _take(self, model: Model, X: Any, l1: float) -> None:
        """The model's numbers, in the type of X where that is of single precision."""
        weights, bias = model.weights.astype(np.float64), model.bias
        if len(weights) == 2:
            weights, bias = weights[1:] - weights[:1], bias[1:] - bias[:1]
        else:
            # What all classes have in common softmax does not see. Without an L1 penalty it is 0 at the optimum, but for the rounding of
            # weights to f32. That is as large as the weight, so it is taken off each by its square: the least change in such units.
            if l1 == 0:
                squares = weights**2
                change = weights.sum(axis=0) * squares / np.maximum(squares.sum(axis=0), np.finfo(float).tiny)
                weights = weights - change
                bias = bias if model.shift is None else bias + change @ model.shift
            bias = bias - bias.mean()
        kind = np.float32 if X.dtype == np.float32 else np.float64
        self.model_, self.coef_, self.intercept_ = model, weights.astype(kind), bias.astype(kind)

    # ---- predictions ---------------------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits of X (rows,features): (rows,classes), or of two classes (rows,), those of the second less those of the first."""
        X = self._rows_to_predict(X)
        rows, turned = X.shape[0], self.coef_.T.astype(np.float64)
        out = np.empty((rows, turned.shape[1]))
        step = rows if is_sparse(X) else max(1, _BLOCK_NUMBERS // X.shape[1])
        for begin in range(0, rows, step):
            product = X[begin : begin + step] @ turned
            out[begin : begin + step] = product.toarray() if is_sparse(product) else product
        out += self.intercept_
        return out.ravel() if out.shape[1] == 1 else out

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (rows,classes) of X (rows,features), in the order of `classes_`."""
        logits = self.decision_function(X)
        if logits.ndim == 1:
            logits = np.stack([np.zeros_like(logits), logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms (rows,classes) of the probabilities, also where these are too small for a number."""
        logits = self.decision_function(X)
        if logits.ndim == 1:
            logits = np.stack([np.zeros_like(logits), logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return logits

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class (rows,) of each row of X (rows,features)."""
        logits = self.decision_function(X)
        return self.classes_[(logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)]

    # ---- around --------------------------------------------------------------------------------------------------

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns of `coef_`: those of X, with COLUMN=LEVEL for columns of names; x0, x1, ... where X had none."""
        names = self._feature_names()
        if names is None:
            names = [f"x{d}" for d in range(self.n_features_in_)] if input_features is None else input_features
        return np.asarray(names, dtype=object)

    def sparsify(self) -> Any:
        """Keeps `coef_` as a matrix of scipy.sparse, for models of an L1 penalty with many zeros. Needs SciPy."""
        from scipy.sparse import csr_matrix

        self._check_fitted()
        self.coef_ = csr_matrix(self.coef_)
        return self

    def densify(self) -> Any:
        """Keeps `coef_` as an array again."""
        self._check_fitted()
        self.coef_ = self.coef_.toarray() if is_sparse(self.coef_) else self.coef_  # type: ignore[attr-defined]
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the fitted model for `setosa eval`, `setosa predict` and :meth:`Model.load`."""
        self._check_fitted()
        self.model_.save(path)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes the fitted model for others, as :meth:`Model.export` does."""
        self._check_fitted()
        self.model_.export(path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
