/* The self-test: does this device compute what the reference computes? */
#ifndef SETOSA_JUDGE_SELFTEST_H
#define SETOSA_JUDGE_SELFTEST_H

#include "compute/settings.h"
#include "data/dataset.h"
#include "judge/compare.h"

/* What a backend is to be trusted with. */
typedef struct SelftestWork {
  size_t features, classes;
  CompareOperations operations;
  bool small;            /* BackendSettings.small */
  bool sparse, ones;     /* as DataShape has them: sparse rows have kernels of their own, and others where every entry is 1 */
  SetosaStorage storage; /* of sparse rows, whose kernels differ by it */
} SelftestWork;

/* Small data of known answers through the kernels that a backend of this family uses for such work. family AUTO: by the device. With few
 * classes the very programs of this shape are tested, so that the test builds nothing that the run would not. SETOSA_ERROR_DEVICE names the
 * first wrong quantity. Verdicts are kept in the cache under context_fingerprint, family and work, so that a later call costs a file read.
 */
Status selftest_require(Context *context, SetosaFamily family, const SelftestWork *work, Error *error);
/* Every operation, for few classes and for many, of dense rows and of sparse ones, with the family that suits the device. */
Status selftest_run(Context *context, Error *error);
/* selftest_require for every device that backend_open would use with these settings and rows; nothing for backends of the host. */
Status selftest_require_all(const BackendSettings *settings, const DataShape *shape, CompareOperations operations, Error *error);

#endif
