/* `setosa bench` as a user runs it: rows, files, comparison, interruption, bad flags. How fast anything is, is no test's business. */
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

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  if (text == NULL) fail_msg("%s is no text", key);
  return text;
}

/* A row that was measured has all its numbers, and they agree with each other. */
static void check_ok_row(const json_t *row) {
  double median = run_number(row, "median_ms", NULL), limit = run_number(row, "limit_ms", NULL);
  double n = run_number(row, "rows", NULL), d = run_number(row, "features", NULL), k = run_number(row, "classes", NULL);
  assert_string_equal(text_of(row, "status"), "ok");
  assert_string_equal(text_of(row, "reason"), "");
  assert_true(median > 0 && limit > 0);
  assert_true(run_number(row, "min_ms", NULL) <= median && median <= run_number(row, "max_ms", NULL));
  support_near(run_number(row, "part_of_limit", NULL) * median / limit, 1, 1e-9);
  assert_true(run_number(row, "error", NULL) <= run_number(row, "tolerance", NULL));
  assert_true(run_number(row, "device_bytes", NULL) > run_number(row, "workspace_bytes", NULL));
  const char *what = text_of(row, "what");
  double products = strcmp(what, "hessian") == 0 ? 6 : strcmp(what, "predict") == 0 ? 2 : strcmp(what, "step") == 0 ? 4 : 0;
  if (products == 0) return;
  support_near(run_number(row, "gflops", NULL) * median * 1e6 / (products * n * d * k), 1, 1e-6);
  assert_true(run_number(row, "first_call_ms", NULL) > 0); /* of a training it is what came before, if anything */
}

