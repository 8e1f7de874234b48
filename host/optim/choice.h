/* Which solver a training gets that asked for none by name, and which preconditioner. */
#ifndef SETOSA_OPTIM_CHOICE_H
#define SETOSA_OPTIM_CHOICE_H

#include "optim/optimizer.h"

typedef struct SolverChoice {
  SetosaSolver solver;                 /* never AUTO */
  SetosaPreconditioner preconditioner; /* never AUTO; NONE but for lbfgs */
  char why[160];                       /* a few words; "" when nothing was left to choose */
} SolverChoice;

/* most_bytes: what matrices of a preconditioner may take. All processes of a job get the choice of the first. */
Status choice_make(SolverChoice *choice, Backend *backend, const OptimizerSettings *settings, uint64_t most_bytes, Error *error);

#endif
