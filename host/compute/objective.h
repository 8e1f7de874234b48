/* The objective, above the seam: what a training minimises is the data term of a backend with what is added to it here, and nowhere else.
 *
 *   F(w) = L(w) + (l2/2) sum_p r_p w_p^2 + <c, w> + l1 sum_p |w_p|
 *   r: 0 on the bias, which is not penalised; on the weights 1, or with a scale per feature its square (so that the penalty is that of the
 *      weights of features that were divided by it)
 *   c: from label smoothing. Targets (1 - e) onehot(y) + e/K change the loss of a row by e (z_y - mean of z), which is linear in w. The
 *      gradient of L at w = 0 is the mean of x (1/K - onehot(y)), so that the change of the whole is <c, w> with c = -e dL/dw(0): one pass
 *      when the objective is opened, and no kernel knows of it. Mini-batches take the c of all rows, whose expectation is theirs.
 *
 * To add a penalty that is not quadratic, this is the file; the non-smooth part then belongs to the optimizers, as that of l1 does. */
#ifndef SETOSA_COMPUTE_OBJECTIVE_H
#define SETOSA_COMPUTE_OBJECTIVE_H

#include "compute/backend.h"

typedef struct ObjectiveTerms {
  double l2;                   /* strength of the penalty, 0 or more */
  double l1;                   /* of the other, l1 sum_p |w_p| over the weights, which is not smooth: see objective_evaluate_apart */
  double label_smoothing;      /* e, 0 <= e < 1 */
  const double *feature_scale; /* (D) borrowed for the call, each above 0; NULL: 1 everywhere */
} ObjectiveTerms;

typedef struct Evaluation {
  double loss;          /* the data term, label smoothing included */
  double penalty;       /* (l2/2) sum of r w^2 + l1 sum of |w| */
  double objective;     /* loss + penalty */
  double gradient_norm; /* largest |component| of the gradient; NAN when no gradient was asked for */
} Evaluation;

typedef struct Objective {
  Backend *backend;                   /* borrowed; vectors are its own */
  double l1;                          /* with it, of the functions below objective_evaluate_apart alone is for use */
  Addition addition;                  /* its vectors are owned */
  Vector *factors, *linear, *scratch; /* r when it is not 0 and 1; c; r * w on its way. NULL: not needed */
  VectorPair pairs[2];                /* the products of an evaluation, */
  DataTerm data;                      /* and its numbers, when they have come */
  double ww, ws, ss, cw, cs;          /* of the open line: <w,rw>, <w,rs>, <s,rs>, <c,w>, <c,s> */
} Objective;

/* Prepares the terms for a backend, which must outlive the objective. Zero-initialise, so that close may be called after a failure. With
 * label smoothing the data set must have labels; all ranks of a job open theirs together. */
Status objective_open(Objective *objective, Backend *backend, const ObjectiveTerms *terms, Error *error);
void objective_close(Objective *objective);

/* F over the rows and, when gradient is not NULL, its gradient. at NULL: nothing is read back and the call does not wait. */
Status objective_evaluate(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Evaluation *at, Error *error);
/* The same without a wait: its numbers come with the next vector_dots of the backend, before which nothing but vectors other than w may
 * change (DataTerm.later); after it they are put together. */
Status objective_evaluate_later(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Error *error);
void objective_settle(const Objective *objective, Evaluation *at);
/* For steps that take the penalties apart (proximal and implicit ones): the gradient, unless it is NULL, is that of L + <c, w> alone. at,
 * unless it is NULL, is of F, and its gradient_norm (when there is a gradient) the largest component of the shortest subgradient of F: of g
 * + l2 w + l1 sign(w), and where w is 0 of what l1 leaves of g. The scale of features is 1. Reads w and the gradient. */
Status objective_evaluate_apart(Objective *objective, const Vector *w, RowRange rows, Vector *gradient, Evaluation *at, Error *error);
/* out = (Hessian of F at w) v. */
Status objective_hessian_product(Objective *objective, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error);
/* phi(t) = F(w + t s) over all rows, as the line of a backend: one at a time, and w and s must not change while it is open. */
Status objective_line_open(Objective *objective, const Vector *w, const Vector *s, Error *error);
Status objective_line_evaluate(Objective *objective, double step, double *value, double *slope, Error *error);
void objective_line_close(Objective *objective);

#endif
