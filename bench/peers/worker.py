"""One peer on one work, in a process of its own: checks it against float64, times it, prints one JSON line.

usage: worker.py PEER WORK DATA [--repeat N] [--seconds S] [--threads T] [--device NAME] [--iterations N]

A peer is a module peer_NAME.py with any of
  VERSION                                        what is compared, as it names itself
  class Step(X, y, W, b, l2, threads, device)    places data and parameters; a call computes loss and gradient once and returns when that is
                                                 done; read() gives (loss, dW (K,D), db (K)) of the last call
  fit(X, y, classes, l2, iterations, threads)    returns (W (K,D), b (K), iterations), -1 iterations when it does not tell them, and
                                                 perhaps a dictionary of more to report
  ROWS                                           of ("dense", "sparse") those that it takes, dense alone where it does not say. Sparse X is
                                                 a csr_matrix of SciPy
and raises Unsupported(reason) for what it cannot do. Without a fit, SciPy's L-BFGS-B is run over its Step.
"""

import argparse
import functools
import importlib
import json
import os
import pathlib
import statistics
import sys
import time


class Unsupported(Exception):
    """The peer has no such operation; the message says why. Reported as skipped."""


def load(peer, folder):
    """[X, y, W, b] in memory, if the peer takes such an X."""
    import numpy as np

    archive = folder / "X.npz"
    kind = "sparse" if archive.exists() else "dense"
    if kind not in getattr(peer, "ROWS", ("dense",)):
        raise Unsupported(f"it is not compared on {kind} rows")
    if kind == "dense":
        return [np.load(folder / f"{name}.npy") for name in ("X", "y", "W", "b")]
    from scipy import sparse

    return [sparse.load_npz(archive), np.load(archive)["y"], np.load(folder / "W.npy"), np.load(folder / "b.npy")]


def values_of_row(X):
    """Numbers that a row is made of, in the mean: features, or entries."""
    return max(1, getattr(X, "nnz", X.shape[0] * X.shape[1]) / X.shape[0])


def check_step(peer, data, l2, options):
    """Loss and gradient of the first rows against float64. Returns the errors and the tolerance; raises ValueError when too large."""
    import truth

    X, y, W, b = data
    rows = int(min(X.shape[0], max(16, 2e8 // (len(W) * values_of_row(X)))))
    step = peer.Step(X[:rows], y[:rows], W, b, l2, options.threads, options.device)
    step()
    loss_error, gradient_error = truth.errors(step.read(), truth.objective(X[:rows], y[:rows], W, b, l2))
    limit = truth.tolerance(rows, values_of_row(X))
    # "not <=" so that a NaN fails.
    if not (loss_error <= limit and gradient_error <= limit):
        raise ValueError(f"wrong: error of loss {loss_error:.1e}, of gradient {gradient_error:.1e}, tolerance {limit:.1e} on {rows} rows")
    return {"loss_error": loss_error, "gradient_error": gradient_error, "tolerance": limit, "checked_rows": rows}


def time_step(step, repeat, seconds):
    """Times of single calls in ms after one warm-up: `repeat` of them, or as many as fit in `seconds`, at least 3."""
    started = time.perf_counter()
    step()
    first = time.perf_counter() - started
    for _ in range(2):  # JITs replay a captured graph from the third call on
        step()
    times = []
    begin = time.perf_counter()
    while len(times) < 3 or (len(times) < repeat and time.perf_counter() - begin < seconds):
        started = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - started))
    return {
        "median_ms": statistics.median(times),
        "min_ms": min(times),
        "max_ms": max(times),
        "repeats": len(times),
        "first_call_ms": 1e3 * first,
    }


def run_step(peer, folder, l2, options):
    if not hasattr(peer, "Step"):
        raise Unsupported("it has no call for loss and gradient, only whole training")
    data = load(peer, folder)
    result = check_step(peer, data, l2, options)
    step = peer.Step(*data, l2, options.threads, options.device)
    result.update(time_step(step, options.repeat, options.seconds))
    result["loss"] = float(step.read()[0])
    return result


def fit_with_scipy(minimize, peer, X, y, classes, l2, iterations, threads):
    """L-BFGS-B of SciPy in float64 over the peer's f32 loss and gradient, starting from zero as everybody does."""
    import numpy as np

    features = X.shape[1]
    step = peer.Step(X, y, np.zeros((classes, features), np.float32), np.zeros(classes, np.float32), l2, threads, "cpu")

    def value_and_gradient(parameters):
        parameters = parameters.astype(np.float32)
        step.place(parameters[: classes * features].reshape(classes, features), parameters[classes * features :])
        step()
        loss, dW, db = step.read()
        return float(loss), np.concatenate([dW.ravel(), db]).astype(np.float64)

    settings = {"maxiter": iterations, "maxfun": 4 * iterations, "gtol": 1e-12, "ftol": 0.0, "maxcor": 10}
    done = minimize(value_and_gradient, np.zeros(classes * (features + 1)), jac=True, method="L-BFGS-B", options=settings)
    return done.x[: classes * features].reshape(classes, features), done.x[classes * features :], int(done.nit)


def run_fit(peer, folder, l2, options):
    """Trains once from zero; the objective is computed again here, in float64, from what came out."""
    import numpy as np
    import truth

    X, y, W, _ = load(peer, folder)
    classes = len(W)
    if hasattr(peer, "fit"):
        solver, fit = "its own", peer.fit
    else:
        from scipy.optimize import minimize

        solver, fit = "SciPy's L-BFGS-B", functools.partial(fit_with_scipy, minimize, peer)
    started = time.perf_counter()
    weights, bias, iterations, *extra = fit(X, y, classes, l2, options.iterations, options.threads)
    seconds = time.perf_counter() - started
    value, dW, db = truth.objective(X, y, weights, bias, l2)
    if not np.isfinite(value):
        raise ValueError("the trained weights are not finite")
    gradient = float(max(np.abs(dW).max(), np.abs(db).max()))
    result = {"seconds": seconds, "iterations": int(iterations), "objective": float(value), "gradient_max": gradient, "solver": solver}
    return {**result, **(extra[0] if extra else {})}


def main():
    from works import FIT_ITERATIONS, L2, WORKS

    parser = argparse.ArgumentParser()
    parser.add_argument("peer")
    parser.add_argument("work")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--iterations", type=int, default=FIT_ITERATIONS)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    # Libraries print to stdout: the answer goes to the real one, all else to stderr.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.modules["worker"] = sys.modules["__main__"]  # one class Unsupported, whoever imports it
    result = {"peer": options.peer, "work": options.work}
    try:
        peer = importlib.import_module(f"peer_{options.peer}")
        result["version"] = peer.VERSION
        run = run_step if WORKS[options.work].kind == "step" else run_fit
        result.update(run(peer, options.data / options.work, L2, options), status="ok")
    except Unsupported as reason:
        result.update(status="skipped", reason=str(reason))
    except Exception as error:  # whatever a peer throws is a line of the table, not the end of the run
        result.update(status="failed", reason=f"{type(error).__name__}: {error}".splitlines()[0][:300])
    answer.write(json.dumps(result) + "\n")
    answer.flush()
    os._exit(0)  # some runtimes hang or crash while they unload


if __name__ == "__main__":
    main()
