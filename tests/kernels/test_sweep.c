/* Backends of random shape, family, storage and memory against the double reference: what no table of shapes thought of.
 *   SETOSA_SWEEP_SEED    the first seed (default 1); a failure names the one to begin with
 *   SETOSA_SWEEP_ROUNDS  how many (default 60; nightly 2000, or as many as 600 seconds are enough for) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "compute/objective.h"
#include "compute/open.h"
#include "compute/tolerance.h"
#include "data/storage.h"
#include "kernels/answers.h"
#include "support/device.h"

enum { ROUNDS = 60, NIGHTLY_ROUNDS = 2000, NIGHTLY_SECONDS = 600, LOGIT_SIZE = 3, MOST_VALUES = 200000, MOST_SCORES = 100000 };
#define L2 0.01

/* How X lies on the device. */
typedef enum Memory { WHOLE, SMALL_PARTS, SMALL_WORKSPACE, STREAMED, BUDGET, MEMORY_COUNT } Memory;

typedef struct Round {
  uint64_t seed;
  size_t rows, features, classes;
  SetosaFamily family;
  SetosaStorage storage;
  Memory memory;
  size_t amount; /* bytes of a part, a workspace or a budget, or rows of a chunk */
  bool intercept, weighted;
  RowRange some; /* not empty */
  double step;
} Round;

static const char *describe(const Round *r) {
  static const char *const memories[] = {"whole", "parts of", "workspace of", "chunks of", "budget of"};
  static char text[300];
  snprintf(text, sizeof text,
           "SETOSA_SWEEP_SEED=%llu: %zu x %zu, %zu classes, family %s, %s, %s %zu, rows from %zu, %zu of them, step %g, %s intercept, %s "
           "weights",
           (unsigned long long)r->seed, r->rows, r->features, r->classes, r->family == SETOSA_FAMILY_CPU ? "cpu" : "gpu",
           setosa_storage_name(r->storage), memories[r->memory], r->amount, r->some.begin, r->some.count, r->step,
           r->intercept ? "with" : "no", r->weighted ? "with" : "no");
  return text;
}

/* The dice of a round: each `which` is thrown once. */
enum { ROWS, FEATURES, CLASSES, FAMILY, STORAGE, MEMORY, AMOUNT, INTERCEPT, BEGIN, COUNT, STEP, WEIGHTED };
static uint64_t below(uint64_t seed, uint64_t which, uint64_t bound) { return random_below(seed, RANDOM_STREAM_CHECK, 2, which, bound); }

/* From 1 to most, each power of two as likely as another, and every third time beside a power of two, where tiles end. */
static size_t spread(uint64_t seed, uint64_t which, size_t most) {
  size_t power = (size_t)1 << below(seed, 100 + which, (uint64_t)log2((double)most) + 1);
  size_t size = below(seed, 200 + which, 3) == 0 ? power + below(seed, which, 3) - 1 : power + below(seed, which, power);
  return size < 1 ? 1 : size > most ? most : size;
}

/* Few values of K: each is a program. Values so many that a round takes a fraction of a second. */
static Round throw_round(uint64_t seed) {
  static const size_t classes[] = {2, 3, 10, 32, 33, 100, 130};
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_F16, SETOSA_STORAGE_U8};
  Round r = {.seed = seed, .classes = classes[below(seed, CLASSES, sizeof classes / sizeof *classes)]};
  r.features = spread(seed, FEATURES, 1000);
  size_t most = MOST_VALUES / r.features;
  if (most > MOST_SCORES / r.classes) most = MOST_SCORES / r.classes;
  r.rows = spread(seed, ROWS, most);
  r.family = below(seed, FAMILY, 3) < 2 ? SETOSA_FAMILY_CPU : SETOSA_FAMILY_GPU;
  r.storage = storages[below(seed, STORAGE, 3)];
  r.memory = (Memory)below(seed, MEMORY, MEMORY_COUNT);
  size_t bytes = r.rows * r.features;
  if (r.memory == SMALL_PARTS) r.amount = 4 * r.features + below(seed, AMOUNT, 4 * bytes);
  if (r.memory == SMALL_WORKSPACE) r.amount = 1000 + below(seed, AMOUNT, 100000);
  if (r.memory == STREAMED) r.amount = 1 + below(seed, AMOUNT, r.rows);
  if (r.memory == BUDGET) r.amount = 100000 + below(seed, AMOUNT, 4 * bytes);
  r.intercept = below(seed, INTERCEPT, 4) > 0;
  r.weighted = below(seed, WEIGHTED, 2) > 0;
  r.some.begin = below(seed, BEGIN, r.rows);
  r.some.count = 1 + below(seed, COUNT, r.rows - r.some.begin);
  r.step = (double)below(seed, STEP, 1000) / 500;
  return r;
}

