"""What goes in: arrays of all kinds, without a copy or without a loss."""

import pickle

import numpy as np
import pytest
import setosa
from setosa import _data


def values_of(dataset):
    """The rows as the library holds them, and where they lie."""
    pointer = _data.lib.setosa_dataset_values(dataset.pointer)
    array = np.ctypeslib.as_array(pointer, (dataset.rows, dataset.features))
    return array, array.ctypes.data


def same(one, other):
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=2e-5, atol=1e-7)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=2e-5, atol=1e-6)


def test_single_precision_is_not_copied(iris, tmp_path):
    X = iris[0].astype(np.float32)
    assert values_of(_data.make_dataset(X, None, 2))[1] == X.ctypes.data
    X.setflags(write=False)
    assert values_of(_data.make_dataset(X, None, 2))[1] == X.ctypes.data
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert values_of(_data.make_dataset(mapped, None, 2))[1] == mapped.ctypes.data
    plain = setosa.SoftmaxClassifier().fit(X, iris[1])
    np.testing.assert_array_equal(setosa.SoftmaxClassifier().fit(mapped, iris[1]).coef_, plain.coef_)
    np.testing.assert_array_equal(mapped, X)


@pytest.mark.parametrize("kind", ["f8", "f4", "f2", "g", ">f4", ">f8", "i8", "i4", "u1", "i1", "?", "O"])
@pytest.mark.parametrize("order", ["C", "F", "reversed", "every other"])
def test_numbers_of_any_kind_and_order(kind, order):
    rng = np.random.default_rng(3)
    numbers = rng.integers(0, 2 if kind == "?" else 100, size=(40, 3))
    X = numbers.astype(kind)
    X = {"C": X, "F": np.asfortranarray(X), "reversed": X[::-1, ::-1], "every other": np.repeat(X, 2, axis=1)[:, ::2]}[order]
    expected = numbers[::-1, ::-1] if order == "reversed" else numbers
    dataset = _data.make_dataset(np.asarray(X, dtype=np.float64) if kind == "O" else X, None, 2)
    np.testing.assert_array_equal(values_of(dataset)[0], expected.astype(np.float32))
    y = np.arange(40) % 2
    same(setosa.SoftmaxClassifier().fit(X, y), setosa.SoftmaxClassifier().fit(expected.astype(np.float64), y))


@pytest.mark.parametrize("kind", ["f8", "i8"])
@pytest.mark.parametrize("where", ["host", "device"])
def test_far_from_zero_without_a_loss(iris, kind, where, request):
    """At 1e8 f32 has steps of 8, and the flowers are of 0 to 8 cm."""
    settings = {"device": request.getfixturevalue("device")} if where == "device" else {}
    X, y = np.round(iris[0] * 10), iris[1]
    near = setosa.SoftmaxClassifier(**settings).fit(X, y)
    far = setosa.SoftmaxClassifier(**settings).fit((X + 1e8).astype(kind), y)
    # Of a device: the rounding of a loss in f32, some times.
    assert abs(far.result_.objective - near.result_.objective) < (1e-9 if where == "host" else 1e-6) * near.result_.objective
    # The objective is flat where the features go together: to its 1e-7 weights are known to some 1e-3.
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(far.predict_proba(X + 1e8), near.predict_proba(X), atol=5e-3)
    np.testing.assert_allclose(far.model_.predict_proba(X + 1e8), far.predict_proba(X + 1e8), atol=1e-6)
    again = pickle.loads(pickle.dumps(far))
    np.testing.assert_allclose(again.model_.predict_proba(X + 1e8), far.predict_proba(X + 1e8), atol=1e-6)


def test_far_from_zero_without_an_intercept_is_told(iris):
    with pytest.warns(UserWarning, match=r"features 1, 2, 3, \.\.\. \(4 in all\) .*fit_intercept=False"):
        setosa.SoftmaxClassifier(fit_intercept=False).fit(iris[0] + 1e8, iris[1])


