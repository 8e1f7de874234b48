/* Growth: exponents of known laws, which points count, where it ends; and the whole of it on the host. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/scaling.h"
#include "support/support.h"

static const double sizes[] = {100, 200, 400, 800};

static void exact_laws_have_their_exponent(void **state) {
  (void)state;
  static const double exponents[] = {-1, 0, 0.5, 1, 1.25, 3};
  for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
    double values[4];
    for (size_t i = 0; i < 4; i++) values[i] = 7e-3 * pow(sizes[i], exponents[e]);
    ScalingFit fit = scaling_fit(4, sizes, values);
    support_near(fit.exponent, exponents[e], 1e-12);
    support_near(fit.error, 0, 1e-7);
  }
}

/* At x = (0 1 2 3) ln 2, residuals (d -d -d d) are orthogonal to 1 and x: the slope stays, and the error is sqrt(4 d^2 / 2 / (5 ln^2 2)).
 * One off by d at the end moves the slope by 1.5 d / (5 ln 2) and leaves 0.3 d^2 of squares. */
static void noise_has_its_error(void **state) {
  (void)state;
  const double d = 0.2;
  static const double even[] = {1, -1, -1, 1}, last[] = {0, 0, 0, 1};
  double values[4];
  for (size_t i = 0; i < 4; i++) values[i] = 3 * sizes[i] * exp(d * even[i]);
  ScalingFit fit = scaling_fit(4, sizes, values);
  support_near(fit.exponent, 1, 1e-12);
  support_near(fit.error, d * sqrt(0.4) / M_LN2, 1e-12);
  for (size_t i = 0; i < 4; i++) values[i] = 3 * sizes[i] * exp(d * last[i]);
  fit = scaling_fit(4, sizes, values);
  support_near(fit.exponent, 1 + 0.3 * d / M_LN2, 1e-12);
  support_near(fit.error, d * sqrt(0.03) / M_LN2, 1e-12);
}

static void few_points_have_no_exponent(void **state) {
  (void)state;
  static const double same[] = {5, 5, 5}, times[] = {1, 2, 4};
  assert_true(isnan(scaling_fit(0, sizes, times).exponent) && isnan(scaling_fit(1, sizes, times).exponent));
  assert_true(isnan(scaling_fit(3, same, times).exponent) && isnan(scaling_fit(3, same, times).error));
  support_near(scaling_fit(2, sizes, times).exponent, 1, 1e-12);
  assert_true(isnan(scaling_fit(2, sizes, times).error));
}

/* Launches at the small end and what was not measured at the large one leave the law alone. */
static void points_that_count(void **state) {
  (void)state;
  SetosaBenchPoint points[6];
  SetosaBenchScaling line = {.least_ms = scaling_least_ms(30), .exponent = NAN};
  support_near(line.least_ms, 0.3, 1e-15);
  support_near(scaling_least_ms(NAN), 0.2, 1e-15);
  for (size_t i = 0; i < 6; i++) {
    double size = 1000 * pow(2, (double)i);
    points[i] = (SetosaBenchPoint){.size = (uint64_t)size, .used = i % 2 == 0};
    points[i].result.median_ms = i < 2 ? 0.29 : 0.3 * pow(size / 4000, 1.5);
    points[i].result.min_ms = 1e-4 * pow(size, 0.75);
    points[i].result.device_bytes = (uint64_t)(i < 2 ? 1 : 24 * size);
  }
  points[5].result.status = SETOSA_BENCH_FAILED;
  points[5].result.median_ms = 1e9;
  points[2].result.median_ms = line.least_ms; /* the bound itself counts */
  scaling_finish(&line, points, 6);
  for (size_t i = 0; i < 6; i++) assert_int_equal(points[i].used, i >= 2 && i < 5);
  assert_int_equal(line.used_count, 3);
  assert_int_equal(line.used_from, 4000);
  assert_int_equal(line.used_to, 16000);
  support_near(line.exponent, 1.5, 1e-12);
  support_near(line.best_exponent, 0.75, 1e-12);
  support_near(line.memory_exponent, 1, 1e-12);
  points[3].result.status = points[4].result.status = SETOSA_BENCH_SKIPPED;
  scaling_finish(&line, points, 6);
  assert_int_equal(line.used_count, 1);
  assert_true(isnan(line.exponent) && isnan(line.memory_exponent) && isnan(line.exponent_error));
}

