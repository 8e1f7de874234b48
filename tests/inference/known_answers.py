#!/usr/bin/env python3
"""Standard errors of a multinomial logistic regression by NumPy, from the formulas and nothing else, as JSON.

known_answers.py TABLE.csv LABEL [--f32] [--l2 LAMBDA] [--compare FILE.json]
Newton's method from 0; terms are the columns in their order, then the intercept; the base is class 0. --f32 rounds the columns first.
--l2 adds LAMBDA/2 |W|^2 to the mean loss, of all classes' weights and no intercept, and gives the penalised information of contrasts.
"""
import argparse
import csv
import json
import math

import numpy as np


def read(path, label, rounded):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != label]
    x = np.array([[float(row[name]) for name in names] for row in rows])
    if rounded:
        x = x.astype(np.float32).astype(float)
    classes = sorted({row[label] for row in rows}, key=float)
    y = np.array([classes.index(row[label]) for row in rows])
    return names, classes, np.hstack([x, np.ones((len(x), 1))]), y


def probabilities(x, w):
    z = np.hstack([np.zeros((len(x), 1)), x @ w.T])
    z -= z.max(axis=1, keepdims=True)
    a = np.exp(z)
    return a / a.sum(axis=1, keepdims=True)


def outer_sums(x, pairs):
    """sum over i of pairs[i,p,q] x_i x_i', as a matrix of blocks."""
    k, d = pairs.shape[1], x.shape[1]
    return np.einsum("ipq,ij,il->pjql", pairs, x, x, optimize=True).reshape(k * d, k * d)


def fit(x, y, count):
    w = np.zeros((count - 1, x.shape[1]))
    onehot = np.eye(count)[y]
    for _ in range(50):
        a = probabilities(x, w)
        gradient = (onehot - a)[:, 1:].T @ x
        pairs = np.einsum("ip,pq->ipq", a[:, 1:], np.eye(count - 1)) - np.einsum("ip,iq->ipq", a[:, 1:], a[:, 1:])
        information = outer_sums(x, pairs)
        scale = 1 / np.sqrt(np.diag(information))
        step = scale * np.linalg.solve(information * np.outer(scale, scale), scale * gradient.ravel())
        w += step.reshape(w.shape)
        if np.abs(step).max() < 1e-14:
            break
    return w, information, onehot


def effects(x, w, covariance):
    """Mean of a_k (w_kj - sum_m a_m w_mj), with a derivative by central differences of complex steps: exact to rounding."""
    count, d = w.shape[0] + 1, x.shape[1] - 1

    def means(v):
        z = np.hstack([np.zeros((len(x), 1)), x @ v.T])
        a = np.exp(z - z.real.max(axis=1, keepdims=True))
        a = a / a.sum(axis=1, keepdims=True)
        full = np.vstack([np.zeros(v.shape[1]), v])[:, :d]
        return np.array([[(a[:, k] * (full[k, j] - a @ full[:, j])).mean() for j in range(d)] for k in range(count)])

    slopes = []
    for i in range(w.size):
        v = w.astype(complex).ravel()
        v[i] += 1e-30j
        slopes.append(means(v.reshape(w.shape)).imag / 1e-30)
    slopes = np.array(slopes)
    errors = np.sqrt(np.einsum("akj,ab,bkj->kj", slopes, covariance, slopes))
    return means(w).real, errors


