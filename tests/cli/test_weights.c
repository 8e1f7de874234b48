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

/* From another folder, too: a file is remembered from the root. Another file there of the same name is not taken, other weights are
 * refused. */
static void resuming_finds_the_file(void **state) {
  (void)state;
  char command[6 * SUPPORT_PATH];
  char *expected = TRAIN(iris, "--weights", numbers);
  snprintf(command, sizeof command,
           "cd '%s' && \"$SETOSA_PROGRAM\" train '%s' --backend reference --l2 0.01 --weights weights.txt --max-iterations 5 --checkpoint "
           "other.checkpoint --json -q",
           folder, iris);
  Run run = run_shell(command);
  free(train(&run));
  snprintf(command, sizeof command,
           "mkdir -p '%s/else' && cd '%s/else' && seq 1 150 > weights.txt && exec \"$SETOSA_PROGRAM\" train --resume ../other.checkpoint "
           "--max-iterations 1000 --json -q",
           folder, folder);
  run = run_shell(command);
  expect_equal(train(&run), expected);
  snprintf(command, sizeof command, "cd '%s/else' && exec \"$SETOSA_PROGRAM\" train --resume ../other.checkpoint --weights weights.txt",
           folder);
  run = run_shell(command);
  run_expect(&run, 3);
  run_expect_text(run.err, "weights");
  run_free(&run);
}

/* Nothing that is read may be written over. */
static void inputs_are_not_overwritten(void **state) {
  (void)state;
  static const char *const outputs[] = {"--model", "--log", "--checkpoint"};
  char before[SUPPORT_PATH], previous[SUPPORT_PATH];
  for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
    Run run = RUN("train", iris, "--backend", "reference", "--weights", numbers, outputs[i], numbers);
    run_expect(&run, 2);
    run_expect_text(run.err, "would overwrite");
    run_free(&run);
  }
  support_path(before, folder, "w");
  support_path(previous, folder, "w.previous");
  support_write_text(previous, "1\n");
  Run run = RUN("train", iris, "--backend", "reference", "--weights", previous, "--checkpoint", before);
  run_expect(&run, 2);
  run_expect_text(run.err, "would overwrite");
  run_free(&run);
  size_t bytes = 0;
  char *text = support_read(numbers, &bytes);
  assert_int_equal(bytes, 2 * ROWS);
  free(text);
}

/* A column without a name is found in the test data by its number. */
static void test_data_have_the_column(void **state) {
  (void)state;
  char bare[SUPPORT_PATH], text[40 * 16] = "";
  support_path(bare, folder, "bare.csv");
  for (int i = 0; i < 40; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%d,%d\n", i * 7 % 11, 1 + (i * 7 % 11 > 5), 1 + i % 2);
  support_write_text(bare, text);
  Run run = RUN("train", bare, "--backend", "reference", "--weights", "3", "--test", bare, "--json", "-q");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  support_near(run_number(document, "test", "log_loss"), run_number(document, "train", "log_loss"), 1e-8);
  json_decref(document);
  run_free(&run);
}

/* A file of weights whose first line, one too many, is this. */
static void write_weights(const char *path, const char *first) {
  char text[2 * ROWS + 16];
  snprintf(text, sizeof text, "%s\n", first);
  for (int i = 0; i < ROWS; i++) strcat(text, "1\n");
  support_write_text(path, text);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  char bad[SUPPORT_PATH];
  support_path(bad, folder, "bad.txt");
  static const struct {
    const char *arguments[4], *said;
  } wrong[] = {
      {{"--weights", "nothing"}, "nothing"},
      {{"--class-weight", "rose=2"}, "rose"},
      {{"--class-weight", "setosa=-1"}, "-1"},
      {{"--class-weight", "setosa"}, "setosa"},
      {{"--class-weight", "setosa=0,versicolor=0,virginica=0"}, "every weight is 0"},
      {{"--class-weight", "nobody=2", "--dry-run"}, "nobody"},
      {{"--class-weight", "setosa=1e308,versicolor=1e308"}, "too large"},
      {{"--weights", "@tiny"}, "below single precision"},
      {{"--weights", "@nan"}, "is not a finite number"},
      {{"--label-smoothing", "1"}, "--label-smoothing"},
      {{"--label-smoothing", "-0.1"}, "--label-smoothing"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    const char *value = wrong[i].arguments[1], *more = wrong[i].arguments[2];
    if (value[0] == '@') write_weights(bad, value[1] == 't' ? "1e-400" : "nan"), value = bad;
    Run run = more != NULL ? RUN("train", iris, "--backend", "reference", wrong[i].arguments[0], value, more)
                           : RUN("train", iris, "--backend", "reference", wrong[i].arguments[0], value);
    assert_in_range(run.code, 2, 3);
    run_expect_text(run.err, wrong[i].said);
    assert_null(strchr(strchr(run.err, '\n') + 1, '\n')); /* one line, and perhaps where help is */
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_in_other_words),   cmocka_unit_test(people_are_told),         cmocka_unit_test(eval_counts_weights),
      cmocka_unit_test(resuming_keeps_weights),    cmocka_unit_test(resuming_finds_the_file), cmocka_unit_test(inputs_are_not_overwritten),
      cmocka_unit_test(test_data_have_the_column), cmocka_unit_test(what_is_wrong_is_named),
  };
  return support_run("weights", tests, create, destroy);
}
