/* Tables that cannot be trained on: every column that is in the way, once, with the remedy ready to paste. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/number_remedy.h"
#include "data/table/survey.h"

/* One that has too many texts, for which there is but one remedy, before all others; TABLE_NONE: none is. */
static size_t first_in_the_way(const Table *table) {
  size_t first = TABLE_NONE;
  for (size_t c = 0; c < table->count; c++) {
    if (table->columns[c].in_the_way && table->columns[c].too_many) return c;
    if (table->columns[c].in_the_way && first == TABLE_NONE) first = c;
  }
  return first;
}

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

enum { WORDS_LISTED = 10, WORD_LISTED = 40 };

/* Whether --na can hold the word: in quotes, but in a list. */
static bool can_be_listed(const char *word) {
  bool can = strlen(word) <= WORD_LISTED;
  for (const char *c = word; can && *c != '\0'; c++) can = (unsigned char)*c >= ' ' && *c != ',' && *c != '\'';
  return can;
}

/* The words of all columns in the way, for --na, in quotes where a shell needs them; nothing when they are many, or a list cannot hold one.
 */
static Status list_words(Text *out, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  Text words = {0};
  NameTable *told = NULL;
  bool plain = true;
  size_t index = 0;
  TRY(name_table_create(&told, error));
  for (size_t c = 0; c < table->count; c++) {
    const NameTable *names = table->all->columns[c].levels.names;
    if (!table->columns[c].in_the_way) continue;
    if (names == NULL || name_table_count(names) > WORDS_LISTED) goto cleanup;
    for (size_t i = 0; i < name_table_count(names); i++) {
      const char *word = name_table_name(names, i);
      size_t known = name_table_count(told);
      if (!can_be_listed(word)) goto cleanup;
      TRY(name_table_add(told, word, strlen(word), &index, error));
      if (index < known) continue;
      TRY(text_append(&words, error, "%s%s", words.length > 0 ? "," : "", word));
      plain = plain && strcspn(word, TABLE_SHELL_SPECIAL) == strlen(word);
    }
  }
  const char *quote = plain ? "" : "'";
  if (words.length > 0) TRY(text_append(out, error, "take such words for missing values (--na %s%s%s), or", quote, words.text, quote));
cleanup:
  name_table_destroy(told);
  text_free(&words);
  return status;
}

/* word stands in quotes. */
static const char *what_is_wrong(const char *word) {
  char *end = NULL;
  if (reader_is_not_finite(word + 1, strlen(word) - 2)) return "is not a finite number";
  return isinf(strtod(word + 1, &end)) && strcmp(end, "'") == 0 ? "is beyond double precision (1.8e308)" : "is not a number";
}

/* What of the other values of the column? */
static Status describe_rest(Text *rest, const ColumnSurvey *seen, Error *error) {
  unsigned long long others = words_of(seen) - 1, present = (unsigned long long)seen->present;
  if (present == 1) return SETOSA_OK;
  if (present == 2 && others == 0) return text_append(rest, error, ", though the other value is");
  if (others == 0) return text_append(rest, error, ", though the other %llu values are", present - 1);
  return text_append(rest, error, ", nor %s %llu other%s of %llu values", others == 1 ? "is" : "are", others, others == 1 ? "" : "s",
                     present);
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
  Text names = {0}, words = {0}, rest = {0}, others = {0};
  size_t first = first_in_the_way(table);
  char name[TABLE_NAME], column[TABLE_NAME + 16] = "";
  if (first == TABLE_NONE) return SETOSA_OK;
  const ColumnSurvey *seen = &table->all->columns[first];
  TRY(list_in_the_way(&names, table, error));
  if (table->columns[first].too_many)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the column %s has more different texts than are kept (%d, or %d MB of them); --drop %s",
                  table->reader->source, table_column_name(name, table, first), LEVELS_MOST, LEVELS_MEGABYTES, names.text));
  char room[NUMBER_REMEDY];
  const char *word = seen->first_word.text; /* in quotes */
  const char *remedy = number_remedy(room, word + 1, strlen(word) - 2);
  if (remedy != NULL)
    TRY(text_append(&words, error, "%s, or take", remedy));
  else
    TRY(list_words(&words, table, error));
  TRY(describe_rest(&rest, seen, error));
  TRY(describe_others(&others, table, first, error));
  if (table->header) snprintf(column, sizeof column, " (column %s)", table_column_name(name, table, first));
  bool several = others.length > 0;
  TRY(error_set(error, SETOSA_ERROR_DATA,
                "%s:%llu:%zu: %s %s%s%s%s; %s%s the column%s for names (--categorical %s), or leave %s out (--drop %s)",
                seen->first_word.file, (unsigned long long)seen->first_word.line, first + 1, seen->first_word.text, what_is_wrong(word),
                column, rest.length > 0 ? rest.text : "", several ? others.text : "", words.length > 0 ? words.text : "",
                words.length > 0 ? "" : "take", several ? "s" : "", names.text, several ? "them" : "it", names.text));
