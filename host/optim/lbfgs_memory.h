/* What L-BFGS remembers: pairs of steps and changes of the gradient, with the backend, and their inner products. */
#ifndef SETOSA_OPTIM_LBFGS_MEMORY_H
#define SETOSA_OPTIM_LBFGS_MEMORY_H

#include "optim/lbfgs_direction.h"
#include "optim/preconditioner.h"

typedef struct LbfgsMemory {
  Backend *backend;                     /* borrowed */
  const Preconditioner *preconditioner; /* H0, borrowed */
  Vector **s, **y, **z;                 /* (slots), made when first used; z = H0 y, and none where H0 is the identity */
  LbfgsProducts products;
  double *next_sg, *next_zg, next_gh; /* products of the trial's gradient, taken over when the trial is accepted */
  double next_ss;                     /* s . s of the trial's weights, without the bias */
  LbfgsCoefficients coefficients;
  size_t *order, pairs; /* slots in use, oldest first */
  size_t candidate;     /* the free slot that the trial fills */
  VectorPair *dot_pairs;
  double *dots, **dot_targets; /* where each product belongs */
  size_t dot_count;
  double *terms; /* (2 slots + 1) coefficients and their vectors, for vector_combine */
  const Vector **term_vectors;
  double *numbers; /* the one block that every array of doubles above is cut from */
} LbfgsMemory;

/* For `history` pairs. Zero-initialise, so that close may be called after a failure. */
Status memory_open(LbfgsMemory *memory, Backend *backend, const Preconditioner *preconditioner, size_t history, Error *error);
void memory_close(LbfgsMemory *memory);
/* The next direction is that of H0 alone. */
void memory_forget(LbfgsMemory *memory);

/* A point where the gradient is g and h = H0 g (g itself where H0 is the identity). */
typedef struct LbfgsPoint {
  Vector *w, *g, *h;
} LbfgsPoint;

/* The trial `next` beside `now`: fills the candidate's pair with what was done, and all inner products that its acceptance will ask for. */
Status memory_try(LbfgsMemory *memory, const LbfgsPoint *now, const LbfgsPoint *next, Error *error);
/* Takes over the trial's products; its pair becomes the newest if the curvature along it is more than rounding, and more than half of what
 * the penalty l2 alone gives it. */
void memory_accept(LbfgsMemory *memory, double l2);
/* The products of a first point, which comes without a trial. */
Status memory_begin(LbfgsMemory *memory, const LbfgsPoint *now, Error *error);
/* H0 is another one: makes z, h and all that depends on them anew. */
Status memory_renew(LbfgsMemory *memory, const LbfgsPoint *now, Error *error);
/* direction = -H g; *slope < 0 is its slope. Forgets the pairs where rounding has spoilt them. */
Status memory_direction(LbfgsMemory *memory, const LbfgsPoint *now, Vector *direction, double *slope, Error *error);
/* s . g of the trial, the slope of its step times its length. */
static inline double memory_next_slope(const LbfgsMemory *memory) { return memory->next_sg[memory->candidate]; }

/* Between iterations, and back; the preconditioner goes first. */
Status memory_put(LbfgsMemory *memory, OptimizerState *state, Error *error);
Status memory_get(LbfgsMemory *memory, const OptimizerState *state, Error *error);

#endif
