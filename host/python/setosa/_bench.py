"""How fast the devices are: the same work on each, beside what they can do at most."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np

from . import _api
from ._base import validate_labels
from ._data import make_dataset
from ._devices import choose_indices, opened
from ._interrupt import Interruptible
from ._library import as_namespace, call, choice, lib


class BenchResult(SimpleNamespace):
    """A line of the table, as SetosaBenchResult in setosa.h: work, backend, device, what, status, median_ms, gflops, limit_ms, ..."""


class BenchLimits(SimpleNamespace):
    """What a device can do at most, as SetosaBenchLimits in setosa.h: fma_gflops, read_gbytes_per_s, ..."""


@dataclass
class Bench:
    """What was measured."""

    limits: list[BenchLimits] = field(default_factory=list)
    results: list[BenchResult] = field(default_factory=list)


_STATUS = {_api.SETOSA_BENCH_OK: "ok", _api.SETOSA_BENCH_FAILED: "failed", _api.SETOSA_BENCH_SKIPPED: "skipped"}


def bench(
    X: Any = None,
    y: Any = None,
    *,
    works: str | None = None,
    device: Any = None,
    backends: Sequence[str] = (),
    what: Sequence[str] = ("step",),
    seconds: float | None = None,
    repeat: int | None = None,
    doing: Callable[[str], Any] | None = None,
) -> Bench:
    """Times passes over X (n,features) with labels y (n,), or the works of `setosa bench` ("W1,S4"; None: all ten) where X is None.

    device: as of SoftmaxClassifier; None: every usable one. backends: "native", "clblast", "blas", "reference". what: "step", "hessian",
    "epoch", "train", "predict". seconds, repeat: of samples of one line. doing: told what goes on. Every result is compared with the
    reference in double before it is timed. Ctrl-C ends it after the current sample.
    """
    options = lib.setosa_bench_options_default()
    dataset = None
    if X is not None:
        X = X if hasattr(X, "tocsr") else np.asarray(X)
        classes, labels = validate_labels(y)
        dataset = make_dataset(X, labels, len(classes))
        options.dataset, options.name = dataset.pointer, b"X"
    options.works = None if works is None else works.encode()
    if seconds is not None:
        options.seconds = seconds
    if repeat is not None:
        options.repeat = repeat
    indices = choose_indices(device)
    numbers = (ctypes.c_size_t * max(1, len(indices)))(*indices)
    kinds = (ctypes.c_int * max(1, len(backends)))(*(choice("backends", one, "SETOSA_BACKEND_") for one in backends))
    whats = (ctypes.c_int * max(1, len(what)))(*(choice("what", one, "SETOSA_BENCH_") for one in what))
    options.devices = opened().list.pointer
    options.device_indices, options.device_count = numbers, len(indices)
    options.backends, options.backend_count = kinds, len(backends)
    options.whats, options.what_count = whats, len(what)
    found = Bench()
    with opened().lock, Interruptible() as interrupt:

        def keep(kind: Any, to: list[Any]) -> Any:
            def take(report: Any, _user: Any) -> None:
                one = as_namespace(kind, report.contents)
                if kind is BenchResult:
                    one.status = _STATUS[one.status]
                    one.what = lib.setosa_bench_what_name(one.what).decode()
                to.append(one)

            return take

        def tell(text: bytes, _user: Any) -> None:
            try:
                if doing is not None:
                    doing(text.decode("utf-8", "replace"))
            except BaseException as problem:  # none may pass through C
                interrupt.keep(problem)

        kind_of = {name: kind for name, kind in options._fields_}
        options.limits = kind_of["limits"](keep(BenchLimits, found.limits))
        options.result = kind_of["result"](keep(BenchResult, found.results))
        options.doing = kind_of["doing"](tell)
        options.stop = kind_of["stop"](lambda _user: interrupt.stop)
        try:
            call(lib.setosa_bench, ctypes.byref(options))
        except KeyboardInterrupt:
            if not interrupt.stop:
                raise
    return found
