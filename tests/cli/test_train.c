/* `setosa train` from the command line to the files it leaves. */
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

/* Known optima of Fisher's iris, computed in double precision. */
static void test_iris_reaches_the_optimum(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("train", iris, "--l2", "0.01", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_true(json_object_get(document, "converged")));
  support_near(run_number(document, "objective", NULL) / 0.224288902895, 1, 1e-6);
  support_near(run_number(document, "train", "accuracy"), 0.9733, 5e-5);
  json_decref(document);
  run_free(&run);

  run = RUN("train", iris, "--l2", "0.01", "--json", "--features", "petal_length,petal_width", "--positive", "setosa");
  run_expect(&run, 0);
  document = run_json(&run);
  support_near(run_number(document, "objective", NULL) / 0.036699582600, 1, 1e-6);
  assert_true(run_number(document, "train", "accuracy") == 1.0);
  assert_int_equal(run_number(document, "data", "features"), 2);
  assert_int_equal(run_number(document, "data", "classes"), 2);
  json_decref(document);
  run_free(&run);
}

/* The first thing anybody types: unscaled features and little L2, where f32 cannot reach the tolerance. It is converged all the same. */
static void test_defaults_converge(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("train", iris, "--json", "--strict");
  run_expect(&run, 0);
  assert_null(strstr(run.err, "warning"));
  json_t *document = run_json(&run);
  assert_true(json_is_true(json_object_get(document, "converged")));
  support_near(run_number(document, "objective", NULL) / 0.052529273425, 1, 1e-6); /* in double: --backend reference --tolerance 1e-10 */
  json_decref(document);
  run_free(&run);
  run = RUN("train", iris, "--solver", "adam", "--learning-rate", "1e6");
  run_expect(&run, 0);
  run_expect_text(run.err, "it diverged: lower --learning-rate");
  run_free(&run);
}

/* Every field of the interface, in its order and of its type, and no other. */
static void test_json_fields(void **state) {
  (void)state;
  run_need_device();
  static const char *const fields[] = {
      "command",       "version",      "data",        "device",        "backend",     "solver",  "objective",    "loss",
      "gradient_norm", "iterations",   "evaluations", "converged",     "stop_reason", "train",   "test",         "preconditioner",
      "choice",        "passes",       "gap",         "gap_kind",      "nonzeros",    "seconds", "device_bytes", "resident",
      "chunk_rows",    "weights_hash", "storage",     "storage_error", "separable",   "truth",   "ranks",        "devices"};
  Run run = RUN("train", iris, "--json", "--test", iris, "-q");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  json_t *document = run_json(&run), *value;
  const char *key;
  size_t at = 0;
  json_object_foreach(document, key, value) {
    assert_true(at < sizeof fields / sizeof fields[0]);
    assert_string_equal(key, fields[at]);
    at++;
  }
  assert_int_equal(at, sizeof fields / sizeof fields[0]);
  assert_string_equal(json_string_value(json_object_get(document, "command")), "train");
  assert_string_equal(json_string_value(json_object_get(document, "version")), SETOSA_VERSION);
  assert_string_equal(json_string_value(json_object_get(document, "backend")), "native");
  assert_string_equal(json_string_value(json_object_get(document, "solver")), "newton");
  assert_int_equal(run_number(document, "data", "rows"), 150);
  assert_int_equal(run_number(document, "data", "features"), 4);
  assert_int_equal(run_number(document, "data", "classes"), 3);
  assert_true(json_is_integer(json_object_get(document, "iterations")));
  assert_true(json_is_integer(json_object_get(document, "evaluations")));
  assert_true(json_is_boolean(json_object_get(document, "converged")));
  assert_true(json_is_string(json_object_get(document, "stop_reason")));
  assert_int_equal(strlen(json_string_value(json_object_get(document, "weights_hash"))), 32);
  assert_true(run_number(document, "device_bytes", NULL) > 0);
  assert_true(run_number(document, "objective", NULL) >= run_number(document, "loss", NULL));
  double gradient = run_number(document, "gradient_norm", NULL);
  assert_true(gradient > 0 && gradient < 1e-3); /* it converged */
  static const char *const parts[] = {"start", "load",  "prepare",    "device",  "test",  "tune",  "upload",
                                      "build", "train", "checkpoint", "summary", "score", "write", "total"}; /* test_times.c adds them up */
  at = 0;
  json_object_foreach(json_object_get(document, "seconds"), key, value) {
    assert_true(at < sizeof parts / sizeof *parts);
    assert_string_equal(key, parts[at++]);
  }
  assert_int_equal(at, sizeof parts / sizeof *parts);
  const json_t *device = json_object_get(document, "device");
  assert_true(json_is_integer(json_object_get(device, "index")));
  static const char *const texts[] = {"name", "platform", "driver", "type"};
  for (size_t i = 0; i < 4; i++) assert_true(json_is_string(json_object_get(device, texts[i])));
  assert_int_equal(json_object_size(device), 5);
  /* The same rows as test data must score the same as in training, through another code path. */
  support_near(run_number(document, "test", "accuracy"), run_number(document, "train", "accuracy"), 1e-12);
  support_near(run_number(document, "test", "log_loss"), run_number(document, "train", "log_loss"), 1e-6);
  json_decref(document);
  run_free(&run);
}

