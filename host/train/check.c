/* setosa_check: a backend against the double reference and finite differences, on the caller's data or a table of synthetic shapes. */
#include <math.h>
#include <string.h>

#include "base/arguments.h"
#include "data/storage.h"
#include "judge/compare.h"
#include "train/device.h"

/* Every kernel of both families: fused and blocked, tile edges, the shape that the accuracy targets name, hard shapes. */
static const char *const shapes[] = {
    "synthetic:rows=150,features=4,classes=3,seed=1",    "synthetic:rows=1,features=1,classes=2,seed=2",
    "synthetic:rows=1000,features=65,classes=10,seed=3", "synthetic:rows=10000,features=100,classes=20,seed=4",
    "synthetic:rows=500,features=33,classes=257,seed=5", "synthetic:rows=200,features=784,classes=1000,seed=6",
};

typedef struct Check {
  const SetosaComputeOptions *compute;
  SetosaBackend backend;
  double l2;
  SetosaCheckCallback row;
  void *user;
  size_t *failures;
} Check;

/* The reference says nothing new about itself: what remains are finite differences. */
static void on_reference_row(const SetosaCheckRow *row, void *user) {
  const Check *check = user;
  if (check->row != NULL && strcmp(row->against, "reference") != 0) check->row(row, check->user);
}

static Status check_family(const Dataset *dataset, Check *check, SetosaFamily family, Error *error) {
  bool reference = check->backend == SETOSA_BACKEND_REFERENCE;
  CompareSettings settings = {.backend = check->backend,
                              .family = family,
                              .storage = check->compute->storage,
                              .l2 = check->l2,
                              .finite_differences = reference || dataset_shape(dataset).rows > 1,
                              .row = reference ? on_reference_row : check->row,
                              .user = reference ? check : check->user};
  return judge_compare(dataset, backend_needs_device(check->backend) ? check->compute->device->context : NULL, &settings, check->failures,
                       error);
}

static Status check_dataset(const Dataset *dataset, Check *check, Error *error) {
  Status status = SETOSA_OK;
  if (!backend_needs_device(check->backend)) return check_family(dataset, check, SETOSA_FAMILY_AUTO, error);
  if (check->compute->family != SETOSA_FAMILY_GPU) TRY(check_family(dataset, check, SETOSA_FAMILY_CPU, error));
  if (check->compute->family != SETOSA_FAMILY_CPU) TRY(check_family(dataset, check, SETOSA_FAMILY_GPU, error));
cleanup:
  return status;
}

SetosaStatus setosa_check(const SetosaDataset *dataset, const SetosaComputeOptions *compute, double l2, SetosaCheckCallback row, void *user,
                          size_t *failures, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *synthetic = NULL;
  size_t unused = 0;
  if (failures == NULL) failures = &unused;
  *failures = 0;
  TRY(arguments_check(error, GIVEN(compute)));
  if (!isfinite(l2) || l2 < 0) TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_check: `l2` is %g; give a finite number, 0 or more", l2));
  TRY(device_check_options(compute, error));
  Check check = {compute, compute->backend, l2, row, user, failures};
  if (dataset != NULL) TRY(dataset_check_held(dataset, "a check", error));
  if (dataset != NULL) return check_dataset(dataset, &check, error);
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    TRY(setosa_dataset_load(&synthetic, shapes[i], NULL, error));
    /* Whole numbers of steps of 1/8 instead of real values, so that u8 can be checked on these, too. */
    if (compute->storage == SETOSA_STORAGE_U8) TRY(storage_make_bytes(synthetic, 8, 64, 0.125f, error));
    TRY(check_dataset(synthetic, &check, error));
    setosa_dataset_destroy(synthetic);
    synthetic = NULL;
  }
cleanup:
  setosa_dataset_destroy(synthetic);
  return status;
}
