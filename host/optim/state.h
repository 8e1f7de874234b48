/* Everything that an optimizer needs to go on from where it is: named lists of numbers, vectors among them. Optimizers fill and restore
 * it; what keeps it (a file, memory) is the business of others. */
#ifndef SETOSA_OPTIM_STATE_H
#define SETOSA_OPTIM_STATE_H

#include <stdbool.h>

#include "compute/backend.h"

enum { STATE_NAME_SIZE = 32 };

/* Counts are kept as doubles, exact below 2^53. */
typedef struct StateEntry {
  char name[STATE_NAME_SIZE];
  size_t count;
  double *values; /* (count), owned */
} StateEntry;

/* Zero-initialise; state_free. */
typedef struct OptimizerState {
  StateEntry *entries;
  size_t count, capacity;
} OptimizerState;

void state_free(OptimizerState *state);

/* Adds a copy; a name is added once. */
Status state_put(OptimizerState *state, const char *name, size_t count, const double *values, Error *error);
/* A vector of the backend: its P numbers, exact. */
Status state_put_vector(OptimizerState *state, Backend *backend, const char *name, const Vector *vector, Error *error);

/* NULL when there is none of that name. */
const StateEntry *state_find(const OptimizerState *state, const char *name);
/* Nothing but finite numbers, and the weights ("w", "best") within the range of f32, in which a model holds them: any other state is of a
 * training that has overflowed, and no place to go on from. */
bool state_is_sound(const OptimizerState *state);

/* Below, SETOSA_ERROR_DATA for what no optimizer has kept: the file may have been made by somebody. */
Status state_refuse(const char *what, Error *error);
/* Fills values (count); SETOSA_ERROR_DATA when there is none of that name and count: the state is of another solver or problem. */
Status state_get(const OptimizerState *state, const char *name, size_t count, double *values, Error *error);
Status state_get_vector(const OptimizerState *state, Backend *backend, const char *name, Vector *vector, Error *error);
/* A whole number from 0 to `most`; SETOSA_ERROR_DATA when it is anything else. */
Status state_get_count(const OptimizerState *state, const char *name, uint64_t most, uint64_t *count, Error *error);

#endif
