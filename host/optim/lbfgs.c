/* L-BFGS, vector-free: the history lives with the backend, and one vector_dots call an iteration brings home every inner product that
 * the next direction needs (lbfgs_direction.c). The first trial of each step is one fused loss + gradient, one read of X; only
 * when it is refused does the line search (line_search.c) run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "optim/common.h"
#include "optim/lbfgs_direction.h"
#include "optim/line_search.h"

/* A pair is kept when <s,y> > this * |s||y|: less is rounding, and would make the inverse Hessian huge. */
static const double SMALLEST_COSINE = 1e-8;
/* Stop when so many iterations together lowered neither F by this part nor the gradient by that one: the arithmetic is exhausted. */
enum { PATIENCE = 20 };
static const double OBJECTIVE_PROGRESS = 1e-9, GRADIENT_PROGRESS = 0.9;

typedef struct Lbfgs {
  Objective *objective;
  Backend *backend;                            /* the objective's */
  Vector *w, *w_next, *g, *g_next, *direction; /* _next: at the trial point */
  Vector **s, **y;                             /* (slots), created when first used */
  LbfgsProducts products;
  double *next_sg, *next_yg, next_gg; /* products of g_next, taken over when the trial is accepted */
  double next_ss;
  LbfgsCoefficients coefficients;
  size_t *order, pairs; /* slots in use, oldest first */
  size_t candidate;     /* the free slot that the trial fills */
  VectorPair *dot_pairs;
  double *dots, **dot_targets; /* where each product belongs */
  size_t dot_count;
  double *terms; /* (2 slots + 1) coefficients and their vectors, for vector_combine */
  const Vector **term_vectors;
  double *numbers; /* the one block that every array of doubles above is cut from */
  OptimizerReport *report;
} Lbfgs;

/* Cuts `count` numbers off the block at *next. */
static double *take_numbers(double **next, size_t count) {
  double *taken = *next;
  *next += count;
  return taken;
}

/* Places for one more pair than the history keeps: a trial must not overwrite the oldest before it is accepted. */
static Status lbfgs_open(Lbfgs *l, Objective *objective, Vector *w, size_t history, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  size_t n = history + 1, dots = 5 * n + 1, terms = 2 * n + 1;
  Backend *backend = objective->backend;
  *l = (Lbfgs){.objective = objective, .backend = backend, .w = w, .report = report, .products = {.slots = n}};
  TRY(memory_allocate_zero((void **)&l->s, n, sizeof *l->s, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->y, n, sizeof *l->y, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->order, n, sizeof *l->order, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->dot_pairs, dots, sizeof *l->dot_pairs, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->dot_targets, dots, sizeof *l->dot_targets, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->term_vectors, terms, sizeof *l->term_vectors, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&l->numbers, 2 * n * n + 6 * n + dots + terms, sizeof(double), "the L-BFGS history", error));
  double *next = l->numbers;
  l->products.sy = take_numbers(&next, n * n);
  l->products.yy = take_numbers(&next, n * n);
  l->products.sg = take_numbers(&next, n);
  l->products.yg = take_numbers(&next, n);
  l->next_sg = take_numbers(&next, n);
  l->next_yg = take_numbers(&next, n);
  l->coefficients.s = take_numbers(&next, n);
  l->coefficients.y = take_numbers(&next, n);
  l->dots = take_numbers(&next, dots);
  l->terms = take_numbers(&next, terms);
  TRY(vector_create(backend, &l->w_next, error));
  TRY(vector_create(backend, &l->g, error));
  TRY(vector_create(backend, &l->g_next, error));
  TRY(vector_create(backend, &l->direction, error));
cleanup:
  return status;
}

