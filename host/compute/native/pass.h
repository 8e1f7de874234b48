/* Passes over rows: losses, gradients, Hessian products, and how their partials become one. */
#ifndef SETOSA_COMPUTE_NATIVE_PASS_H
#define SETOSA_COMPUTE_NATIVE_PASS_H

#include "compute/native/native.h"

/* A pass over rows [first_row, first_row + cut.rows): v NULL: loss and, when wanted, gradient; else the Hessian times v. With a moment,
 * which sparse rows alone have, it is in place of a gradient the sum of c x (1) or c x^2 (2), c_k = s a_k (1 - a_k) / n of each class. */
typedef struct Pass {
  const Vector *w, *v;
  size_t first_row;
  Cut cut;
  ShardRange shards; /* to be worked on; at least one */
  bool want_gradient;
  unsigned moment; /* 0: none */
  Vector *direct;  /* takes the gradient's sum itself where one partial is enough, so that none is needed; NULL: partials only */
} Pass;

/* What it leaves behind: `partials` partial gradients (P each), and `losses` partial sums at the beginning of native->sums. */
typedef struct PassResult {
  Buffer *partial_buffer;
  size_t partials, losses;
} PassResult;

Status native_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                       Error *error);
/* sums (P) = a moment of all rows at w, with that of the bias, the sum of c, in the bias's place. Of sparse rows. */
Status native_moment(Native *native, const Vector *w, unsigned moment, Vector *sums, Error *error);
Status native_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                              Error *error);
/* SETOSA_ERROR_INTERNAL unless the rows exist, SETOSA_ERROR_USAGE when labels are needed and there are none. */
Status native_check_rows(const Native *native, RowRange rows, bool labels_needed, Error *error);
Cut native_cut(const Native *native, size_t rows);
/* Enqueues the shards of a pass. */
Status native_enqueue_pass(Native *native, const Pass *pass, PassResult *result, Error *error);
/* Where the sum of partial gradients goes, and what is added to it (NULL: nothing) at `of`. */
typedef struct Finish {
  Vector *out;
  const Vector *of;
  const Addition *addition;
  bool norm;      /* sums take the largest |component| of `out` in each of its groups, */
  uint32_t norms; /* from this one on; there must be room */
} Finish;
/* Pairs that a norm takes: one for each group of the kernel at the end of a gradient. */
size_t native_norms(const Native *native);
/* finish->out = the sum of partials (P each), in order, and what is added. */
Status native_enqueue_finish(Native *native, const Finish *finish, const Buffer *partials, size_t partial_count, Error *error);
/* Gradients of many rows: native->folded takes partials (P each) in order, `per_shard` of them to a shard, partial_count of them from
 * number `first` on, and stands for two partials a shard, highs and lows, zero at the beginning. */
Status native_begin_folding(Native *native, size_t shards, Error *error);
Status native_fold(Native *native, const Buffer *partials, size_t first, size_t partial_count, size_t per_shard, Error *error);
/* The same for partials of `count` floats, a slice of the parameters, of one shard: leaves count highs and count lows in native->folded. */
Status native_fold_slice(Native *native, const Buffer *partials, size_t partial_count, size_t count, Error *error);
/* Partials of P floats that a pass over so many rows may leave, at least one. */
size_t native_most_partials(const Native *native, size_t rows);
static inline bool native_is_fused(const Native *native) { return native->products == NULL && native->fused; }

/* Bytes that passes over the window need: partial gradients, logits. */
size_t native_work_bytes(const Native *native);

#endif
