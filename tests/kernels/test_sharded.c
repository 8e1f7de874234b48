/* Rows over several devices give the bits of one device, however they are dealt: sub-devices of one CPU stand for the devices. */
#include <stdio.h>

#include "compute/sharded/sharded.h"
#include "data/storage.h"
#include "kernels/answers.h"
#include "support/device.h"

enum { PARTS = 2 };

static Context *parts[PARTS];

static int open_devices(void **state) {
  Error error = {0};
  if (support_device_open(state) != 0) return -1;
  DeviceList *devices = support_device_list();
  for (size_t i = 0; i < PARTS && support_device_found(); i++) {
    Error refused = {0}; /* a device of one compute unit has no parts: then it stands for several itself */
    if (context_open_part(&parts[i], devices, support_device_index(), i, PARTS, &refused) != SETOSA_OK)
      support_ok(context_open(&parts[i], devices, support_device_index(), &error), &error);
  }
  return 0;
}

static int close_devices(void **state) {
  for (size_t i = 0; i < PARTS; i++) context_close(parts[i]);
  return support_device_close(state);
}

/* How the rows are dealt: to so many devices, in these proportions. */
typedef struct Dealing {
  size_t devices;
  double rates[4];
  size_t chunk_rows; /* above 0: streamed */
} Dealing;

static Answers ask_sharded(const Dataset *dataset, BackendSettings settings, const Dealing *dealing) {
  settings.context_count = dealing->devices;
  for (size_t i = 0; i < dealing->devices; i++) settings.contexts[i] = parts[i % PARTS];
  settings.context = settings.contexts[0];
  settings.rates = dealing->rates;
  settings.streamed = dealing->chunk_rows > 0;
  settings.chunk_rows = dealing->chunk_rows;
  Backend *backend = open_native(dataset, settings);
  const Sharded *sharded = (const Sharded *)backend;
  size_t rows = 0;
  BackendFacts facts;
  backend_facts(backend, &facts);
  assert_int_equal(sharded->member_count, dealing->devices);
  assert_int_equal(facts.devices, dealing->devices);
  for (size_t i = 0; i < dealing->devices; i++) {
    if (facts.device_rows[i].count > 0) assert_int_equal(facts.device_rows[i].begin, rows);
    rows += facts.device_rows[i].count;
  }
  assert_int_equal(rows, setosa_dataset_rows(dataset));
  assert_int_equal(facts.local.count, setosa_dataset_rows(dataset));
  Answers answers = ask_backend(backend);
  backend_close(backend);
  return answers;
}

static void compare(const char *spec, bool generated, SetosaFamily family, SetosaStorage storage) {
  static const Dealing dealings[] = {
      {2, {1, 1}, 0},
      {3, {1, 5, 2}, 0},
      {4, {0.001, 1, 0.001, 1}, 0},
      {2, {3, 1}, 300},
  };
  char how[200];
  Dataset *dataset = load(spec, generated);
  BackendSettings settings = {.family = family, .storage = storage, .context = support_device()};
  if (storage == SETOSA_STORAGE_U8) { /* these with weights, too: made rows have none */
    support_ok(storage_make_bytes(dataset, 8, 20, 1.0f / 32, NULL), NULL);
    weigh_rows(dataset);
  }
  Backend *alone = open_native(dataset, settings);
  Answers expected = ask_backend(alone);
  backend_close(alone);
  for (size_t i = 0; i < sizeof dealings / sizeof *dealings; i++) {
    Answers found = ask_sharded(dataset, settings, &dealings[i]);
    snprintf(how, sizeof how, "%s, family %d, storage %d, dealing %zu", spec, (int)family, (int)storage, i);
    expect_same(&expected, &found, how);
    answers_free(&found);
  }
  answers_free(&expected);
  setosa_dataset_destroy(dataset);
}

static void deal_all(SetosaFamily family) {
  static const char *const specs[] = {
      "synthetic:rows=3001,features=20,classes=3",  "synthetic:rows=2500,features=7,classes=10",
      "synthetic:rows=9000,features=33,classes=40", "synthetic:rows=1500,features=16,classes=300",
      "synthetic:rows=150,features=4,classes=3",    "synthetic:rows=20,features=4,classes=50",
  };
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    compare(specs[i], false, family, SETOSA_STORAGE_F32);
    compare(specs[i], false, family, SETOSA_STORAGE_U8);
    compare(specs[i], true, family, SETOSA_STORAGE_F32);
  }
}

static void devices_give_the_bits_of_one_cpu(void **state) { (void)state, deal_all(SETOSA_FAMILY_CPU); }
static void devices_give_the_bits_of_one_gpu(void **state) { (void)state, deal_all(SETOSA_FAMILY_GPU); }

