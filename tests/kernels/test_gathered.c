/* Rows that a process gathers in another order give the bits of rows that lie in that order; and rows that a device makes have the labels
 * that the host would make. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/native/native.h"
#include "compute/open.h"
#include "support/device.h"
#include "train/predict.h"

static char folder[SUPPORT_PATH];

static int create(void **state) {
  support_folder_create(folder);
  return support_device_open(state);
}

static int destroy(void **state) {
  support_folder_remove(folder);
  return support_device_close(state);
}

typedef struct Answer {
  DataTerm all, batch;
  double *gradient;
  float *logits;
  size_t parameters, scores;
} Answer;

static Answer ask(const Dataset *dataset, BackendSettings settings) {
  Backend *backend = NULL;
  Vector *w = NULL, *gradient = NULL;
  Error error = {0};
  settings.context = support_device();
  settings.kind = SETOSA_BACKEND_NATIVE;
  settings.intercept = true;
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_create(backend, &gradient, &error), &error);
  Answer a = {.parameters = backend->parameters, .scores = backend->rows * backend->classes};
  a.gradient = malloc(a.parameters * sizeof *a.gradient);
  a.logits = malloc(a.scores * sizeof *a.logits);
  assert_true(a.gradient != NULL && a.logits != NULL);
  for (size_t i = 0; i < a.parameters; i++) a.gradient[i] = 0.3 * sin(1.7 * (double)i);
  support_ok(vector_write(backend, w, a.gradient, &error), &error);
  support_poison_double(a.gradient, a.parameters);
  memset(a.logits, 0xFF, a.scores * sizeof *a.logits);
  support_ok(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &a.all, &error), &error);
  support_ok(vector_read(backend, gradient, a.gradient, &error), &error);
  support_ok(backend_evaluate(backend, w, (RowRange){backend->rows / 3 + 1, 77}, NULL, gradient, &a.batch, &error), &error);
  support_ok(backend_predict(backend, w, backend_all_rows(backend), ROW_LOGITS, a.logits, &error), &error);
  vector_destroy(backend, w);
  vector_destroy(backend, gradient);
  backend_close(backend);
  return a;
}

static void gathered_rows_give_the_same_bits(void **state) {
  (void)state;
  static const SetosaStorage storages[] = {SETOSA_STORAGE_F32, SETOSA_STORAGE_F16, SETOSA_STORAGE_U8};
  char path[SUPPORT_PATH];
  Error error = {0};
  support_path(path, folder, "rows.npy");
  support_ok(setosa_generate("rows=2003,features=9,classes=4,noise=0.2", path, NULL, NULL, &error), &error);
  size_t length = 0, count = 2003 * 9;
  char *bytes = support_read(path, &length);
  float *values = (float *)(void *)(bytes + length - count * sizeof(float));
  for (size_t i = 0; i < count; i++) values[i] = roundf(fminf(fmaxf(20 + 8 * values[i], 0), 255)); /* bytes serve every storage */
  support_write(path, bytes, length);
  free(bytes);
  for (size_t s = 0; s < 3; s++)
    for (int streamed = 0; streamed < 2; streamed++) {
      Dataset *copied = NULL, *gathered = NULL;
      SetosaDataOptions options = setosa_data_options_default();
      support_ok(setosa_dataset_load(&copied, path, &options, &error), &error);
      options.parts = 2;
      support_ok(setosa_dataset_load(&gathered, path, &options, &error), &error);
      support_ok(setosa_dataset_shuffle(copied, 5, &error), &error);
      support_ok(setosa_dataset_shuffle(gathered, 5, &error), &error);
      assert_null(gathered->values);
      BackendSettings settings = {.storage = storages[s], .streamed = streamed, .chunk_rows = streamed ? 300 : 0};
      Answer expected = ask(copied, settings), actual = ask(gathered, settings);
      assert_true(isfinite(expected.all.loss));
      assert_true(actual.all.loss == expected.all.loss && actual.batch.loss == expected.batch.loss);
      assert_memory_equal(actual.gradient, expected.gradient, expected.parameters * sizeof *expected.gradient);
      assert_memory_equal(actual.logits, expected.logits, expected.scores * sizeof *expected.logits);
      free(expected.gradient);
      free(expected.logits);
      free(actual.gradient);
      free(actual.logits);
      setosa_dataset_destroy(copied);
      setosa_dataset_destroy(gathered);
    }
}

static void made_rows_have_their_labels_on_the_device(void **state) {
  (void)state;
  static const size_t ranges[][2] = {{0, 2003}, {0, 1}, {299, 2}, {300, 300}, {1999, 4}, {17, 1500}};
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = 1;
  for (int streamed = 0; streamed < 2; streamed++) {
    Dataset *dataset = NULL;
    Backend *backend = NULL;
    support_ok(setosa_dataset_load(&dataset, "synthetic:rows=2003,features=9,classes=4,noise=0.2", &options, &error), &error);
    BackendSettings settings = {.context = support_device(),
                                .kind = SETOSA_BACKEND_NATIVE,
                                .intercept = true,
                                .streamed = streamed,
                                .chunk_rows = streamed ? 300 : 0};
    support_ok(backend_open(&backend, dataset, &settings, &error), &error);
    assert_int_equal(((Native *)backend)->residence.resident, !streamed);
    assert_true(predict_block_rows(backend) == (streamed ? ((Native *)backend)->residence.part_rows : 2003));
    LabelScratch device = {0}, host = {0};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
      RowRange rows = {ranges[r][0], ranges[r][1]};
      const int32_t *actual = NULL, *expected = NULL;
      if (device.labels != NULL) memset(device.labels, 0x7F, device.capacity * sizeof *device.labels);
      support_ok(predict_labels(&actual, backend, dataset, rows, &device, &error), &error);
      support_ok(dataset_labels(&expected, dataset, rows.begin, rows.count, &host, &error), &error);
      assert_memory_equal(actual, expected, rows.count * sizeof *expected);
      assert_null(device.values); /* the host made none */
    }
    label_scratch_free(&device);
    label_scratch_free(&host);
    backend_close(backend);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gathered_rows_give_the_same_bits),
                                     cmocka_unit_test(made_rows_have_their_labels_on_the_device)};
  return support_run("kernels_gathered", tests, create, destroy);
}
