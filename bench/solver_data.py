"""The data of the works of solvers.py, made from seeds as f32 .npy files. Needs NumPy.

Each is like something well known in what makes it hard, and free to be made anywhere. A change of a formula, or of the order in which random
numbers are drawn, moves the optima that solvers.py holds.
"""

import csv
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))
from data import read_idx  # noqa: E402

IRIS_SCALES = (1e6, 1e3, 1.0, 1e-3)


def forest_cover_like(rows=200000, seed=1):
    """Ten measurements of unlike scale, some of them functions of others, 4 and 40 indicators, 7 classes of unlike frequency."""
    r = np.random.default_rng(seed)
    z = r.standard_normal((rows, 6))
    elevation = 2900 + 280 * z[:, 0]
    aspect = r.uniform(0, 360, rows)
    slope = np.abs(14 + 7 * z[:, 1])
    water = np.abs(r.gamma(1.5, 180, rows))
    water_height = 46 + 58 * z[:, 2] + 0.05 * water
    road = r.gamma(2, 1150, rows) + 0.8 * (elevation - 2900)
    shade_9 = 212 - 0.8 * slope * np.cos(np.radians(aspect - 90)) * -1 + 10 * z[:, 3]
    shade_noon = 223 - 0.6 * slope + 8 * z[:, 4]
    shade_3 = 142 - 0.9 * shade_9 + 0.9 * shade_noon + 12 * z[:, 5]
    fire = r.gamma(2, 1000, rows)
    numbers = np.stack([elevation, aspect, slope, water, water_height, road, shade_9, shade_noon, shade_3, fire], 1)
    height = (elevation - 2900) / 280
    area = np.argmax(r.gumbel(size=(rows, 4)) + np.array([1.2, -1, 1.1, 0]) + np.outer(height, [0.5, 0.2, 0, -2.0]), 1)
    frequency = np.log(r.dirichlet(np.full(40, 0.4)) + 1e-5)
    centre = r.normal(size=40)
    soil = np.argmax(r.gumbel(size=(rows, 40)) + frequency + np.outer(height, centre) * 1.3, 1)
    X = np.zeros((rows, 54))
    X[:, :10] = numbers
    X[np.arange(rows), 10 + area] = 1
    X[np.arange(rows), 14 + soil] = 1
    standard = (numbers - numbers.mean(0)) / numbers.std(0)
    W = r.normal(size=(10, 7)) * 0.5
    W[0] = np.array([1.6, 0.6, -1.8, -3.5, 0, -1.6, 3.0])
    logits = standard @ W + 0.4 * (standard[:, :1] ** 2) * r.normal(size=7)
    logits = logits + r.normal(size=(4, 7))[area] * 0.8 + r.normal(size=(40, 7))[soil] * 0.8
    logits = logits + 2 * np.log([0.365, 0.488, 0.062, 0.005, 0.016, 0.03, 0.035])
    return X, np.argmax(logits + r.gumbel(size=(rows, 7)), 1)


def many_classes(rows=20000, features=200, classes=300, seed=2):
    """Features like those of a neural network's last layer (correlated, cut off below 0) and 300 classes of unlike frequency."""
    r = np.random.default_rng(seed)
    mix = r.standard_normal((features, features)) * (np.arange(1, features + 1) ** -0.7)[:, None]
    centres = r.standard_normal((classes, features)) * 1.1
    frequency = r.dirichlet(np.full(classes, 2.0))
    y = np.searchsorted(np.cumsum(frequency), r.uniform(size=rows)).clip(0, classes - 1)
    hidden = centres[y] * 0.45 + r.standard_normal((rows, features))
    return np.maximum(hidden @ mix, 0) + 0.1 * r.standard_normal((rows, features)), y


def text_like(rows=5000, features=8000, classes=20, seed=3):
    """TF-IDF of texts of 60 words: few words are frequent, most are rare, rows have length 1. Written dense."""
    r = np.random.default_rng(seed)
    frequency = (np.arange(1, features + 1) + 5.0) ** -1.05
    frequency /= frequency.sum()
    words = np.searchsorted(np.cumsum(frequency), r.uniform(size=rows * 60)).clip(0, features - 1)
    X = np.zeros((rows, features))
    np.add.at(X, (np.repeat(np.arange(rows), 60), words), 1.0)
    seen = X > 0
    X[seen] = 1 + np.log(X[seen])
    X *= np.log(rows / np.maximum(seen.sum(0), 1)) + 1
    X /= np.sqrt((X * X).sum(1))[:, None]
    W = r.standard_normal((features, classes)) * (r.uniform(size=(features, classes)) < 0.1) * 9
    return X, np.argmax(X @ W + r.gumbel(size=(rows, classes)), 1)


def fashion_sample(folder, rows=20000, seed=0):
    """Rows of Fashion-MNIST drawn without replacement, in the order drawn."""
    images, labels = (read_idx(folder / f"train-{name}-ubyte") for name in ("images-idx3", "labels-idx1"))
    if images is None or labels is None:
        raise FileNotFoundError(f"no Fashion-MNIST in {folder}; install dataset-fashion-mnist or name its folder with --fashion")
    chosen = np.random.default_rng(seed).permutation(len(labels))[:rows]
    return images[chosen].reshape(rows, -1) / 255.0, labels[chosen]


def write_arrays(path, make, *arguments):
    """PATH.npy and PATH-labels.npy, unless they are there. The labels are written first: X under its name means that both are whole."""
    target = path.with_name(path.name + ".npy")
    if target.exists():
        return target
    X, y = make(*arguments)
    np.save(path.with_name(path.name + "-labels.npy"), y.astype(np.int32))
    part = path.with_name(path.name + ".part.npy")
    np.save(part, X.astype(np.float32))
    part.rename(target)
    return target


def write_scaled_iris(path, source):
    """iris.csv with columns of unlike scale, as units make them."""
    with open(source, newline="", encoding="utf-8") as file, open(path, "w", newline="", encoding="utf-8") as out:
        lines, writer = csv.reader(file), csv.writer(out)
        writer.writerow(next(lines))
        for line in lines:
            writer.writerow(["%.10g" % (float(value) * scale) for value, scale in zip(line, IRIS_SCALES)] + line[-1:])
    return path
