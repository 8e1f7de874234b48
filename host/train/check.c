/* setosa_check: a device against the double reference and finite differences, on the caller's data or a table of synthetic shapes. */
#include <math.h>

#include "data/dataset.h"
#include "judge/compare.h"
#include "train/device.h"

/* Every kernel of both families: fused and blocked, tile edges, the shape that the accuracy targets name, hard shapes. */
static const char *const shapes[] = {
    "synthetic:rows=150,features=4,classes=3,seed=1",    "synthetic:rows=1,features=1,classes=2,seed=2",
    "synthetic:rows=1000,features=65,classes=10,seed=3", "synthetic:rows=10000,features=100,classes=20,seed=4",
    "synthetic:rows=500,features=33,classes=257,seed=5", "synthetic:rows=200,features=784,classes=1000,seed=6",
};

/* Whole numbers of steps of 1/8 instead of real values, so that u8 can be checked on the table of shapes, too. */
static void make_bytes(Dataset *dataset) {
  dataset->byte_scale = 0.125f;
  for (size_t i = 0; i < dataset->rows * dataset->features; i++)
    dataset->values[i] = dataset->byte_scale * roundf(fminf(fmaxf(64 + 8 * dataset->values[i], 0), 255));
}

static Status check_family(const Dataset *dataset, const SetosaComputeOptions *compute, SetosaFamily family, double l2,
                           SetosaCheckCallback row, void *user, size_t *failures, Error *error) {
  CompareSettings settings = {
      .family = family, .storage = compute->storage, .l2 = l2, .finite_differences = dataset->rows > 1, .row = row, .user = user};
  return judge_compare(dataset, compute->device->context, &settings, failures, error);
}

static Status check_dataset(const Dataset *dataset, const SetosaComputeOptions *compute, double l2, SetosaCheckCallback row, void *user,
                            size_t *failures, Error *error) {
  Status status = SETOSA_OK;
  if (compute->family != SETOSA_FAMILY_GPU) TRY(check_family(dataset, compute, SETOSA_FAMILY_CPU, l2, row, user, failures, error));
  if (compute->family != SETOSA_FAMILY_CPU) TRY(check_family(dataset, compute, SETOSA_FAMILY_GPU, l2, row, user, failures, error));
cleanup:
  return status;
}

SetosaStatus setosa_check(const SetosaDataset *dataset, const SetosaComputeOptions *compute, double l2, SetosaCheckCallback row, void *user,
                          size_t *failures, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *synthetic = NULL;
  size_t unused = 0;
  error_clear(error);
  if (failures == NULL) failures = &unused;
  *failures = 0;
  if (compute->device == NULL) return error_set(error, SETOSA_ERROR_USAGE, "a check needs a device; the reference needs none of it");
  if (dataset != NULL) TRY(dataset_check_held(dataset, "a check", error));
  if (dataset != NULL) return check_dataset(dataset, compute, l2, row, user, failures, error);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    TRY(setosa_dataset_load(&synthetic, shapes[i], NULL, error));
    if (compute->storage == SETOSA_STORAGE_U8) make_bytes(synthetic);
    TRY(check_dataset(synthetic, compute, l2, row, user, failures, error));
    setosa_dataset_destroy(synthetic);
    synthetic = NULL;
  }
cleanup:
  setosa_dataset_destroy(synthetic);
  return status;
}
