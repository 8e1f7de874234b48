"""Softmax regression (multinomial logistic regression) on any OpenCL device.

Estimators with scikit-learn's contract: :class:`SoftmaxClassifier`, :class:`SoftmaxClassifierCV`. The model and its file: :class:`Model`.
What there is to compute on: :func:`devices`; how fast it is: :func:`bench`.

The package is numpy and ctypes over libsetosa, the library behind the program `setosa`. pandas, polars, scipy.sparse and scikit-learn are
used when they are there. Importing it opens no device and needs no OpenCL driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._library import DataError, DeviceError, Error, InternalError, UsageError, WriteError, __version__

if TYPE_CHECKING:
    from ._bench import bench
    from ._classifier import SoftmaxClassifier
    from ._cross_validation import SoftmaxClassifierCV
    from ._devices import Device, devices
    from ._model import Model
    from ._train import Progress, TrainResult

# Where the rest is. It is imported when it is first asked for: scikit-learn alone takes a second.
_PLACES = {
    "SoftmaxClassifier": "_classifier",
    "SoftmaxClassifierCV": "_cross_validation",
    "Model": "_model",
    "Device": "_devices",
    "devices": "_devices",
    "bench": "_bench",
    "Progress": "_train",
    "TrainResult": "_train",
}

__all__ = [
    "DataError",
    "Device",
    "DeviceError",
    "Error",
    "InternalError",
    "Model",
    "Progress",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "TrainResult",
    "UsageError",
    "WriteError",
    "__version__",
    "bench",
    "devices",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'setosa' has no attribute {name!r}")
    value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
