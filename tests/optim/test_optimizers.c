/* Every optimizer on small problems and at the edges: what they reach, how they stop, what they leave behind. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "compute/backends.h"
#include "compute/open.h"
#include "optim/common.h"
#include "optim/minibatch.h"
#include "support/dataset.h"

enum { MAX_PARAMETERS = 256 };
static const SetosaSolver solvers[] = {SETOSA_SOLVER_LBFGS, SETOSA_SOLVER_GD, SETOSA_SOLVER_SGD, SETOSA_SOLVER_ADAM};

typedef struct Problem {
  Dataset *data;
  float *values;
  int32_t *labels;
  Backend *backend;
  Objective objective;
  Vector *w;
} Problem;

/* Labels by the largest of the first `classes` features, some of them wrong: convex, and not separable. */
static void open_problem(Problem *p, size_t rows, size_t features, size_t classes, double l2) {
  p->values = malloc(rows * features * sizeof(float));
  p->labels = malloc(rows * sizeof(int32_t));
  for (size_t i = 0; i < rows * features; i++) p->values[i] = (float)random_symmetric(3, RANDOM_STREAM_CHECK, 1, i);
  for (size_t i = 0; i < rows; i++) {
    size_t top = 0;
    for (size_t d = 1; d < classes && d < features; d++)
      if (p->values[i * features + d] > p->values[i * features + top]) top = d;
    bool wrong = random_below(3, RANDOM_STREAM_CHECK, 2, i, 5) == 0;
    p->labels[i] = (int32_t)(wrong ? random_below(3, RANDOM_STREAM_CHECK, 3, i, classes) : top);
  }
  p->data = wrap_arrays(rows, features, classes, p->values, p->labels);
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  assert_int_equal(reference_open(&p->backend, p->data, &settings, NULL), SETOSA_OK);
  assert_int_equal(objective_open(&p->objective, p->backend, &(ObjectiveTerms){.l2 = l2}, NULL), SETOSA_OK);
  assert_int_equal(vector_create(p->backend, &p->w, NULL), SETOSA_OK);
}

static void close_problem(Problem *p) {
  vector_destroy(p->backend, p->w);
  objective_close(&p->objective);
  BackendFacts facts;
  backend_facts(p->backend, &facts);
  backend_close(p->backend);
  setosa_dataset_destroy(p->data);
  free(p->values);
  free(p->labels);
}

static OptimizerSettings settings_of(SetosaSolver solver) {
  return (OptimizerSettings){.solver = solver,
                             .max_iterations = 2000,
                             .epochs = 300,
                             .seed = 5,
                             .tolerance = 1e-6,
                             .learning_rate = NAN,
                             .history = 10,
                             .batch_size = 16,
                             .schedule = SETOSA_SCHEDULE_COSINE};
}

static OptimizerReport minimize(Problem *p, const OptimizerSettings *settings) {
  OptimizerReport report = {.reason = (StopReason)77};
  Error error = {0};
  assert_int_equal(optimizer_minimize(&p->objective, p->w, settings, &report, &error), SETOSA_OK);
  assert_string_equal(error.message, "");
  assert_string_not_equal(optimizer_reason_name(report.reason), "unknown");
  return report;
}

/* What the report says of w is true of w. */
static void check_report_is_of_w(Problem *p, const OptimizerReport *report) {
  Vector *g = NULL;
  Evaluation at = {NAN, NAN, NAN, NAN};
  assert_int_equal(vector_create(p->backend, &g, NULL), SETOSA_OK);
  assert_int_equal(objective_evaluate(&p->objective, p->w, backend_all_rows(p->backend), g, &at, NULL), SETOSA_OK);
  support_near(at.objective / report->at.objective, 1, 1e-14); /* penalties may be added up in another order */
  assert_float_equal(at.gradient_norm, report->at.gradient_norm, 1e-15 + 1e-12 * at.gradient_norm);
  vector_destroy(p->backend, g);
}

