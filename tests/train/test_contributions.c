/* Contributions of columns: they add up to the log-odds, are what their definition says in raw units, and those of words do not depend on
 * how the weights of levels are written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "support/public_device.h"

static char folder[SUPPORT_PATH], table[SUPPORT_PATH], path[SUPPORT_PATH];

/* y depends on a number far from 0, one near it, and a word. */
static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(table, folder, "table.csv");
  support_path(path, folder, "model.safetensors");
  FILE *file = fopen(table, "w");
  assert_non_null(file);
  fputs("year,size,colour,weight,y\n", file);
  for (int i = 0; i < 90; i++)
    fprintf(file, "%d,%g,%s,%d,%s\n", 1990 + i * 7 % 31, i * 13 % 17 / 4.0,
            i % 5 == 0   ? "red"
            : i % 3 == 0 ? "green"
                         : "blue",
            1 + i % 3,
            (i * 7 % 31 > 15) + (i % 5 == 0) == 0   ? "a"
            : (i * 7 % 31 > 15) + (i % 5 == 0) == 1 ? "b"
                                                    : "c");
  assert_int_equal(fclose(file), 0);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static SetosaDataset *load(SetosaDataOptions options) {
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&data, table, &options, &error), &error);
  return data;
}

static SetosaModel *train(SetosaDataOptions data_options, bool standardize, double temperature) {
  SetosaDataset *data = load(data_options);
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaModel *model = NULL, *loaded = NULL;
  SetosaError error = {0};
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.l2 = 1e-3;
  options.class_weight = "a=5"; /* weights of classes do not move the means */
  if (standardize) support_ok(setosa_dataset_standardize(data, &error), &error);
  support_ok(setosa_train(&model, NULL, data, &options, &error), &error);
  support_ok(setosa_model_set_temperature(model, temperature, &error), &error);
  support_ok(setosa_model_save(model, path, &error), &error);
  support_ok(setosa_model_load(&loaded, path, &error), &error);
  assert_memory_equal(setosa_model_mean(loaded), setosa_model_mean(model), setosa_model_features(model) * sizeof(double));
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return loaded;
}

/* The weighted means of the table as it was written. */
static void means(double *year, double *size, bool weighted) {
  double sum = 0;
  *year = *size = 0;
  for (int i = 0; i < 90; i++) {
    double s = weighted ? 1 + i % 3 : 1;
    sum += s;
    *year += s * (1990 + i * 7 % 31);
    *size += s * (i * 13 % 17 / 4.0);
  }
  *year /= sum;
  *size /= sum;
}

static void check(const SetosaModel *model, SetosaDataOptions how, double mean_year, double mean_size) {
  SetosaDataset *data = load(how);
  SetosaError error = {0};
  for (size_t row = 0; row < 90; row += 7) {
    SetosaContributions *of = NULL;
    SetosaExplanation *explained = NULL;
    support_ok(setosa_contributions(&of, model, data, row, &error), &error);
    support_ok(setosa_explain_row(&explained, model, data, row, &error), &error);
    assert_int_equal(of->count, 3);
    double sum = of->baseline, p = explained->probabilities[of->predicted], r = explained->probabilities[of->runner_up];
    for (size_t k = 0; k < 3; k++) assert_true(explained->probabilities[k] <= (k == of->predicted ? p : r));
    for (size_t i = 0; i < 3; i++) {
      const SetosaContribution *item = &of->items[i];
      SetosaColumn column;
      assert_true(setosa_columns_get(setosa_model_columns(model), item->column, &column));
      if (i > 0) assert_true(fabs(item->amount) <= fabs(of->items[i - 1].amount));
      sum += item->amount;
      assert_int_equal(item->categorical, strcmp(column.name, "colour") == 0);
      const float *w = setosa_model_weights(model);
      const double *scale = setosa_model_scale(model);
      size_t features = setosa_model_features(model);
      if (item->categorical) {
        const char *level = (int)row % 5 == 0 ? "colour=red" : (int)row % 3 == 0 ? "colour=green" : "colour=blue";
        assert_string_equal(setosa_model_feature_name(model, item->feature), level);
        assert_true(isnan(item->value) && isnan(item->mean));
        continue;
      }
      bool year = strcmp(column.name, "year") == 0;
      double x = year ? 1990 + (int)row * 7 % 31 : (int)row * 13 % 17 / 4.0, mean = year ? mean_year : mean_size;
      support_near(item->value, x, 1e-6);
      support_near(item->mean, mean, 1e-4);
      double apart = (double)w[of->predicted * features + item->feature] - (double)w[of->runner_up * features + item->feature];
      double amount = apart * (scale != NULL ? scale[item->feature] : 1) * (x - mean) / setosa_model_temperature(model);
      support_near(item->amount, amount, 1e-4);
    }
    support_near(of->log_odds, log(p / r), 1e-10);
    support_near(sum, of->log_odds, 1e-10);
    setosa_contributions_destroy(of);
    setosa_explanation_destroy(explained);
  }
  setosa_dataset_destroy(data);
}

static void of_a_table(void **state) {
  (void)state;
  for (int standardize = 0; standardize < 2; standardize++)
    for (int weighted = 0; weighted < 2; weighted++) {
      double year, size;
      SetosaDataOptions options = setosa_data_options_default();
      options.weights = weighted ? "weight" : NULL;
      options.drop = weighted ? NULL : "weight";
      SetosaModel *model = train(options, standardize, standardize ? 1.7 : 1);
      means(&year, &size, weighted);
      check(model, setosa_model_data_options(model), year, size);
      setosa_model_destroy(model);
    }
}

/* The same number added to the weights of all levels changes no probability, and no contribution. Sparse rows are told as dense ones are.
 */
static void of_words_and_sparse_rows(void **state) {
  (void)state;
  SetosaDataOptions options = setosa_data_options_default();
  options.drop = "weight,year";
  SetosaModel *model = train(options, false, 1);
  SetosaError error = {0};
  SetosaContributions *before[2] = {NULL, NULL}, *after = NULL;
  for (int sparse = 0; sparse < 2; sparse++) {
    SetosaDataOptions how = setosa_model_data_options(model);
    how.sparse = sparse ? SETOSA_SPARSE_ALWAYS : SETOSA_SPARSE_NEVER;
    SetosaDataset *data = load(how);
    support_ok(setosa_contributions(&before[sparse], model, data, 4, &error), &error);
    setosa_dataset_destroy(data);
  }
  SetosaDataset *data = load(setosa_model_data_options(model));
  for (size_t d = 0; d < model->features; d++)
    if (strncmp(setosa_model_feature_name(model, d), "colour=", 7) == 0) model->weights[d] += 2;
  model->bias[0] -= 2;
  support_ok(setosa_contributions(&after, model, data, 4, &error), &error);
  for (size_t i = 0; i < 2; i++) {
    support_near(after->items[i].amount, before[0]->items[i].amount, 1e-5);
    support_near(before[1]->items[i].amount, before[0]->items[i].amount, 1e-12);
  }
  setosa_contributions_destroy(before[0]);
  setosa_contributions_destroy(before[1]);
  setosa_contributions_destroy(after);
  free(model->mean);
  model->mean = NULL;
  support_fails(setosa_contributions(&after, model, data, 4, &error), &error, SETOSA_ERROR_USAGE,
                "setosa_contributions: the model does not know the means of its training rows");
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_a_table),
      cmocka_unit_test(of_words_and_sparse_rows),
  };
  return support_run("train_contributions", tests, create, destroy);
}
