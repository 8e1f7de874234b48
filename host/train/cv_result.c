/* The table of a cross-validation, with the conventions of glmnet (cv.glmnet with grouped = TRUE). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/cv.h"

void setosa_cv_result_destroy(SetosaCvResult *result) {
  if (result == NULL) return;
  free(result->points);
  free(result->fold_loss);
  free(result->fold_accuracy);
  free(result->fold_weight);
  free(result->fold);
  free(result);
}

static const CvFit *fit_of(const Cv *cv, size_t fold, size_t j) {
  size_t index = j * (cv->folds + 1) + fold;
  return index < cv->done ? &cv->fits[index] : NULL;
}

static bool has_converged(const CvFit *fit) { return fit->reason == STOP_GRADIENT_TOLERANCE || fit->reason == STOP_PRECISION; }

static uint64_t count_nonzeros(const Cv *cv, size_t j) {
  const double *weights = cv->path + j * cv->backend->parameters;
  uint64_t count = 0;
  for (size_t i = 0; i < cv->backend->classes * cv->backend->features; i++) count += weights[i] != 0;
  return count;
}

/* The mean over the folds by their weights, and its standard error: the weighted variance of the folds / (folds - 1). */
static void fill_means(SetosaCvPoint *point, const SetosaCvResult *result, size_t j) {
  double total = 0, loss = 0, accuracy = 0, square = 0;
  for (size_t f = 0; f < result->folds; f++) {
    double weight = result->fold_weight[f];
    total += weight;
    loss += weight * result->fold_loss[f * result->count + j];
    accuracy += weight * result->fold_accuracy[f * result->count + j];
  }
  point->loss = loss / total;
  point->accuracy = accuracy / total;
  for (size_t f = 0; f < result->folds; f++) {
    double distance = result->fold_loss[f * result->count + j] - point->loss;
    square += result->fold_weight[f] * distance * distance;
  }
  point->standard_error = sqrt(square / total / ((double)result->folds - 1));
}

static void fill_point(SetosaCvResult *result, const Cv *cv, size_t j) {
  SetosaCvPoint *point = &result->points[j];
  const CvFit *whole = fit_of(cv, 0, j);
  *point = (SetosaCvPoint){.lambda = cv->lambda[j],
                           .l1 = cv->options->l1_ratio * cv->lambda[j],
                           .l2 = (1 - cv->options->l1_ratio) * cv->lambda[j],
                           .objective = whole != NULL ? whole->objective : NAN,
                           .nonzeros = whole != NULL ? count_nonzeros(cv, j) : 0};
  for (size_t f = 0; f <= cv->folds; f++) {
    const CvFit *fit = fit_of(cv, f, j);
    if (f > 0) result->fold_loss[(f - 1) * cv->count + j] = fit != NULL ? fit->loss : NAN;
    if (f > 0) result->fold_accuracy[(f - 1) * cv->count + j] = fit != NULL ? fit->accuracy : NAN;
    if (fit == NULL) continue;
    point->iterations += (uint64_t)fit->iterations;
    point->unconverged += !has_converged(fit);
  }
  fill_means(point, result, j);
  result->iterations += point->iterations;
  result->unconverged += point->unconverged;
}

/* Lambda falls along the points: of equal losses the largest lambda is the best, and of those within the error, too. */
static void choose(SetosaCvResult *result, SetosaCvChoice choice) {
  for (size_t j = 1; j < result->count; j++)
    if (result->points[j].loss < result->points[result->best].loss) result->best = j;
  double most = result->points[result->best].loss + result->points[result->best].standard_error;
  while (result->points[result->within_error].loss > most) result->within_error++;
  result->chosen = choice == SETOSA_CV_1SE ? result->within_error : result->best;
}

static void fill_facts(SetosaCvResult *result, const Cv *cv) {
  const Backend *b = cv->backend;
  BackendFacts facts = {0};
  backend_facts(b, &facts);
  result->passes = (double)(facts.flops - cv->flops_before) /
                   (4.0 * (double)dataset_entries(cv->dataset, dataset_all(cv->dataset)) * (double)b->classes);
  const CvFit *last = cv->done > 0 ? &cv->fits[cv->done - 1] : NULL;
  result->solver = setosa_solver_name(last != NULL ? (SetosaSolver)last->solver : cv->train.solver);
  result->preconditioner =
      setosa_preconditioner_name(last != NULL ? (SetosaPreconditioner)last->preconditioner : SETOSA_PRECONDITIONER_NONE);
  result->backend = facts.name;
  result->storage = facts.storage != NULL ? facts.storage : "f32";
  result->device_bytes = facts.bytes_held;
  result->chunk_rows = facts.chunk_rows;
  result->checkpoints = cv->keeper.written;
  memcpy(result->checkpoint_error, cv->keeper.failure, sizeof result->checkpoint_error);
  result->checkpoint_status = cv->keeper.failed;
}

Status cv_make_result(SetosaCvResult **result, const Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  SetosaCvResult *made = NULL;
  size_t rows = dataset_shape(cv->dataset).rows, cells = cv->folds * cv->count;
  double unit = dataset_weight_unit(cv->dataset);
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a table", error));
  *made = (SetosaCvResult){.count = cv->count,
                           .folds = cv->folds,
                           .rows = rows,
                           .complete = cv->done == cv_fits(cv),
                           .fits = cv_fits(cv),
                           .fits_done = cv->done,
                           .fits_before = cv->done_before};
  TRY(memory_allocate_zero((void **)&made->points, cv->count, sizeof *made->points, "a table", error));
  TRY(memory_allocate_zero((void **)&made->fold_loss, cells, sizeof(double), "a table", error));
  TRY(memory_allocate_zero((void **)&made->fold_accuracy, cells, sizeof(double), "a table", error));
  TRY(memory_allocate_zero((void **)&made->fold_weight, cv->folds, sizeof(double), "a table", error));
  TRY(memory_allocate((void **)&made->fold, rows, sizeof *made->fold, "folds", error));
  memcpy(made->fold, cv->fold, rows * sizeof *made->fold);
  for (size_t f = 0; f < cv->folds; f++) made->fold_weight[f] = unit * cv->fold_weight[f];
  for (size_t j = 0; j < cv->count; j++) fill_point(made, cv, j);
  if (made->complete) choose(made, cv->options->choice);
  fill_facts(made, cv);
  *result = made;
  made = NULL;
cleanup:
  setosa_cv_result_destroy(made);
  return status;
}
