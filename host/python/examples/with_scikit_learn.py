#!/usr/bin/env python3
"""Setosa among scikit-learn's tools: a tour in cells, to be run whole or cell by cell in an editor that knows `# %%`."""

# %% Handwritten digits: some of 1797 images of 8 x 8 pixels.
import numpy as np
import setosa
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=500, stratify=y, random_state=0)

# %% A classifier like any other.
digits = setosa.SoftmaxClassifier(C=0.01).fit(X_train, y_train)
print(f"digits: accuracy {digits.score(X_test, y_test):.4f}, {digits.result_.solver} on {digits.result_.backend}")

# %% The optimum is that of LogisticRegression with the same C.
other = LogisticRegression(C=0.01, solver="newton-cg", tol=1e-6).fit(X_train, y_train)
apart = abs(digits.predict_proba(X_test) - other.predict_proba(X_test)).max()
print(f"LogisticRegression: largest difference of a probability {apart:.1e}")
assert apart < 1e-3

# %% In a pipeline, judged by cross-validation.
pipeline = make_pipeline(StandardScaler(), setosa.SoftmaxClassifier(C=0.1))
scores = cross_val_score(pipeline, X_train, y_train, cv=StratifiedKFold(4), scoring="neg_log_loss")
print(f"cross_val_score: log-loss {-scores.mean():.4f} +- {scores.std():.4f}")

# %% A search for C, and Setosa's own along a path of penalties, which brings X to the device once.
search = GridSearchCV(pipeline, {"softmaxclassifier__C": [0.01, 0.1, 1.0]}, cv=3, scoring="neg_log_loss").fit(X_train, y_train)
print(f"GridSearchCV: {search.best_params_}, log-loss {-search.score(X_test, y_test):.4f}")
path = setosa.SoftmaxClassifierCV(cv=4, n_lambdas=6, lambda_min=1e-5, lambda_max=1.0).fit(StandardScaler().fit_transform(X_train), y_train)
print(f"SoftmaxClassifierCV: lambda {path.lambda_:.3g}, log-loss {path.log_loss_.min():.4f}")

# %% Probabilities that are calibrated.
plain = setosa.SoftmaxClassifier(C=1000.0).fit(X_train, y_train)
calibrated = CalibratedClassifierCV(setosa.SoftmaxClassifier(C=1000.0), cv=3).fit(X_train, y_train)
before, after = (log_loss(y_test, one.predict_proba(X_test)) for one in (plain, calibrated))
print(f"CalibratedClassifierCV: log-loss {before:.4f} before, {after:.4f} after")

# %% Which measurement of a flower tells its species.
iris = load_iris()
flowers = setosa.SoftmaxClassifier().fit(iris.data, iris.target_names[iris.target])
found = permutation_importance(flowers, iris.data, iris.target_names[iris.target], n_repeats=10, random_state=0)
for d in np.argsort(-found.importances_mean):
    print(f"permutation_importance: {iris.feature_names[d]:18s} {found.importances_mean[d]:.3f}")

# %% Columns of names: by themselves, or by scikit-learn's encoder.
try:
    import pandas
except ImportError:
    print("DataFrame: pandas is not installed")
else:
    table = pandas.DataFrame({"petal": iris.data[:, 2], "colour": np.where(np.arange(150) % 3 == 0, "white", "blue")})
    own = setosa.SoftmaxClassifier().fit(table, iris.target)
    encoder = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
    theirs = make_pipeline(encoder, setosa.SoftmaxClassifier()).fit(table, iris.target)
    assert (own.predict(table) == theirs.predict(table)).all()
    print(f"DataFrame: {', '.join(own.get_feature_names_out())}; accuracy {own.score(table, iris.target):.4f}")
