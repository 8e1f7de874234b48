/* Label column, --features, --drop and what a model expects, turned into one role per column. */
#include "data/csv_columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/csv_header.h"

/* The decision while it is being made. */
typedef struct Choice {
  CsvColumns *columns;
  const Reader *reader;
  const DataOptions *options;
  size_t line;
  bool *dropped;  /* (count) by --drop */
  bool *chosen;   /* (count) is in wanted */
  size_t *wanted; /* feature columns asked for by name or index, in order; NULL: all that are left */
  size_t wanted_count;
} Choice;

void csv_columns_free(CsvColumns *columns) {
  if (columns->names != NULL)
    for (size_t c = 0; c < columns->count; c++) free(columns->names[c]);
  free(columns->names);
  free(columns->roles);
  free(columns->sources);
  *columns = (CsvColumns){0};
}

void csv_columns_describe(const CsvColumns *columns, size_t column, char *out, size_t size) {
  char quoted[QUOTE_SIZE];
  out[0] = '\0';
  if (columns->names == NULL || column >= columns->count) return;
  const char *name = columns->names[column];
  snprintf(out, size, " (column %s)", reader_quote(quoted, name, strlen(name)));
}

static size_t find_name(const CsvColumns *columns, const char *name) {
  if (columns->names == NULL || name == NULL) return CSV_NONE;
  for (size_t c = 0; c < columns->count; c++)
    if (strcmp(columns->names[c], name) == 0) return c;
  return CSV_NONE;
}

/* "did you mean X? its columns are a, b, ..." */
static void list_columns(const CsvColumns *columns, const char *name, char *out, size_t size) {
  if (columns->names == NULL) {
    snprintf(out, size, "it has columns 1 to %zu", columns->count);
    return;
  }
  const char *const *names = (const char *const *)columns->names;
  const char *nearest = text_nearest(name, names, columns->count);
  char list[400], quoted[QUOTE_SIZE], hint[QUOTE_SIZE + 32] = "";
  if (nearest != NULL) snprintf(hint, sizeof hint, "did you mean %s? ", reader_quote(quoted, nearest, strlen(nearest)));
  reader_list_names(list, sizeof list, names, columns->count);
  snprintf(out, size, "%sits columns are %s", hint, list);
}

/* The column that an option means: a name of the header, else a 1-based index. */
static Status resolve(const Choice *choice, const char *option, const char *text, size_t *column, Error *error) {
  char known[600];
  uint64_t index = 0;
  *column = find_name(choice->columns, text);
  if (*column != CSV_NONE) return SETOSA_OK;
  bool is_index = csv_is_index(text, &index);
  if (is_index && index >= 1 && index <= choice->columns->count) {
    *column = (size_t)index - 1;
    return SETOSA_OK;
  }
  list_columns(choice->columns, text, known, sizeof known);
  return error_set(error, SETOSA_ERROR_USAGE, "%s %s: %s has no such column; %s", option, text, choice->reader->source, known);
}

/* --features and --drop. */
static Status resolve_lists(Choice *choice, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = choice->options;
  char **parts = NULL;
  size_t count = 0, column = 0;
  if (options->drop != NULL) {
    TRY(text_split(&parts, &count, options->drop, ',', error));
    for (size_t i = 0; i < count; i++) {
      TRY(resolve(choice, "--drop", parts[i], &column, error));
      choice->dropped[column] = true;
    }
    free(parts);
    parts = NULL;
  }
  if (options->features != NULL) {
    TRY(text_split(&parts, &count, options->features, ',', error));
    TRY(memory_allocate((void **)&choice->wanted, count, sizeof *choice->wanted, "columns", error));
    for (size_t i = 0; i < count; i++) {
      TRY(resolve(choice, "--features", parts[i], &column, error));
      if (choice->chosen[column]) TRY(error_set(error, SETOSA_ERROR_USAGE, "--features names the column %s twice; name it once", parts[i]));
      choice->chosen[column] = true;
      choice->wanted[choice->wanted_count++] = column;
    }
  }
cleanup:
  free(parts);
  return status;
}

