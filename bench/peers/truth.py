"""The objective in float64 with numpy: what every peer is measured against. A peer that disagrees gets no time."""

import numpy as np

EPSILON = 2.0**-23  # of f32


def objective(X, y, W, b, l2, rows_at_once=4096):
    """F, dF/dW (K,D), dF/db (K) in float64; N x K is never held whole. X may be f32 and sparse (CSR), W and b any float."""
    W = np.asarray(W, np.float64)
    b = np.asarray(b, np.float64)
    loss, dW, db = 0.0, np.zeros_like(W), np.zeros_like(b)
    for start in range(0, X.shape[0], rows_at_once):
        x = X[start : start + rows_at_once].astype(np.float64)
        labels = y[start : start + rows_at_once]
        z = x @ W.T + b
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1)
        index = np.arange(len(labels))
        loss += (np.log(total) - z[index, labels]).sum()
        residual = e / total[:, None]
        residual[index, labels] -= 1
        dW += (x.T @ residual).T  # a sparse matrix stands on the left
        db += residual.sum(axis=0)
    rows = X.shape[0]
    return loss / rows + l2 / 2 * (W * W).sum(), dW / rows + l2 * W, db / rows


def tolerance(rows, features):
    """Relative, for f32: each sum of n terms loses about sqrt(n) eps; 8 of them for the chain logits, softmax, residual, gradient."""
    return 8 * max(rows, features) ** 0.5 * EPSILON


def errors(computed, exact):
    """(relative error of the loss, largest error of the gradient over its largest component)."""
    loss, dW, db = computed
    exact_loss, exact_dW, exact_db = exact
    largest = max(np.abs(exact_dW).max(), np.abs(exact_db).max())
    # max of |.| passes a NaN on, where Python's max might drop it.
    worst = np.maximum(np.abs(np.asarray(dW, np.float64) - exact_dW).max(), np.abs(np.asarray(db, np.float64) - exact_db).max())
    return abs(float(loss) - exact_loss) / abs(exact_loss), float(worst / largest)
