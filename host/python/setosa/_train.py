"""One training by the library: its options, its progress, what it says at the end."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Callable, NamedTuple, Optional

from . import _api
from ._data import Dataset
from ._devices import Selector, any_usable, choose, opened
from ._interrupt import Interruptible
from ._library import UsageError, as_namespace, call, choice, lib
from ._model import Model

# Multiplications of a pass over X, and of the Hessian of a step of Newton's method, up to which "auto" computes on the host in double: there
# they take less time than a device needs to be told of them (README.md, "Measured").
SMALL_PASS, SMALL_HESSIAN = 1 << 17, 1 << 21
# Of the gradient: what arithmetic in double reaches with one more step of Newton's method than f32 can use.
TOLERANCE_IN_DOUBLE = 1e-9


class Progress(NamedTuple):
    """What a progress callback gets once per iteration, or epoch of a mini-batch solver. Returning False ends the training."""

    iteration: int
    max_iterations: int
    objective: float
    loss: float
    gradient_norm: float
    step: float
    validation_loss: float
    seconds: float
    rows_per_second: float
    passes: float


ProgressFunction = Callable[[Progress], Optional[bool]]


class TrainResult(SimpleNamespace):
    """What a training said at its end, field by field as SetosaTrainResult in setosa.h: objective, loss, gradient_norm, iterations, solver,
    preconditioner, gap, gap_kind, converged, stop_reason, advice, backend, device_bytes, seconds_train, weights_hash and more."""


def is_small(rows: int, features: int, classes: int, *, training: bool = True) -> bool:
    """Whether work on rows (rows,features) is too little for a device."""
    work = rows * features * classes
    return work <= SMALL_PASS and (not training or work * features * classes <= SMALL_HESSIAN)


@contextlib.contextmanager
def computing(
    options: _api.SetosaComputeOptions,
    *,
    small: bool,
    backend: str = "auto",
    device: Selector = None,
    storage: str = "auto",
    tuning: str = "quick",
    reproducible: bool = False,
    device_memory: int | None = None,
) -> Iterator[None]:
    """Fills options of computing. Within it the devices are this thread's alone. small: the work, see is_small."""
    backend = resolve(small, backend, device)
    options.backend = choice("backend", backend, "SETOSA_BACKEND_")
    options.storage = choice("storage", storage, "SETOSA_STORAGE_")
    options.tuning = choice("tuning", tuning, "SETOSA_TUNING_")
    options.reproducible = reproducible
    options.device_memory_bytes = device_memory or 0
    if backend in ("blas", "reference"):
        if device is not None:
            raise UsageError(f"backend={backend!r} computes on the host, and device={device!r} is given; leave one of the two out")
        yield
        return
    handles = choose(device)
    array = (ctypes.c_void_p * len(handles))(*(one.pointer for one in handles))
    options.device = array[0]
    if len(handles) > 1:
        options.devices = ctypes.cast(array, type(options.devices))
        options.device_count = len(handles)
    with opened().lock:
        yield


def resolve(small: bool, backend: str, device: Selector) -> str:
    """The backend that "auto" means."""
    if backend != "auto":
        return backend
    if device is not None:
        return "native"
    if small:
        return "reference"
    return "native" if any_usable() else "blas"


def train(
    dataset: Dataset,
    settings: dict[str, Any],
    compute: dict[str, Any],
    *,
    initial: Model | None = None,
    validation: Dataset | None = None,
    progress: ProgressFunction | None = None,
    verbose: int = 0,
) -> tuple[Model, TrainResult]:
    """settings: fields of SetosaTrainOptions by name, choices as texts. compute: arguments of `computing` but work."""
    options = lib.setosa_train_options_default()
    small = is_small(dataset.rows, dataset.features, dataset.classes)
    backend = resolve(small, compute["backend"], compute["device"])
    if backend == "reference":
        options.tolerance = TOLERANCE_IN_DOUBLE
    fill(options, settings)
    if initial is not None:
        options.initial = initial.pointer
    if validation is not None:
        options.validation = validation.pointer
    model, result = ctypes.c_void_p(), _api.SetosaTrainResult()
    with computing(options.compute, small=small, **{**compute, "backend": backend}), Interruptible() as interrupt:

        def goes_on(report: Any, _user: Any) -> bool:
            try:
                told = Progress(*(getattr(report.contents, name) for name in Progress._fields))
                if verbose > 1:
                    print(f"{told.iteration:6d}  objective {told.objective:.9g}  gradient {told.gradient_norm:.3g}", file=sys.stderr)
                if progress is not None and progress(told) is False:
                    return False
            except BaseException as problem:  # none may pass through C
                interrupt.keep(problem)
            return not interrupt.stop

        callbacks = (_api.SetosaProgressCallback(goes_on), type(options.stop)(lambda _user: interrupt.stop))
        if progress is not None or verbose > 1:
            options.progress = callbacks[0]
        options.stop = callbacks[1]
        call(lib.setosa_train, ctypes.byref(model), ctypes.byref(result), dataset.pointer, ctypes.byref(options))
    said = as_namespace(TrainResult, result)
    if verbose:
        print(
            f"{said.backend}, {said.solver}: objective {said.objective:.9g} after {said.iterations} iterations ({said.stop_reason})", file=sys.stderr
        )
    return Model(model), said


_PREFIXES = {"solver": "SETOSA_SOLVER_", "preconditioner": "SETOSA_PRECONDITIONER_", "schedule": "SETOSA_SCHEDULE_"}


def fill(options: Any, settings: dict[str, Any]) -> None:
    """Fields by name; what is None stays as the library has it."""
    for name, value in settings.items():
        if value is None:
            continue
        if name in _PREFIXES:
            value = choice(name, value, _PREFIXES[name])
        try:
            setattr(options, name, value)
        except TypeError:
            raise UsageError(f"{name}={value!r} is no number that can be used here") from None