static void sizes_double(void **state) {
  (void)state;
  uint64_t size = 3;
  assert_true(scaling_next(&size, 12));
  assert_true(scaling_next(&size, 12));
  assert_false(scaling_next(&size, 23));
  assert_int_equal(size, 12);
  size = (uint64_t)1 << 63;
  assert_false(scaling_next(&size, UINT64_MAX));
}

/* 1, 2, 3, ... and from 9 on twice as many, and all at last. */
static void devices_grow(void **state) {
  (void)state;
  static const uint64_t few[] = {1, 2, 3}, many[] = {1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 33}, even[] = {7, 8, 16};
  static const struct {
    const uint64_t *sizes;
    size_t count;
  } table[] = {{few, 3}, {many, 11}, {even, 3}};
  for (size_t t = 0; t < 3; t++) {
    uint64_t size = table[t].sizes[0], to = table[t].sizes[table[t].count - 1];
    for (size_t i = 1; i < table[t].count; i++) {
      assert_true(scaling_next_devices(&size, to));
      assert_int_equal(size, table[t].sizes[i]);
    }
    assert_false(scaling_next_devices(&size, to));
    assert_int_equal(size, to);
  }
}

/* 10, 5, 4 ms on 2, 4, 6 devices, of which the first was skipped on one: two and a half times as quick on three times as many. */
static void devices_speed_up(void **state) {
  (void)state;
  SetosaBenchPoint points[4];
  static const double times[] = {NAN, 10, 5, 4};
  for (size_t i = 0; i < 4; i++) {
    points[i] = (SetosaBenchPoint){.size = i == 0 ? 1 : 2 * i, .result = {.median_ms = times[i]}};
    points[i].result.status = i == 0 ? SETOSA_BENCH_SKIPPED : SETOSA_BENCH_OK;
  }
  scaling_speed_up(points, 4);
  assert_true(isnan(points[0].speed_up) && isnan(points[0].efficiency));
  support_near(points[1].speed_up, 1, 0);
  support_near(points[1].efficiency, 1, 0);
  support_near(points[2].speed_up, 2, 1e-15);
  support_near(points[2].efficiency, 1, 1e-15);
  support_near(points[3].speed_up, 2.5, 1e-15);
  support_near(points[3].efficiency, 2.5 / 3, 1e-15);
}

