/* Rows that stream through the device in chunks, that lie in several allocations, or that are made as they are needed give the bits of rows
 * that lie there whole; and a budget that holds nothing is refused. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
/* after support.h, which has cmocka.h and what that needs */
#include "compute/native.h"

typedef struct Answers {
  Evaluation at, batch;
  double line[4]; /* value and slope at two steps */
  double *gradient, *product, *batch_gradient;
  float *probabilities;
  size_t parameters, scores;
} Answers;

static Context *context;

static size_t most_bytes = SIZE_MAX; /* of a buffer that the device still gives */

typedef cl_mem (*Create)(cl_context, cl_mem_flags, size_t, void *, cl_int *);

/* Stands before that of the OpenCL loader. */
cl_mem clCreateBuffer(cl_context handle, cl_mem_flags flags, size_t bytes, void *host, cl_int *code) {
  static Create real = NULL;
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "clCreateBuffer");
  if (bytes > most_bytes) {
    *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    return NULL;
  }
  return real(handle, flags, bytes, host, code);
}

static int open_device(void **state) {
  (void)state;
  DeviceList *devices = NULL;
  size_t index = 0;
  Error error = {0};
  if (device_list_open(&devices, &error) != SETOSA_OK || device_list_select(devices, NULL, false, &index, &error) != SETOSA_OK) {
    device_list_close(devices);
    return 0;
  }
  support_ok(context_open(&context, devices, index, &error), &error);
  device_list_close(devices);
  return 0;
}

static int close_device(void **state) {
  (void)state;
  context_close(context);
  return 0;
}

static double *numbers(size_t count) {
  double *made = malloc(count * sizeof *made);
  assert_non_null(made);
  support_poison_double(made, count);
  return made;
}

static void answers_free(Answers *a) {
  free(a->gradient);
  free(a->product);
  free(a->batch_gradient);
  free(a->probabilities);
}

/* Everything that reads X: all rows, and a batch that begins and ends inside of chunks. */
static Answers ask(const Dataset *dataset, BackendSettings settings, bool resident) {
  Error error = {0};
  Backend *backend = NULL;
  Vector *w = NULL, *v = NULL, *out = NULL;
  settings.context = context;
  settings.kind = SETOSA_BACKEND_NATIVE;
  settings.l2 = 0.01;
  settings.intercept = true;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  assert_int_equal(((Native *)backend)->residence.resident, resident);
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_create(backend, &v, &error), &error);
  support_ok(vector_create(backend, &out, &error), &error);
  size_t count = backend->parameters;
  Answers a = {.gradient = numbers(count), .product = numbers(count), .batch_gradient = numbers(count), .parameters = count};
  for (size_t i = 0; i < count; i++) a.gradient[i] = 0.3 * sin(1.7 * (double)i);
  support_ok(vector_write(backend, w, a.gradient, &error), &error);
  for (size_t i = 0; i < count; i++) a.gradient[i] = cos(1.3 * (double)i);
  support_ok(vector_write(backend, v, a.gradient, &error), &error);
  support_poison_double(a.gradient, count);
  for (int pass = 0; pass < 2; pass++) /* the second finds other chunks on the device than the first */
    support_ok(backend_evaluate(backend, w, backend_all_rows(backend), out, &a.at, &error), &error);
  support_ok(vector_read(backend, out, a.gradient, &error), &error);
  support_ok(backend_hessian_product(backend, w, v, backend_all_rows(backend), out, &error), &error);
  support_ok(vector_read(backend, out, a.product, &error), &error);
  support_ok(backend_line_open(backend, w, v, &error), &error);
  for (int step = 0; step < 2; step++)
    support_ok(backend_line_evaluate(backend, 0.1 + step, &a.line[2 * step], &a.line[2 * step + 1], &error), &error);
  backend_line_close(backend);
  RowRange batch = {backend->rows / 3 + 1, backend->rows / 2};
  support_ok(backend_evaluate(backend, w, batch, out, &a.batch, &error), &error);
  support_ok(vector_read(backend, out, a.batch_gradient, &error), &error);
  a.scores = backend->rows * backend->classes;
  a.probabilities = malloc(a.scores * sizeof *a.probabilities);
  assert_non_null(a.probabilities);
  memset(a.probabilities, 0xff, a.scores * sizeof *a.probabilities);
  support_ok(backend_predict(backend, w, backend_all_rows(backend), ROW_PROBABILITIES, a.probabilities, &error), &error);
  vector_destroy(backend, w);
  vector_destroy(backend, v);
  vector_destroy(backend, out);
  backend_close(backend);
  return a;
}