cleanup:
  text_free(&names);
  text_free(&words);
  text_free(&rest);
  text_free(&others);
  return status;
}

/* The categorical column with the most levels; TABLE_NONE: there is none. */
static size_t widest_column(const Table *table) {
  size_t widest = TABLE_NONE;
  for (size_t c = 0; c < table->count; c++)
    if (table->columns[c].role == FIELD_CATEGORICAL &&
        (widest == TABLE_NONE || name_table_count(table->columns[c].levels) > name_table_count(table->columns[widest].levels)))
      widest = c;
  return widest;
}

/* Words that make features by the thousand would, with all their zeros, take all memory, which the system would end the process for. */
static Status refuse_width(const Table *table, Error *error) {
  enum { FEW = 1000 };
  Status status = SETOSA_OK;
  Text option = {0};
  char name[TABLE_NAME];
  double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  double bytes = (double)table->kept->rows * (double)table->features * sizeof(float);
  size_t widest = widest_column(table), levels = widest != TABLE_NONE ? name_table_count(table->columns[widest].levels) : 0;
  if (table_is_sparse(table) || levels <= FEW || bytes <= memory) return SETOSA_OK;
  bool never = table->reader->options->sparse == SETOSA_SPARSE_NEVER;
  TRY(table_append_option_name(&option, table, widest, error));
  TRY(error_set(
      error, SETOSA_ERROR_DATA,
      "%s: %llu rows of %zu features would take %.0f GB, and this machine has %.0f GB: the column %s alone makes %zu features; keep rows "
      "without their zeros (--sparse %s), leave it out (--drop %s), or carry it along as text (--id %s)",
      table->reader->source, (unsigned long long)table->kept->rows, table->features, bytes / 1e9, memory / 1e9,
      table_column_name(name, table, widest), levels, never ? "auto" : "always", option.text, option.text));
cleanup:
  text_free(&option);
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
  if (table->kept->rows > 0) return refuse_width(table, error);
  if (table->all->rows == 0) return SETOSA_OK;
  for (size_t c = 0; c < table->count; c++)
    if (table->columns[c].role != FIELD_SKIP && (most == TABLE_NONE || table->all->columns[c].missing > table->all->columns[most].missing))
      most = c;
  if (table->columns[most].role == FIELD_LABEL)
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: all %llu rows lack a value in some column, most of them (%llu) the label; --label names another", source,
                  (unsigned long long)table->all->rows, (unsigned long long)table->all->columns[most].missing));
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
  bool empty = strcmp(first->text, "''") == 0, has_mean = table_column_is_feature(&table->columns[column]);
  return error_set(error, SETOSA_ERROR_DATA, "%s:%llu:%zu: %s%s%s; fill it in, or leave such rows out (--missing drop)%s", first->file,
                   (unsigned long long)first->line, column + 1, empty ? "" : first->text,
                   empty ? "a value is missing" : " stands for a missing value", named,
                   has_mean ? ", or put in the mean (--missing mean)" : "");
}
