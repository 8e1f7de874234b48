/* Newton, and L-BFGS with each preconditioner, on small problems in double: the optimum is where the gradient, written out, is 0. What is
 * added to the features changes nothing; weights are repetitions; and whatever data are, the end is an orderly one. */
#include "optim/problem.h"

enum { MOST_STEPS = 200 };

typedef struct Course {
  OptimizerReport report;
  double objectives[MOST_STEPS + 1];
  size_t steps;
} Course;

static bool note(const OptimizerStep *step, const Vector *w, void *user) {
  Course *course = user;
  (void)w;
  assert_int_equal(step->iteration, course->steps + 1);
  assert_true(course->steps < MOST_STEPS);
  course->objectives[course->steps++] = step->at.objective;
  return true;
}

static const OptimizerSettings newton = {.solver = SETOSA_SOLVER_NEWTON, .max_iterations = 60, .tolerance = 1e-10};

static void minimize(Course *course, Problem *p, const OptimizerSettings *settings) {
  OptimizerSettings own = *settings;
  Error error = {0};
  *course = (Course){0};
  own.observe = note;
  own.user = course;
  support_ok(optimizer_minimize(&p->objective, p->w, &own, &course->report, &error), &error);
}

/* Largest component of the gradient at the end, by its formula; *value: F there. */
static double gradient_at_end(const Problem *p, double *value) {
  double *w = problem_read(p), *gradient = calloc(p->parameters, sizeof *gradient);
  assert_non_null(gradient);
  *value = problem_value(p, w, gradient);
  double largest = largest_of(gradient, p->parameters);
  free(gradient);
  free(w);
  return largest;
}

/* ---- the optimum ------------------------------------------------------------------------------------------------ */

static void check_optimum(const ProblemShape *shape, uint64_t most_iterations) {
  Problem p;
  Course course;
  double value = 0;
  problem_open(&p, shape);
  minimize(&course, &p, &newton);
  double gradient = gradient_at_end(&p, &value), size = pow(fmax(shape->ratio, 1), (double)shape->features) + shape->offset;
  if (!(gradient <= 1e-8 * size) || course.report.iterations > most_iterations)
    fail_msg("%zu x %zu, %zu classes: %s after %llu iterations with a gradient of %g", shape->rows, shape->features, shape->classes,
             optimizer_reason_name(course.report.reason), (unsigned long long)course.report.iterations, gradient);
  assert_true(course.report.reason == STOP_GRADIENT_TOLERANCE || course.report.reason == STOP_PRECISION);
  support_near(course.report.at.objective, value, 1e-12);
  assert_true(course.report.decrement >= 0 && course.report.decrement <= 1e-9 * (value + 1));
  assert_int_equal(course.report.solver, SETOSA_SOLVER_NEWTON);
  for (size_t i = 1; i < course.steps; i++) assert_true(course.objectives[i] <= course.objectives[i - 1] * (1 + 1e-12));
  double *w = problem_read(&p);
  for (size_t k = 0; k < shape->classes && shape->without_intercept; k++) assert_true(w[shape->classes * shape->features + k] == 0);
  for (size_t d = 0; d < shape->features && shape->l2 > 0; d++) { /* the penalty wants the classes' mean to be 0 */
    double common = 0;
    for (size_t k = 0; k < shape->classes; k++) common += w[k * shape->features + d];
    assert_float_equal(common, 0, 1e-9);
  }
  free(w);
  problem_close(&p);
}

