/* What a checkpoint of a training holds beside the optimizer's state, when it is due, and whether a training may go on from one. */
#ifndef SETOSA_TRAIN_CHECKPOINT_H
#define SETOSA_TRAIN_CHECKPOINT_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "train/checkpoint_file.h"

/* Keeps the state of one training in its file. Zero-initialise; keeper_close. */
typedef struct Keeper {
  const SetosaTrainOptions *options;
  const char *command; /* whose work it is, "cv"; NULL: "train" */
  Checkpoint content;  /* settings and notes of this training */
  Checkpoint *found;   /* at options->checkpoint, from which the training goes on unasked; NULL: there is none */
  bool writes;         /* rank 0 does, for all */
  bool rotates;        /* what is at the path is a whole checkpoint of this training */
  bool there;          /* a checkpoint of this training is there */
  uint64_t iterations; /* that it holds */
  uint64_t written;    /* times */
  double last_seconds; /* clock of the last attempt */
  bool warned;
  char failure[512]; /* of the last attempt; "" when it went well */
  Status failed;     /* its status */
} Keeper;

/* First: tries the path, and finds what is there. A checkpoint becomes options->resume, unless that is set or options->overwrite is. Ranks
 * call this together: what rank 0 finds all read. */
Status keeper_find(Keeper *keeper, SetosaTrainOptions *options, Error *error);
/* Before the work and before rows are shuffled: takes the fingerprint of the data, and compares data and options with those of
 * options->resume. Nothing is done when neither options->checkpoint nor options->resume is set. */
Status keeper_open(Keeper *keeper, const Dataset *dataset, Error *error);
/* One more setting that must be the same, after keeper_open. */
Status keeper_compare(Keeper *keeper, const char *name, const char *value, Error *error);
/* When the backend is known: the same comparison of what it is. */
Status keeper_meet_backend(Keeper *keeper, const Backend *backend, Error *error);
/* For OptimizerSettings.keep_due and .keep. Of several ranks all call them and the first writes. A file that cannot be written does not end
 * the training: the caller is warned once. */
bool keeper_is_due(Keeper *keeper, uint64_t done);
Status keeper_save(Keeper *keeper, const OptimizerState *state, Error *error);
/* After an error: adds to its message how to go on, when there is something to go on from. */
void keeper_explain(const Keeper *keeper, Error *error);
void keeper_close(Keeper *keeper);

/* Iterations, evaluations that a state has behind it. */
uint64_t checkpoint_state_iterations(const OptimizerState *state);
uint64_t checkpoint_state_evaluations(const OptimizerState *state);

#endif
