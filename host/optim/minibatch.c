/* The epoch loop of the mini-batch optimizers. Batches ask for no numbers back, so the device never waits for the host within an epoch. */
#include "optim/minibatch.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

double minibatch_rate(SetosaSchedule schedule, double rate, double progress) {
  const double pi = 3.14159265358979323846;
  switch (schedule) {
    case SETOSA_SCHEDULE_INVERSE:
      return rate / (1.0 + 9.0 * progress);
    case SETOSA_SCHEDULE_COSINE:
      return rate * 0.5 * (1.0 + cos(pi * progress));
    case SETOSA_SCHEDULE_STEP:
      return rate * (progress < 0.5 ? 1.0 : progress < 0.75 ? 0.1 : 0.01);
    case SETOSA_SCHEDULE_CONSTANT:
      break;
  }
  return rate;
}

/* How long the device may work on queued batches before the host waits for it: as long as an interrupt may have to. */
static const double QUEUED_SECONDS = 0.2;

typedef struct Epochs {
  Objective *objective;
  Backend *backend; /* the objective's */
  const OptimizerSettings *settings;
  double rate; /* before the schedule */
  MinibatchUpdate update;
  void *state;
  const MinibatchMemory *memory;
  OptimizerReport *report;
  Vector *w, *gradient, *best; /* best: the weights of the lowest F so far, what is left when an epoch overflows; with patience those of */
  Evaluation best_at;          /* the lowest loss of held-out rows, */
  double held_out;             /* which is this, */
  uint64_t best_epoch;         /* after this epoch */
  size_t batch, batches, *order; /* rows in a batch; how many; the order of an epoch (batches) */
  uint64_t epoch, updates;       /* where we are: the epoch, */
  size_t next;                   /* the next batch of it (an index into order), */
  bool stopped;                  /* and whether the caller wanted to stop within it */
  double waited;                 /* clock when the host last waited for the device, */
  size_t queued, wait_after;     /* batches since then, and how many there may be */
} Epochs;

/* ---- the state that is kept ------------------------------------------------------------------------------------- */

static Status save_state(const Epochs *e, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  const Evaluation *at = &e->best_at;
  double position[] = {(double)e->epoch, (double)e->next, (double)e->updates};
  double best[] = {at->loss, at->penalty, at->objective, at->gradient_norm};
  TRY(report_put(state, e->report, error));
  for (int i = 0; i < 3; i++) TRY(state_put(state, (const char *[]){"epoch", "next", "updates"}[i], 1, &position[i], error));
  TRY(state_put(state, "best_at", 4, best, error));
  TRY(state_put_vector(state, e->backend, "w", e->w, error));
  TRY(state_put_vector(state, e->backend, "best", e->best, error));
  if (e->settings->patience > 0) TRY(state_put(state, "held_out", 2, (const double[]){e->held_out, (double)e->best_epoch}, error));
  for (size_t i = 0; i < e->memory->count; i++) TRY(state_put_vector(state, e->backend, e->memory->names[i], e->memory->vectors[i], error));
cleanup:
  return status;
}

static Status load_held_out(Epochs *e, const OptimizerState *state, Error *error) {
  double kept[2] = {0};
  Status status = state_get(state, "held_out", 2, kept, error);
  if (status != SETOSA_OK) return status;
  if (!(kept[0] >= 0 && kept[1] >= 0 && kept[1] <= (double)e->epoch && kept[1] == floor(kept[1])))
    return state_refuse("its best epoch is none, or has a loss below 0", error);
  e->held_out = kept[0];
  e->best_epoch = (uint64_t)kept[1];
  return SETOSA_OK;
}

static Status load_state(Epochs *e, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  double best[4] = {0};
  uint64_t next = 0, most = (uint64_t)1 << 53;
  TRY(report_get(state, e->report, error));
  TRY(state_get_count(state, "epoch", most, &e->epoch, error));
  TRY(state_get_count(state, "next", e->batches - 1, &next, error));
  TRY(state_get_count(state, "updates", most, &e->updates, error));
  TRY(state_get(state, "best_at", 4, best, error));
  TRY(evaluation_take(&e->best_at, best, error));
  TRY(state_get_vector(state, e->backend, "w", e->w, error));
  TRY(state_get_vector(state, e->backend, "best", e->best, error));
  if (e->settings->patience > 0) TRY(load_held_out(e, state, error));
  for (size_t i = 0; i < e->memory->count; i++) TRY(state_get_vector(state, e->backend, e->memory->names[i], e->memory->vectors[i], error));
  bool consistent = e->epoch == e->report->iterations && (double)e->updates == (double)e->epoch * (double)e->batches + (double)next;
  if (!consistent) TRY(state_refuse("its epochs, mini-batches and updates do not belong together", error));
  e->next = (size_t)next;
cleanup:
  return status;
}

