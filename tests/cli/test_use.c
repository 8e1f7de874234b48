/* Using a model: eval, predict, inspect, explain; and devices, check, cache. */
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(model, folder, "iris.safetensors");
  Run run = RUN("train", iris, "--backend", "reference", "--standardize", "--l2", "0.01", "--model", model, "-q");
  int code = run.code;
  if (code != 0) fprintf(stderr, "%s", run.err);
  run_free(&run);
  return code;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* An independent reader of safetensors: eight bytes of header length, a JSON header, then the arrays. */
static double *read_tensor(const char *path, const char *name, size_t expected) {
  size_t length = 0;
  char *bytes = support_read(path, &length);
  uint64_t header = 0;
  for (int i = 7; i >= 0; i--) header = header << 8 | (unsigned char)bytes[i];
  assert_true(8 + header < length);
  json_t *document = json_loadb(bytes + 8, (size_t)header, 0, NULL);
  assert_non_null(document);
  const json_t *tensor = json_object_get(document, name), *range = json_object_get(tensor, "data_offsets");
  bool wide = strcmp(json_string_value(json_object_get(tensor, "dtype")), "F64") == 0;
  if (!wide) assert_string_equal(json_string_value(json_object_get(tensor, "dtype")), "F32");
  size_t begin = (size_t)json_integer_value(json_array_get(range, 0)), end = (size_t)json_integer_value(json_array_get(range, 1));
  assert_int_equal(end - begin, expected * (wide ? sizeof(double) : sizeof(float)));
  assert_true(8 + header + end <= length);
  double *values = malloc(expected * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < expected; i++) {
    float narrow = 0;
    if (wide)
      memcpy(&values[i], bytes + 8 + header + begin + 8 * i, 8);
    else
      memcpy(&narrow, bytes + 8 + header + begin + 4 * i, 4), values[i] = (double)narrow;
  }
  json_decref(document);
  free(bytes);
  return values;
}

enum { D = 4, K = 3 };

/* Softmax in double from the arrays of the file. */
static void probabilities_of(const double *weights, const double *bias, const double *offset, const double *scale, const double *x,
                             double *p) {
  double largest = -INFINITY, sum = 0;
  for (int k = 0; k < K; k++) {
    p[k] = bias[k];
    for (int d = 0; d < D; d++) p[k] += weights[k * D + d] * (x[d] - offset[d]) * scale[d];
    largest = fmax(largest, p[k]);
  }
  for (int k = 0; k < K; k++) sum += p[k] = exp(p[k] - largest);
  for (int k = 0; k < K; k++) p[k] /= sum;
}

static void expect_predictions(const char *csv) {
  static const char *const classes[] = {"setosa", "versicolor", "virginica"};
  double *weights = read_tensor(model, "weights", K * D), *bias = read_tensor(model, "bias", K);
  double *offset = read_tensor(model, "feature_offset", D), *scale = read_tensor(model, "feature_scale", D);
  FILE *data = fopen(iris, "r");
  assert_non_null(data);
  char line[256], predicted[64];
  assert_non_null(fgets(line, sizeof line, data));
  assert_int_equal(strncmp(csv, "row,predicted,setosa,versicolor,virginica\n", 42), 0);
  csv += 42;
  size_t rows = 0;
  while (fgets(line, sizeof line, data) != NULL) {
    double x[D], expected[K], p[K];
    size_t row = 0;
    assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf", &x[0], &x[1], &x[2], &x[3]), 4);
    assert_int_equal(sscanf(csv, "%zu,%63[a-z],%lf,%lf,%lf", &row, predicted, &p[0], &p[1], &p[2]), 5);
    assert_int_equal(row, ++rows);
    probabilities_of(weights, bias, offset, scale, x, expected);
    int best = 0;
    for (int k = 0; k < K; k++) {
      support_near(p[k], expected[k], 1e-6);
      if (expected[k] > expected[best]) best = k;
    }
    assert_string_equal(predicted, classes[best]);
    csv = strchr(csv, '\n') + 1;
  }
  assert_int_equal(rows, 150);
  assert_string_equal(csv, "");
  fclose(data);
  free(weights);
  free(bias);
  free(offset);
  free(scale);
}

