/* Growth on devices: one work on the halves of a device, and rows that are made as passes need them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/scaling.h"
#include "support/support.h"

enum { LINES = 8, POINTS = 8 };

typedef struct Seen {
  size_t lines, results, stop_after; /* results; 0: never */
  SetosaBenchScaling line[LINES];
  SetosaBenchPoint points[LINES][POINTS];
} Seen;

static void see_line(const SetosaBenchScaling *line, void *user) {
  Seen *seen = user;
  assert_in_range(line->point_count, 1, POINTS);
  assert_true(seen->lines < LINES);
  seen->line[seen->lines] = *line;
  memcpy(seen->points[seen->lines++], line->points, line->point_count * sizeof *line->points);
}

static void see_result(const SetosaBenchResult *result, void *user) {
  (void)result;
  ((Seen *)user)->results++;
}

static bool see_stop(void *user) {
  const Seen *seen = user;
  return seen->stop_after > 0 && seen->results >= seen->stop_after;
}

static SetosaBenchScalingOptions small(Seen *seen, SetosaBenchGrowth grows) {
  SetosaBenchScalingOptions options = setosa_bench_scaling_options_default();
  options.bench.repeat = 2;
  options.bench.tuning = SETOSA_TUNING_OFF;
  options.bench.max_iterations = 3;
  options.bench.result = see_result;
  options.bench.stop = see_stop;
  options.bench.user = seen;
  options.grows = grows;
  options.line = see_line;
  return options;
}

/* The halves of the first device that can be cut; or a skip. */
static SetosaDevices *need_halves(SetosaDeviceChoices *halves) {
  SetosaDevices *devices = NULL;
  Error error = {0};
  char selector[32];
  const char *const selectors[] = {selector};
  support_ok(setosa_devices_open(&devices, &error), &error);
  for (size_t i = 0; i < setosa_devices_count(devices); i++) {
    snprintf(selector, sizeof selector, "%zu/2", i);
    if (setosa_devices_choose(halves, devices, 1, selectors, SETOSA_FAMILY_AUTO, false, &error) == SETOSA_OK) return devices;
  }
  setosa_devices_close(devices);
  support_skip("no device that can be cut in two");
}

/* Every operation, on one half and on both. */
static void halves_share_the_work(void **state) {
  (void)state;
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_HESSIAN, SETOSA_BENCH_EPOCH, SETOSA_BENCH_TRAIN,
                                          SETOSA_BENCH_PREDICT};
  Error error = {0};
  Seen seen = {.lines = 0};
  SetosaDeviceChoices halves;
  SetosaDevices *devices = need_halves(&halves);
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_DEVICES);
  char described[64];
  options.shape = "synthetic:rows=20000,features=16,classes=3,seed=4";
  options.bench.devices = devices;
  options.bench.whats = whats;
  options.bench.what_count = 5;
  options.devices = halves.choice;
  options.device_count = halves.count;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_int_equal(seen.lines, 5);
  assert_int_equal(seen.results, 10);
  snprintf(described, sizeof described, "%zu in 2 parts", halves.choice[0].index);
  for (size_t l = 0; l < 5; l++) {
    const SetosaBenchScaling *line = &seen.line[l];
    const SetosaBenchPoint *points = seen.points[l];
    assert_int_equal(line->what, whats[l]);
    assert_int_equal(line->grows, SETOSA_BENCH_DEVICES);
    assert_string_equal(line->devices, described);
    assert_string_equal(line->device, setosa_devices_get(devices, halves.choice[0].index)->name);
    assert_false(line->made);
    assert_int_equal(line->point_count, 2);
    for (size_t i = 0; i < 2; i++) {
      const SetosaBenchResult *r = &points[i].result;
      if (r->status != SETOSA_BENCH_OK) fail_msg("%s on %zu: %s", setosa_bench_what_name(r->what), i + 1, r->reason);
      assert_int_equal(points[i].size, i + 1);
      assert_int_equal(r->rows, 20000);
      assert_true(r->median_ms > 0 && r->gflops > 0 && r->device_bytes > 0);
      assert_true(r->error <= r->tolerance);
      assert_int_equal(isnan(r->part_of_limit), i); /* the limit is that of one */
    }
    support_near(points[0].speed_up, 1, 0);
    support_near(points[1].speed_up, points[0].result.median_ms / points[1].result.median_ms, 1e-12);
    support_near(points[1].efficiency, points[1].speed_up / 2, 1e-12);
    if (points[0].used && points[1].used) support_near(line->exponent, -log2(points[1].speed_up), 1e-9);
  }
  setosa_devices_close(devices);
}

