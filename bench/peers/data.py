"""The data of every work, written once: X (N,D) f32, y (N) i32, W (K,D) f32, b (K) f32 as .npy in DIRECTORY/<work>. Sparse rows and their
labels are an archive of SciPy, X.npz with a further array y, that `setosa generate` writes.

usage: data.py DIRECTORY WORK[,WORK...] [--small] [--fashion FOLDER] [--setosa PROGRAM]
"""

import argparse
import gzip
import json
import pathlib
import subprocess

import numpy as np

from works import SEED, WORKS

FASHION = "/usr/share/datasets/fashion-mnist"  # where Debian's package dataset-fashion-mnist puts it
ROWS_AT_ONCE = 16384


def read_idx(path):
    """The array of an IDX file of bytes, plain or .gz; None when there is no such file."""
    for name, opener in ((path, open), (path.with_name(path.name + ".gz"), gzip.open)):
        if name.exists():
            with opener(name, "rb") as file:
                magic = file.read(4)
                shape = [int.from_bytes(file.read(4), "big") for _ in range(magic[3])]
                return np.frombuffer(file.read(), dtype=np.uint8).reshape(shape)
    return None


def write_fashion(folder, work, source):
    """X is pixel / 255 as f32. Returns False when the images are not there."""
    images = read_idx(source / "train-images-idx3-ubyte")
    labels = read_idx(source / "train-labels-idx1-ubyte")
    if images is None or labels is None:
        return False
    values = images[: work.rows].reshape(-1, work.features).astype(np.float32) / np.float32(255)
    labels = labels[: work.rows].astype(np.int32)
    if work.classes == 2:
        labels = (labels != 0).astype(np.int32)
    np.save(folder / "X.npy", values)
    np.save(folder / "y.npy", labels)
    return True


def write_synthetic(folder, work, rng):
    values = np.lib.format.open_memmap(folder / "X.npy", mode="w+", dtype=np.float32, shape=(work.rows, work.features))
    for start in range(0, work.rows, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, work.rows)
        values[start:stop] = rng.standard_normal((stop - start, work.features), dtype=np.float32)
    values.flush()
    np.save(folder / "y.npy", rng.integers(0, work.classes, work.rows, dtype=np.int32))


def write_sparse(path, work, program):
    """Returns what X has to be divided by for rows of length 1, in the mean."""
    done = subprocess.run([program, "generate", work.source(), "-o", str(path), "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"data.py: {program} generate: {(done.stderr.strip().splitlines() or ['nothing said'])[-1]}")
    with np.load(path) as archive:
        return float(np.sqrt(np.square(archive["data"], dtype=np.float64).sum() / work.rows))


def write_work(folder, work, fashion, program):
    """Writes the data of one work unless it is there already."""
    note = folder / "work.json"
    wanted = {"rows": work.rows, "features": work.features, "classes": work.classes, "seed": SEED, "law": work.law}
    if note.exists():
        have = json.loads(note.read_text())
        if all(have.get(key, "") == value for key, value in wanted.items()):
            return have["source"]
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([SEED, work.features, work.classes])
    source, length = "synthetic, standard normal", work.features**0.5
    if work.law:
        source, length = "setosa generate", write_sparse(folder / "X.npz", work, program)
    elif work.name in ("W1", "fit", "fit-two") and write_fashion(folder, work, fashion):
        source = "Fashion-MNIST"
    else:
        write_synthetic(folder, work, rng)
    # Weights that give logits of size one: neither all probabilities equal nor all losses zero.
    np.save(folder / "W.npy", rng.standard_normal((work.classes, work.features), dtype=np.float32) / np.float32(length))
    np.save(folder / "b.npy", rng.standard_normal(work.classes, dtype=np.float32))
    note.write_text(json.dumps({**wanted, "source": source}))
    return source


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("works")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--fashion", type=pathlib.Path, default=FASHION)
    parser.add_argument("--setosa", default="setosa", help="the program that writes sparse rows")
    arguments = parser.parse_args()
    for name in arguments.works.split(","):
        work = WORKS[name].small() if arguments.small else WORKS[name]
        source = write_work(arguments.directory / name, work, arguments.fashion, arguments.setosa)
        print(json.dumps({"work": name, "source": source}), flush=True)


if __name__ == "__main__":
    main()
