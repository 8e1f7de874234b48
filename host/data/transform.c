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
  TRY(scale_rows(dataset, &scaling, error));
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
  measure_columns(dataset, moments, moments + features, moments + 2 * features, constant);
  compose(&all, &step, dataset, moments, moments + features, constant);
  dataset->byte_scale = 0;
  bool again = dataset->scaling.scale != NULL;
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
  return held->unordered != NULL || (dataset->parts > 1 && mapping_holds(&held->mapping, held->values));
}

Status setosa_dataset_shuffle(SetosaDataset *dataset, uint64_t seed, SetosaError *error) {
  Status status = SETOSA_OK;
  float *kept = NULL;
  TRY(arguments_check(error, GIVEN(dataset)));
  bool by_order = shuffles_by_order(dataset);
  TRY(by_order ? rows_begin_order(dataset, error) : rows_own(dataset, error));
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

/* Moves exactly `count` rows, every choice equally likely, one pass, both parts in their old order (D. E. Knuth, The Art of
 * Computer Programming, volume 2, 3.4.2, Algorithm S). */
static void move_rows(Dataset *from, Dataset *to, size_t count, uint64_t seed) {
  size_t features = from->features, bytes = features * sizeof(float), rows = from->rows, moved = 0, stayed = 0;
  const float *values = rows_values(from);
  const int32_t *labels = rows_labels(from);
  float *const from_weights[] = {rows_sample_weights(from), rows_weights(from)};
  float *const to_weights[] = {rows_sample_weights(to), rows_weights(to)};
  for (size_t i = 0; i < rows; i++) {
    bool move = is_moved(from, i, count, moved, seed);
    Dataset *target = move ? to : from;
    size_t at = move ? moved++ : stayed++;
    if (target != from || at != i) memcpy(rows_values(target) + at * features, values + i * features, bytes);
    if (labels != NULL) rows_labels(target)[at] = labels[i];
    for (int w = 0; w < 2; w++)
      if (from_weights[w] != NULL) (move ? to_weights : from_weights)[w][at] = from_weights[w][i]; /* again where the two are one */
  }
  from->rows = stayed;
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
  TRY(dataset_create(&held, count, dataset->features, rows_labels(dataset) != NULL, dataset->source, error));
  TRY(dataset_copy_description(held, dataset, error));
  TRY(weights_copy(held->held, dataset->held, 0, count, error)); /* for their places: all are moved */
  move_rows(dataset, held, count, seed);
  TRY(weights_level(held, error));
  TRY(weights_level(dataset, error));
  *held_out = held;
  held = NULL;
cleanup:
  setosa_dataset_destroy(held);
  return status;
}