/* A quarter of 0, the first not: some row must count. */
static float row_weight(const Round *r, size_t i) {
  if (!r->weighted) return 1;
  float weight =
      (float)random_below(r->seed, RANDOM_STREAM_CHECK, 5, i, 4) * (1 + (float)random_symmetric(r->seed, RANDOM_STREAM_CHECK, 6, i));
  return i == r->some.begin && weight == 0 ? 1 : weight;
}

/* Values that the storage holds exactly, so that the reference sees the same: whole multiples of 1/256 up to 4, or bytes. */
static SetosaDataset *make_rows(const Round *r, float **values, int32_t **labels) {
  Error error = {0};
  SetosaDataset *dataset = NULL;
  size_t count = r->rows * r->features;
  *values = malloc(count * sizeof **values);
  *labels = malloc(r->rows * sizeof **labels);
  assert_true(*values != NULL && *labels != NULL);
  for (size_t i = 0; i < count; i++) {
    float plain = (float)random_symmetric(r->seed, RANDOM_STREAM_CHECK, 3, i);
    float half = (float)((int)random_below(r->seed, RANDOM_STREAM_CHECK, 3, i, 2047) - 1023) / 256;
    float byte = (float)random_below(r->seed, RANDOM_STREAM_CHECK, 3, i, 256) * (1.0f / 255);
    if (i == 0) byte = 255 * (1.0f / 255); /* the largest byte tells the factor */
    (*values)[i] = r->storage == SETOSA_STORAGE_F32 ? plain : r->storage == SETOSA_STORAGE_F16 ? half : byte;
  }
  for (size_t i = 0; i < r->rows; i++) (*labels)[i] = (int32_t)random_below(r->seed, RANDOM_STREAM_LABELS, 0, i, r->classes);
  support_ok(setosa_dataset_wrap(&dataset, r->rows, r->features, r->classes, *values, *labels, &error), &error);
  if (!r->weighted) return dataset;
  float *weights = malloc(r->rows * sizeof *weights);
  assert_non_null(weights);
  for (size_t i = 0; i < r->rows; i++) weights[i] = row_weight(r, i);
  support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
  free(weights);
  return dataset;
}

/* A budget that is too small is refused with a line that says what to raise; then it is doubled. */
static Backend *open_device(const Round *r, const Dataset *dataset) {
  Error error = {0};
  Backend *backend = NULL;
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE,
                              .family = r->family,
                              .context = support_device(),
                              .storage = r->storage,
                              .intercept = r->intercept,
                              .vectors = 6,
                              .tuning = SETOSA_TUNING_OFF};
  if (r->memory == SMALL_PARTS) settings.x_buffer_bytes = r->amount;
  if (r->memory == SMALL_WORKSPACE) settings.workspace_bytes = r->amount;
  if (r->memory == STREAMED) settings.streamed = true, settings.chunk_rows = r->amount;
  if (r->memory == BUDGET) settings.device_memory_bytes = r->amount;
  Status status = backend_open(&backend, dataset, &settings, &error);
  for (int doubled = 0; r->memory == BUDGET && status == SETOSA_ERROR_DEVICE && doubled < 20; doubled++) {
    if (strstr(error.message, "raise --device-memory to") == NULL) fail_msg("%s: %s", describe(r), error.message);
    settings.device_memory_bytes *= 2;
    error = (Error){0};
    status = backend_open(&backend, dataset, &settings, &error);
  }
  if (status != SETOSA_OK) fail_msg("%s: %s", describe(r), error.message);
  return backend;
}

