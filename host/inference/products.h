/* The inner loop of all sums. */
#ifndef SETOSA_INFERENCE_PRODUCTS_H
#define SETOSA_INFERENCE_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

enum { PRODUCT_LINES = 4, PRODUCT_LANES = 8 };

/* out (m,n) += a' b, a (rows,m) and b (rows,n) with lines of a_line and b_line numbers, m a multiple of PRODUCT_LINES and n of
 * PRODUCT_LANES. Sums run over the rows in order. lower: only what lies at or below the diagonal of out is wanted. */
void add_products(double *out, size_t out_line, const double *a, size_t a_line, size_t m, const double *b, size_t b_line, size_t n,
                  size_t rows, bool lower);

#endif
