/* The epoch loop of the mini-batch optimizers. Batches ask for no numbers back, so the device never waits for the host within an epoch. */
#include "optim/minibatch.h"

#include <math.h>
#include <stdlib.h>

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

typedef struct Epochs {
  Backend *backend;
  const OptimizerSettings *settings;
  double rate; /* before the schedule */
  MinibatchUpdate update;
  void *state;
  Vector *w, *gradient;
  size_t batch, batches, *order; /* rows in a batch; how many; the order of an epoch (batches) */
  uint64_t updates;
} Epochs;

/* One pass over all mini-batches; *rate is the last learning rate used. */
static Status run_epoch(Epochs *e, uint64_t epoch, double *rate, Error *error) {
  Status status = SETOSA_OK;
  random_permutation(e->settings->seed, RANDOM_STREAM_BATCHES, epoch, e->batches, e->order);
  for (size_t i = 0; i < e->batches; i++) {
    size_t begin = e->order[i] * e->batch, left = e->backend->rows - begin;
    RowRange rows = {begin, left < e->batch ? left : e->batch};
    double progress = ((double)epoch + (double)i / (double)e->batches) / (double)e->settings->epochs;
    *rate = minibatch_rate(e->settings->schedule, e->rate, progress);
    TRY(backend_evaluate(e->backend, e->w, rows, e->gradient, NULL, error));
    /* The rows of a short batch would pull harder than all others, in every epoch the same ones: its gradient counts by its rows. */
    double part = (double)rows.count / (double)e->batch;
    if (rows.count < e->batch) TRY(vector_combine(e->backend, e->gradient, 1, &part, &(const Vector *){e->gradient}, error));
    TRY(e->update(e->state, e->w, e->gradient, *rate, ++e->updates, error));
  }
cleanup:
  return status;
}

/* `best` holds the weights of the lowest F so far: what is left when an epoch overflows. */
static Status run_epochs(Epochs *e, Vector *best, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Evaluation best_at = report->at;
  TRY(vector_copy(e->backend, best, e->w, error));
  for (uint64_t epoch = 0; epoch < e->settings->epochs; epoch++) {
    double rate = e->rate;
    report->reason = STOP_GRADIENT_TOLERANCE;
    if (report->at.gradient_norm <= e->settings->tolerance) return SETOSA_OK;
    TRY(run_epoch(e, epoch, &rate, error));
    TRY(backend_evaluate(e->backend, e->w, backend_all_rows(e->backend), e->gradient, &report->at, error));
    report->evaluations += 2; /* the batches together, and the whole */
    if (!evaluation_is_finite(&report->at)) {
      report->reason = STOP_NON_FINITE;
      report->at = best_at;
      return vector_copy(e->backend, e->w, best, error);
    }
    if (report->at.objective <= best_at.objective) {
      best_at = report->at;
      TRY(vector_copy(e->backend, best, e->w, error));
    }
    report->iterations++;
    report->reason = STOP_INTERRUPTED;
    if (!optimizer_observe(e->settings, report, e->w, rate)) return SETOSA_OK;
  }
  report->reason = report->at.gradient_norm <= e->settings->tolerance ? STOP_GRADIENT_TOLERANCE : STOP_EPOCHS_DONE;
cleanup:
  return status;
}

Status minibatch_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, double default_rate, MinibatchUpdate update,
                          void *state, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Vector *best = NULL;
  Epochs e = {.backend = backend, .settings = settings, .update = update, .state = state, .w = w};
  *report = (OptimizerReport){.reason = STOP_NON_FINITE};
  e.rate = settings->learning_rate > 0.0 ? settings->learning_rate : default_rate;
  e.batch = settings->batch_size == 0 || settings->batch_size > backend->rows ? backend->rows : settings->batch_size;
  e.batches = (backend->rows - 1) / e.batch + 1;
  TRY(memory_allocate((void **)&e.order, e.batches, sizeof *e.order, "the order of the mini-batches", error));
  TRY(vector_create(backend, &e.gradient, error));
  TRY(vector_create(backend, &best, error));
  TRY(backend_evaluate(backend, w, backend_all_rows(backend), e.gradient, &report->at, error));
  report->evaluations = 1;
  if (evaluation_is_finite(&report->at)) TRY(run_epochs(&e, best, report, error));
cleanup:
  vector_destroy(backend, best);
  vector_destroy(backend, e.gradient);
  free(e.order);
  return status;
}