static void test_json_without_test_or_device(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--json", "--backend", "reference");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_null(json_object_get(document, "test")));
  assert_true(json_is_null(json_object_get(document, "device")));
  assert_null(json_object_get(document, "validation"));
  json_decref(document);
  run_free(&run);
}

static void test_same_command_same_weights(void **state) {
  (void)state;
  run_need_device();
  const char *const commands[][12] = {
      {"train", iris, "--json", "-q", NULL},
      {"train", iris, "--json", "-q", "--solver", "sgd", "--epochs", "5", "--seed", "7", NULL},
  };
  for (size_t i = 0; i < 2; i++) {
    Run a = run_setosa(commands[i]), b = run_setosa(commands[i]);
    run_expect(&a, 0);
    run_expect(&b, 0);
    json_t *first = run_json(&a), *second = run_json(&b);
    assert_string_equal(json_string_value(json_object_get(first, "weights_hash")),
                        json_string_value(json_object_get(second, "weights_hash")));
    json_decref(first);
    json_decref(second);
    run_free(&a);
    run_free(&b);
  }
}

/* One line per iteration, each a document of its own; a second run starts the file afresh. */
static void test_log(void **state) {
  (void)state;
  char log[SUPPORT_PATH];
  static const char *const fields[] = {"iteration", "objective", "loss", "gradient_norm", "step", "seconds", "rows_per_second", "passes"};
  support_path(log, folder, "train.jsonl");
  support_write_text(log, "left over\n");
  Run run = RUN("train", iris, "--backend", "reference", "--log", log, "--json", "-q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  char *text = support_read(log, NULL), *rest = NULL;
  double iterations = 0, last = INFINITY;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    json_t *entry = json_loads(line, 0, NULL);
    assert_non_null(entry);
    iterations++;
    for (size_t i = 0; i < 8; i++) assert_true(json_is_number(json_object_get(entry, fields[i])));
    assert_int_equal(json_object_size(entry), 8);
    assert_int_equal(run_number(entry, "iteration", NULL), iterations);
    last = run_number(entry, "objective", NULL);
    json_decref(entry);
  }
  assert_int_equal(iterations, run_number(document, "iterations", NULL));
  support_near(last, run_number(document, "objective", NULL), 1e-12);
  free(text);
  json_decref(document);
  run_free(&run);
}

static void test_summary_and_hints(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, folder, "my model.safetensors");
  Run run = RUN("train", iris, "--backend", "reference");
  run_expect(&run, 0);
  run_expect_text(run.out, "150 rows, 4 features, 3 classes");
  run_expect_text(run.out, "converged");
  run_expect_text(run.out, "of 150 rows right");
  run_expect_text(run.err, "the model was not kept; add --model");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--model", path);
  run_expect(&run, 0);
  run_expect_text(run.err, "setosa predict '");
  assert_int_equal(access(path, R_OK), 0);
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--quiet");
  assert_string_equal(run.err, "");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--verbose", "--standardize", "--validation", "0.2");
  run_expect(&run, 0);
  run_expect_text(run.err, "rows/s");
  run_expect_text(run.out, "of 30 rows right");
  run_free(&run);
}

static void test_not_converged(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, folder, "strict.safetensors");
  Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "2");
  run_expect(&run, 0);
  run_expect_text(run.err, "warning: not converged (max-iterations): ");
  run_expect_text(run.out, "stopped after 2 iterations");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--max-iterations", "2", "--strict", "--model", path);
  run_expect(&run, 5);
  assert_int_equal(access(path, R_OK), 0); /* what was asked for is written all the same */
  run_free(&run);
}

