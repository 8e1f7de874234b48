"""DataFrames of pandas or polars whose columns are numbers and names."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "dtypes") and hasattr(X, "shape")


def _column(X: Any, i: int) -> Any:
    return X.iloc[:, i] if hasattr(X, "iloc") else X.to_series(i)


def _kind(column: Any) -> str:
    """ "names", "numbers" or what else the column holds."""
    text = str(column.dtype).lower()
    if text.startswith(("category", "categorical", "enum", "string", "str", "utf8")):
        return "names"
    if text.startswith("object"):
        values = column.to_numpy()
        return "names" if any(isinstance(value, str) for value in values) else "numbers"
    if text.startswith(("int", "uint", "float", "bool", "decimal")):
        return "numbers"
    return text


def _values(column: Any) -> np.ndarray:
    """Texts (rows,) of a column of names; None where one is missing."""
    missing = np.asarray(column.isna() if hasattr(column, "isna") else column.is_null(), dtype=bool)
    values = np.asarray(column.astype(object) if hasattr(column, "iloc") else column.to_list(), dtype=object)
    out = np.empty(len(values), dtype=object)
    out[:] = [None if gone else str(value) for value, gone in zip(values, missing)]
    return out


class Encoder:
    """Columns as features: a number as it is, and of names a 0 or 1 for each level, as the tables of `setosa train` are read.

    A name that the training rows did not have is none of the levels. A missing value is refused: fill it in before.
    """

    def __init__(self, X: Any) -> None:
        self.columns = [str(name) for name in X.columns]
        self.levels: list[list[str] | None] = []
        for i, name in enumerate(self.columns):
            column = _column(X, i)
            kind = _kind(column)
            if kind not in ("names", "numbers"):
                raise TypeError(f"column {name!r} holds {kind}, which is neither numbers nor names; make it one of them, or drop it")
            self.levels.append(sorted(set(self._names(column, name)), key=str.encode) if kind == "names" else None)

    @staticmethod
    def needed(X: Any) -> bool:
        return is_frame(X) and any(_kind(_column(X, i)) != "numbers" for i in range(X.shape[1]))

    @staticmethod
    def _names(column: Any, name: str) -> np.ndarray:
        values = _values(column)
        for row, value in enumerate(values):
            if value is None:
                raise ValueError(f"Input X contains NaN: column {name!r} has no value in row {row}; fill it in, as by SimpleImputer, or drop the row")
        return values

    @property
    def names(self) -> list[str]:
        """Of the features (features,): the column's, and COLUMN=LEVEL."""
        return [
            one for name, levels in zip(self.columns, self.levels) for one in ([name] if levels is None else [f"{name}={level}" for level in levels])
        ]

    def encode(self, X: Any) -> np.ndarray:
        """(rows,features) f64."""
        if not is_frame(X):
            raise ValueError("X has no named columns, and the model was fitted on a DataFrame with columns of names; give it such a one")
        out = np.zeros((X.shape[0], len(self.names)))
        at = 0
        for i, (name, levels) in enumerate(zip(self.columns, self.levels)):
            column = _column(X, i)
            if levels is None:
                out[:, at] = self._numbers(column, name)
                at += 1
                continue
            index = {level: at + n for n, level in enumerate(levels)}
            for row, value in enumerate(self._names(column, name)):
                place = index.get(value)
                if place is not None:
                    out[row, place] = 1
            at += len(levels)
        return out

    @staticmethod
    def _numbers(column: Any, name: str) -> np.ndarray:
        try:
            values = column.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(column, "iloc") else column.to_numpy().astype(np.float64)
        except (TypeError, ValueError) as problem:
            raise ValueError(f"column {name!r} was one of numbers when the model was fitted: {problem}") from None
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"Input X contains NaN or infinity: column {name!r}, row {row}")
        return values
