/* Which solver a training gets that asked for none by name, and which preconditioner. */
#ifndef SETOSA_OPTIM_CHOICE_H
#define SETOSA_OPTIM_CHOICE_H

#include "optim/optimizer.h"

typedef struct SolverChoice {
  SetosaSolver solver;                 /* never AUTO */
  SetosaPreconditioner preconditioner; /* never AUTO; NONE but for lbfgs */
  char why[160];                       /* a few words; "" when nothing was left to choose */
} SolverChoice;

/* All processes of a job get the choice of the first. */
Status choice_make(SolverChoice *choice, const Objective *objective, const OptimizerSettings *settings, Error *error);
/* What it will be for rows of this shape, with an L1 penalty or none, before there is a backend. */
void choice_foresee(SolverChoice *choice, size_t rows, uint64_t entries, size_t features, size_t classes, double l1,
                    const OptimizerSettings *settings);

#endif
