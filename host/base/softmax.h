/* The softmax of one row in double: the host's one copy. The kernels' is kernels/softmax.clh. */
#ifndef SETOSA_BASE_SOFTMAX_H
#define SETOSA_BASE_SOFTMAX_H

#include <stddef.h>

/* z (K) becomes a = softmax(z); returns logsumexp(z) - z[label], label < K. Both are taken relative to the largest logit, whose own term is
 * exactly 1: nothing overflows, and log1p keeps a loss far below 1e-16 apart from 0. */
double softmax_row(double *z, size_t classes, size_t label);
/* p_k (1 - p_k) of probabilities p (K), where p_k is nearly 1 by the sum of the others: 1 - p_k would be nothing but rounding. */
double softmax_spread(const float *p, size_t classes, size_t k);

#endif
