/* Taking rows out of a data set, and making some up. */
#include "exchange/rows.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

Status row_reader_open(RowReader *reader, const Dataset *data, Error *error) {
  reader->data = data;
  return memory_allocate((void **)&reader->room, dataset_shape(data).features, sizeof *reader->room, "a row", error);
}

Status row_reader_take(RowReader *reader, size_t i, double *x, long *label, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(reader->data);
  const double *shift = setosa_dataset_shift(reader->data);
  Targets targets = {0};
  SparseRows sparse;
  RowRange row = {i, 1};
  if (shape.kind == DATA_DENSE) {
    const float *values = dataset_dense(reader->data, row, reader->room);
    for (size_t d = 0; d < shape.features; d++) x[d] = (double)values[d];
  } else {
    TRY(dataset_sparse(&sparse, reader->data, row, &reader->sparse, error));
    for (size_t d = 0; d < shape.features; d++) x[d] = 0;
    for (uint64_t e = sparse.begin[0]; e < sparse.begin[1]; e++)
      x[sparse.columns[e]] = sparse.values != NULL ? (double)sparse.values[e] : 1;
  }
  for (size_t d = 0; shift != NULL && d < shape.features; d++) x[d] += shift[d];
  *label = -1;
  if (shape.labelled) TRY(dataset_targets(&targets, reader->data, row, &reader->targets, error));
  if (targets.labels != NULL) *label = targets.labels[0];
cleanup:
  return status;
}

void row_reader_close(RowReader *reader) {
  free(reader->room);
  sparse_room_free(&reader->sparse);
  target_room_free(&reader->targets);
}

/* About where the values of a feature lie, and how far apart. */
static void guess(double *middle, double *spread, size_t d, double mean, const LinearForm *linear, const Model *model) {
  double most = 0;
  for (size_t k = 0; k < model->classes; k++) most = fmax(most, fabs(linear->coefficients[k * model->features + d]));
  *middle = isfinite(mean) ? mean : model->scaling.scale != NULL ? model->scaling.offset[d] : model->shift != NULL ? model->shift[d] : 0;
  *spread = model->scaling.scale != NULL && model->scaling.scale[d] != 0 ? 1 / fabs(model->scaling.scale[d])
            : most > 0                                                   ? 3 / (most * sqrt((double)model->features))
                                                                         : 1;
}

static double draw(size_t row, size_t d) { return random_symmetric(1, RANDOM_STREAM_CHECK, row, d); }

/* One of the levels, or none, is 1. */
static void make_levels(double *x, size_t row, size_t feature, size_t levels) {
  uint64_t chosen = random_below(1, RANDOM_STREAM_CHECK, row, feature, levels + 1);
  for (size_t l = 0; l < levels; l++) x[l] = l == chosen;
}

static void make_row(double *x, size_t row, const LinearForm *linear, const Model *model) {
  const Columns *columns = model->columns;
  size_t count = columns != NULL ? columns->count : model->features;
  for (size_t c = 0, feature = 0; c < count; c++) {
    const Column *column = columns != NULL ? &columns->columns[c] : NULL;
    double middle = 0, spread = 0;
    if (column != NULL && column->kind == COLUMN_CATEGORICAL) {
      make_levels(x + feature, row, feature, column->level_count);
      feature += column->level_count;
      continue;
    }
    guess(&middle, &spread, feature, column != NULL ? column->mean : NAN, linear, model);
    x[feature] = middle + 2 * spread * draw(row, feature);
    feature++;
  }
}

Status rows_for_check(double *rows, size_t count, const LinearForm *linear, const Model *model, const Dataset *data, bool wide,
                      Error *error) {
  Status status = SETOSA_OK;
  RowReader reader = {0};
  if (data != NULL) TRY(row_reader_open(&reader, data, error));
  for (size_t i = 0; i < count; i++) {
    double *x = rows + i * model->features;
    long label = 0;
    if (data != NULL)
      TRY(row_reader_take(&reader, i * dataset_shape(data).rows / count, x, &label, error));
    else
      make_row(x, i, linear, model);
    for (size_t d = 0; d < model->features && !wide; d++) x[d] = (double)(float)x[d];
  }
cleanup:
  row_reader_close(&reader);
  return status;
}