/* Shares of shards: so many rows that partial gradients are folded, by the fused and by the blocked pass. */
static void many_rows_give_the_bits_of_one(void **state) {
  (void)state;
  compare("synthetic:rows=500000,features=3,classes=3", false, SETOSA_FAMILY_CPU, SETOSA_STORAGE_F32);
  compare("synthetic:rows=1200000,features=2,classes=33", true, SETOSA_FAMILY_CPU, SETOSA_STORAGE_F32);
}

/* Nobody says how fast the devices are, so that they are timed. */
static void devices_are_timed(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=140000,features=32,classes=4", false);
  BackendSettings settings = {.context = parts[0], .contexts = {parts[0], parts[1]}, .context_count = 2};
  Backend *backend = open_native(dataset, settings);
  const Sharded *sharded = (const Sharded *)backend;
  assert_true(sharded->windows[0].count > setosa_dataset_rows(dataset) / 20); /* devices of one kind; noise may deal unevenly */
  assert_true(sharded->windows[1].count > setosa_dataset_rows(dataset) / 20);
  assert_int_equal(sharded->windows[0].count + sharded->windows[1].count, setosa_dataset_rows(dataset));
  backend_close(backend);
  setosa_dataset_destroy(dataset);
}

static void others_do_not_share(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=100,features=3,classes=3", false);
  Backend *backend = NULL;
  Error error = {0};
  BackendSettings settings = {
      .kind = SETOSA_BACKEND_CLBLAST, .context = parts[0], .contexts = {parts[0], parts[1]}, .context_count = 2, .intercept = true};
  Status status = backend_open(&backend, dataset, &settings, &error);
  support_fails(status, &error, SETOSA_ERROR_USAGE, "only the native backend shares rows");
  assert_null(backend);
  setosa_dataset_destroy(dataset);
}

/* ---- metrics, Gram matrices, and rows of others ----------------------------------------------------------------- */

static Backend *open_dealt(const Dataset *dataset, BackendSettings settings, size_t devices) {
  static const double rates[] = {1, 5, 2};
  settings.context_count = devices > 1 ? devices : 0;
  for (size_t i = 0; i < devices; i++) settings.contexts[i] = parts[i % PARTS];
  settings.context = parts[0];
  settings.rates = rates;
  return open_native(dataset, settings);
}

/* Of every array, some numbers. */
static double *numbers_of(size_t count, double step) {
  double *values = malloc(count * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < count; i++) values[i] = 1.5 + sin(step * (double)i);
  return values;
}

/* gradient (P) at the metric's product with a vector: of this every device has its own. */
static void ask_metric(Backend *backend, const MetricForm *form, double *gradient) {
  Error error = {0};
  Metric *metric = NULL;
  Vector *from = NULL, *to = NULL, *out = NULL;
  DataTerm at = {.pair_count = 0};
  double *values = numbers_of(backend->parameters, 0.7);
  for (size_t i = 0; i < backend->parameters; i++) values[i] *= 1e-3;
  support_ok(vector_create(backend, &from, &error), &error);
  support_ok(vector_create(backend, &to, &error), &error);
  support_ok(vector_create(backend, &out, &error), &error);
  support_ok(vector_write(backend, from, values, &error), &error);
  support_ok(metric_create(backend, &metric, form, &error), &error);
  support_ok(metric_apply(backend, metric, to, from, &error), &error);
  support_ok(backend_evaluate(backend, to, backend_all_rows(backend), NULL, out, &at, &error), &error);
  support_poison_double(gradient, backend->parameters);
  support_ok(vector_read(backend, out, gradient, &error), &error);
  assert_true(isfinite(at.loss));
  metric_destroy(backend, metric);
  vector_destroy(backend, from);
  vector_destroy(backend, to);
  vector_destroy(backend, out);
  free(values);
}

static void ask_gram(Backend *backend, double *gram) {
  enum { COUNT = 700 };
  Error error = {0};
  uint64_t rows[COUNT];
  size_t width = backend->features + 1;
  double *weights = numbers_of(COUNT, 0.3), *mean = numbers_of(backend->features, 0.9);
  for (size_t i = 0; i < COUNT; i++) rows[i] = 3 * i + i % 2; /* of all devices */
  GramRequest request = {.count = COUNT, .rows = rows, .mean = mean, .matrices = 1, .weights = weights, .on_device = true};
  support_poison_double(gram, width * width);
  support_ok(backend_gram(backend, &request, gram, &error), &error);
  free(weights);
  free(mean);
}

