/* Weights of rows and classes as a user gives them: a column or a file, in training, in what is printed, in eval, and through --resume. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], weighted[SUPPORT_PATH], numbers[SUPPORT_PATH], model[SUPPORT_PATH],
    checkpoint[SUPPORT_PATH];

enum { ROWS = 150, LINE = 256 };

/* Iris with the weight of row i, from 0, 1 + (i mod 3) in a last column, and the same weights alone in a file. */
static int create(void **state) {
  (void)state;
  char line[LINE];
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(weighted, folder, "weighted.csv");
  support_path(numbers, folder, "weights.txt");
  support_path(model, folder, "m.safetensors");
  support_path(checkpoint, folder, "run.checkpoint");
  FILE *from = fopen(iris, "r"), *to = fopen(weighted, "w"), *alone = fopen(numbers, "w");
  if (from == NULL || to == NULL || alone == NULL) return -1;
  for (int i = -1; fgets(line, sizeof line, from) != NULL; i++) {
    line[strcspn(line, "\r\n")] = '\0';
    if (i < 0)
      fprintf(to, "%s,importance\n", line);
    else
      fprintf(to, "%s,%d\n", line, 1 + i % 3), fprintf(alone, "%d\n", 1 + i % 3);
  }
  fclose(from);
  return fclose(to) == 0 && fclose(alone) == 0 ? 0 : -1;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static char *train(Run *run) {
  run_expect(run, 0);
  json_t *document = run_json(run);
  char *hash = strdup(json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  run_free(run);
  return hash;
}

#define TRAIN(...) train(&(Run[]){RUN("train", __VA_ARGS__, "--backend", "reference", "--l2", "0.01", "--json", "-q")}[0])

static void expect_equal(char *a, char *b) {
  assert_string_equal(a, b);
  free(a);
  free(b);
}

/* A column, by name and by number, and a file are the same; so are "balanced" and the numbers that it stands for. */
static void the_same_in_other_words(void **state) {
  (void)state;
  char *column = TRAIN(weighted, "--weights", "importance", "--label", "species");
  expect_equal(strdup(column), TRAIN(weighted, "--weights", "6", "--label", "species"));
  expect_equal(column, TRAIN(iris, "--weights", numbers));
  char *balanced = TRAIN(iris, "--class-weight", "balanced"); /* fifty rows of each class */
  expect_equal(strdup(balanced), TRAIN(iris, "--class-weight", "setosa=1,versicolor=1,virginica=1"));
  expect_equal(balanced, TRAIN(iris));
}

static void people_are_told(void **state) {
  (void)state;
  Run run = RUN("train", weighted, "--backend", "reference", "--weights", "importance", "--label", "species", "--class-weight", "setosa=2",
                "--label-smoothing", "0.1");
  run_expect(&run, 0);
  run_expect_text(run.out, "weights     of rows from column importance; of classes setosa=2\n");
  run_expect_text(run.out, "% of the weight of 150 rows right");
  run_expect_text(run.out, " = smoothed log-loss ");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference");
  run_expect(&run, 0);
  run_expect_text(run.out, "% of 150 rows right");
  assert_null(strstr(run.out, "weights   "));
  assert_null(strstr(run.out, "smoothed"));
  run_free(&run);
}

/* Sums of weights as they were given: 99 of the 50 rows of setosa, 100, 101. */
static void eval_counts_weights(void **state) {
  (void)state;
  Run run = RUN("train", weighted, "--backend", "reference", "--weights", "importance", "--label", "species", "--model", model, "--test",
                weighted, "--json", "-q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  support_near(run_number(document, "test", "accuracy"), run_number(document, "train", "accuracy"), 1e-15);
  json_decref(document);
  run_free(&run);
  run = RUN("eval", model, weighted, "--backend", "reference", "--weights", "importance", "--json");
  run_expect(&run, 0);
  document = run_json(&run);
  assert_true(run_number(document, "data", "rows") == ROWS);
  assert_true(run_number(document, "data", "weight") == 300);
  const json_t *classes = json_object_get(document, "per_class"), *confusion = json_object_get(document, "confusion");
  double all = 0;
  for (size_t k = 0; k < 3; k++) {
    double support = json_number_value(json_object_get(json_array_get(classes, k), "support"));
    assert_true(support == 99 + (double)k);
    for (size_t j = 0; j < 3; j++) all += json_number_value(json_array_get(json_array_get(confusion, k), j));
  }
  assert_true(all == 300);
  json_decref(document);
  run_free(&run);
}

static void resuming_keeps_weights(void **state) {
  (void)state;
  char command[6 * SUPPORT_PATH];
  char *expected =
      TRAIN(weighted, "--weights", "importance", "--label", "species", "--class-weight", "virginica=3", "--label-smoothing", "0.05");
  Run run =
      RUN("train", weighted, "--backend", "reference", "--l2", "0.01", "--weights", "importance", "--label", "species", "--class-weight",
          "virginica=3", "--label-smoothing", "0.05", "--max-iterations", "5", "--checkpoint", checkpoint, "--json", "-q");
  free(train(&run));
  snprintf(command, sizeof command, "exec \"$SETOSA_PROGRAM\" train --resume '%s' --max-iterations 1000 --json -q", checkpoint);
  run = run_shell(command);
  expect_equal(train(&run), expected);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  static const struct {
    const char *arguments[4], *said;
  } wrong[] = {
      {{"--weights", "nothing"}, "nothing"},
      {{"--class-weight", "rose=2"}, "rose"},
      {{"--class-weight", "setosa=-1"}, "-1"},
      {{"--class-weight", "setosa"}, "setosa"},
      {{"--class-weight", "setosa=0,versicolor=0,virginica=0"}, "every weight is 0"},
      {{"--label-smoothing", "1"}, "--label-smoothing"},
      {{"--label-smoothing", "-0.1"}, "--label-smoothing"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    Run run = RUN("train", iris, "--backend", "reference", wrong[i].arguments[0], wrong[i].arguments[1]);
    assert_in_range(run.code, 2, 3);
    run_expect_text(run.err, wrong[i].said);
    assert_null(strchr(strchr(run.err, '\n') + 1, '\n')); /* one line, and perhaps where help is */
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_in_other_words), cmocka_unit_test(people_are_told),        cmocka_unit_test(eval_counts_weights),
      cmocka_unit_test(resuming_keeps_weights),  cmocka_unit_test(what_is_wrong_is_named),
  };
  return support_run("weights", tests, create, destroy);
}