static double optimum_of(size_t rows, size_t features, size_t classes, double l2) {
  Problem p;
  open_problem(&p, rows, features, classes, l2);
  OptimizerSettings settings = settings_of(SETOSA_SOLVER_LBFGS);
  settings.tolerance = 1e-11;
  OptimizerReport report = minimize(&p, &settings);
  assert_int_equal(report.reason, STOP_GRADIENT_TOLERANCE);
  close_problem(&p);
  return report.at.objective;
}

/* 200 rows in batches of 16 leave one of 8, which must not bias the stochastic ones.
 * Two optimizers that share no step rule agree on the minimum; the stochastic ones come as near as their noise allows. */
static void test_all_reach_the_optimum(void **state) {
  (void)state;
  const size_t classes[] = {2, 3, 7};
  const double tolerances[] = {1e-10, 1e-9, 2e-6, 2e-5}; /* relative, by solver */
  for (size_t c = 0; c < 3; c++) {
    double best = optimum_of(200, 8, classes[c], 0.01);
    for (size_t s = 0; s < 4; s++) {
      Problem p;
      open_problem(&p, 200, 8, classes[c], 0.01);
      OptimizerSettings settings = settings_of(solvers[s]);
      if (solvers[s] == SETOSA_SOLVER_SGD) settings.momentum = 0.9, settings.nesterov = c % 2 == 0;
      OptimizerReport report = minimize(&p, &settings);
      assert_float_equal(report.at.objective, best, tolerances[s] * best);
      assert_true(report.at.objective >= best * (1.0 - 1e-12));
      assert_int_equal(report.reason, s < 2 ? STOP_GRADIENT_TOLERANCE : STOP_EPOCHS_DONE);
      if (s >= 2) assert_int_equal(report.iterations, 300);
      check_report_is_of_w(&p, &report);
      close_problem(&p);
    }
  }
}

static void test_history_of_any_length(void **state) {
  (void)state;
  double best = optimum_of(150, 6, 4, 0.003);
  const size_t histories[] = {0, 1, 2, 5, 100};
  for (size_t h = 0; h < sizeof histories / sizeof *histories; h++) {
    Problem p;
    open_problem(&p, 150, 6, 4, 0.003);
    OptimizerSettings settings = settings_of(SETOSA_SOLVER_LBFGS);
    settings.history = histories[h];
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_GRADIENT_TOLERANCE);
    assert_float_equal(report.at.objective, best, 1e-9);
    close_problem(&p);
  }
}

/* ---- stopping --------------------------------------------------------------------------------------------------- */

static void test_no_iterations_evaluates_only(void **state) {
  (void)state;
  for (size_t s = 0; s < 2; s++) {
    Problem p;
    open_problem(&p, 20, 3, 3, 0.1);
    OptimizerSettings settings = settings_of(solvers[s]);
    settings.max_iterations = 0;
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_MAX_ITERATIONS);
    assert_int_equal(report.iterations, 0);
    assert_int_equal(report.evaluations, 1);
    assert_float_equal(report.at.objective, log(3.0), 1e-15);
    close_problem(&p);
  }
}

static void test_start_at_the_optimum(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    Problem p;
    open_problem(&p, 20, 3, 3, 0.1);
    OptimizerSettings settings = settings_of(SETOSA_SOLVER_LBFGS);
    settings.tolerance = 1e-9;
    minimize(&p, &settings);
    settings = settings_of(solvers[s]);
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_GRADIENT_TOLERANCE);
    assert_int_equal(report.iterations, 0);
    close_problem(&p);
  }
}

typedef struct Watch {
  uint64_t calls, stop_after;
  double last_objective;
} Watch;

static bool watch(const OptimizerStep *step, const Vector *w, void *user) {
  Watch *seen = user;
  assert_non_null(w);
  seen->calls++;
  assert_int_equal(step->iteration, seen->calls);
  assert_true(step->evaluations > step->iteration);
  assert_true(step->step > 0.0 && isfinite(step->step));
  assert_true(isfinite(step->at.objective) && isfinite(step->at.gradient_norm));
  seen->last_objective = step->at.objective;
  return seen->calls != seen->stop_after;
}

