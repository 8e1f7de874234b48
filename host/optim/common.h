/* What the optimizers share among themselves. */
#ifndef SETOSA_OPTIM_COMMON_H
#define SETOSA_OPTIM_COMMON_H

#include "optim/optimizer.h"

/* Objective and gradient are numbers one can go on from. */
bool evaluation_is_finite(const Evaluation *at);

/* Creates `count` zero vectors; on failure those made so far stay in the array for vectors_destroy. vectors must hold NULLs. */
Status vectors_create(Backend *backend, Vector **vectors, size_t count, Error *error);
void vectors_destroy(Backend *backend, Vector **vectors, size_t count);

/* out = a + step * b; out may be a or b. */
Status vector_add_scaled(Backend *backend, Vector *out, const Vector *a, double step, const Vector *b, Error *error);

/* Whether the gradient is within the tolerance and, where a gap is asked for, the decrement says that F is as near the optimum. */
bool optimizer_is_there(const OptimizerSettings *settings, const OptimizerReport *report);

/* The report as part of a state, and back. */
Status report_put(OptimizerState *state, const OptimizerReport *report, Error *error);
Status report_get(const OptimizerState *state, OptimizerReport *report, Error *error);
/* Loss, penalty, objective and norm of the gradient, as a state keeps them. */
Status evaluation_take(Evaluation *at, const double numbers[4], Error *error);

/* Whether the caller wants the state kept after `done` iterations or mini-batches, and whether it wants to stop. */
bool optimizer_keep_is_due(const OptimizerSettings *settings, uint64_t done);
bool optimizer_should_stop(const OptimizerSettings *settings);
/* Whether an end for this reason is one that more could follow: the state is kept then. */
bool optimizer_keeps_end(const OptimizerSettings *settings, StopReason reason);

/* Tells the observer about the iteration that *report has just counted; false: it wants to stop. */
bool optimizer_observe(const OptimizerSettings *settings, const OptimizerReport *report, const Vector *w, double step);

#endif
