/* The refusal of arguments that are NULL. */
#include "base/arguments.h"

Status arguments_check_list(const char *function, const Argument *arguments, size_t count, Error *error) {
  error_clear(error);
  for (size_t i = 0; i < count; i++)
    if (!arguments[i].given)
      return error_set(error, SETOSA_ERROR_USAGE, "%s: the argument `%s` is NULL; see setosa.h for what it takes", function,
                       arguments[i].name);
  return SETOSA_OK;
}
