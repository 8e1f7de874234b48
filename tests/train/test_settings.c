/* No option can be forgotten: for every row of the table that changes weights, ranks see another value, a checkpoint keeps, restores and
 * refuses it, and the model tells it. */
#include <stdio.h>

#include "compute/open.h"
#include "options/change.h"
#include "train/checkpoint_settings.h"
#include "train/job.h"

static void *home_of(const OptionRow *row, SetosaTrainOptions *options) {
  return row->home == OPTION_OF_COMPUTE ? (void *)&options->compute : row->home == OPTION_OF_TRAINING ? options : NULL;
}

/* Options of a solver and a backend that heed the row. */
static SetosaTrainOptions heeding(const OptionRow *row) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_NATIVE;
  for (options.solver = SETOSA_SOLVER_LBFGS; !option_means_something(row, &options); options.solver++)
    assert_true(options.solver <= SETOSA_SOLVER_ADAM);
  return options;
}

static uint64_t hash_of(const SetosaTrainOptions *options) {
  uint64_t hash = 0;
  support_ok(job_hash_options(&hash, options, NULL), NULL);
  return hash;
}

static Texts settings_of(const SetosaTrainOptions *options) {
  Texts texts = {0};
  support_ok(settings_of_options(&texts, options, NULL), NULL);
  return texts;
}

/* A row of training or computing whose value a checkpoint keeps as it was asked for. */
static bool is_kept(const OptionRow *row) {
  return row->home != OPTION_OF_DATA && (row->class == OPTION_RESULT || row->class == OPTION_STOPS) && !row->resolved;
}

static void test_ranks_see_it(void **state) {
  (void)state;
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const OptionRow *row = &rows[i];
    if (row->home == OPTION_OF_DATA || strcmp(row->field, "checkpoint") == 0) continue; /* that one decides on calls made together */
    SetosaTrainOptions options = heeding(row), other = options;
    assert_int_equal(hash_of(&options), hash_of(&other));
    change_option(row, home_of(row, &other));
    bool matters = row->class == OPTION_RESULT || row->class == OPTION_STOPS || row->alike;
    if ((hash_of(&options) != hash_of(&other)) != matters)
      fail_msg("--%s: ranks with another value are %s", option_flag(row), matters ? "not told apart" : "told apart");
  }
}

static void test_checkpoints_keep_it(void **state) {
  (void)state;
  size_t count = 0, kept = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const OptionRow *row = &rows[i];
    if (row->home == OPTION_OF_DATA) continue;
    char room[OPTION_VALUE];
    SetosaTrainOptions options = heeding(row), other = options, restored = options;
    change_option(row, home_of(row, &other));
    Checkpoint before = {.path = (char *)(uintptr_t) "FILE", .settings = settings_of(&options)};
    Texts here = settings_of(&other);
    const char *was = texts_find(&before.settings, row->name), *is = texts_find(&here, row->name);
    if (is_kept(row)) {
      kept++;
      if (was == NULL || is == NULL) fail_msg("--%s is not kept", option_flag(row));
      assert_string_equal(was, option_print(room, row, home_of(row, &options)));
      assert_string_equal(is, option_print(room, row, home_of(row, &other)));
      setosa_checkpoint_options(&(Checkpoint){.settings = here}, &restored);
      assert_true(option_same(row, home_of(row, &restored), home_of(row, &other)));
    } else {
      assert_null(was);
      assert_null(is);
    }
    /* Going on with another value. */
    SetosaError error = {0};
    char words[128];
    Status status = settings_compare(&here, &before, &other, &error);
    if (is_kept(row) && row->class == OPTION_RESULT) {
      snprintf(words, sizeof words, "--%s", option_flag(row));
      assert_int_equal(status, SETOSA_ERROR_USAGE);
      if (strstr(error.message, words) == NULL) fail_msg("%s is not named in: %s", words, error.message);
      assert_non_null(strstr(error.message, is));
      assert_non_null(strstr(error.message, was));
    } else {
      support_ok(status, &error);
    }
    texts_free(&here);
    texts_free(&before.settings);
  }
  assert_true(kept >= 15);
}

/* An option that came after the checkpoint was written had its default there. */
static void test_older_checkpoints(void **state) {
  (void)state;
  SetosaTrainOptions options = setosa_train_options_default();
  Checkpoint before = {.path = (char *)(uintptr_t) "FILE"};
  Texts here = settings_of(&options);
  support_ok(settings_compare(&here, &before, &options, NULL), NULL);
  texts_free(&here);
  options.l2 = 0.5;
  here = settings_of(&options);
  SetosaError error = {0};
  support_fails(settings_compare(&here, &before, &options, &error), &error, SETOSA_ERROR_USAGE, "--l2: 0.5 here, 0.0001 in the checkpoint");
  texts_free(&here);
  support_ok(texts_add(&here, "rows", "150", NULL), NULL);
  error = (SetosaError){0};
  support_fails(settings_compare(&here, &before, &options, &error), &error, SETOSA_ERROR_DATA, "FILE: is no checkpoint of a training");
  texts_free(&here);
}

