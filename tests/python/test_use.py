"""Cross-validation, models as such, and measuring."""

import json
import os
import pickle

import numpy as np
import pytest
import setosa


def test_cross_validation_as_the_program_does_it(iris, run, source):
    said = json.loads(run("cv", os.path.join(source, "data", "iris.csv"), "--folds", 5, "--l2-path", "1e-4:1:5", "--backend", "reference", "--json"))
    fitted = setosa.SoftmaxClassifierCV(cv=5, n_lambdas=5, lambda_min=1e-4, lambda_max=1, backend="reference").fit(*iris)
    text = json.dumps(said)
    assert json.dumps(fitted.lambda_min_) in text and json.dumps(fitted.lambda_1se_) in text
    for loss in fitted.log_loss_:
        assert f"{loss:.6g}"[:7] in text, (loss, text)
    assert fitted.lambda_ == fitted.lambda_min_ and fitted.fold_log_loss_.shape == (5, 5) == fitted.fold_accuracy_.shape
    assert np.bincount(fitted.fold_).tolist() == [30] * 5
    np.testing.assert_allclose(fitted.coef_, setosa.SoftmaxClassifier(l2=fitted.lambda_, backend="reference").fit(*iris).coef_, rtol=1e-2, atol=1e-3)


def test_folds_of_a_splitter(iris):
    model_selection = pytest.importorskip("sklearn.model_selection")
    X, y = iris
    splitter = model_selection.StratifiedKFold(4)
    settings = {"n_lambdas": 3, "lambda_min": 1e-3, "lambda_max": 0.1}
    fitted = setosa.SoftmaxClassifierCV(cv=splitter, **settings).fit(X, y)
    for number, (train, test) in enumerate(splitter.split(X, y)):
        assert (fitted.fold_[test] == number).all() and (fitted.fold_[train] != number).all()
        alone = setosa.SoftmaxClassifier(l2=0.1).fit(X[train], y[train])
        loss = -np.log(alone.predict_proba(X[test])[np.arange(len(test)), np.searchsorted(alone.classes_, y[test])]).mean()
        assert abs(loss - fitted.fold_log_loss_[number, 0]) < 1e-4
    with pytest.raises(ValueError, match="in the test rows of two folds"):
        setosa.SoftmaxClassifierCV(cv=[(None, [0, 1]), (None, [1, 2])], **settings).fit(X, y)
    with pytest.raises(ValueError, match="row 2 is in no fold's test rows"):
        setosa.SoftmaxClassifierCV(cv=[(None, [0]), (None, [1])], **settings).fit(X, y)


def test_choice_and_stop_of_a_cross_validation(iris):
    wide = setosa.SoftmaxClassifierCV(choice="1se", n_lambdas=6, cv=5).fit(*iris)
    assert wide.lambda_ == wide.lambda_1se_ >= wide.lambda_min_ and wide.l2_ == wide.lambda_
    with pytest.raises(KeyboardInterrupt):
        setosa.SoftmaxClassifierCV(progress=lambda told: told.fit < 3).fit(*iris)
    with pytest.raises(setosa.UsageError, match="choice='best' is none of min, 1se"):
        setosa.SoftmaxClassifierCV(choice="best").fit(*iris)


def test_a_model_of_arrays(tmp_path):
    weights, bias = np.arange(6, dtype=float).reshape(2, 3), [0.5, -0.5]
    model = setosa.Model.of(weights, bias)
    np.testing.assert_array_equal(model.weights, weights)
    np.testing.assert_array_equal(model.bias, bias)
    assert model.classes == ["0", "1"] and model.feature_names is None and model.offset is None and model.scale is None
    X = np.random.default_rng(0).normal(size=(1000, 3))
    logits = X @ weights.T + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    assert model.predict(X).tolist() == [str(k) for k in expected.argmax(axis=1)]
    assert model.predict_proba(X[:0]).shape == (0, 2)
    model.save(tmp_path / "m.safetensors")
    for other in (setosa.Model.load(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.weights, weights)
    assert setosa.Model.load(tmp_path / "m.safetensors").metadata
    with pytest.raises(ValueError, match="the model has 3 features"):
        model.predict(X[:, :2])
    with pytest.raises(setosa.DataError):
        setosa.Model.load(os.devnull)
    with pytest.raises(OSError):
        model.save(tmp_path / "nowhere" / "m.safetensors")


def test_export_and_import(iris, tmp_path):
    fitted = setosa.SoftmaxClassifier().fit(*iris)
    fitted.export(tmp_path / "m.json")
    written = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert written["classes_"] == fitted.classes_.tolist()
    np.testing.assert_allclose(written["coef_"], fitted.model_.weights, rtol=1e-6)
    np.testing.assert_array_equal(setosa.Model.import_file(tmp_path / "m.json").weights, fitted.model_.weights)
    np.savez(tmp_path / "s.npz", coef_=fitted.coef_, intercept_=fitted.intercept_, classes_=fitted.classes_)
    np.testing.assert_allclose(setosa.Model.import_file(tmp_path / "s.npz").predict_proba(iris[0]), fitted.predict_proba(iris[0]), atol=1e-6)
    with pytest.raises(setosa.UsageError, match=r"m\.docx"):
        fitted.export(tmp_path / "m.docx")


def test_temperature(iris):
    model = setosa.SoftmaxClassifier().fit(*iris).model_
    sharp = model.predict_proba(iris[0])
    assert model.temperature == 1
    model.temperature = 2.0
    soft = np.sqrt(sharp.astype(float))
    np.testing.assert_allclose(model.predict_proba(iris[0]), soft / soft.sum(axis=1, keepdims=True), atol=1e-6)
    with pytest.raises(setosa.UsageError):
        model.temperature = 0


def test_a_scaled_model_of_the_program(run, source, tmp_path, iris):
    run("train", os.path.join(source, "data", "iris.csv"), "--standardize", "--backend", "reference", "--model", tmp_path / "m.safetensors", "-q")
    model = setosa.Model.load(tmp_path / "m.safetensors")
    logits = ((iris[0] - model.offset) * model.scale) @ model.weights.T.astype(float) + model.bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(iris[0]), expected, atol=2e-6)


def test_on_a_device(iris, device):
    model = setosa.SoftmaxClassifier(device=device).fit(*iris)
    on_device = model.model_.predict_proba(iris[0], device=device)
    np.testing.assert_allclose(on_device, model.predict_proba(iris[0]), atol=1e-6)


def test_several_threads_share_a_device(iris, device):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        fits = list(pool.map(lambda _: setosa.SoftmaxClassifier(device=device).fit(*iris).coef_, range(8)))
    for coef in fits[1:]:
        np.testing.assert_array_equal(coef, fits[0])


def test_bench(iris):
    heard = []
    measured = setosa.bench(*iris, backends=("reference", "blas"), what=("step", "predict"), repeat=3, seconds=0.1, doing=heard.append)
    assert {(one.backend, one.what) for one in measured.results} == {(b, w) for b in ("reference", "blas") for w in ("step", "predict")}
    assert all((one.status == "ok" and one.median_ms > 0) or (one.status == "skipped" and one.reason) for one in measured.results)
    assert measured.limits[-1].device == "host" and heard
    with pytest.raises(ValueError, match="what='steps' is none of step"):
        setosa.bench(*iris, what=["steps"])
