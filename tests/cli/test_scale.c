/* Data that do not fit the device's budget, and the plan that says so before any work: --device-memory and --dry-run. */
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static const char large[] = "synthetic:rows=300000,features=100,classes=3"; /* 120 MB */

/* Streams, and ends at the bits of the run that did not. */
static void test_a_budget_streams(void **state) {
  (void)state;
  char hash[40];
  static const char *const runs[][2][16] = {
      {{"train", large, "--json", "--solver", "lbfgs", "--max-iterations", "3", NULL},
       {"train", large, "--json", "--solver", "lbfgs", "--max-iterations", "3", "--device-memory", "60M", NULL}},
      {{"train", large, "--json", "--solver", "sgd", "--epochs", "1", "--batch-size", "20000", NULL},
       {"train", large, "--json", "--solver", "sgd", "--epochs", "1", "--batch-size", "20000", "--device-memory", "60M", NULL}},
  };
  run_need_device();
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
    Run whole = run_setosa(runs[i][0]);
    run_expect(&whole, 0);
    json_t *document = run_json(&whole);
    assert_true(json_is_true(json_object_get(document, "resident")));
    assert_true(run_number(document, "chunk_rows", NULL) == 0);
    snprintf(hash, sizeof hash, "%s", json_string_value(json_object_get(document, "weights_hash")));
    json_decref(document);
    run_free(&whole);

    Run streamed = run_setosa(runs[i][1]);
    run_expect(&streamed, 0);
    document = run_json(&streamed);
    assert_true(json_is_false(json_object_get(document, "resident")));
    double chunk = run_number(document, "chunk_rows", NULL);
    assert_true(chunk > 0 && chunk < 300000);
    assert_true(run_number(document, "device_bytes", NULL) <= 60 << 20);
    assert_string_equal(json_string_value(json_object_get(document, "weights_hash")), hash);
    json_decref(document);
    run_free(&streamed);
  }
}

static void test_the_plan(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("train", large, "--dry-run", "--json", "--device-memory", "60M", "--max-iterations", "9");
  run_expect(&run, 0);
  json_t *plan = run_json(&run), *buffers = json_object_get(plan, "buffers"), *buffer;
  size_t index;
  double sum = 0;
  assert_true(run_number(plan, "rows", NULL) == 300000);
  assert_true(run_number(plan, "features", NULL) == 100);
  assert_true(run_number(plan, "classes", NULL) == 3);
  assert_true(json_is_false(json_object_get(plan, "resident")));
  assert_true(run_number(plan, "chunk_rows", NULL) > 0);
  assert_true(run_number(plan, "device_budget_bytes", NULL) == 60 << 20);
  assert_true(run_number(plan, "passes_estimate", NULL) == 10);
  double pass = run_number(plan, "seconds_pass", NULL), total = run_number(plan, "seconds_estimate", NULL);
  assert_true(pass > 0 && isfinite(pass));
  support_near(total, 10 * pass, 1e-9 * total);
  assert_true(json_array_size(buffers) >= 4);
  json_array_foreach(buffers, index, buffer) {
    assert_non_null(json_string_value(json_object_get(buffer, "name")));
    sum += run_number(buffer, "bytes", NULL);
  }
  assert_true(sum > 0 && sum <= 60 << 20);
  json_decref(plan);
  run_free(&run);

  /* Matrices of a preconditioner lie twice on a device, and are part of the plan. */
  run =
      RUN("train", "synthetic:rows=20000,features=50,classes=10", "--dry-run", "--json", "--solver", "lbfgs", "--preconditioner", "blocks");
  run_expect(&run, 0);
  plan = run_json(&run);
  double matrices = 0;
  json_array_foreach(json_object_get(plan, "buffers"), index, buffer) {
    if (strcmp(json_string_value(json_object_get(buffer, "name")), "preconditioner and Gram matrices") == 0)
      matrices = run_number(buffer, "bytes", NULL);
  }
  assert_true(matrices >= 2 * 10 * 51 * 51 * 4);
  json_decref(plan);
  run_free(&run);

  char model[SUPPORT_PATH + 32];
  snprintf(model, sizeof model, "%s/iris.safetensors", folder);
  run = RUN("train", iris, "--dry-run", "--model", model);
  run_expect(&run, 0);
  run_expect_text(run.out, "Plan: 150 rows, 4 features as f32, 3 classes");
  run_expect_text(run.out, "most data need fewer than 151 passes: ");
  run_expect_text(run.out, "1001: up to ");
  run_free(&run);
  assert_true(access(model, F_OK) != 0); /* nothing was done */
  run = RUN("train", iris, "--model", model);
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("eval", model, iris, "--dry-run", "--json");
  run_expect(&run, 0);
  plan = run_json(&run);
  assert_true(run_number(plan, "passes_estimate", NULL) == 1);
  assert_true(json_is_true(json_object_get(plan, "resident")));
  json_decref(plan);
  run_free(&run);
  run = RUN("predict", model, iris, "--dry-run");
  run_expect(&run, 0);
  run_expect_text(run.out, "at most 1 pass: up to ");
  run_free(&run);
}

static void test_what_makes_no_sense(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("train", large, "--device-memory", "1M");
  run_expect(&run, 4);
  run_expect_text(run.err, "raise --device-memory to");
  run_free(&run);
  static const char *const sizes[] = {"lots", "-1", "0", "1X", "1e30", ""};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    run = RUN("train", iris, "--device-memory", sizes[i]);
    run_expect(&run, 2);
    run_expect_text(run.err, "give a size such as 512M or 4G");
    run_free(&run);
  }
  run = RUN("train", iris, "--device-memory", "1G", "--backend", "reference");
  run_expect(&run, 2);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_budget_streams),
      cmocka_unit_test(test_the_plan),
      cmocka_unit_test(test_what_makes_no_sense),
  };
  return support_run("cli_scale", tests, create, destroy);
}
