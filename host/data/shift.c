/* Which columns are shifted, by how much, and what that does to a bias. */
#include "data/shift.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/rows.h"
#include "data/shift_remark.h"

/* Of |mean| to the deviation, above which a column is shifted. f32 rounds x by at most 2^-24 |x|, which is 2^-21 of the deviation there.
 * With 16 some trainings still lost their way (bench/LOG.md). */
static const double FAR_FROM_ZERO = 8;

double shift_choose(double mean, double deviation, double least, double most) {
  if (!isfinite(mean) || !(deviation >= 0) || !isfinite(deviation)) return 0;
  if (!(fabs(least) <= FLT_MAX) || !(fabs(most) <= FLT_MAX)) return 0; /* an error that is not ours to hide */
  if (least == most) return (double)(float)least == least ? 0 : least;
  if (!(fabs(mean) > FAR_FROM_ZERO * deviation)) return 0;
  /* A multiple of the power of two at or below the deviation: of few bits, and at most half a deviation from the mean. Where all values
   * are within the rounding of a double, that power is below its last place and the mean is taken as it is. */
  int exponent = 0;
  frexp(deviation > 0 ? deviation : DBL_MIN, &exponent);
  double unit = ldexp(1, exponent - 1), count = mean / unit;
  double shift = fabs(count) < 0x1p52 ? nearbyint(count) * unit : mean;
  return isfinite(shift) ? shift : 0;
}

/* With the errors of all products and sums kept beside them (T. Ogita, S. M. Rump, S. Oishi, "Accurate sum and dot product", 2005): a bias
 * is a small difference of large numbers when columns are far from 0. */
double shift_bias(double start, const float *w, double sign, const double *shift, size_t features) {
  double sum = start, rest = 0;
  for (size_t d = 0; shift != NULL && d < features; d++) {
    double factor = sign * (double)w[d], product = factor * shift[d], lost = fma(factor, shift[d], -product);
    double before = sum, added;
    sum += product;
    added = sum - before;
    rest += (before - (sum - added)) + (product - added) + lost;
  }
  return sum + rest;
}

Status shift_take(Dataset *dataset, const Moments *moments, Error *error) {
  Status status = SETOSA_OK;
  bool any = false;
  double *shift = NULL;
  TRY(memory_allocate((void **)&shift, dataset->features, sizeof *shift, "the shift of the columns", error));
  for (size_t d = 0; d < dataset->features; d++) {
    shift[d] = shift_choose(moments[d].mean, moments_deviation(&moments[d]), moments[d].least, moments[d].most);
    any = any || shift[d] != 0;
  }
  if (any) {
    dataset->shift = shift;
    shift = NULL;
  }
  TRY(shift_remark(dataset, moments, error));
cleanup:
  free(shift);
  return status;
}

Status shift_copy(double **out, const double *shift, size_t features, Error *error) {
  Status status = memory_allocate((void **)out, features, sizeof **out, "the shift of the columns", error);
  if (status == SETOSA_OK) memcpy(*out, shift, features * sizeof *shift);
  return status;
}

void shift_drop(Dataset *dataset) {
  free(dataset->shift);
  dataset->shift = NULL;
}