static void test_observer_interrupts(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    Problem p;
    Watch seen = {.stop_after = 3};
    open_problem(&p, 100, 6, 3, 0.01);
    OptimizerSettings settings = settings_of(solvers[s]);
    settings.observe = watch;
    settings.user = &seen;
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_INTERRUPTED);
    assert_int_equal(seen.calls, 3);
    assert_int_equal(report.iterations, 3);
    assert_true(report.at.objective == seen.last_objective);
    check_report_is_of_w(&p, &report);
    close_problem(&p);
  }
}

/* Steps that overflow end with finite weights no worse than the start. */
static void test_huge_learning_rate(void **state) {
  (void)state;
  const double rates[] = {1e41, 1e100, 1e300, 1e308};
  for (size_t s = 1; s < 4; s++) {
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
      Problem p;
      open_problem(&p, 100, 6, 3, 0); /* with a penalty its implicit step would hold the weights */
      OptimizerSettings settings = settings_of(solvers[s]);
      settings.learning_rate = rates[r];
      settings.schedule = SETOSA_SCHEDULE_CONSTANT;
      OptimizerReport report = minimize(&p, &settings);
      assert_int_equal(report.reason, STOP_NON_FINITE);
      assert_true(isfinite(report.at.objective) && report.at.objective <= log(3.0) + 1e-12);
      double w[MAX_PARAMETERS];
      vector_read(p.backend, p.w, w, NULL);
      for (size_t i = 0; i < p.backend->parameters; i++) assert_true(fabs(w[i]) < 1e30);
      check_report_is_of_w(&p, &report);
      close_problem(&p);
    }
  }
}

static void test_start_that_overflows(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    Problem p;
    open_problem(&p, 10, 3, 3, 0.01);
    double start[12] = {INFINITY}, after[12] = {NAN};
    vector_write(p.backend, p.w, start, NULL);
    OptimizerSettings settings = settings_of(solvers[s]);
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_NON_FINITE);
    assert_int_equal(report.iterations, 0);
    vector_read(p.backend, p.w, after, NULL);
    assert_memory_equal(after, start, sizeof start);
    close_problem(&p);
  }
}

/* ---- odd data --------------------------------------------------------------------------------------------------- */

/* Separable rows without a penalty have no minimum: the end is a stop, never a NaN. */
static void test_separable_without_penalty(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    Problem p;
    open_problem(&p, 40, 2, 2, 0.0);
    for (size_t i = 0; i < 40; i++) {
      p.labels[i] = i % 2;
      p.values[2 * i] = i % 2 == 0 ? -1.0f : 1.0f;
    }
    OptimizerSettings settings = settings_of(solvers[s]);
    settings.tolerance = 1e-300;
    OptimizerReport report = minimize(&p, &settings);
    assert_true(report.reason == STOP_NO_PROGRESS || report.reason == STOP_MAX_ITERATIONS || report.reason == STOP_EPOCHS_DONE ||
                report.reason == STOP_GRADIENT_TOLERANCE || report.reason == STOP_PRECISION);
    assert_true(report.at.objective >= 0.0 && report.at.objective < 0.05);
    assert_true(isfinite(report.at.gradient_norm));
    check_report_is_of_w(&p, &report);
    close_problem(&p);
  }
}

/* Every row of one class: the free bias carries the loss towards 0. */
static void test_one_class_labels(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    Problem p;
    open_problem(&p, 30, 3, 3, 0.1);
    for (size_t i = 0; i < 30; i++) p.labels[i] = 1;
    OptimizerSettings settings = settings_of(solvers[s]);
    OptimizerReport report = minimize(&p, &settings);
    assert_true(report.at.objective >= 0.0 && report.at.objective < 0.1);
    close_problem(&p);
  }
}