/* A model with feature names and a file with a header meet by name. */
static Status resolve_expected_names(Choice *choice, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = choice->options;
  const CsvColumns *columns = choice->columns;
  NameTable *names = NULL;
  if (columns->names == NULL || options->expect_feature_names == NULL || options->features != NULL) return SETOSA_OK;
  TRY(name_table_create(&names, error));
  for (size_t c = 0, index; c < columns->count; c++)
    TRY(name_table_add(names, columns->names[c], strlen(columns->names[c]), &index, error));
  TRY(memory_allocate((void **)&choice->wanted, options->expect_features, sizeof *choice->wanted, "columns", error));
  for (size_t d = 0; d < options->expect_features; d++) {
    const char *name = options->expect_feature_names[d];
    size_t column = 0;
    if (!name_table_find(names, name, strlen(name), &column)) {
      char known[600], quoted[QUOTE_SIZE];
      list_columns(columns, name, known, sizeof known);
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: the model needs a column %s; %s; rename it, or choose columns with --features",
                    choice->reader->source, choice->line, reader_quote(quoted, name, strlen(name)), known));
    }
    if (choice->dropped[column]) TRY(error_set(error, SETOSA_ERROR_USAGE, "--drop %s: the model needs this column; keep it", name));
    choice->chosen[column] = true;
    choice->wanted[choice->wanted_count++] = column;
  }
cleanup:
  name_table_destroy(names);
  return status;
}

static Status no_weights(const Choice *choice, Error *error) {
  char known[600];
  const char *text = choice->options->weights;
  list_columns(choice->columns, text, known, sizeof known);
  return error_set(error, SETOSA_ERROR_USAGE, "--weights %s: %s has no such column, and there is no such file; %s", text,
                   choice->reader->source, known);
}

/* --weights: a column where there is one, else a file. A model's column of weights is none of its features; whoever evaluates the model
 * weighs rows by it, too. */
static Status choose_weights(Choice *choice, Error *error) {
  Status status = SETOSA_OK;
  CsvColumns *columns = choice->columns;
  const char *text = choice->options->weights;
  uint64_t index = 0;
  columns->weight = find_name(columns, text != NULL ? text : choice->options->expect_weights);
  if (text == NULL) {
    if (columns->weight != CSV_NONE && (choice->dropped[columns->weight] || choice->chosen[columns->weight])) columns->weight = CSV_NONE;
    return SETOSA_OK;
  }
  if (columns->weight == CSV_NONE && csv_is_index(text, &index) && index >= 1 && index <= columns->count)
    columns->weight = (size_t)index - 1;
  if (columns->weight == CSV_NONE && !file_exists(text)) return no_weights(choice, error);
  if (columns->weight == CSV_NONE) return SETOSA_OK;
  if (choice->dropped[columns->weight])
    TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --weights and --drop; choose one", text));
  if (choice->chosen[columns->weight])
    TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --weights and %s; weights cannot be a feature", text,
                  choice->options->features != NULL ? "in --features" : "a feature of the model"));
cleanup:
  return status;
}

/* The label column when --label is not given: the model's, else the last one that is neither dropped nor the weights. */
static size_t default_label(const Choice *choice) {
  const DataOptions *options = choice->options;
  const CsvColumns *columns = choice->columns;
  size_t left = 0, last = CSV_NONE;
  for (size_t c = 0; c < columns->count; c++)
    if (!choice->dropped[c] && c != columns->weight) left++, last = c;
  if (columns->names != NULL && options->expect_label != NULL) return find_name(columns, options->expect_label);
  if (last == CSV_NONE || choice->chosen[last]) return CSV_NONE;
  if (choice->wanted == NULL && options->expect_features > 0 && left == options->expect_features) return CSV_NONE;
  return last;
}

static Status no_label(const Choice *choice, Error *error) {
  const DataOptions *options = choice->options;
  const char *source = choice->reader->source;
  char known[600], quoted[QUOTE_SIZE];
  size_t left = 0;
  for (size_t c = 0; c < choice->columns->count; c++) left += !choice->dropped[c];
  if (left == 0) return error_set(error, SETOSA_ERROR_USAGE, "%s: --drop leaves no column; drop fewer columns", source);
  if (choice->columns->names != NULL && options->expect_label != NULL) {
    list_columns(choice->columns, options->expect_label, known, sizeof known);
    return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: there is no label column %s; %s; name it with --label", source, choice->line,
                     reader_quote(quoted, options->expect_label, strlen(options->expect_label)), known);
  }
  if (options->features != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: the last column is the label unless --label names another, and --features takes it; "
                     "add --label, or leave it out of --features",
                     source);
  return error_set(error, SETOSA_ERROR_DATA, "%s:%zu: there is no label column beside the %zu features of the model; name it with --label",
                   source, choice->line, options->expect_features);
}