static void check_table_of(const char *data, const char *whats, size_t what_count) {
  Run run = RUN("bench", data, "--what", whats, "--backends", "native,reference", "--seconds", "0", "--max-iterations", "20", "--what",
                "train", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *results = json_object_get(document, "results"), *row = NULL;
  size_t i = 0;
  assert_string_equal(text_of(document, "command"), "bench");
  assert_int_equal(json_array_size(json_object_get(document, "limits")), 2);
  assert_int_equal(json_array_size(results), 2 * what_count);
  json_array_foreach(results, i, row) {
    check_ok_row(row);
    assert_int_equal(json_object_size(json_object_get(row, "ratios")), 1);
  }
  json_decref(document);
  run_free(&run);
}

static void test_every_operation(void **state) {
  (void)state;
  run_need_device();
  check_table_of(iris, "step,hessian,epoch,train,predict", 5);
}

/* The smallest shapes: K = 2, D = 1, a handful of rows. */
static void test_tiny_data(void **state) {
  (void)state;
  run_need_device();
  check_table_of("synthetic:rows=5,features=1,classes=2", "step,epoch,hessian,predict", 5);
}

static void test_files_and_comparison(void **state) {
  (void)state;
  char csv[SUPPORT_PATH], baseline[SUPPORT_PATH], command[6 * SUPPORT_PATH];
  support_path(csv, folder, "rows.csv");
  support_path(baseline, folder, "before.json");
  snprintf(command, sizeof command, "\"$SETOSA_PROGRAM\" bench '%s' --backends reference --seconds 0 --json --csv '%s' > '%s'", iris, csv,
           baseline);
  Run run = run_shell(command);
  run_expect(&run, 0);
  run_free(&run);
  char *text = support_read(csv, NULL);
  assert_int_equal(strncmp(text, "work,rows,features,classes,what,backend,", 40), 0);
  run_expect_text(text, "\n\"iris.csv\",150,4,3,step,reference,\"host\",f32,,");
  size_t commas[2] = {0, 0}, line = 0;
  for (const char *at = text; *at != '\0' && line < 2; at++) {
    commas[line] += *at == ',';
    line += *at == '\n';
  }
  assert_int_equal(commas[0], commas[1]);
  free(text);

  run = RUN("bench", iris, "--backends", "reference", "--seconds", "0", "--compare", baseline, "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *row = json_array_get(json_object_get(document, "results"), 0);
  support_near(run_number(row, "change", NULL), run_number(row, "median_ms", NULL) / run_number(row, "baseline_median_ms", NULL) - 1, 1e-9);
  json_decref(document);
  run_free(&run);

  /* Ten times slower is told from noise, and another work is not compared with. */
  support_write_text(
      baseline,
      "{\"command\":\"bench\",\"results\":[{\"work\":\"iris.csv\",\"rows\":150,\"features\":4,\"classes\":3,\"what\":\"step\","
      "\"backend\":\"reference\",\"device\":\"host\",\"storage\":\"f32\",\"family\":\"\",\"median_ms\":1e-9,\"spread\":0.1,"
      "\"part_of_limit\":0.5,\"status\":\"ok\"}]}");
  run = RUN("bench", iris, "--backends", "reference", "--seconds", "0", "--what", "step,predict", "--compare", baseline);
  run_expect(&run, 0);
  run_expect_text(run.out, "SLOWER");
  run_expect_text(run.out, "not in the baseline");
  run_free(&run);
}

static void test_bad_baselines(void **state) {
  (void)state;
  static const char *const bad[] = {"", "{", "[]", "{\"command\":\"train\",\"results\":[]}", "{\"command\":\"bench\",\"results\":3}"};
  char path[SUPPORT_PATH];
  support_path(path, folder, "bad.json");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    support_write_text(path, bad[i]);
    Run run = RUN("bench", iris, "--compare", path);
    run_expect(&run, 3);
    run_expect_text(run.err, "setosa bench --json");
    assert_string_equal(run.out, "");
    run_free(&run);
  }
}

/* A kernel that computes something else is FAILED: no time, exit code 4. */
static void test_wrong_results_are_failed(void **state) {
  (void)state;
  run_need_device();
  char command[6 * SUPPORT_PATH], kernels[SUPPORT_PATH];
  support_source_path(kernels, "kernels");
  snprintf(command, sizeof command,
           "cp -r '%s' '%s/kernels' && sed -i 's/(distance) == 0.0f)) - (distance))/(distance) == 0.0f)))/'"
           " '%s/kernels/softmax.clh' && ! cmp -s '%s/softmax.clh' '%s/kernels/softmax.clh'",
           kernels, folder, folder, kernels, folder);
  Run run = run_shell(command);
  run_expect(&run, 0); /* the line that is made wrong is there */
  run_free(&run);
  snprintf(command, sizeof command,
           "SETOSA_KERNEL_DIR='%s/kernels' \"$SETOSA_PROGRAM\" bench synthetic:rows=200,features=20,classes=40 --backends native "
           "--force-device --tune off --seconds 0",
           folder);
  run = run_shell(command);
  run_expect(&run, 4);
  run_expect_text(run.out, "FAILED");
  run_expect_text(run.out, "wrong loss");
  run_expect_text(run.err, "1 of 1 rows failed");
  run_free(&run);
}

/* What training on halves is judged by is the data as halves hold it, not what was rounded away. */
static void test_training_on_halves(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("bench", iris, "--backends", "native", "--storage", "f16", "--what", "train", "--seconds", "0", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *row = json_array_get(json_object_get(document, "results"), 0);
  assert_string_equal(text_of(row, "storage"), "f16");
  check_ok_row(row);
  json_decref(document);
  run_free(&run);
}

/* Epochs that overflow end early, and would look fast; epochs that converge (here of the bias alone) are not cut short. */
static void test_epochs_are_counted(void **state) {
  (void)state;
  char huge[SUPPORT_PATH], even[SUPPORT_PATH];
  support_path(huge, folder, "huge.csv");
  support_path(even, folder, "even.csv");
  support_write_text(huge, "x,y\n1e30,a\n2e34,b\n3e36,a\n-1e37,b\n");
  support_write_text(even, "x,y\n0,a\n0,a\n0,a\n0,b\n");
  Run run = RUN("bench", huge, "--backends", "reference", "--what", "epoch", "--seconds", "0");
  run_expect(&run, 4);
  run_expect_text(run.out, "the loss overflowed while training");
  run_free(&run);
  run = RUN("bench", even, "--backends", "reference", "--what", "epoch", "--seconds", "0", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *row = json_array_get(json_object_get(document, "results"), 0);
  check_ok_row(row);
  /* A first pass and two an epoch, of 4NDK flops each; one epoch at least. */
  double passes = run_number(row, "gflops", NULL) * run_number(row, "median_ms", NULL) * 1e6 / (4.0 * 4 * 1 * 2);
  assert_true(passes >= 2 && passes <= 3.0001);
  json_decref(document);
  run_free(&run);
}

/* The smallest numbers of a table still fit a terminal. */
static void test_tables_fit_80_columns(void **state) {
  (void)state;
  char tiny[SUPPORT_PATH];
  support_path(tiny, folder, "tiny.csv");
  support_write_text(tiny, "1,a\n2,b\n");
  Run run = RUN("bench", tiny, "--backends", "native,blas,reference", "--what", "step,epoch,train,predict", "--seconds", "0");
  run_expect(&run, 0);
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1)
    if (strcspn(line, "\n") > 80) fail_msg("%.*s", (int)strcspn(line, "\n"), line);
  run_free(&run);
}

/* When nothing was measured, the closing line says why. */
static void test_all_skipped(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("bench", iris, "--backends", "native", "--storage", "u8", "--seconds", "0");
  run_expect(&run, 4);
  run_expect_text(run.err, "every row was skipped, the first native 0 u8 of iris.csv (");
  run_expect_text(run.err, "so u8 would change it");
  run_free(&run);
}

/* The first Ctrl-C ends with what there is, as one whole document. */
static void test_interrupt(void **state) {
  (void)state;
  FILE *out = tmpfile(), *err = tmpfile();
  int in = open("/dev/null", O_RDONLY);
  const char *const argv[] = {support_program(), "bench",     iris,  "--backends", "reference", "--what",
                              "step,predict",    "--seconds", "120", "--json",     NULL};
  pid_t child = run_start(argv, in, fileno(out), fileno(err));
  run_sleep_ms(3000);
  kill(child, SIGINT);
  Run run = {.code = run_wait(child)};
  close(in);
  run.out = run_slurp(out);
  run.err = run_slurp(err);
  run_expect(&run, 130);
  json_t *document = run_json(&run);
  assert_true(json_is_true(json_object_get(document, "interrupted")));
  run_expect_text(run.err, "interrupted; what was measured so far stands");
  json_decref(document);
  run_free(&run);
}

/* A reader that stops early is no error; a disk that is full is one. Neither is called an interruption. */
static void test_output_that_ends(void **state) {
  (void)state;
  static const struct {
    const char *where;
    int code;
  } table[] = {{"| head -n 1", 0}, {">/dev/full", 6}};
  for (size_t i = 0; i < 2; i++) {
    char command[6 * SUPPORT_PATH];
    snprintf(
        command, sizeof command,
        "{ \"$SETOSA_PROGRAM\" bench '%s' --backends reference --what step,hessian,predict --seconds 0.2 -q; echo \"code $?\" >&2; } %s",
        iris, table[i].where);
    Run run = run_shell(command);
    char code[16];
    snprintf(code, sizeof code, "code %d\n", table[i].code);
    run_expect_text(run.err, code);
    assert_null(strstr(run.err, "interrupted"));
    run_free(&run);
  }
}

static void test_bad_flags(void **state) {
  (void)state;
  static const struct {
    const char *message, *arguments[8];
  } table[] = {
      {"name what to bench: --suite, DATA,", {"bench"}},
      {"--suite is about the suite", {"bench", "@iris", "--suite"}},
      {"--work \"W9\": give some of W1 to W6", {"bench", "--work", "W9"}},
      {"--what \"steps\": did you mean step?", {"bench", "@iris", "--what", "hessian,steps"}},
      {"--backends \"cuda\"", {"bench", "@iris", "--backends", "native,cuda"}},
      {"--storage: choose f32, f16 or u8", {"bench", "@iris", "--storage", "auto"}},
      {"--repeat \"0\"", {"bench", "@iris", "--repeat", "0"}},
      {"--seconds \"-1\"", {"bench", "@iris", "--seconds", "-1"}},
      {"add --what train", {"bench", "@iris", "--tolerance", "1"}},
      {"would overwrite", {"bench", "@iris", "--csv", "@iris"}},
      {"--standardize is about data of your own", {"bench", "--suite", "--standardize"}},
      {"--label is about data of your own", {"bench", "--work", "W1", "--label", "x"}},
      {"--scale is about data of your own", {"bench", "--work", "W1", "--scale", "2"}},
      {"--storage is about the native backend; add it", {"bench", "@iris", "--backends", "blas", "--storage", "f16"}},
      {"--reproducible is about the native backend", {"bench", "@iris", "--backends", "clblast", "--reproducible"}},
      {"--reproducible keeps to fixed kernel shapes, so --tune full", {"bench", "@iris", "--tune", "full", "--reproducible"}},
      {"--device is about backends of a device", {"bench", "@iris", "--backends", "blas,reference", "--device", "0"}},
      {"--family is about backends of a device", {"bench", "@iris", "--backends", "blas", "--family", "gpu"}},
      {"--epochs is not an option of `setosa bench`", {"bench", "@iris", "--epochs", "3"}},
  };
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const char *arguments[9] = {NULL};
    for (size_t a = 0; a < 8 && table[i].arguments[a] != NULL; a++)
      arguments[a] = strcmp(table[i].arguments[a], "@iris") == 0 ? iris : table[i].arguments[a];
    Run run = run_setosa(arguments);
    run_expect(&run, 2);
    run_expect_text(run.err, table[i].message);
    assert_string_equal(run.out, "");
    assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_operation),
      cmocka_unit_test(test_tiny_data),
      cmocka_unit_test(test_files_and_comparison),
      cmocka_unit_test(test_bad_baselines),
      cmocka_unit_test(test_wrong_results_are_failed),
      cmocka_unit_test(test_training_on_halves),
      cmocka_unit_test(test_epochs_are_counted),
      cmocka_unit_test(test_tables_fit_80_columns),
      cmocka_unit_test(test_all_skipped),
      cmocka_unit_test(test_interrupt),
      cmocka_unit_test(test_output_that_ends),
      cmocka_unit_test(test_bad_flags),
  };
  return support_run("bench", tests, create, destroy);
}
