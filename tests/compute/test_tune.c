/* The tuner: verdicts are kept and believed only when whole, a wrong shape never wins, small work is not tuned, --reproducible keeps the
 * default. Every test has a cache of its own. */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/open.h"
#include "compute/tune/tune.h"
#include "support/dataset.h"
#include "support/device.h"

static char cache[SUPPORT_PATH];
static char *cache_before;

/* Just worth tuning, in each path: 4e8 flops. */
static const char *const few_classes = "synthetic:rows=60000,features=200,classes=9,seed=3";
static const char *const many_classes = "synthetic:rows=22000,features=100,classes=48,seed=4";
static const char *const small_work = "synthetic:rows=4000,features=100,classes=10,seed=5";

static Native *open_native(const char *source, Dataset **dataset, BackendSettings settings) {
  Error error = {0};
  Backend *backend = NULL;
  settings.context = support_device();
  settings.intercept = true;
  if (*dataset == NULL) support_ok(setosa_dataset_load(dataset, source, NULL, &error), &error);
  support_ok(backend_open(&backend, *dataset, &settings, &error), &error);
  return (Native *)backend;
}

/* The shape that a backend opened like this takes. */
static NativeShape shape_of(Dataset *dataset, BackendSettings settings) {
  Native *native = open_native(NULL, &dataset, settings);
  NativeShape shape = native->shape;
  backend_close(&native->head);
  return shape;
}

static TuneClass class_of(const Native *native) {
  TuneClass class;
  assert_true(
      tune_class_make(&class, support_device(), native->family, native->head.classes, native->head.features, native->plan.storage, true));
  return class;
}

/* The verdicts in the cache; with one, its path. */
static size_t count_files(char path[SUPPORT_PATH]) {
  char pattern[SUPPORT_PATH];
  glob_t found;
  support_path(pattern, cache, "setosa/tuning/*");
  if (glob(pattern, 0, NULL, &found) != 0) return 0;
  size_t count = found.gl_pathc;
  if (path != NULL) strcpy(path, found.gl_pathv[0]);
  globfree(&found);
  return count;
}

static void expect_shape(const NativeShape *actual, const NativeShape *expected) {
  if (!native_shape_equal(actual, expected))
    fail_msg(
        "lanes %u dot %u outer %u %u strip %u panel %u tile %u %u item %u %u shares %u fused %u, not lanes %u dot %u outer %u %u strip %u "
        "panel %u "
        "tile %u %u item %u %u shares %u fused %u",
        actual->lanes, actual->dot_classes, actual->outer_classes, actual->outer_registers, actual->strip_classes, actual->panel_rows,
        actual->tile_rows, actual->tile_classes, actual->item_rows, actual->item_classes, actual->shares, actual->fused_bytes,
        expected->lanes, expected->dot_classes, expected->outer_classes, expected->outer_registers, expected->strip_classes,
        expected->panel_rows, expected->tile_rows, expected->tile_classes, expected->item_rows, expected->item_classes, expected->shares,
        expected->fused_bytes);
}

static void expect_opened(Dataset *dataset, BackendSettings settings, const NativeShape *expected) {
  NativeShape shape = shape_of(dataset, settings);
  expect_shape(&shape, expected);
}

/* ---- the cache -------------------------------------------------------------------------------------------------- */

static void a_search_is_kept_and_read(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  char path[SUPPORT_PATH];
  Native *native = open_native(few_classes, &dataset, (BackendSettings){.tunes = true});
  TuneClass class = class_of(native);
  TuneRecord record;
  assert_int_equal(count_files(path), 1);
  assert_non_null(strstr(native->tuning.text, "best of "));
  assert_true(native->tuning.seconds > 0);
  assert_int_equal(native->flops, 0); /* tuning is not work of the training */
  assert_true(tune_load(&record, &class, context_traits(support_device())));
  expect_shape(&record.shape, &native->shape);
  assert_true(record.shape_ns > 0 && record.shape_ns <= record.default_ns);
  backend_close(&native->head);

  native = open_native(NULL, &dataset, (BackendSettings){.tunes = true});
  assert_non_null(strstr(native->tuning.text, "known from before"));
  assert_int_equal(native->tuning.tried, 0);
  expect_shape(&native->shape, &record.shape);
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);
}

