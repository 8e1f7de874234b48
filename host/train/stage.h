/* The stage before a training with many rows: a rough solution from a few of them. */
#ifndef SETOSA_TRAIN_STAGE_H
#define SETOSA_TRAIN_STAGE_H

#include "compute/open.h"
#include "optim/optimizer.h"

/* What a stage may use. */
typedef struct StageSettings {
  const Dataset *dataset;
  const BackendSettings *backend; /* of the training; the stage is of the first process and its first device alone */
  ObjectiveTerms terms;
  const OptimizerSettings *optimizer;
} StageSettings;

/* Whether a stage pays before iterations with this preconditioner: each class has hundreds of rows, and a twentieth of them is some times
 * the features. */
bool stage_pays(const Objective *objective, SetosaPreconditioner preconditioner);
/* w, a vector of `backend`: zeros become what some iterations on a part of the rows, with more of a penalty, make of them. *flops: what
 * that took. All processes of a job call it. */
Status stage_run(Backend *backend, Vector *w, const StageSettings *settings, uint64_t *flops, Error *error);

#endif