/* A failure does not end the sweep: the pattern of those that fail says more than the first. */
static size_t failures;
static void expect(const Round *r, const char *what, double error, double tolerance) {
  if (error <= tolerance) return;
  print_error("%s: the %s is off by %.3g, %.3g allowed\n", describe(r), what, error, tolerance);
  failures++;
}

static double worst_difference(const float *a, const float *b, size_t count) {
  double worst = 0;
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)a[i] - b[i]);
    worst = isfinite(difference) ? fmax(worst, difference) : INFINITY;
  }
  return worst;
}

/* ||a - b|| beside ||b||, but beside `least` when that is more. */
static double far_apart(const double *a, const double *b, size_t count, double least) {
  double size = 0;
  for (size_t i = 0; i < count; i++) size += b[i] * b[i];
  return compare_relative_norm(a, b, count) * sqrt(size) / fmax(sqrt(size), least);
}

/* A tenth of a Hessian product of rows with logits that move by 1 and no class preferred: sums of s_i ||x_i|| that add up as a random walk.
 * Few rows of which the model is sure, or of which a few have most of the weight, have a smaller one, which is a difference of nearly equal
 * numbers: p (z - mean) with p near 1. */
static double least_product(const Round *r, RowRange rows, const float *values) {
  double square = 0, all = 0;
  for (size_t i = 0; i < r->rows; i++) {
    double weight = row_weight(r, i), norm = 1;
    all += weight;
    if (i < rows.begin || i >= rows.begin + rows.count) continue;
    for (size_t d = 0; d < r->features; d++) norm += (double)values[i * r->features + d] * values[i * r->features + d];
    square += weight * weight * norm;
  }
  return 0.1 * sqrt(square / (double)r->classes) / ((double)rows.count * all / (double)r->rows);
}

/* The tolerances of tolerance.h: those of judge_compare. */
static void compare_answers(const Round *r, const Answers *actual, const Answers *expected, const float *values) {
  double rounding = compare_logit_rounding(r->features, LOGIT_SIZE), averaging = sqrt(r->rows < 64 ? (double)r->rows : 64.0);
  size_t parameters = expected->parameters, scores = expected->scores;
  expect(r, "objective", compare_relative(actual->all.objective, expected->all.objective),
         compare_loss_tolerance(rounding, r->rows, expected->all.loss));
  expect(r, "objective of some rows", compare_relative(actual->some.objective, expected->some.objective),
         compare_loss_tolerance(rounding, r->some.count, expected->some.loss));
  expect(r, "gradient", compare_relative_norm(actual->gradient, expected->gradient, parameters), compare_gradient_tolerance(rounding));
  expect(r, "gradient of some rows", compare_relative_norm(actual->some_gradient, expected->some_gradient, parameters),
         compare_gradient_tolerance(rounding));
  expect(r, "gradient norm", compare_relative(actual->all.gradient_norm, expected->all.gradient_norm), 8 * rounding);
  expect(r, "Hessian product", far_apart(actual->product, expected->product, parameters, least_product(r, (RowRange){0, r->rows}, values)),
         compare_hessian_tolerance(rounding));
  expect(r, "Hessian product of some rows",
         far_apart(actual->some_product, expected->some_product, parameters, least_product(r, r->some, values)),
         compare_hessian_tolerance(rounding));
  for (int i = 0; i < 2; i++) { /* logits grow along the line */
    double line = compare_logit_rounding(r->features, LOGIT_SIZE + r->step + i), value = expected->value[i], slope = expected->slope[i];
    expect(r, "line value", compare_relative(actual->value[i], value), (FLT_EPSILON + 4 * line / averaging) / fmin(1, value));
    expect(r, "line slope", fabs(actual->slope[i] - slope) / fmax(fabs(slope), 0.1), 8 * line);
  }
  expect(r, "logits", worst_difference(actual->logits, expected->logits, scores) / (1 + LOGIT_SIZE), compare_scores_tolerance(rounding));
  expect(r, "probabilities", worst_difference(actual->probabilities, expected->probabilities, scores), compare_scores_tolerance(rounding));
}

