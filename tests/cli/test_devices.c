/* Several devices: how --device names them, what is refused, and how they are reported. Two PoCL devices and halves of one stand for two
 * cards. */
#include "cli/run.h"

static char iris[SUPPORT_PATH], folder[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  setenv("IRIS", iris, 1);
  setenv("FOLDER", folder, 1);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* Two devices of PoCL for what follows, and the second of them can be cut; or a skip. */
static void need_two(void) {
  setenv("POCL_DEVICES", "pthread pthread", 1);
  Run run = RUN("devices", "--json");
  json_error_t error;
  json_t *document = run.code == 0 ? json_loads(run.out, 0, &error) : NULL, *devices = json_object_get(document, "devices"), *device;
  size_t index, pocl = 0;
  json_array_foreach(devices, index, device) {
    const char *platform = json_string_value(json_object_get(device, "platform"));
    pocl += index < 2 && strcmp(platform, "Portable Computing Language") == 0 && run_number(device, "compute_units", NULL) >= 2;
  }
  json_decref(document);
  run_free(&run);
  if (pocl < 2) support_skip("PoCL does not show two devices of two units");
}

static json_t *train_json(const char *device, const char *other) {
  Run run = other == NULL ? RUN("train", iris, "--json", "--quiet", "--device", device)
                          : RUN("train", iris, "--json", "--quiet", "--device", device, "--device", other);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  run_free(&run);
  return document;
}

/* The devices of the report: their indices, and " part 1 of 2" where one is expected. */
static void expect_devices(const char *device, const char *other, size_t count, const size_t *indices, const char *const *parts) {
  json_t *document = train_json(device, other), *devices = json_object_get(document, "devices");
  assert_int_equal(json_array_size(devices), count);
  for (size_t i = 0; i < count; i++) {
    const json_t *one = json_array_get(devices, i);
    const char *name = json_string_value(json_object_get(one, "name"));
    assert_true(run_number(one, "index", NULL) == (double)indices[i]);
    assert_string_equal(json_string_value(json_object_get(one, "platform")), "Portable Computing Language");
    assert_string_equal(json_string_value(json_object_get(one, "type")), "cpu");
    assert_non_null(json_string_value(json_object_get(one, "driver")));
    if (parts == NULL)
      assert_null(strstr(name, " part "));
    else
      run_expect_text(name, parts[i]);
  }
  assert_true(json_equal(json_object_get(document, "device"), json_array_get(devices, 0)));
  assert_true(run_number(document, "train", "accuracy") > 0.95);
  json_decref(document);
}

static void test_which_are_used(void **state) {
  (void)state;
  static const char *const halves[] = {" part 1 of 2", " part 2 of 2", " part 1 of 2", " part 2 of 2"};
  static const size_t both[] = {0, 1}, reversed[] = {1, 0}, last[] = {1, 1}, four[] = {0, 0, 1, 1};
  need_two();
  expect_devices("1", NULL, 1, &both[1], NULL);
  expect_devices("all", NULL, 2, both, NULL);
  expect_devices("0,1", NULL, 2, both, NULL);
  expect_devices("1", "0", 2, reversed, NULL);
  expect_devices("1/2", NULL, 2, last, halves);
  expect_devices("0/2", "1/2", 4, four, halves);
}

/* The file's format and the model do not depend on how many there are; the text names every one. */
static void test_the_summary(void **state) {
  (void)state;
  need_two();
  Run run = RUN("train", iris, "--device", "all");
  run_expect(&run, 0);
  run_expect_text(run.out, "devices     2, which share the rows:");
  run_expect_text(run.out, "[0] pthread");
  run_expect_text(run.out, "[1] pthread");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--json", "--quiet", "--max-iterations", "3");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *devices = json_object_get(document, "devices");
  assert_true(json_is_array(devices) && json_array_size(devices) == 0);
  json_decref(document);
  run_free(&run);
}

/* The weights_hash of a training; free() it. */
static char *hash_of(const char *device, const char *how) {
  char command[2 * SUPPORT_PATH];
  snprintf(command, sizeof command, "exec \"$SETOSA_PROGRAM\" train %s --device %s --json -q", how, device);
  Run run = run_shell(command);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  char *hash = strdup(json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  run_free(&run);
  return hash;
}

/* Steps from the Hessian, or a metric of sampled rows, have the same bits on two devices, whole or cut. */
static void test_same_weights(void **state) {
  (void)state;
  need_two();
  static const char *const ways[] = {
      "\"$SETOSA_SOURCE_DIR/data/wine.csv\" --solver newton",
      "synthetic:rows=6000,features=12,classes=5,noise=0.3 --max-iterations 25 --tolerance 0 --preconditioner diagonal",
      "synthetic:rows=6000,features=12,classes=5,noise=0.3 --max-iterations 25 --tolerance 0 --preconditioner kron",
      "synthetic:rows=6000,features=12,classes=5,noise=0.3 --max-iterations 25 --tolerance 0 --preconditioner blocks",
  };
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    char *one = hash_of("0", ways[i]), *two = hash_of("0,1", ways[i]), *cut = hash_of("0/2,1", ways[i]);
    assert_string_equal(two, one);
    assert_string_equal(cut, one);
    free(cut);
    free(two);
    free(one);
  }
}

/* A checkpoint remembers the devices, and another choice may go on from it. */
static void test_resuming(void **state) {
  (void)state;
  need_two();
  Run run = run_shell("cd \"$FOLDER\" && \"$SETOSA_PROGRAM\" train \"$IRIS\" --device 0 --device 1 --checkpoint c --max-iterations 3 -q");
  run_expect(&run, 0);
  run_free(&run);
  static const struct {
    const char *command;
    size_t count;
  } table[] = {{"\"$SETOSA_PROGRAM\" train --resume \"$FOLDER\"/c --max-iterations 5 --json -q", 2},
               {"\"$SETOSA_PROGRAM\" train --resume \"$FOLDER\"/c --max-iterations 7 --json -q --device 1", 1}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    run = run_shell(table[i].command);
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    assert_int_equal(json_array_size(json_object_get(document, "devices")), table[i].count);
    assert_true(run_number(document, "iterations", NULL) == (i == 0 ? 5 : 7));
    json_decref(document);
    run_free(&run);
  }
}

static void expect_refused(int code, const char *part, const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_expect_text(run.err, part);
  assert_string_equal(run.out, "");
  assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1); /* one line */
  run_free(&run);
}
#define REFUSED(code, part, ...) expect_refused(code, part, (const char *const[]){__VA_ARGS__, NULL})

