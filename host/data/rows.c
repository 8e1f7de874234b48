/* The rows of a data set: where they lie, who shares them, and how they come to who asks. */
#include "data/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/weights.h"

/* ---- sharing ----------------------------------------------------------------------------------------------------- */

static void row_order_free(RowOrder *order) {
  free(order->narrow);
  free(order->wide);
  *order = (RowOrder){0};
}

Status rows_create(Rows **out, Error *error) {
  Status status = memory_allocate_zero((void **)out, 1, sizeof **out, "rows", error);
  if (status == SETOSA_OK) atomic_init(&(*out)->users, 1);
  return status;
}

void rows_release(Rows *rows) {
  if (rows == NULL || atomic_fetch_sub(&rows->users, 1) > 1) return;
  if (!rows->borrowed) {
    if (!mapping_holds(&rows->mapping, rows->values)) free(rows->values);
    if (!mapping_holds(&rows->mapping, rows->labels)) free(rows->labels);
    sparse_free(&rows->sparse, &rows->mapping);
  }
  mapping_close(&rows->mapping);
  if (rows->weights != rows->sample_weights) free(rows->weights);
  free(rows->sample_weights);
  row_order_free(&rows->order);
  synthetic_destroy(rows->generator);
  free(rows);
}

float *rows_values(const Dataset *dataset) {
  return dataset->held->values != NULL ? dataset->held->values + dataset->first * dataset->features : NULL;
}

int32_t *rows_labels(const Dataset *dataset) {
  return dataset->held->labels != NULL && !dataset->for_scores ? dataset->held->labels + dataset->first : NULL;
}

/* The row of those held that row i is. */
static size_t held_row(const Dataset *dataset, size_t i) {
  const RowOrder *order = &dataset->held->order;
  return order->count > 0 ? row_order_at(order, dataset->first + i) : dataset->first + i;
}

/* Those held, which row numbers of held_row are of. */
static SparseRows held_sparse(const Dataset *dataset) {
  const SparseArrays *sparse = &dataset->held->sparse;
  return (SparseRows){sparse->begin, sparse->columns, sparse->values};
}

/* Of rows that are made, all of which have as many entries, which are all 1 in fields. */
static size_t made_entries(const Dataset *dataset) { return synthetic_spec_entries(synthetic_spec(dataset->held->generator)); }
static bool has_ones(const Dataset *dataset) {
  const Rows *held = dataset->held;
  return rows_are_sparse(dataset) && (held->generator != NULL ? synthetic_spec(held->generator)->fields > 0 : held->sparse.values == NULL);
}

/* The rows of a range made as entries, and their labels unless they are NULL. */
static void make_sparse(SparseArrays *arrays, int32_t *labels, const Dataset *dataset, RowRange rows) {
  size_t entries = made_entries(dataset);
  for (size_t i = 0; i <= rows.count; i++) arrays->begin[i] = (uint64_t)i * entries;
  synthetic_fill_sparse(dataset->held->generator, dataset->first + rows.begin, rows.count, arrays->columns, arrays->values, labels);
}

static bool is_own(const Dataset *dataset) {
  const Rows *held = dataset->held;
  return atomic_load(&held->users) == 1 && dataset->first == 0 && !held->borrowed && held->mapping.at == NULL && held->generator == NULL &&
         held->order.count == 0;
}

/* Rows that are made have room alone. */
static Status copy_sparse(SparseArrays *copy, const Dataset *dataset, Error *error) {
  const SparseRows held = held_sparse(dataset);
  Status status = sparse_allocate(copy, dataset->rows, dataset_entries(dataset, dataset_all(dataset)), has_ones(dataset), error);
  for (size_t i = 0; status == SETOSA_OK && held.begin != NULL && i < dataset->rows; i++)
    sparse_put_row(copy, i, &held, held_row(dataset, i));
  return status;
}