static Status choose_label(Choice *choice, Error *error) {
  Status status = SETOSA_OK;
  CsvColumns *columns = choice->columns;
  if (choice->options->label != NULL) {
    TRY(resolve(choice, "--label", choice->options->label, &columns->label, error));
    if (choice->dropped[columns->label])
      TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --label and --drop; choose one", choice->options->label));
    if (choice->options->features != NULL && choice->chosen[columns->label])
      TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both --label and in --features; a label cannot be its own feature",
                    choice->options->label));
  } else {
    size_t last = columns->count - 1;
    if (last > 0 && last == columns->weight) last--;
    if (choice->dropped[last] && choice->options->expect_label == NULL && !choice->options->labels_optional) {
      const char *name = columns->names != NULL ? columns->names[last] : "";
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--drop takes the last column%s%s, which is the label; name another label with --label",
                    name[0] != '\0' ? " " : "", name));
    }
    columns->label = default_label(choice);
    if (columns->label == CSV_NONE && !choice->options->labels_optional) TRY(no_label(choice, error));
  }
  if (columns->label == columns->weight && choice->options->weights == NULL) columns->weight = CSV_NONE; /* what --label says goes first */
  if (columns->label != CSV_NONE && columns->label == columns->weight)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "the column %s is both the label and --weights; choose one", choice->options->weights));
cleanup:
  return status;
}

/* Gives every column its role and checks how many features there are. */
static Status assign(Choice *choice, Error *error) {
  Status status = SETOSA_OK;
  CsvColumns *columns = choice->columns;
  size_t expected = choice->options->expect_features;
  TRY(memory_allocate((void **)&columns->roles, columns->count, sizeof *columns->roles, "columns", error));
  TRY(memory_allocate((void **)&columns->sources, columns->count, sizeof *columns->sources, "columns", error));
  for (size_t c = 0; c < columns->count; c++) columns->roles[c] = CSV_SKIP;
  size_t candidates = choice->wanted != NULL ? choice->wanted_count : columns->count;
  for (size_t i = 0; i < candidates; i++) {
    size_t column = choice->wanted != NULL ? choice->wanted[i] : i;
    if (choice->dropped[column] || column == columns->label || column == columns->weight) continue;
    columns->roles[column] = columns->features;
    columns->sources[columns->features++] = column;
  }
  if (columns->label != CSV_NONE) columns->roles[columns->label] = CSV_LABEL;
  bool weighs = choice->options->weights != NULL || !choice->options->labels_optional; /* to predict, nobody needs the model's weights */
  if (columns->weight != CSV_NONE && weighs) columns->roles[columns->weight] = CSV_WEIGHT;
  if (columns->features == 0 && (choice->options->features != NULL || choice->options->drop != NULL))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: no feature column is left; drop fewer columns", choice->reader->source));
  if (columns->features == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s:%zu: only one column was found; features and a label separated by commas (or tabs in a .tsv) are needed",
                  choice->reader->source, choice->line));
  if (expected > 0 && columns->features != expected)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: %zu feature columns, but the model has %zu; choose them with --features",
                  choice->reader->source, choice->line, columns->features, expected));
cleanup:
  return status;
}

Status csv_columns_decide(CsvColumns *columns, const Reader *reader, const char *const *first, size_t count, size_t line, Error *error) {
  Status status = SETOSA_OK;
  Choice choice = {.columns = columns, .reader = reader, .options = reader->options, .line = line};
  columns->count = count;
  TRY(memory_allocate_zero((void **)&choice.dropped, count, sizeof *choice.dropped, "columns", error));
  TRY(memory_allocate_zero((void **)&choice.chosen, count, sizeof *choice.chosen, "columns", error));
  TRY(csv_header_detect(columns, reader, first, error));
  if (columns->header) TRY(csv_header_take(columns, reader, first, line, error));
  TRY(resolve_lists(&choice, error));
  TRY(resolve_expected_names(&choice, error));
  TRY(choose_weights(&choice, error));
  TRY(choose_label(&choice, error));
  TRY(assign(&choice, error));
cleanup:
  free(choice.dropped);
  free(choice.chosen);
  free(choice.wanted);
  return status;
}
