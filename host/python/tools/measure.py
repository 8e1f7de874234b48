#!/usr/bin/env python3
"""What the package takes beside the library: memory and time, as JSON.

    measure.py memory KIND BACKEND ROWS FEATURES    most memory of a training of such an array (f4, f8, u1, ...), in MB; BACKEND may be a device
    measure.py time                                 milliseconds of a fit beyond setosa_train, least and median of 60

Memory is the most that was resident (getrusage), less what was so before; a small training comes first, so that kernels and drivers are there.
"""

import json
import resource
import sys
import time
import warnings

import numpy as np
import setosa
from setosa import _train

HOST = ("blas", "reference")


def place(backend):
    return {"backend": backend} if backend in HOST else {"device": backend}


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(kind, backend, rows, features):
    rng = np.random.default_rng(0)
    X, y = np.empty((rows, features), dtype=kind), rng.integers(0, 10, rows)
    for i in range(0, rows, 500):
        X[i : i + 500] = rng.integers(0, 256, size=X[i : i + 500].shape)
    settings = {**place(backend), "max_iter": 3}
    setosa.SoftmaxClassifier(**settings).fit(X[: rows // 20], y[: rows // 20])
    before = peak_mb()
    fitted = setosa.SoftmaxClassifier(**settings).fit(X, y)
    after = peak_mb()
    fitted.predict_proba(X)
    return {
        "array_mb": X.nbytes / 2**20,
        "single_mb": X.size * 4 / 2**20,
        "device_mb": fitted.result_.device_bytes / 2**20,
        "fit_mb": after - before,
        "predict_mb": peak_mb() - after,
    }


def beyond(fitted, X, y, times=60):
    """Processor time of this thread in a fit, less that in setosa_train: what others do on the machine counts little."""
    plain, inside, taken = _train.call, [], []

    def timed(*arguments):
        begin = time.thread_time()
        plain(*arguments)
        inside.append(time.thread_time() - begin)

    _train.call = timed
    for _ in range(times):
        inside.clear()
        begin = time.thread_time()
        fitted.fit(X, y)
        taken.append((time.thread_time() - begin - sum(inside)) * 1e3)
    _train.call = plain
    return {"least_ms": min(taken), "median_ms": sorted(taken)[times // 2]}


def times():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(150, 4)), rng.integers(0, 3, 150)
    found = {"host 150 x 4": beyond(setosa.SoftmaxClassifier().fit(X, y), X, y)}
    if any(device.usable for device in setosa.devices()):
        fitted = setosa.SoftmaxClassifier(backend="native")
        found["device 150 x 4"] = beyond(fitted.fit(X, y), X, y)
    return found


def main():
    warnings.simplefilter("ignore")  # three iterations do not converge
    what, *arguments = sys.argv[1:]
    print(json.dumps(memory(*arguments[:2], *map(int, arguments[2:])) if what == "memory" else times(), indent=2))


if __name__ == "__main__":
    main()
