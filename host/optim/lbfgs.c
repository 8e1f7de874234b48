/* L-BFGS from a first guess of the inverse Hessian (preconditioner.h). The first trial of each step is one fused loss + gradient, one read
 * of X; only when it is refused does the line search (line_search.c) run. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "optim/common.h"
#include "optim/lbfgs_memory.h"
#include "optim/line_search.h"
#include "optim/stall.h"

/* Half the slope of the step is what F loses where the memory knows the curvature; of the rest it sees about a fifth: F was 3 to 6 times
 * that above the optimum on Fashion-MNIST, P4 and P5 of bench/solvers (bench/LOG.md). */
static const double UNSEEN = 4;

enum { PATIENCE = 20 };

typedef struct Lbfgs {
  Objective *objective;
  Backend *backend;                     /* the objective's */
  Preconditioner *preconditioner, *own; /* own: to be closed, NULL where it is the caller's */
  LbfgsMemory memory;
  LbfgsPoint now, next; /* next: the trial; where H0 is the identity their h is g */
  Vector *h[2];         /* NULL where it is */
  Vector *direction;
  uint64_t renewed; /* the iteration before which H0 was last made anew, + 1 */
  Stall stall;
  OptimizerReport *report;
} Lbfgs;

static Status lbfgs_open(Lbfgs *l, Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report,
                         Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  PreconditionerSettings first = {.kind = settings->preconditioner, .seed = settings->seed, .near = settings->near};
  *l = (Lbfgs){.objective = objective, .backend = backend, .report = report, .now = {.w = w}};
  if (settings->kept == NULL) TRY(preconditioner_open(&l->own, objective, &first, error));
  l->preconditioner = settings->kept != NULL ? settings->kept : l->own;
  preconditioner_begin_again(l->preconditioner);
  TRY(memory_open(&l->memory, backend, l->preconditioner, settings->history, error));
  TRY(vector_create(backend, &l->next.w, error));
  TRY(vector_create(backend, &l->now.g, error));
  TRY(vector_create(backend, &l->next.g, error));
  TRY(vector_create(backend, &l->direction, error));
  l->now.h = l->now.g;
  l->next.h = l->next.g;
cleanup:
  return status;
}

/* `w` is the caller's vector, which the iterations may have swapped with the trial's: it is the one not destroyed. */
static void lbfgs_close(Lbfgs *l, const Vector *w) {
  memory_close(&l->memory);
  vector_destroy(l->backend, l->now.w == w ? l->next.w : l->now.w);
  vectors_destroy(l->backend, (Vector *[]){l->now.g, l->next.g, l->direction, l->h[0], l->h[1]}, 5);
  preconditioner_close(l->own);
}

/* H0 is no longer the identity: from here on h is a vector of its own. */
static Status keep_h_apart(Lbfgs *l, Error *error) {
  Status status = SETOSA_OK;
  if (preconditioner_is_identity(l->preconditioner) || l->h[0] != NULL) return SETOSA_OK;
  TRY(vectors_create(l->backend, l->h, 2, error));
  l->now.h = l->h[0];
  l->next.h = l->h[1];
cleanup:
  return status;
}