/* A copy of rows, labels and weights, of this kind; dense rows that become sparse are held. */
static Status copy_rows(Dataset *dataset, DataKind kind, Error *error) {
  Status status = SETOSA_OK;
  Rows *own = NULL;
  size_t count = 0;
  const Rows *held = dataset->held;
  bool labelled = dataset_shape(dataset).labelled;
  TRY(rows_create(&own, error));
  if (kind == DATA_SPARSE && rows_are_sparse(dataset)) {
    TRY(copy_sparse(&own->sparse, dataset, error));
  } else if (kind == DATA_SPARSE) {
    TRY(sparse_from_dense(&own->sparse, rows_values(dataset), dataset->rows, dataset->features, error));
  } else {
    TRY(memory_multiply(&count, dataset->rows, dataset->features, "the data", error));
    TRY(memory_allocate((void **)&own->values, count, sizeof *own->values, "a copy of the data", error));
  }
  if (labelled) TRY(memory_allocate((void **)&own->labels, dataset->rows, sizeof *own->labels, "a copy of the labels", error));
  if (held->generator != NULL && own->values == NULL) {
    make_sparse(&own->sparse, own->labels, dataset, dataset_all(dataset));
  } else if (held->generator != NULL) {
    synthetic_fill(held->generator, dataset->first, dataset->rows, own->values, own->labels);
  } else {
    const float *values = own->values != NULL ? dataset_dense(dataset, dataset_all(dataset), own->values) : NULL;
    if (values != own->values) memcpy(own->values, values, count * sizeof *values);
    if (labelled) memcpy(own->labels, rows_labels(dataset), dataset->rows * sizeof *own->labels);
  }
  TRY(weights_copy(own, held, dataset->first, dataset->rows, error));
  rows_release(dataset->held);
  dataset->held = own;
  dataset->first = 0;
  own = NULL;
cleanup:
  rows_release(own);
  return status;
}

Status rows_own(Dataset *dataset, Error *error) {
  if (is_own(dataset)) return SETOSA_OK;
  return copy_rows(dataset, rows_are_sparse(dataset) ? DATA_SPARSE : DATA_DENSE, error);
}

Status rows_become(Dataset *dataset, DataKind kind, Error *error) {
  Status status = SETOSA_OK;
  bool sparse = kind == DATA_SPARSE;
  if (rows_are_sparse(dataset) == sparse) return SETOSA_OK;
  TRY(dataset_check_held(dataset, sparse ? "--sparse always" : "--sparse never", error));
  if (sparse) TRY(sparse_check_width(dataset->features, dataset_source(dataset), error));
  TRY(copy_rows(dataset, kind, error));
  dataset->byte_scale = 0; /* nobody stores entries as bytes */
cleanup:
  return status;
}

Status dataset_hold(Dataset *dataset, Error *error) {
  return dataset_shape(dataset).place == DATA_HELD ? SETOSA_OK : rows_own(dataset, error);
}

Status dataset_check_unchanged(const Dataset *dataset, Error *error) {
  if (!mapping_is_changed(&dataset->held->mapping)) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s: was written to while it was read, so that nobody knows what was; leave it alone and start again",
                   dataset_source(dataset));
}

Status dataset_check_held(const Dataset *dataset, const char *what, Error *error) {
  if (dataset->held->order.count > 0)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: %s wants its rows in memory, and this process gathers them as needed; load them as one process",
                     dataset_source(dataset), what);
  if (dataset->held->generator == NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: %s wants its rows in memory, and these are so many that they are made as needed; use fewer rows",
                   dataset_source(dataset), what);
}

/* ---- slices ------------------------------------------------------------------------------------------------------ */

static void share_rows(Dataset *to, const Dataset *from, RowRange rows) {
  atomic_fetch_add(&from->held->users, 1);
  rows_release(to->held);
  to->held = from->held;
  to->first = from->first + rows.begin;
  to->rows = rows.count;
  to->features = from->features;
}

