/* The first guess of the inverse Hessian that L-BFGS improves: made from rows that are sampled, at a point, and renewed at a few later
 * ones. none      the identity diagonal  1 / (mean of a_k (x_d - mean_d)^2 + l2),  a_k = p_k (1 - p_k) kron      inverse of A (x) G + l2, A
 * (K,K) = mean of diag(p) - p p', G a weighted covariance of the features: two eigendecompositions blocks    inverse of one matrix per
 * class, M_k = mean of a_k v v' + l2, from rows taken by importance; kron until it is worth it Features are seen with their mean taken off,
 * where there is an intercept: for the objective that is the same, and the guess is far better. The matrices are shared by all processes of
 * a job, so that each takes the same steps. */
#ifndef SETOSA_OPTIM_PRECONDITIONER_H
#define SETOSA_OPTIM_PRECONDITIONER_H

#include "compute/objective.h"
#include "optim/state.h"

typedef struct Preconditioner Preconditioner;

typedef struct PreconditionerSettings {
  SetosaPreconditioner kind; /* not AUTO */
  uint64_t seed;
  bool near; /* the start is near the optimum, as after a stage on a part of the rows: blocks are worth it at once */
} PreconditionerSettings;

/* For the objective, which is borrowed; the identity until it is first renewed. */
Status preconditioner_open(Preconditioner **preconditioner, Objective *objective, const PreconditionerSettings *settings, Error *error);
void preconditioner_close(Preconditioner *preconditioner);

/* Another training begins with it: what it is, it stays, until the schedule counts from iteration 0 again. */
void preconditioner_begin_again(Preconditioner *preconditioner);
/* Whether it is to be renewed before this iteration (from 0), according to its schedule. */
bool preconditioner_is_due(const Preconditioner *preconditioner, uint64_t iteration);
/* Makes it anew from the Hessian at w. */
Status preconditioner_renew(Preconditioner *preconditioner, const Vector *w, uint64_t iteration, Error *error);
/* It is the identity; then nothing need be applied. */
bool preconditioner_is_identity(const Preconditioner *preconditioner);
/* out = H0 v; out is not v. */
Status preconditioner_apply(const Preconditioner *preconditioner, Vector *out, const Vector *v, Error *error);

/* Where it was last made, as part of the state of an optimizer; from it the same matrices are made again. */
Status preconditioner_put(const Preconditioner *preconditioner, OptimizerState *state, Error *error);
Status preconditioner_get(Preconditioner *preconditioner, const OptimizerState *state, Error *error);

/* Bytes of its matrices as vectors are kept (f32), for deciding whether they fit. */
double preconditioner_bytes(SetosaPreconditioner kind, size_t features, size_t classes);

#endif
