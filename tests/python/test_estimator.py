"""scikit-learn's own checks of an estimator: none may fail, and none is excused."""

import pytest
import setosa

sklearn = pytest.importorskip("sklearn")
from sklearn.utils import estimator_checks  # noqa: E402

ESTIMATORS = [setosa.SoftmaxClassifier(), setosa.SoftmaxClassifierCV(cv=2, n_lambdas=3, lambda_min=1e-4, lambda_max=0.1)]


def checks():
    generate = getattr(estimator_checks, "estimator_checks_generator", None)
    found = []
    for estimator in ESTIMATORS:
        pairs = generate(estimator) if generate else estimator_checks.check_estimator(estimator, generate_only=True)
        found += [pytest.param(one, check, id=f"{type(one).__name__}-{getattr(check, 'func', check).__name__}") for one, check in pairs]
    return found


@pytest.mark.parametrize("estimator, check", checks())
@pytest.mark.filterwarnings("ignore")
def test_check_estimator(estimator, check):
    check(estimator)