def test_what_single_precision_cannot_hold():
    X, y = np.ones((6, 2)), [0, 1] * 3
    X[4, 1] = 1e300
    with pytest.raises(setosa.DataError, match=r"data:5:2: the value is infinite or beyond single precision \(3.4e38\)"):
        setosa.SoftmaxClassifier().fit(X, y)
    X[:, 1] = np.arange(6) * 1e-50
    with pytest.raises(setosa.DataError, match="the values of feature 2 are at most 5e-50, which is too small for single precision"):
        setosa.SoftmaxClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"NaN|nan"):
        setosa.SoftmaxClassifier().fit([[np.nan], [0]], [0, 1])
    with pytest.raises(ValueError):
        setosa.SoftmaxClassifier().fit([["a"], ["b"]], [0, 1])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), (3, 2, 2)])
def test_shapes_that_are_none(shape):
    with pytest.raises(ValueError):
        setosa.SoftmaxClassifier().fit(np.ones(shape), np.arange(shape[0]) % 2)


# ---- sparse -------------------------------------------------------------------------------------------------------


@pytest.fixture
def entries():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.random(80, 30, density=0.1, format="csr", random_state=0, dtype=np.float32)
    return matrix, np.arange(80) % 3


def test_csr_is_not_copied(entries):
    matrix, _ = entries
    dataset = _data.make_dataset(matrix, None, 3)
    # What keeps the arrays alive is the matrix's own, but for the beginnings of rows, which are 64 bits wide.
    _, begin, columns, values, _ = dataset._keep
    assert np.shares_memory(columns, matrix.indices) and np.shares_memory(values, matrix.data)
    matrix.indptr = matrix.indptr.astype(np.int64)
    matrix.indices = matrix.indices.astype(np.int32)
    assert np.shares_memory(_data.make_dataset(matrix, None, 3)._keep[1], matrix.indptr)
    assert begin.dtype == np.uint64


@pytest.mark.parametrize("form", ["csr_matrix", "csc_matrix", "coo_matrix", "lil_matrix", "csr_array"])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, bool])
def test_sparse_of_any_form(entries, form, kind):
    sparse = pytest.importorskip("scipy.sparse")
    matrix, y = entries
    matrix = (matrix * 10).astype(kind)
    before = matrix.copy()
    dense = setosa.SoftmaxClassifier(tol=1e-8).fit(matrix.toarray().astype(np.float32), y)
    given = getattr(sparse, form)(matrix)
    fitted = setosa.SoftmaxClassifier(tol=1e-8).fit(given, y)
    np.testing.assert_allclose(fitted.coef_, dense.coef_, atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(given), dense.predict_proba(matrix.toarray()), atol=1e-5)
    np.testing.assert_allclose(fitted.model_.predict_proba(given), fitted.predict_proba(given), atol=1e-6)
    assert (abs(before - matrix) > 0).nnz == 0


def test_entries_out_of_order_and_twice():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_matrix((np.array([1.0, 2, 3, 4]), np.array([2, 0, 1, 1]), np.array([0, 2, 4])), shape=(2, 3))
    dataset = _data.make_dataset(matrix, None, 2)
    assert dataset._keep[2].tolist() == [0, 2, 1] and dataset._keep[3].tolist() == [2, 1, 7]
    assert matrix.data.tolist() == [1, 2, 3, 4]  # the caller's own


def test_no_entries_at_all():
    sparse = pytest.importorskip("scipy.sparse")
    fitted = setosa.SoftmaxClassifier().fit(sparse.csr_matrix((6, 4)), [0, 1, 1] * 2)
    assert not fitted.coef_.any()
    np.testing.assert_allclose(fitted.predict_proba(sparse.csr_matrix((1, 4)))[0], [1 / 3, 2 / 3], atol=1e-6)


# ---- tables -------------------------------------------------------------------------------------------------------

