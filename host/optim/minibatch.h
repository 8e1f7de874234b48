/* The epoch loop of the mini-batch optimizers: everything but the update rule. */
#ifndef SETOSA_OPTIM_MINIBATCH_H
#define SETOSA_OPTIM_MINIBATCH_H

#include "optim/common.h"

/* One update of w from the gradient of a mini-batch; `rate` is the scheduled learning rate, `update` counts from 1. */
typedef Status (*MinibatchUpdate)(void *state, Vector *w, const Vector *gradient, double rate, uint64_t update, Error *error);

/* The learning rate at `progress` in [0,1) of the whole training. constant: rate; inverse: rate / (1 + 9 progress), a tenth at the end;
 * cosine: from rate to 0 along half a cosine; step: a tenth of it after one half, a hundredth after three quarters. */
double minibatch_rate(SetosaSchedule schedule, double rate, double progress);

/* Runs settings->epochs epochs of `update` over mini-batches: contiguous ranges of rows, visited in an order permuted by
 * (seed, epoch), the last one shorter. The whole data set is evaluated after every epoch. */
Status minibatch_minimize(Backend *backend, Vector *w, const OptimizerSettings *settings, double default_rate, MinibatchUpdate update,
                          void *state, OptimizerReport *report, Error *error);

#endif
