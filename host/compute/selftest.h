/* The self-test: does this device compute what the reference computes? */
#ifndef SETOSA_COMPUTE_SELFTEST_H
#define SETOSA_COMPUTE_SELFTEST_H

#include "opencl/context.h"

/* Small known shapes through every operation of the seam on this device. SETOSA_ERROR_DEVICE names the first wrong quantity. The verdict is
 * kept in the cache under context_fingerprint, so that a later call costs a file read. */
Status selftest_run(Context *context, Error *error);

/* Compares every operation of a device with the reference on one data set; the body of the self-test and of `setosa check`.
 * Calls row for each quantity; *failures is increased by those out of tolerance. Finite differences are taken of the reference in double
 * along random directions. */
struct SetosaDataset;
Status selftest_compare(const struct SetosaDataset *dataset, Context *context, SetosaFamily family, double l2, bool finite_differences,
                        SetosaCheckCallback row, void *user, size_t *failures, Error *error);

#endif