static void expect_same(const Answers *a, const Answers *b, const char *how) {
  bool same = memcmp(a->gradient, b->gradient, a->parameters * sizeof(double)) == 0;
  if (!same) fail_msg("%s: the gradient differs", how);
  if (memcmp(a->product, b->product, a->parameters * sizeof(double)) != 0) fail_msg("%s: the Hessian product differs", how);
  if (memcmp(a->batch_gradient, b->batch_gradient, a->parameters * sizeof(double)) != 0) fail_msg("%s: a batch's gradient differs", how);
  if (memcmp(a->probabilities, b->probabilities, a->scores * sizeof(float)) != 0) fail_msg("%s: the probabilities differ", how);
  if (memcmp(a->line, b->line, sizeof a->line) != 0) fail_msg("%s: the line differs", how);
  if (a->at.objective != b->at.objective || a->batch.objective != b->batch.objective) fail_msg("%s: the objective differs", how);
  assert_true(isfinite(a->at.objective));
}

/* data.h's generator behind the same spec: rows are never held. */
static Dataset *load(const char *spec, bool generated) {
  Dataset *dataset = NULL;
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = generated ? 1 : 0;
  support_ok(setosa_dataset_load(&dataset, spec, &options, &error), &error);
  assert_int_equal(dataset->generator != NULL, generated);
  return dataset;
}

static void compare(const char *spec, SetosaFamily family, SetosaStorage storage) {
  char how[200];
  Dataset *dataset = load(spec, false);
  if (storage == SETOSA_STORAGE_U8) {
    for (size_t i = 0; i < dataset->rows * dataset->features; i++)
      dataset->values[i] = roundf(fminf(fmaxf(20 + 8 * dataset->values[i], 0), 255)) / 32;
    dataset->byte_scale = 1.0f / 32;
  }
  BackendSettings settings = {.family = family, .storage = storage};
  Answers whole = ask(dataset, settings, true);
  static const size_t chunks[] = {1, 300, 1000};
  for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
    BackendSettings streamed = settings;
    streamed.streamed = true;
    streamed.chunk_rows = chunks[i];
    Answers found = ask(dataset, streamed, false);
    snprintf(how, sizeof how, "%s, family %d, storage %d, chunks of %zu rows", spec, (int)family, (int)storage, chunks[i]);
    expect_same(&whole, &found, how);
    answers_free(&found);
  }
  if (storage == SETOSA_STORAGE_F32) {
    Dataset *made = load(spec, true);
    BackendSettings streamed = settings;
    Answers found = ask(made, streamed, true);
    expect_same(&whole, &found, "made on the way");
    answers_free(&found);
    streamed.streamed = true;
    streamed.chunk_rows = 300;
    found = ask(made, streamed, false);
    expect_same(&whole, &found, "made for every pass");
    answers_free(&found);
    setosa_dataset_destroy(made);
  } else { /* copied data may lie in several allocations */
    BackendSettings parts = settings;
    parts.part_bytes = dataset->rows * dataset->features / 3;
    Answers found = ask(dataset, parts, true);
    expect_same(&whole, &found, "in parts");
    answers_free(&found);
  }
  answers_free(&whole);
  setosa_dataset_destroy(dataset);
}

static void streamed_rows_give_the_same_bits(void **state) {
  (void)state;
  static const char *const specs[] = {
      "synthetic:rows=3001,features=20,classes=3",
      "synthetic:rows=2500,features=7,classes=10",
      "synthetic:rows=3300,features=33,classes=40",
      "synthetic:rows=1500,features=16,classes=300",
  };
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_U8};
  if (context == NULL) skip();
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
    for (size_t f = 0; f < 2; f++)
      for (size_t s = 0; s < 2; s++) compare(specs[i], families[f], storages[s]);
}

