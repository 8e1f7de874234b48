/* Proximal L-BFGS: passes on the backend, everything else on the host. */
#include "optim/proximal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "optim/common.h"
#include "optim/line_search.h"
#include "optim/proximal_model.h"
#include "optim/stall.h"

enum { PAIRS = 40, HALVINGS = 12, PATIENCE = 10 };
static const double DECREASE = 1e-3; /* part of what the step promises that F must lose */
static const uint64_t schedule[] = {0, 8, 240, 960};
enum { BLOCKS_AT = 40 }; /* the iteration before which blocks take over */

typedef struct Proximal {
  Objective *objective;
  Backend *backend; /* the objective's */
  OptimizerReport *report;
  ProximalModel model;
  Vector *w, *next, *g; /* on the backend: the iterate, the trial, the gradient of the smooth part without l2 at the last evaluated */
  bool leads;           /* the first of several processes makes the steps */
  double *here, *there; /* (P) iterate and trial, of centred features */
  double *g_here, *g_there, *step, *change; /* (P) their gradients; the step; a change of the gradient */
  uint64_t renewed;                         /* the iteration before which the model was last made, + 1 */
  Vector *made_at;                          /* and where */
  bool wants_blocks;
  Stall stall;
} Proximal;

static Status proximal_open(Proximal *p, Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report,
                            Error *error) {
  Status status = SETOSA_OK;
  Backend *b = objective->backend;
  BackendFacts facts = {0};
  backend_facts(b, &facts);
  *p = (Proximal){.objective = objective, .backend = b, .report = report, .w = w, .leads = facts.leads};
  bool diagonal = settings->preconditioner == SETOSA_PRECONDITIONER_DIAGONAL;
  p->wants_blocks = settings->preconditioner == SETOSA_PRECONDITIONER_BLOCKS;
  TRY(proximal_model_open(&p->model, objective, PAIRS, diagonal, settings->seed, error));
  TRY(vector_create(b, &p->next, error));
  TRY(vector_create(b, &p->g, error));
  TRY(vector_create(b, &p->made_at, error));
  double **arrays[] = {&p->here, &p->there, &p->g_here, &p->g_there, &p->step, &p->change};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    TRY(memory_allocate_zero((void **)arrays[i], b->parameters, sizeof(double), "the parameters", error));
cleanup:
  return status;
}

