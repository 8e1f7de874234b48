#!/usr/bin/env python3
"""Time to accuracy on Fashion-MNIST: Setosa beside scikit-learn's and PyTorch's second-order optimizers, one after the other.

usage: accuracy.py [--setosa PROGRAM] [--l2 L] [--seconds S] [--rows N] [--json FILE] [--plot FILE.svg]

What is minimised is the mean log-loss + l2/2 ||W||^2, the bias free. A point of a curve is (seconds of training, F of the
weights then, recomputed in double from exported coefficients). Reading the data, importing packages and recomputing F are not timed.
  setosa           one run with --log, which has F and the seconds of every iteration; F of its last weights is recomputed
  torch            one run, its weights copied after each iteration while the clock stands
  sklearn          one fit from scratch for each of some iteration limits, since a fit tells nothing while it runs
Peers are set up as `run` does, in .venv beside this file.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(here))

LEVELS = (1e-3, 1e-4, 1e-6)
OPTIMA = {(60000, 1 / 60000): 0.3498928046, (60000, 1e-4): 0.3794770769}
SKLEARN = {
    "scikit-learn lbfgs": ("lbfgs", (25, 50, 100, 200, 400, 800, 1600)),
    "scikit-learn newton-cg": ("newton-cg", (1, 2, 4, 8, 16, 32, 64)),
    "scikit-learn newton-cholesky": ("newton-cholesky", (1, 2, 4, 8, 16)),
}


# ---- in a peer's own process ----------------------------------------------------------------------------------------


def fashion(rows):
    import numpy as np
    from data import FASHION, read_idx

    folder = pathlib.Path(FASHION)
    images, labels = (read_idx(folder / f"train-{name}-ubyte") for name in ("images-idx3", "labels-idx1"))
    if images is None:
        raise SystemExit("accuracy: Fashion-MNIST is not installed; apt-get install dataset-fashion-mnist")
    return images[:rows].reshape(-1, 784).astype(np.float32) / np.float32(255), labels[:rows].astype(np.int64)


def objective(X, y, W, b, l2):
    """F in double, a few thousand rows at a time."""
    import numpy as np

    W, total = W.astype(np.float64), 0.0
    for begin in range(0, len(X), 4096):
        z = X[begin : begin + 4096].astype(np.float64) @ W.T + b
        z -= z.max(1, keepdims=True)
        total += (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), y[begin : begin + 4096]]).sum()
    return total / len(X) + l2 / 2 * float((W**2).sum())


def tell(seconds, value, what=""):
    print(json.dumps([seconds, value, what]), flush=True)


def run_sklearn(name, rows, l2, limit):
    import warnings

    from sklearn.linear_model import LogisticRegression

    warnings.simplefilter("ignore")
    X, y = fashion(rows)
    solver, counts = SKLEARN[name]
    spent = 0.0
    for count in counts:
        model = LogisticRegression(C=1 / (len(X) * l2), solver=solver, max_iter=count, tol=1e-14)
        began = time.perf_counter()
        model.fit(X, y)
        took = time.perf_counter() - began
        tell(took, objective(X, y, model.coef_, model.intercept_, l2), f"{count} iterations")
        spent += took
        if spent + 2 * took > limit or int(max(model.n_iter_)) < count:
            return


def run_torch(name, rows, l2, limit):
    import numpy as np
    import torch
    from torch.nn import functional

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    X, y = fashion(rows)
    tX, ty = torch.from_numpy(X), torch.from_numpy(y)
    W, b = torch.zeros(10, 784, requires_grad=True), torch.zeros(10, requires_grad=True)
    solver = torch.optim.LBFGS([W, b], max_iter=1, max_eval=50, history_size=20, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        solver.zero_grad()
        loss = functional.cross_entropy(functional.linear(tX, W, b), ty) + l2 / 2 * W.square().sum()
        loss.backward()
        return loss

    spent, wall = 0.0, time.perf_counter()
    for iteration in range(3000):
        began = time.perf_counter()
        solver.step(closure)
        spent += time.perf_counter() - began
        if iteration % 5 == 4:
            tell(spent, objective(X, y, W.detach().numpy(), b.detach().numpy().astype(np.float64), l2), f"{iteration + 1} iterations")
        if spent > limit or time.perf_counter() - wall > 3 * limit:
            return


# ---- the whole ------------------------------------------------------------------------------------------------------


def run_peer(name, python, options, library_path=()):
    """[(seconds, F)] of a peer, in a process of its own that is ended when it takes far too long."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if library_path:
        environment["LD_LIBRARY_PATH"] = ":".join(library_path)
    command = [python, __file__, "--peer", name, "--rows", str(options.rows), "--l2", repr(options.l2), "--seconds", str(options.seconds)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=6 * options.seconds + 60)
        text, error = done.stdout, done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired as late:
        text, error = (late.stdout or b"").decode(), [f"ended after {late.timeout:.0f} s"]
    return [json.loads(line)[:2] for line in text.splitlines()], " ".join(error)


