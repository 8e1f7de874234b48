/* The maximum of the likelihood (with a penalty: of what was maximised with it), from a model's weights on, and the information there. */
#ifndef SETOSA_INFERENCE_FIT_H
#define SETOSA_INFERENCE_FIT_H

#include "inference/sums.h"

typedef struct Fit {
  const Model *model;
  SumsRequest request;      /* rows, design, classes, base; phi is `phi` */
  double strength;          /* N lambda, of an L2 penalty; 0: none */
  double *phi;              /* (K,width) 0 where a column is left out */
  double *penalty;          /* (width,width), of design_penalty; NULL without one */
  double *direction;        /* (K,width) the last step */
  bool *kept;               /* (width) columns that are estimated: the others follow from these */
  double *follows;          /* (width,width) row d, of one that is left out: the kept columns it is the sum of, with their coefficients */
  size_t *columns;          /* (kept_count) which these are */
  size_t kept_count, order; /* order: (K-1) kept_count, classes other than the base one after another */
  double *information;      /* (order,order) of the data alone */
  double *covariance;       /* (order,order) inverse of the information with the penalty */
  double *weight;           /* (K) sums of the weights of the rows of each class */
  double total_weight;
  double *spread;    /* (width) sums of s u^2 */
  double likelihood; /* log-likelihood */
  bool anew;         /* the model was no start, and its distance is infinite */
  double distance;   /* how far the model was from this maximum: the largest step of a coefficient, in standard errors */
  size_t distance_class, distance_term;
  size_t steps, reads;
} Fit;

/* SETOSA_ERROR_DATA, with what to do, where there is no maximum: a class without rows, classes that are separated. Otherwise the fit is
 * at the maximum. */
Status fit_open(Fit *fit, Error *error);
void fit_close(Fit *fit);
/* The log-likelihood of the shares of the classes alone; without an intercept of equal shares. */
double fit_null(const Fit *fit);

#endif