/* `w` is the caller's vector, which the iterations may have swapped with the trial's: it is the one not destroyed. */
static void proximal_close(Proximal *p, const Vector *w) {
  proximal_model_close(&p->model);
  vectors_destroy(p->backend, (Vector *[]){p->w == w ? p->next : p->w, p->g, p->made_at}, 3);
  double *arrays[] = {p->here, p->there, p->g_here, p->g_there, p->step, p->change};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* A vector and the gradient there as the model wants them, from what the backend has rounded. */
static Status bring(Proximal *p, const Vector *w, double *weights, double *gradient, Error *error) {
  Status status = SETOSA_OK;
  TRY(vector_read(p->backend, w, weights, error));
  TRY(vector_read(p->backend, p->g, gradient, error));
  proximal_center_weights(&p->model, weights, 1);
  proximal_center_gradient(&p->model, gradient);
cleanup:
  return status;
}

static Status evaluate(Proximal *p, const Vector *w, Evaluation *at, Error *error) {
  p->report->evaluations++;
  return objective_evaluate_apart(p->objective, w, backend_all_rows(p->backend), p->g, at, error);
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

/* What F loses to first order in its smooth part: <g + l2 w, d> + l1 (|w + d| - |w|). */
static double promise(const Proximal *p) {
  size_t weights = p->backend->classes * p->backend->features;
  double sum = 0;
  for (size_t i = 0; i < p->backend->parameters; i++) {
    double w = p->here[i], d = p->step[i];
    sum += p->g_here[i] * d;
    if (i < weights) sum += p->objective->addition.l2 * w * d + p->objective->l1 * (fabs(w + d) - fabs(w));
  }
  return sum;
}

static Status find_step(Proximal *p, Error *error) {
  Status status = SETOSA_OK;
  if (p->leads) status = proximal_model_step(&p->model, p->g_here, p->here, p->step, error);
  return backend_broadcast(p->backend, status, p->backend->parameters, p->step, error);
}

/* The trial: the iterate and `part` of the step, rounded as the backend rounds. */
static Status make_trial(Proximal *p, double part, Error *error) {
  for (size_t i = 0; i < p->backend->parameters; i++) p->there[i] = p->here[i] + part * p->step[i];
  proximal_center_weights(&p->model, p->there, -1);
  return vector_write(p->backend, p->next, p->there, error);
}

static void accept(Proximal *p, const Evaluation *at) {
  size_t count = p->backend->parameters;
  for (size_t i = 0; i < count; i++) {
    p->step[i] = p->there[i] - p->here[i];
    p->change[i] = p->g_there[i] - p->g_here[i];
  }
  proximal_model_add(&p->model, p->step, p->change);
  memcpy(p->here, p->there, count * sizeof *p->here);
  memcpy(p->g_here, p->g_there, count * sizeof *p->g_here);
  Vector *kept = p->w;
  p->w = p->next;
  p->next = kept;
  p->report->at = *at;
}

/* Where F cannot tell any more, the subgradient decides. */
static bool is_low_enough(const Proximal *p, const Evaluation *at, double part, double promised) {
  const Evaluation *before = &p->report->at;
  double noise = LINE_NOISE * fabs(before->objective);
  if (!evaluation_is_finite(at)) return false;
  if (at->objective <= before->objective + DECREASE * part * promised) return true;
  return -promised <= noise && at->objective <= before->objective + noise && at->gradient_norm <= before->gradient_norm;
}

static Status take_step(Proximal *p, double promised, double *part, bool *accepted, Error *error) {
  Status status = SETOSA_OK;
  *part = 1;
  *accepted = false;
  for (int trial = 0; trial < HALVINGS; trial++) {
    Evaluation at = {0};
    if (trial > 0) *part *= 0.5;
    TRY(make_trial(p, *part, error));
    TRY(evaluate(p, p->next, &at, error));
    *accepted = is_low_enough(p, &at, *part, promised);
    if (!*accepted) continue;
    TRY(bring(p, p->next, p->there, p->g_there, error));
    accept(p, &at);
    break;
  }
cleanup:
  return status;
}

/* ---- the model -------------------------------------------------------------------------------------------------- */

static bool is_due(const Proximal *p) {
  if (p->renewed > p->report->iterations) return false;
  if (p->wants_blocks && p->report->iterations == BLOCKS_AT) return true;
  for (size_t i = 0; i < sizeof schedule / sizeof *schedule; i++)
    if (schedule[i] == p->report->iterations) return true;
  return false;
}

static Status renew_at(Proximal *p, const Vector *w, uint64_t iteration, Error *error) {
  Status status = SETOSA_OK;
  if (p->leads)
    status =
        (p->wants_blocks && iteration >= BLOCKS_AT ? proximal_model_make_blocks : proximal_model_renew)(&p->model, w, iteration, error);
  TRY(backend_broadcast(p->backend, status, 0, NULL, error));
  TRY(vector_copy(p->backend, p->made_at, w, error));
  p->renewed = iteration + 1;
cleanup:
  return status;
}

/* ---- the state that is kept ------------------------------------------------------------------------------------- */

static Status keep_state(Proximal *p, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerState state = {0};
  size_t count = p->backend->parameters;
  double renewed = (double)p->renewed, pairs = (double)p->model.pairs;
  TRY(report_put(&state, p->report, error));
  TRY(stall_put(&state, &p->stall, error));
  TRY(state_put(&state, "renewed", 1, &renewed, error));
  TRY(state_put(&state, "pairs", 1, &pairs, error));
  TRY(state_put(&state, "s", p->model.pairs * count, p->model.s, error));
  TRY(state_put(&state, "y", p->model.pairs * count, p->model.y, error));
  TRY(state_put_vector(&state, p->backend, "w", p->w, error));
  TRY(state_put(&state, "g", count, p->g_here, error));
  TRY(state_put_vector(&state, p->backend, "made_at", p->made_at, error));
  TRY(settings->keep(&state, settings->user, error));
cleanup:
  state_free(&state);
  return status;
}

static Status load_state(Proximal *p, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  size_t count = p->backend->parameters;
  uint64_t renewed = 0, pairs = 0;
  TRY(report_get(state, p->report, error));
  TRY(stall_get(state, &p->stall, error));
  TRY(state_get_count(state, "renewed", p->report->iterations + 1, &renewed, error));
  TRY(state_get_count(state, "pairs", p->model.most, &pairs, error));
  TRY(state_get(state, "s", (size_t)pairs * count, p->model.s, error));
  TRY(state_get(state, "y", (size_t)pairs * count, p->model.y, error));
  p->model.pairs = (size_t)pairs;
  p->model.current = 0;
  TRY(state_get_vector(state, p->backend, "w", p->w, error));
  TRY(state_get_vector(state, p->backend, "made_at", p->next, error));
  if (renewed > 0) TRY(renew_at(p, p->next, renewed - 1, error));
  TRY(vector_read(p->backend, p->w, p->here, error));
  proximal_center_weights(&p->model, p->here, 1);
  TRY(state_get(state, "g", count, p->g_here, error));
cleanup:
  return status;
}

/* ---- the iterations --------------------------------------------------------------------------------------------- */

static Status iterate(Proximal *p, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerReport *report = p->report;
  for (;;) {
    double part = 0;
    bool accepted = false;
    if (is_due(p)) TRY(renew_at(p, p->w, report->iterations, error));
    TRY(find_step(p, error));
    double promised = promise(p);
    report->decrement = -promised;
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (optimizer_is_there(settings, report)) return SETOSA_OK;
    report->reason = STOP_NO_PROGRESS;
    if (stall_is_over(&p->stall, PATIENCE)) return SETOSA_OK;
    report->reason = STOP_MAX_ITERATIONS;
    if (report->iterations >= settings->max_iterations) return SETOSA_OK;
    if (promised < 0) TRY(take_step(p, promised, &part, &accepted, error));
    report->reason = STOP_NO_PROGRESS;
    if (!accepted) {
      if (p->model.pairs == 0) return SETOSA_OK;
      p->model.pairs = p->model.current = 0; /* once more with the rows' curvature alone */
      continue;
    }
    report->iterations++;
    stall_watch(&p->stall, report);
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(settings, report, p->w, part) || optimizer_should_stop(settings)) return SETOSA_OK;
    if (optimizer_keep_is_due(settings, report->iterations)) TRY(keep_state(p, settings, error));
  }
cleanup:
  return status;
}

Status proximal_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Proximal p;
  report->reason = STOP_NON_FINITE;
  TRY(proximal_open(&p, objective, w, settings, report, error));
  if (settings->resume != NULL) {
    TRY(load_state(&p, settings->resume, error));
  } else {
    TRY(evaluate(&p, p.w, &report->at, error));
    if (!evaluation_is_finite(&report->at)) goto cleanup;
    TRY(bring(&p, p.w, p.here, p.g_here, error));
    stall_begin(&p.stall, report);
  }
  TRY(iterate(&p, settings, error));
  if (optimizer_keeps_end(settings, report->reason)) TRY(keep_state(&p, settings, error));
  if (p.w != w) TRY(vector_copy(objective->backend, w, p.w, error));
cleanup:
  proximal_close(&p, w);
  return status;
}
