/* Operations on rows in place: scaling, standardising, shuffling, splitting. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/shift.h"
#include "data/weights.h"

/* Counters (high word) of RANDOM_STREAM_SHUFFLE, so that a shuffle and a split of one seed are independent. */
enum { SHUFFLE_ROWS = 0, SHUFFLE_SPLIT = 1 };

/* Rows hold x - shift, and become (x - offset) * scale: in double, rounded once. */
static Status scale_values(Dataset *dataset, const double *offset, const double *scale, Error *error) {
  size_t features = dataset->features;
  const double *shift = dataset->shift;
  float *values = rows_values(dataset);
  for (size_t i = 0; i < dataset->rows; i++) {
    float *row = values + i * features;
    if (shift == NULL)
      for (size_t d = 0; d < features; d++) row[d] = (float)((row[d] - offset[d]) * scale[d]);
    else
      for (size_t d = 0; d < features; d++) row[d] = (float)((row[d] - (offset[d] - shift[d])) * scale[d]);
  }
  for (size_t i = 0; i < dataset->rows; i++)
    for (size_t d = 0; d < features; d++)
      if (!isfinite(values[i * features + d]))
        return error_set(error, SETOSA_ERROR_DATA, "%s: row %zu, feature %zu is too large to be scaled by %g; use another scale",
                         dataset->source, i + 1, d + 1, scale[d]);
  return SETOSA_OK;
}

/* A factor leaves digits as they are: rows become (x - shift) * scale, and the shift is that of x * scale. An offset is what a shift is,
 * for all who scale alike: it takes its place. */
static Status scale_rows(Dataset *dataset, const Scaling *scaling, Error *error) {
  bool factor = dataset->shift != NULL;
  for (size_t d = 0; d < dataset->features; d++) factor = factor && scaling->offset[d] == 0;
  Status status = scale_values(dataset, factor ? dataset->shift : scaling->offset, scaling->scale, error);
  for (size_t d = 0; factor && d < dataset->features; d++) dataset->shift[d] *= scaling->scale[d];
  if (!factor) shift_drop(dataset);
  return status;
}

/* The same of sparse rows, where what is not written down must stay 0: an offset goes into the shift. Rows hold x - s, and then
 * (x - s) * scale, which is (x - offset) * scale less (s - offset) * scale. */
static Status scale_entries(Dataset *dataset, const double *offset, const double *scale, Error *error) {
  Status status = SETOSA_OK;
  SparseArrays *sparse = &dataset->held->sparse;
  size_t features = dataset->features;
  uint64_t entries = sparse->begin[dataset->rows];
  bool shifted = dataset->shift != NULL, changes = sparse->values != NULL;
  for (size_t d = 0; d < features; d++) {
    shifted = shifted || offset[d] != 0;
    changes = changes || scale[d] != 1;
  }
  if (changes && sparse->values == NULL) {
    TRY(memory_allocate((void **)&sparse->values, entries > 0 ? (size_t)entries : 1, sizeof *sparse->values, "sparse rows", error));
    for (uint64_t i = 0; i < entries; i++) sparse->values[i] = 1;
  }
  for (uint64_t i = 0; changes && i < entries; i++) {
    sparse->values[i] = (float)(sparse->values[i] * scale[sparse->columns[i]]);
    if (!isfinite(sparse->values[i]))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: a value of feature %u is too large to be scaled by %g; use another scale",
                    dataset->source, sparse->columns[i] + 1, scale[sparse->columns[i]]));
  }
  if (shifted && dataset->shift == NULL)
    TRY(memory_allocate_zero((void **)&dataset->shift, features, sizeof *dataset->shift, "the shift of the columns", error));
  for (size_t d = 0; shifted && d < features; d++) dataset->shift[d] = (dataset->shift[d] - offset[d]) * scale[d];
cleanup:
  return status;
}

static bool scaling_equals(const Scaling *scaling, size_t features, const double *offset, const double *scale) {
  for (size_t d = 0; d < features; d++)
    if (scaling->offset[d] != (offset != NULL ? offset[d] : 0) || scaling->scale[d] != scale[d]) return false;
  return true;
}