static void growth_ends(void **state) {
  (void)state;
  char reason[256];
  SetosaBenchResult last = {.what = SETOSA_BENCH_STEP, .median_ms = 500, .device_bytes = 700, .iterations = 9};
  /* Data of 1000 bytes and 10 parameters of three doubles; a device holds its own, the host what is not in place already. */
  support_near(scaling_need(NULL, 1000, 10, true).host_bytes, 1240, 0);
  support_near(scaling_need(NULL, 1000, 10, true).pass_seconds, 0, 0);
  support_near(scaling_need(&last, 1000, 10, false).host_bytes, 1240, 0);
  support_near(scaling_need(&last, 1000, 10, true).host_bytes, 1640, 0);
  support_near(scaling_need(&last, 1000, 10, true).pass_seconds, 1, 1e-15);
  last.what = SETOSA_BENCH_TRAIN;
  support_near(scaling_need(&last, 1000, 10, true).pass_seconds, 9, 1e-14);
  ScalingBounds bounds = {.pass_seconds = 20, .memory_part = 0.6, .free_bytes = 1000};
  assert_false(scaling_stops(reason, &bounds, &(ScalingNeed){.pass_seconds = 20, .host_bytes = 600}));
  assert_true(scaling_stops(reason, &bounds, &(ScalingNeed){.pass_seconds = 20.1, .host_bytes = 600}));
  assert_non_null(strstr(reason, "20.1 s a pass, more than 20 s"));
  assert_true(scaling_stops(reason, &bounds, &(ScalingNeed){.pass_seconds = 1, .host_bytes = 601}));
  assert_non_null(strstr(reason, "more than 60 % of the"));
  bounds.pass_seconds = bounds.free_bytes = INFINITY;
  assert_false(scaling_stops(reason, &bounds, &(ScalingNeed){.pass_seconds = 1e9, .host_bytes = 1e30}));
  assert_true(scaling_free_bytes() > 1 << 20);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

typedef struct Seen {
  size_t lines, results, stop_after; /* results; 0: never */
  SetosaBenchPoint points[8];
  SetosaBenchScaling line;
} Seen;

static void see_line(const SetosaBenchScaling *line, void *user) {
  Seen *seen = user;
  seen->lines++;
  seen->line = *line;
  assert_in_range(line->point_count, 1, 8);
  memcpy(seen->points, line->points, line->point_count * sizeof *seen->points);
}

static void see_result(const SetosaBenchResult *result, void *user) {
  (void)result;
  ((Seen *)user)->results++;
}

static bool see_stop(void *user) {
  const Seen *seen = user;
  return seen->stop_after > 0 && seen->results >= seen->stop_after;
}

static const SetosaBackend reference[] = {SETOSA_BACKEND_REFERENCE};

static SetosaBenchScalingOptions small(Seen *seen, SetosaBenchGrowth grows) {
  SetosaBenchScalingOptions options = setosa_bench_scaling_options_default();
  options.bench.backends = reference;
  options.bench.backend_count = 1;
  options.bench.repeat = 1;
  options.bench.result = see_result;
  options.bench.stop = see_stop;
  options.bench.user = seen;
  options.grows = grows;
  options.shape = "synthetic:rows=40,features=6,classes=3,seed=5";
  options.line = see_line;
  return options;
}

static void each_dimension_grows(void **state) {
  (void)state;
  static const SetosaBenchGrowth growths[] = {SETOSA_BENCH_ROWS, SETOSA_BENCH_FEATURES, SETOSA_BENCH_CLASSES};
  static const uint64_t first[] = {40, 6, 3};
  for (size_t g = 0; g < 3; g++) {
    Error error = {0};
    Seen seen = {.lines = 0};
    SetosaBenchScalingOptions options = small(&seen, growths[g]);
    options.to = 4 * first[g] + 1;
    support_ok(setosa_bench_scaling(&options, &error), &error);
    assert_int_equal(seen.lines, 1);
    assert_int_equal(seen.line.point_count, 3);
    assert_int_equal(seen.results, 3);
    for (size_t i = 0; i < 3; i++) {
      const SetosaBenchResult *r = &seen.points[i].result;
      assert_int_equal(r->status, SETOSA_BENCH_OK);
      assert_int_equal(seen.points[i].size, first[g] << i);
      assert_int_equal(r->rows, g == 0 ? first[0] << i : first[0]);
      assert_int_equal(r->features, g == 1 ? first[1] << i : first[1]);
      assert_int_equal(r->classes, g == 2 ? first[2] << i : first[2]);
      assert_true(r->median_ms > 0 && r->error <= r->tolerance);
    }
  }
}

static void bounds_end_it_with_a_reason(void **state) {
  (void)state;
  Error error = {0};
  Seen slow = {.lines = 0}, large = {.lines = 0};
  SetosaBenchScalingOptions options = small(&slow, SETOSA_BENCH_ROWS);
  options.pass_seconds = 1e-9;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_int_equal(slow.line.point_count, 2);
  assert_int_equal(slow.points[0].result.status, SETOSA_BENCH_OK);
  assert_int_equal(slow.points[1].result.status, SETOSA_BENCH_SKIPPED);
  assert_int_equal(slow.points[1].result.rows, 80);
  assert_true(isnan(slow.points[1].result.median_ms) && isnan(slow.line.exponent));
  assert_non_null(strstr(slow.points[1].result.reason, "s a pass, more than 1e-09 s"));
  options = small(&large, SETOSA_BENCH_ROWS);
  options.memory_part = 1e-12;
  options.to = 1000;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_int_equal(large.line.point_count, 1);
  assert_int_equal(large.points[0].result.status, SETOSA_BENCH_SKIPPED);
  assert_non_null(strstr(large.points[0].result.reason, "of the host's memory"));
}

/* What is made as needed is out of the reach of backends of the host, which say so; its size is no bound. */
static void large_rows_are_made(void **state) {
  (void)state;
  Error error = {0};
  Seen made = {.lines = 0}, held = {.lines = 0};
  SetosaBenchScalingOptions options = small(&made, SETOSA_BENCH_ROWS);
  options.to = 160;
  options.generate_above_bytes = 160 * 6 * 4 - 1;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_true(made.line.made);
  assert_int_equal(made.line.point_count, 1);
  assert_int_equal(made.points[0].result.status, SETOSA_BENCH_SKIPPED);
  assert_non_null(strstr(made.points[0].result.reason, "wants its rows in memory"));
  options.bench.user = &held;
  options.generate_above_bytes++;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_false(held.line.made);
  assert_int_equal(held.line.point_count, 3);
}

static void an_interruption_keeps_what_there_is(void **state) {
  (void)state;
  Error error = {0};
  Seen seen = {.stop_after = 2};
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_ROWS);
  assert_int_equal(setosa_bench_scaling(&options, &error), SETOSA_INTERRUPTED);
  assert_int_equal(seen.lines, 1);
  assert_int_equal(seen.line.point_count, 2);
  assert_int_equal(seen.points[1].result.status, SETOSA_BENCH_OK);
}

