/* The certificate is a bound: F - F* of the point that it leaves is never above it, whatever the point, and near the optimum it is tight.
 */
#include "optim/certificate.h"
#include "optim/problem.h"

/* F* in double. */
static double optimum_of(Problem *p) {
  OptimizerSettings settings = {.solver = SETOSA_SOLVER_NEWTON, .max_iterations = 100, .tolerance = 1e-12};
  OptimizerReport report = {0};
  Error error = {0};
  double *zero = problem_point(p, 0, 0);
  problem_write(p, zero);
  free(zero);
  support_ok(optimizer_minimize(&p->objective, p->w, &settings, &report, &error), &error);
  return report.at.objective;
}

/* Rounding of F itself, and of probabilities, which come in f32. */
static double noise(double optimum) { return 1e-11 * (1 + fabs(optimum)); }

/* From w; gap and F of where it ended. */
static double check_point(Problem *p, const double *w, double optimum, const char *what, size_t number) {
  Evaluation at = {0};
  double gap = NAN, before = problem_value(p, w, NULL);
  Error error = {0};
  problem_write(p, w);
  support_ok(certificate_find(&p->objective, p->w, 1, &at, &gap, &error), &error);
  double *left = problem_read(p), value = problem_value(p, left, NULL);
  support_near(at.objective, value, 1e-12);
  for (size_t j = 0; j < p->shape.classes * p->shape.features; j++) assert_true(left[j] == w[j]); /* the bias alone is moved */
  if (value > before * (1 + 2e-6)) fail_msg("%s, point %zu: F rose from %.12g to %.12g", what, number, before, value);
  if (!(gap >= 0) || value - optimum > gap + noise(optimum))
    fail_msg("%s, point %zu: F is %.6g above the optimum %.12g, and was to be at most %.6g", what, number, value - optimum, optimum, gap);
  free(left);
  return gap;
}

/* Points all over, and between them and the optimum. */
static void check(Problem *p, const char *what, double spread) {
  double optimum = optimum_of(p), *best = problem_read(p);
  for (size_t number = 0; number < 12; number++) {
    double *far = problem_point(p, number, pow(4, (double)(number % 4)) * 0.1 * spread), *w = problem_point(p, 0, 0);
    for (double part = 1; part > 1e-7; part /= 6) {
      for (size_t j = 0; j < p->parameters; j++) w[j] = best[j] + part * (far[j] - best[j]);
      check_point(p, w, optimum, what, number);
    }
    for (size_t j = 0; j < p->parameters; j++) w[j] = far[j];
    for (size_t k = 0; k < p->shape.classes && !p->shape.without_intercept; k++) /* a bias that is far off */
      w[p->shape.classes * p->shape.features + k] += 5 * problem_random(50, number, k);
    check_point(p, w, optimum, what, number);
    free(w);
    free(far);
  }
  double gap = check_point(p, best, optimum, what, 99);
  if (gap > 1e-8 * (1 + optimum)) fail_msg("%s: at the optimum the bound is %g", what, gap);
  free(best);
}

static void bounds_what_is_left(void **state) {
  (void)state;
  need_lapack();
  static const struct {
    const char *what;
    ProblemShape shape;
  } cases[] = {
      {"two classes, one feature", {.rows = 60, .features = 1, .classes = 2, .l2 = 0.01}},
      {"like iris", {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-4}},
      {"a strong penalty", {.rows = 150, .features = 4, .classes = 3, .l2 = 10}},
      {"no intercept", {.rows = 150, .features = 4, .classes = 3, .l2 = 1e-3, .without_intercept = true}},
      {"weights", {.rows = 200, .features = 5, .classes = 4, .l2 = 1e-3, .weighted = true}},
      {"many classes", {.rows = 200, .features = 3, .classes = 12, .l2 = 0.01}},
      {"few rows", {.rows = 6, .features = 10, .classes = 3, .l2 = 0.01}},
      {"far from 0", {.rows = 150, .features = 3, .classes = 3, .l2 = 0.01, .offset = 16}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Problem p;
    problem_open(&p, &cases[i].shape);
    check(&p, cases[i].what, 1 / (1 + cases[i].shape.offset));
    problem_close(&p);
  }
}

/* Nearly all of the weight on rows that are nearly certain: the curvature of the bias is theirs, not that of the many others. */
static void heavy_rows_that_are_certain(void **state) {
  (void)state;
  need_lapack();
  Problem p;
  ProblemShape shape = {.rows = 100, .features = 1, .classes = 2, .l2 = 1e-3, .weighted = true};
  problem_make(&p, &shape);
  for (size_t i = 0; i < shape.rows; i++) {
    bool heavy = i < 2;
    p.labels[i] = (int32_t)(i % 2);
    p.x[i] = !heavy ? 0 : i == 0 ? 10 : -10;
    p.weights[i] = heavy ? 1 : 1e-5f;
  }
  problem_start(&p);
  double optimum = optimum_of(&p), *best = problem_read(&p), *w = problem_point(&p, 0, 0);
  for (int step = -20; step <= 20; step++) {
    memcpy(w, best, p.parameters * sizeof *w);
    w[2] += 0.1 * step;
    w[3] -= 0.1 * step;
    check_point(&p, w, optimum, "heavy rows", (size_t)(step + 20));
  }
  free(w);
  free(best);
  problem_close(&p);
}

/* A class that all rows are of: with an intercept F falls to 0 and never is. */
static void one_class_only(void **state) {
  (void)state;
  need_lapack();
  Problem p;
  problem_open(&p, &(ProblemShape){.rows = 50, .features = 2, .classes = 2, .l2 = 0.01, .one_class = true});
  double *w = problem_point(&p, 0, 0);
  for (double bias = 0; bias < 10; bias += 0.5) {
    w[4] = bias;
    w[5] = -bias;
    check_point(&p, w, 0, "one class", (size_t)bias);
  }
  free(w);
  problem_close(&p);
}

/* Without a penalty on every weight alike there is nothing to go by. */
static void none_without_a_penalty(void **state) {
  (void)state;
  Problem p;
  Evaluation at;
  double gap = 1;
  Error error = {0};
  problem_open(&p, &(ProblemShape){.rows = 50, .features = 2, .classes = 2});
  support_ok(certificate_find(&p.objective, p.w, 1, &at, &gap, &error), &error);
  assert_true(isnan(gap));
  problem_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bounds_what_is_left),
      cmocka_unit_test(heavy_rows_that_are_certain),
      cmocka_unit_test(one_class_only),
      cmocka_unit_test(none_without_a_penalty),
  };
  return support_run("certificates", tests, NULL, NULL);
}