static void test_predict_agrees_with_the_file(void **state) {
  (void)state;
  Run run = RUN("predict", model, iris, "--backend", "reference");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  expect_predictions(run.out);
  run_free(&run);
  run_need_device();
  run = RUN("predict", model, iris);
  run_expect(&run, 0);
  expect_predictions(run.out);
  run_free(&run);
}

static void test_predict_to_a_file(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, folder, "p.csv");
  Run run = RUN("predict", model, iris, "--backend", "reference", "-o", path);
  run_expect(&run, 0);
  assert_string_equal(run.out, "");
  char *text = support_read(path, NULL);
  expect_predictions(text);
  free(text);
  run_free(&run);
}

static void test_predict_top_k(void **state) {
  (void)state;
  Run run = RUN("predict", model, iris, "--backend", "reference", "--top-k", "2");
  run_expect(&run, 0);
  const char *line = run.out;
  assert_int_equal(strncmp(line, "row,predicted,class_1,probability_1,class_2,probability_2\n", 57), 0);
  for (size_t row = 1; row <= 150; row++) {
    char predicted[32], first[32], second[32];
    double p1 = 0, p2 = 0;
    line = strchr(line, '\n') + 1;
    size_t number = 0;
    assert_int_equal(sscanf(line, "%zu,%31[a-z],%31[a-z],%lf,%31[a-z],%lf", &number, predicted, first, &p1, second, &p2), 6);
    assert_int_equal(number, row);
    assert_string_equal(predicted, first);
    assert_string_not_equal(first, second);
    assert_true(p1 >= p2 && p1 + p2 <= 1.000001 && p1 + p2 >= 2.0 / 3);
  }
  run_free(&run);
}

/* Class names that would break a CSV are quoted; data without labels are fine. */
static void test_predict_quotes_names(void **state) {
  (void)state;
  char data[SUPPORT_PATH], unlabelled[SUPPORT_PATH], quoted[SUPPORT_PATH];
  support_path(data, folder, "odd.csv");
  support_path(unlabelled, folder, "unlabelled.csv");
  support_path(quoted, folder, "odd.safetensors");
  support_write_text(data, "x,kind\n1,\"a,b\"\n2,\"a,b\"\n9,\"say \"\"c\"\"\"\n8,\"say \"\"c\"\"\"\n");
  support_write_text(unlabelled, "x\n1\n9\n");
  Run run = RUN("train", data, "--backend", "reference", "--model", quoted, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("predict", quoted, unlabelled, "--backend", "reference");
  run_expect(&run, 0);
  static const char beginning[] = "row,predicted,\"a,b\",\"say \"\"c\"\"\"\n1,\"a,b\",";
  assert_int_equal(strncmp(run.out, beginning, sizeof beginning - 1), 0);
  run_expect_text(run.out, "\n2,\"say \"\"c\"\"\",");
  run_free(&run);
}

/* A reader that leaves early is no error and makes no noise; a full disk is one. */
static void test_predict_into_broken_pipes(void **state) {
  (void)state;
  char command[3 * SUPPORT_PATH];
  snprintf(
      command, sizeof command,
      "{ \"$SETOSA_PROGRAM\" train synthetic:rows=200,features=4,classes=3 --backend reference -q --model '%s/s.safetensors' >/dev/null "
      "&& \"$SETOSA_PROGRAM\" predict '%s/s.safetensors' synthetic:rows=200000,features=4,classes=3 --backend reference; "
      "echo code $? >&2; } | head -n 2",
      folder, folder);
  Run run = run_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.err, "code 0\n");
  run_free(&run);
  if (access("/dev/full", W_OK) != 0) support_skip("/dev/full cannot be written");
  snprintf(command, sizeof command, "exec \"$SETOSA_PROGRAM\" predict '%s' '%s' --backend reference > /dev/full", model, iris);
  run = run_shell(command);
  run_expect(&run, 6);
  run_expect_text(run.err, "setosa: stdout: cannot write: ");
  run_free(&run);
  snprintf(command, sizeof command, "exec \"$SETOSA_PROGRAM\" predict '%s' '%s' --backend reference >&-", model, iris);
  run = run_shell(command);
  run_expect(&run, 6);
  run_free(&run);
  run = RUN("predict", model, iris, "--backend", "reference", "-o", "/dev/full");
  run_expect(&run, 6);
  run_free(&run);
}

