"""Arrays as data sets of the library, without a copy where that can be."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ._library import DataError, Handle, call, lib, texts

_EXACT_IN_F32 = 2**24  # whole numbers up to here


class Dataset(Handle):
    """Rows of the library, and the arrays that it borrows."""

    def __init__(self, pointer: ctypes.c_void_p, keep: tuple[Any, ...], rows: int, features: int, classes: int) -> None:
        super().__init__(pointer, lib.setosa_dataset_destroy)
        self._keep = keep
        self.rows, self.features, self.classes = rows, features, classes

    def shifted(self) -> list[int]:
        """Features, from 0, that are held as x - shift because they are far from 0."""
        shift = lib.setosa_dataset_shift(self.pointer)
        return np.flatnonzero(np.ctypeslib.as_array(shift, (self.features,))).tolist() if shift else []

    def set_weights(self, weights: np.ndarray | None) -> None:
        """weights (rows,), or None: every row counts 1."""
        if weights is not None:
            single = np.ascontiguousarray(weights, dtype=np.float32)
            call(lib.setosa_dataset_set_weights, self.pointer, single.ctypes.data)

    def set_names(self, features: Any, classes: Any) -> None:
        """Names (features,) and (classes,) that a model keeps; None: none."""
        call(lib.setosa_dataset_set_names, self.pointer, texts(features), texts(classes))


def is_sparse(X: Any) -> bool:
    """A matrix or array of scipy.sparse, which need not be installed."""
    return hasattr(X, "tocsr") and hasattr(X, "nnz")


def _in_single(X: np.ndarray) -> np.ndarray | None:
    """X (rows,features) as C-ordered f32 with the same numbers, X itself where it is that already; None: f32 may not hold them."""
    kind, size = X.dtype.kind, X.dtype.itemsize
    if kind == "f" and size > 4:
        return None
    if kind in "iu" and size > 2 and X.size and max(abs(int(X.min())), abs(int(X.max()))) > _EXACT_IN_F32:
        return None
    if kind not in "biuf":
        raise DataError(f"numbers are needed, and X holds {X.dtype}; convert it, or give names as categorical columns of a DataFrame")
    return np.require(X, dtype=np.float32, requirements=["C", "A"])


def _from_doubles(X: np.ndarray, labels: np.ndarray | None, classes: int, options: Any) -> tuple[ctypes.c_void_p, tuple[Any, ...]]:
    values = X if X.dtype == np.float64 and all(stride % 8 == 0 for stride in X.strides) and X.flags.aligned else X.astype(np.float64)
    pointer = ctypes.c_void_p()
    rows, features = values.shape
    call(
        lib.setosa_dataset_copy,
        ctypes.byref(pointer),
        rows,
        features,
        classes,
        values.ctypes.data,
        values.strides[0] // 8,
        values.strides[1] // 8,
        None if labels is None else labels.ctypes.data,
        ctypes.byref(options),
    )
    return pointer, ()


def _from_sparse(X: Any, labels: np.ndarray | None, classes: int) -> tuple[ctypes.c_void_p, tuple[Any, ...]]:
    matrix = X.tocsr()
    if not matrix.has_canonical_format:
        matrix = matrix.copy() if matrix is X else matrix
        matrix.sum_duplicates()  # and sorts
    values = _in_single(matrix.data[np.newaxis, :])
    if values is None:
        values = matrix.data.astype(np.float32)
    begin = matrix.indptr.view(np.uint64) if matrix.indptr.dtype == np.int64 else matrix.indptr.astype(np.uint64)
    columns = matrix.indices.view(np.uint32) if matrix.indices.dtype == np.int32 else matrix.indices.astype(np.uint32)
    begin, columns, values = (np.ascontiguousarray(one).ravel() for one in (begin, columns, values))
    pointer = ctypes.c_void_p()
    call(
        lib.setosa_dataset_wrap_sparse,
        ctypes.byref(pointer),
        *matrix.shape,
        classes,
        begin.ctypes.data,
        # Of no entries numpy may have no address, and NULL means something else.
        columns.ctypes.data or begin.ctypes.data,
        values.ctypes.data or begin.ctypes.data,
        None if labels is None else labels.ctypes.data,
    )
    return pointer, (matrix, begin, columns, values, labels)


def make_dataset(X: Any, labels: np.ndarray | None, classes: int, *, model: ctypes.c_void_p | None = None) -> Dataset:
    """X (rows,features), an array of any numbers and order or scipy.sparse, with labels (rows,) int32 in 0..classes-1 or None.

    f32 in C order and the entries of CSR are used where they lie, so they must stay as they are as long as the data set. Other numbers are
    copied once, into f32, and columns far from 0 are shifted before, or as `model` has them shifted.
    """
    rows, features = X.shape
    options = lib.setosa_model_data_options(model)
    if is_sparse(X):
        pointer, keep = _from_sparse(X, labels, classes)
        return Dataset(pointer, keep, rows, features, classes)
    single = None if options.expect_shift else _in_single(X)
    if single is None:
        pointer, keep = _from_doubles(X, labels, classes, options)
        return Dataset(pointer, keep, rows, features, classes)
    pointer = ctypes.c_void_p()
    call(
        lib.setosa_dataset_wrap,
        ctypes.byref(pointer),
        rows,
        features,
        classes,
        single.ctypes.data,
        None if labels is None else labels.ctypes.data,
    )
    return Dataset(pointer, (single, labels), rows, features, classes)