static Status keep_state(const Epochs *e, Error *error) {
  OptimizerState state = {0};
  Status status = save_state(e, &state, error);
  if (status == SETOSA_OK) status = e->settings->keep(&state, e->settings->user, error);
  state_free(&state);
  return status;
}

/* ---- the epochs ------------------------------------------------------------------------------------------------- */

/* Without this the host could queue a whole epoch ahead, and would then hear of an interrupt (or write a state) only at its end. One
 * inner product waits for all before it; how many batches that takes is measured. */
static Status bound_the_queue(Epochs *e, Error *error) {
  if (e->settings->never_queues || (e->settings->stop == NULL && e->settings->keep == NULL)) return SETOSA_OK;
  if (++e->queued < e->wait_after) return SETOSA_OK;
  double product = 0.0;
  VectorPair pair = {.a = e->gradient, .b = e->gradient};
  Status status = vector_dots(e->backend, 1, &pair, &product, error);
  double now = clock_seconds(), took = now - e->waited;
  double fits = took > 0.0 ? (double)e->queued * QUEUED_SECONDS / took : (double)e->queued * 2.0;
  e->wait_after = (size_t)fmax(1.0, fmin(fits, (double)e->queued * 2.0)); /* doubled at most: the first batches build kernels */
  e->queued = 0;
  e->waited = now;
  return status;
}

/* What is left of one pass over all mini-batches, cut short when the caller wants to stop; *rate is the last learning rate used. */
static Status run_epoch(Epochs *e, double *rate, Error *error) {
  Status status = SETOSA_OK;
  random_permutation(e->settings->seed, RANDOM_STREAM_BATCHES, e->epoch, e->batches, e->order);
  while (e->next < e->batches) {
    size_t i = e->next, begin = e->order[i] * e->batch, left = e->backend->rows - begin;
    RowRange rows = {begin, left < e->batch ? left : e->batch};
    double progress = ((double)e->epoch + (double)i / (double)e->batches) / (double)e->settings->epochs;
    *rate = minibatch_rate(e->settings->schedule, e->rate, progress);
    TRY(objective_evaluate_apart(e->objective, e->w, rows, e->gradient, NULL, error));
    /* The rows of a short batch would pull harder than all others, in every epoch the same ones: its gradient counts by its rows. */
    double part = (double)rows.count / (double)e->batch;
    if (rows.count < e->batch) TRY(vector_combine(e->backend, e->gradient, 1, &part, &(const Vector *){e->gradient}, error));
    TRY(e->update(e->state, e->w, e->gradient, *rate, part, ++e->updates, error));
    if (++e->next == e->batches) break; /* the epoch's end has its own place to be cut, after the evaluation */
    TRY(bound_the_queue(e, error));
    e->stopped = optimizer_should_stop(e->settings);
    if (e->stopped) break;
    if (optimizer_keep_is_due(e->settings, e->updates)) TRY(keep_state(e, error));
  }
cleanup:
  return status;
}

/* Evaluates all rows; weights that overflowed give way to the best so far, and *finite is false. */
static Status evaluate_all(Epochs *e, bool *finite, Error *error) {
  Status status = objective_evaluate_apart(e->objective, e->w, backend_all_rows(e->backend), e->gradient, &e->report->at, error);
  if (status != SETOSA_OK) return status;
  e->report->evaluations += 2; /* the batches together, and the whole */
  *finite = evaluation_is_finite(&e->report->at);
  if (*finite) return SETOSA_OK;
  e->report->at = e->best_at;
  return vector_copy(e->backend, e->w, e->best, error);
}

/* Keeps the weights at hand when they are the best so far. A loss that is not finite is never that. */
static Status judge(Epochs *e, Error *error) {
  Status status = SETOSA_OK;
  double held_out = INFINITY;
  bool better = e->report->at.objective <= e->best_at.objective;
  if (e->settings->patience > 0) {
    TRY(e->settings->held_out_loss(e->w, &held_out, e->settings->user, error));
    better = held_out < e->held_out;
    if (better) e->held_out = held_out;
    if (better) e->best_epoch = e->epoch;
  }
  if (!better) goto cleanup;
  e->best_at = e->report->at;
  TRY(vector_copy(e->backend, e->best, e->w, error));
cleanup:
  return status;
}

