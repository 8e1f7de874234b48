/* The epoch loop of the mini-batch optimizers: everything but the update rule. */
#ifndef SETOSA_OPTIM_MINIBATCH_H
#define SETOSA_OPTIM_MINIBATCH_H

#include "optim/common.h"

/* One update of w from the gradient of a mini-batch; `rate` is the scheduled learning rate, `update` counts from 1. */
typedef Status (*MinibatchUpdate)(void *state, Vector *w, const Vector *gradient, double rate, double part, uint64_t update, Error *error);

/* The vectors that an update rule carries from one update to the next, with the names under which they are kept. */
typedef struct MinibatchMemory {
  const char *names[2];
  Vector *vectors[2];
  size_t count;
} MinibatchMemory;

/* w after an implicit step of the penalties, of length step * steps (NULL: step): a rule's last act, since its gradient is that of the data
 * alone. Nothing without penalties. */
Status minibatch_prox(const Objective *objective, Vector *w, const Vector *steps, double step, Error *error);

/* The learning rate at `progress` in [0,1) of the whole training. constant: rate; inverse: rate / (1 + 9 progress), a tenth at the end;
 * cosine: from rate to 0 along half a cosine; step: a tenth of it after one half, a hundredth after three quarters. */
double minibatch_rate(SetosaSchedule schedule, double rate, double progress);

/* Runs settings->epochs epochs of `update` over mini-batches: contiguous ranges of rows, visited in an order permuted by
 * (seed, epoch), the last one shorter. The whole data set is evaluated after every epoch. `state` is handed to `update`; what of it lives
 * on between updates stands in `memory`. */
Status minibatch_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, double default_rate, MinibatchUpdate update,
                          void *state, const MinibatchMemory *memory, OptimizerReport *report, Error *error);

#endif
