"""The classifier: the program's model and scikit-learn's optimum, and what becomes of it afterwards."""

import json
import os
import pickle
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import setosa


def test_the_same_objective_as_the_program(iris, run, source, device):
    said = json.loads(run("train", os.path.join(source, "data", "iris.csv"), "--l2", "0.01", "--device", device, "--json"))
    for X in (iris[0], iris[0].astype(np.float32)):
        fitted = setosa.SoftmaxClassifier(l2=0.01, device=device).fit(X, iris[1])
        assert fitted.result_.backend == "native"
        assert abs(fitted.result_.objective - said["objective"]) <= 1e-7 * said["objective"]
    on_host = setosa.SoftmaxClassifier(l2=0.01).fit(*iris)
    assert on_host.result_.backend == "reference"
    assert abs(on_host.result_.objective - said["objective"]) <= 1e-7 * said["objective"]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("settings", [{}, {"C": 0.05}, {"class_weight": "balanced"}, {"class_weight": {"setosa": 3.0, "virginica": 0.5}}])
def test_the_optimum_of_scikit_learn(iris, classes, settings):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = iris
    X, y = (X, y) if classes == 3 else (X[50:], y[50:])
    if classes == 2 and isinstance(settings.get("class_weight"), dict):
        settings = {"class_weight": {"virginica": 0.5}}
    weights = None if settings.get("class_weight") == "balanced" else 1 + np.arange(len(y)) % 3  # before 1.6 "balanced" did not count them
    own = setosa.SoftmaxClassifier(**settings).fit(X, y, weights)
    other = linear_model.LogisticRegression(solver="newton-cg", tol=1e-7, max_iter=10000, **settings).fit(X, y, weights)
    assert own.coef_.shape == other.coef_.shape and own.intercept_.shape == other.intercept_.shape
    np.testing.assert_allclose(own.coef_ - own.coef_.mean(0) * (classes > 2), other.coef_ - other.coef_.mean(0) * (classes > 2), atol=2e-5)
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(own.decision_function(X).shape, other.decision_function(X).shape)