Status dataset_slice(Dataset **out, const Dataset *dataset, RowRange rows, Error *error) {
  Status status = SETOSA_OK;
  Dataset *slice = NULL;
  *out = NULL;
  if (!range_fits(rows, dataset->rows))
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: rows %zu to %zu of %zu were asked for; please report this", dataset_source(dataset),
                     rows.begin, rows.begin + rows.count, dataset->rows);
  TRY(dataset_create_bare(&slice, dataset->source, error));
  share_rows(slice, dataset, rows);
  TRY(dataset_copy_description(slice, dataset, error));
  if (rows.count < dataset->rows) slice->part = slice->parts = 0;
  *out = slice;
  slice = NULL;
cleanup:
  setosa_dataset_destroy(slice);
  return status;
}

Status dataset_for_scores(Dataset **out, const Dataset *dataset, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  Dataset *view = NULL;
  *out = NULL;
  TRY(dataset_create_bare(&view, dataset->source, error));
  share_rows(view, dataset, dataset_all(dataset));
  view->classes = classes;
  view->for_scores = true;
  view->byte_scale = dataset->byte_scale;
  view->part = dataset->part;
  view->parts = dataset->parts;
  *out = view;
  view = NULL;
cleanup:
  setosa_dataset_destroy(view);
  return status;
}

/* ---- rows and targets -------------------------------------------------------------------------------------------- */

DataShape dataset_shape(const Dataset *dataset) {
  const Rows *held = dataset->held;
  return (DataShape){.rows = dataset->rows,
                     .features = dataset->features,
                     .classes = dataset->classes,
                     .kind = rows_are_sparse(dataset) ? DATA_SPARSE : DATA_DENSE,
                     .entries = dataset_entries(dataset, (RowRange){0, dataset->rows}),
                     .ones = has_ones(dataset),
                     .place = held->generator != NULL ? DATA_MADE
                              : held->order.count > 0 ? DATA_GATHERED
                                                      : DATA_HELD,
                     .labelled = held->generator != NULL || rows_labels(dataset) != NULL,
                     .weighted = rows_weights(dataset) != NULL,
                     .exchangeable = dataset->exchangeable,
                     .byte_scale = dataset->byte_scale};
}

static const float *gathered_row(const Dataset *dataset, size_t row) {
  return dataset->held->unordered + held_row(dataset, row) * dataset->features;
}

const float *dataset_dense(const Dataset *dataset, RowRange rows, float *room) {
  const Rows *held = dataset->held;
  size_t features = dataset->features;
  if (held->values != NULL) return rows_values(dataset) + rows.begin * features;
  if (held->generator != NULL)
    synthetic_fill(held->generator, dataset->first + rows.begin, rows.count, room, NULL);
  else if (rows_are_sparse(dataset))
    for (size_t i = 0; i < rows.count; i++)
      sparse_expand_row(room + i * features, features, &(SparseRows){held->sparse.begin, held->sparse.columns, held->sparse.values},
                        held_row(dataset, rows.begin + i));
  else
    for (size_t i = 0; i < rows.count; i++) memcpy(room + i * features, gathered_row(dataset, rows.begin + i), features * sizeof *room);
  return room;
}

uint64_t dataset_entries(const Dataset *dataset, RowRange rows) {
  const uint64_t *begin = dataset->held->sparse.begin;
  uint64_t entries = 0;
  if (begin == NULL) return (uint64_t)rows.count * (rows_are_sparse(dataset) ? made_entries(dataset) : dataset->features);
  if (dataset->held->order.count == 0) return begin[dataset->first + rows.begin + rows.count] - begin[dataset->first + rows.begin];
  if (rows.count == dataset->held->order.count) return begin[rows.count]; /* all of them, in whatever order */
  for (size_t i = rows.begin; i < rows.begin + rows.count; i++) entries += begin[held_row(dataset, i) + 1] - begin[held_row(dataset, i)];
  return entries;
}

uint64_t dataset_bytes(const Dataset *dataset, RowRange rows) {
  const SparseArrays *sparse = &dataset->held->sparse;
  uint64_t entries = dataset_entries(dataset, rows);
  if (sparse->begin == NULL) return entries * sizeof(float);
  return entries * (sizeof *sparse->columns + (sparse->values != NULL ? sizeof *sparse->values : 0)) +
         ((uint64_t)rows.count + 1) * sizeof *sparse->begin;
}

