/* Every public function with NULL for each of its pointers, one at a time: refused with a line that names function and argument where NULL
 * makes no sense, answered as the header says where it does, and never a crash. The headers are read to see that nothing was left out: who
 * adds a function or a pointer adds a line here. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setosa_bench.h"
#include "support/support.h"

/* ---- what was tried ---------------------------------------------------------------------------------------------- */

enum { TRIED_MOST = 512, NAME_SIZE = 64 };
static struct { char function[NAME_SIZE], argument[NAME_SIZE]; } tried[TRIED_MOST];
static size_t tried_count;

static void remember(const char *function, const char *argument) {
  assert_true(tried_count < TRIED_MOST);
  snprintf(tried[tried_count].function, NAME_SIZE, "%s", function);
  snprintf(tried[tried_count++].argument, NAME_SIZE, "%s", argument);
}

static bool was_tried(const char *function, const char *argument) {
  for (size_t i = 0; i < tried_count; i++)
    if (strcmp(tried[i].function, function) == 0 && (argument == NULL || strcmp(tried[i].argument, argument) == 0)) return true;
  return false;
}

static SetosaError error_room, *error; /* what a call is given: room, then NULL */

static void check_refusal(SetosaStatus status, const char *function, const char *argument) {
  if (status != SETOSA_ERROR_USAGE || error_room.status != SETOSA_ERROR_USAGE)
    fail_msg("%s, %s NULL: status %d, message \"%s\"", function, argument, (int)status, error_room.message);
  if (strstr(error_room.message, function) == NULL || strstr(error_room.message, argument) == NULL)
    fail_msg("%s, %s NULL: \"%s\" does not name both", function, argument, error_room.message);
}

