/* A model of a table, and the same model when it was saved and loaded, predict the same bits: for every table of tests/tables/own, which
 * the loaded model reads as it was taught, and the first one as it was told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* A line of expected.tsv. */
typedef struct TableLine {
  char *file, *label, *options;
  size_t rows, left_out, features, classes;
} TableLine;

static const char *after(const char *text, const char *option) {
  const char *at = strstr(text, option);
  return at != NULL ? at + strlen(option) : NULL;
}

/* One option a table. */
static SetosaDataOptions options_of(const TableLine *line) {
  SetosaDataOptions options = setosa_data_options_default();
  options.label = line->label;
  options.categorical = after(line->options, "--categorical ");
  options.weights = after(line->options, "--weights ");
  options.na = after(line->options, "--na ");
  if (strcmp(line->options, "--missing mean") == 0) options.missing = SETOSA_MISSING_MEAN;
  return options;
}

static SetosaDataset *load(const char *path, const SetosaDataOptions *options) {
  SetosaError error = {0};
  SetosaDataset *dataset = NULL;
  support_ok(setosa_dataset_load(&dataset, path, options, &error), &error);
  return dataset;
}

static SetosaComputeOptions by_reference(void) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  return options.compute;
}

static SetosaModel *train(SetosaDataset *dataset) {
  SetosaError error = {0};
  SetosaModel *model = NULL;
  SetosaTrainResult result;
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute = by_reference();
  options.max_iterations = 20;
  support_ok(setosa_train(&model, &result, dataset, &options, &error), &error);
  return model;
}

static SetosaModel *load_again(const SetosaModel *model, const char *folder) {
  SetosaError error = {0};
  SetosaModel *loaded = NULL;
  char path[SUPPORT_PATH];
  support_path(path, folder, "m.safetensors");
  support_ok(setosa_model_save(model, path, &error), &error);
  support_ok(setosa_model_load(&loaded, path, &error), &error);
  return loaded;
}

typedef struct Predicted {
  float *probabilities; /* (source rows, classes), 0 where there is none */
  const SetosaDataset *dataset;
  size_t classes, rows;
} Predicted;

static bool keep_rows(size_t first_row, size_t count, const float *probabilities, void *user) {
  Predicted *predicted = user;
  for (size_t i = 0; i < count; i++)
    memcpy(predicted->probabilities + setosa_dataset_source_row(predicted->dataset, first_row + i) * predicted->classes,
           probabilities + i * predicted->classes, predicted->classes * sizeof *probabilities);
  predicted->rows += count;
  return true;
}

static Predicted predict(const SetosaModel *model, const SetosaDataset *dataset) {
  SetosaError error = {0};
  SetosaComputeOptions compute = by_reference();
  Predicted predicted = {.dataset = dataset, .classes = setosa_model_classes(model)};
  predicted.probabilities = calloc((size_t)setosa_dataset_source_rows(dataset) * predicted.classes, sizeof *predicted.probabilities);
  assert_non_null(predicted.probabilities);
  support_ok(setosa_predict(model, dataset, &compute, keep_rows, &predicted, &error), &error);
  assert_int_equal(predicted.rows, setosa_dataset_rows(dataset));
  return predicted;
}

static void check_shape(const SetosaDataset *dataset, const TableLine *line) {
  bool right = setosa_dataset_rows(dataset) == line->rows && setosa_dataset_source_rows(dataset) == line->rows + line->left_out &&
               setosa_dataset_features(dataset) == line->features && setosa_dataset_classes(dataset) == line->classes;
  if (!right)
    fail_msg("%s: %zu of %llu rows, %zu features, %zu classes", line->file, setosa_dataset_rows(dataset),
             (unsigned long long)setosa_dataset_source_rows(dataset), setosa_dataset_features(dataset), setosa_dataset_classes(dataset));
}

static void check_table(const TableLine *line, const char *folder) {
  char name[SUPPORT_PATH], path[SUPPORT_PATH];
  SetosaError error = {0};
  snprintf(name, sizeof name, "tests/tables/own/%s", line->file);
  support_source_path(path, name);
  SetosaDataOptions told = options_of(line);
  SetosaDataset *dataset = load(path, &told);
  check_shape(dataset, line);
  SetosaModel *model = train(dataset), *loaded = load_again(model, folder);
  Predicted before = predict(model, dataset), after_all = predict(loaded, dataset);
  size_t values = (size_t)setosa_dataset_source_rows(dataset) * before.classes;
  assert_memory_equal(before.probabilities, after_all.probabilities, values * sizeof(float));
  SetosaDataOptions taught = setosa_model_data_options(loaded); /* nothing of what the table needed is said again */
  SetosaDataset *same = load(path, &taught);
  support_ok(setosa_model_scale_dataset(loaded, same, &error), &error);
  check_shape(same, line);
  Predicted again = predict(loaded, same);
  assert_memory_equal(before.probabilities, again.probabilities, values * sizeof(float));
  free(before.probabilities);
  free(after_all.probabilities);
  free(again.probabilities);
  setosa_dataset_destroy(same);
  setosa_model_destroy(loaded);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

/* Its fields stay where they are in the text. */
static TableLine parse_line(char *text) {
  char *fields[9] = {NULL};
  for (size_t i = 0; i < 9; i++) {
    fields[i] = strsep(&text, "\t");
    assert_non_null(fields[i]);
  }
  return (TableLine){.file = fields[0],
                     .label = fields[1],
                     .rows = strtoul(fields[2], NULL, 10),
                     .left_out = strtoul(fields[3], NULL, 10),
                     .features = strtoul(fields[4], NULL, 10),
                     .classes = strtoul(fields[5], NULL, 10),
                     .options = fields[8]};
}

static void saved_models_read_and_predict_alike(void **state) {
  (void)state;
  char folder[SUPPORT_PATH], path[SUPPORT_PATH];
  size_t tables = 0;
  support_folder_create(folder);
  support_source_path(path, "tests/tables/own/expected.tsv");
  char *expected = support_read(path, NULL), *rest = expected;
  strsep(&rest, "\n"); /* names */
  for (char *text; (text = strsep(&rest, "\n")) != NULL && text[0] != '\0'; tables++) {
    TableLine line = parse_line(text);
    check_table(&line, folder);
  }
  assert_true(tables >= 30);
  free(expected);
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(saved_models_read_and_predict_alike)};
  return support_run("api_tables", tests, NULL, NULL);
}
