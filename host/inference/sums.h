/* What a summary asks of the rows: sums over all of them in double, made in one read. They are the same bits however many threads and
 * processes share the rows: rows are cut into segments by their number alone, each is summed by itself, and segments are added in order. */
#ifndef SETOSA_INFERENCE_SUMS_H
#define SETOSA_INFERENCE_SUMS_H

#include "inference/design.h"
#include "ranks/ranks.h"

/* With u a row in the design's coordinates, s its weight as given, y its class, a its probabilities (softmax of phi u), and indicators
 * y_k; classes p and q of a pair are those other than the base, numbered in order. */
typedef struct SumsRequest {
  const Dataset *dataset;
  const Design *design;
  size_t classes, base;
  const double *phi; /* (K,width) */
  bool information;  /* sums of s a_p (delta_pq - a_q) u u' */
  bool squares;      /* sums of s u u', and the least and the largest u of each class */
  bool meat;         /* sums of t (a_p - y_p)(a_q - y_q) u u', t = s, or s^2 with `sampling` */
  bool sampling;
  bool moments; /* sums of s a_k a_l a_m u, k >= l >= m */
  bool margins; /* for each class the least phi_y u - phi_k u, and the largest, over its rows of weight above 0 and k other than y */
  Ranks *ranks; /* share the rows; NULL: this process has all */
} SumsRequest;

/* Where each lies in `values`. Matrices have lines of `line` numbers, of which the lower triangle is filled; pairs p >= q number p (p + 1)
 * / 2 + q. */
typedef struct Sums {
  size_t line, matrix; /* D + 1, rounded up to whole lanes; numbers of a matrix */
  double *values;      /* (count) */
  size_t count, added; /* the first `added` are sums; behind them are least numbers */
  size_t likelihood;   /* 1: sum of s ln a_y */
  size_t weight;       /* (K) sums of s of the rows of a class */
  size_t gradient;     /* (K, line) sums of s (y_k - a_k) u */
  size_t information, squares, meat, moments;
  size_t least, most;         /* (K, line) of u; `most` of -u */
  size_t margin, margin_most; /* (K), likewise */
} Sums;

/* Zero-initialise; may be filled again by another request. All ranks call together. SETOSA_ERROR_INTERNAL: out of memory. */
Status sums_make(Sums *sums, const SumsRequest *request, Error *error);
void sums_free(Sums *sums);

static inline size_t pair_number(size_t p, size_t q) { return p * (p + 1) / 2 + q; } /* p >= q */
static inline size_t triple_number(size_t k, size_t l, size_t m) {
  return k * (k + 1) * (k + 2) / 6 + l * (l + 1) / 2 + m;
} /* k >= l >= m */
/* The number of a class among those other than the base, and back. */
static inline size_t class_without(size_t k, size_t base) { return k < base ? k : k - 1; }
static inline size_t class_with(size_t p, size_t base) { return p < base ? p : p + 1; }

#endif
