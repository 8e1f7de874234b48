/* What each column becomes for a model: what it was when the model was made. */
#include <math.h>
#include <string.h>

#include "data/table/table.h"

static Status take_levels(TableColumn *to, const Column *from, Error *error) {
  Status status = SETOSA_OK;
  size_t index = 0;
  TRY(name_table_create(&to->levels, error));
  for (size_t l = 0; l < from->level_count; l++) TRY(name_table_add(to->levels, from->levels[l], strlen(from->levels[l]), &index, error));
cleanup:
  return status;
}

Status table_take_expected(Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  const Columns *columns = options->expect_columns;
  char name[TABLE_NAME];
  for (size_t i = 0; i < table->order_count; i++) {
    TableColumn *column = &table->columns[table->order[i]];
    column->feature = table->features++;
    column->role = FIELD_NUMERIC;
    column->fill = NAN;
    bool shifts = columns == NULL && options->expect_shift != NULL && !options->unshifted && i < options->expect_features;
    if (shifts) column->shift = options->expect_shift[i];
    if (columns == NULL) continue;
    const Column *was = &columns->columns[i];
    column->fill = was->mean;
    column->shift = options->unshifted ? 0 : was->shift;
    if (was->kind != COLUMN_CATEGORICAL) continue;
    column->role = FIELD_CATEGORICAL;
    TRY(take_levels(column, was, error));
    table->features += was->level_count - 1;
  }
  for (size_t i = 0; i < table->order_count && options->missing == SETOSA_MISSING_MEAN; i++) {
    const TableColumn *column = &table->columns[table->order[i]];
    if (column->role == FIELD_NUMERIC && isnan(column->fill))
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--missing mean: the model does not know the mean of the column %s; use --missing drop",
                    table_column_name(name, table, table->order[i])));
  }
cleanup:
  return status;
}