static void test_what_is_refused(void **state) {
  (void)state;
  need_two();
  REFUSED(2, "is named twice", "train", iris, "--device", "0", "--device", "0");
  REFUSED(2, "is named twice", "train", iris, "--device", "all", "--device", "1");
  REFUSED(2, "is named twice", "train", iris, "--device", "0,0/2");
  REFUSED(2, "2 or more, as in 0/2", "train", iris, "--device", "0/1");
  REFUSED(2, "2 or more, as in 0/2", "train", iris, "--device", "0/half");
  REFUSED(4, "too few for 100000 parts", "train", iris, "--device", "0/100000");
  REFUSED(4, "no device 9", "train", iris, "--device", "0", "--device", "9");
  REFUSED(2, "for the native backend alone", "train", iris, "--device", "all", "--backend", "clblast");
  REFUSED(2, "the blas backend runs on the host", "train", iris, "--device", "all", "--backend", "blas");
  REFUSED(2, "this command works on one", "check", "--device", "0", "--device", "1");
  Run run = run_shell("\"$SETOSA_PROGRAM\" train \"$IRIS\" --model \"$FOLDER\"/m --max-iterations 1 -q");
  run_expect(&run, 0);
  run_free(&run);
  char model[SUPPORT_PATH + 8];
  snprintf(model, sizeof model, "%s/m", folder);
  REFUSED(2, "--device names 2 devices, and this command works on one", "eval", model, iris, "--device", "all");
  REFUSED(2, "--device names 2 devices, and this command works on one", "predict", model, iris, "--device", "1/2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_which_are_used), cmocka_unit_test(test_the_summary),     cmocka_unit_test(test_same_weights),
      cmocka_unit_test(test_resuming),       cmocka_unit_test(test_what_is_refused),
  };
  return support_run("cli_devices", tests, create, destroy);
}