/* Logits that overflow f32 are no prediction: an error that names the row. In double they are one. */
static void test_predict_overflow(void **state) {
  (void)state;
  char data[SUPPORT_PATH];
  support_path(data, folder, "huge.csv");
  support_write_text(data, "sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n1e38,1e38,-1e38,-1e38\n");
  Run run = RUN("predict", model, data, "--backend", "reference");
  run_expect(&run, 0);
  assert_null(strstr(run.out, "nan"));
  run_free(&run);
  run_need_device();
  run = RUN("predict", model, data);
  run_expect(&run, 3);
  run_expect_text(run.err, "huge.csv: row 2 overflows");
  run_free(&run);
}

/* A named pipe is opened once: a reader sees everything, and nobody waits for ever. */
static void test_predict_into_a_named_pipe(void **state) {
  (void)state;
  char command[4 * SUPPORT_PATH];
  snprintf(command, sizeof command,
           "cd '%s' && mkfifo pipe && { cat pipe > copied & } && timeout 20 \"$SETOSA_PROGRAM\" predict '%s' '%s' --backend reference -o "
           "pipe && wait && "
           "wc -l < copied",
           folder, model, iris);
  Run run = run_shell(command);
  run_expect(&run, 0);
  assert_int_equal(atoi(run.out), 151);
  run_free(&run);
}

/* A write beyond the file-size limit ends like one on a full disk: code 6, one line, nothing half-written. */
static void test_file_size_limit(void **state) {
  (void)state;
  char command[4 * SUPPORT_PATH];
  snprintf(command, sizeof command,
           "cd '%s' && (ulimit -f 2; \"$SETOSA_PROGRAM\" predict '%s' '%s' --backend reference -o limited.csv); code=$?; ls | grep -c "
           "limited; exit $code",
           folder, model, iris);
  Run run = run_shell(command);
  run_expect(&run, 6);
  assert_int_equal(atoi(run.out), 0);
  run_expect_text(run.err, "limited.csv");
  run_free(&run);
}

