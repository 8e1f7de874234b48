"""Models: their numbers, their file, their predictions."""

from __future__ import annotations

import ctypes
import os
import tempfile
from typing import Any

import numpy as np

from . import _api
from ._data import make_dataset
from ._interrupt import Interruptible
from ._library import Handle, UsageError, call, lib


class Model(Handle):
    """A softmax model: of the library's files (`Model.load`), of arrays (`Model.of`), or what a classifier has fitted (`model_`).

    Rows x have the classes' probabilities softmax((weights @ ((x - offset) * scale) + bias) / temperature).
    """

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        super().__init__(pointer, lib.setosa_model_destroy)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Reads a .safetensors file, as `setosa train --model` and `save` write it."""
        pointer = ctypes.c_void_p()
        call(lib.setosa_model_load, ctypes.byref(pointer), os.fsencode(path))
        return cls(pointer)

    @classmethod
    def of(cls, weights: Any, bias: Any = None) -> Model:
        """A model of weights (classes,features) and bias (classes,) or None."""
        w = np.require(weights, dtype=np.float32, requirements="C")
        if w.ndim != 2:
            raise UsageError(f"weights have {w.ndim} dimensions, and (classes, features) are needed")
        b = None if bias is None else np.require(bias, dtype=np.float32, requirements="C")
        if b is not None and b.shape != w.shape[:1]:
            raise UsageError(f"bias has the shape {b.shape}, and weights have {len(w)} classes")
        pointer = ctypes.c_void_p()
        call(lib.setosa_model_create, ctypes.byref(pointer), w.shape[1], w.shape[0], w.ctypes.data, None if b is None else b.ctypes.data)
        return cls(pointer)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a .safetensors file beside its target and renames it; `setosa eval`, `predict` and `inspect` read it."""
        call(lib.setosa_model_save, self.pointer, os.fsencode(path))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes the model for others; the end of the name says how: .json or .csv, and what else `setosa export` knows."""
        call(lib.setosa_model_export, self.pointer, os.fsencode(path), None, None)

    @classmethod
    def import_file(cls, path: str | os.PathLike[str]) -> Model:
        """A model from coefficients of scikit-learn: an .npz or JSON object with coef_, intercept_, classes_ and perhaps feature_names_in_."""
        pointer = ctypes.c_void_p()
        call(lib.setosa_model_import, ctypes.byref(pointer), os.fsencode(path))
        return cls(pointer)

    # ---- numbers -------------------------------------------------------------------------------------------------

    @property
    def n_features(self) -> int:
        return lib.setosa_model_features(self.pointer)

    @property
    def n_classes(self) -> int:
        return lib.setosa_model_classes(self.pointer)

    @property
    def weights(self) -> np.ndarray:
        """(classes,features) f32, a copy."""
        return _array(lib.setosa_model_weights(self.pointer), (self.n_classes, self.n_features))

    @property
    def bias(self) -> np.ndarray:
        """(classes,) f64, a copy."""
        return _array(lib.setosa_model_bias(self.pointer), (self.n_classes,))

    @property
    def offset(self) -> np.ndarray | None:
        """(features,) f64, what scaling takes off; None: nothing."""
        return _array(lib.setosa_model_offset(self.pointer), (self.n_features,))

    @property
    def scale(self) -> np.ndarray | None:
        """(features,) f64, what scaling multiplies with; None: nothing."""
        return _array(lib.setosa_model_scale(self.pointer), (self.n_features,))

    @property
    def shift(self) -> np.ndarray | None:
        """(features,) f64, what is best taken off x before it is rounded to f32; `bias` is of x all the same. None: nothing."""
        return _array(lib.setosa_model_data_options(self.pointer).expect_shift, (self.n_features,))

    @property
    def temperature(self) -> float:
        """Logits are divided by it before the softmax: 1 unless the model was calibrated. It can be set."""
        return lib.setosa_model_temperature(self.pointer)

    @temperature.setter
    def temperature(self, value: float) -> None:
        call(lib.setosa_model_set_temperature, self.pointer, value)

    @property
    def classes(self) -> list[str]:
        """(classes,) names."""
        return [lib.setosa_model_class_name(self.pointer, k).decode() for k in range(self.n_classes)]

    @property
    def feature_names(self) -> list[str] | None:
        """(features,) names; None: there are none."""
        names = [lib.setosa_model_feature_name(self.pointer, d) for d in range(self.n_features)]
        return None if None in names else [name.decode() for name in names]

    @property
    def metadata(self) -> dict[str, str]:
        """What made the model, as texts."""
        found: dict[str, str] = {}
        key, value = ctypes.c_char_p(), ctypes.c_char_p()
        while lib.setosa_model_metadata(self.pointer, len(found), ctypes.byref(key), ctypes.byref(value)):
            found[(key.value or b"").decode()] = (value.value or b"").decode("utf-8", "replace")
        return found

    # ---- use -----------------------------------------------------------------------------------------------------

    def predict_proba(self, X: Any, *, device: Any = None, backend: str = "auto") -> np.ndarray:
        """Probabilities (rows,classes) f32 of X (rows,features), computed by the library on a device or the host."""
        from ._train import computing, is_small

        X = X if hasattr(X, "tocsr") else np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise UsageError(f"X has the shape {X.shape}, and the model has {self.n_features} features")
        rows, classes = X.shape[0], self.n_classes
        out = np.empty((rows, classes), dtype=np.float32)
        if rows == 0:
            return out
        dataset = make_dataset(X, None, classes, model=self.pointer)
        call(lib.setosa_model_scale_dataset, self.pointer, dataset.pointer)
        options = lib.setosa_compute_options_default()
        with (
            computing(options, small=is_small(X.shape[0], X.shape[1], classes, training=False), backend=backend, device=device),
            Interruptible() as interrupt,
        ):

            def take(first: int, count: int, values: Any, _user: Any) -> bool:
                ctypes.memmove(out[first:].ctypes.data, values, count * classes * out.itemsize)
                return not interrupt.stop

            callback = _api.SetosaPredictCallback(take)
            try:
                call(lib.setosa_predict, self.pointer, dataset.pointer, ctypes.byref(options), callback, None)
            except KeyboardInterrupt:
                if not interrupt.stop:
                    raise
        return out

    def predict(self, X: Any, *, device: Any = None, backend: str = "auto") -> np.ndarray:
        """Names (rows,) of the likeliest classes of X (rows,features)."""
        return np.asarray(self.classes)[self.predict_proba(X, device=device, backend=backend).argmax(axis=1)]

    # ---- copies --------------------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.safetensors")
            self.save(path)
            with open(path, "rb") as file:
                return _from_bytes, (file.read(),)

    def __repr__(self) -> str:
        return f"Model({self.n_classes} classes, {self.n_features} features)"


def _array(pointer: Any, shape: tuple[int, ...]) -> Any:
    return np.ctypeslib.as_array(pointer, shape).copy() if pointer else None


def _from_bytes(content: bytes) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(content)
        return Model.load(path)
