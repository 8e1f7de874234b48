/* What an entry says of its data set beside shape and names: {"shift": [D numbers]}. A member that is not there has nothing to say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "data/cache.h"

Status cache_describe(char **text, const Dataset *dataset, Error *error) {
  *text = NULL;
  if (dataset->shift == NULL) return SETOSA_OK;
  json_t *description = json_object(), *shift = json_array();
  int failed = 0;
  for (size_t d = 0; d < dataset->features; d++) failed |= json_array_append_new(shift, json_real(dataset->shift[d]));
  failed |= json_object_set_new(description, "shift", shift);
  Status status = json_write(text, failed ? NULL : description, JSON_COMPACT, error); /* 17 digits: the same numbers come back */
  json_decref(description);
  return status;
}

static Status take_shift(bool *good, Dataset *dataset, const json_t *shift, Error *error) {
  Status status = SETOSA_OK;
  *good = json_is_array(shift) && json_array_size(shift) == dataset->features;
  if (!*good) return SETOSA_OK;
  TRY(memory_allocate((void **)&dataset->shift, dataset->features, sizeof *dataset->shift, "the shift of the columns", error));
  for (size_t d = 0; d < dataset->features; d++) {
    const json_t *number = json_array_get(shift, d);
    dataset->shift[d] = json_number_value(number);
    *good = *good && json_is_number(number) && isfinite(dataset->shift[d]);
  }
cleanup:
  return status;
}

Status cache_take_description(bool *good, Dataset *dataset, const char *text, Error *error) {
  Status status = SETOSA_OK;
  json_t *description = NULL;
  TRY(json_parse(&description, text, strlen(text), 0, NULL, error));
  *good = json_is_object(description);
  const json_t *shift = json_object_get(description, "shift");
  if (*good && shift != NULL) TRY(take_shift(good, dataset, shift, error));
cleanup:
  json_decref(description);
  return status;
}
