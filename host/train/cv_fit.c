/* One model of a cross-validation: where it begins, its optimum, how it does on the rows that it has not seen. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "optim/choice.h"
#include "train/cv.h"
#include "train/score.h"
#include "train/train_options.h"

/* ---- where it begins ---------------------------------------------------------------------------------------------- */

/* What a polynomial through the last values, one for each step of the path, has for the next: of degree 0, 1, 2. */
static const double next_of[CV_AGES][CV_AGES] = {{1}, {2, -1}, {3, -3, 1}};

/* Point `age` + 1 before j of the path of all rows. */
static const double *path_before(const Cv *cv, size_t j, size_t age) { return cv->path + (j - 1 - age) * cv->backend->parameters; }

/* How far a polynomial of this degree would have missed point j - 1. */
static double miss(const Cv *cv, size_t j, size_t degree) {
  double sum = 0;
  for (size_t p = 0; p < cv->backend->parameters; p++) {
    double value = path_before(cv, j, 0)[p];
    for (size_t age = 0; age <= degree; age++) value -= next_of[degree][age] * path_before(cv, j - 1, age)[p];
    sum += value * value;
  }
  return sum;
}

/* The degree that did best a step before: steps of a path may be short or long. */
static size_t choose_degree(const Cv *cv, size_t j) {
  size_t best = 0;
  double least = INFINITY;
  if (j == 2) return 1; /* nothing is known yet */
  for (size_t degree = 0; degree < CV_AGES && degree + 2 <= j; degree++) {
    double here = miss(cv, j, degree);
    if (here < least) least = here, best = degree;
  }
  return best;
}

/* Along the path of all rows weights are smooth in the logarithm of lambda, and so is how far those of a fold are from them. With an L1
 * penalty neither holds for the weights that are 0: then the nearest model is the start. */
static void make_start(Cv *cv, size_t fold, size_t j) {
  size_t parameters = cv->backend->parameters;
  const double *here = cv->path + j * parameters;
  bool smooth = cv->options->l1_ratio == 0 && j > 0;
  size_t degree = smooth ? choose_degree(cv, j) : 0;
  for (size_t p = 0; p < parameters; p++) cv->start[p] = fold > 0 ? here[p] : j > 0 && !smooth ? path_before(cv, j, 0)[p] : 0;
  for (size_t age = 0; smooth && age <= degree; age++) {
    const double *before = path_before(cv, j, age), *last = cv_last(cv, fold, age);
    for (size_t p = 0; p < parameters; p++) cv->start[p] += next_of[degree][age] * (fold > 0 ? last[p] - before[p] : before[p]);
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
  size_t number = fit != NULL ? cv->done - 1 : cv->done, fold = cv_fold_of(cv, number);
  SetosaCvProgress progress = {.fit = cv->done,
                               .fits = cv_fits(cv),
                               .fold = fold,
                               .folds = cv->folds,
                               .lambda = cv->lambda[cv_lambda_of(cv, number)],
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

/* One for all models of a lambda, made of all rows where the first of them begins: making it costs more than an iteration, and those of the
 * folds differ little. What a long training has made of it is not for the next one. */
static Status prepare_lambda(Cv *cv, Objective *objective, size_t fold, size_t j, Error *error) {
  Status status = SETOSA_OK;
  const OptimizerSettings *o = &cv->settings;
  PreconditionerSettings settings = {.kind = o->preconditioner, .seed = o->seed, .near = j > 0};
  if (objective->l1 > 0 || o->solver != SETOSA_SOLVER_LBFGS || o->preconditioner == SETOSA_PRECONDITIONER_NONE) return SETOSA_OK;
  if (cv->preconditioner != NULL && cv->prepared == j) return SETOSA_OK;
  preconditioner_close(cv->preconditioner);
  cv->preconditioner = NULL;
  make_start(cv, 0, j);
  TRY(leave_out(cv, 0, error));
  TRY(vector_write(cv->backend, cv->w, cv->start, error));
  TRY(preconditioner_open(&cv->preconditioner, objective, &settings, error));
  TRY(preconditioner_renew(cv->preconditioner, cv->w, 0, error));
  cv->prepared = j;
  make_start(cv, fold, j);
  TRY(leave_out(cv, fold, error));
cleanup:
  return status;
}

static Status minimize(Cv *cv, size_t fold, size_t j, Error *error) {
  Status status = SETOSA_OK;
  Objective objective = {0};
  ObjectiveTerms terms = cv_terms(cv->options, cv->lambda[j]);
  OptimizerSettings settings = cv->settings;
  cv->report = (OptimizerReport){0};
  TRY(objective_open(&objective, cv->backend, &terms, error));
  TRY(prepare_lambda(cv, &objective, fold, j, error));
  TRY(vector_write(cv->backend, cv->w, cv->start, error));
  settings.near = fold > 0 || j > 0;
  settings.kept = cv->preconditioner;
  TRY(optimizer_minimize(&objective, cv->w, &settings, &cv->report, error));
  TRY(cv->callback_status);
  cv->stopped = cv->report.reason == STOP_INTERRUPTED;
cleanup:
  objective_close(&objective);
  return status;
}

Status cv_choose_solver(Cv *cv, Error *error) {
  SolverChoice choice;
  OptimizerSettings settings = train_optimizer_settings(&cv->train);
  const Objective objective = {.backend = cv->backend, .l1 = cv_terms(cv->options, cv->lambda[0]).l1};
  Status status = choice_make(&choice, &objective, &settings, error);
  settings.solver = choice.solver;
  settings.preconditioner = choice.preconditioner;
  settings.uncertified = true;
  settings.observe = on_step;
  settings.stop = on_stop;
  settings.user = cv;
  cv->settings = settings;
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
  size_t fold = cv_fold_of(cv, cv->done), j = cv_lambda_of(cv, cv->done), parameters = cv->backend->parameters;
  CvFit *fit = &cv->fits[cv->done];
  make_start(cv, fold, j);
  TRY(leave_out(cv, fold, error));
  TRY(minimize(cv, fold, j, error));
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
  for (size_t age = CV_AGES - 1; fold > 0 && age > 0; age--)
    memcpy(cv_last(cv, fold, age), cv_last(cv, fold, age - 1), parameters * sizeof *cv->last);
  TRY(vector_read(cv->backend, cv->w, fold == 0 ? cv->path + j * parameters : cv_last(cv, fold, 0), error));
  TRY(score(cv, fold, fit, error));
  cv->done++;
  if (!tell(cv, report->iterations, &report->at, fit)) cv->wishes.stop = true;
cleanup:
  return status;
}
