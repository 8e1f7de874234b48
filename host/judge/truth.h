/* What the double reference says about a part of a work: the judge of every backend before it is timed. */
#ifndef SETOSA_JUDGE_TRUTH_H
#define SETOSA_JUDGE_TRUTH_H

#include "compute/objective.h"
#include "data/dataset.h"
#include "setosa_bench.h"

/* L2 penalty of all that is benched. */
#define BENCH_L2 1e-4
/* What the reference is given to do: a second or two. */
#define TRUTH_FLOPS 2e9

typedef struct Truth {
  const Dataset *dataset; /* borrowed */
  SetosaBenchWhat what;   /* STEP, HESSIAN or PREDICT */
  RowRange rows;          /* what the reference computed: all, or as many as it can in a second or two */
  double *w, *v;          /* (P) the same for every backend; v for HESSIAN alone */
  double loss, objective; /* STEP */
  double *expected;       /* (P) gradient or Hessian product, or NULL */
  float *scores;          /* (rows.count, K) probabilities, or NULL */
} Truth;

/* On as many rows as take at most `flops` (TRUTH_FLOPS), one at least. EPOCH and TRAIN are judged by their steps. */
Status truth_create(Truth **truth, const Dataset *dataset, SetosaBenchWhat what, double flops, Error *error);
void truth_destroy(Truth *truth);

/* A backend that holds the truth's data, its objective and three vectors. Zero-initialise. */
typedef struct Contender {
  Backend *backend;
  Objective objective;
  Vector *w, *v, *out; /* v: for HESSIAN; out: not for PREDICT; else NULL */
} Contender;
/* The objective that is benched, and the vectors for an operation, on contender->backend, which is owned from now on. */
Status contender_open(Contender *contender, SetosaBenchWhat what, Error *error);
void contender_close(Contender *contender);

typedef struct Verdict {
  bool passed;
  double error, tolerance; /* relative, of the quantity nearest to (or farthest over) its tolerance */
  char reason[256];        /* which quantity is wrong; "" when passed */
} Verdict;

/* Compares with the reference on truth->rows; when those are not all rows, a pass over all rows is compared with the weighted mean of
 * passes over two parts (gradients too when pass_seconds, one pass, is at most 5; the loss alone otherwise). The rounding of X that the
 * backend reports is allowed for. A wrong backend is a verdict, not an error. */
Status truth_judge(const Truth *truth, Contender *contender, double pass_seconds, Verdict *verdict, Error *error);
/* The mean loss of the reference at weights (K,D) and bias (K) over all rows as the storage holds them (f16: rounded); NAN where that would
 * take too long. */
Status truth_model_loss(const Dataset *dataset, SetosaStorage storage, const float *weights, const double *bias, double *loss,
                        Error *error);

#endif