/* Constant features say no more than the bias: the optimum is the entropy of the class frequencies, with weights that vanish. */
static void test_constant_features(void **state) {
  (void)state;
  for (size_t s = 0; s < 2; s++) {
    Problem p;
    open_problem(&p, 30, 2, 3, 0.1);
    for (size_t i = 0; i < 60; i++) p.values[i] = i % 2 == 0 ? 3.0f : 0.0f;
    for (size_t i = 0; i < 30; i++) p.labels[i] = i < 15 ? 0 : i < 24 ? 1 : 2;
    OptimizerSettings settings = settings_of(solvers[s]);
    OptimizerReport report = minimize(&p, &settings);
    assert_int_equal(report.reason, STOP_GRADIENT_TOLERANCE);
    assert_float_equal(report.at.objective, -(0.5 * log(0.5) + 0.3 * log(0.3) + 0.2 * log(0.2)), 1e-8);
    close_problem(&p);
  }
}

/* One row; more rows in a batch than there are; a last batch of one row. */
static void test_batch_sizes(void **state) {
  (void)state;
  const size_t rows[] = {1, 33, 33, 33, 33}, batches[] = {16, 16, 1, 1000, 32};
  for (size_t c = 0; c < 5; c++) {
    for (size_t s = 2; s < 4; s++) {
      Problem p;
      open_problem(&p, rows[c], 3, 3, 0.1);
      OptimizerSettings settings = settings_of(solvers[s]);
      settings.batch_size = batches[c];
      settings.epochs = 5;
      OptimizerReport report = minimize(&p, &settings);
      assert_true(report.at.objective < log(3.0));
      assert_int_equal(report.evaluations, 11);
      close_problem(&p);
    }
  }
}

/* ---- the same bits twice, and the rules one by one ---------------------------------------------------------------- */

static void test_deterministic(void **state) {
  (void)state;
  for (size_t s = 0; s < 4; s++) {
    double first[MAX_PARAMETERS], again[MAX_PARAMETERS], other[MAX_PARAMETERS];
    double *runs[] = {first, again, other};
    size_t parameters = 0;
    for (int run = 0; run < 3; run++) {
      Problem p;
      open_problem(&p, 100, 6, 3, 0.01);
      OptimizerSettings settings = settings_of(solvers[s]);
      settings.epochs = settings.max_iterations = 7;
      settings.seed = run == 2 ? 6 : 5;
      minimize(&p, &settings);
      vector_read(p.backend, p.w, runs[run], NULL);
      parameters = p.backend->parameters;
      close_problem(&p);
    }
    assert_memory_equal(first, again, parameters * sizeof(double));
    bool differs = memcmp(first, other, parameters * sizeof(double)) != 0;
    assert_true(differs == (s >= 2)); /* the seed orders batches, and nothing else */
  }
}

/* One full batch, one epoch: w = -rate g exactly (SGD), and -rate sign(g) (Adam, whose first step divides m by sqrt(v)). */
static void test_first_updates(void **state) {
  (void)state;
  for (size_t s = 2; s < 4; s++) {
    Problem p;
    open_problem(&p, 40, 3, 3, 0.0);
    double g[MAX_PARAMETERS], w[MAX_PARAMETERS];
    Vector *gradient = NULL;
    vector_create(p.backend, &gradient, NULL);
    objective_evaluate(&p.objective, p.w, backend_all_rows(p.backend), gradient, NULL, NULL);
    vector_read(p.backend, gradient, g, NULL);
    vector_destroy(p.backend, gradient);
    OptimizerSettings settings = settings_of(solvers[s]);
    settings.batch_size = 40;
    settings.epochs = 1;
    settings.learning_rate = 0.25;
    minimize(&p, &settings);
    vector_read(p.backend, p.w, w, NULL);
    for (size_t i = 0; i < p.backend->parameters; i++)
      assert_float_equal(w[i], s == 2 ? -0.25 * g[i] : -0.25 * g[i] / (fabs(g[i]) + 1e-8), 1e-13);
    close_problem(&p);
  }
}