static Status renew(Lbfgs *l, Error *error) {
  Status status = SETOSA_OK;
  TRY(preconditioner_renew(l->preconditioner, l->now.w, l->report->iterations, error));
  l->renewed = l->report->iterations + 1;
  TRY(keep_h_apart(l, error));
  TRY(memory_renew(&l->memory, &l->now, error));
cleanup:
  return status;
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

/* Evaluates F at now + step * direction, one read of X, and what the next direction would be made of there; all numbers come home with the
 * inner products. */
static Status try_step(Lbfgs *l, double step, Evaluation *at, LinePoint *point, Error *error) {
  Status status = SETOSA_OK;
  TRY(vector_add_scaled(l->backend, l->next.w, l->now.w, step, l->direction, error));
  TRY(objective_evaluate_later(l->objective, l->next.w, backend_all_rows(l->backend), l->next.g, error));
  l->report->evaluations++;
  TRY(memory_try(&l->memory, &l->now, &l->next, error));
  objective_settle(l->objective, at);
  *point = (LinePoint){step, at->objective, evaluation_is_finite(at) ? memory_next_slope(&l->memory) / step : NAN};
cleanup:
  return status;
}

static void accept_step(Lbfgs *l, const Evaluation *at) {
  LbfgsPoint kept = l->now;
  l->now = l->next;
  l->next = kept;
  memory_accept(&l->memory, l->objective->addition.l2);
  l->report->at = *at;
}

/* One step along the direction. *accepted false: no step of it lowers F in this arithmetic. */
static Status take_step(Lbfgs *l, double slope, double *step, bool *accepted, Error *error) {
  Status status = SETOSA_OK;
  LinePoint start = {0.0, l->report->at.objective, slope}, point = {0};
  Evaluation at = {0};
  /* Without curvature known, a step of length 1 at most; with it, the quasi-Newton step. */
  bool blind = l->memory.pairs == 0 && preconditioner_is_identity(l->preconditioner);
  *step = blind ? fmin(1.0, 1.0 / sqrt(l->memory.products.gh)) : 1.0;
  TRY(try_step(l, *step, &at, &point, error));
  *accepted = line_accepts(start, point);
  if (!*accepted) {
    LinePoint found = {0};
    bool success = false;
    TRY(line_search(l->objective, l->now.w, l->direction, start, point, &found, &success, error));
    l->report->evaluations++;
    if (!success || (!blind && found.step < SHORTEST_STEP)) goto cleanup;
    *step = found.step;
    TRY(try_step(l, *step, &at, &point, error));
    *accepted = evaluation_is_finite(&at) && at.objective <= start.value + LINE_NOISE * fabs(start.value);
  }
  if (*accepted) accept_step(l, &at);
cleanup:
  return status;
}

/* ---- the state that is kept ------------------------------------------------------------------------------------- */

static Status save_state(Lbfgs *l, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  double renewed = (double)l->renewed;
  TRY(report_put(state, l->report, error));
  TRY(stall_put(state, &l->stall, error));
  TRY(state_put(state, "renewed", 1, &renewed, error));
  TRY(preconditioner_put(l->preconditioner, state, error));
  TRY(state_put_vector(state, l->backend, "w", l->now.w, error));
  TRY(state_put_vector(state, l->backend, "g", l->now.g, error));
  if (l->now.h != l->now.g) TRY(state_put_vector(state, l->backend, "h", l->now.h, error));
  TRY(memory_put(&l->memory, state, error));
cleanup:
  return status;
}

static Status load_state(Lbfgs *l, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  TRY(report_get(state, l->report, error));
  TRY(stall_get(state, &l->stall, error));
  TRY(state_get_count(state, "renewed", l->report->iterations + 1, &l->renewed, error));
  TRY(preconditioner_get(l->preconditioner, state, error));
  TRY(keep_h_apart(l, error));
  TRY(state_get_vector(state, l->backend, "w", l->now.w, error));
  TRY(state_get_vector(state, l->backend, "g", l->now.g, error));
  if (l->now.h != l->now.g) TRY(state_get_vector(state, l->backend, "h", l->now.h, error));
  TRY(memory_get(&l->memory, state, error));
cleanup:
  return status;
}

static Status keep_state(Lbfgs *l, const OptimizerSettings *settings, Error *error) {
  OptimizerState state = {0};
  Status status = save_state(l, &state, error);
  if (status == SETOSA_OK) status = settings->keep(&state, settings->user, error);
  state_free(&state);
  return status;
}

/* ---- the iterations --------------------------------------------------------------------------------------------- */

/* Another guess, or none, where the last led to no step: *goes_on false when there is nothing left to try. */
static Status try_otherwise(Lbfgs *l, bool *goes_on, Error *error) {
  *goes_on = true;
  if (!preconditioner_is_identity(l->preconditioner) && l->renewed != l->report->iterations + 1) {
    memory_forget(&l->memory);
    return renew(l, error);
  }
  *goes_on = l->memory.pairs > 0; /* else it was not even steepest descent */
  memory_forget(&l->memory);
  return SETOSA_OK;
}

static Status iterate(Lbfgs *l, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerReport *report = l->report;
  for (;;) {
    double slope = 0.0, step = 0.0;
    bool accepted = false, goes_on = false;
    if (preconditioner_is_due(l->preconditioner, report->iterations)) TRY(renew(l, error));
    TRY(memory_direction(&l->memory, &l->now, l->direction, &slope, error));
    /* A multiple of the identity is no model of what the memory has not seen. */
    report->decrement = preconditioner_is_identity(l->preconditioner) ? NAN : -0.5 * UNSEEN * slope;
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (optimizer_is_there(settings, report)) return SETOSA_OK;
    report->reason = STOP_NO_PROGRESS;
    if (stall_is_over(&l->stall, PATIENCE)) return SETOSA_OK;
    report->reason = STOP_MAX_ITERATIONS;
    if (report->iterations >= settings->max_iterations) return SETOSA_OK;
    TRY(take_step(l, slope, &step, &accepted, error));
    report->reason = STOP_NO_PROGRESS;
    if (!accepted) {
      TRY(try_otherwise(l, &goes_on, error));
      if (!goes_on) return SETOSA_OK;
      continue;
    }
    report->iterations++;
    stall_watch(&l->stall, report);
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(settings, report, l->now.w, step) || optimizer_should_stop(settings)) return SETOSA_OK;
    if (optimizer_keep_is_due(settings, report->iterations)) TRY(keep_state(l, settings, error));
  }
cleanup:
  return status;
}

