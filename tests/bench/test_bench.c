/* setosa_bench: rows that are made as passes need them are measured where they can be, and skipped with a reason where they cannot; work
 * and limits of sparse rows count their entries. */
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
      assert_true(result->entries == 3000 * 20 && isnan(result->gather_ms));
    } else {
      assert_int_equal(result->status, SETOSA_BENCH_SKIPPED);
      assert_true(result->reason[0] != '\0' && isnan(result->median_ms));
    }
  }
  assert_null(setosa_dataset_values(dataset)); /* they were never held */
  setosa_dataset_destroy(dataset);
  setosa_devices_close(devices);
}

/* Flops are those of the entries, and the limit is at least what gathers take. */
static void check_sparse(const SetosaBenchResult *result, bool ones) {
  const double products = result->what == SETOSA_BENCH_HESSIAN ? 3 : result->what == SETOSA_BENCH_PREDICT ? 1 : 2;
  uint64_t entries = result->rows * (ones ? 5 : 20);
  if (result->status != SETOSA_BENCH_OK) fail_msg("%s %s: %s", result->backend, setosa_bench_what_name(result->what), result->reason);
  assert_int_equal(result->entries, entries);
  support_near(result->gflops * result->median_ms, 1e-6 * 2 * products * (double)(entries * result->classes), 1e-9);
  assert_true(result->error <= result->tolerance && result->gather_ms > 0 && isfinite(result->gather_ms));
  assert_true(result->limit_ms >= result->gather_ms);
  assert_true(result->limit_ms >= 0.999 * result->gflops * result->median_ms / result->fma_gflops);
  assert_true(result->limit_ms >= 0.999 * result->gbytes_per_s * result->median_ms / result->read_gbytes_per_s);
  /* Columns and values of entries move for either product, and no pass moves all zeros. */
  double bytes = 1e6 * result->gbytes_per_s * result->median_ms, least = (double)entries * (ones ? 4 : 8);
  assert_true(bytes > least);
}

static void sparse_rows_count_their_entries(void **state) {
  (void)state;
  static const char *const sources[] = {"synthetic:rows=2000,features=1000,classes=3,sparsity=0.98",
                                        "synthetic:rows=2000,features=1000,classes=3,fields=5"};
  static const SetosaBackend backends[] = {SETOSA_BACKEND_REFERENCE, SETOSA_BACKEND_NATIVE};
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_HESSIAN, SETOSA_BENCH_PREDICT};
  static const size_t first_device = 0;
  SetosaError error = {.status = SETOSA_OK};
  SetosaDevices *devices = NULL;
  support_ok(setosa_devices_open(&devices, &error), &error);
  bool device = setosa_devices_count(devices) > 0 && setosa_devices_get(devices, 0)->usable;
  for (size_t s = 0; s < 2; s++) {
    Seen seen = {.count = 0};
    SetosaDataset *dataset = NULL;
    SetosaBenchOptions options = setosa_bench_options_default();
    support_ok(setosa_dataset_load(&dataset, sources[s], NULL, &error), &error);
    options.dataset = dataset;
    options.devices = devices;
    options.device_indices = &first_device;
    options.device_count = device ? 1 : 0;
    options.backends = backends;
    options.backend_count = device && s == 0 ? 2 : 1; /* opening a device takes longer than all else here */
    options.whats = whats;
    options.what_count = 3;
    options.repeat = 1;
    options.result = on_result;
    options.user = &seen;
    support_ok(setosa_bench(&options, &error), &error);
    assert_int_equal(seen.count, 3 * options.backend_count);
    for (size_t i = 0; i < seen.count; i++) check_sparse(&seen.results[i], s == 1);
    setosa_dataset_destroy(dataset);
  }
  setosa_devices_close(devices);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(made_rows_are_measured), cmocka_unit_test(sparse_rows_count_their_entries)};
  return support_run("bench", tests, NULL, NULL);
}