static Status reserve_sparse(SparseRoom *room, size_t rows, uint64_t entries, Error *error) {
  Status status = SETOSA_OK;
  SparseArrays arrays = {0};
  if (room->rows >= rows && room->entries >= entries && room->begin != NULL) return SETOSA_OK;
  sparse_room_free(room);
  TRY(sparse_allocate(&arrays, rows, entries, false, error));
  room->begin = arrays.begin;
  room->columns = arrays.columns;
  room->values = arrays.values;
  room->rows = rows;
  room->entries = (size_t)entries;
cleanup:
  return status;
}

void sparse_room_free(SparseRoom *room) {
  free(room->begin);
  free(room->columns);
  free(room->values);
  *room = (SparseRoom){0};
}

Status dataset_sparse(SparseRows *sparse, const Dataset *dataset, RowRange rows, SparseRoom *room, Error *error) {
  const SparseRows held = held_sparse(dataset);
  if (!rows_are_sparse(dataset))
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: dense rows were asked for as sparse ones; please report this",
                     dataset_source(dataset));
  if (held.begin != NULL && dataset->held->order.count == 0) {
    *sparse = (SparseRows){held.begin + dataset->first + rows.begin, held.columns, held.values};
    return SETOSA_OK;
  }
  Status status = reserve_sparse(room, rows.count, dataset_entries(dataset, rows), error);
  if (status != SETOSA_OK) return status;
  SparseArrays arrays = {room->begin, room->columns, has_ones(dataset) ? NULL : room->values};
  arrays.begin[0] = 0;
  if (held.begin == NULL) make_sparse(&arrays, NULL, dataset, rows);
  for (size_t i = 0; held.begin != NULL && i < rows.count; i++) sparse_put_row(&arrays, i, &held, held_row(dataset, rows.begin + i));
  *sparse = (SparseRows){arrays.begin, arrays.columns, arrays.values};
  return SETOSA_OK;
}

void dataset_let_go(const Dataset *dataset, RowRange rows) {
  const Rows *held = dataset->held;
  const SparseRows sparse = held_sparse(dataset);
  if (held->order.count > 0) return; /* they lie all over it */
  if (held->values != NULL)
    mapping_let_go(&held->mapping, rows_values(dataset) + rows.begin * dataset->features, rows.count * dataset->features * sizeof(float));
  if (sparse.begin == NULL) return;
  const uint64_t *begin = sparse.begin + dataset->first + rows.begin;
  size_t entries = (size_t)(begin[rows.count] - begin[0]);
  mapping_let_go(&held->mapping, sparse.columns + begin[0], entries * sizeof *sparse.columns);
  if (sparse.values != NULL) mapping_let_go(&held->mapping, sparse.values + begin[0], entries * sizeof *sparse.values);
  mapping_let_go(&held->mapping, begin, rows.count * sizeof *begin);
}

double dataset_square_sum(const Dataset *dataset, RowRange rows) {
  double sum = 0;
  const SparseRows sparse = held_sparse(dataset);
  if (rows_are_sparse(dataset) && dataset->held->generator != NULL)
    return (double)dataset_entries(dataset, rows) * synthetic_entry_square(dataset->held->generator);
  for (size_t i = rows.begin; rows_are_sparse(dataset) && i < rows.begin + rows.count; i++) {
    size_t row = held_row(dataset, i);
    for (uint64_t j = sparse.begin[row]; j < sparse.begin[row + 1]; j++)
      sum += sparse.values != NULL ? (double)sparse.values[j] * (double)sparse.values[j] : 1;
  }
  if (rows_are_sparse(dataset)) return sum;
  if (dataset->held->generator != NULL) return (double)rows.count * (double)dataset->features;
  for (size_t i = rows.begin; i < rows.begin + rows.count; i++) {
    const float *x = dataset->held->values != NULL ? rows_values(dataset) + i * dataset->features : gathered_row(dataset, i);
    for (size_t d = 0; d < dataset->features; d++) sum += (double)x[d] * (double)x[d];
  }
  return sum;
}

