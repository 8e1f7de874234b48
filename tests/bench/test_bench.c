/* setosa_bench: rows that are made as passes need them are measured where they can be, and skipped with a reason where they cannot. */
#include <math.h>

#include "support/support.h"
/* after it */
#include "setosa_bench.h"

enum { ROWS_MOST = 8 };

typedef struct Seen {
  SetosaBenchResult results[ROWS_MOST];
  size_t count;
} Seen;

static void on_result(const SetosaBenchResult *result, void *user) {
  Seen *seen = user;
  assert_true(seen->count < ROWS_MOST);
  seen->results[seen->count++] = *result;
}

static void made_rows_are_measured(void **state) {
  (void)state;
  static const SetosaBackend backends[] = {SETOSA_BACKEND_REFERENCE, SETOSA_BACKEND_NATIVE};
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_PREDICT};
  static const size_t first_device = 0;
  SetosaError error = {.status = SETOSA_OK};
  SetosaDataset *dataset = NULL;
  SetosaDevices *devices = NULL;
  Seen seen = {.count = 0};
  SetosaDataOptions data = setosa_data_options_default();
  SetosaBenchOptions options = setosa_bench_options_default();
  support_ok(setosa_devices_open(&devices, &error), &error);
  bool device = setosa_devices_count(devices) > 0 && setosa_devices_get(devices, 0)->usable;
  data.generate_above_bytes = 1;
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=3000,features=20,classes=3", &data, &error), &error);
  assert_null(setosa_dataset_values(dataset));
  options.dataset = dataset;
  options.devices = devices;
  options.device_indices = &first_device;
  options.device_count = device ? 1 : 0;
  options.backends = backends;
  options.backend_count = 2;
  options.whats = whats;
  options.what_count = 2;
  options.repeat = 1;
  options.result = on_result;
  options.user = &seen;
  support_ok(setosa_bench(&options, &error), &error);
  assert_int_equal(seen.count, 4);
  for (size_t i = 0; i < seen.count; i++) {
    const SetosaBenchResult *result = &seen.results[i];
    bool native = i % 2 == 1;
    assert_string_equal(result->backend, native ? "native" : "reference");
    assert_true(result->what == whats[i / 2] && result->rows == 3000);
    if (native && device) {
      if (result->status != SETOSA_BENCH_OK) fail_msg("%s", result->reason);
      assert_true(result->median_ms > 0 && result->samples == 1 && result->error <= result->tolerance);
    } else {
      assert_int_equal(result->status, SETOSA_BENCH_SKIPPED);
      assert_true(result->reason[0] != '\0' && isnan(result->median_ms));
    }
  }
  assert_null(setosa_dataset_values(dataset)); /* they were never held */
  setosa_dataset_destroy(dataset);
  setosa_devices_close(devices);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(made_rows_are_measured)};
  return support_run("bench", tests, NULL, NULL);
}
