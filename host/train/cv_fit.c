/* One model of a cross-validation: where it begins, its optimum, how it does on the rows that it has not seen. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "train/cv.h"
#include "train/score.h"
#include "train/train_options.h"

/* ---- where it begins ---------------------------------------------------------------------------------------------- */

/* Along the path of all rows weights are nearly linear in the logarithm of lambda; those of a fold keep their distance from them. With an
 * L1 penalty neither holds for the weights that are 0: then the nearest model is the start. */
static void make_start(Cv *cv, size_t fold, size_t j) {
  size_t parameters = cv->backend->parameters;
  const double *here = cv->path + j * parameters, *before = here - parameters, *earlier = before - parameters;
  bool smooth = cv->options->l1_ratio == 0;
  if (fold == 0 && j == 0) {
    memset(cv->start, 0, parameters * sizeof *cv->start);
  } else if (fold == 0) {
    for (size_t p = 0; p < parameters; p++) cv->start[p] = smooth && j > 1 ? 2 * before[p] - earlier[p] : before[p];
  } else {
    for (size_t p = 0; p < parameters; p++) cv->start[p] = smooth && j > 0 ? here[p] + (cv->last[p] - before[p]) : here[p];
  }
}

/* The backend sees all rows but those of the fold (from 1; 0: of none). */
static Status leave_out(Cv *cv, size_t fold, Error *error) {
  if (cv->weighed == fold) return SETOSA_OK;
  for (size_t i = 0; i < cv->backend->rows; i++) cv->factors[i] = (size_t)cv->fold[i] + 1 == fold ? 0 : 1;
  Status status = backend_reweigh(cv->backend, fold > 0 ? cv->factors : NULL, error);
  if (status == SETOSA_OK) cv->weighed = fold;
  return status;
}

/* ---- while it runs ------------------------------------------------------------------------------------------------ */

static bool tell(Cv *cv, uint64_t iteration, const Evaluation *at, const CvFit *fit) {
  size_t number = fit != NULL ? cv->done - 1 : cv->done, fold = number / cv->count;
  SetosaCvProgress progress = {.fit = cv->done,
                               .fits = cv_fits(cv),
                               .fold = fold,
                               .folds = cv->folds,
                               .lambda = cv->lambda[number % cv->count],
                               .iteration = iteration,
                               .objective = at->objective,
                               .gradient_norm = at->gradient_norm,
                               .fitted = fit != NULL,
                               .loss = fit != NULL && fold > 0 ? fit->loss : NAN,
                               .accuracy = fit != NULL && fold > 0 ? fit->accuracy : NAN,
                               .seconds = clock_seconds() - cv->began};
  if (cv->options->progress == NULL || ranks_rank(cv->ranks) != 0) return true;
  return cv->options->progress(&progress, cv->train.progress_user);
}

static bool on_step(const OptimizerStep *step, const Vector *w, void *user) {
  Cv *cv = user;
  (void)w;
  cv->wishes.must_ask = true;
  bool goes_on = tell(cv, step->iteration, &step->at, NULL);
  if (!goes_on) cv->wishes.stop = true;
  return goes_on || cv->ranks != NULL;
}

static bool on_stop(void *user) {
  Cv *cv = user;
  bool stop = cv->wishes.stop || (cv->train.stop != NULL && cv->train.stop(cv->train.progress_user));
  if (cv->ranks == NULL) return stop;
  cv->callback_status = job_ask(&cv->wishes, &stop, false, cv->error);
  return stop || cv->callback_status != SETOSA_OK;
}

static Status minimize(Cv *cv, double lambda, bool near, Error *error) {
  Status status = SETOSA_OK;
  Objective objective = {0};
  ObjectiveTerms terms = cv_terms(cv->options, lambda);
  OptimizerSettings settings = train_optimizer_settings(&cv->train);
  settings.near = near;
  settings.observe = on_step;
  settings.stop = on_stop;
  settings.user = cv;
  cv->report = (OptimizerReport){0};
  TRY(vector_write(cv->backend, cv->w, cv->start, error));
  TRY(objective_open(&objective, cv->backend, &terms, error));
  TRY(optimizer_minimize(&objective, cv->w, &settings, &cv->report, error));
  TRY(cv->callback_status);
  cv->stopped = cv->report.reason == STOP_INTERRUPTED;
cleanup:
  objective_close(&objective);
  return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static Status score(Cv *cv, size_t fold, CvFit *fit, Error *error) {
  double lap = clock_seconds();
  Status status = SETOSA_OK;
  if (fold > 0) status = score_rows(cv->backend, cv->w, cv->dataset, cv->factors, cv->ranks, &fit->accuracy, &fit->loss, error);
  cv->seconds_score += clock_lap(&lap);
  return status;
}

Status cv_fit_next(Cv *cv, Error *error) {
  Status status = SETOSA_OK;
  cv->error = error;
  cv->wishes.must_ask = true;
  cv->stopped = on_stop(cv);
  if (cv->stopped) return cv->callback_status;
  size_t fold = cv->done / cv->count, j = cv->done % cv->count, parameters = cv->backend->parameters;
  CvFit *fit = &cv->fits[cv->done];
  make_start(cv, fold, j);
  TRY(leave_out(cv, fold, error));
  TRY(minimize(cv, cv->lambda[j], cv->done > 0, error));
  if (cv->stopped) goto cleanup;
  const OptimizerReport *report = &cv->report;
  *fit = (CvFit){.objective = report->at.objective,
                 .training_loss = report->at.loss,
                 .gradient_norm = report->at.gradient_norm,
                 .iterations = (double)report->iterations,
                 .evaluations = (double)report->evaluations,
                 .reason = (double)report->reason,
                 .solver = (double)report->solver,
                 .preconditioner = (double)report->preconditioner};
  TRY(vector_read(cv->backend, cv->w, fold == 0 ? cv->path + j * parameters : cv->last, error));
  TRY(score(cv, fold, fit, error));
  cv->done++;
  if (!tell(cv, report->iterations, &report->at, fit)) cv->wishes.stop = true;
cleanup:
  return status;
}
