"""mlpack's softmax_regression: whole training only, in float64, and the bias is penalised like the weights.

Its objective is therefore not ours: the canonical objective of what it finds is a little above the optimum by design.
"""

from importlib.metadata import version

import mlpack
import numpy as np

VERSION = f"mlpack {version('mlpack')}"


def fit(X, y, classes, l2, iterations, threads):
    answer = mlpack.softmax_regression(
        training=X.astype(np.float64), labels=y.astype(np.int64), number_of_classes=classes, lambda_=l2, max_iterations=iterations
    )
    parameters = next(iter(answer["output_model"].get_cpp_params().values()))["parameters"]  # (D+1,K), the intercept first
    return parameters[1:].T, parameters[0], -1
