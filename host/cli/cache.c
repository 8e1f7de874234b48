/* `setosa cache`: the folder of compiled kernels, tuning results, self-test verdicts and converted data. */
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/terminal/units.h"

static Status clear(const char *path, Error *error) {
  uint64_t freed = 0;
  char size[UNITS_SIZE];
  Status status = setosa_cache_clear(&freed, error);
  if (status != SETOSA_OK) return status;
  console_put(path);
  printf(": emptied, %s freed\n", units_bytes(size, (double)freed));
  return SETOSA_OK;
}

static Status run(const Session *session, Error *error) {
  static const char *const actions[] = {"clear", "path"};
  char path[PATH_MAX];
  const char *action = session->options->argument[0];
  bool clears = strcmp(action, "clear") == 0;
  if (!clears && strcmp(action, "path") != 0) {
    const char *nearest = text_nearest(action, actions, 2);
    if (nearest != NULL) return error_set(error, SETOSA_ERROR_USAGE, "\"%s\": did you mean `setosa cache %s`?", action, nearest);
    return error_set(error, SETOSA_ERROR_USAGE, "\"%s\": give clear or path, as in `setosa cache path`", action);
  }
  Status status = setosa_cache_path(path, sizeof path, error);
  if (status != SETOSA_OK) return status;
  if (clears) return clear(path, error);
  console_put(path);
  putchar('\n');
  return SETOSA_OK;
}

const Command command_cache = {
    .name = "cache",
    .arguments = "clear|path",
    .summary = "compiled kernels, tuning and self-test results, data",
    .description =
        "Prints where compiled kernels, verdicts on drivers, tuning and self-test results and converted data are kept "
        "($XDG_CACHE_HOME/setosa, else "
        "~/.cache/setosa), or removes them. They are rebuilt when needed.",
    .examples =
        "  setosa cache path\n"
        "  setosa cache clear\n",
    .id = FOR_CACHE,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
