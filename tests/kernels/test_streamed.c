/* Rows that stream through the device in chunks, that lie in several allocations, or that are made as they are needed give the bits of rows
 * that lie there whole; and a budget that holds nothing is refused. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/native/native.h"
#include "data/storage.h"
#include "kernels/answers.h"
#include "support/device.h"

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

static Answers ask(const Dataset *dataset, BackendSettings settings, bool resident) {
  settings.context = support_device();
  Backend *backend = open_native(dataset, settings);
  assert_int_equal(((Native *)backend)->residence.resident, resident);
  Answers answers = ask_backend(backend);
  backend_close(backend);
  return answers;
}

static void compare(const char *spec, SetosaFamily family, SetosaStorage storage) {
  char how[200];
  Dataset *dataset = load(spec, false);
  if (storage != SETOSA_STORAGE_F32) weigh_rows(dataset); /* made rows, which f32 is compared with, have none */
  if (storage == SETOSA_STORAGE_U8) support_ok(storage_make_bytes(dataset, 8, 20, 1.0f / 32, NULL), NULL);
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
    parts.x_buffer_bytes = setosa_dataset_rows(dataset) * setosa_dataset_features(dataset) / 3;
    Answers found = ask(dataset, parts, true);
    expect_same(&whole, &found, "in parts");
    answers_free(&found);
  }
  answers_free(&whole);
  setosa_dataset_destroy(dataset);
}

static void stream(SetosaFamily family) {
  static const char *const specs[] = {
      "synthetic:rows=3001,features=20,classes=3",
      "synthetic:rows=2500,features=7,classes=10",
      "synthetic:rows=3300,features=33,classes=40",
      "synthetic:rows=1500,features=16,classes=300",
  };
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_U8};
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++)
    for (size_t s = 0; s < 2; s++) compare(specs[i], family, storages[s]);
}

static void streamed_rows_give_the_same_bits_cpu(void **state) { (void)state, stream(SETOSA_FAMILY_CPU); }
static void streamed_rows_give_the_same_bits_gpu(void **state) { (void)state, stream(SETOSA_FAMILY_GPU); }

/* Shares of shards: so many rows that partial gradients are folded. */
static void stream_many(SetosaFamily family) {
  Dataset *dataset = load("synthetic:rows=500000,features=3,classes=3", false);
  BackendSettings settings = {.family = family}, streamed = {.family = family, .streamed = true, .chunk_rows = 100000};
  Answers whole = ask(dataset, settings, true), found = ask(dataset, streamed, false);
  expect_same(&whole, &found, "500000 rows");
  answers_free(&whole);
  answers_free(&found);
  setosa_dataset_destroy(dataset);
}

static void many_rows_give_the_same_bits_cpu(void **state) { (void)state, stream_many(SETOSA_FAMILY_CPU); }
/* Half a minute of a CPU that stands for a GPU. */
static void nightly_many_rows_give_the_same_bits_gpu(void **state) { (void)state, stream_many(SETOSA_FAMILY_GPU); }

static void budgets_decide(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=400000,features=100,classes=3", true); /* 160 MB */
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .intercept = true};
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
    if (!plan->resident) assert_true(2 * plan->buffer_rows * (100 * sizeof(float) + 4) + plan->work_bytes <= cases[i].bytes);
    backend_close(backend);
  }
  setosa_dataset_destroy(dataset);
}

/* Few rows of many parameters: what decides is how many vectors will be held, if that is known. */
static void vectors_count(void **state) {
  (void)state;
  static const struct {
    size_t vectors;
    Status expected;
  } cases[] = {{0, SETOSA_ERROR_DEVICE}, {5, SETOSA_OK}, {49, SETOSA_ERROR_DEVICE}};
  Dataset *dataset = load("synthetic:rows=64,features=500,classes=2000", false); /* 4 MB a vector */
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Backend *backend = NULL;
    Error error = {0};
    BackendSettings settings = {
        .kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .vectors = cases[i].vectors, .device_memory_bytes = 100 << 20};
    assert_int_equal(backend_open(&backend, dataset, &settings, &error), cases[i].expected);
    backend_close(backend);
  }
  setosa_dataset_destroy(dataset);
}

/* Less memory than it reports: rows stream, the result is the same, and it is said. */
static void a_device_with_less_memory_than_it_says(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=200000,features=100,classes=3", false); /* 80 MB */
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .context = support_device(), .device_memory_bytes = 300 << 20};
  Backend *backend = NULL;
  BackendFacts facts = {0};
  Error error = {0};
  Answers whole = ask(dataset, settings, true);
  most_bytes = 70 << 20;
  Answers found = ask(dataset, settings, false);
  expect_same(&whole, &found, "less memory");
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  backend_facts(backend, &facts);
  assert_true(facts.fell_back && facts.chunk_rows > 0 && facts.chunk_rows < setosa_dataset_rows(dataset));
  backend_close(backend);
  most_bytes = 1000; /* nothing fits any more: an error, not a crash */
  backend = NULL;
  Status status = backend_open(&backend, dataset, &settings, &error);
  if (status == SETOSA_OK) {
    Vector *w = NULL;
    status = vector_create(backend, &w, &error);
    if (status == SETOSA_OK) status = backend_evaluate(backend, w, backend_all_rows(backend), NULL, NULL, &(DataTerm){0}, &error);
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

/* A block of logits takes a part of the device's memory; a share, or the chains of one, may lie in several blocks. Lines are left out: what
 * is kept for them depends on what there is room for. */
static void blocks_of_any_size_give_the_same_bits(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=9000,features=33,classes=40", false);
  static const size_t rows[] = {256, 768, 1280};
  BackendSettings settings = {.family = SETOSA_FAMILY_GPU};
  Answers whole = ask(dataset, settings, true);
  assert_true(whole.parameters > 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    settings.workspace_bytes = rows[i] * 40 * sizeof(float);
    Answers found = ask(dataset, settings, true);
    memcpy(found.value, whole.value, sizeof found.value);
    memcpy(found.slope, whole.slope, sizeof found.slope);
    expect_same(&whole, &found, "in smaller blocks");
    answers_free(&found);
  }
  answers_free(&whole);
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_of_any_size_give_the_same_bits),
      cmocka_unit_test(streamed_rows_give_the_same_bits_cpu),
      cmocka_unit_test(streamed_rows_give_the_same_bits_gpu),
      cmocka_unit_test(many_rows_give_the_same_bits_cpu),
      cmocka_unit_test(nightly_many_rows_give_the_same_bits_gpu),
      cmocka_unit_test(budgets_decide),
      cmocka_unit_test(vectors_count),
      cmocka_unit_test(a_device_with_less_memory_than_it_says),
  };
  return support_run("kernels_streamed", tests, support_device_open, support_device_close);
}