/* How long a constant rate goes on says only when to end. */
static void test_epochs(void **state) {
  (void)state;
  for (int s = SETOSA_SCHEDULE_CONSTANT; s <= SETOSA_SCHEDULE_STEP; s++) {
    SetosaTrainOptions options = setosa_train_options_default();
    options.solver = SETOSA_SOLVER_ADAM;
    options.schedule = (SetosaSchedule)s;
    assert_true(option_may_differ(option_find("epochs"), &options) == (s == SETOSA_SCHEDULE_CONSTANT));
  }
}

/* What the backend makes of a choice is kept, row by row, and compared. */
static void test_what_became_of_choices(void **state) {
  (void)state;
  const float x[] = {1, 2, 3, 4};
  const int32_t labels[] = {0, 1, 0, 1};
  SetosaDataset *data = NULL;
  Backend *backend = NULL;
  Texts here = {0};
  size_t count = 0, resolved = 0;
  const OptionRow *rows = option_table(&count);
  support_ok(setosa_dataset_wrap(&data, 4, 1, 2, x, labels, NULL), NULL);
  support_ok(backend_open(&backend, data, &(BackendSettings){.kind = SETOSA_BACKEND_REFERENCE}, NULL), NULL);
  SetosaError error = {0};
  support_ok(settings_of_backend(&here, backend, &error), &error);
  SetosaTrainOptions options = setosa_train_options_default();
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(texts_find(&here, rows[i].name) != NULL, rows[i].resolved);
    if (!rows[i].resolved) continue;
    resolved++;
    Checkpoint before = {.path = (char *)(uintptr_t) "FILE"};
    for (size_t k = 0; k < here.count; k++)
      support_ok(texts_add(&before.settings, here.pairs[k].name,
                           strcmp(here.pairs[k].name, rows[i].name) == 0 ? "something else" : here.pairs[k].value, NULL),
                 NULL);
    char words[64];
    snprintf(words, sizeof words, "--%s: ", rows[i].name);
    error = (SetosaError){0};
    support_fails(settings_compare(&here, &before, &options, &error), &error, SETOSA_ERROR_USAGE, words);
    texts_free(&before.settings);
  }
  assert_int_equal(resolved, here.count);
  texts_free(&here);
  backend_close(backend);
  setosa_dataset_destroy(data);
}

static const char *metadata_of(const SetosaModel *model, const char *name) {
  const char *key = NULL, *value = NULL;
  for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++)
    if (strcmp(key, name) == 0) return value;
  return NULL;
}

static void test_models_tell_it(void **state) {
  (void)state;
  char path[SUPPORT_PATH], room[OPTION_VALUE];
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  support_source_path(path, "data/iris.csv");
  for (int s = SETOSA_SOLVER_LBFGS; s <= SETOSA_SOLVER_ADAM; s++) {
    SetosaTrainOptions options = setosa_train_options_default();
    SetosaDataset *data = NULL;
    SetosaModel *model = NULL;
    SetosaError error = {0};
    options.compute.backend = SETOSA_BACKEND_REFERENCE;
    options.solver = (SetosaSolver)s;
    options.epochs = 2;
    options.batch_size = 50;
    options.seed = 7;
    support_ok(setosa_dataset_load(&data, path, NULL, &error), &error);
    support_ok(setosa_train(&model, NULL, data, &options, &error), &error);
    for (size_t i = 0; i < count; i++) {
      const void *home = option_of_training(&rows[i], &options);
      if (home == NULL || rows[i].resolved) continue;
      const char *told = metadata_of(model, rows[i].field);
      if (rows[i].class == OPTION_RESULT && option_means_something(&rows[i], &options))
        assert_string_equal(told, option_print(room, &rows[i], home));
      else
        assert_null(told);
    }
    setosa_model_destroy(model);
    setosa_dataset_destroy(data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ranks_see_it), cmocka_unit_test(test_checkpoints_keep_it),    cmocka_unit_test(test_older_checkpoints),
      cmocka_unit_test(test_epochs),       cmocka_unit_test(test_what_became_of_choices), cmocka_unit_test(test_models_tell_it),
  };
  return support_run("settings", tests, NULL, NULL);
}
