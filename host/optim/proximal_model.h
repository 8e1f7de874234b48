/* The quadratic that proximal L-BFGS takes the smooth part of F for. */
#ifndef SETOSA_OPTIM_PROXIMAL_MODEL_H
#define SETOSA_OPTIM_PROXIMAL_MODEL_H

#include "compute/objective.h"
#include "optim/descent.h"

/* A (x) G from sampled rows, and pairs of steps and changes of the gradient, all of features with their mean off. Vectors (P) on the host.
 */
typedef struct ProximalModel {
  Backend *backend; /* borrowed */
  double l1, l2;
  uint64_t seed;
  bool dense;         /* G is a matrix; else its diagonal */
  bool blocks;        /* a matrix of each class has taken the place of A (x) G */
  double *mean;       /* (D); 0 without an intercept */
  double *a, *gram;   /* A (K,K); G (D+1,D+1) or NULL, or a block for each class */
  double *diagonal;   /* (D+1) of G, or of each block */
  size_t most, pairs; /* pairs at most, and now */
  double *s, *y, *bs; /* (most,P), oldest first: steps, changes of the gradient, and A (x) G times the steps */
  size_t current;     /* so many of bs are of this A and G */
} ProximalModel;

/* For at most `pairs` pairs. Zero-initialise, so that close may be called after a failure. diagonal: G is one. */
Status proximal_model_open(ProximalModel *model, Objective *objective, size_t pairs, bool diagonal, uint64_t seed, Error *error);
void proximal_model_close(ProximalModel *model);
/* A and G anew from rows at w; draw tells samples apart. The first process of a job alone. */
Status proximal_model_renew(ProximalModel *model, const Vector *w, uint64_t draw, Error *error);
/* The same with a block for each class, from rows where it is uncertain. */
Status proximal_model_make_blocks(ProximalModel *model, const Vector *w, uint64_t draw, Error *error);
/* Takes in a pair, unless there is no curvature along it. */
void proximal_model_add(ProximalModel *model, const double *s, const double *y);
/* d (P): the step from w, where the smooth part without l2 has this gradient. */
Status proximal_model_step(ProximalModel *model, const double *gradient, const double *w, double *d, Error *error);

/* Weights and bias of features as they are, and of centred ones: the bias differs. sign 1: to centred. Gradients: from those as they are.
 */
void proximal_center_weights(const ProximalModel *model, double *w, double sign);
void proximal_center_gradient(const ProximalModel *model, double *gradient);

#endif
