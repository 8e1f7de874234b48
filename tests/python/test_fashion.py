"""Fashion-MNIST from arrays: the objective of the program."""

import gzip
import json
import os

import numpy as np
import pytest
import setosa

FOLDER = os.environ.get("SETOSA_FASHION", "/usr/share/datasets/fashion-mnist")


def idx(name):
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        pytest.skip("no Fashion-MNIST (dataset-fashion-mnist brings it)")
    with gzip.open(path) as file:
        content = file.read()
    dimensions = content[3]
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_same_objective(run, device, kind):
    images, y = idx("train-images-idx3-ubyte.gz"), idx("train-labels-idx1-ubyte.gz")
    X = images.reshape(len(images), -1).astype(kind) / kind(255)
    said = json.loads(run("train", os.path.join(FOLDER, "train-images-idx3-ubyte.gz"), "--l2", "0.001", "--device", device, "--json", "-q"))
    fitted = setosa.SoftmaxClassifier(l2=0.001, device=device).fit(X, y)
    assert fitted.result_.converged and said["converged"]
    assert abs(fitted.result_.objective - said["objective"]) <= 1e-7 * said["objective"]
    assert abs(fitted.score(X, y) - said["train"]["accuracy"]) < 1e-4
