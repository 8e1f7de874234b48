/* The survey of all rows, told column by column. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/table/survey.h"

enum { LEVELS_TOLD = 100000 };

typedef struct Level {
  const char *name;
  uint64_t count;
} Level;

static int by_name(const void *a, const void *b) { return strcmp(((const Level *)a)->name, ((const Level *)b)->name); }

/* The levels of the rows that are used, in byte order. */
static Status tell_levels(SetosaColumnReport *out, const ColumnSurvey *seen, Error *error) {
  Status status = SETOSA_OK;
  size_t count = levels_count(&seen->levels);
  Level *levels = NULL;
  char **names = NULL;
  uint64_t *counts = NULL;
  out->levels = count;
  if (count == 0 || count > LEVELS_TOLD) return SETOSA_OK;
  TRY(memory_allocate((void **)&levels, count, sizeof *levels, "levels", error));
  for (size_t i = 0; i < count; i++) levels[i] = (Level){name_table_name(seen->levels.names, i), seen->levels.counts[i]};
  qsort(levels, count, sizeof *levels, by_name);
  TRY(memory_allocate_zero((void **)&names, count, sizeof *names, "levels", error));
  out->level_names = (const char *const *)names;
  TRY(memory_allocate((void **)&counts, count, sizeof *counts, "levels", error));
  out->level_counts = counts;
  for (; out->levels_named < count; out->levels_named++) {
    TRY(memory_copy_text(&names[out->levels_named], levels[out->levels_named].name, error));
    counts[out->levels_named] = levels[out->levels_named].count;
  }
cleanup:
  free(levels);
  return status;
}

static SetosaColumnUse use_of(const Table *table, size_t c) {
  const TableColumn *column = &table->columns[c];
  if (column->in_the_way) return SETOSA_COLUMN_IN_THE_WAY;
  if (c == table->label) return SETOSA_COLUMN_LABEL;
  if (c == table->weight) return SETOSA_COLUMN_WEIGHTS;
  if (column->id != TABLE_NONE) return SETOSA_COLUMN_ID;
  return column->candidate ? SETOSA_COLUMN_FEATURE : SETOSA_COLUMN_LEFT_OUT;
}

/* What was found, and what becomes of it. */
static Status write_note(Text *note, const SetosaColumnReport *out, const Table *table, size_t c, const ColumnSurvey *seen, Error *error) {
  const TableColumn *column = &table->columns[c];
  unsigned long long levels = (unsigned long long)out->levels, words = (unsigned long long)(seen->present - seen->numbers);
  switch (out->use) {
    case SETOSA_COLUMN_IN_THE_WAY:
      if (column->too_many) return text_append(note, error, "more different texts than are kept");
      return text_append(note, error, "%llu of %llu values are no numbers, the first %s in line %llu", words,
                         (unsigned long long)seen->present, seen->first_word.text, (unsigned long long)seen->first_word.line);
    case SETOSA_COLUMN_LABEL:
      if (levels == 0) return text_append(note, error, "too many classes to be counted");
      return text_append(note, error, "%llu class%s", levels, levels == 1 ? "" : "es");
    case SETOSA_COLUMN_WEIGHTS:
      return text_append(note, error, "weights of the rows");
    case SETOSA_COLUMN_ID:
      return text_append(note, error, "carried along");
    case SETOSA_COLUMN_LEFT_OUT:
      return text_append(note, error, "%s", column->dropped ? "--drop" : column->why != NULL ? column->why : "not among --features");
    case SETOSA_COLUMN_FEATURE:
      break;
  }
  if (out->categorical) return text_append(note, error, "%llu feature%s", levels, levels == 1 ? "" : "s");
  if (seen->moments.count > 0 && seen->moments.least == seen->moments.most) return text_append(note, error, "constant");
  if (column_counts_rows(seen) && seen->numbers >= 10) return text_append(note, error, "counts rows; --drop leaves it out");
  return text_append(note, error, "%s", "");
}