/* Without a tolerance every iteration is run, as was asked: that is told, and is no warning. */
static void test_every_iteration(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--solver", "gd", "--tolerance", "0", "--max-iterations", "3000");
  run_expect(&run, 0);
  run_expect_text(run.out, "gd: stopped after 3000 iterations (max-iterations)");
  assert_null(strstr(run.err, "not converged"));
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--tolerance", "0", "--json");
  run_expect(&run, 0);
  assert_null(strstr(run.err, "not converged"));
  json_t *document = run_json(&run);
  assert_true(json_is_false(json_object_get(document, "converged")));
  assert_true(run_number(document, "gradient_norm", NULL) < 1e-12); /* far beyond where the default would end */
  json_decref(document);
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--tolerance", "0");
  run_expect_text(run.out, "iterations, where rounding hides any further decrease");
  run_free(&run);
  /* What went wrong is told all the same. */
  run = RUN("train", iris, "--backend", "reference", "--solver", "sgd", "--learning-rate", "1e6", "--tolerance", "0", "--epochs", "3");
  run_expect(&run, 0);
  run_expect_text(run.err, "warning: not converged");
  run_free(&run);
}

/* Test data of which the classes appear in another order, and one is absent: the training data's names decide. */
static void test_test_data_share_the_vocabulary(void **state) {
  (void)state;
  char a[SUPPORT_PATH], b[SUPPORT_PATH], c[SUPPORT_PATH];
  support_path(a, folder, "a.csv");
  support_path(b, folder, "b.csv");
  support_path(c, folder, "c.csv");
  support_write_text(a, "x,y,kind\n0,5,low\n1,5,low\n10,6,high\n11,6,high\n5,90,mid\n6,91,mid\n");
  support_write_text(b, "y,x,kind\n90,5,mid\n6,11,high\n5,1,low\n5,0,low\n");
  support_write_text(c, "x,y,kind\n5,90,other\n");
  Run run = RUN("train", a, "--backend", "reference", "--standardize", "--json", "-q", "--test", b);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "train", "accuracy") == 1.0);
  assert_true(run_number(document, "test", "accuracy") == 1.0);
  json_decref(document);
  run_free(&run);
  run = RUN("train", a, "--backend", "reference", "--test", c);
  run_expect(&run, 3);
  run_expect_text(run.err, "other");
  run_free(&run);
  run = RUN("train", a, "--backend", "reference", "--positive", "mid", "--json", "-q", "--test", b);
  run_expect(&run, 0);
  document = run_json(&run);
  assert_int_equal(run_number(document, "data", "classes"), 2);
  assert_true(run_number(document, "test", "accuracy") == 1.0);
  json_decref(document);
  run_free(&run);
}

/* A factor, held-out rows and standardization together: the held-out rows are scaled once and alike. */
static void test_scale_with_standardize_and_validation(void **state) {
  (void)state;
  char digits[SUPPORT_PATH];
  support_source_path(digits, "data/digits.csv.gz");
  Run run = RUN("train", digits, "--scale", "0.0625", "--standardize", "--validation", "0.25", "--l2", "0.01", "--backend", "reference",
                "--max-iterations", "30", "--json", "-q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "validation", "accuracy") > 0.9);
  json_decref(document);
  run_free(&run);
}

/* A model or a log that cannot be written in full ends with 6 and a line. */
static void test_disk_full(void **state) {
  (void)state;
  if (access("/dev/full", W_OK) != 0) support_skip("/dev/full cannot be written");
  Run run = RUN("train", iris, "--backend", "reference", "--log", "/dev/full", "-q");
  run_expect(&run, 6);
  run_expect_text(run.err, "--log /dev/full: cannot write: No space left on device");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--model", "/dev/full", "-q");
  run_expect(&run, 6);
  run_expect_text(run.err, "/dev/full");
  run_free(&run);
  run = run_shell("exec \"$SETOSA_PROGRAM\" train \"$SETOSA_SOURCE_DIR/data/iris.csv\" --backend reference -q > /dev/full");
  run_expect(&run, 6);
  run_expect_text(run.err, "stdout: cannot write: No space left on device");
  run_free(&run);
}

/* A loss that overflows is told as such and leaves a usable model. */
static void test_diverging_training(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--solver", "gd", "--learning-rate", "1e200", "--max-iterations", "50", "--json");
  run_expect(&run, 0);
  run_expect_text(run.err, "warning: not converged (");
  json_t *document = run_json(&run);
  assert_true(json_is_false(json_object_get(document, "converged")));
  json_decref(document);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_iris_reaches_the_optimum),
      cmocka_unit_test(test_defaults_converge),
      cmocka_unit_test(test_json_fields),
      cmocka_unit_test(test_json_without_test_or_device),
      cmocka_unit_test(test_same_command_same_weights),
      cmocka_unit_test(test_log),
      cmocka_unit_test(test_summary_and_hints),
      cmocka_unit_test(test_not_converged),
      cmocka_unit_test(test_every_iteration),
      cmocka_unit_test(test_test_data_share_the_vocabulary),
      cmocka_unit_test(test_scale_with_standardize_and_validation),
      cmocka_unit_test(test_disk_full),
      cmocka_unit_test(test_diverging_training),
  };
  return support_run("cli_train", tests, create, destroy);
}