/* Bytes stay bytes under one factor; under anything else, or a factor on top of a factor, they are rounded numbers like any others. */
static void scale_bytes(Dataset *dataset, const double *offset, const double *scale) {
  bool one_factor = dataset->byte_scale == 1;
  for (size_t d = 0; d < dataset->features && one_factor; d++) one_factor = offset[d] == 0 && scale[d] == scale[0];
  dataset->byte_scale = one_factor && (double)(float)scale[0] == scale[0] ? (float)scale[0] : 0;
}

Status dataset_apply_scaling(Dataset *dataset, const double *offset, const double *scale, Error *error) {
  Status status = SETOSA_OK;
  Scaling scaling = {NULL, NULL};
  if (dataset->scaling.scale != NULL) {
    if (scaling_equals(&dataset->scaling, dataset->features, offset, scale)) return SETOSA_OK;
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: these rows were already scaled in another way; load them again with scale 1 and scale them once",
                     dataset->source);
  }
  TRY(scaling_copy(&scaling, dataset->features, offset, scale, error));
  TRY(rows_own(dataset, error));
  scale_bytes(dataset, scaling.offset, scaling.scale);
  TRY(rows_are_sparse(dataset) ? scale_entries(dataset, scaling.offset, scaling.scale, error) : scale_rows(dataset, &scaling, error));
  dataset->scaling = scaling;
  scaling = (Scaling){NULL, NULL};
cleanup:
  scaling_free(&scaling);
  return status;
}

/* Mean and population variance of every column, in double, two passes; the second also sums the deviations, which corrects the
 * rounding of the first (Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983). constant: all values equal. */
static void measure_columns(const Dataset *dataset, double *mean, double *variance, double *correction, bool *constant) {
  size_t rows = dataset->rows, features = dataset->features;
  const float *values = rows_values(dataset);
  for (size_t d = 0; d < features; d++) mean[d] = variance[d] = correction[d] = 0, constant[d] = true;
  for (size_t i = 0; i < rows; i++) {
    const float *row = values + i * features;
    for (size_t d = 0; d < features; d++) {
      mean[d] += row[d];
      if (row[d] != values[d]) constant[d] = false;
    }
  }
  for (size_t d = 0; d < features; d++) mean[d] /= (double)rows;
  for (size_t i = 0; i < rows; i++) {
    const float *row = values + i * features;
    for (size_t d = 0; d < features; d++) {
      double deviation = row[d] - mean[d];
      correction[d] += deviation;
      variance[d] += deviation * deviation;
    }
  }
  for (size_t d = 0; d < features; d++) {
    variance[d] = (variance[d] - correction[d] * correction[d] / (double)rows) / (double)rows;
    mean[d] += correction[d] / (double)rows;
  }
}

/* The same of sparse rows, whose other values are all 0. */
static Status measure_entries(const Dataset *dataset, double *mean, double *variance, bool *constant, Error *error) {
  Status status = SETOSA_OK;
  const SparseArrays *sparse = &dataset->held->sparse;
  size_t rows = dataset->rows, features = dataset->features;
  uint64_t *counts = NULL;
  float *first = NULL;
  TRY(memory_allocate_zero((void **)&counts, features, sizeof *counts, "column statistics", error));
  TRY(memory_allocate_zero((void **)&first, features, sizeof *first, "column statistics", error));
  for (size_t d = 0; d < features; d++) mean[d] = variance[d] = 0, constant[d] = true;
  for (uint64_t i = 0; i < sparse->begin[rows]; i++) {
    uint32_t d = sparse->columns[i];
    float value = sparse->values != NULL ? sparse->values[i] : 1;
    if (counts[d]++ == 0) first[d] = value;
    if (value != first[d]) constant[d] = false;
    mean[d] += value;
  }
  for (size_t d = 0; d < features; d++) {
    mean[d] /= (double)rows;
    variance[d] = (double)(rows - counts[d]) * mean[d] * mean[d];
    if (counts[d] < rows && first[d] != 0) constant[d] = false;
  }
  for (uint64_t i = 0; i < sparse->begin[rows]; i++) {
    double deviation = (sparse->values != NULL ? (double)sparse->values[i] : 1) - mean[sparse->columns[i]];
    variance[sparse->columns[i]] += deviation * deviation;
  }
  for (size_t d = 0; d < features; d++) variance[d] /= (double)rows;
cleanup:
  free(counts);
  free(first);
  return status;
}

