/* Whether iterations still lead anywhere. */
#include "optim/stall.h"

#include <math.h>

/* Stop when so many iterations together lowered neither F by this part nor the gradient or the decrement by that one: the arithmetic is
 * exhausted. */
enum { PATIENCE_AT_END = 3 };
static const double OBJECTIVE_PROGRESS = 1e-9, GRADIENT_PROGRESS = 0.9;
/* Where the model of F promises less than this part of it, there is little to wait for. */
static const double AT_END = 1e-10;

void stall_begin(Stall *stall, const OptimizerReport *report) {
  *stall = (Stall){report->at.objective, report->at.gradient_norm, INFINITY, 0};
}

static bool is_at_end(const Stall *stall) { return stall->decrement <= AT_END * fabs(stall->objective); }

void stall_watch(Stall *stall, const OptimizerReport *report) {
  bool lower = report->at.objective < stall->objective - OBJECTIVE_PROGRESS * fabs(stall->objective);
  bool flatter = report->at.gradient_norm < (is_at_end(stall) ? 0.5 : GRADIENT_PROGRESS) * stall->gradient_norm;
  bool nearer = report->decrement < GRADIENT_PROGRESS * GRADIENT_PROGRESS * stall->decrement && !is_at_end(stall);
  if (lower) stall->objective = report->at.objective;
  if (flatter) stall->gradient_norm = report->at.gradient_norm;
  if (report->decrement < stall->decrement) stall->decrement = report->decrement;
  stall->since = lower || flatter || nearer ? 0 : stall->since + 1;
}

bool stall_is_over(const Stall *stall, unsigned patience) { return stall->since >= (is_at_end(stall) ? PATIENCE_AT_END : patience); }

Status stall_put(OptimizerState *state, const Stall *stall, Error *error) {
  double values[] = {stall->objective, stall->gradient_norm, fmin(stall->decrement, 1e300), (double)stall->since};
  return state_put(state, "watch", 4, values, error);
}

Status stall_get(const OptimizerState *state, Stall *stall, Error *error) {
  double values[4] = {0};
  Status status = state_get(state, "watch", 4, values, error);
  if (status == SETOSA_OK) *stall = (Stall){values[0], values[1], values[2], (unsigned)fmin(fmax(values[3], 0.0), 1e6)};
  return status;
}
