/* What the ranks of one training do together beside the objective: they make sure that they work on the same thing, stop and keep their
 * state at the same place, and add up their scores. With ranks NULL nothing is asked and nothing changes. */
#ifndef SETOSA_TRAIN_JOB_H
#define SETOSA_TRAIN_JOB_H

#include "data/dataset.h"
#include "model/metrics.h"
#include "ranks/ranks.h"

/* SETOSA_ERROR_DATA or SETOSA_ERROR_USAGE on every rank when one of them has other data, options or another checkpoint than rank 0. */
Status job_check_alike(Ranks *ranks, const Dataset *dataset, const SetosaTrainOptions *options, Error *error);

/* Of all that ranks must agree on: every row of options/table.h that changes weights or says when to end, and what decides on the calls
 * that they make together. */
Status job_hash_options(uint64_t *hash, const SetosaTrainOptions *options, Error *error);

/* Where an optimizer may be cut. Zero-initialise but for ranks. */
typedef struct JobWishes {
  Ranks *ranks;
  bool stop;         /* the observer of this rank has said so */
  bool must_ask;     /* at the next cut: an iteration or epoch has ended */
  bool due;          /* rank 0 wants its state kept; all do so at this cut */
  uint64_t cut, ask; /* cuts since the beginning, and the one at which the ranks talk again */
  uint64_t last_cut; /* at which they talked last, */
  double last_asked; /* and the clock of rank 0 then */
} JobWishes;

/* At every cut, on every rank: *stop when any of them wants to (or wanted, at an earlier cut without a talk). A talk takes some tens of
 * microseconds, as a small mini-batch does: within an epoch there is one about every 20 ms. due: whether this rank would keep its state. */
Status job_ask(JobWishes *wishes, bool *stop, bool due, Error *error);

/* Totals of all ranks, on every one; the same for any number of ranks but for rounding in the last place. */
Status job_add_scores(Ranks *ranks, MetricsTotals *totals, Error *error);

#endif
