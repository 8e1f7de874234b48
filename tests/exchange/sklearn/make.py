#!/usr/bin/env python3
"""Makes the files beside it with scikit-learn: classifiers as people save them, and what these say of a few rows.

    python3 tests/exchange/sklearn/make.py data/iris.csv

Last run with scikit-learn 1.9.1, NumPy 2.4.6 and pandas 3.1.1.
"""
import json
import sys
from pathlib import Path

import numpy
import pandas
from sklearn.linear_model import LogisticRegression

here = Path(__file__).parent
table = pandas.read_csv(sys.argv[1])
flowers, species = table.iloc[:, :4], table.iloc[:, 4]
FIELDS = ("coef_", "intercept_", "classes_", "feature_names_in_")


def save(name, features, labels):
    model = LogisticRegression(max_iter=5000).fit(features, labels)
    fields = {field: getattr(model, field) for field in FIELDS if hasattr(model, field)}
    (here / f"{name}.json").write_text(json.dumps({key: value.tolist() for key, value in fields.items()}) + "\n")
    for key in ("classes_", "feature_names_in_"):
        if key in fields and fields[key].dtype == object:
            fields[key] = fields[key].astype(str)
    numpy.savez_compressed(here / f"{name}.npz", **fields)
    some = features[::15]
    expected = {"rows": numpy.asarray(some).tolist(), "probabilities": model.predict_proba(some).tolist()}
    (here / f"{name}-expected.json").write_text(json.dumps(expected) + "\n")
    return model


save("three", flowers, species)
save("two", flowers, species == "virginica")
model = save("numbers", flowers.to_numpy(numpy.float32), (species == "setosa").to_numpy() * 7 - 1)  # classes -1 and 6, no names
numpy.savez(here / "objects.npz", coef_=model.coef_, intercept_=model.intercept_, classes_=model.classes_.astype(object))