static Status tell_column(SetosaColumnReport *out, const Table *table, size_t c, Error *error) {
  Status status = SETOSA_OK;
  const TableColumn *column = &table->columns[c];
  const ColumnSurvey *all = &table->all->columns[c], *seen = table->kept != NULL ? &table->kept->columns[c] : all;
  Text note = {0}, name = {0};
  if (column->name != NULL)
    TRY(text_append(&name, error, "%s", column->name));
  else
    TRY(text_append(&name, error, "%zu", c + 1));
  out->name = name.text;
  name.text = NULL;
  out->use = use_of(table, c);
  out->present = all->present;
  out->missing = all->missing;
  out->categorical = column->role == FIELD_CATEGORICAL || (column->role != FIELD_NUMERIC && all->numbers < all->present);
  out->least = out->most = out->mean = out->deviation = NAN;
  if (!out->categorical && seen->moments.count > 0) {
    out->least = seen->moments.least;
    out->most = seen->moments.most;
    out->mean = seen->moments.mean;
    out->deviation = moments_deviation(&seen->moments);
  }
  if (out->categorical || c == table->label) TRY(tell_levels(out, out->use == SETOSA_COLUMN_LEFT_OUT ? all : seen, error));
  out->shift = out->use == SETOSA_COLUMN_FEATURE ? column->shift : 0;
  if (out->use == SETOSA_COLUMN_FEATURE) out->features = out->categorical ? out->levels : 1;
  TRY(write_note(&note, out, table, c, all, error));
  out->note = note.text;
  note.text = NULL;
cleanup:
  text_free(&note);
  text_free(&name);
  return status;
}

/* As the option --separator has it. */
static void tell_separator(SetosaTableReport *report, char separator) {
  const char one[] = {separator, '\0'};
  snprintf(report->separator, sizeof report->separator, "%s", separator == '\t' ? "tab" : separator == ' ' ? "blank" : one);
}

static Status tell(SetosaTableReport *report, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  report->header = table->header;
  tell_separator(report, table->dialect.separator);
  report->decimal[0] = table->dialect.decimal == ',' ? ',' : '.';
  report->rows = table->all->rows;
  report->rows_left_out = table->kept != NULL ? table->all->rows - table->kept->rows : 0;
  TRY(memory_allocate_zero((void **)&report->columns, table->count, sizeof *report->columns, "columns", error));
  for (size_t c = 0; c < table->count; c++) {
    report->column_count = c + 1; /* freed even if it cannot be told to its end */
    TRY(tell_column(&report->columns[c], table, c, error));
    report->features += report->columns[c].features;
  }
cleanup:
  return status;
}

Status table_inspect(SetosaTableReport **out, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Remarks remarks = {0};
  Table table = {0};
  Error problem = {0};
  SetosaTableReport *report = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&report, 1, sizeof *report, "a report on a table", error));
  TRY(table_open(&table, reader, &remarks, error));
  table.inspects = true;
  status = table_find_kinds(&table, &problem);
  if (status != SETOSA_OK && (status != SETOSA_ERROR_DATA || table.all == NULL)) TRY(error_set(error, status, "%s", problem.message));
  if (status != SETOSA_OK) TRY(memory_copy_text(&report->problem, problem.message, error));
  report->sparse = report->problem == NULL && table_is_sparse(&table);
  TRY(tell(report, &table, error));
  *out = report;
  report = NULL;
cleanup:
  setosa_table_report_destroy(report);
  table_close(&table);
  remarks_free(&remarks);
  return status;
}

void setosa_table_report_destroy(SetosaTableReport *report) {
  if (report == NULL) return;
  for (size_t c = 0; report->columns != NULL && c < report->column_count; c++) {
    SetosaColumnReport *column = &report->columns[c];
    for (size_t l = 0; l < column->levels_named; l++) free((char *)(uintptr_t)column->level_names[l]);
    free((void *)(uintptr_t)column->level_names);
    free((void *)(uintptr_t)column->level_counts);
    free((char *)(uintptr_t)column->name);
    free((char *)(uintptr_t)column->note);
  }
  free(report->columns);
  free(report->problem);
  free(report);
}