def run_setosa(options):
    """Setosa on the same file, with what --log says of each iteration."""
    from data import FASHION

    source = next(path for path in (pathlib.Path(FASHION) / f"train-images-idx3-ubyte{end}" for end in (".gz", "")) if path.exists())
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log.jsonl"
        command = [options.setosa, "train", source, "--l2", repr(options.l2), "--log", log, "--json", "-q", "--gap", "1e-8"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return [], done.stderr.strip().splitlines()[-1]
        return [[entry["seconds"], entry["objective"]] for entry in map(json.loads, log.read_text().splitlines())], ""


def reached(curve, optimum, level):
    """Seconds to F <= (1 + level) F*; None when that was not reached."""
    return next((seconds for seconds, value in sorted(curve) if value <= optimum * (1 + level)), None)


def draw(curves, optimum, path):
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 4.5))
    for name, curve in curves.items():
        points = [(s, max(v / optimum - 1, 1e-9)) for s, v in sorted(curve) if s > 0]
        if points:
            axis.plot(*zip(*points), marker="." if len(points) < 20 else None, label=name, linewidth=2.5 if name == "setosa" else 1.2)
    axis.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="(F - F*) / F*", ylim=(1e-8, 10))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setosa", default=str(here.parent.parent / "build/release/setosa"))
    parser.add_argument("--l2", type=float, default=1 / 60000)
    parser.add_argument("--rows", type=int, default=60000)
    parser.add_argument("--seconds", type=float, default=60, help="about so long for a peer")
    parser.add_argument("--json")
    parser.add_argument("--plot")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return (run_torch if options.peer.startswith("torch") else run_sklearn)(options.peer, options.rows, options.l2, options.seconds)
    import environment

    entries = environment.prepare(here / ".venv", ["sklearn", "torch"], lambda *words: print(*words, file=sys.stderr))
    curves, notes = {}, {}
    if options.rows == 60000:
        curves["setosa"], notes["setosa"] = run_setosa(options)
    for name in [*SKLEARN, "torch L-BFGS"]:
        entry = entries["torch" if name.startswith("torch") else "sklearn"]
        if entry.get("reason"):
            curves[name], notes[name] = [], entry["reason"]
            continue
        curves[name], notes[name] = run_peer(name, entry["python"], options, entry.get("library_path", ()))
        print(f"{name}: {len(curves[name])} points", file=sys.stderr)
    optimum = OPTIMA.get((options.rows, options.l2)) or min(value for curve in curves.values() for _, value in curve)
    print(f"Fashion-MNIST, {options.rows} rows, l2 {options.l2:g}, F* {optimum:.10f}; seconds of training to (F - F*) / F*\n")
    print("| | " + " | ".join(f"{level:g}" for level in LEVELS) + " | best |\n|---|" + "---|" * (len(LEVELS) + 1))
    for name, curve in curves.items():
        times = (reached(curve, optimum, level) for level in LEVELS)
        best = min((value for _, value in curve), default=math.nan) / optimum - 1
        cells = ["-" if t is None else f"{t:.3g}" for t in times]
        print(f"| {name} | " + " | ".join(cells) + f" | {best:.1e}{' (' + notes[name] + ')' if notes[name] else ''} |")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"l2": options.l2, "optimum": optimum, "curves": curves}))
    if options.plot:
        draw(curves, optimum, options.plot)
    return None


if __name__ == "__main__":
    main()