/* Shares of shards: so many rows that partial gradients are folded. */
static void many_rows_give_the_same_bits(void **state) {
  (void)state;
  if (context == NULL) skip();
  Dataset *dataset = load("synthetic:rows=500000,features=3,classes=3", false);
  for (int f = 0; f < 2; f++) {
    BackendSettings settings = {.family = f == 0 ? SETOSA_FAMILY_CPU : SETOSA_FAMILY_GPU}, streamed = settings;
    streamed.streamed = true;
    streamed.chunk_rows = 100000;
    Answers whole = ask(dataset, settings, true), found = ask(dataset, streamed, false);
    expect_same(&whole, &found, "500000 rows");
    answers_free(&whole);
    answers_free(&found);
  }
  setosa_dataset_destroy(dataset);
}

static void budgets_decide(void **state) {
  (void)state;
  if (context == NULL) skip();
  Dataset *dataset = load("synthetic:rows=400000,features=100,classes=3", true); /* 160 MB */
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = context, .intercept = true};
  static const struct {
    uint64_t bytes;
    Status expected;
    bool resident;
  } cases[] = {{0, SETOSA_OK, true}, {400 << 20, SETOSA_OK, true}, {150 << 20, SETOSA_OK, false}, {10 << 20, SETOSA_ERROR_DEVICE, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Backend *backend = NULL;
    Error error = {0};
    settings.device_memory_bytes = cases[i].bytes;
    assert_int_equal(backend_open(&backend, dataset, &settings, &error), cases[i].expected);
    if (backend == NULL) {
      assert_non_null(strstr(error.message, "--device-memory"));
      continue;
    }
    const NativePlan *plan = &((Native *)backend)->residence;
    assert_int_equal(plan->resident, cases[i].resident);
    if (!plan->resident) assert_true(2 * plan->part_rows * (100 * sizeof(float) + 4) + plan->work_bytes <= cases[i].bytes);
    backend_close(backend);
  }
  setosa_dataset_destroy(dataset);
}

/* Less memory than it reports: rows stream, the result is the same, and it is said. */
static void a_device_with_less_memory_than_it_says(void **state) {
  (void)state;
  if (context == NULL) skip();
  Dataset *dataset = load("synthetic:rows=200000,features=100,classes=3", false); /* 80 MB */
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = context, .device_memory_bytes = 300 << 20};
  Backend *backend = NULL;
  BackendFacts facts = {0};
  Error error = {0};
  Answers whole = ask(dataset, settings, true);
  most_bytes = 70 << 20;
  Answers found = ask(dataset, settings, false);
  expect_same(&whole, &found, "less memory");
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  backend_facts(backend, &facts);
  assert_true(facts.fell_back && facts.chunk_rows > 0 && facts.chunk_rows < dataset->rows);
  backend_close(backend);
  most_bytes = 1000; /* nothing fits any more: an error, not a crash */
  backend = NULL;
  Status status = backend_open(&backend, dataset, &settings, &error);
  if (status == SETOSA_OK) {
    Vector *w = NULL;
    status = vector_create(backend, &w, &error);
    if (status == SETOSA_OK) status = backend_evaluate(backend, w, backend_all_rows(backend), NULL, &(Evaluation){0}, &error);
    vector_destroy(backend, w);
  }
  backend_close(backend);
  most_bytes = SIZE_MAX;
  assert_int_equal(status, SETOSA_ERROR_DEVICE);
  assert_non_null(strstr(error.message, "out of memory"));
  answers_free(&whole);
  answers_free(&found);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(streamed_rows_give_the_same_bits),
      cmocka_unit_test(many_rows_give_the_same_bits),
      cmocka_unit_test(budgets_decide),
      cmocka_unit_test(a_device_with_less_memory_than_it_says),
  };
  return cmocka_run_group_tests(tests, open_device, close_device);
}