/* The call, with NULL for the argument, is a mistake of the caller; with an error to fill and without. */
#define REFUSES(function, argument, ...)                                          \
  do {                                                                            \
    error_room = (SetosaError){.status = SETOSA_ERROR_WRITE, .message = "stale"}; \
    error = &error_room;                                                          \
    check_refusal(function(__VA_ARGS__), #function, argument);                    \
    error = NULL;                                                                 \
    assert_int_equal(function(__VA_ARGS__), SETOSA_ERROR_USAGE);                  \
    remember(#function, argument);                                                \
    remember(#function, "error");                                                 \
  } while (0)

/* NULL is fine for the argument: whatever the function has to say to it. */
#define ACCEPTS(function, argument, ...)             \
  do {                                               \
    error_room = (SetosaError){.status = SETOSA_OK}; \
    error = &error_room;                             \
    support_ok(function(__VA_ARGS__), error);        \
    remember(#function, argument);                   \
  } while (0)

/* A function that cannot fail says this of NULL. */
#define SAYS(expected, function, argument, ...)       \
  do {                                                \
    assert_true(function(__VA_ARGS__) == (expected)); \
    remember(#function, argument);                    \
  } while (0)
#define PASSES(function, argument, ...) \
  do {                                  \
    function(__VA_ARGS__);              \
    remember(#function, argument);      \
  } while (0)

#define TAKES_NOTHING(function) ((void)function(), remember(#function, ""))

/* ---- things to call with ----------------------------------------------------------------------------------------- */

enum { ROWS = 6, FEATURES = 2, CLASSES = 2 };
static const float values[ROWS * FEATURES] = {0, 1, 1, 0, 2, 1, 3, 5, 4, 4, 5, 6};
static const int32_t labels[ROWS] = {0, 0, 0, 1, 1, 1};
static const double numbers[ROWS * FEATURES] = {0, 1, 1, 0, 2, 1, 3, 5, 4, 4, 5, 6};
static const float ones[ROWS] = {1, 1, 1, 1, 1, 1};
static SetosaDataset *dataset, *made_dataset;
static SetosaModel *model, *made_model;
static SetosaTrainOptions options;
static SetosaComputeOptions compute;
static char folder[SUPPORT_PATH], path[SUPPORT_PATH];

static int set_up(void **state) {
  (void)state;
  SetosaError problem = {0};
  support_folder_create(folder);
  support_path(path, folder, "m.safetensors");
  support_ok(setosa_dataset_wrap(&dataset, ROWS, FEATURES, CLASSES, values, labels, &problem), &problem);
  support_ok(setosa_model_create(&model, FEATURES, CLASSES, values, NULL, &problem), &problem);
  options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.max_iterations = 2;
  compute = options.compute;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
  support_folder_remove(folder);
  return 0;
}

static void drop_made(void) {
  setosa_dataset_destroy(made_dataset);
  setosa_model_destroy(made_model);
  made_dataset = NULL;
  made_model = NULL;
}

static bool go_on(size_t first, size_t count, const float *probabilities, void *user) {
  (void)first, (void)count, (void)probabilities, (void)user;
  return true;
}
static void print_nothing(const char *line, void *user) { (void)line, (void)user; }

/* ---- by chapter of the header ------------------------------------------------------------------------------------ */

static void try_names(void) {
  PASSES(setosa_device_type_name, "", SETOSA_DEVICE_CPU);
  PASSES(setosa_family_name, "", SETOSA_FAMILY_AUTO);
  PASSES(setosa_backend_name, "", SETOSA_BACKEND_BLAS);
  PASSES(setosa_storage_name, "", SETOSA_STORAGE_F32);
  PASSES(setosa_tuning_name, "", SETOSA_TUNING_OFF);
  PASSES(setosa_solver_name, "", SETOSA_SOLVER_GD);
  PASSES(setosa_preconditioner_name, "", SETOSA_PRECONDITIONER_NONE);
  PASSES(setosa_schedule_name, "", SETOSA_SCHEDULE_STEP);
  PASSES(setosa_missing_name, "", SETOSA_MISSING_MEAN);
  PASSES(setosa_weights_are_name, "", SETOSA_WEIGHTS_COUNT);
  PASSES(setosa_unseen_name, "", SETOSA_UNSEEN_ERROR);
  PASSES(setosa_sparse_name, "", SETOSA_SPARSE_ALWAYS);
  PASSES(setosa_bench_what_name, "", SETOSA_BENCH_STEP);
  TAKES_NOTHING(setosa_version);
  TAKES_NOTHING(setosa_data_options_default);
  TAKES_NOTHING(setosa_generate_options_default);
  TAKES_NOTHING(setosa_compute_options_default);
  TAKES_NOTHING(setosa_train_options_default);
  TAKES_NOTHING(setosa_export_options_default);
  PASSES(setosa_quantize_name, "", SETOSA_QUANTIZE_INT8);
  PASSES(setosa_export_form_name, "", SETOSA_EXPORT_CSV);
  TAKES_NOTHING(setosa_bench_options_default);
  TAKES_NOTHING(setosa_cv_options_default);
  TAKES_NOTHING(setosa_summary_options_default);
}

static void try_devices(void) {
  SetosaDevices *devices = NULL;
  SetosaDevice *device = NULL;
  SetosaDeviceChoices choices;
  size_t index = 0;
  const char *one[] = {"cpu"};
  REFUSES(setosa_devices_open, "devices", NULL, error);
  support_ok(setosa_devices_open(&devices, NULL), NULL);
  SAYS(0, setosa_devices_count, "devices", NULL);
  SAYS(NULL, setosa_devices_get, "devices", NULL, 0);
  assert_null(setosa_devices_get(devices, 10000));
  SAYS(NULL, setosa_devices_warning, "devices", NULL, 0);
  assert_null(setosa_devices_warning(devices, 10000));
  REFUSES(setosa_devices_select, "devices", NULL, NULL, false, &index, error);
  REFUSES(setosa_devices_select, "index", devices, NULL, false, NULL, error);
  remember("setosa_devices_select", "selector"); /* the best: above, and in every test of a device */
  REFUSES(setosa_devices_choose, "choices", NULL, devices, 1, one, SETOSA_FAMILY_AUTO, false, error);
  REFUSES(setosa_devices_choose, "devices", &choices, NULL, 1, one, SETOSA_FAMILY_AUTO, false, error);
  REFUSES(setosa_devices_choose, "selectors", &choices, devices, 1, NULL, SETOSA_FAMILY_AUTO, false, error);
  REFUSES(setosa_devices_choose, "selectors", &choices, devices, 1, (const char *[]){NULL}, SETOSA_FAMILY_AUTO, false, error);
  REFUSES(setosa_devices_choose, "family", &choices, devices, 1, one, (SetosaFamily)7, false, error);
  REFUSES(setosa_devices_diagnose, "print", NULL, NULL, error);
  ACCEPTS(setosa_devices_diagnose, "user", print_nothing, NULL, error);
  REFUSES(setosa_device_open, "device", NULL, devices, 0, false, error);
  REFUSES(setosa_device_open, "devices", &device, NULL, 0, false, error);
  REFUSES(setosa_device_open_part, "device", NULL, devices, 0, 0, 1, false, error);
  REFUSES(setosa_device_open_part, "devices", &device, NULL, 0, 0, 1, false, error);
  assert_int_equal(setosa_device_open(&device, devices, 10000, true, NULL), SETOSA_ERROR_DEVICE);
  PASSES(setosa_device_close, "device", NULL);
  REFUSES(setosa_device_test, "device", NULL, error);
  SAYS(NULL, setosa_device_info, "device", NULL);
  setosa_devices_close(devices);
  PASSES(setosa_devices_close, "devices", NULL);
}

static void try_data(void) {
  static const char source[] = "synthetic:rows=20,features=2,classes=2";
  REFUSES(setosa_dataset_load, "dataset", NULL, source, NULL, error);
  REFUSES(setosa_dataset_load, "source", &made_dataset, NULL, NULL, error);
  ACCEPTS(setosa_dataset_load, "options", &made_dataset, source, NULL, error);
  drop_made();
  REFUSES(setosa_labels_find, "path", NULL, 10, source, error);
  REFUSES(setosa_labels_find, "source", path, sizeof path, NULL, error);
  REFUSES(setosa_labels_find, "size", path, 0, source, error);
  REFUSES(setosa_dataset_wrap, "dataset", NULL, ROWS, FEATURES, CLASSES, values, labels, error);
  REFUSES(setosa_dataset_wrap, "values", &made_dataset, ROWS, FEATURES, CLASSES, NULL, labels, error);
  ACCEPTS(setosa_dataset_wrap, "labels", &made_dataset, ROWS, FEATURES, CLASSES, values, NULL, error);
  drop_made();
  REFUSES(setosa_dataset_copy, "dataset", NULL, ROWS, FEATURES, CLASSES, numbers, FEATURES, 1, labels, NULL, error);
  REFUSES(setosa_dataset_copy, "values", &made_dataset, ROWS, FEATURES, CLASSES, NULL, FEATURES, 1, labels, NULL, error);
  ACCEPTS(setosa_dataset_copy, "labels", &made_dataset, ROWS, FEATURES, CLASSES, numbers, FEATURES, 1, NULL, NULL, error);
  drop_made();
  ACCEPTS(setosa_dataset_copy, "options", &made_dataset, ROWS, FEATURES, CLASSES, numbers, FEATURES, 1, labels, NULL, error);
  REFUSES(setosa_dataset_set_names, "dataset", NULL, NULL, NULL, error);
  REFUSES(setosa_dataset_set_names, "features", made_dataset, (const char *[]){"a", NULL}, NULL, error);
  REFUSES(setosa_dataset_set_names, "classes", made_dataset, NULL, (const char *[]){NULL, "b"}, error);
  ACCEPTS(setosa_dataset_set_names, "features", made_dataset, NULL, (const char *[]){"a", "b"}, error);
  drop_made();
  const uint64_t begin[] = {0, 1, 2};
  const uint32_t columns[] = {0, 1};
  const int32_t two[] = {0, 1};
  REFUSES(setosa_dataset_wrap_sparse, "dataset", NULL, 2, 2, 2, begin, columns, values, two, error);
  REFUSES(setosa_dataset_wrap_sparse, "row_begin", &made_dataset, 2, 2, 2, NULL, columns, values, two, error);
  REFUSES(setosa_dataset_wrap_sparse, "columns", &made_dataset, 2, 2, 2, begin, NULL, values, two, error);
  ACCEPTS(setosa_dataset_wrap_sparse, "values", &made_dataset, 2, 2, 2, begin, columns, NULL, two, error);
  drop_made();
  ACCEPTS(setosa_dataset_wrap_sparse, "labels", &made_dataset, 2, 2, 2, begin, columns, values, NULL, error);
  drop_made();
  REFUSES(setosa_dataset_set_weights, "dataset", NULL, ones, error);
  ACCEPTS(setosa_dataset_set_weights, "weights", dataset, NULL, error);
  REFUSES(setosa_dataset_set_class_weights, "dataset", NULL, "balanced", error);
  ACCEPTS(setosa_dataset_set_class_weights, "text", dataset, NULL, error);
  SAYS(NULL, setosa_dataset_label_name, "dataset", NULL);
  SAYS(NULL, setosa_dataset_weights_name, "dataset", NULL);
  REFUSES(setosa_data_files, "source", NULL, print_nothing, NULL, error);
  REFUSES(setosa_data_files, "file", source, NULL, NULL, error);
  ACCEPTS(setosa_data_files, "user", source, print_nothing, NULL, error);
  PASSES(setosa_dataset_destroy, "dataset", NULL);
  SAYS(0, setosa_dataset_rows, "dataset", NULL);
  SAYS(0, setosa_dataset_features, "dataset", NULL);
  SAYS(0, setosa_dataset_classes, "dataset", NULL);
  SAYS(NULL, setosa_dataset_values, "dataset", NULL);
  SAYS(NULL, setosa_dataset_labels, "dataset", NULL);
  SAYS(NULL, setosa_dataset_weights, "dataset", NULL);
  SAYS(NULL, setosa_dataset_feature_name, "dataset", NULL, 0);
  SAYS(NULL, setosa_dataset_class_name, "dataset", NULL, 0);
  SAYS(NULL, setosa_dataset_labels_found, "dataset", NULL);
  char labels_path[SUPPORT_PATH];
  REFUSES(setosa_labels_find, "path", NULL, sizeof labels_path, source, error);
  REFUSES(setosa_labels_find, "source", labels_path, sizeof labels_path, NULL, error);
  SAYS(false, setosa_dataset_cached, "dataset", NULL);
  SAYS(NULL, setosa_dataset_cache_note, "dataset", NULL);
  assert_null(setosa_dataset_class_name(dataset, CLASSES));
  assert_null(setosa_dataset_feature_name(dataset, FEATURES));
  REFUSES(setosa_dataset_standardize, "dataset", NULL, error);
  REFUSES(setosa_dataset_shuffle, "dataset", NULL, 1, error);
  REFUSES(setosa_dataset_split, "dataset", NULL, 0.5, 1, &made_dataset, error);
  REFUSES(setosa_dataset_split, "held_out", dataset, 0.5, 1, NULL, error);
  REFUSES(setosa_dataset_scale_like, "dataset", NULL, dataset, error);
  REFUSES(setosa_dataset_scale_like, "like", dataset, NULL, error);
}

/* A data set of a table, and one that never was one. */
static void try_table(void) {
  static const char text[] = "who,a,c,y\nann,1,red,p\nbob,NA,red,q\ncid,3,blue,q\ndan,4,red,p\n";
  SetosaTableReport *report = NULL;
  SetosaDataOptions how = setosa_data_options_default();
  SetosaRemark kind = SETOSA_REMARK_DETAIL;
  char file[SUPPORT_PATH];
  support_path(file, folder, "table.csv");
  support_write_text(file, text);
  how.id = "who";
  support_ok(setosa_dataset_load(&made_dataset, file, &how, &error_room), &error_room);
  SAYS(NULL, setosa_dataset_columns, "dataset", NULL);
  SAYS(NULL, setosa_dataset_shift, "dataset", NULL);
  SAYS(0, setosa_dataset_source_rows, "dataset", NULL);
  SAYS(false, setosa_dataset_is_sparse, "dataset", NULL);
  SAYS(0, setosa_dataset_entries, "dataset", NULL);
  SAYS(false, setosa_dataset_is_binary, "dataset", NULL);
  SAYS(-1, setosa_dataset_index_base, "dataset", NULL);
  SAYS(false, setosa_dataset_image, "dataset", NULL, NULL, NULL);
  SAYS(false, setosa_dataset_image, "height", made_dataset, NULL, NULL);
  SAYS(false, setosa_dataset_image, "width", made_dataset, NULL, NULL);
  SAYS(0, setosa_dataset_hash_features, "dataset", NULL);
  SAYS(0, setosa_dataset_source_row, "dataset", NULL, 1);
  SAYS(0, setosa_dataset_ids, "dataset", NULL);
  SAYS(NULL, setosa_dataset_id_name, "dataset", NULL, 0);
  SAYS(NULL, setosa_dataset_id, "dataset", NULL, 0, 0);
  SAYS(NULL, setosa_dataset_remark, "dataset", NULL, 0, &kind);
  assert_non_null(setosa_dataset_remark(made_dataset, 0, NULL)); /* one row was left out */
  remember("setosa_dataset_remark", "kind");
  assert_null(setosa_dataset_remark(made_dataset, 1000, &kind));
  assert_non_null(setosa_dataset_columns(made_dataset));
  assert_int_equal(setosa_dataset_rows(made_dataset), 3);
  assert_int_equal(setosa_dataset_source_rows(made_dataset), 4);
  assert_int_equal(setosa_dataset_source_row(made_dataset, 1), 2);
  assert_int_equal(setosa_dataset_source_row(made_dataset, 3), 0); /* past the last */
  assert_string_equal(setosa_dataset_id_name(made_dataset, 0), "who");
  assert_null(setosa_dataset_id_name(made_dataset, 1));
  assert_string_equal(setosa_dataset_id(made_dataset, 0, 1), "bob");
  assert_null(setosa_dataset_id(made_dataset, 0, 4));
  assert_null(setosa_dataset_id(made_dataset, 1, 0));
  drop_made();
  assert_null(setosa_dataset_columns(dataset));
  assert_int_equal(setosa_dataset_source_rows(dataset), ROWS);
  assert_int_equal(setosa_dataset_source_row(dataset, 2), 2);
  assert_null(setosa_dataset_id(dataset, 0, 0));
  REFUSES(setosa_table_inspect, "report", NULL, file, &how, error);
  REFUSES(setosa_table_inspect, "source", &report, NULL, &how, error);
  ACCEPTS(setosa_table_inspect, "options", &report, file, NULL, error);
  setosa_table_report_destroy(report);
  PASSES(setosa_table_report_destroy, "report", NULL);
}

static void try_generate(void) {
  static const char spec[] = "rows=20,features=2,classes=2";
  SetosaGenerateResult result;
  const SetosaGenerateOptions defaults = setosa_generate_options_default();
  char file[SUPPORT_PATH];
  support_path(file, folder, "made.csv");
  REFUSES(setosa_generate, "spec", NULL, file, &defaults, &result, error);
  REFUSES(setosa_generate, "path", spec, NULL, &defaults, &result, error);
  ACCEPTS(setosa_generate, "options", spec, file, NULL, &result, error);
  ACCEPTS(setosa_generate, "result", spec, file, &defaults, NULL, error);
}

static void try_exchange(void) {
  char exported[SUPPORT_PATH];
  support_path(exported, folder, "m.json");
  REFUSES(setosa_model_export, "model", NULL, exported, NULL, NULL, error);
  REFUSES(setosa_model_export, "path", model, NULL, NULL, NULL, error);
  ACCEPTS(setosa_model_export, "options", model, exported, NULL, &(SetosaExportResult){0}, error);
  ACCEPTS(setosa_model_export, "result", model, exported, &(SetosaExportOptions){.form = SETOSA_EXPORT_JSON}, NULL, error);
  REFUSES(setosa_model_import, "model", NULL, exported, error);
  REFUSES(setosa_model_import, "path", &made_model, NULL, error);
  drop_made();
}

static void try_model(void) {
  double distance = 0, cosine = 0;
  const char *text = NULL;
  static const char source[] = "synthetic:rows=20,features=2,classes=2";
  REFUSES(setosa_model_create, "model", NULL, FEATURES, CLASSES, values, ones, error);
  REFUSES(setosa_model_create, "weights", &made_model, FEATURES, CLASSES, NULL, ones, error);
  ACCEPTS(setosa_model_create, "bias", &made_model, FEATURES, CLASSES, values, NULL, error);
  drop_made();
  REFUSES(setosa_model_save, "model", NULL, path, error);
  REFUSES(setosa_model_save, "path", model, NULL, error);
  support_ok(setosa_model_save(model, path, NULL), NULL);
  REFUSES(setosa_model_load, "model", NULL, path, error);
  REFUSES(setosa_model_load, "path", &made_model, NULL, error);
  PASSES(setosa_model_destroy, "model", NULL);
  SAYS(0, setosa_model_features, "model", NULL);
  SAYS(0, setosa_model_classes, "model", NULL);
  SAYS(NULL, setosa_model_weights, "model", NULL);
  SAYS(NULL, setosa_model_bias, "model", NULL);
  SAYS(NULL, setosa_model_columns, "model", NULL);
  assert_null(setosa_model_columns(model)); /* made of arrays */
  SAYS(NULL, setosa_model_offset, "model", NULL);
  SAYS(NULL, setosa_model_scale, "model", NULL);
  SAYS(NULL, setosa_model_mean, "model", NULL);
  assert_null(setosa_model_mean(model)); /* made of arrays */
  SAYS(0, setosa_model_temperature, "model", NULL);
  REFUSES(setosa_model_set_temperature, "model", NULL, 2, error);
  SAYS(NULL, setosa_model_class_name, "model", NULL, 0);
  SAYS(NULL, setosa_model_feature_name, "model", NULL, 0);
  assert_null(setosa_model_class_name(model, CLASSES));
  assert_null(setosa_model_feature_name(model, FEATURES));
  support_ok(setosa_model_load(&made_model, path, NULL), NULL); /* with metadata */
  SAYS(false, setosa_model_metadata, "model", NULL, 0, &text, &text);
  SAYS(true, setosa_model_metadata, "key", made_model, 0, NULL, &text);
  SAYS(true, setosa_model_metadata, "value", made_model, 0, &text, NULL);
  assert_false(setosa_model_metadata(made_model, 10000, &text, &text));
  SetosaColumn column;
  SAYS(false, setosa_columns_get, "columns", NULL, 0, &column);
  SAYS(false, setosa_columns_get, "column", setosa_model_columns(model), 0, NULL);
  SAYS(NULL, setosa_columns_id, "columns", NULL, 0);
  REFUSES(setosa_model_truth, "model", NULL, source, &distance, &cosine, error);
  REFUSES(setosa_model_truth, "source", model, NULL, &distance, &cosine, error);
  REFUSES(setosa_model_truth, "distance", model, source, NULL, &cosine, error);
  REFUSES(setosa_model_truth, "cosine", model, source, &distance, NULL, error);
  assert_int_equal(setosa_model_data_options(NULL).expect_features, 0);
  remember("setosa_model_data_options", "model");
  REFUSES(setosa_model_scale_dataset, "model", NULL, dataset, error);
  REFUSES(setosa_model_scale_dataset, "dataset", model, NULL, error);
  drop_made();
}

static void try_ranks(void) {
  REFUSES(setosa_ranks_open, "ranks", NULL, NULL, NULL, error);
  SetosaRanks *ranks = NULL;
  ACCEPTS(setosa_ranks_open, "abandoned", &ranks, NULL, NULL, error);
  remember("setosa_ranks_open", "user");
  assert_null(ranks);
  const SetosaRanksWatch watch = {0};
  PASSES(setosa_ranks_watch, "ranks", NULL, &watch);
  PASSES(setosa_ranks_watch, "watch", NULL, NULL);
  PASSES(setosa_ranks_close, "ranks", NULL);
  SAYS(1, setosa_ranks_size, "ranks", NULL);
  SAYS(0, setosa_ranks_rank, "ranks", NULL);
  SAYS(0, setosa_ranks_local, "ranks", NULL);
  ACCEPTS(setosa_ranks_agree, "ranks", NULL, SETOSA_OK, error);
  REFUSES(setosa_ranks_agree, "own", NULL, (SetosaStatus)77, error);
}

static void try_train(void) {
  SetosaTrainResult result;
  REFUSES(setosa_train, "model", NULL, &result, dataset, &options, error);
  REFUSES(setosa_train, "dataset", &made_model, &result, NULL, &options, error);
  REFUSES(setosa_train, "options", &made_model, &result, dataset, NULL, error);
  ACCEPTS(setosa_train, "result", &made_model, NULL, dataset, &options, error);
  drop_made();
  REFUSES(setosa_train, "model", NULL, NULL, NULL, NULL, error);
}

static void try_cv(void) {
  SetosaCvResult *table = NULL;
  SetosaCvOptions folds = setosa_cv_options_default();
  folds.train = options;
  folds.folds = 2;
  folds.path_count = 2;
  REFUSES(setosa_cv, "result", &made_model, NULL, dataset, &folds, error);
  REFUSES(setosa_cv, "dataset", &made_model, &table, NULL, &folds, error);
  REFUSES(setosa_cv, "options", &made_model, &table, dataset, NULL, error);
  ACCEPTS(setosa_cv, "model", NULL, &table, dataset, &folds, error);
  setosa_cv_result_destroy(table);
  PASSES(setosa_cv_result_destroy, "result", NULL);
}

static void try_checkpoint(void) {
  SetosaCheckpoint *checkpoint = NULL;
  SetosaTrainOptions kept = options;
  SetosaNote note = {"n", "v"};
  char file[SUPPORT_PATH];
  support_path(file, folder, "c.ckpt");
  kept.checkpoint = file;
  kept.checkpoint_notes = &note;
  kept.checkpoint_note_count = 1;
  support_ok(setosa_train(&made_model, NULL, dataset, &kept, NULL), NULL);
  drop_made();
  REFUSES(setosa_checkpoint_load, "checkpoint", NULL, file, error);
  REFUSES(setosa_checkpoint_load, "path", &checkpoint, NULL, error);
  support_ok(setosa_checkpoint_load(&checkpoint, file, NULL), NULL);
  PASSES(setosa_checkpoint_destroy, "checkpoint", NULL);
  assert_string_equal(setosa_checkpoint_warning(NULL), "");
  remember("setosa_checkpoint_warning", "checkpoint");
  SAYS(0, setosa_checkpoint_iterations, "checkpoint", NULL);
  SAYS(false, setosa_checkpoint_note, "checkpoint", NULL, 0, &note);
  SAYS(true, setosa_checkpoint_note, "note", checkpoint, 0, NULL);
  assert_false(setosa_checkpoint_note(checkpoint, 1, &note));
  PASSES(setosa_checkpoint_options, "checkpoint", NULL, &kept);
  PASSES(setosa_checkpoint_options, "options", checkpoint, NULL);
  setosa_checkpoint_destroy(checkpoint);
}

static void try_plan(void) {
  SetosaPlan plan;
  REFUSES(setosa_plan, "plan", NULL, SETOSA_PLAN_TRAIN, dataset, CLASSES, &options, error);
  REFUSES(setosa_plan, "dataset", &plan, SETOSA_PLAN_TRAIN, NULL, CLASSES, &options, error);
  REFUSES(setosa_plan, "options", &plan, SETOSA_PLAN_TRAIN, dataset, CLASSES, NULL, error);
  REFUSES(setosa_plan, "work", &plan, (SetosaPlanWork)2, dataset, CLASSES, &options, error);
  REFUSES(setosa_plan, "classes", &plan, SETOSA_PLAN_TRAIN, dataset, CLASSES + 1, &options, error);
  REFUSES(setosa_plan, "classes", &plan, SETOSA_PLAN_PREDICT, dataset, 1, &options, error);
}

static void try_use(void) {
  SetosaMetrics *metrics = NULL;
  size_t failures = 0;
  REFUSES(setosa_predict, "model", NULL, dataset, &compute, go_on, NULL, error);
  REFUSES(setosa_predict, "dataset", model, NULL, &compute, go_on, NULL, error);
  REFUSES(setosa_predict, "compute", model, dataset, NULL, go_on, NULL, error);
  REFUSES(setosa_predict, "rows", model, dataset, &compute, NULL, NULL, error);
  ACCEPTS(setosa_predict, "user", model, dataset, &compute, go_on, NULL, error);
  REFUSES(setosa_evaluate, "metrics", NULL, model, dataset, &compute, error);
  REFUSES(setosa_evaluate, "model", &metrics, NULL, dataset, &compute, error);
  REFUSES(setosa_evaluate, "dataset", &metrics, model, NULL, &compute, error);
  REFUSES(setosa_evaluate, "compute", &metrics, model, dataset, NULL, error);
  PASSES(setosa_metrics_destroy, "metrics", NULL);
  SetosaSummary *summary = NULL;
  const SetosaSummaryOptions summary_options = setosa_summary_options_default();
  REFUSES(setosa_summary, "summary", NULL, model, dataset, &summary_options, error);
  REFUSES(setosa_summary, "model", &summary, NULL, dataset, &summary_options, error);
  REFUSES(setosa_summary, "dataset", &summary, model, NULL, &summary_options, error);
  REFUSES(setosa_summary, "options", &summary, model, dataset, NULL, error);
  PASSES(setosa_summary_destroy, "summary", NULL);
  REFUSES(setosa_calibrate, "model", NULL, NULL, dataset, &compute, error);
  REFUSES(setosa_calibrate, "dataset", model, NULL, NULL, &compute, error);
  REFUSES(setosa_calibrate, "compute", model, NULL, dataset, NULL, error);
  ACCEPTS(setosa_calibrate, "result", model, NULL, dataset, &compute, error);
  support_ok(setosa_model_set_temperature(model, 1, NULL), NULL);
  REFUSES(setosa_check, "compute", dataset, NULL, 0, NULL, NULL, &failures, error);
  REFUSES(setosa_check, "l2", dataset, &compute, (double)NAN, NULL, NULL, &failures, error);
  REFUSES(setosa_check, "l2", dataset, &compute, -1, NULL, NULL, &failures, error);
  ACCEPTS(setosa_check, "failures", dataset, &compute, 0, NULL, NULL, NULL, error);
  ACCEPTS(setosa_check, "row", dataset, &compute, 0, NULL, NULL, &failures, error);
  remember("setosa_check", "user");
  remember("setosa_check", "dataset"); /* the table of shapes, which takes seconds: cli/test_use.c checks them */
}

static void try_explain(void) {
  const double x[FEATURES] = {1, 2}, weights[CLASSES * FEATURES] = {1, 0, 0, 1}, bias[CLASSES] = {0, 0};
  SetosaExplanation *explanation = NULL;
  REFUSES(setosa_explain, "explanation", NULL, FEATURES, CLASSES, x, weights, bias, 0, error);
  REFUSES(setosa_explain, "x", &explanation, FEATURES, CLASSES, NULL, weights, bias, 0, error);
  REFUSES(setosa_explain, "weights", &explanation, FEATURES, CLASSES, x, NULL, bias, 0, error);
  ACCEPTS(setosa_explain, "bias", &explanation, FEATURES, CLASSES, x, weights, NULL, 0, error);
  setosa_explanation_destroy(explanation);
  REFUSES(setosa_explain_row, "explanation", NULL, model, dataset, 0, error);
  REFUSES(setosa_explain_row, "model", &explanation, NULL, dataset, 0, error);
  REFUSES(setosa_explain_row, "dataset", &explanation, model, NULL, 0, error);
  PASSES(setosa_explanation_destroy, "explanation", NULL);
  SetosaContributions *contributions = NULL;
  REFUSES(setosa_contributions, "contributions", NULL, model, dataset, 0, error);
  REFUSES(setosa_contributions, "model", &contributions, NULL, dataset, 0, error);
  REFUSES(setosa_contributions, "dataset", &contributions, model, NULL, 0, error);
  PASSES(setosa_contributions_destroy, "contributions", NULL);
}

static void try_cache(void) {
  char home[SUPPORT_PATH];
  snprintf(home, sizeof home, "%s", getenv("XDG_CACHE_HOME") != NULL ? getenv("XDG_CACHE_HOME") : "");
  setenv("XDG_CACHE_HOME", folder, 1); /* what is cleared here is nobody's */
  REFUSES(setosa_cache_path, "path", NULL, 10, error);
  ACCEPTS(setosa_cache_clear, "bytes_freed", NULL, error);
  SAYS(SETOSA_OK, setosa_cache_clear, "error", NULL, NULL);
  SAYS(setosa_cache_check(NULL), setosa_cache_check, "error", NULL);
  if (home[0] != '\0') setenv("XDG_CACHE_HOME", home, 1);
}

static bool stop_at_once(void *user) {
  (void)user;
  return true;
}

static void try_bench(void) {
  SetosaBenchOptions bench = setosa_bench_options_default();
  REFUSES(setosa_bench, "options", NULL, error);
  bench.stop = stop_at_once;
  const SetosaBenchOptions good = bench;
  bench.backend_count = 1;
  REFUSES(setosa_bench, "backends", &bench, error);
  bench = good;
  bench.storage_count = 1;
  REFUSES(setosa_bench, "storages", &bench, error);
  bench = good;
  bench.what_count = 1;
  REFUSES(setosa_bench, "whats", &bench, error);
  bench = good;
  bench.device_count = 1;
  REFUSES(setosa_bench, "devices", &bench, error);
  bench = good;
  bench.tolerance = (double)NAN;
  assert_int_equal(setosa_bench(&bench, NULL), SETOSA_ERROR_USAGE);
}

/* ---- nothing was left out ---------------------------------------------------------------------------------------- */

static void strip_comments(char *text) {
  for (char *at = text; (at = strstr(at, "/*")) != NULL;) {
    char *end = strstr(at, "*/");
    assert_non_null(end);
    memset(at, ' ', (size_t)(end + 2 - at));
  }
}

/* The name of a parameter that is a pointer ("" for one that is none): the word before ")(" of a function, else the last word. */
static void pointer_name(const char *parameter, char name[NAME_SIZE]) {
  const char *function = strstr(parameter, "(*"), *from = parameter, *end = parameter + strlen(parameter);
  name[0] = '\0';
  if (strchr(parameter, '*') == NULL && strstr(parameter, "Callback") == NULL) return;
  if (function != NULL) {
    from = function + 2;
    end = strchr(from, ')');
  } else {
    while (end > parameter && isspace((unsigned char)end[-1])) end--;
    for (from = end; from > parameter && (isalnum((unsigned char)from[-1]) || from[-1] == '_');) from--;
  }
  snprintf(name, NAME_SIZE, "%.*s", (int)(end - from), from);
}

/* "name(parameters);" at `at`: the function and each of its pointers were tried. Returns how many are missing. */
static size_t check_declaration(const char *at) {
  char function[NAME_SIZE], parameter[256], name[NAME_SIZE];
  size_t missing = 0, length = 0;
  const char *open = strchr(at, '(');
  snprintf(function, sizeof function, "%.*s", (int)(open - at), at);
  if (!was_tried(function, NULL)) {
    print_error("%s is not tried\n", function);
    missing++;
  }
  int depth = 0;
  for (const char *c = open + 1; depth >= 0; c++) {
    assert_true(*c != '\0' && length + 1 < sizeof parameter);
    depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
    if (depth >= 0 && !(*c == ',' && depth == 0)) {
      parameter[length++] = *c;
      continue;
    }
    parameter[length] = '\0';
    length = 0;
    pointer_name(parameter, name);
    if (name[0] == '\0' || was_tried(function, name)) continue;
    print_error("%s is not tried with NULL for %s\n", function, name);
    missing++;
  }
  return missing;
}

static size_t check_header(const char *relative, size_t *functions) {
  char header[SUPPORT_PATH];
  size_t missing = 0;
  support_source_path(header, relative);
  char *text = support_read(header, NULL);
  strip_comments(text);
  for (const char *at = text; (at = strstr(at, "setosa_")) != NULL;) {
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (at[length] == '(') {
      missing += check_declaration(at);
      ++*functions;
    }
    at += length;
  }
  free(text);
  return missing;
}

static void every_pointer_of_every_function(void **state) {
  (void)state;
  size_t functions = 0;
  try_names();
  try_devices();
  try_data();
  try_table();
  try_generate();
  try_model();
  try_exchange();
  try_ranks();
  try_train();
  try_cv();
  try_checkpoint();
  try_plan();
  try_use();
  try_explain();
  try_cache();
  try_bench();
  size_t missing = check_header("host/include/setosa.h", &functions) + check_header("host/include/setosa_bench.h", &functions);
  if (missing > 0) fail_msg("%zu of the headers' functions and pointers are not tried; add them here", missing);
  assert_true(functions >= 85);
}

/* ---- values that are none ---------------------------------------------------------------------------------------- */

static void refuses(SetosaStatus status, const SetosaError *problem, const char *word) {
  if (status != SETOSA_ERROR_USAGE || problem->status != SETOSA_ERROR_USAGE || strstr(problem->message, word) == NULL)
    fail_msg("status %d, \"%s\" does not say \"%s\"", (int)status, problem->message, word);
}

static void names_of_no_value_are_unknown(void **state) {
  (void)state;
  for (int value = -1; value <= 1000; value += 1001) {
    assert_string_equal(setosa_device_type_name((SetosaDeviceType)value), "unknown");
    assert_string_equal(setosa_family_name((SetosaFamily)value), "unknown");
    assert_string_equal(setosa_backend_name((SetosaBackend)value), "unknown");
    assert_string_equal(setosa_storage_name((SetosaStorage)value), "unknown");
    assert_string_equal(setosa_tuning_name((SetosaTuning)value), "unknown");
    assert_string_equal(setosa_solver_name((SetosaSolver)value), "unknown");
    assert_string_equal(setosa_schedule_name((SetosaSchedule)value), "unknown");
    assert_string_equal(setosa_missing_name((SetosaMissing)value), "unknown");
    assert_string_equal(setosa_weights_are_name((SetosaWeightsAre)value), "unknown");
    assert_string_equal(setosa_unseen_name((SetosaUnseen)value), "unknown");
    assert_string_equal(setosa_sparse_name((SetosaSparse)value), "unknown");
    assert_string_equal(setosa_bench_what_name((SetosaBenchWhat)value), "unknown");
  }
}

static void choices_that_are_none_are_refused(void **state) {
  (void)state;
  SetosaError problem;
  for (int value = -1; value <= 1000; value += 1001) {
#define WITH(member, word)                                                               \
  do {                                                                                   \
    SetosaTrainOptions wrong = options;                                                  \
    int none = value;                                                                    \
    memcpy(&wrong.member, &none, sizeof none);                                           \
    refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, word); \
    assert_null(made_model);                                                             \
  } while (0)
    WITH(solver, "--solver");
    WITH(schedule, "--schedule");
    WITH(compute.backend, "--backend");
    WITH(compute.family, "--family");
    WITH(compute.storage, "--storage");
    WITH(compute.tuning, "--tune");
#undef WITH
  }
}

static void sizes_and_numbers_without_sense_are_refused(void **state) {
  (void)state;
  SetosaError problem;
  SetosaExplanation *explanation = NULL;
  const double x[] = {1, 2}, endless[] = {1, (double)INFINITY}, weights[] = {1, 0, 0, 1};
  const float bad[] = {1, NAN, 0, 1};
  refuses(setosa_dataset_wrap(&made_dataset, 0, FEATURES, CLASSES, values, labels, &problem), &problem, "at least one row");
  refuses(setosa_dataset_wrap(&made_dataset, ROWS, 0, CLASSES, values, labels, &problem), &problem, "one feature");
  refuses(setosa_dataset_wrap(&made_dataset, ROWS, FEATURES, 1, values, labels, &problem), &problem, "classes");
  refuses(setosa_dataset_wrap(&made_dataset, SIZE_MAX / 2, 3, CLASSES, values, labels, &problem), &problem, "is more than");
  refuses(setosa_dataset_split(dataset, (double)NAN, 1, &made_dataset, &problem), &problem, "fraction");
  refuses(setosa_dataset_split(dataset, 1, 1, &made_dataset, &problem), &problem, "fraction");
  refuses(setosa_model_create(&made_model, 0, CLASSES, values, NULL, &problem), &problem, "feature");
  refuses(setosa_model_create(&made_model, FEATURES, 1, values, NULL, &problem), &problem, "classes");
  refuses(setosa_model_create(&made_model, SIZE_MAX / 2, 3, values, NULL, &problem), &problem, "is more than");
  refuses(setosa_model_create(&made_model, 2, 2, bad, NULL, &problem), &problem, "not finite");
  refuses(setosa_explain(&explanation, 0, 2, x, weights, NULL, 0, &problem), &problem, "feature");
  refuses(setosa_explain(&explanation, 2, 2, x, weights, NULL, 2, &problem), &problem, "class index 2");
  refuses(setosa_explain(&explanation, SIZE_MAX / 2, 3, x, weights, NULL, 0, &problem), &problem, "is more than");
  refuses(setosa_explain(&explanation, 2, 2, endless, weights, NULL, 0, &problem), &problem, "not finite");
  refuses(setosa_explain_row(&explanation, model, dataset, 1000000, &problem), &problem, "no row 1000000");
  char small[2];
  assert_int_not_equal(setosa_cache_path(small, sizeof small, &problem), SETOSA_OK);
  assert_int_not_equal(setosa_cache_path(small, 0, &problem), SETOSA_OK);
}

/* A data set without labels, of other shapes, in other places: refused by whoever needs more. */
static void data_that_do_not_fit_are_refused(void **state) {
  (void)state;
  SetosaError problem = {0};
  SetosaDataset *bare = NULL, *wide = NULL;
  SetosaPlan plan;
  SetosaMetrics *metrics = NULL;
  size_t failures = 0;
  support_ok(setosa_dataset_wrap(&bare, ROWS, FEATURES, 0, values, NULL, &problem), &problem);
  support_ok(setosa_dataset_wrap(&wide, ROWS / 2, 2 * FEATURES, CLASSES, values, labels, &problem), &problem);
  assert_int_equal(setosa_train(&made_model, NULL, bare, &options, &problem), SETOSA_ERROR_DATA);
  assert_int_equal(setosa_evaluate(&metrics, model, bare, &compute, &problem), SETOSA_ERROR_DATA);
  assert_int_not_equal(setosa_check(bare, &compute, 0, NULL, NULL, &failures, &problem), SETOSA_OK);
  assert_int_not_equal(problem.status, SETOSA_OK);
  assert_int_not_equal(setosa_plan(&plan, SETOSA_PLAN_TRAIN, bare, 2, &options, &problem), SETOSA_OK);
  assert_int_not_equal(setosa_plan(&plan, SETOSA_PLAN_PREDICT, dataset, SIZE_MAX / 2, &options, &problem), SETOSA_OK);
  assert_int_equal(setosa_dataset_set_class_weights(bare, "balanced", &problem), SETOSA_ERROR_USAGE);
  refuses(setosa_predict(model, wide, &compute, go_on, NULL, &problem), &problem, "features");
  refuses(setosa_evaluate(&metrics, model, wide, &compute, &problem), &problem, "features");
  refuses(setosa_model_scale_dataset(model, wide, &problem), &problem, "features");
  assert_int_not_equal(setosa_dataset_scale_like(wide, dataset, &problem), SETOSA_OK);
  SetosaTrainOptions wrong = options;
  wrong.validation = wide;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "validation");
  wrong = options;
  wrong.initial = model;
  refuses(setosa_train(&made_model, NULL, wide, &wrong, &problem), &problem, "initial");
  setosa_dataset_destroy(bare);
  setosa_dataset_destroy(wide);
}

static void parts_that_are_none_are_refused(void **state) {
  (void)state;
  SetosaDevices *devices = NULL;
  SetosaDevice *device = NULL;
  SetosaError problem = {0};
  support_ok(setosa_devices_open(&devices, &problem), &problem);
  bool any = setosa_devices_count(devices) > 0;
  static const size_t wrong[][2] = {{0, 0}, {1, 1}, {2, 2}, {0, SIZE_MAX}, {SIZE_MAX, 2}};
  for (size_t i = 0; any && i < sizeof wrong / sizeof *wrong; i++) {
    SetosaStatus status = setosa_device_open_part(&device, devices, 0, wrong[i][0], wrong[i][1], true, &problem);
    if (status != SETOSA_ERROR_USAGE && status != SETOSA_ERROR_DEVICE)
      fail_msg("part %zu of %zu: %d, %s", wrong[i][0], wrong[i][1], (int)status, problem.message);
    assert_null(device);
    assert_int_equal(problem.status, status);
  }
  setosa_devices_close(devices);
  if (!any) support_skip("no OpenCL device");
}

static void members_of_options_are_checked(void **state) {
  (void)state;
  SetosaError problem;
  SetosaDataOptions data = setosa_data_options_default();
  static const char source[] = "synthetic:rows=20,features=2,classes=2";
  data.header = 5;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "options.header");
  data = setosa_data_options_default();
  data.expect_classes = 2;
  data.expect_class_names = (const char *[]){"a", NULL};
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "expect_class_names[1]");
  data = setosa_data_options_default();
  data.expect_features = 1;
  data.expect_feature_names = (const char *[]){NULL};
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "expect_feature_names[0]");
  data = setosa_data_options_default();
  data.also_count = 1;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "also");
  data.also = (const char *[]){NULL};
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "also[0]");
  data = setosa_data_options_default();
  data.missing = (SetosaMissing)7;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "options.missing");
  data = setosa_data_options_default();
  data.unseen = (SetosaUnseen)7;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "options.unseen");
  data = setosa_data_options_default();
  data.sparse = (SetosaSparse)7;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "options.sparse");
  data = setosa_data_options_default();
  data.part = data.parts = 2;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "part 2 of 2");
  data = setosa_data_options_default();
  data.scale = (double)INFINITY;
  refuses(setosa_dataset_load(&made_dataset, source, &data, &problem), &problem, "--scale");

  SetosaTrainOptions wrong = options;
  wrong.checkpoint_note_count = 1;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "checkpoint_notes");
  wrong.checkpoint_notes = &(SetosaNote){"name", NULL};
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "checkpoint_notes");
  wrong = options;
  wrong.compute.backend = SETOSA_BACKEND_NATIVE;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "needs a device");
  wrong.compute.device_count = 2;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "device");
  wrong.compute.devices = (SetosaDevice *const[]){NULL, NULL};
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "device 0 of the 2");
  wrong = options;
  wrong.l2 = (double)NAN;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "--l2");
  wrong = options;
  wrong.tolerance = -1;
  refuses(setosa_train(&made_model, NULL, dataset, &wrong, &problem), &problem, "--tolerance");
}

static bool stop_after_first(size_t first, size_t count, const float *probabilities, void *user) {
  (void)first, (void)count, (void)probabilities, (void)user;
  return false;
}

static void a_stopped_prediction_promises_nothing(void **state) {
  (void)state;
  SetosaError problem = {0};
  SetosaStatus status = setosa_predict(model, dataset, &compute, stop_after_first, NULL, &problem);
  support_fails(status, &problem, SETOSA_INTERRUPTED, "prediction was stopped after row 6 of 6");
  assert_null(strstr(problem.message, "again"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pointer_of_every_function),   cmocka_unit_test(names_of_no_value_are_unknown),
      cmocka_unit_test(choices_that_are_none_are_refused), cmocka_unit_test(sizes_and_numbers_without_sense_are_refused),
      cmocka_unit_test(members_of_options_are_checked),    cmocka_unit_test(a_stopped_prediction_promises_nothing),
      cmocka_unit_test(data_that_do_not_fit_are_refused),  cmocka_unit_test(parts_that_are_none_are_refused),
  };
  return support_run("api_null", tests, set_up, tear_down);
}