/* With patience the best weights are what remains, however it ended. */
static Status take_best(Epochs *e, Error *error) {
  if (e->settings->patience == 0) return SETOSA_OK;
  e->report->best_epoch = e->best_epoch;
  e->report->at = e->best_at;
  return vector_copy(e->backend, e->w, e->best, error);
}

/* Whether to end between two epochs, and why. */
static bool has_ended(const Epochs *e) {
  const OptimizerSettings *settings = e->settings;
  OptimizerReport *report = e->report;
  bool converged = report->at.gradient_norm <= settings->tolerance;
  if (e->next > 0) return false;
  report->reason = converged ? STOP_GRADIENT_TOLERANCE : e->epoch >= settings->epochs ? STOP_EPOCHS_DONE : STOP_PATIENCE;
  return converged || e->epoch >= settings->epochs || (settings->patience > 0 && e->epoch - e->best_epoch >= settings->patience);
}

static Status run_epochs(Epochs *e, Error *error) {
  Status status = SETOSA_OK;
  OptimizerReport *report = e->report;
  bool finite = true;
  e->waited = clock_seconds();
  e->wait_after = 1;
  while (!has_ended(e)) {
    double rate = e->rate;
    TRY(run_epoch(e, &rate, error));
    if (e->stopped) {
      if (e->settings->keep != NULL) TRY(keep_state(e, error));
      report->reason = STOP_INTERRUPTED;
      return evaluate_all(e, &finite, error); /* what is reported belongs to the weights that are returned */
    }
    TRY(evaluate_all(e, &finite, error));
    report->reason = STOP_NON_FINITE;
    if (!finite) return SETOSA_OK;
    report->iterations++;
    e->epoch++;
    e->next = 0;
    TRY(judge(e, error));
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(e->settings, report, e->w, rate) || optimizer_should_stop(e->settings)) goto ended;
    if (optimizer_keep_is_due(e->settings, e->updates)) TRY(keep_state(e, error));
  }
ended:
  if (optimizer_keeps_end(e->settings, report->reason)) TRY(keep_state(e, error));
cleanup:
  return status;
}

/* The starting point: w as it is, or what a state says. */
static Status begin(Epochs *e, Error *error) {
  Status status = SETOSA_OK;
  if (e->settings->resume != NULL) return load_state(e, e->settings->resume, error);
  TRY(objective_evaluate_apart(e->objective, e->w, backend_all_rows(e->backend), e->gradient, &e->report->at, error));
  e->report->evaluations = 1;
  e->best_at = e->report->at;
  TRY(vector_copy(e->backend, e->best, e->w, error));
  if (evaluation_is_finite(&e->report->at)) TRY(judge(e, error));
cleanup:
  return status;
}

Status minibatch_prox(const Objective *objective, Vector *w, const Vector *steps, double step, Error *error) {
  double l1 = objective->l1, l2 = objective->addition.l2;
  return l1 > 0 || l2 > 0 ? vector_prox(objective->backend, w, w, steps, step, l1, l2, error) : SETOSA_OK;
}

Status minibatch_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, double default_rate, MinibatchUpdate update,
                          void *state, const MinibatchMemory *memory, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  Epochs e = {.objective = objective,
              .backend = backend,
              .settings = settings,
              .update = update,
              .state = state,
              .memory = memory,
              .report = report,
              .w = w,
              .held_out = DBL_MAX};
  report->reason = STOP_NON_FINITE;
  e.rate = settings->learning_rate > 0.0 ? settings->learning_rate : default_rate;
  e.batch = settings->batch_size == 0 || settings->batch_size > backend->rows ? backend->rows : settings->batch_size;
  e.batches = (backend->rows - 1) / e.batch + 1;
  TRY(memory_allocate((void **)&e.order, e.batches, sizeof *e.order, "the order of the mini-batches", error));
  TRY(vector_create(backend, &e.gradient, error));
  TRY(vector_create(backend, &e.best, error));
  TRY(begin(&e, error));
  if (!evaluation_is_finite(&report->at)) goto cleanup;
  TRY(run_epochs(&e, error));
  TRY(take_best(&e, error));
cleanup:
  vector_destroy(backend, e.best);
  vector_destroy(backend, e.gradient);
  free(e.order);
  return status;
}
