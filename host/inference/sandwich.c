/* Two products of symmetric matrices, by the loop that makes all sums. */
#include "inference/sandwich.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inference/products.h"

Status sandwich_make(const Fit *fit, const Sums *sums, double *out, Error *error) {
  Status status = SETOSA_OK;
  size_t order = fit->order, kept = fit->kept_count, line = (order + PRODUCT_LANES - 1) / PRODUCT_LANES * PRODUCT_LANES, cells = 0;
  double *covariance = NULL, *meat = NULL, *half = NULL;
  TRY(memory_multiply(&cells, line, line, "a robust covariance", error));
  TRY(memory_allocate_zero((void **)&covariance, cells, sizeof *covariance, "a robust covariance", error));
  TRY(memory_allocate_zero((void **)&meat, cells, sizeof *meat, "a robust covariance", error));
  TRY(memory_allocate_zero((void **)&half, cells, sizeof *half, "a robust covariance", error));
  for (size_t a = 0; a < order; a++)
    for (size_t b = 0; b <= a; b++) {
      size_t d = fit->columns[a % kept], e = fit->columns[b % kept], row = d > e ? d : e, column = d > e ? e : d;
      const double *pair = sums->values + sums->meat + pair_number(a / kept, b / kept) * sums->matrix;
      meat[a * line + b] = meat[b * line + a] = pair[row * sums->line + column];
    }
  for (size_t a = 0; a < order; a++) memcpy(covariance + a * line, fit->covariance + a * order, order * sizeof *out);
  add_products(half, line, meat, line, line, covariance, line, line, order, false); /* M C; then (M C)' C, since C and M are symmetric */
  memset(meat, 0, cells * sizeof *meat);
  add_products(meat, line, half, line, line, covariance, line, line, order, false);
  for (size_t a = 0; a < order; a++)
    for (size_t b = 0; b < order; b++) out[a * order + b] = (meat[a * line + b] + meat[b * line + a]) / 2;
cleanup:
  free(covariance);
  free(meat);
  free(half);
  return status;
}
