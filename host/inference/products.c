/* Tiles of 4 x 8 sums in registers. */
#include "inference/products.h"

#include <string.h>

#include "base/clones.h"

typedef double Lanes __attribute__((vector_size(PRODUCT_LANES * sizeof(double))));

static ALWAYS_INLINE void add_tile(double *out, size_t out_line, const double *a, size_t a_line, const double *b, size_t b_line,
                                   size_t rows) {
  Lanes sum0 = {0}, sum1 = {0}, sum2 = {0}, sum3 = {0}, old;
  for (size_t i = 0; i < rows; i++, a += a_line, b += b_line) {
    Lanes v;
    memcpy(&v, b, sizeof v);
    sum0 += a[0] * v;
    sum1 += a[1] * v;
    sum2 += a[2] * v;
    sum3 += a[3] * v;
  }
  const Lanes *sums[PRODUCT_LINES] = {&sum0, &sum1, &sum2, &sum3};
  for (size_t j = 0; j < PRODUCT_LINES; j++) {
    memcpy(&old, out + j * out_line, sizeof old);
    old += *sums[j];
    memcpy(out + j * out_line, &old, sizeof old);
  }
}

FOR_EACH_CPU void add_products(double *out, size_t out_line, const double *a, size_t a_line, size_t m, const double *b, size_t b_line,
                               size_t n, size_t rows, bool lower) {
  for (size_t i = 0; i < m; i += PRODUCT_LINES)
    for (size_t j = 0; j < n && (!lower || j < i + PRODUCT_LINES); j += PRODUCT_LANES)
      add_tile(out + i * out_line + j, out_line, a + i, a_line, b + j, b_line, rows);
}
