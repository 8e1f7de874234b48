"""scikit-learn's own checks of an estimator: none may fail, and none is excused."""

import pytest
import setosa

sklearn = pytest.importorskip("sklearn")
from sklearn.utils import estimator_checks  # noqa: E402


def checks():
    estimator = setosa.SoftmaxClassifier()
    generate = getattr(estimator_checks, "estimator_checks_generator", None)
    pairs = generate(estimator) if generate else estimator_checks.check_estimator(estimator, generate_only=True)
    return [pytest.param(one, check, id=getattr(check, "func", check).__name__) for one, check in pairs]


@pytest.mark.parametrize("estimator, check", checks())
@pytest.mark.filterwarnings("ignore")
def test_check_estimator(estimator, check):
    check(estimator)
