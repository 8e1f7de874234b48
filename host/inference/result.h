/* The summary that is handed out, and what it owns. */
#ifndef SETOSA_INFERENCE_RESULT_H
#define SETOSA_INFERENCE_RESULT_H

#include "inference/effects.h"
#include "inference/sandwich.h"

typedef struct Result {
  SetosaSummary summary; /* first: setosa_summary_destroy gets it */
  char **class_names, **remarks;
  SetosaSummaryTerm *terms; /* (columns.. term_count) */
  size_t *columns;          /* (term_count) of the design, that the terms are */
  SetosaEstimate *coefficients, *effects;
  double *covariance;
  size_t remark_capacity;
} Result;

/* Terms, classes and sizes; all estimates NAN. */
Status result_create(Result **result, const Fit *fit, Error *error);
/* Coefficients in the units of the source, and their covariances, from those of the fit. covariance (order,order) is changed. */
Status result_coefficients(Result *result, const Fit *fit, double *covariance, Error *error);
Status result_effects(Result *result, const Fit *fit, const Sums *sums, const double *covariance, Error *error);
Status result_remark(Result *result, Error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
