"""Setosa itself on the same .npy and .npz files: `setosa train --json`. Its loss and gradient are timed by `setosa bench` (setosa_rows.py).

SETOSA_PROGRAM is the program, SETOSA_ARGUMENTS what to add to its command line (a device, a backend).
"""

import json
import os
import pathlib
import shlex
import subprocess
import tempfile

from model_file import read_safetensors

PROGRAM = os.environ["SETOSA_PROGRAM"]
ROWS = ("dense", "sparse")
VERSION = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]


def fit(X, y, classes, l2, iterations, threads):
    """The seconds are its own of upload, building kernels and training: the peers, too, start with the data in memory."""
    del X, y, classes, threads  # it reads the files itself, and its threads are set by the environment
    folder = pathlib.Path(os.environ["SETOSA_DATA"])
    with tempfile.TemporaryDirectory() as scratch:
        model = pathlib.Path(scratch) / "model.safetensors"
        sparse = folder / "X.npz"  # with its labels
        rows = [str(sparse)] if sparse.exists() else [str(folder / "X.npy"), "--labels", str(folder / "y.npy")]
        command = [PROGRAM, "train", *rows, "--l2", repr(l2), "--json", "--quiet"]
        command += ["--max-iterations", str(iterations), "--tolerance", "1e-12", "--model", str(model)]
        command += shlex.split(os.environ.get("SETOSA_ARGUMENTS", ""))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
        report = json.loads(done.stdout)
        tensors = read_safetensors(model)
    seconds = report["seconds"]
    extra = {
        "seconds": seconds["upload"] + seconds["build"] + seconds["train"],
        "setosa": {key: report.get(key) for key in ("device", "backend", "storage", "seconds", "stop_reason", "evaluations")},
    }
    return tensors["weights"], tensors["bias"], report["iterations"], extra
