/* setosa_check: a backend against the double reference and finite differences, on the caller's data or a table of synthetic shapes. */
#include <math.h>
#include <string.h>

#include "base/arguments.h"
#include "data/storage.h"
#include "judge/compare.h"
#include "train/device.h"

/* Every kernel of both families: fused and blocked, tile edges, the shape that the accuracy targets name, hard shapes. Of sparse rows:
 * classes that are worked on two at a time, in vectors of several widths, all at once, in several tiles; long columns, entries that are
 * all 1. */
static const struct {
  const char *spec;
  bool sparse;
} shapes[] = {
    {"synthetic:rows=150,features=4,classes=3,seed=1", false},
    {"synthetic:rows=1,features=1,classes=2,seed=2", false},
    {"synthetic:rows=1000,features=65,classes=10,seed=3", false},
    {"synthetic:rows=10000,features=100,classes=20,seed=4", false},
    {"synthetic:rows=500,features=33,classes=257,seed=5", false},
    {"synthetic:rows=200,features=784,classes=1000,seed=6", false},
    {"synthetic:rows=2000,features=33,classes=2,sparsity=0.7,seed=7", true},
    {"synthetic:rows=5000,features=33000,classes=8,sparsity=0.9983,seed=8", true}, /* so many features that frequent ones lie together */
    {"synthetic:rows=3000,features=500,classes=30,fields=9,seed=9", true},
    {"synthetic:rows=1000,features=300,classes=64,sparsity=0.97,seed=10", true},
    {"synthetic:rows=500,features=2000,classes=257,sparsity=0.98,seed=11", true},
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

/* Nobody multiplies sparse rows by CLBlast, or holds their entries as bytes. */
static bool takes_sparse(const SetosaComputeOptions *compute) {
  return compute->backend != SETOSA_BACKEND_CLBLAST && compute->storage != SETOSA_STORAGE_U8;
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
    if (shapes[i].sparse && !takes_sparse(compute)) continue;
    SetosaDataOptions how = setosa_data_options_default();
    how.sparse = shapes[i].sparse ? SETOSA_SPARSE_ALWAYS : SETOSA_SPARSE_NEVER;
    TRY(setosa_dataset_load(&synthetic, shapes[i].spec, &how, error));
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