static void test_eval(void **state) {
  (void)state;
  Run run = RUN("eval", model, iris, "--backend", "reference");
  run_expect(&run, 0);
  static const char *const parts[] = {"accuracy", "log-loss", "top-2 accuracy",   "ECE",        "precision",
                                      "recall",   "F1",       "Confusion matrix", "3 virginica"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) run_expect_text(run.out, parts[i]);
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") <= 80);
  run_free(&run);
  run = RUN("eval", model, iris, "--backend", "reference", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *confusion = json_object_get(document, "confusion");
  double right = 0, all = 0;
  for (size_t k = 0; k < K; k++)
    for (size_t j = 0; j < K; j++) {
      double count = json_number_value(json_array_get(json_array_get(confusion, k), j));
      all += count;
      if (k == j) right += count;
    }
  assert_true(all == 150);
  support_near(run_number(document, "accuracy", NULL), right / all, 1e-12);
  assert_int_equal(json_array_size(json_object_get(document, "per_class")), K);
  const json_t *calibration = json_object_get(document, "calibration"), *bin;
  size_t at = 0;
  double ece = 0;
  assert_int_equal(json_array_size(calibration), SETOSA_CALIBRATION_BINS);
  json_array_foreach(calibration, at, bin) {
    double rows = run_number(bin, "rows", NULL);
    if (rows > 0) ece += rows * fabs(run_number(bin, "confidence", NULL) - run_number(bin, "accuracy", NULL)) / all;
  }
  assert_true(run_number(document, "log_loss", NULL) > 0);
  assert_true(ece > 0);
  support_near(run_number(document, "ece", NULL), ece, 1e-9);
  json_decref(document);
  run_free(&run);
}

/* Counts of six digits in twelve classes: the matrix comes in several tables, none wider than the page, with every column once. */
static void test_eval_of_large_counts(void **state) {
  (void)state;
  char wide[SUPPORT_PATH];
  const char *data = "synthetic:rows=1200000,features=1,classes=12,seed=5,separation=0";
  support_path(wide, folder, "wide.safetensors");
  Run run = RUN("train", "synthetic:rows=1000,features=1,classes=12,seed=5", "--backend", "reference", "--max-iterations", "0", "--model",
                wide, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("eval", wide, data, "--backend", "reference");
  run_expect(&run, 0);
  const char *matrix = strstr(run.out, "Confusion matrix");
  assert_non_null(matrix);
  size_t titles = 0;
  for (const char *line = matrix; *line != '\0'; line += strcspn(line, "\n") + 1) {
    assert_true(strcspn(line, "\n") <= 80);
    titles += strncmp(line, "  true class", 12) == 0;
  }
  assert_true(titles >= 2);
  run_expect_text(matrix, " 11\n"); /* the names of the classes are 0 to 11 */
  run_free(&run);
}

static void test_inspect(void **state) {
  (void)state;
  Run run = RUN("inspect", model);
  run_expect(&run, 0);
  static const char *const parts[] = {"4 features, 3 classes", "setosa, versicolor, virginica", "petal_width", "offset", "solver", "auto"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) run_expect_text(run.out, parts[i]);
  run_free(&run);
  run = RUN("inspect", model, "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_int_equal(run_number(document, "features", NULL), D);
  assert_int_equal(json_array_size(json_object_get(document, "class_names")), K);
  assert_true(run_number(document, "weights", "norm") > 0);
  json_decref(document);
  run_free(&run);
}

/* The worked example of the project, to six digits. */
static void test_explain_the_worked_example(void **state) {
  (void)state;
  const char *const line[] = {"explain",         "--x", "1.9,0.4", "--classes", "Setosa,Non-Setosa", "--label", "Setosa", "--weights",
                              "0.1,0.1;0.5,0.5", NULL,  NULL};
  Run run = run_setosa(line);
  run_expect(&run, 0);
  static const char *const parts[] = {"x = (1.900000, 0.400000)",
                                      "z = (0.230000, 1.150000)",
                                      "a = (0.284958, 0.715042)",
                                      "P = (1.000000, 0.000000)",
                                      "H = 1.255414",
                                      "dH/dz = (-0.715042, 0.715042)",
                                      "column 1 = (-1.358580, -0.286017)",
                                      "column 2 = (1.358580, 0.286017)",
                                      "  2 \"Non-Setosa\"  1        1.900000   1.358580      1.358580       0.000000\n",
                                      "gives 0 for every other"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) run_expect_text(run.out, parts[i]);
  for (const char *text = run.out; *text != '\0'; text += strcspn(text, "\n") + 1) assert_true(strcspn(text, "\n") <= 80);
  run_free(&run);

  run = RUN("explain", "--x", "1.9,0.4", "--label", "1", "--weights", "0.1,0.1;0.5,0.5;", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  static const double expected[2][2] = {{-1.358580, -0.286017}, {1.358580, 0.286017}};
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < 2; i++) {
      const char *const names[] = {"dweights", "dweights_finite"};
      for (size_t n = 0; n < 2; n++)
        support_near(json_number_value(json_array_get(json_array_get(json_object_get(document, names[n]), k), i)), expected[k][i], 1e-6);
      support_near(json_number_value(json_array_get(json_array_get(json_object_get(document, "dweights_diagonal"), k), i)),
                   k == 0 ? expected[k][i] : 0, 1e-6);
    }
  support_near(run_number(document, "loss", NULL), 1.255414, 1e-6);
  json_decref(document);
  run_free(&run);
}

static void test_explain_a_row(void **state) {
  (void)state;
  Run run = RUN("explain", model, iris, "--row", "51", "--json"), predicted = RUN("predict", model, iris, "--backend", "reference");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "label")), "versicolor");
  double p[K];
  const char *line = strstr(predicted.out, "\n51,");
  assert_int_equal(sscanf(line, "\n51,versicolor,%lf,%lf,%lf", &p[0], &p[1], &p[2]), 3);
  for (size_t k = 0; k < K; k++) support_near(json_number_value(json_array_get(json_object_get(document, "probabilities"), k)), p[k], 1e-6);
  support_near(run_number(document, "loss", NULL), -log(p[1]), 1e-5);
  json_decref(document);
  run_free(&predicted);
  run_free(&run);
}