/* Rows that are made as they are needed, and stream: there are none to look at, and the search sees chunks. */
static void made_rows_are_tuned(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = 1;
  support_ok(setosa_dataset_load(&dataset, few_classes, &options, &error), &error);
  assert_true(is_made(dataset));
  Native *native = open_native(NULL, &dataset, (BackendSettings){.tunes = true, .streamed = true, .chunk_rows = 5000});
  assert_false(native->residence.resident);
  assert_non_null(strstr(native->tuning.text, "best of "));
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);
}

static void small_work_is_not_tuned(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  Native *native = open_native(small_work, &dataset, (BackendSettings){.tunes = true, .tuning = SETOSA_TUNING_FULL});
  assert_int_equal(count_files(NULL), 0);
  assert_string_equal(native->tuning.text, "");
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);
  dataset = NULL;
  /* Nor is anything without being asked to, or with --tune off or --reproducible. */
  native = open_native(few_classes, &dataset, (BackendSettings){.tunes = false});
  backend_close(&native->head);
  native = open_native(NULL, &dataset, (BackendSettings){.tunes = true, .tuning = SETOSA_TUNING_OFF});
  backend_close(&native->head);
  native = open_native(NULL, &dataset, (BackendSettings){.tunes = true, .reproducible = true});
  backend_close(&native->head);
  assert_int_equal(count_files(NULL), 0);
  setosa_dataset_destroy(dataset);
}

static void a_planted_shape_is_used_but_not_when_reproducible(void **state) {
  (void)state;
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  const char *const sources[] = {few_classes, many_classes};
  for (size_t i = 0; i < 4; i++) {
    Dataset *dataset = NULL;
    NativeShape shapes[TUNE_CANDIDATES];
    BackendSettings settings = {.family = families[i % 2], .tuning = SETOSA_TUNING_OFF};
    Native *native = open_native(sources[i / 2], &dataset, settings);
    TuneClass class = class_of(native);
    size_t count = tune_candidates(shapes, &class, context_traits(support_device()));
    assert_true(count >= 2);
    expect_shape(&shapes[0], &native->shape);
    TuneRecord record = {.shape = shapes[count - 1], .default_ns = 2, .shape_ns = 1};
    backend_close(&native->head);
    tune_save(&class, &record);

    expect_opened(dataset, settings, &shapes[0]);
    settings.tuning = SETOSA_TUNING_QUICK;
    expect_opened(dataset, settings, &shapes[count - 1]);
    settings.tunes = true; /* what is known is not searched again */
    expect_opened(dataset, settings, &shapes[count - 1]);
    settings.reproducible = true;
    expect_opened(dataset, settings, &shapes[0]);
    setosa_dataset_destroy(dataset);
  }
}

/* text with the first `old` replaced; free() it. */
static char *replaced(const char *text, const char *old, const char *new) {
  const char *at = strstr(text, old);
  assert_non_null(at);
  char *changed = calloc(strlen(text) + strlen(new) + 1, 1);
  assert_non_null(changed);
  memcpy(changed, text, (size_t)(at - text));
  strcat(strcat(changed, new), at + strlen(old));
  return changed;
}