/* Softmax does not see what the weights of all classes have in common, and metrics leave it alone: it is taken off the start. That changes
 * no probability, and lowers the penalty. */
static Status take_mean_off(Lbfgs *l, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = l->backend->classes, features = l->backend->features;
  double *values = NULL;
  bool moved = false;
  TRY(memory_allocate((void **)&values, l->backend->parameters, sizeof *values, "the parameters", error));
  TRY(vector_read(l->backend, l->now.w, values, error));
  for (size_t d = 0; d < features; d++) {
    double mean = 0;
    for (size_t k = 0; k < classes; k++) mean += values[k * features + d] / (double)classes;
    for (size_t k = 0; k < classes && mean != 0; k++) values[k * features + d] -= mean;
    moved = moved || mean != 0;
  }
  if (moved) TRY(vector_write(l->backend, l->now.w, values, error));
cleanup:
  free(values);
  return status;
}

/* The starting point: w as it is, or what a state says. */
static Status begin(Lbfgs *l, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  if (settings->resume != NULL) return load_state(l, settings->resume, error);
  TRY(vector_copy(l->backend, l->next.w, l->now.w, error)); /* a start that overflows stays as it is */
  if (settings->preconditioner != SETOSA_PRECONDITIONER_NONE) TRY(take_mean_off(l, error));
  TRY(keep_h_apart(l, error));
  TRY(objective_evaluate(l->objective, l->now.w, backend_all_rows(l->backend), l->now.g, &l->report->at, error));
  l->report->evaluations++;
  if (!evaluation_is_finite(&l->report->at)) return vector_copy(l->backend, l->now.w, l->next.w, error);
  TRY(memory_begin(&l->memory, &l->now, error));
  stall_begin(&l->stall, l->report);
cleanup:
  return status;
}

Status lbfgs_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Lbfgs l;
  report->reason = STOP_NON_FINITE;
  TRY(lbfgs_open(&l, objective, w, settings, report, error));
  TRY(begin(&l, settings, error));
  if (!evaluation_is_finite(&report->at)) goto cleanup;
  TRY(iterate(&l, settings, error));
  if (optimizer_keeps_end(settings, report->reason)) TRY(keep_state(&l, settings, error));
  if (l.now.w != w) TRY(vector_copy(objective->backend, w, l.now.w, error));
cleanup:
  lbfgs_close(&l, w);
  return status;
}
