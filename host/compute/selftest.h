/* The self-test: does this device compute what the reference computes? */
#ifndef SETOSA_COMPUTE_SELFTEST_H
#define SETOSA_COMPUTE_SELFTEST_H

#include "opencl/context.h"

/* Small known shapes through every operation of the seam on this device. SETOSA_ERROR_DEVICE names the first wrong quantity. The verdict is
 * kept in the cache under context_fingerprint, so that a later call costs a file read. */
Status selftest_run(Context *context, Error *error);

/* How to compare a device with the reference. */
typedef struct CompareSettings {
  SetosaBackend backend; /* which is compared with the reference; for BLAS the context is NULL */
  SetosaFamily family;   /* AUTO: by the device */
  SetosaStorage storage; /* F16: the reference computes on the rounded values, and their rounding is a row of its own */
  double l2;
  size_t workspace_bytes, part_bytes; /* as in BackendSettings */
  double logit_size;                  /* typical |z| of the weights tried; 0: 3 */
  bool finite_differences;            /* also against central differences of the reference in double, along a random direction */
  SetosaCheckCallback row;            /* called for each quantity; may be NULL */
  void *user;
} CompareSettings;

/* Compares every operation of a device with the reference on one data set (with labels): the body of the self-test, of `setosa check` and
 * of the kernel tests. *failures is increased by the quantities out of tolerance. */
struct SetosaDataset;
Status selftest_compare(const struct SetosaDataset *dataset, Context *context, const CompareSettings *settings, size_t *failures,
                        Error *error);

#endif