/* `w` is the caller's vector, which the iterations may have swapped with w_next: it is the one not destroyed. */
static void lbfgs_close(Lbfgs *l, const Vector *w) {
  vector_destroy(l->backend, l->w == w ? l->w_next : l->w);
  vectors_destroy(l->backend, (Vector *[]){l->g, l->g_next, l->direction}, 3);
  if (l->s != NULL) vectors_destroy(l->backend, l->s, l->products.slots);
  if (l->y != NULL) vectors_destroy(l->backend, l->y, l->products.slots);
  void *arrays[] = {l->s, l->y, l->order, l->dot_pairs, l->dot_targets, l->term_vectors, l->numbers};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

static void swap_vectors(Vector **a, Vector **b) {
  Vector *kept = *a;
  *a = *b;
  *b = kept;
}

static void want_dot(Lbfgs *l, const Vector *a, const Vector *b, double *target) {
  l->dot_pairs[l->dot_count] = (VectorPair){.a = a, .b = b};
  l->dot_targets[l->dot_count++] = target;
}

static Status compute_dots(Lbfgs *l, Error *error) {
  Status status = vector_dots(l->backend, l->dot_count, l->dot_pairs, l->dots, error);
  for (size_t i = 0; status == SETOSA_OK && i < l->dot_count; i++) *l->dot_targets[i] = l->dots[i];
  l->dot_count = 0;
  return status;
}

/* Every new inner product after a trial: those of the candidate pair and of g_next, with themselves and with the history. */
static Status compute_new_products(Lbfgs *l, Error *error) {
  size_t n = l->products.slots, c = l->candidate;
  const Vector *s = l->s[c], *y = l->y[c];
  for (size_t r = 0; r < l->pairs; r++) {
    size_t i = l->order[r];
    want_dot(l, l->s[i], y, &l->products.sy[i * n + c]);
    want_dot(l, s, l->y[i], &l->products.sy[c * n + i]);
    want_dot(l, l->y[i], y, &l->products.yy[i * n + c]);
    want_dot(l, l->s[i], l->g_next, &l->next_sg[i]);
    want_dot(l, l->y[i], l->g_next, &l->next_yg[i]);
  }
  want_dot(l, s, y, &l->products.sy[c * n + c]);
  want_dot(l, y, y, &l->products.yy[c * n + c]);
  want_dot(l, s, s, &l->next_ss);
  want_dot(l, s, l->g_next, &l->next_sg[c]);
  want_dot(l, y, l->g_next, &l->next_yg[c]);
  want_dot(l, l->g_next, l->g_next, &l->next_gg);
  Status status = compute_dots(l, error);
  for (size_t r = 0; status == SETOSA_OK && r < l->pairs; r++) l->products.yy[c * n + l->order[r]] = l->products.yy[l->order[r] * n + c];
  return status;
}

/* Evaluates F at w + step * direction, one read of X. s = w_next - w as stored, not step * direction: y belongs to what was done. */
static Status try_step(Lbfgs *l, double step, Evaluation *at, LinePoint *point, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = l->backend;
  size_t c = l->candidate;
  TRY(vector_add_scaled(backend, l->w_next, l->w, step, l->direction, error));
  TRY(objective_evaluate(l->objective, l->w_next, backend_all_rows(backend), l->g_next, at, error));
  l->report->evaluations++;
  *point = (LinePoint){step, at->objective, NAN};
  if (!evaluation_is_finite(at)) return SETOSA_OK;
  if (l->s[c] == NULL) TRY(vector_create(backend, &l->s[c], error));
  if (l->y[c] == NULL) TRY(vector_create(backend, &l->y[c], error));
  TRY(vector_add_scaled(backend, l->s[c], l->w_next, -1.0, l->w, error));
  TRY(vector_add_scaled(backend, l->y[c], l->g_next, -1.0, l->g, error));
  TRY(compute_new_products(l, error));
  point->slope = l->next_sg[c] / step;
cleanup:
  return status;
}

/* The trial becomes the current point, and its pair the newest, unless its curvature is nothing but rounding. */
static void accept_step(Lbfgs *l, const Evaluation *at) {
  size_t n = l->products.slots, c = l->candidate;
  swap_vectors(&l->w, &l->w_next);
  swap_vectors(&l->g, &l->g_next);
  memcpy(l->products.sg, l->next_sg, n * sizeof(double));
  memcpy(l->products.yg, l->next_yg, n * sizeof(double));
  l->products.gg = l->next_gg;
  l->report->at = *at;
  if (!(l->products.sy[c * n + c] > SMALLEST_COSINE * sqrt(l->next_ss) * sqrt(l->products.yy[c * n + c]))) return;
  if (n == 1) return; /* a history of 0 pairs: steepest descent */
  l->order[l->pairs++] = c;
  if (l->pairs < n) {
    l->candidate = l->pairs; /* slots fill in order until every one is used once */
    return;
  }
  l->candidate = l->order[0];
  memmove(l->order, l->order + 1, --l->pairs * sizeof *l->order);
}

/* Forgets the history: the next direction is steepest descent. */
static void forget_history(Lbfgs *l) {
  l->pairs = 0;
  l->candidate = 0;
}

/* direction = -H g by one combination of the basis; *slope < 0 is its slope. */
static Status compute_direction(Lbfgs *l, double *slope, Error *error) {
  *slope = lbfgs_direction(&l->products, l->pairs, l->order, &l->coefficients);
  if (!(*slope < 0.0) || !isfinite(*slope)) { /* rounding has spoilt the history */
    forget_history(l);
    *slope = lbfgs_direction(&l->products, 0, l->order, &l->coefficients);
  }
  size_t count = 0;
  l->terms[count] = l->coefficients.g;
  l->term_vectors[count++] = l->g;
  for (size_t r = 0; r < l->pairs; r++) {
    size_t i = l->order[r];
    l->terms[count] = l->coefficients.s[i];
    l->term_vectors[count++] = l->s[i];
    l->terms[count] = l->coefficients.y[i];
    l->term_vectors[count++] = l->y[i];
  }
  return vector_combine(l->backend, l->direction, count, l->terms, l->term_vectors, error);
}

/* One step along the direction. *accepted false: no step of it lowers F in this arithmetic. */
static Status take_step(Lbfgs *l, double slope, double *step, bool *accepted, Error *error) {
  Status status = SETOSA_OK;
  LinePoint start = {0.0, l->report->at.objective, slope}, point = {0};
  Evaluation at = {0};
  /* Without curvature known, a step of length 1 at most; with it, the quasi-Newton step. */
  *step = l->pairs == 0 ? fmin(1.0, 1.0 / sqrt(l->products.gg)) : 1.0;
  TRY(try_step(l, *step, &at, &point, error));
  *accepted = line_accepts(start, point);
  if (!*accepted) {
    LinePoint found = {0};
    bool success = false;
    TRY(line_search(l->objective, l->w, l->direction, start, point, &found, &success, error));
    l->report->evaluations++;
    if (!success) goto cleanup;
    *step = found.step;
    TRY(try_step(l, *step, &at, &point, error));
    *accepted = evaluation_is_finite(&at) && at.objective <= start.value + LINE_NOISE * fabs(start.value);
  }
  if (*accepted) accept_step(l, &at);
cleanup:
  return status;
}

/* Watches for the point where rounding stops all progress. */
typedef struct Progress {
  double objective, gradient_norm;
  unsigned since;
} Progress;

static void watch_progress(Progress *progress, const Evaluation *at) {
  bool lower = at->objective < progress->objective - OBJECTIVE_PROGRESS * fabs(progress->objective);
  bool flatter = at->gradient_norm < GRADIENT_PROGRESS * progress->gradient_norm;
  if (lower) progress->objective = at->objective;
  if (flatter) progress->gradient_norm = at->gradient_norm;
  progress->since = lower || flatter ? 0 : progress->since + 1;
}

/* ---- the state that is kept ------------------------------------------------------------------------------------- */

/* "s12": the vector of a slot. */
static const char *slot_name(char name[STATE_NAME_SIZE], char letter, size_t slot) {
  snprintf(name, STATE_NAME_SIZE, "%c%zu", letter, slot);
  return name;
}

/* Products of slots that are not in use are made afresh before they are read: a trial that overflowed may have left anything there. */
static void clear_unused_products(Lbfgs *l) {
  LbfgsProducts *p = &l->products;
  for (size_t i = 0; i < p->slots; i++) {
    bool used = false;
    for (size_t r = 0; r < l->pairs; r++) used = used || l->order[r] == i;
    if (used) continue;
    p->sg[i] = p->yg[i] = 0.0;
    for (size_t k = 0; k < p->slots; k++)
      p->sy[i * p->slots + k] = p->sy[k * p->slots + i] = p->yy[i * p->slots + k] = p->yy[k * p->slots + i] = 0.0;
  }
}

/* Between iterations. What the trial holds (w_next, g_next, the candidate's pair and products) is made afresh before it is read. */
static Status save_state(Lbfgs *l, const Progress *progress, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  clear_unused_products(l);
  const LbfgsProducts *p = &l->products;
  size_t n = p->slots;
  char name[STATE_NAME_SIZE];
  double watch[] = {progress->objective, progress->gradient_norm, (double)progress->since}, candidate = (double)l->candidate;
  double pairs = (double)l->pairs;
  TRY(report_put(state, l->report, error));
  TRY(state_put(state, "watch", 3, watch, error));
  TRY(state_put(state, "candidate", 1, &candidate, error));
  TRY(state_put(state, "pairs", 1, &pairs, error));
  TRY(state_put(state, "sy", n * n, p->sy, error));
  TRY(state_put(state, "yy", n * n, p->yy, error));
  TRY(state_put(state, "sg", n, p->sg, error));
  TRY(state_put(state, "yg", n, p->yg, error));
  TRY(state_put(state, "gg", 1, &p->gg, error));
  TRY(state_put_vector(state, l->backend, "w", l->w, error));
  TRY(state_put_vector(state, l->backend, "g", l->g, error));
  for (size_t r = 0; r < l->pairs; r++) {
    double slot = (double)l->order[r];
    char rank[STATE_NAME_SIZE];
    TRY(state_put(state, slot_name(rank, 'o', r), 1, &slot, error));
    TRY(state_put_vector(state, l->backend, slot_name(name, 's', l->order[r]), l->s[l->order[r]], error));
    TRY(state_put_vector(state, l->backend, slot_name(name, 'y', l->order[r]), l->y[l->order[r]], error));
  }
cleanup:
  return status;
}

static Status load_pair(Lbfgs *l, const OptimizerState *state, size_t rank, Error *error) {
  Status status = SETOSA_OK;
  char name[STATE_NAME_SIZE];
  uint64_t slot = 0;
  TRY(state_get_count(state, slot_name(name, 'o', rank), l->products.slots - 1, &slot, error));
  l->order[rank] = (size_t)slot;
  if (l->s[slot] == NULL) TRY(vector_create(l->backend, &l->s[slot], error));
  if (l->y[slot] == NULL) TRY(vector_create(l->backend, &l->y[slot], error));
  TRY(state_get_vector(state, l->backend, slot_name(name, 's', slot), l->s[slot], error));
  TRY(state_get_vector(state, l->backend, slot_name(name, 'y', slot), l->y[slot], error));
cleanup:
  return status;
}

/* Every pair has a slot of its own, none of them the candidate's, and a curvature above 0. */
static bool is_history(const Lbfgs *l, size_t pairs, size_t candidate) {
  size_t n = l->products.slots;
  for (size_t r = 0; r < pairs; r++) {
    size_t i = l->order[r];
    if (i == candidate || !(l->products.sy[i * n + i] > 0.0) || !(l->products.yy[i * n + i] > 0.0)) return false;
    for (size_t other = 0; other < r; other++)
      if (l->order[other] == i) return false;
  }
  return l->products.gg >= 0.0;
}

static Status load_state(Lbfgs *l, Progress *progress, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  LbfgsProducts *p = &l->products;
  size_t n = p->slots;
  double watch[3] = {0};
  uint64_t candidate = 0, pairs = 0;
  TRY(report_get(state, l->report, error));
  TRY(state_get(state, "watch", 3, watch, error));
  TRY(state_get_count(state, "candidate", n - 1, &candidate, error));
  TRY(state_get_count(state, "pairs", n - 1, &pairs, error));
  TRY(state_get(state, "sy", n * n, p->sy, error));
  TRY(state_get(state, "yy", n * n, p->yy, error));
  TRY(state_get(state, "sg", n, p->sg, error));
  TRY(state_get(state, "yg", n, p->yg, error));
  TRY(state_get(state, "gg", 1, &p->gg, error));
  TRY(state_get_vector(state, l->backend, "w", l->w, error));
  TRY(state_get_vector(state, l->backend, "g", l->g, error));
  for (size_t r = 0; r < pairs; r++) TRY(load_pair(l, state, r, error));
  if (!is_history(l, (size_t)pairs, (size_t)candidate)) TRY(state_refuse("its history is no history", error));
  l->candidate = (size_t)candidate;
  l->pairs = (size_t)pairs;
  *progress = (Progress){watch[0], watch[1], (unsigned)fmin(fmax(watch[2], 0.0), (double)PATIENCE)};
cleanup:
  return status;
}

static Status keep_state(Lbfgs *l, const Progress *progress, const OptimizerSettings *settings, Error *error) {
  OptimizerState state = {0};
  Status status = save_state(l, progress, &state, error);
  if (status == SETOSA_OK) status = settings->keep(&state, settings->user, error);
  state_free(&state);
  return status;
}

/* ---- the iterations --------------------------------------------------------------------------------------------- */

static Status iterate(Lbfgs *l, Progress *progress, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  OptimizerReport *report = l->report;
  for (;;) {
    double slope = 0.0, step = 0.0;
    bool accepted = false;
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (report->at.gradient_norm <= settings->tolerance) return SETOSA_OK;
    report->reason = STOP_NO_PROGRESS;
    if (progress->since >= PATIENCE) return SETOSA_OK;
    report->reason = STOP_MAX_ITERATIONS;
    if (report->iterations >= settings->max_iterations) return SETOSA_OK;
    TRY(compute_direction(l, &slope, error));
    TRY(take_step(l, slope, &step, &accepted, error));
    report->reason = STOP_NO_PROGRESS;
    if (!accepted) {
      if (l->pairs == 0) return SETOSA_OK; /* not even steepest descent */
      forget_history(l);
      continue;
    }
    report->iterations++;
    watch_progress(progress, &report->at);
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(settings, report, l->w, step) || optimizer_should_stop(settings)) return SETOSA_OK;
    if (optimizer_keep_is_due(settings, report->iterations)) TRY(keep_state(l, progress, settings, error));
  }
cleanup:
  return status;
}