static void test_schedules(void **state) {
  (void)state;
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_CONSTANT, 2.0, 0.9), 2.0, 0.0);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_INVERSE, 2.0, 0.0), 2.0, 0.0);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_INVERSE, 2.0, 1.0), 0.2, 1e-15);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_COSINE, 2.0, 0.0), 2.0, 0.0);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_COSINE, 2.0, 0.5), 1.0, 1e-15);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_COSINE, 2.0, 1.0), 0.0, 1e-15);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_STEP, 2.0, 0.49), 2.0, 0.0);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_STEP, 2.0, 0.5), 0.2, 1e-15);
  assert_float_equal(minibatch_rate(SETOSA_SCHEDULE_STEP, 2.0, 0.75), 0.02, 1e-15);
}

/* ---- a backend that fails: the error comes out, and nothing leaks (the sanitizer build sees leaks) ---------------- */

static const BackendOperations *real_operations;
static unsigned calls_left;

static Status failing_evaluate(Backend *b, const Vector *w, RowRange rows, const Addition *addition, Vector *g, DataTerm *at,
                               Error *error) {
  if (calls_left-- == 0) return error_set(error, SETOSA_ERROR_DEVICE, "the device was lost");
  return real_operations->evaluate(b, w, rows, addition, g, at, error);
}

static Status failing_create(Backend *b, Vector **vector, Error *error) {
  if (calls_left-- == 0) return error_set(error, SETOSA_ERROR_DEVICE, "no memory left on the device");
  return real_operations->vector_create(b, vector, error);
}

static void test_failures_come_out(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    for (size_t s = 0; s < 4; s++) {
      for (unsigned after = 0; after < (kind == 0 ? 8 : 2); after++) {
        Problem p;
        Error error = {0};
        OptimizerReport report;
        open_problem(&p, 40, 3, 3, 0.01);
        real_operations = p.backend->operations;
        BackendOperations failing = *real_operations;
        if (kind == 0) failing.evaluate = failing_evaluate;
        if (kind == 1) failing.vector_create = failing_create;
        calls_left = after;
        p.backend->operations = &failing;
        OptimizerSettings settings = settings_of(solvers[s]);
        assert_int_equal(optimizer_minimize(&p.objective, p.w, &settings, &report, &error), SETOSA_ERROR_DEVICE);
        assert_non_null(strstr(error.message, "device"));
        p.backend->operations = real_operations;
        close_problem(&p);
      }
    }
  }
}

static void test_unknown_solver(void **state) {
  (void)state;
  Problem p;
  Error error = {0};
  OptimizerReport report;
  open_problem(&p, 4, 3, 3, 0.01);
  OptimizerSettings settings = settings_of((SetosaSolver)9);
  assert_int_equal(optimizer_minimize(&p.objective, p.w, &settings, &report, &error), SETOSA_ERROR_USAGE);
  assert_non_null(strstr(error.message, "lbfgs, gd, sgd or adam"));
  close_problem(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_reach_the_optimum),
      cmocka_unit_test(test_history_of_any_length),
      cmocka_unit_test(test_no_iterations_evaluates_only),
      cmocka_unit_test(test_start_at_the_optimum),
      cmocka_unit_test(test_observer_interrupts),
      cmocka_unit_test(test_huge_learning_rate),
      cmocka_unit_test(test_start_that_overflows),
      cmocka_unit_test(test_separable_without_penalty),
      cmocka_unit_test(test_one_class_labels),
      cmocka_unit_test(test_constant_features),
      cmocka_unit_test(test_batch_sizes),
      cmocka_unit_test(test_deterministic),
      cmocka_unit_test(test_first_updates),
      cmocka_unit_test(test_schedules),
      cmocka_unit_test(test_failures_come_out),
      cmocka_unit_test(test_unknown_solver),
  };
  return support_run("optimizers", tests, NULL, NULL);
}