/* The scaling that standardises, on top of the one the rows have: with u = (x - o) c - s in the rows, s their shift,
 * (u - m) r = (x - (o + (m + s) / c)) (c r). */
static void compose(Scaling *all, Scaling *step, const Dataset *dataset, const double *mean, const double *variance, const bool *constant) {
  const Scaling *before = &dataset->scaling;
  for (size_t d = 0; d < dataset->features; d++) {
    double offset = before->scale != NULL ? before->offset[d] : 0, scale = before->scale != NULL ? before->scale[d] : 1;
    double rate = constant[d] || !(variance[d] > 0) ? 0 : 1 / sqrt(variance[d]), center = mean[d];
    if (dataset->shift != NULL) center += dataset->shift[d];
    step->offset[d] = mean[d];
    step->scale[d] = rate;
    all->offset[d] = scale != 0 ? offset + center / scale : offset;
    all->scale[d] = scale * rate;
  }
}

static Status scaling_create(Scaling *scaling, size_t features, Error *error) {
  Status status = memory_allocate((void **)&scaling->offset, features, sizeof *scaling->offset, "a scaling", error);
  return status != SETOSA_OK ? status : memory_allocate((void **)&scaling->scale, features, sizeof *scaling->scale, "a scaling", error);
}

Status setosa_dataset_standardize(SetosaDataset *dataset, SetosaError *error) {
  Status status = SETOSA_OK;
  size_t features = setosa_dataset_features(dataset);
  double *moments = NULL; /* (3,D) mean, variance, correction */
  bool *constant = NULL;
  Scaling all = {NULL, NULL}, step = {NULL, NULL};
  TRY(arguments_check(error, GIVEN(dataset)));
  TRY(memory_allocate((void **)&moments, 3 * features, sizeof *moments, "column statistics", error));
  TRY(memory_allocate((void **)&constant, features, sizeof *constant, "column statistics", error));
  TRY(scaling_create(&all, features, error));
  TRY(scaling_create(&step, features, error));
  TRY(rows_own(dataset, error));
  if (rows_are_sparse(dataset))
    TRY(measure_entries(dataset, moments, moments + features, constant, error));
  else
    measure_columns(dataset, moments, moments + features, moments + 2 * features, constant);
  compose(&all, &step, dataset, moments, moments + features, constant);
  dataset->byte_scale = 0;
  bool again = dataset->scaling.scale != NULL, sparse = rows_are_sparse(dataset);
  if (sparse) { /* rows hold u, which is x - s; standardised they hold u * rate, x less what the mean was */
    shift_drop(dataset);
    TRY(scale_entries(dataset, step.offset, step.scale, error));
    scaling_free(&dataset->scaling);
    dataset->scaling = all;
    all = (Scaling){NULL, NULL};
    goto cleanup;
  }
  if (again) shift_drop(dataset); /* the step is about what the rows hold; else it is what other data sets get, to the bit */
  TRY(scale_values(dataset, again ? step.offset : all.offset, again ? step.scale : all.scale, error));
  shift_drop(dataset); /* it is in the offset now */
  scaling_free(&dataset->scaling);
  dataset->scaling = all;
  all = (Scaling){NULL, NULL};
cleanup:
  free(moments);
  free(constant);
  scaling_free(&all);
  scaling_free(&step);
  return status;
}

