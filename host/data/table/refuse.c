/* Tables that cannot be trained on: every column that is in the way, once, with the remedy ready to paste. */
#include <stdio.h>
#include <string.h>

#include "data/table/survey.h"

/* "a,b,c" of all columns in the way. */
static Status list_in_the_way(Text *names, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  for (size_t c = 0; c < table->count; c++) {
    if (!table->columns[c].in_the_way) continue;
    if (names->length > 0) TRY(text_append(names, error, ","));
    TRY(table_append_option_name(names, table, c, error));
  }
cleanup:
  return status;
}

static unsigned long long words_of(const ColumnSurvey *seen) { return (unsigned long long)(seen->present - seen->numbers); }

/* The first word of each, for --na: only where it is all that is wrong is this the remedy, but it is the one to try first. */
static Status list_words(Text *words, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  for (size_t c = 0; c < table->count; c++) {
    const Place *place = &table->all->columns[c].first_word;
    size_t length = strlen(place->text);
    if (!table->columns[c].in_the_way || place->file == NULL || length < 3) continue;
    TRY(text_append(words, error, "%s%.*s", words->length > 0 ? "," : "", (int)(length - 2), place->text + 1)); /* without its quotes */
  }
cleanup:
  return status;
}

static Status describe_others(Text *others, const Table *table, size_t first, Error *error) {
  Status status = SETOSA_OK;
  char name[TABLE_NAME];
  size_t told = 0;
  for (size_t c = 0; c < table->count; c++) {
    if (!table->columns[c].in_the_way || c == first) continue;
    const ColumnSurvey *seen = &table->all->columns[c];
    if (told == 4) {
      TRY(text_append(others, error, ", ..."));
      break;
    }
    TRY(text_append(others, error, "%s%s (%llu of %llu, first %s in line %llu)", told++ == 0 ? "; likewise " : ", ",
                    table_column_name(name, table, c), words_of(seen), (unsigned long long)seen->present, seen->first_word.text,
                    (unsigned long long)seen->first_word.line));
  }
cleanup:
  return status;
}

Status table_refuse_columns(const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text names = {0}, words = {0}, others = {0};
  size_t first = 0;
  char name[TABLE_NAME], column[TABLE_NAME + 16] = "";
  while (first < table->count && !table->columns[first].in_the_way) first++;
  if (first == table->count) return SETOSA_OK;
  const ColumnSurvey *seen = &table->all->columns[first];
  TRY(list_in_the_way(&names, table, error));
  if (seen->levels.too_many && !table->columns[first].numeric && !column_is_nearly_numeric(seen))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the column %s has more different texts than can be kept; --drop %s", table->reader->source,
                  table_column_name(name, table, first), names.text));
  TRY(list_words(&words, table, error));
  TRY(describe_others(&others, table, first, error));
  if (table->header) snprintf(column, sizeof column, " (column %s)", table_column_name(name, table, first));
  const char *word = seen->first_word.text; /* in quotes */
  const char *what = reader_is_not_finite(word + 1, strlen(word) - 2) ? "is not a finite number" : "is not a number";
  TRY(error_set(
      error, SETOSA_ERROR_DATA,
      "%s:%llu:%zu: %s %s%s, nor are %llu others of %llu values%s; take such words for missing values (--na %s), or the column%s for "
      "names (--categorical %s), or leave %s out (--drop %s)",
      seen->first_word.file, (unsigned long long)seen->first_word.line, first + 1, seen->first_word.text, what, column, words_of(seen) - 1,
      (unsigned long long)seen->present, others.length > 0 ? others.text : "", words.text, others.length > 0 ? "s" : "", names.text,
      others.length > 0 ? "them" : "it", names.text));
cleanup:
  text_free(&names);
  text_free(&words);
  text_free(&others);
  return status;
}

/* Every column that could be a feature was left out, or every row. */
Status table_check_enough(const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text worst = {0};
  const char *source = table->reader->source;
  size_t most = TABLE_NONE;
  if (table->features == 0)
    return error_set(error, SETOSA_ERROR_DATA,
                     "%s: no column is left to be a feature: each identifies rows or has no value; see `setosa inspect`, and name columns "
                     "with --categorical",
                     source);
  if (table->kept->rows > 0 || table->all->rows == 0) return SETOSA_OK;
  for (size_t c = 0; c < table->count; c++)
    if (table->columns[c].role != FIELD_SKIP && (most == TABLE_NONE || table->all->columns[c].missing > table->all->columns[most].missing))
      most = c;
  TRY(table_append_option_name(&worst, table, most, error));
  TRY(error_set(
      error, SETOSA_ERROR_DATA,
      "%s: all %llu rows lack a value in some column, most of them (%llu) in %s; keep them with --missing mean, or leave columns out "
      "(--drop %s)",
      source, (unsigned long long)table->all->rows, (unsigned long long)table->all->columns[most].missing, worst.text, worst.text));
cleanup:
  text_free(&worst);
  return status;
}

/* --missing error: at the first in the text. */
Status table_refuse_missing(const Table *table, Error *error) {
  const Place *first = NULL;
  size_t column = 0;
  char name[TABLE_NAME], named[TABLE_NAME + 16] = "";
  if (table->reader->options->missing != SETOSA_MISSING_ERROR) return SETOSA_OK;
  for (size_t c = 0; c < table->count; c++) {
    const Place *place = &table->all->columns[c].first_missing;
    if (table->columns[c].role == FIELD_SKIP || place->file == NULL || (first != NULL && place->line >= first->line)) continue;
    first = place;
    column = c;
  }
  if (first == NULL) return SETOSA_OK;
  if (table->header) snprintf(named, sizeof named, " (column %s)", table_column_name(name, table, column));
  bool empty = strcmp(first->text, "''") == 0;
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s:%llu:%zu: %s%s%s; fill it in, or leave such rows out (--missing drop), or put in the mean (--missing mean)",
                   first->file, (unsigned long long)first->line, column + 1, empty ? "" : first->text,
                   empty ? "a value is missing" : " stands for a missing value", named);
}
