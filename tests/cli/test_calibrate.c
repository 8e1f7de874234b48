/* setosa train --calibrate and --calibrate-validation, and what eval, predict and inspect make of the temperature; what explain says of
 * features. */
#include <math.h>

#include "cli/run.h"
#include "support/mpirun.h"

static char folder[SUPPORT_PATH], train[SUPPORT_PATH], other[SUPPORT_PATH], model[SUPPORT_PATH], checkpoint[SUPPORT_PATH],
    penguins[SUPPORT_PATH];

/* Few rows of many features: a model that is too sure of itself. */
static int prepare(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(train, folder, "train.csv");
  support_path(other, folder, "other.csv");
  support_path(model, folder, "model.safetensors");
  support_path(checkpoint, folder, "run.checkpoint");
  support_source_path(penguins, "data/penguins.csv");
  Run run = RUN("generate", "rows=150,features=20,classes=3,seed=3,noise=0.3", "-o", train, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("generate", "rows=800,features=20,classes=3,seed=3,noise=0.3", "-o", other, "-q");
  run_expect(&run, 0);
  run_free(&run);
  setenv("TRAIN", train, 1);
  setenv("OTHER", other, 1);
  setenv("MODEL", model, 1);
  return 0;
}

static int clean(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

#define HOST "--backend", "reference"

static void test_other_data(void **state) {
  (void)state;
  Run run = RUN("train", train, HOST, "--l2", "1e-6", "--calibrate", other, "--test", other, "--model", model, "--json", "-q");
  run_expect(&run, 0);
  json_t *trained = run_json(&run), *calibration = json_object_get(trained, "calibration");
  double temperature = run_number(calibration, "temperature", NULL), before = run_number(calibration, "log_loss_before", NULL);
  double loss = run_number(calibration, "log_loss", NULL);
  assert_true(json_is_true(json_object_get(calibration, "found")));
  assert_true(temperature > 1 && loss < before && run_number(calibration, "rows", NULL) == 800);
  support_near(run_number(trained, "test", "log_loss"), loss, 1e-9); /* of the same rows */
  run_free(&run);

  run = RUN("eval", model, other, HOST, "--json", "-q");
  run_expect(&run, 0);
  json_t *scored = run_json(&run);
  support_near(run_number(scored, "log_loss", NULL), loss, 1e-9);
  support_near(run_number(scored, "uncalibrated", "log_loss"), before, 1e-9);
  assert_true(run_number(scored, "uncalibrated", "ece") > run_number(scored, "ece", NULL));
  assert_true(run_number(scored, "uncalibrated", "brier") > run_number(scored, "brier", NULL));
  assert_true(run_number(scored, "temperature", NULL) == temperature);
  assert_true(run_number(scored, "macro_auc", NULL) > 0.5 && run_number(scored, "auc_error", NULL) == 0);
  json_decref(scored);
  run_free(&run);

  run = RUN("eval", model, other, HOST);
  run_expect(&run, 0);
  static const char *const said[] = {"  temperature     ",   "(without it: log-loss ", "  AUC             0.",
                                     "  Brier score     0.", "Reliability (",          " difference "};
  for (size_t i = 0; i < sizeof said / sizeof *said; i++) run_expect_text(run.out, said[i]);
  run_free(&run);
  run = RUN("inspect", model);
  run_expect(&run, 0);
  run_expect_text(run.out, "  temperature ");
  run_expect_text(run.out, "calibration_source other.csv");
  run_free(&run);
  run = RUN("explain", model, other, "--row", "3");
  run_expect(&run, 0);
  run_expect_text(run.out, "is the temperature that the model was calibrated to");
  run_expect_text(run.out, "... and 8 more, together ");
  run_free(&run);
  json_decref(trained);
}

static void test_validation(void **state) {
  (void)state;
  Run run = RUN("train", train, HOST, "--l2", "1e-6", "--validation", "0.3", "--calibrate-validation", "--model", model);
  run_expect(&run, 0);
  run_expect_text(run.out, "  calibrated  temperature ");
  run_expect_text(run.out, ": log-loss of 45 held-out rows ");
  run_free(&run);
  run = RUN("cv", train, "--calibrate", other);
  run_expect(&run, 2);
  run_free(&run);
}

/* The temperature is in a resumed run, too, and its data are looked for where they were. */
static void test_resumed(void **state) {
  (void)state;
  double temperature[2] = {0, 1};
  for (int again = 0; again < 2; again++) {
    Run run = again ? RUN("train", "--resume", checkpoint, "--json", "-q")
                    : RUN("train", train, HOST, "--l2", "1e-6", "--calibrate", other, "--checkpoint", checkpoint, "--json", "-q");
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    temperature[again] = run_number(document, "calibration", "temperature");
    json_decref(document);
    run_free(&run);
  }
  assert_true(temperature[0] == temperature[1]);
}

static void test_ranks(void **state) {
  (void)state;
  double found[2] = {0, 1};
  mpirun_need();
  run_need_device();
  for (int ranks = 1; ranks <= 3; ranks += 2) {
    char command[2 * SUPPORT_PATH];
    snprintf(command, sizeof command,
             "exec " MPIRUN "%d \"$SETOSA_PROGRAM\" train \"$TRAIN\" --validation 0.3 --calibrate-validation --l2 1e-6 --json -q", ranks);
    Run run = run_shell(command);
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    found[ranks / 2] = run_number(document, "calibration", "temperature");
    json_decref(document);
    run_free(&run);
  }
  assert_true(found[0] == found[1]);
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *arguments[5], *words;
  } refused[] = {
      {{"--calibrate-validation"}, "--calibrate-validation needs rows that are held out; add --validation 0.2"},
      {{"--validation", "0.2", "--calibrate-validation", "--calibrate", "x.csv"}, "one temperature is found; leave one of them out"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const char *const *a = refused[i].arguments;
    Run run = RUN("train", train, HOST, a[0], a[1], a[2], a[3], a[4]);
    run_expect(&run, 2);
    run_expect_text(run.err, refused[i].words);
    run_free(&run);
  }
  Run run = RUN("train", train, HOST, "--calibrate", "nothing.csv");
  run_expect(&run, 3);
  run_expect_text(run.err, "nothing.csv");
  run_free(&run);
  run = RUN("train", train, HOST, "--calibrate", other, "--model", other); /* no output over what is read */
  run_expect(&run, 2);
  run_free(&run);
}

/* Columns of words are told by the word of the row; what the model lacks is said. */
static void test_features(void **state) {
  (void)state;
  Run run = RUN("train", penguins, HOST, "--label", "species", "--standardize", "--model", model, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("explain", model, penguins, "--row", "1");
  run_expect(&run, 0);
  static const char *const said[] = {"Why Adelie rather than ",   "island=Torgersen", "sex=male", "bill_length_mm", "39.1",
                                     "++++++++++++++++++++++++\n"};
  for (size_t i = 0; i < sizeof said / sizeof *said; i++) run_expect_text(run.out, said[i]);
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != '\0'))
    assert_true(strcspn(line, "\n") <= 80);
  run_free(&run);
  run = RUN("explain", model, penguins, "--row", "1", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *contributions = json_object_get(document, "contributions"), *features, *item;
  size_t i = 0;
  double sum = run_number(contributions, "baseline", NULL);
  features = json_object_get(contributions, "features");
  assert_int_equal(json_array_size(features), 7);
  json_array_foreach(features, i, item) sum += run_number(item, "adds", NULL);
  support_near(sum, run_number(contributions, "log_odds", NULL), 1e-9);
  json_decref(document);
  run_free(&run);
}

/* A model of elsewhere has no means to measure from. */
static void test_no_means(void **state) {
  (void)state;
  char text[SUPPORT_PATH], imported[SUPPORT_PATH], iris[SUPPORT_PATH];
  support_path(text, folder, "elsewhere.json");
  support_path(imported, folder, "elsewhere.safetensors");
  support_source_path(iris, "data/iris.csv");
  support_write_text(text,
                     "{\"classes_\": [\"setosa\", \"versicolor\", \"virginica\"], \"intercept_\": [0, 1, 2],\n"
                     "\"feature_names_in_\": [\"sepal_length\", \"sepal_width\", \"petal_length\", \"petal_width\"],\n"
                     "\"coef_\": [[1, 2, -2, -1], [0, 0, 1, -1], [-1, -1, 1, 2]]}\n");
  Run run = RUN("import", text, "-o", imported, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("explain", imported, iris, "--row", "1");
  run_expect(&run, 0);
  run_expect_text(run.out, "What each feature adds is not told: the model does not know the means of its");
  run_free(&run);
  run = RUN("explain", imported, iris, "--row", "1", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_null(json_object_get(document, "contributions")));
  json_decref(document);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_other_data), cmocka_unit_test(test_validation), cmocka_unit_test(test_resumed),  cmocka_unit_test(test_ranks),
      cmocka_unit_test(test_refusals),   cmocka_unit_test(test_features),   cmocka_unit_test(test_no_means),
  };
  return support_run("cli_calibrate", tests, prepare, clean);
}