/* Many features and classes: the largest entries, and it says that there are more. */
static void test_explain_a_large_row(void **state) {
  (void)state;
  char large[SUPPORT_PATH];
  const char *data = "synthetic:rows=300,features=784,classes=30,seed=3";
  support_path(large, folder, "large.safetensors");
  Run run = RUN("train", data, "--backend", "reference", "--max-iterations", "3", "--model", large, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("explain", large, data, "--row", "300");
  run_expect(&run, 0);
  run_expect_text(run.out, "x has 784 features");
  run_expect_text(run.out, "(label)");
  run_expect_text(run.out, "largest of 23520 entries, ");
  size_t lines = 0;
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1, lines++) assert_true(strcspn(line, "\n") <= 80);
  assert_true(lines < 70);
  run_free(&run);
}

static void test_devices(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("devices", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *list = json_object_get(document, "devices");
  assert_true(json_array_size(list) >= 1);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *device = json_array_get(list, i);
    static const char *const texts[] = {"name", "type", "vendor", "platform", "driver", "version", "refusal", "note"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) assert_true(json_is_string(json_object_get(device, texts[t])));
    assert_int_equal(run_number(device, "index", NULL), i);
    bool usable = json_is_true(json_object_get(device, "usable"));
    assert_int_equal(usable, json_string_value(json_object_get(device, "refusal"))[0] == '\0');
  }
  json_decref(document);
  run_free(&run);
  run = RUN("devices", "--check");
  run_expect(&run, 0);
  run_expect_text(run.out, "tested, ok");
  run_expect_text(run.out, "driver");
  run_free(&run);
  run = RUN("devices", "--diagnose");
  run_expect(&run, 0);
  run_expect_text(run.out, "ICD");
  run_free(&run);
}