static void metrics_give_the_bits_of_one(void **state) {
  (void)state;
  enum { FEATURES = 20, CLASSES = 4, WIDTH = FEATURES + 1, PARAMETERS = CLASSES * WIDTH, FORMS = 3 };
  support_device();
  Dataset *dataset = load("synthetic:rows=3001,features=20,classes=4", false);
  double *turns = numbers_of(CLASSES * CLASSES, 0.4), *features = numbers_of(CLASSES * WIDTH * WIDTH, 1.1),
         *scale = numbers_of(PARAMETERS, 0.8);
  const MetricForm forms[FORMS] = {{.scale = scale, .center = features},
                                   {.classes = turns, .features = features, .feature_count = 1, .scale = scale},
                                   {.features = features, .feature_count = CLASSES}};
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  for (size_t f = 0; f < 2; f++) {
    double expected[FORMS][PARAMETERS], gradient[PARAMETERS], gram[WIDTH * WIDTH], found[WIDTH * WIDTH];
    for (size_t devices = 1; devices <= 3; devices++) {
      Backend *backend = open_dealt(dataset, (BackendSettings){.family = families[f]}, devices);
      for (size_t i = 0; i < FORMS; i++) {
        ask_metric(backend, &forms[i], devices == 1 ? expected[i] : gradient);
        if (devices > 1) assert_memory_equal(gradient, expected[i], sizeof gradient);
      }
      ask_gram(backend, devices == 1 ? gram : found);
      if (devices > 1) assert_memory_equal(found, gram, sizeof gram);
      backend_close(backend);
    }
  }
  free(turns);
  free(features);
  free(scale);
  setosa_dataset_destroy(dataset);
}

/* A process makes the scores of any rows, as a sample asks for them, and they are those of the process that works on these rows. */
static void rows_of_others_have_the_same_scores(SetosaFamily family, const char *spec, bool generated, SetosaStorage storage) {
  static const RowScores kinds[] = {ROW_LOGITS, ROW_PROBABILITIES, ROW_ESTIMATES};
  Error error = {0};
  Dataset *dataset = load(spec, generated);
  if (storage == SETOSA_STORAGE_U8) support_ok(storage_make_bytes(dataset, 8, 20, 1.0f / 32, NULL), NULL);
  BackendSettings settings = {.family = family, .storage = storage, .context = support_device()};
  Backend *whole = open_native(dataset, settings);
  Native *part = NULL;
  RowRange window = {whole->rows / 3 / 48 * 48, whole->rows / 4};
  settings.intercept = true;
  support_ok(native_open_window(&part, dataset, &settings, window, &((Native *)whole)->shape, &error), &error);
  Backend *backends[2] = {whole, &part->head};
  size_t count = whole->rows * whole->classes;
  float *scores[2] = {malloc(count * sizeof(float)), malloc(count * sizeof(float))};
  double *values = numbers_of(whole->parameters, 0.7);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (size_t b = 0; b < 2; b++) {
      Vector *w = NULL;
      support_poison(scores[b], count);
      support_ok(vector_create(backends[b], &w, &error), &error);
      support_ok(vector_write(backends[b], w, values, &error), &error);
      support_ok(backend_predict(backends[b], w, backend_all_rows(whole), kinds[k], scores[b], &error), &error);
      vector_destroy(backends[b], w);
    }
    for (size_t i = 0; i < count; i++)
      if (!(scores[0][i] == scores[1][i])) fail_msg("%s, family %d, kind %zu: score %zu differs", spec, (int)family, k, i);
  }
  free(values);
  free(scores[0]);
  free(scores[1]);
  backend_close(&part->head);
  backend_close(whole);
  setosa_dataset_destroy(dataset);
}

static void any_process_scores_any_rows(void **state) {
  (void)state;
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  for (size_t f = 0; f < 2; f++) {
    rows_of_others_have_the_same_scores(families[f], "synthetic:rows=1201,features=20,classes=3", false, SETOSA_STORAGE_F32);
    rows_of_others_have_the_same_scores(families[f], "synthetic:rows=1201,features=20,classes=3", true, SETOSA_STORAGE_F32);
    rows_of_others_have_the_same_scores(families[f], "synthetic:rows=701,features=33,classes=40", false, SETOSA_STORAGE_U8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(devices_give_the_bits_of_one_cpu),
      cmocka_unit_test(devices_give_the_bits_of_one_gpu),
      cmocka_unit_test(many_rows_give_the_bits_of_one),
      cmocka_unit_test(devices_are_timed),
      cmocka_unit_test(others_do_not_share),
      cmocka_unit_test(metrics_give_the_bits_of_one),
      cmocka_unit_test(any_process_scores_any_rows),
  };
  return support_run("kernels_sharded", tests, open_devices, close_devices);
}
