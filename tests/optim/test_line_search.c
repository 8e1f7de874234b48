/* The line search on functions of one variable, through a backend that is nothing but a line. */
#include <float.h>
#include <math.h>

#include "optim/line_search.h"
#include "support/support.h"

typedef void (*Curve)(double t, double *value, double *slope);

typedef struct Line {
  Backend base;
  Curve curve;
  bool open;
  unsigned points;
  unsigned fail_at; /* the evaluation that fails; 0: none */
} Line;

static Status open_line(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  (void)w, (void)s, (void)error;
  ((Line *)backend)->open = true;
  return SETOSA_OK;
}

static Status evaluate_line(Backend *backend, double step, double *value, double *slope, Error *error) {
  Line *line = (Line *)backend;
  assert_true(line->open);
  assert_true(isfinite(step));
  if (++line->points == line->fail_at) return error_set(error, SETOSA_ERROR_DEVICE, "the device failed");
  line->curve(step, value, slope);
  return SETOSA_OK;
}

static void close_line(Backend *backend) { ((Line *)backend)->open = false; }

static const BackendOperations operations = {.line_open = open_line, .line_evaluate = evaluate_line, .line_close = close_line};

static LinePoint point_of(Curve curve, double step) {
  LinePoint p = {step, NAN, NAN};
  curve(step, &p.value, &p.slope);
  return p;
}

/* Searches from 0 with a first trial at `trial`; returns the point found. */
static LinePoint search(Curve curve, double trial, bool *success, unsigned *points) {
  Line line = {.base = {.operations = &operations}, .curve = curve};
  LinePoint found = {NAN, NAN, NAN};
  assert_int_equal(
      line_search(&(Objective){.backend = &line.base}, NULL, NULL, point_of(curve, 0.0), point_of(curve, trial), &found, success, NULL),
      SETOSA_OK);
  assert_false(line.open);
  *points = line.points;
  return found;
}

static void check_accepted(Curve curve, double trial, unsigned most_points) {
  bool success = false;
  unsigned points = 0;
  LinePoint found = search(curve, trial, &success, &points), start = point_of(curve, 0.0);
  assert_true(success);
  assert_true(found.value < start.value);
  assert_true(fabs(found.slope) <= 0.9 * fabs(start.slope));
  assert_true(points <= most_points);
}

static void parabola(double t, double *value, double *slope) { *value = (t - 3.0) * (t - 3.0) + 1.0, *slope = 2.0 * (t - 3.0); }
/* A narrow valley: the first step is a million times too long. */
static void narrow(double t, double *value, double *slope) { *value = 1.0 + 1e6 * (t - 1e-6) * (t - 1e-6), *slope = 2e6 * (t - 1e-6); }
/* log-loss of one far example: flat slope, minimum at infinity without the quadratic. */
static void logistic(double t, double *value, double *slope) {
  *value = log1p(exp(5.0 - t)) + 1e-4 * t * t, *slope = -1.0 / (1.0 + exp(t - 5.0)) + 2e-4 * t;
}
/* Finite only near the start. */
static void overflowing(double t, double *value, double *slope) {
  *value = t > 2.0 ? INFINITY : (t - 0.5) * (t - 0.5), *slope = t > 2.0 ? NAN : 2.0 * (t - 0.5);
}
/* A parabola seen through f32 noise: values say nothing, slopes do. */
static void noisy(double t, double *value, double *slope) {
  *value = (double)(float)(1.0 + 1e-9 * (t - 2.0) * (t - 2.0)) + (fmod(t * 977.0, 2.0) < 1.0 ? 2e-8 : -2e-8);
  *slope = 2e-9 * (t - 2.0);
}
static void falling_for_ever(double t, double *value, double *slope) { *value = -t, *slope = -1.0; }
static void rising(double t, double *value, double *slope) { *value = t, *slope = 1.0; }
/* Says that it descends, and rises: an inexact gradient. */
static void lying(double t, double *value, double *slope) { *value = 1.0 + t, *slope = -1.0; }

static void test_finds_acceptable_points(void **state) {
  (void)state;
  check_accepted(parabola, 1e-3, 8);
  check_accepted(parabola, 100.0, 6);
  check_accepted(narrow, 1.0, 16);
  check_accepted(logistic, 0.01, 10);
  check_accepted(logistic, 1e5, 16);
  check_accepted(overflowing, 1e4, 10);
}

static void test_slopes_decide_under_noise(void **state) {
  (void)state;
  bool success = false;
  unsigned points = 0;
  LinePoint found = search(noisy, 1e-3, &success, &points);
  assert_true(success);
  assert_true(found.step > 0.1 && found.step < 3.8); /* |slope| below 0.9 of the first */
  LinePoint start = point_of(noisy, 0.0), far = point_of(noisy, 3.9);
  assert_true(line_accepts(start, point_of(noisy, 2.0)));
  assert_false(line_accepts(start, far)); /* nearly as steep upwards as the start downwards */
}

static void test_gives_up(void **state) {
  (void)state;
  bool success = true;
  unsigned points = 0;
  search(rising, 1.0, &success, &points);
  assert_false(success);
  search(lying, 1.0, &success, &points);
  assert_false(success);
  assert_true(points <= 45);
  /* No minimum: the search ends all the same, and what it has is lower. */
  LinePoint found = search(falling_for_ever, 1.0, &success, &points);
  assert_true(success && isfinite(found.step) && found.value < 0.0);
  assert_true(points <= 45);
}

static void test_acceptance(void **state) {
  (void)state;
  LinePoint start = {0.0, 1.0, -1.0};
  assert_true(line_accepts(start, (LinePoint){1.0, 0.5, 0.0}));
  assert_false(line_accepts(start, (LinePoint){1.0, 1.5, 0.0}));   /* higher */
  assert_false(line_accepts(start, (LinePoint){1.0, 0.5, -0.95})); /* hardly began */
  assert_false(line_accepts(start, (LinePoint){1.0, 0.5, 0.95}));  /* far past */
  assert_false(line_accepts(start, (LinePoint){1.0, NAN, 0.0}));
  assert_false(line_accepts(start, (LinePoint){1.0, -INFINITY, 0.0})); /* not a loss */
  assert_true(line_accepts(start, (LinePoint){1.0, 1.0 + 5e-8, 0.1})); /* equal but for noise: flatter is better */
  assert_false(line_accepts(start, (LinePoint){1.0, 1.0 + 5e-7, 0.1}));
}

static void test_failure_closes_the_line(void **state) {
  (void)state;
  for (unsigned fail_at = 1; fail_at <= 2; fail_at++) {
    Line line = {.base = {.operations = &operations}, .curve = parabola, .fail_at = fail_at};
    Error error = {0};
    LinePoint found;
    bool success = true;
    assert_int_equal(line_search(&(Objective){.backend = &line.base}, NULL, NULL, point_of(parabola, 0.0), point_of(parabola, 100.0),
                                 &found, &success, &error),
                     SETOSA_ERROR_DEVICE);
    assert_string_equal(error.message, "the device failed");
    assert_false(line.open);
    assert_false(success);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finds_acceptable_points),
      cmocka_unit_test(test_slopes_decide_under_noise),
      cmocka_unit_test(test_gives_up),
      cmocka_unit_test(test_acceptance),
      cmocka_unit_test(test_failure_closes_the_line),
  };
  return support_run("line search", tests, NULL, NULL);
}