static void run_round(uint64_t seed) {
  Error error = {0};
  Round r = throw_round(seed);
  float *values = NULL;
  int32_t *labels = NULL;
  SetosaDataset *dataset = make_rows(&r, &values, &labels);
  Backend *truth = NULL, *device = open_device(&r, dataset);
  if (getenv("SETOSA_TEST_VERBOSE") != NULL) printf("%s\n", describe(&r));
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = r.intercept};
  support_ok(backend_open(&truth, dataset, &settings, &error), &error);
  assert_int_equal(device->parameters, truth->parameters);
  double *w = malloc(2 * truth->parameters * sizeof *w), *v = w + truth->parameters;
  assert_non_null(w);
  compare_fill_vectors(dataset, LOGIT_SIZE, w, v);
  for (size_t p = r.classes * r.features; p < truth->parameters && !r.intercept; p++)
    w[p] = v[p] = 0; /* a bias that is fixed has no direction */
  Answers expected = ask_at(truth, w, v, r.some, r.step), actual = ask_at(device, w, v, r.some, r.step);
  compare_answers(&r, &actual, &expected, values);
  answers_free(&expected);
  answers_free(&actual);
  free(w);
  backend_close(device);
  backend_close(truth);
  setosa_dataset_destroy(dataset);
  free(values);
  free(labels);
}

/* Rounds until there were enough, or until so many seconds have passed; 0: however long it takes. */
static void sweep(uint64_t rounds, double seconds) {
  const char *seed = getenv("SETOSA_SWEEP_SEED"), *wanted = getenv("SETOSA_SWEEP_ROUNDS");
  uint64_t first = seed != NULL ? strtoull(seed, NULL, 10) : 1, done = 0;
  struct timespec begin, now;
  if (wanted != NULL) rounds = strtoull(wanted, NULL, 10);
  assert_true(rounds > 0);
  assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begin), 0);
  failures = 0;
  do {
    run_round(first + done);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
  } while (++done < rounds && (seconds == 0 || (double)(now.tv_sec - begin.tv_sec) < seconds));
  if (done < rounds) print_message("%llu of %llu rounds in %g s\n", (unsigned long long)done, (unsigned long long)rounds, seconds);
  if (failures > 0) fail_msg("%zu answers of %llu rounds are out of tolerance", failures, (unsigned long long)done);
}

static void random_shapes_agree_with_the_reference(void **state) { (void)state, sweep(ROUNDS, 0); }
static void nightly_many_random_shapes_agree_with_the_reference(void **state) { (void)state, sweep(NIGHTLY_ROUNDS, NIGHTLY_SECONDS); }

/* What the night has found: directions that moved a fixed bias; few heavy rows. */
static void rounds_that_once_failed(void **state) {
  (void)state;
  static const uint64_t seeds[] = {74, 512, 706, 851, 934};
  failures = 0;
  for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) run_round(seeds[i]);
  if (failures > 0) fail_msg("%zu answers are out of tolerance", failures);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_shapes_agree_with_the_reference),
      cmocka_unit_test(rounds_that_once_failed),
      cmocka_unit_test(nightly_many_random_shapes_agree_with_the_reference),
  };
  return support_run("random shapes", tests, support_device_open, support_device_close);
}