static void reaches_the_optimum(void **state) {
  (void)state;
  need_lapack();
  static const ProblemShape shapes[] = {
      {.rows = 60, .features = 1, .classes = 2, .l2 = 0.01},
      {.rows = 60, .features = 1, .classes = 2, .l2 = 1e-6},
      {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4},
      {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4, .without_intercept = true},
      {.rows = 300, .features = 4, .classes = 5}, /* the classes overlap: there is an optimum without a penalty */
      {.rows = 300, .features = 4, .classes = 5, .without_intercept = true},
      {.rows = 200, .features = 6, .classes = 4, .l2 = 1e-3, .weighted = true},
      {.rows = 200, .features = 6, .classes = 4, .l2 = 1e-3, .collinear = 4},
      {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4, .offset = 1000},
      {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4, .ratio = 1e-2},
      {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4, .ratio = 30},
      {.rows = 12, .features = 20, .classes = 3, .l2 = 0.01},
      {.rows = 1, .features = 1, .classes = 2, .l2 = 0.1, .without_intercept = true},
      {.rows = 1, .features = 5, .classes = 4, .l2 = 0.1, .without_intercept = true},
      {.rows = 200, .features = 2, .classes = 12, .l2 = 0.01},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_optimum(&shapes[i], 20);
}

/* Near the optimum the digits double. */
static void check_end(bool weighted) {
  Problem p;
  Course course;
  problem_open(&p, &(ProblemShape){.rows = 202, .features = 5, .classes = 4, .l2 = 1e-3, .weighted = weighted});
  minimize(&course, &p, &newton);
  double optimum = course.report.at.objective;
  size_t fast = 0;
  for (size_t i = 1; i < course.steps; i++) {
    double before = (course.objectives[i - 1] - optimum) / optimum, after = (course.objectives[i] - optimum) / optimum;
    if (before > 1e-2 || before < 1e-7) continue;
    assert_true(after <= before * before * 100 || after <= 1e-13);
    fast++;
  }
  assert_true(fast > 0);
  problem_close(&p);
}

static void the_end_is_quadratic(void **state) {
  (void)state;
  need_lapack();
  check_end(false);
  check_end(true);
}

/* A minimum that is reached stays: the start is the end. */
static void an_optimum_needs_no_step(void **state) {
  (void)state;
  need_lapack();
  Problem p;
  Course course;
  problem_open(&p, &(ProblemShape){.rows = 100, .features = 3, .classes = 3, .l2 = 0.01});
  minimize(&course, &p, &newton);
  double *w = problem_read(&p);
  minimize(&course, &p, &newton);
  double *again = problem_read(&p);
  assert_int_equal(course.report.iterations, 0);
  assert_memory_equal(again, w, p.parameters * sizeof *w);
  free(again);
  free(w);
  problem_close(&p);
}

/* ---- what is added to the features ------------------------------------------------------------------------------ */

static void check_shift(const OptimizerSettings *settings, const char *what, double tolerance) {
  ProblemShape shape = {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-3}, far = shape;
  far.offset = 1024; /* exact in f32 */
  Problem here, there;
  Course one, other;
  problem_open(&here, &shape);
  problem_open(&there, &far);
  minimize(&one, &here, settings);
  minimize(&other, &there, settings);
  assert_true(one.steps > 3 && other.steps > 3);
  for (size_t i = 0; i < one.steps && i < other.steps; i++)
    if (!(fabs(one.objectives[i] - other.objectives[i]) <= tolerance * one.objectives[i]))
      fail_msg("%s: F after iteration %zu is %.15g, and %.15g where 1024 is added to the features", what, i + 1, one.objectives[i],
               other.objectives[i]);
  problem_close(&there);
  problem_close(&here);
}

static void what_is_added_to_features_changes_nothing(void **state) {
  (void)state;
  need_lapack();
  check_shift(&(OptimizerSettings){.solver = SETOSA_SOLVER_NEWTON, .max_iterations = 12}, "newton", 1e-9);
  static const SetosaPreconditioner kinds[] = {SETOSA_PRECONDITIONER_DIAGONAL, SETOSA_PRECONDITIONER_KRON, SETOSA_PRECONDITIONER_BLOCKS};
  for (size_t i = 0; i < 3; i++)
    check_shift(
        &(OptimizerSettings){.solver = SETOSA_SOLVER_LBFGS, .preconditioner = kinds[i], .max_iterations = 15, .history = 10, .seed = 1},
        (const char *[]){"diagonal", "kron", "blocks"}[i], 1e-7);
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

static void weights_are_repetitions(void **state) {
  (void)state;
  need_lapack();
  Problem p, repeated;
  Course one, other;
  ProblemShape shape = {.rows = 60, .features = 3, .classes = 3, .l2 = 0.01, .weighted = true}, many = shape;
  problem_open(&p, &shape);
  many.weighted = false;
  many.rows = (size_t)problem_total_weight(&p);
  problem_make(&repeated, &many);
  for (size_t i = 0, to = 0; i < p.shape.rows; i++)
    for (int copy = 0; copy < (int)p.weights[i]; copy++, to++) {
      memcpy(repeated.x + to * 3, p.x + i * 3, 3 * sizeof(float));
      repeated.labels[to] = p.labels[i];
    }
  problem_start(&repeated);
  minimize(&one, &p, &newton);
  minimize(&other, &repeated, &newton);
  support_near(one.report.at.objective, other.report.at.objective, 1e-12);
  double *a = problem_read(&p), *b = problem_read(&repeated);
  for (size_t j = 0; j < p.parameters; j++) assert_float_equal(a[j], b[j], 1e-7 * (1 + fabs(a[j])));
  free(b);
  free(a);
  problem_close(&repeated);
  problem_close(&p);
}

/* ---- data as they may be ---------------------------------------------------------------------------------------- */

/* Every solver that makes matrices, on what leaves it little to do them with: it ends, with numbers, and F is no higher than at the start.
 */
static void odd_data_end_in_order(void **state) {
  (void)state;
  need_lapack();
  static const ProblemShape shapes[] = {
      {.rows = 1, .features = 1, .classes = 2},
      {.rows = 1, .features = 1, .classes = 2, .l2 = 0.01},
      {.rows = 2, .features = 3, .classes = 2},
      {.rows = 1, .features = 1, .classes = 1, .l2 = 0.01},
      {.rows = 40, .features = 3, .classes = 3, .one_class = true},
      {.rows = 40, .features = 3, .classes = 3, .l2 = 0.01, .one_class = true},
      {.rows = 40, .features = 3, .classes = 2, .l2 = 0.01, .one_class = true, .without_intercept = true},
      {.rows = 5, .features = 30, .classes = 3},
      {.rows = 100, .features = 4, .classes = 3, .collinear = 3},
      {.rows = 100, .features = 4, .classes = 3, .ratio = 1e4},
      {.rows = 100, .features = 4, .classes = 3, .ratio = 1e-6, .l2 = 1e-4},
      {.rows = 100, .features = 4, .classes = 3, .l2 = 1e6},
      {.rows = 5, .features = 2, .classes = 3, .l2 = 0.1, .weighted = true},
  };
  static const SetosaPreconditioner kinds[] = {SETOSA_PRECONDITIONER_AUTO, SETOSA_PRECONDITIONER_NONE, SETOSA_PRECONDITIONER_DIAGONAL,
                                               SETOSA_PRECONDITIONER_KRON, SETOSA_PRECONDITIONER_BLOCKS};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (size_t kind = 0; kind < 5; kind++) {
      if (shapes[i].classes < 2 && kind != 0) continue; /* there is nothing to choose between */
      OptimizerSettings settings = {.max_iterations = 100,
                                    .tolerance = 3e-6,
                                    .gap = 1e-6,
                                    .history = 20,
                                    .seed = 1,
                                    .preconditioner = kinds[kind],
                                    .matrix_bytes = 1 << 24};
      Problem p;
      Course course;
      problem_open(&p, &shapes[i]);
      double *w = problem_read(&p), start = problem_value(&p, w, NULL);
      minimize(&course, &p, &settings);
      double *end = problem_read(&p), value = problem_value(&p, end, NULL);
      if (!isfinite(value) || value > start * (1 + 1e-12) || course.report.reason == STOP_NON_FINITE)
        fail_msg("shape %zu, kind %zu: %s, F from %g to %g", i, kind, optimizer_reason_name(course.report.reason), start, value);
      support_near(course.report.at.objective, value, 1e-9);
      if (isfinite(course.report.gap)) assert_true(course.report.gap >= 0);
      free(end);
      free(w);
      problem_close(&p);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reaches_the_optimum),      cmocka_unit_test(the_end_is_quadratic),
      cmocka_unit_test(an_optimum_needs_no_step), cmocka_unit_test(what_is_added_to_features_changes_nothing),
      cmocka_unit_test(weights_are_repetitions),  cmocka_unit_test(odd_data_end_in_order),
  };
  return support_run("Newton", tests, NULL, NULL);
}
