/* The path of penalties. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/cv.h"

static const double USUAL_LEAST = 1e-6, USUAL_MOST = 1;
/* Beside rounding: a weight that is just worth its penalty is none. */
static const double CLEAR = 1 + 1e-5;
/* As glmnet has them: with more rows than features, and with fewer. */
static const double LEAST_OF_MOST = 1e-4, LEAST_OF_MOST_WIDE = 1e-2;

double cv_path_least(const SetosaCvOptions *o) { return isnan(o->path_least) ? USUAL_LEAST : o->path_least; }
double cv_path_most(const SetosaCvOptions *o) { return isnan(o->path_most) ? USUAL_MOST : o->path_most; }
bool cv_path_is_by_data(const SetosaCvOptions *o) {
  return o->l1_ratio > 0 && isnan(o->path_least) && isnan(o->path_most) && o->path_count > 1;
}

/* start (P) = the best model without any weight: the bias is the logarithm of how often a class is met, the one that it is trained towards.
 */
static Status start_without_weights(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = cv->backend;
  size_t classes = backend->classes, weights = classes * backend->features;
  double *met = cv->start + weights, total = 0, smoothing = cv->train.label_smoothing;
  Targets targets;
  for (size_t p = 0; p < backend->parameters; p++) cv->start[p] = 0;
  if (!backend->intercept) return SETOSA_OK;
  TRY(dataset_targets(&targets, cv->dataset, dataset_all(cv->dataset), NULL, error));
  for (size_t i = 0; i < backend->rows; i++) {
    double weight = targets.weights != NULL ? (double)targets.weights[i] : 1;
    met[targets.labels[i]] += weight;
    total += weight;
  }
  for (size_t k = 0; k < classes; k++) met[k] = log(fmax((1 - smoothing) * met[k] / total + smoothing / (double)classes, 1e-30));
cleanup:
  return status;
}

/* The least lambda for which no weight is worth its L1 penalty: the largest derivative by a weight where there is none. */
static Status find_most(double *most, Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = cv->backend;
  Objective objective = {0};
  Vector *gradient = NULL;
  *most = 0;
  TRY(start_without_weights(cv, error));
  TRY(vector_create(backend, &gradient, error));
  TRY(vector_write(backend, cv->w, cv->start, error));
  TRY(objective_open(&objective, backend, &(ObjectiveTerms){.label_smoothing = cv->train.label_smoothing}, error));
  TRY(objective_evaluate(&objective, cv->w, backend_all_rows(backend), gradient, NULL, error));
  TRY(vector_read(backend, gradient, cv->start, error));
  for (size_t p = 0; p < backend->classes * backend->features; p++) *most = fmax(*most, fabs(cv->start[p]) / cv->options->l1_ratio);
  if (!(*most > 0 && isfinite(*most)))
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "no feature says anything about the classes, so that no L1 penalty is small enough; name a path "
                  "with --l2-path LEAST:MOST:COUNT"));
cleanup:
  objective_close(&objective);
  vector_destroy(backend, gradient);
  return status;
}

Status cv_make_path(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  const SetosaCvOptions *o = cv->options;
  double least = cv_path_least(o), most = cv_path_most(o), steps = (double)o->path_count - 1;
  TRY(memory_allocate((void **)&cv->lambda, o->path_count, sizeof *cv->lambda, "the path", error));
  if (cv_path_is_by_data(o)) {
    TRY(find_most(&most, cv, error));
    most *= CLEAR;
    least = most * (cv->backend->rows > cv->backend->features ? LEAST_OF_MOST : LEAST_OF_MOST_WIDE);
  }
  for (size_t j = 0; j < o->path_count; j++)
    cv->lambda[j] = j == 0 ? most : (double)j == steps ? least : most * pow(least / most, (double)j / steps);
cleanup:
  return status;
}

ObjectiveTerms cv_terms(const SetosaCvOptions *o, double lambda) {
  return (ObjectiveTerms){.l1 = o->l1_ratio * lambda, .l2 = (1 - o->l1_ratio) * lambda, .label_smoothing = o->train.label_smoothing};
}