COLUMNS = {
    "height": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
    "colour": ["red", "green", "red", "blue", "green", "red"],
    "wet": [True, False, True, True, False, False],
}
Y = ["a", "b", "a", "b", "a", "b"]
NAMES = ["height", "colour=blue", "colour=green", "colour=red", "wet"]


@pytest.fixture(params=["pandas", "pandas category", "polars", "polars categorical"])
def frame(request):
    library = pytest.importorskip(request.param.split()[0])
    frame = library.DataFrame(COLUMNS)
    if request.param == "pandas category":
        frame["colour"] = frame["colour"].astype(library.CategoricalDtype(["red", "green", "blue", "never seen"]))
    if request.param == "polars categorical":
        frame = frame.with_columns(frame["colour"].cast(library.Categorical))
    return frame


def encoded():
    X = np.zeros((6, 5))
    X[:, 0], X[:, 4] = COLUMNS["height"], COLUMNS["wet"]
    X[np.arange(6), [1 + ["blue", "green", "red"].index(colour) for colour in COLUMNS["colour"]]] = 1
    return X


def test_columns_of_names(frame):
    fitted = setosa.SoftmaxClassifier().fit(frame, Y)
    assert fitted.get_feature_names_out().tolist() == NAMES == fitted.model_.feature_names
    assert fitted.feature_names_in_.tolist() == list(COLUMNS) and fitted.n_features_in_ == 3
    plain = setosa.SoftmaxClassifier().fit(encoded(), Y)
    np.testing.assert_array_equal(fitted.coef_, plain.coef_)
    np.testing.assert_array_equal(fitted.predict_proba(frame), plain.predict_proba(encoded()))
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(frame), fitted.predict_proba(frame))


def test_a_name_that_is_new_and_one_that_is_missing():
    pandas = pytest.importorskip("pandas")
    fitted = setosa.SoftmaxClassifier().fit(pandas.DataFrame(COLUMNS), Y)
    new = pandas.DataFrame({"height": [2.0], "colour": ["violet"], "wet": [True]})
    plain = setosa.SoftmaxClassifier().fit(encoded(), Y)
    np.testing.assert_array_equal(fitted.predict_proba(new), plain.predict_proba([[2, 0, 0, 0, 1]]))
    new["colour"] = [None]
    with pytest.raises(ValueError, match="column 'colour' has no value in row 0"):
        fitted.predict(new)
    with pytest.raises(ValueError, match=r"feature names|has no named columns"):
        fitted.predict(new.rename(columns={"wet": "dry"}))
    with pytest.raises(ValueError, match="has no named columns"):
        fitted.predict(np.zeros((1, 3)))
    gone = pandas.DataFrame(COLUMNS)
    gone.loc[3, "height"] = np.nan
    with pytest.raises(ValueError, match="column 'height', row 3"):
        setosa.SoftmaxClassifier().fit(gone, Y)
    when = pandas.DataFrame({"day": pandas.to_datetime(["2026-01-01"] * 6)})
    with pytest.raises(TypeError, match="column 'day' holds datetime64"):
        setosa.SoftmaxClassifier().fit(when, Y)


def test_a_table_as_the_program_reads_it(source, run, tmp_path):
    """penguins.csv: the same features, and the same objective."""
    import json

    pandas = pytest.importorskip("pandas")
    path = f"{source}/data/penguins.csv"
    table = pandas.read_csv(path).dropna()
    model = tmp_path / "penguins.safetensors"
    said = json.loads(run("train", path, "--label", "species", "--l2", "0.001", "--backend", "reference", "--model", model, "--json"))
    X = table.drop(columns="species")
    if "rowid" in X:
        X = X.drop(columns="rowid")
    fitted = setosa.SoftmaxClassifier(l2=0.001, backend="reference").fit(X, table["species"])
    assert fitted.get_feature_names_out().tolist() == setosa.Model.load(model).feature_names
    assert abs(fitted.result_.objective - said["objective"]) < 1e-7 * said["objective"]
