/* The first record: a header if and only if no field that would be a feature parses as a number. */
#include "data/csv_header.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

bool csv_is_missing(const char *text, size_t length) {
  static const char *const words[] = {"na", "n/a", "null", "none", "?", "-", "<na>", "missing"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0) return true;
  return length == 0;
}

bool csv_is_not_finite(const char *text, size_t length) {
  static const char *const words[] = {"nan", "inf", "infinity"};
  if (length > 0 && (*text == '+' || *text == '-')) text++, length--;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == length && strncasecmp(text, words[i], length) == 0) return true;
  return false;
}

bool csv_is_index(const char *text, uint64_t *index) {
  int64_t value = 0;
  if (!isdigit((unsigned char)*text) || !text_parse_int64(text, strlen(text), &value)) return false;
  *index = (uint64_t)value;
  return true;
}

/* Does a comma-separated option hold a name? */
static Status list_has_name(const char *list, bool *has_name, Error *error) {
  char **parts = NULL;
  size_t count = 0;
  uint64_t index = 0;
  if (list == NULL) return SETOSA_OK;
  Status status = text_split(&parts, &count, list, ',', error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < count; i++)
    if (!csv_is_index(parts[i], &index)) *has_name = true;
  free(parts);
  return SETOSA_OK;
}

/* Sets mask[c] = value for the indices of a list that holds no names. */
static Status mask_list(bool *mask, size_t columns, const char *list, bool value, Error *error) {
  char **parts = NULL;
  size_t count = 0;
  uint64_t index = 0;
  if (list == NULL) return SETOSA_OK;
  Status status = text_split(&parts, &count, list, ',', error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < count; i++)
    if (csv_is_index(parts[i], &index) && index >= 1 && index <= columns) mask[index - 1] = value;
  free(parts);
  return SETOSA_OK;
}

/* Marks the columns that would be features if there were no header. */
static Status mask_features(bool *mask, size_t columns, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  uint64_t label = 0;
  for (size_t c = 0; c < columns; c++) mask[c] = options->features == NULL;
  TRY(mask_list(mask, columns, options->features, true, error));
  TRY(mask_list(mask, columns, options->drop, false, error));
  if (options->weights != NULL && csv_is_index(options->weights, &label) && label >= 1 && label <= columns) mask[label - 1] = false;
  if (options->label != NULL) {
    if (csv_is_index(options->label, &label) && label >= 1 && label <= columns) mask[label - 1] = false;
  } else if (columns > 1 && !(options->expect_features == columns && options->labels_optional)) {
    size_t last = columns;
    while (last > 0 && !mask[last - 1]) last--;
    if (options->features == NULL && last > 0) mask[last - 1] = false;
  }
cleanup:
  return status;
}

/* A header that numbers its columns ("0,1,2,...") is still one when it has every name that the model expects. */
static bool has_expected_names(const DataOptions *options, const char *const *first, size_t count) {
  if (options->expect_feature_names == NULL) return false;
  for (size_t d = 0; d < options->expect_features; d++) {
    size_t c = 0;
    while (c < count && strcmp(first[c], options->expect_feature_names[d]) != 0) c++;
    if (c == count) return false;
    if (d == 0 && options->expect_features > 4096) break; /* enough to tell, and not quadratic */
  }
  return options->expect_features > 0;
}

Status csv_header_detect(CsvColumns *columns, const Reader *reader, const char *const *first, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = reader->options;
  bool named = false, words = false, numbers = false, *mask = NULL;
  uint64_t index = 0;
  double value = 0;
  TRY(list_has_name(options->features, &named, error));
  TRY(list_has_name(options->drop, &named, error));
  if (options->label != NULL && !csv_is_index(options->label, &index)) named = true;
  if (options->weights != NULL && options->header != 0 && !csv_is_index(options->weights, &index)) /* it may be a file, too */
    for (size_t c = 0; c < columns->count; c++) named = named || strcmp(first[c], options->weights) == 0;
  columns->header = options->header == 1 || (options->header < 0 && named);
  if (named && options->header == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "%s: a column was named, but there is no header to hold names; give its 1-based index, or leave --no-header out",
                  reader->source));
  if (columns->header || options->header == 0) goto cleanup;
  TRY(memory_allocate((void **)&mask, columns->count, sizeof *mask, "columns", error));
  TRY(mask_features(mask, columns->count, options, error));
  for (size_t c = 0; c < columns->count; c++) {
    size_t length = strlen(first[c]);
    if (!mask[c] || csv_is_missing(first[c], length)) continue;
    if (text_parse_double(first[c], length, &value) || csv_is_not_finite(first[c], length))
      numbers = true;
    else
      words = true;
  }
  columns->header = (words && !numbers) || has_expected_names(options, first, columns->count);
cleanup:
  free(mask);
  return status;
}

Status csv_header_take(CsvColumns *columns, const Reader *reader, const char *const *first, size_t line, Error *error) {
  Status status = SETOSA_OK;
  NameTable *seen = NULL;
  char quoted[QUOTE_SIZE];
  TRY(name_table_create(&seen, error));
  TRY(memory_allocate_zero((void **)&columns->names, columns->count, sizeof *columns->names, "column names", error));
  for (size_t c = 0; c < columns->count; c++) {
    Text name = {0};
    size_t index = 0, length = strlen(first[c]);
    if (!text_is_utf8(first[c], length))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu:%zu: the column name is not UTF-8 text; convert the file (iconv -f LATIN1 -t UTF-8)",
                    reader->source, line, c + 1));
    if (length == 0) {
      status = text_append(&name, error, "column%zu", c + 1);
      columns->names[c] = name.text;
      TRY(status);
    } else {
      TRY(memory_copy_text(&columns->names[c], first[c], error));
    }
    TRY(name_table_add(seen, columns->names[c], strlen(columns->names[c]), &index, error));
    if (index != c)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu:%zu: the column name %s is used twice (first for column %zu); rename one of them",
                    reader->source, line, c + 1, reader_quote(quoted, columns->names[c], strlen(columns->names[c])), index + 1));
  }
cleanup:
  name_table_destroy(seen);
  return status;
}