static void a_damaged_verdict_is_none(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  char path[SUPPORT_PATH];
  NativeShape shapes[TUNE_CANDIDATES];
  TuneRecord read;
  const DeviceTraits *traits = context_traits(support_device());
  Native *native = open_native(small_work, &dataset, (BackendSettings){.family = SETOSA_FAMILY_CPU});
  TuneClass class = class_of(native);
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);
  size_t count = tune_candidates(shapes, &class, traits);
  TuneRecord record = {.how = SETOSA_TUNING_FULL, .shape = shapes[count - 1], .default_ns = 123456789012, .shape_ns = 5};
  tune_save(&class, &record);
  assert_int_equal(count_files(path), 1);
  assert_true(tune_load(&read, &class, traits));
  expect_shape(&read.shape, &record.shape);
  assert_int_equal(read.default_ns, record.default_ns);
  assert_int_equal(read.how, record.how);

  char *text = support_read(path, NULL);
  for (size_t length = 0; length < strlen(text); length++) { /* cut anywhere */
    support_write(path, text, length);
    if (tune_load(&read, &class, traits)) fail_msg("believed when cut after %zu bytes", length);
  }
  char lanes[16];
  snprintf(lanes, sizeof lanes, "lanes %u", record.shape.lanes);
  const char *const changes[][2] = {{lanes, "lanes 7"},
                                    {lanes, "lanes -1"},
                                    {lanes, "lanes 99999999999999999999"},
                                    {lanes, "lanes 0"},
                                    {"shares 64", "shares 6400"},
                                    {"fused ", "fused 1"},
                                    {"how full", "how off"},
                                    {"how full", "how fast"},
                                    {"tuning 9", "tuning 8"},
                                    {"class ", "class 0"},
                                    {"units ", "units 9"},
                                    {"strip 6", "strip 0006"},
                                    {"panel ", "panel 1"},
                                    {"f32", "f16"},
                                    {" shape 5\n", " shape 5\n\n"},
                                    {"shape lanes", "shape  lanes"}};
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    char *changed = replaced(text, changes[i][0], changes[i][1]);
    support_write_text(path, changed);
    if (tune_load(&read, &class, traits)) fail_msg("believed with \"%s\" for \"%s\"", changes[i][1], changes[i][0]);
    free(changed);
  }
  support_write(path, "\0\0\0", 3);
  assert_false(tune_load(&read, &class, traits));
  support_write_text(path, text);
  assert_true(tune_load(&read, &class, traits));
  free(text);
  tune_save(&class, &record); /* and a damaged one is written anew */
  assert_true(tune_load(&read, &class, traits));
}

