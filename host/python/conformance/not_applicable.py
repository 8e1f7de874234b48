"""Which of scikit-learn's tests of LogisticRegression are about something that SoftmaxClassifier is not."""

# What the tests call beside it, and what they then are about.
ELSEWHERE = {
    "LogisticRegressionCV": "LogisticRegressionCV; SoftmaxClassifierCV has parameters of its own",
    "_logistic_regression_path": "a function inside scikit-learn",
    "_log_reg_scoring_path": "a function inside scikit-learn",
}

NOT_APPLICABLE = {
    "test_logistic_regression_callback_support": "set_callbacks, an experiment of scikit-learn 1.9",
    "test_logistic_regression_callback_fitted_estimator": "set_callbacks, an experiment of scikit-learn 1.9",
    "test_logistic_regression_callback_support_warning": "set_callbacks, an experiment of scikit-learn 1.9",
    "test_logisticregression_warns_with_n_jobs": "n_jobs",
    "test_penalty_none": "a warning about the parameter penalty",
    "test_lr_penalty_l1ratio_incompatible": "a warning about the parameter penalty",
    "test_l1_ratio_non_elasticnet": "a warning about the parameter penalty",
    "test_penalty_deprecated": "a warning about the parameter penalty",
    "test_l1_ratio_None_deprecated": "a warning about l1_ratio=None, which is refused",
    "test_logreg_predict_proba_multinomial": "calls a private method of scikit-learn's class",
    "test_warm_start_newton_solver": "two fits of one step must be one of two to 1e-7; between fits weights are kept in f32, and agree to 1e-6",
    "test_multinomial_binary_probabilities": "multi_class, which scikit-learn no longer has: two classes with two vectors of weights",
    "test_warning_on_penalty_string_none": "a warning about the parameter penalty",
    "test_newton_cholesky_fallback_to_lbfgs": "what one of scikit-learn's solvers does inside",
    "test_logistic_regression_array_api_compliance": "arrays of other libraries than NumPy",
    "test_logistic_regression_array_api_warm_start": "arrays of other libraries than NumPy",
}

# (test, solver)
NOT_APPLICABLE_WITH = {("test_max_iter", solver): "the words of another warning" for solver in ("newton-cg", "newton-cholesky", "sag", "saga")}
NOT_APPLICABLE_WITH.update({("test_large_sparse_matrix", solver): "must refuse 64-bit indices, which are taken here" for solver in ("sag", "saga")})