/* The starting point: w as it is, or what a state says. */
static Status begin(Lbfgs *l, Progress *progress, const OptimizerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  if (settings->resume != NULL) return load_state(l, progress, settings->resume, error);
  TRY(objective_evaluate(l->objective, l->w, backend_all_rows(l->backend), l->g, &l->report->at, error));
  l->report->evaluations = 1;
  if (!evaluation_is_finite(&l->report->at)) goto cleanup;
  want_dot(l, l->g, l->g, &l->products.gg);
  TRY(compute_dots(l, error));
  *progress = (Progress){l->report->at.objective, l->report->at.gradient_norm, 0};
cleanup:
  return status;
}

Status lbfgs_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Lbfgs l;
  Progress progress = {0};
  *report = (OptimizerReport){.reason = STOP_NON_FINITE};
  TRY(lbfgs_open(&l, objective, w, settings->history, report, error));
  TRY(begin(&l, &progress, settings, error));
  if (!evaluation_is_finite(&report->at)) goto cleanup;
  TRY(iterate(&l, &progress, settings, error));
  if (optimizer_keeps_end(settings, report->reason)) TRY(keep_state(&l, &progress, settings, error));
  if (l.w != w) TRY(vector_copy(objective->backend, w, l.w, error));
cleanup:
  lbfgs_close(&l, w);
  return status;
}