/* Other classes do not read it, and sources under development have no verdicts. */
static void classes_are_apart(void **state) {
  (void)state;
  TuneClass class, other;
  TuneRecord record = {.default_ns = 1, .shape_ns = 1}, read;
  NativeShape shapes[TUNE_CANDIDATES];
  const DeviceTraits *traits = context_traits(support_device());
  assert_true(tune_class_make(&class, support_device(), SETOSA_FAMILY_CPU, 10, 784, SETOSA_STORAGE_F32, true));
  tune_candidates(shapes, &class, traits);
  record.shape = shapes[0];
  tune_save(&class, &record);
  const struct {
    SetosaFamily family;
    size_t classes, features;
    SetosaStorage storage;
    bool same;
  } others[] = {{SETOSA_FAMILY_CPU, 10, 1024, SETOSA_STORAGE_F32, true},  {SETOSA_FAMILY_CPU, 10, 513, SETOSA_STORAGE_F32, true},
                {SETOSA_FAMILY_CPU, 10, 512, SETOSA_STORAGE_F32, false},  {SETOSA_FAMILY_CPU, 11, 784, SETOSA_STORAGE_F32, false},
                {SETOSA_FAMILY_GPU, 10, 784, SETOSA_STORAGE_F32, false},  {SETOSA_FAMILY_CPU, 10, 784, SETOSA_STORAGE_U8, false},
                {SETOSA_FAMILY_CPU, 100, 784, SETOSA_STORAGE_F32, false}, {SETOSA_FAMILY_CPU, 10, 1025, SETOSA_STORAGE_F32, false}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_true(
        tune_class_make(&other, support_device(), others[i].family, others[i].classes, others[i].features, others[i].storage, true));
    assert_int_equal(tune_load(&read, &other, traits), others[i].same);
  }
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

/* Whether the second shape was timed, that is, built and verified; native keeps the first if it was not. */
static bool is_accepted(Native *native, Dataset *dataset, const NativeShape *usual, const NativeShape *other) {
  const NativeShape pair[] = {*usual, *other};
  TuneRecord record;
  Error error = {0};
  double seconds[2] = {0, 0};
  uint32_t tried = native->tuning.tried;
  support_ok(tune_search(native, dataset, pair, 2, SETOSA_TUNING_QUICK, &record, seconds, &error), &error);
  assert_int_equal(native->tuning.tried, tried + 1);
  expect_shape(&native->shape, &record.shape);
  if (!isfinite(seconds[1])) expect_shape(&record.shape, usual);
  return isfinite(seconds[1]);
}

/* A tile of classes that work-items of 8 do not share out computes some of them; outer tiles of 0 classes do not build. */
static void a_wrong_shape_is_passed_over(void **state) {
  (void)state;
  Dataset *dataset = NULL;
  Native *native =
      open_native("synthetic:rows=600,features=40,classes=60,seed=6", &dataset, (BackendSettings){.family = SETOSA_FAMILY_GPU});
  NativeShape usual = native->shape, wrong = usual;
  wrong.item_classes = 8;
  wrong.tile_classes = 20;
  assert_false(is_accepted(native, dataset, &usual, &wrong));
  wrong.tile_classes = 16;
  assert_true(is_accepted(native, dataset, &usual, &wrong));
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);

  dataset = NULL;
  native = open_native("synthetic:rows=600,features=40,classes=5,seed=6", &dataset, (BackendSettings){.family = SETOSA_FAMILY_CPU});
  usual = wrong = native->shape;
  wrong.outer_classes = 0;
  assert_false(is_accepted(native, dataset, &usual, &wrong));
  backend_close(&native->head);
  setosa_dataset_destroy(dataset);
}

static void every_candidate_is_right(void **state) {
  (void)state;
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  static const char *const sources[] = {"synthetic:rows=500,features=37,classes=7,seed=8",
                                        "synthetic:rows=500,features=37,classes=50,seed=8"};
  for (size_t i = 0; i < 4; i++) {
    Dataset *dataset = NULL;
    NativeShape shapes[TUNE_CANDIDATES];
    Native *native = open_native(sources[i / 2], &dataset, (BackendSettings){.family = families[i % 2]});
    TuneClass class = class_of(native);
    size_t count = tune_candidates(shapes, &class, context_traits(support_device()));
    for (size_t k = 1; k < count; k++)
      if (!is_accepted(native, dataset, &shapes[0], &shapes[k]))
        fail_msg("shape %zu of %s in family %zu is wrong or does not build", k, sources[i / 2], i % 2);
    backend_close(&native->head);
    setosa_dataset_destroy(dataset);
  }
}

/* ---- set-up ----------------------------------------------------------------------------------------------------- */

static int begin_cache(void **state) {
  (void)state;
  const char *before = getenv("XDG_CACHE_HOME");
  cache_before = before != NULL ? strdup(before) : NULL;
  support_folder_create(cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  return 0;
}

static int end_cache(void **state) {
  (void)state;
  support_folder_remove(cache);
  if (cache_before != NULL)
    setenv("XDG_CACHE_HOME", cache_before, 1);
  else
    unsetenv("XDG_CACHE_HOME");
  free(cache_before);
  return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin_cache, end_cache)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_search_is_kept_and_read),    TEST(made_rows_are_tuned),
      TEST(small_work_is_not_tuned),      TEST(a_planted_shape_is_used_but_not_when_reproducible),
      TEST(a_damaged_verdict_is_none),    TEST(classes_are_apart),
      TEST(a_wrong_shape_is_passed_over), TEST(every_candidate_is_right),
  };
  return support_run("tuning", tests, support_device_open, support_device_close);
}
