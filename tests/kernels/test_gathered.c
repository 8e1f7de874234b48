/* Rows that a process gathers in another order give the bits of rows that lie in that order; and rows that a device makes have the labels
 * that the host would make. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/native/native.h"
#include "data/storage.h"
#include "kernels/answers.h"
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
      assert_null(setosa_dataset_values(gathered));
      BackendSettings settings = {
          .context = support_device(), .storage = storages[s], .streamed = streamed, .chunk_rows = streamed ? 300 : 0};
      Answers expected = ask_native(copied, settings), actual = ask_native(gathered, settings);
      expect_same(&actual, &expected, setosa_storage_name(storages[s]));
      answers_free(&expected);
      answers_free(&actual);
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
    assert_true(predict_block_rows(backend) == (streamed ? ((Native *)backend)->residence.buffer_rows : 2003));
    TargetRoom device = {0}, host = {0};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
      RowRange rows = {ranges[r][0], ranges[r][1]};
      Targets actual, expected;
      if (device.labels != NULL) memset(device.labels, 0x7F, device.capacity * sizeof *device.labels);
      support_ok(predict_targets(&actual, backend, dataset, rows, &device, &error), &error);
      support_ok(dataset_targets(&expected, dataset, rows, &host, &error), &error);
      assert_memory_equal(actual.labels, expected.labels, rows.count * sizeof *expected.labels);
      assert_null(device.values); /* the host made none */
    }
    target_room_free(&device);
    target_room_free(&host);
    backend_close(backend);
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gathered_rows_give_the_same_bits),
                                     cmocka_unit_test(made_rows_have_their_labels_on_the_device)};
  return support_run("kernels_gathered", tests, create, destroy);
}