static void an_interruption_keeps_what_there_is(void **state) {
  (void)state;
  Error error = {0};
  Seen seen = {.stop_after = 1};
  SetosaDeviceChoices halves;
  SetosaDevices *devices = need_halves(&halves);
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_DEVICES);
  options.shape = "synthetic:rows=2000,features=16,classes=3,seed=4";
  options.bench.devices = devices;
  options.devices = halves.choice;
  options.device_count = halves.count;
  assert_int_equal(setosa_bench_scaling(&options, &error), SETOSA_INTERRUPTED);
  assert_int_equal(seen.lines, 1);
  assert_int_equal(seen.line[0].point_count, 1);
  assert_int_equal(seen.points[0][0].result.status, SETOSA_BENCH_OK);
  setosa_devices_close(devices);
}

static void expect_usage(const SetosaBenchScalingOptions *options, const char *part) {
  Error error = {0};
  assert_int_equal(setosa_bench_scaling(options, &error), SETOSA_ERROR_USAGE);
  if (strstr(error.message, part) == NULL) fail_msg("\"%s\" is not in: %s", part, error.message);
}

static void devices_without_sense(void **state) {
  (void)state;
  static const SetosaBackend reference[] = {SETOSA_BACKEND_REFERENCE};
  static const SetosaDeviceChoice beyond[] = {{0, 0, 1}, {1000, 0, 1}};
  Seen seen = {.lines = 0};
  SetosaDeviceChoices halves;
  SetosaDevices *devices = need_halves(&halves);
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_DEVICES);
  options.bench.devices = devices;
  options.devices = halves.choice;
  options.device_count = 1;
  expect_usage(&options, "needs several devices");
  options.device_count = 2;
  options.to = 3;
  expect_usage(&options, "--from 1 --to 3: of 2 devices");
  options.to = 0;
  options.from = 2;
  expect_usage(&options, "--from 2 --to 2: of 2 devices");
  options.from = 0;
  options.bench.backends = reference;
  options.bench.backend_count = 1;
  expect_usage(&options, "only the native backend shares rows");
  options.bench.backend_count = 0;
  options.devices = beyond;
  expect_usage(&options, "there is no device 1000");
  assert_int_equal(seen.lines, 0);
  setosa_devices_close(devices);
}

/* Rows that are made stream at every size: time and verdict as ever, but never all of X on the device. */
static void made_rows_stream(void **state) {
  (void)state;
  static const SetosaBackend native[] = {SETOSA_BACKEND_NATIVE};
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_PREDICT};
  Error error = {0};
  Seen seen = {.lines = 0};
  SetosaDevices *devices = NULL;
  size_t best = 0;
  support_ok(setosa_devices_open(&devices, &error), &error);
  if (setosa_devices_select(devices, NULL, false, &best, &error) != SETOSA_OK) {
    setosa_devices_close(devices);
    support_skip("no usable OpenCL device");
  }
  SetosaBenchScalingOptions options = small(&seen, SETOSA_BENCH_ROWS);
  options.shape = "synthetic:rows=50000,features=40,classes=3,seed=4";
  options.to = 200000;
  options.generate_above_bytes = 1 << 20;
  options.bench.devices = devices;
  options.bench.device_indices = &best;
  options.bench.device_count = 1;
  options.bench.backends = native;
  options.bench.backend_count = 1;
  options.bench.whats = whats;
  options.bench.what_count = 2;
  support_ok(setosa_bench_scaling(&options, &error), &error);
  assert_int_equal(seen.lines, 2);
  for (size_t l = 0; l < 2; l++) {
    assert_true(seen.line[l].made);
    assert_int_equal(seen.line[l].point_count, 3);
    for (size_t i = 0; i < 3; i++) {
      const SetosaBenchResult *r = &seen.points[l][i].result;
      if (r->status != SETOSA_BENCH_OK) fail_msg("%s of %zu rows: %s", setosa_bench_what_name(r->what), (size_t)r->rows, r->reason);
      assert_int_equal(r->rows, 50000 << i);
      assert_true(r->error <= r->tolerance);
      if (l == 0) assert_true(r->device_bytes > 0 && r->device_bytes < r->rows * 40 * sizeof(float));
    }
  }
  setosa_devices_close(devices);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(halves_share_the_work),
      cmocka_unit_test(an_interruption_keeps_what_there_is),
      cmocka_unit_test(devices_without_sense),
      cmocka_unit_test(made_rows_stream),
  };
  return support_run("scaling devices", tests, NULL, NULL);
}