Status target_room_reserve(TargetRoom *room, size_t count, Error *error) {
  Status status = SETOSA_OK;
  if (room->capacity >= count) return SETOSA_OK;
  target_room_free(room);
  TRY(memory_allocate((void **)&room->labels, count, sizeof *room->labels, "labels", error));
  room->capacity = count;
cleanup:
  return status;
}

void target_room_free(TargetRoom *room) {
  free(room->labels);
  free(room->values);
  *room = (TargetRoom){0};
}

Status dataset_targets(Targets *targets, const Dataset *dataset, RowRange rows, TargetRoom *room, Error *error) {
  Status status = SETOSA_OK;
  const int32_t *labels = rows_labels(dataset);
  size_t block = ((size_t)1 << 18) / dataset->features + 1;
  const float *weights = rows_weights(dataset);
  *targets = (Targets){labels != NULL ? labels + rows.begin : NULL, weights != NULL ? weights + rows.begin : NULL};
  if (dataset->held->generator == NULL) return SETOSA_OK;
  TRY(target_room_reserve(room, rows.count, error));
  targets->labels = room->labels;
  if (rows_are_sparse(dataset)) {
    synthetic_fill_sparse(dataset->held->generator, dataset->first + rows.begin, rows.count, NULL, NULL, room->labels);
    return SETOSA_OK;
  }
  if (room->values == NULL)
    TRY(memory_allocate((void **)&room->values, block * dataset->features, sizeof *room->values, "a block of rows", error));
  for (size_t done = 0; done < rows.count; done += block) { /* a label takes all features of its row */
    RowRange now = range_next(done, rows.count, block);
    synthetic_fill(dataset->held->generator, dataset->first + rows.begin + now.begin, now.count, room->values, room->labels + now.begin);
  }
cleanup:
  return status;
}

size_t dataset_first_unlabelled(const Dataset *dataset, size_t classes) {
  const int32_t *labels = rows_labels(dataset);
  size_t i = 0;
  if (dataset->held->generator != NULL) return dataset->classes <= classes ? dataset->rows : 0;
  while (labels != NULL && i < dataset->rows && labels[i] >= 0 && (size_t)labels[i] < classes) i++;
  return i;
}

const Synthetic *dataset_generator(const Dataset *dataset, uint64_t *first) {
  *first = dataset->first;
  return dataset->held->generator;
}

RowRange rows_of_part(const Dataset *dataset) {
  return dataset->parts > 1 ? range_part(dataset->rows, dataset->part, dataset->parts) : dataset_all(dataset);
}

/* ---- another order ----------------------------------------------------------------------------------------------- */

Status rows_begin_order(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  RowOrder order = {0};
  int32_t *labels = NULL;
  Rows *held = dataset->held;
  size_t rows = dataset->rows;
  if (held->order.count > 0) return SETOSA_OK;
  if (held->labels != NULL && mapping_holds(&held->mapping, held->labels)) {
    TRY(memory_allocate((void **)&labels, rows, sizeof *labels, "a copy of the labels", error));
    memcpy(labels, held->labels, rows * sizeof *labels);
  }
  if (rows <= UINT32_MAX)
    TRY(memory_allocate((void **)&order.narrow, rows, sizeof *order.narrow, "an order of the rows", error));
  else
    TRY(memory_allocate((void **)&order.wide, rows, sizeof *order.wide, "an order of the rows", error));
  order.count = rows;
  for (size_t i = 0; i < rows; i++) row_order_set(&order, i, i);
  held->order = order;
  held->unordered = held->values;
  held->values = NULL;
  if (labels != NULL) held->labels = labels;
  order = (RowOrder){0};
  labels = NULL;
cleanup:
  row_order_free(&order);
  free(labels);
  return status;
}
