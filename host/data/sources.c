/* Patterns are what glob(3) knows; what a shell expands itself comes here as several names. */
#include "data/sources.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

static Status add(Sources *sources, const char *path, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_grow((void **)&sources->paths, &sources->capacity, sources->count + 1, sizeof *sources->paths, "names of files", error));
  sources->paths[sources->count] = NULL;
  TRY(memory_copy_text(&sources->paths[sources->count], path, error));
  sources->count++;
cleanup:
  return status;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static Status add_pattern(Sources *sources, const char *pattern, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  glob_t found = {0};
  size_t before = sources->count;
  int answer = glob(pattern, GLOB_NOSORT, NULL, &found);
  if (answer == GLOB_NOSPACE) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for the files of %s", pattern));
  for (size_t i = 0; answer == 0 && i < found.gl_pathc; i++)
    if (stat(found.gl_pathv[i], &info) != 0 || !S_ISDIR(info.st_mode)) TRY(add(sources, found.gl_pathv[i], error));
  if (sources->count == before)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: no file has a name that fits this pattern; check it with ls", pattern));
  qsort(sources->paths + before, sources->count - before, sizeof *sources->paths, by_bytes); /* glob sorts as the locale does */
cleanup:
  globfree(&found);
  return status;
}

static Status add_name(Sources *sources, const char *name, Error *error) {
  struct stat info;
  bool pattern = strpbrk(name, "*?[") != NULL && lstat(name, &info) != 0;
  return pattern ? add_pattern(sources, name, error) : add(sources, name, error);
}

Status sources_find(Sources *sources, const char *source, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  TRY(add_name(sources, source, error));
  for (size_t i = 0; options->also != NULL && i < options->also_count; i++) TRY(add_name(sources, options->also[i], error));
cleanup:
  return status;
}

void sources_free(Sources *sources) {
  for (size_t i = 0; i < sources->count; i++) free(sources->paths[i]);
  free(sources->paths);
  *sources = (Sources){0};
}
