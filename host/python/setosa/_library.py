"""libsetosa: where it is, its functions, and its errors as exceptions."""

from __future__ import annotations

import ctypes
import os
import re
import weakref
from types import SimpleNamespace
from typing import Any

try:
    from . import _api
except ImportError:
    raise ImportError("this is the package's source, without its library; `pip install host/python`, and work in another folder") from None


class Error(Exception):
    """What the library refused or could not do. `status` is the exit code that the program has for it."""

    status = 1


class InternalError(Error, RuntimeError):
    """A defect, or memory ran out."""


class UsageError(Error, ValueError):
    """An argument that makes no sense."""

    status = 2


class DataError(Error, ValueError):
    """Bad data, or a bad model file."""

    status = 3


class DeviceError(Error, RuntimeError):
    """There is no usable device, or it failed."""

    status = 4


class WriteError(Error, OSError):
    """A file could not be written."""

    status = 6


_ERRORS: dict[int, type[Error]] = {kind.status: kind for kind in (InternalError, UsageError, DataError, DeviceError, WriteError)}


def _load() -> ctypes.CDLL:
    """The library beside this file, or the one that $SETOSA_LIBRARY names."""
    path = os.environ.get("SETOSA_LIBRARY") or os.path.join(os.path.dirname(__file__), "libsetosa.so")
    try:
        library = ctypes.CDLL(path)  # releases the GIL while a function of it runs
    except OSError as problem:
        raise ImportError(f"libsetosa could not be loaded: {problem}; `pip install` the package again, or set SETOSA_LIBRARY to its file") from None
    try:
        library.setosa_version.restype = ctypes.c_char_p
        version = library.setosa_version().decode()
    except AttributeError:
        version = "an older version"
    if version != _api.VERSION:
        raise ImportError(f"{path} is {version}, and this package is for {_api.VERSION}; install both from the same source")
    for name, (result, arguments) in _api.FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


lib = _load()
__version__: str = _api.VERSION


_IN_PYTHON = {
    "max-iterations": "max_iter",
    "tolerance": "tol",
    "standardize": "StandardScaler",
    "no-intercept": "fit_intercept=False",
    "folds": "cv",
    "l2-path": "lambda_min to lambda_max",
}


def in_python(message: str) -> str:
    """What the library says of the program's options, said of the parameters of this package."""
    return re.sub(r"--([a-z][a-z0-9-]*)", lambda match: _IN_PYTHON.get(match.group(1), match.group(1).replace("-", "_")), message)


def call(function: Any, *arguments: Any) -> None:
    """A function that fills an error, which is its last argument: raises what it says."""
    error = _api.SetosaError()
    status = function(*arguments, ctypes.byref(error))
    if status == _api.SETOSA_INTERRUPTED:
        raise KeyboardInterrupt
    if status != _api.SETOSA_OK:
        raise _ERRORS.get(status, InternalError)(in_python(error.message.decode("utf-8", "replace")))


class Handle:
    """An object of the library, destroyed with this one. Not for several threads at a time."""

    def __init__(self, pointer: ctypes.c_void_p, destroy: Any) -> None:
        self.pointer = pointer
        weakref.finalize(self, destroy, pointer)


def texts(strings: Any) -> Any:
    """A list of str as an array of char *; None stays None."""
    if strings is None:
        return None
    encoded = [str(one).encode() for one in strings]
    return (ctypes.c_char_p * len(encoded))(*encoded)


def choice(name: str, value: str, prefix: str) -> int:
    """The number of a choice by its name, as of `solver` "lbfgs": SETOSA_SOLVER_LBFGS."""
    number = getattr(_api, f"{prefix}{str(value).upper()}", None)
    if number is None:
        known = [key[len(prefix) :].lower() for key in vars(_api) if key.startswith(prefix)]
        raise UsageError(f"{name}={value!r} is none of {', '.join(known)}")
    return number


def as_namespace(kind: type[SimpleNamespace], struct: ctypes.Structure) -> Any:
    """The numbers and texts of a struct."""
    values: dict[str, Any] = {}
    for name, _ in struct._fields_:  # type: ignore[misc]
        value = getattr(struct, name)
        if isinstance(value, bytes):
            values[name] = value.decode("utf-8", "replace")
        elif isinstance(value, (bool, int, float)):
            values[name] = value
    return kind(**values)