static void expect_usage(const SetosaBenchScalingOptions *options, const char *part) {
  Error error = {0};
  assert_int_equal(setosa_bench_scaling(options, &error), SETOSA_ERROR_USAGE);
  if (strstr(error.message, part) == NULL) fail_msg("\"%s\" is not in: %s", part, error.message);
}

static void options_without_sense(void **state) {
  (void)state;
  Seen seen = {.lines = 0};
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_DEVICES);
  expect_usage(&options, "needs several devices");
  options.grows = (SetosaBenchGrowth)4;
  expect_usage(&options, "choose rows, features, classes or devices");
  options = small(&seen, SETOSA_BENCH_CLASSES);
  options.from = 1;
  expect_usage(&options, "--from 1: give at least 2 classes");
  options.from = 8;
  options.to = 15;
  expect_usage(&options, "--to 15 is less than twice the first size, 8 classes");
  options = small(&seen, SETOSA_BENCH_ROWS);
  options.shape = "iris.csv";
  expect_usage(&options, "not iris.csv");
  options.shape = "synthetic:rows=-1";
  expect_usage(&options, "rows=-1 makes no sense");
  options = small(&seen, SETOSA_BENCH_ROWS);
  options.bench.works = "W1";
  expect_usage(&options, "made-up data");
  options = small(&seen, SETOSA_BENCH_ROWS);
  options.memory_part = NAN;
  expect_usage(&options, "memory_part");
  assert_int_equal(seen.lines, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exact_laws_have_their_exponent),
      cmocka_unit_test(noise_has_its_error),
      cmocka_unit_test(few_points_have_no_exponent),
      cmocka_unit_test(points_that_count),
      cmocka_unit_test(sizes_double),
      cmocka_unit_test(devices_grow),
      cmocka_unit_test(devices_speed_up),
      cmocka_unit_test(growth_ends),
      cmocka_unit_test(each_dimension_grows),
      cmocka_unit_test(bounds_end_it_with_a_reason),
      cmocka_unit_test(large_rows_are_made),
      cmocka_unit_test(an_interruption_keeps_what_there_is),
      cmocka_unit_test(options_without_sense),
  };
  return support_run("scaling", tests, NULL, NULL);
}
