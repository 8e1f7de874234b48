"""One peer, one penalty, in a process of its own: how long until F is within a distance of its optimum? Prints one JSON line.

usage: accuracy_worker.py PEER DATA OPTIMUM L2 SECONDS THREADS

A point is (seconds, F), F in double from weights that were taken out while the clock stood still:
  setosa             F of the lines of --log, on the log's clock, after upload and a warm start of its kernels, which count; F of the last weights again in double
  torch-lbfgs        after every ten iterations of torch.optim.LBFGS (strong Wolfe, 20 pairs)
  sklearn-SOLVER     has no callback: whole trainings from zero with 1, 2, 4, 8, ... times so many iterations, each timed by itself, so that a point is
                     what somebody waits who asks for just so many. Nothing is added up.
A line is printed after every point, so that a process that is ended has told what it got to.
"""

import json
import os
import pathlib
import sys
import tempfile
import time
import warnings

import numpy as np
import truth

FIRST = {"lbfgs": 25, "newton-cg": 2, "newton-cholesky": 1}


class Points:
    def __init__(self, X, y, l2, optimum, seconds):
        self.X, self.y, self.l2, self.optimum, self.seconds, self.points = X, y, l2, optimum, seconds, []

    def add(self, elapsed, weights, bias):
        """Returns whether to go on."""
        value = truth.objective(self.X, self.y, weights, bias, self.l2)[0]
        self.points.append((elapsed, float(value)))
        self.tell()
        return elapsed < self.seconds and not value <= self.optimum * (1 + 1e-7)

    def tell(self, **more):
        ANSWER.write(json.dumps({"points": self.points, **more}) + "\n")
        ANSWER.flush()


def run_torch(points, classes, threads):
    import peer_torch
    import torch

    step = peer_torch.Step(points.X, points.y, np.zeros((classes, points.X.shape[1]), np.float32), np.zeros(classes, np.float32), points.l2, threads, "cpu")
    solver = torch.optim.LBFGS([step.W, step.b], max_iter=10, max_eval=40, history_size=20, tolerance_grad=1e-12, tolerance_change=0.0,
                               line_search_fn="strong_wolfe")  # fmt: skip

    def closure():
        step()
        return step.loss

    elapsed, going = 0.0, True
    while going:
        before = step.W.detach().clone()
        started = time.perf_counter()
        solver.step(closure)
        elapsed += time.perf_counter() - started
        going = points.add(elapsed, step.W.detach().numpy(), step.b.detach().numpy()) and not torch.equal(before, step.W.detach())
    points.tell(version=peer_torch.VERSION, ended=True)


def run_sklearn(points, solver):
    import peer_sklearn
    from sklearn.linear_model import LogisticRegression

    warnings.simplefilter("ignore")  # that few iterations do not converge is the point of it
    constant = 1 / (len(points.X) * points.l2)
    iterations, going, last = FIRST[solver], True, 0
    while going:
        model = LogisticRegression(C=constant, solver=solver, max_iter=iterations, tol=1e-10)
        started = time.perf_counter()
        model.fit(points.X, points.y)
        elapsed = time.perf_counter() - started
        done = int(np.max(model.n_iter_))
        going = points.add(elapsed, model.coef_, model.intercept_) and done > last and 2.5 * elapsed < points.seconds
        last, iterations = done, 2 * iterations
    points.tell(version=f"{peer_sklearn.VERSION} {solver}", ended=True)


def run_setosa(points, folder):
    import peer_setosa

    with tempfile.TemporaryDirectory() as scratch:
        log, model = pathlib.Path(scratch) / "log", pathlib.Path(scratch) / "model.safetensors"
        command = [peer_setosa.PROGRAM, "train", str(folder / "X.npy"), "--labels", str(folder / "y.npy"), "--l2", repr(points.l2), "--quiet", "--json"]
        command += ["--log", str(log), "--model", str(model), *peer_setosa.shlex.split(os.environ.get("SETOSA_ARGUMENTS", ""))]
        for more in (["--max-iterations", "1"], []):  # the first builds kernels, which are kept, as others come built
            done = peer_setosa.subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
        report, tensors = json.loads(done.stdout), peer_setosa.read_safetensors(model)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    exact = truth.objective(points.X, points.y, tensors["weights"], tensors["bias"], points.l2)[0]
    before = report["seconds"]["upload"] + report["seconds"]["build"]
    values = [line["objective"] for line in lines[:-1]] + [float(exact)]
    points.points = [(before + line["seconds"], value) for line, value in zip(lines, values)]
    points.tell(version=peer_setosa.VERSION, ended=True, solver=report["solver"], preconditioner=report.get("preconditioner"))


def main():
    peer, folder, optimum, l2, seconds, threads = sys.argv[1:]
    folder = pathlib.Path(folder)
    X, y = (np.load(folder / f"{name}.npy") for name in "Xy")
    points = Points(X, y, float(l2), float(optimum), float(seconds))
    if peer == "setosa":
        run_setosa(points, folder)
    elif peer == "torch-lbfgs":
        run_torch(points, int(y.max()) + 1, int(threads))
    else:
        run_sklearn(points, peer.removeprefix("sklearn-"))


if __name__ == "__main__":
    # Libraries print to stdout: the answer goes to the real one, all else to stderr.
    ANSWER = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    main()
    os._exit(0)  # some runtimes hang or crash while they unload