static void test_check(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("check", iris, "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *checks = json_object_get(document, "checks");
  bool cpu = false, gpu = false, finite = false;
  assert_true(json_array_size(checks) > 4);
  for (size_t i = 0; i < json_array_size(checks); i++) {
    const json_t *check = json_array_get(checks, i);
    assert_true(run_number(check, "error", NULL) <= run_number(check, "tolerance", NULL));
    cpu |= strcmp(json_string_value(json_object_get(check, "family")), "cpu") == 0;
    gpu |= strcmp(json_string_value(json_object_get(check, "family")), "gpu") == 0;
    finite |= strcmp(json_string_value(json_object_get(check, "against")), "finite differences") == 0;
  }
  assert_true(cpu && gpu && finite);
  json_decref(document);
  run_free(&run);
  run = RUN("check", iris, "--family", "cpu");
  run_expect(&run, 0);
  run_expect_text(run.out, "checks passed");
  assert_null(strstr(run.out, "  gpu  "));
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") <= 80);
  run_free(&run);
}

/* The backends of the host need no device; what the reference is held against is not itself. */
static void test_check_of_backends(void **state) {
  (void)state;
  static const char *const backends[] = {"reference", "blas", "clblast"};
  for (size_t b = 0; b < 3; b++) {
    bool host = b < 2, reference = b == 0;
    if (!host) run_need_device();
    Run run = RUN("check", iris, "--backend", backends[b], "--json");
    if (run.code == 2 && strstr(run.err, "this build has no") != NULL) {
      run_free(&run);
      continue;
    }
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    const json_t *checks = json_object_get(document, "checks");
    assert_string_equal(json_string_value(json_object_get(document, "backend")), backends[b]);
    assert_true(json_is_null(json_object_get(document, "device")) == host);
    size_t finite = 0, count = json_array_size(checks);
    for (size_t i = 0; i < count; i++)
      finite += strcmp(json_string_value(json_object_get(json_array_get(checks, i), "against")), "finite differences") == 0;
    assert_true(finite >= 2);
    assert_true((finite == count) == reference);
    json_decref(document);
    run_free(&run);
    run = RUN("check", iris, "--backend", backends[b]);
    run_expect(&run, 0);
    char title[64];
    snprintf(title, sizeof title, "The %s backend", backends[b]);
    run_expect_text(run.out, title);
    run_free(&run);
  }
}

/* After an orderly end the driver's cache is trusted by the next run; after a kill, or when something was added to its folders, it begins
 * anew. */
static void test_cache_of_the_driver(void **state) {
  (void)state;
  run_need_device();
  char command[3 * SUPPORT_PATH];
  snprintf(
      command, sizeof command,
      "unset POCL_CACHE_DIR; export XDG_CACHE_HOME='%s/driver'; slot=\"$XDG_CACHE_HOME/setosa/pocl/slot-0\"\n"
      "train() { \"$SETOSA_PROGRAM\" train '%s' -q > /dev/null; }; built() { find \"$slot\" -name '*.so' | wc -l; }\n"
      "train; one=$(find \"$slot\" -name '*.so' | head -n 1); before=$(stat -c %%i \"$one\")\n"
      "train; [ \"$(stat -c %%i \"$one\")\" = \"$before\" ] && echo kept\n"
      "touch \"$slot/setosa-running\"; \"$SETOSA_PROGRAM\" devices > /dev/null; built\n"
      "train; touch \"$slot/beside\"; \"$SETOSA_PROGRAM\" devices > /dev/null; ls \"$slot\" | grep beside\n" /* PoCL loads none there */
      "for below in \"$slot\"/*/; do touch \"$below/added\"; done; \"$SETOSA_PROGRAM\" devices > /dev/null; built; find \"$slot\" | grep "
      "-c added",
      folder, iris);
  Run run = run_shell(command);
  assert_string_equal(run.out, "kept\n0\nbeside\n0\n0\n");
  run_free(&run);
}

/* A driver's compiler has nothing to tell a user: not even "14 warnings generated", as PoCL's does where vectors of 16 need two registers.
 */
static void test_compilers_are_silent(void **state) {
  (void)state;
  run_need_device();
  char command[2 * SUPPORT_PATH];
  snprintf(command, sizeof command,
           "export XDG_CACHE_HOME='%s/silent'; for spec in rows=200,features=20,classes=20 rows=200,features=20,classes=40; do "
           "\"$SETOSA_PROGRAM\" train synthetic:$spec --max-iterations 2 -q; done",
           folder);
  Run run = run_shell(command);
  run_expect(&run, 0);
  assert_null(strstr(run.err, "generated"));
  run_free(&run);
}

static void test_cache(void **state) {
  (void)state;
  char command[2 * SUPPORT_PATH];
  snprintf(command, sizeof command,
           "export XDG_CACHE_HOME='%s/cache'; mkdir -p \"$XDG_CACHE_HOME/setosa\"; echo 1234567 > \"$XDG_CACHE_HOME/setosa/entry\"; "
           "\"$SETOSA_PROGRAM\" cache path && \"$SETOSA_PROGRAM\" cache clear && ls \"$XDG_CACHE_HOME/setosa\"",
           folder);
  Run run = run_shell(command);
  run_expect(&run, 0);
  snprintf(command, sizeof command, "%.900s/cache/setosa\n%.900s/cache/setosa: emptied, 8 B freed\n", folder, folder);
  assert_string_equal(run.out, command);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_predict_agrees_with_the_file),
      cmocka_unit_test(test_predict_to_a_file),
      cmocka_unit_test(test_predict_top_k),
      cmocka_unit_test(test_predict_quotes_names),
      cmocka_unit_test(test_predict_into_broken_pipes),
      cmocka_unit_test(test_predict_overflow),
      cmocka_unit_test(test_predict_into_a_named_pipe),
      cmocka_unit_test(test_file_size_limit),
      cmocka_unit_test(test_eval),
      cmocka_unit_test(test_eval_of_large_counts),
      cmocka_unit_test(test_inspect),
      cmocka_unit_test(test_explain_the_worked_example),
      cmocka_unit_test(test_explain_a_row),
      cmocka_unit_test(test_explain_a_large_row),
      cmocka_unit_test(test_devices),
      cmocka_unit_test(test_check),
      cmocka_unit_test(test_check_of_backends),
      cmocka_unit_test(test_cache_of_the_driver),
      cmocka_unit_test(test_compilers_are_silent),
      cmocka_unit_test(test_cache),
  };
  return support_run("cli_use", tests, create, destroy);
}