def test_elastic_net_of_scikit_learn(iris):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = (iris[0] - iris[0].mean(0)) / iris[0].std(0), iris[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = linear_model.LogisticRegression(penalty="elasticnet", solver="saga", l1_ratio=0.7, C=0.2, tol=1e-8, max_iter=100000).fit(X, y)
    own = setosa.SoftmaxClassifier(C=0.2, l1_ratio=0.7).fit(X, y)
    np.testing.assert_allclose(own.coef_, other.coef_, atol=1e-4)
    assert ((own.coef_ == 0) == (abs(other.coef_) < 1e-6)).all() and (own.coef_ == 0).any()


def test_penalties_as_lambda(iris):
    X, y = iris
    by_c = setosa.SoftmaxClassifier(C=0.5).fit(X, y)
    by_l2 = setosa.SoftmaxClassifier(l2=1 / (0.5 * len(y))).fit(X, y)
    np.testing.assert_array_equal(by_c.coef_, by_l2.coef_)
    two = setosa.SoftmaxClassifier(C=0.5).fit(X[50:], y[50:])
    assert two.l2_ == 2 / (0.5 * 100) and two.l1_ == 0
    assert setosa.SoftmaxClassifier(C=np.inf).fit(X[50:], y[50:]).l2_ == 0


def test_what_is_remembered(iris):
    X, y = iris
    fitted = setosa.SoftmaxClassifier().fit(X, y)
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert fitted.coef_.shape == (3, 4) and fitted.intercept_.shape == (3,) and fitted.n_features_in_ == 4 and fitted.n_iter_.shape == (1,)
    assert set(fitted.predict(X)) <= set(y) and fitted.score(X, y) > 0.97
    np.testing.assert_allclose(np.log(fitted.predict_proba(X)), fitted.predict_log_proba(X), rtol=1e-9, atol=1e-12)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(again.model_.weights, fitted.model_.weights)
    assert again.model_.classes == fitted.model_.classes


def test_the_program_reads_what_was_saved(iris, run, source, tmp_path):
    X, y = iris
    fitted = setosa.SoftmaxClassifier().fit(X, y)
    fitted.save(tmp_path / "iris.safetensors")
    said = json.loads(run("eval", tmp_path / "iris.safetensors", os.path.join(source, "data", "iris.csv"), "--backend", "reference", "--json"))
    assert said["classes"] == fitted.classes_.tolist() if "classes" in said else True
    model = setosa.Model.load(tmp_path / "iris.safetensors")
    np.testing.assert_allclose(model.predict_proba(X), fitted.predict_proba(X), atol=1e-6)
    assert model.predict(X).tolist() == fitted.predict(X).tolist()
    assert "accuracy" in json.dumps(said) and f"{fitted.score(X, y):.6f}"[:6] in json.dumps(said)


def test_warm_start_goes_on(iris):
    X, y = iris
    estimator = setosa.SoftmaxClassifier(warm_start=True, solver="lbfgs", preconditioner="none", tol=1e-6).fit(X, y)
    assert estimator.n_iter_[0] > 10
    estimator.fit(X, y)
    assert estimator.n_iter_[0] <= 2


def test_random_state(iris):
    settings = {"solver": "sgd", "epochs": 3, "batch_size": 16}
    one, two, other = (setosa.SoftmaxClassifier(random_state=seed, **settings).fit(*iris).coef_ for seed in (7, np.random.RandomState(7), 8))
    np.testing.assert_array_equal(one, setosa.SoftmaxClassifier(random_state=7, **settings).fit(*iris).coef_)
    assert (one != other).any() and two.shape == one.shape


def test_progress_and_its_stop(iris):
    seen = []
    setosa.SoftmaxClassifier(solver="lbfgs", progress=seen.append).fit(*iris)
    assert [one.iteration for one in seen][:2] in ([0, 1], [1, 2]) and seen[-1].objective < seen[0].objective
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a stop that was asked for is no failure
        stopped = setosa.SoftmaxClassifier(solver="lbfgs", progress=lambda told: told.iteration < 3).fit(*iris)
    assert stopped.result_.stop_reason == "interrupted" and stopped.n_iter_[0] <= 4
    with pytest.raises(ZeroDivisionError):
        setosa.SoftmaxClassifier(progress=lambda told: 1 / 0).fit(*iris)


def test_not_converged_is_a_warning(iris):
    with pytest.warns(UserWarning, match="failed to converge after 2 iterations"):
        setosa.SoftmaxClassifier(solver="lbfgs", max_iter=2).fit(*iris)


def test_ctrl_c_stops():
    code = """
import numpy as np, os, signal, setosa
X, y = np.random.default_rng(0).normal(size=(2000, 50)), np.arange(2000) % 5
estimator = setosa.SoftmaxClassifier(backend="reference", solver="gd", tol=0, max_iter=10**9)
first = setosa.SoftmaxClassifier().fit(X[:10], y[:10])
import threading
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    estimator.fit(X, y)
except KeyboardInterrupt:
    print("stopped", hasattr(estimator, "coef_"), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "stopped False True\n", done.stderr


def test_other_threads_run_meanwhile():
    """The GIL is free while the library works."""
    import threading
    import time

    X, y = np.random.default_rng(0).normal(size=(3000, 40)), np.arange(3000) % 5
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    calls = []
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setosa.SoftmaxClassifier(
            backend="reference", solver="newton", max_iter=1, progress=lambda told: calls.append(time.perf_counter()) or True
        ).fit(X, y)
    end = time.perf_counter()
    done.set()
    thread.join()
    edges = [begin, *calls, end]
    a, b = max(zip(edges, edges[1:]), key=lambda pair: pair[1] - pair[0])  # the longest time inside the library
    assert b - a > 0.01
    assert sum(a < tick < b for tick in ticks) >= 3


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"C": 0}, "C=0 is not above 0"),
        ({"C": -1.0}, "C=-1.0"),
        ({"l1_ratio": 2}, "l1_ratio=2"),
        ({"l2": -1.0}, "l2"),
        ({"solver": "saga"}, "solver='saga' is none of auto, newton, lbfgs, gd, sgd, adam"),
        ({"backend": "cuda"}, "backend='cuda' is none of native, reference"),
        ({"backend": "reference", "device": "cpu"}, "computes on the host"),
        ({"solver": "gd", "epochs": "many"}, "epochs='many'"),
        ({"class_weight": "even"}, "class_weight='even'"),
        ({"class_weight": {"rose": 1.0}}, "names the class 'rose'"),
        ({"random_state": -1}, "random_state=-1"),
    ],
)
def test_what_makes_no_sense(iris, settings, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        setosa.SoftmaxClassifier(**settings).fit(*iris)


def test_labels_and_weights_that_cannot_be(iris):
    X, y = iris
    for labels, weights, words in (
        (y[:-1], None, "inconsistent numbers of samples"),
        (["a"] * 150, None, "only one class: 'a'"),
        (y, -np.ones(150), "negative"),
        (y, np.zeros(150), r"zero for every row|non-zero"),
        (y, np.ones(3), "sample_weight"),
        (None, None, "requires y"),
    ):
        with pytest.raises(ValueError, match=words):
            setosa.SoftmaxClassifier().fit(X, labels, weights)
    with pytest.raises(ValueError, match="not fitted"):
        setosa.SoftmaxClassifier().predict(X)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
