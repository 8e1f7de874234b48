/* Watches for the point where rounding stops all progress. */
#ifndef SETOSA_OPTIM_STALL_H
#define SETOSA_OPTIM_STALL_H

#include "optim/optimizer.h"

typedef struct Stall {
  double objective, gradient_norm, decrement; /* the lowest so far */
  unsigned since;                             /* iterations since any of them fell */
} Stall;

void stall_begin(Stall *stall, const OptimizerReport *report);
void stall_watch(Stall *stall, const OptimizerReport *report);
/* patience: iterations that together may lead nowhere. */
bool stall_is_over(const Stall *stall, unsigned patience);

Status stall_put(OptimizerState *state, const Stall *stall, Error *error);
Status stall_get(const OptimizerState *state, Stall *stall, Error *error);

#endif