def penalized(x, y, count, strength):
    """All K classes, whose common part the penalty decides on; the intercepts' common part is left to a pseudo-inverse. Contrasts with 0."""
    d = x.shape[1]
    w, onehot = np.zeros((count, d)), np.eye(count)[y]
    penalty = np.kron(np.eye(count), np.diag([strength] * (d - 1) + [0.0]))
    for _ in range(50):
        z = x @ w.T
        a = np.exp(z - z.max(axis=1, keepdims=True))
        a /= a.sum(axis=1, keepdims=True)
        pairs = np.einsum("ip,pq->ipq", a, np.eye(count)) - np.einsum("ip,iq->ipq", a, a)
        information = outer_sums(x, pairs)
        gradient = ((onehot - a).T @ x).ravel() - penalty @ w.ravel()
        hessian = information + penalty
        scale = 1 / np.sqrt(np.diag(hessian))
        inverse = np.linalg.pinv(hessian * np.outer(scale, scale), rcond=1e-12, hermitian=True) * np.outer(scale, scale)
        step = inverse @ gradient
        w += step.reshape(w.shape)
        if np.abs(step).max() < 1e-14:
            break
    contrast = np.kron(np.hstack([-np.ones((count - 1, 1)), np.eye(count - 1)]), np.eye(d))
    covariance = contrast @ np.linalg.inv(hessian + np.kron(np.ones((count, count)), np.diag([0.0] * (d - 1) + [1.0]))) @ contrast.T
    # The rank-one addition above moves the intercepts' common part alone, which contrasts do not see.
    effective = np.trace(np.linalg.pinv(hessian * np.outer(scale, scale), rcond=1e-12, hermitian=True) @ (information * np.outer(scale, scale)))
    return (contrast @ w.ravel()).reshape(count - 1, d), covariance, np.log(a[np.arange(len(y)), y]).sum(), effective


def penalized_answers(path, label, rounded, strength):
    names, classes, x, y = read(path, label, rounded)
    w, covariance, likelihood, effective = penalized(x, y, len(classes), strength * len(y))
    return {
        "l2": strength,
        "terms": names + ["(intercept)"],
        "log_likelihood": likelihood,
        "parameters": effective,
        "coefficient": w.tolist(),
        "standard_error": np.sqrt(np.diag(covariance)).reshape(w.shape).tolist(),
    }


def answers(path, label, rounded):
    names, classes, x, y = read(path, label, rounded)
    count, shape = len(classes), (len(classes) - 1, x.shape[1])
    w, information, onehot = fit(x, y, count)
    a = probabilities(x, w)
    covariance = np.linalg.inv(information)
    error = np.sqrt(np.diag(covariance)).reshape(shape)
    score = (a - onehot)[:, 1:]
    meat = outer_sums(x, np.einsum("ip,iq->ipq", score, score))
    z, n, size = w / error, len(y), np.bincount(y)
    likelihood = np.log(a[np.arange(n), y]).sum()
    null = (size * np.log(size / n)).sum()
    effect, effect_error = effects(x, w, covariance)
    wide = 1.959963984540054 * error
    return {
        "rows": n,
        "classes": classes,
        "terms": names + ["(intercept)"],
        "log_likelihood": likelihood,
        "log_likelihood_null": null,
        "lr": 2 * (likelihood - null),
        "pseudo_r2_mcfadden": 1 - likelihood / null,
        "aic": -2 * likelihood + 2 * w.size,
        "bic": -2 * likelihood + w.size * math.log(n),
        "coefficient": w.tolist(),
        "standard_error": error.tolist(),
        "z": z.tolist(),
        "p": [[math.erfc(abs(v) / math.sqrt(2)) for v in row] for row in z],
        "interval_95": np.stack([w - wide, w + wide], axis=2).tolist(),
        "robust_standard_error": np.sqrt(np.diag(covariance @ meat @ covariance)).reshape(shape).tolist(),
        "marginal_effect": effect.tolist(),
        "marginal_effect_standard_error": effect_error.tolist(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("label")
    parser.add_argument("--f32", action="store_true")
    parser.add_argument("--l2", type=float, default=0)
    parser.add_argument("--compare")
    options = parser.parse_args()
    if options.l2 > 0:
        found = penalized_answers(options.table, options.label, options.f32, options.l2)
    else:
        found = answers(options.table, options.label, options.f32)
    if not options.compare:
        print(json.dumps(found, indent=1))
        return
    with open(options.compare, encoding="utf-8") as file:
        known = json.load(file)
    for name, value in found.items():
        if name not in ("classes", "terms", "rows"):
            a, b = np.array(value), np.array(known[name])
            print(f"{name}: {np.abs(a / b - 1).max():.2g}")


if __name__ == "__main__":
    main()
