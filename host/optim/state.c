/* A list of named numbers. It is short (a few dozen entries), so that names are searched one after the other. */
#include "optim/state.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void state_free(OptimizerState *state) {
  for (size_t i = 0; i < state->count; i++) free(state->entries[i].values);
  free(state->entries);
  *state = (OptimizerState){0};
}

/* A new entry with room for count values. */
static Status add_entry(OptimizerState *state, const char *name, size_t count, StateEntry **entry, Error *error) {
  Status status = SETOSA_OK;
  if (state_find(state, name) != NULL || strlen(name) >= STATE_NAME_SIZE)
    return error_set(error, SETOSA_ERROR_INTERNAL, "the state \"%s\" is kept twice, or its name is too long; report this", name);
  TRY(memory_grow((void **)&state->entries, &state->capacity, state->count + 1, sizeof *state->entries, "an optimizer's state", error));
  *entry = &state->entries[state->count];
  **entry = (StateEntry){.count = count};
  snprintf((*entry)->name, sizeof(*entry)->name, "%s", name);
  TRY(memory_allocate((void **)&(*entry)->values, count, sizeof(double), "an optimizer's state", error));
  state->count++;
cleanup:
  return status;
}

Status state_put(OptimizerState *state, const char *name, size_t count, const double *values, Error *error) {
  StateEntry *entry = NULL;
  Status status = add_entry(state, name, count, &entry, error);
  if (status == SETOSA_OK && count > 0) memcpy(entry->values, values, count * sizeof(double));
  return status;
}

Status state_put_vector(OptimizerState *state, Backend *backend, const char *name, const Vector *vector, Error *error) {
  StateEntry *entry = NULL;
  Status status = add_entry(state, name, backend->parameters, &entry, error);
  return status != SETOSA_OK ? status : vector_read(backend, vector, entry->values, error);
}

const StateEntry *state_find(const OptimizerState *state, const char *name) {
  for (size_t i = 0; i < state->count; i++)
    if (strcmp(state->entries[i].name, name) == 0) return &state->entries[i];
  return NULL;
}

bool state_is_sound(const OptimizerState *state) {
  for (size_t i = 0; i < state->count; i++) {
    const StateEntry *entry = &state->entries[i];
    bool weights = strcmp(entry->name, "w") == 0 || strcmp(entry->name, "best") == 0;
    for (size_t k = 0; k < entry->count; k++)
      if (!(fabs(entry->values[k]) <= (weights ? FLT_MAX : DBL_MAX))) return false;
  }
  return true;
}

Status state_refuse(const char *what, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "the kept state is none that a training has left: %s; train afresh", what);
}

static Status find_of_count(const OptimizerState *state, const char *name, size_t count, const StateEntry **entry, Error *error) {
  *entry = state_find(state, name);
  if (*entry != NULL && (*entry)->count == count) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "the kept state has no \"%s\" of %zu numbers: it is of another solver or other data", name,
                   count);
}

Status state_get(const OptimizerState *state, const char *name, size_t count, double *values, Error *error) {
  const StateEntry *entry = NULL;
  Status status = find_of_count(state, name, count, &entry, error);
  if (status == SETOSA_OK && count > 0) memcpy(values, entry->values, count * sizeof(double));
  return status;
}

Status state_get_vector(const OptimizerState *state, Backend *backend, const char *name, Vector *vector, Error *error) {
  const StateEntry *entry = NULL;
  Status status = find_of_count(state, name, backend->parameters, &entry, error);
  return status != SETOSA_OK ? status : vector_write(backend, vector, entry->values, error);
}

Status state_get_count(const OptimizerState *state, const char *name, uint64_t most, uint64_t *count, Error *error) {
  double value = 0.0;
  Status status = state_get(state, name, 1, &value, error);
  if (status != SETOSA_OK) return status;
  if (!(value >= 0.0 && value <= (double)most && value == floor(value) && value <= 9007199254740992.0))
    return error_set(error, SETOSA_ERROR_DATA, "the kept state has %g as its \"%s\", not a whole number of at most %llu", value, name,
                     (unsigned long long)most);
  *count = (uint64_t)value;
  return SETOSA_OK;
}