Status setosa_dataset_scale_like(SetosaDataset *dataset, const SetosaDataset *like, SetosaError *error) {
  if (arguments_check(error, GIVEN(dataset), GIVEN(like)) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  if (dataset->features != like->features)
    return error_set(error, SETOSA_ERROR_DATA, "%s: %zu features, but %s has %zu; the scaling of one does not fit the other",
                     dataset->source, dataset->features, like->source, like->features);
  if (like->scaling.scale == NULL && dataset->scaling.scale == NULL) return SETOSA_OK;
  if (like->scaling.scale == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: these rows were scaled, but %s was not; load them again with scale 1", dataset->source,
                     like->source);
  return dataset_apply_scaling(dataset, like->scaling.offset, like->scaling.scale, error);
}

Status dataset_unshift(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  if (dataset->shift == NULL) return SETOSA_OK;
  if (rows_are_sparse(dataset))
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "%s: sparse rows cannot have a mean taken off without an intercept, since every value would be another than 0; leave "
                  "--standardize out (--scale multiplies alone), or train with an intercept",
                  dataset->source));
  TRY(rows_own(dataset, error));
  float *values = rows_values(dataset);
  for (size_t i = 0; i < dataset->rows; i++)
    for (size_t d = 0; d < dataset->features; d++) {
      float *value = &values[i * dataset->features + d];
      *value = (float)(*value + dataset->shift[d]);
    }
  shift_drop(dataset);
cleanup:
  return status;
}

static void swap_floats(float *values, size_t i, size_t j) {
  float value = values[i];
  values[i] = values[j];
  values[j] = value;
}

static void swap_targets(Dataset *dataset, size_t i, size_t j) {
  int32_t *labels = rows_labels(dataset);
  float *weights = rows_weights(dataset), *samples = rows_sample_weights(dataset);
  if (labels != NULL) {
    int32_t label = labels[i];
    labels[i] = labels[j];
    labels[j] = label;
  }
  if (samples != NULL) swap_floats(samples, i, j);
  if (weights != NULL && weights != samples) swap_floats(weights, i, j);
}

static void swap_rows(Dataset *dataset, size_t i, size_t j, float *kept) {
  size_t features = dataset->features, bytes = features * sizeof(float);
  float *a = rows_values(dataset) + i * features, *b = rows_values(dataset) + j * features;
  memcpy(kept, a, bytes);
  memcpy(a, b, bytes);
  memcpy(b, kept, bytes);
}

static void swap_order(Dataset *dataset, size_t i, size_t j) {
  RowOrder *order = &dataset->held->order;
  size_t row = row_order_at(order, i);
  row_order_set(order, i, row_order_at(order, j));
  row_order_set(order, j, row);
}

/* Of a mapping that several processes share: each would copy all of it to use a part. */
static bool shuffles_by_order(const Dataset *dataset) {
  const Rows *held = dataset->held;
  if (atomic_load(&held->users) > 1 || dataset->first > 0) return false;
  const void *values = rows_are_sparse(dataset) ? (const void *)held->sparse.columns : held->values;
  return held->order.count > 0 || (dataset->parts > 1 && mapping_holds(&held->mapping, values));
}

Status setosa_dataset_shuffle(SetosaDataset *dataset, uint64_t seed, SetosaError *error) {
  Status status = SETOSA_OK;
  float *kept = NULL;
  TRY(arguments_check(error, GIVEN(dataset)));
  bool lies = shuffles_by_order(dataset), by_order = lies || rows_are_sparse(dataset);
  if (!lies) TRY(rows_own(dataset, error));
  if (by_order) TRY(rows_begin_order(dataset, error));
  TRY(memory_allocate((void **)&kept, dataset->features, sizeof *kept, "a row", error));
  for (size_t i = dataset->rows; i > 1; i--) {
    size_t j = (size_t)random_below(seed, RANDOM_STREAM_SHUFFLE, SHUFFLE_ROWS, i, i);
    if (j == i - 1) continue;
    if (by_order)
      swap_order(dataset, i - 1, j);
    else
      swap_rows(dataset, i - 1, j, kept);
    swap_targets(dataset, i - 1, j);
  }
  if (by_order && !lies) TRY(rows_own(dataset, error)); /* sparse rows differ in length: they are copied in their order */
cleanup:
  free(kept);
  return status;
}

/* Row i of a split is moved, when `moved` of the `count` are so far. */
static bool is_moved(const Dataset *dataset, size_t i, size_t count, size_t moved, uint64_t seed) {
  return random_below(seed, RANDOM_STREAM_SHUFFLE, SHUFFLE_SPLIT, i, dataset->rows - i) < count - moved;
}

