/* Weights of classes in words: "balanced", or NAME=W,NAME=W. */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/reader.h"
#include "data/rows.h"

/* The class that is called `name` (length bytes). */
static Status find_class(const Dataset *dataset, const char *name, size_t length, size_t *class_index, Error *error) {
  char quoted[QUOTE_SIZE];
  const char *near = NULL;
  for (size_t k = 0; k < dataset->classes; k++) {
    const char *known = setosa_dataset_class_name(dataset, k);
    if (known == NULL || strlen(known) != length || memcmp(known, name, length) != 0) continue;
    *class_index = k;
    return SETOSA_OK;
  }
  reader_quote(quoted, name, length);
  if (dataset->class_names != NULL) near = text_nearest(name, (const char *const *)dataset->class_names, dataset->classes);
  if (near == NULL) near = dataset->class_names != NULL ? dataset->class_names[0] : "0";
  return error_set(error, SETOSA_ERROR_USAGE, "--class-weight: there is no class %s in %s; a class is named as in %s=2", quoted,
                   dataset_source(dataset), near);
}

/* One NAME=W of the list: the last = divides, since a name may hold one. */
static Status parse_entry(const Dataset *dataset, char *entry, double *factors, bool *given, Error *error) {
  Status status = SETOSA_OK;
  char quoted[QUOTE_SIZE];
  size_t k = 0;
  char *divider = strrchr(entry, '=');
  if (divider == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--class-weight: %s is neither \"balanced\" nor of the form NAME=W",
                     reader_quote(quoted, entry, strlen(entry)));
  *divider = '\0';
  TRY(find_class(dataset, entry, (size_t)(divider - entry), &k, error));
  if (given[k]) TRY(error_set(error, SETOSA_ERROR_USAGE, "--class-weight: class %s is named twice; give it one weight", entry));
  if (!text_parse_double(divider + 1, strlen(divider + 1), &factors[k]))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--class-weight: the weight %s of class %s is not a number; give 0 or more",
                  reader_quote(quoted, divider + 1, strlen(divider + 1)), entry));
  given[k] = true;
cleanup:
  return status;
}

static Status parse_list(const Dataset *dataset, const char *text, double *factors, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  bool *given = NULL;
  TRY(memory_copy_text(&copy, text, error));
  TRY(memory_allocate_zero((void **)&given, dataset->classes, sizeof *given, "weights of classes", error));
  for (size_t k = 0; k < dataset->classes; k++) factors[k] = 1;
  for (char *entry = copy, *next = NULL; entry != NULL; entry = next) {
    next = strchr(entry, ',');
    if (next != NULL) *next++ = '\0';
    TRY(parse_entry(dataset, entry, factors, given, error));
  }
cleanup:
  free(copy);
  free(given);
  return status;
}

SetosaStatus setosa_dataset_set_class_weights(SetosaDataset *dataset, const char *text, SetosaError *error) {
  Status status = SETOSA_OK;
  double *factors = NULL;
  TRY(arguments_check(error, GIVEN(dataset)));
  if (text == NULL) return dataset_apply_class_weights(dataset, NULL, error);
  TRY(memory_allocate((void **)&factors, dataset->classes, sizeof *factors, "weights of classes", error));
  if (strcmp(text, "balanced") == 0)
    TRY(dataset_balanced_class_weights(dataset, factors, error));
  else
    TRY(parse_list(dataset, text, factors, error));
  TRY(dataset_apply_class_weights(dataset, factors, error));
cleanup:
  free(factors);
  return status;
}
