/* One pass instead of two: what the columns are is guessed from the head, rows are made as if that were right, and are surveyed meanwhile.
 */
#include <math.h>

#include "base/memory.h"
#include "data/shift.h"
#include "data/table/part_rows.h"

/* A head of a few rows says little. */
static const uint64_t ROWS_LEAST = 100;

/* In the head every value of the features is a number, and every row has a label. */
static bool looks_plain(const Table *table, const Survey *head) {
  const DataOptions *options = table->reader->options;
  bool plain =
      head != NULL && head->rows >= ROWS_LEAST && options->categorical == NULL && table->weight == TABLE_NONE && table->id_count == 0;
  for (size_t i = 0; plain && i < table->order_count; i++) {
    const ColumnSurvey *seen = &head->columns[table->order[i]];
    plain = seen->numbers == head->rows;
  }
  return plain && (table->label == TABLE_NONE || head->columns[table->label].missing == 0);
}

Status table_guess(bool *guessed, Table *table, const Survey *head, Error *error) {
  *guessed = looks_plain(table, head);
  if (!*guessed) return SETOSA_OK;
  table->guesses = true;
  table->kept = (Survey *)(uintptr_t)head; /* lent for the numbering */
  Status status = table_number_features(table, error);
  table->kept = NULL;
  return status;
}

void table_forget_guess(Table *table) {
  table->guesses = false;
  table->features = 0;
}

Status part_rows_encode_guess(PartRows *part, const Table *table, Error *error) {
  Status status = SETOSA_OK;
  const Records *records = &part->records;
  double value = 0;
  TRY(part_rows_begin_row(part, table, error));
  for (size_t i = 0; i < table->order_count; i++) {
    size_t c = table->order[i];
    const TableColumn *column = &table->columns[c];
    ColumnSurvey *seen = &part->survey->columns[c];
    float rounded;
    if (!field_number(&records->fields[c], table->dialect.decimal, &value) || !isfinite(rounded = (float)(value - column->shift)) ||
        (table->missing_words.count > 0 && field_is_missing(&records->fields[c], &table->missing_words))) {
      part->refuted = true;
      return SETOSA_OK;
    }
    seen->present++;
    survey_add_number(seen, value);
    part_rows_put(part, column, 0, rounded);
  }
  if (table->index != TABLE_NONE) {
    ColumnSurvey *seen = &part->survey->columns[table->index];
    part->refuted = !field_number(&records->fields[table->index], table->dialect.decimal, &value) || !isfinite(value);
    if (part->refuted) return SETOSA_OK;
    seen->present++;
    survey_add_number(seen, value);
  }
  part->survey->rows++;
  if (table->label != TABLE_NONE) {
    const Field *label = &records->fields[table->label];
    ColumnSurvey *seen = &part->survey->columns[table->label];
    part->refuted = field_is_missing(label, &table->missing_words);
    if (part->refuted) return SETOSA_OK;
    seen->present++;
    if (field_number(label, table->dialect.decimal, &value) && isfinite(value)) survey_add_number(seen, value);
    TRY(part_rows_label(part, table, error));
  }
  TRY(part_rows_end_row(part, table, error));
cleanup:
  return status;
}

/* A shift near the mean is as good as the one that the mean of all rows would give. */
static bool shift_serves(const TableColumn *column, const ColumnSurvey *seen) {
  double deviation = moments_deviation(&seen->moments), mean = seen->moments.mean;
  double chosen = shift_choose(mean, deviation, seen->moments.least, seen->moments.most);
  if ((chosen == 0) != (column->shift == 0)) return false;
  return chosen == 0 || fabs(mean - column->shift) <= 2 * deviation || chosen == column->shift;
}

Status table_confirm(bool *right, Table *table, Survey **all, Error *error) {
  *right = table->index == TABLE_NONE || column_counts_rows(&(*all)->columns[table->index]);
  for (size_t i = 0; *right && i < table->order_count; i++) {
    TableColumn *column = &table->columns[table->order[i]];
    const ColumnSurvey *seen = &(*all)->columns[table->order[i]];
    *right = seen->moments.count > 0 && (table->reader->options->unshifted || shift_serves(column, seen));
    column->fill = seen->moments.mean;
  }
  if (!*right) return SETOSA_OK;
  table->all = table->kept = *all;
  *all = NULL;
  return table_remark_columns(table, error);
}