/* Both parts need a row that counts: looked at before anything is moved. */
static Status check_split_weights(const Dataset *dataset, size_t count, uint64_t seed, Error *error) {
  const float *weights = rows_weights(dataset);
  bool counts[2] = {false, false};
  size_t moved = 0;
  if (weights == NULL) return SETOSA_OK;
  for (size_t i = 0; i < dataset->rows && !(counts[0] && counts[1]); i++) {
    bool move = is_moved(dataset, i, count, moved, seed);
    moved += move;
    counts[move] = counts[move] || weights[i] > 0;
  }
  if (counts[0] && counts[1]) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: all rows with a weight above 0 fall into one part; choose another seed or fraction",
                   dataset_source(dataset));
}

/* Entries of the rows that are moved, or that stay. */
static uint64_t count_entries(const Dataset *dataset, size_t count, uint64_t seed, bool moves) {
  const uint64_t *begin = dataset->held->sparse.begin;
  uint64_t entries = 0;
  for (size_t i = 0, moved = 0; begin != NULL && i < dataset->rows; i++) {
    bool move = is_moved(dataset, i, count, moved, seed);
    moved += move;
    if (move == moves) entries += begin[i + 1] - begin[i];
  }
  return entries;
}

/* Moves exactly `count` rows, every choice equally likely, one pass, both parts in their old order (D. E. Knuth, The Art of
 * Computer Programming, volume 2, 3.4.2, Algorithm S). */
static Status move_rows(Dataset *from, Dataset *to, size_t count, uint64_t seed, Error *error) {
  SparseArrays *sparse = &from->held->sparse, kept = {0};
  const SparseRows entries = {sparse->begin, sparse->columns, sparse->values};
  if (sparse->begin != NULL) {
    Status status = sparse_allocate(&kept, from->rows - count, count_entries(from, count, seed, false), sparse->values == NULL, error);
    if (status != SETOSA_OK) return status;
  }
  size_t features = from->features, bytes = features * sizeof(float), rows = from->rows, moved = 0, stayed = 0;
  const float *values = rows_values(from);
  const int32_t *labels = rows_labels(from);
  float *const from_weights[] = {rows_sample_weights(from), rows_weights(from)};
  float *const to_weights[] = {rows_sample_weights(to), rows_weights(to)};
  for (size_t i = 0; i < rows; i++) {
    bool move = is_moved(from, i, count, moved, seed);
    Dataset *target = move ? to : from;
    size_t at = move ? moved++ : stayed++;
    if (sparse->begin != NULL)
      sparse_put_row(move ? &to->held->sparse : &kept, at, &entries, i);
    else if (target != from || at != i)
      memcpy(rows_values(target) + at * features, values + i * features, bytes);
    if (labels != NULL) rows_labels(target)[at] = labels[i];
    for (int w = 0; w < 2; w++)
      if (from_weights[w] != NULL) (move ? to_weights : from_weights)[w][at] = from_weights[w][i]; /* again where the two are one */
  }
  from->rows = stayed;
  if (sparse->begin == NULL) return SETOSA_OK;
  sparse_free(sparse, NULL);
  *sparse = kept;
  return SETOSA_OK;
}

Status setosa_dataset_split(SetosaDataset *dataset, double fraction, uint64_t seed, SetosaDataset **held_out, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *held = NULL;
  if (held_out != NULL) *held_out = NULL;
  TRY(arguments_check(error, GIVEN(dataset), GIVEN(held_out)));
  if (!(fraction > 0 && fraction < 1))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "the fraction to hold out is %g; give a number between 0 and 1, 0.1 say", fraction));
  size_t count = (size_t)round(fraction * (double)dataset->rows);
  if (count == 0 || count >= dataset->rows)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "holding %g of %zu rows out leaves one part empty; choose another fraction", fraction,
                  dataset->rows));
  TRY(check_split_weights(dataset, count, seed, error));
  TRY(rows_own(dataset, error));
  TRY(dataset_create_like(&held, dataset, count, count_entries(dataset, count, seed, true), error));
  TRY(move_rows(dataset, held, count, seed, error));
  TRY(weights_level(held, error));
  TRY(weights_level(dataset, error));
  *held_out = held;
  held = NULL;
cleanup:
  setosa_dataset_destroy(held);
  return status;
}
