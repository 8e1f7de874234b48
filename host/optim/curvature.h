/* Approximate Hessians from sampled rows, and their inverses as metrics (backend.h). The mathematics of preconditioner.h. */
#ifndef SETOSA_OPTIM_CURVATURE_H
#define SETOSA_OPTIM_CURVATURE_H

#include "compute/objective.h"
#include "optim/sample.h"

typedef struct CurvatureSettings {
  Backend *backend;   /* borrowed */
  double l2;          /* of the objective, above the weights alone */
  const double *mean; /* (D) taken off the features; NULL without an intercept */
  uint64_t seed, draw;
} CurvatureSettings;

/* The arrays of a form, to be written. */
typedef struct Curvature {
  double *classes, *features, *scale; /* owned; NULL: none */
  size_t feature_count;
} Curvature;
void curvature_free(Curvature *curvature);

/* The curvature along the weight of a feature, of which `own` was measured with its mean off; total: that along the bias. Of a column that
 * is constant but for rounding, whose weight does what the bias does, there is none, and a gradient that is rounding, too: then it is that
 * without the mean off, so that the weight stays where it is. */
double curvature_of_column(double own, double mean, double total);
/* mean (D): the weighted mean of the features over all rows; one pass. */
Status curvature_mean(Backend *backend, double *mean, Error *error);

/* Each fills a zeroed curvature from the Hessian at w. kron and blocks need LAPACK. Only the first of several processes calls them. */
Status curvature_diagonal(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error);
Status curvature_kron(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error);
Status curvature_blocks(Curvature *curvature, const CurvatureSettings *settings, const Vector *w, Error *error);

/* a (K,K), zeroed, becomes the mean of diag(p) - p p' over a sample; weights (its rows) 1 less the sum of p^2, the trace of that of a row.
 */
void curvature_of_classes(double *a, const Sample *sample);
void curvature_row_weights(double *weights, const Sample *sample);

/* grams (K,D+1,D+1), zeroed, become the mean of a_k v v', v = (x - mean, 1), from rows that are chosen by importance. */
Status curvature_of_each_class(double *grams, const CurvatureSettings *settings, const Vector *w, Error *error);

/* What a form of these has, for those that get it from another process. */
size_t curvature_feature_count(SetosaPreconditioner kind, size_t classes);
bool curvature_turns_classes(size_t classes);

#endif
