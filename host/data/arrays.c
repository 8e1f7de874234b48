/* Data sets of arrays in the caller's memory: wrapped where they lie, or copied from doubles. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "data/moments.h"
#include "data/reader.h"
#include "data/rows.h"
#include "data/shift.h"

static Status check_wrapped(size_t rows, size_t features, size_t classes, const int32_t *labels, Error *error) {
  if (rows == 0 || features == 0)
    return error_set(error, SETOSA_ERROR_USAGE, "a data set needs at least one row and one feature (%zu x %zu were given)", rows, features);
  if (classes > INT32_MAX || (labels != NULL && classes < 2))
    return error_set(error, SETOSA_ERROR_USAGE, "a labelled data set needs 2 to %d classes (%zu were given)", INT32_MAX, classes);
  for (size_t i = 0; labels != NULL && i < rows; i++)
    if (labels[i] < 0 || (size_t)labels[i] >= classes)
      return error_set(error, SETOSA_ERROR_DATA, "data:%zu: the label %d is not in 0..%zu; number the classes 0, 1, 2, ...", i + 1,
                       (int)labels[i], classes - 1);
  return SETOSA_OK;
}

/* A data set of the caller's arrays, with labels, and as yet without X. */
static Status wrap_labels(Dataset **out, size_t rows, size_t features, size_t classes, const int32_t *labels, Error *error) {
  Status status = SETOSA_OK;
  Dataset *made = NULL;
  TRY(dataset_create_bare(&made, "data", error));
  made->rows = rows;
  made->features = features;
  made->held->borrowed = true;
  made->held->labels = (int32_t *)(uintptr_t)labels; /* never written while borrowed */
  TRY(dataset_name_classes_by_index(made, classes, error));
  *out = made;
  made = NULL;
cleanup:
  setosa_dataset_destroy(made);
  return status;
}

Status setosa_dataset_wrap(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const float *values,
                           const int32_t *labels, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *made = NULL;
  size_t count = 0;
  if (dataset != NULL) *dataset = NULL;
  TRY(arguments_check(error, GIVEN(dataset), GIVEN(values)));
  TRY(memory_multiply(&count, rows, features, "the data", error)); /* before so many labels are looked at */
  TRY(check_wrapped(rows, features, classes, labels, error));
  TRY(reader_check_finite("data", values, rows, features, 0, error));
  TRY(wrap_labels(&made, rows, features, classes, labels, error));
  made->held->values = (float *)(uintptr_t)values;
  *dataset = made;
  made = NULL;
cleanup:
  setosa_dataset_destroy(made);
  return status;
}

Status setosa_dataset_wrap_sparse(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const uint64_t *row_begin,
                                  const uint32_t *columns, const float *values, const int32_t *labels, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *made = NULL;
  if (dataset != NULL) *dataset = NULL;
  TRY(arguments_check(error, GIVEN(dataset), GIVEN(row_begin), GIVEN(columns)));
  TRY(check_wrapped(rows, features, classes, labels, error));
  TRY(sparse_check_width(features, "data", error));
  if (row_begin[0] != 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "row_begin[0] is %llu; the entries of the first row begin at 0",
                  (unsigned long long)row_begin[0]));
  TRY(sparse_check(&(SparseRows){row_begin, columns, values}, rows, features, "data", error));
  TRY(wrap_labels(&made, rows, features, classes, labels, error));
  made->held->sparse = (SparseArrays){(uint64_t *)(uintptr_t)row_begin, (uint32_t *)(uintptr_t)columns, (float *)(uintptr_t)values};
  *dataset = made;
  made = NULL;
cleanup:
  setosa_dataset_destroy(made);
  return status;
}

/* ---- doubles ----------------------------------------------------------------------------------------------------- */

/* Number d of row i is values[i * row_stride + d * feature_stride]. */
typedef struct Doubles {
  const double *values;
  ptrdiff_t row_stride, feature_stride;
} Doubles;

/* Rows `now` of the array, side by side in room (count,D). */
static void gather(double *room, const Doubles *from, RowRange now, size_t features) {
  for (size_t i = 0; i < now.count; i++) {
    const double *row = from->values + (ptrdiff_t)(now.begin + i) * from->row_stride;
    for (size_t d = 0; d < features; d++) room[i * features + d] = row[(ptrdiff_t)d * from->feature_stride];
  }
}

/* So many rows at a time as stay in the cache. */
static size_t rows_at_once(size_t features) {
  const size_t numbers = 1 << 15;
  return features < numbers ? numbers / features : 1;
}

static Status choose_shift(Dataset *dataset, const Doubles *from, double *room, Error *error) {
  Status status = SETOSA_OK;
  Moments *moments = NULL;
  double *sums = NULL;
  size_t features = dataset->features;
  TRY(memory_allocate_zero((void **)&moments, features, sizeof *moments, "column statistics", error));
  TRY(memory_allocate((void **)&sums, features, 4 * sizeof *sums, "column statistics", error));
  for (size_t row = 0; row < dataset->rows;) {
    RowRange now = range_next(row, dataset->rows, rows_at_once(features));
    gather(room, from, now, features);
    moments_add_rows(moments, features, room, now.count, sums);
    row += now.count;
  }
  TRY(shift_take(dataset, moments, error));
cleanup:
  free(sums);
  free(moments);
  return status;
}

/* What f32 makes 0 or subnormal has lost its digits; where nothing larger is in the column, so has the column. */
static Status check_not_lost(const Dataset *dataset, const double *largest, Error *error) {
  for (size_t d = 0; d < dataset->features; d++)
    if (largest[d] > 0 && largest[d] < FLT_MIN)
      return error_set(
          error, SETOSA_ERROR_DATA,
          "data: the values of feature %zu are at most %.3g, which is too small for single precision (%.2g); rescale the column", d + 1,
          largest[d], (double)FLT_MIN);
  return SETOSA_OK;
}

static Status fill(Dataset *dataset, const Doubles *from, double *room, Error *error) {
  Status status = SETOSA_OK;
  size_t features = dataset->features;
  const double *shift = dataset->shift;
  double *largest = NULL;
  TRY(memory_allocate_zero((void **)&largest, features, sizeof *largest, "column statistics", error));
  for (size_t row = 0; row < dataset->rows;) {
    RowRange now = range_next(row, dataset->rows, rows_at_once(features));
    float *out = dataset->held->values + row * features;
    gather(room, from, now, features);
    for (size_t i = 0; i < now.count; i++)
      for (size_t d = 0; d < features; d++) {
        double x = shift != NULL ? room[i * features + d] - shift[d] : room[i * features + d];
        largest[d] = fabs(x) > largest[d] ? fabs(x) : largest[d];
        out[i * features + d] = fabs(x) > FLT_MAX ? copysignf(INFINITY, x > 0 ? 1.0F : -1.0F) : (float)x;
      }
    TRY(reader_check_finite("data", out, now.count, features, row, error));
    row += now.count;
  }
  TRY(check_not_lost(dataset, largest, error));
cleanup:
  free(largest);
  return status;
}

Status setosa_dataset_copy(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const double *values,
                           ptrdiff_t row_stride, ptrdiff_t feature_stride, const int32_t *labels, const SetosaDataOptions *options,
                           SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *made = NULL;
  double *room = NULL;
  const SetosaDataOptions defaults = setosa_data_options_default(), *how = options != NULL ? options : &defaults;
  const Doubles from = {values, row_stride, feature_stride};
  if (dataset != NULL) *dataset = NULL;
  TRY(arguments_check(error, GIVEN(dataset), GIVEN(values)));
  TRY(check_wrapped(rows, features, classes, labels, error));
  if (how->expect_shift != NULL && how->expect_features != features)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "the model has %zu features, and the data have %zu", how->expect_features, features));
  TRY(dataset_create(&made, rows, features, labels != NULL, "data", error));
  if (labels != NULL) memcpy(made->held->labels, labels, rows * sizeof *labels);
  TRY(dataset_name_classes_by_index(made, classes, error));
  TRY(memory_allocate((void **)&room, rows_at_once(features), features * sizeof *room, "a block of the data", error));
  if (how->expect_shift != NULL)
    TRY(shift_copy(&made->shift, how->expect_shift, features, error));
  else if (!how->unshifted)
    TRY(choose_shift(made, &from, room, error));
  TRY(fill(made, &from, room, error));
  *dataset = made;
  made = NULL;
cleanup:
  free(room);
  setosa_dataset_destroy(made);
  return status;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static Status check_names(const char *const *names, size_t count, const char *what, Error *error) {
  for (size_t i = 0; i < count; i++)
    if (names[i] == NULL) return error_set(error, SETOSA_ERROR_USAGE, "setosa_dataset_set_names: %s[%zu] is NULL", what, i);
  return SETOSA_OK;
}

static Status set_names(char ***names, const char *const *given, size_t count, Error *error) {
  Status status = SETOSA_OK;
  char **made = NULL;
  TRY(memory_allocate_zero((void **)&made, count, sizeof *made, "names", error));
  for (size_t i = 0; i < count; i++) TRY(memory_copy_text(&made[i], given[i], error));
  for (size_t i = 0; *names != NULL && i < count; i++) free((*names)[i]);
  free(*names);
  *names = made;
  return SETOSA_OK;
cleanup:
  for (size_t i = 0; made != NULL && i < count; i++) free(made[i]);
  free(made);
  return status;
}

Status setosa_dataset_set_names(SetosaDataset *dataset, const char *const *features, const char *const *classes, SetosaError *error) {
  Status status = SETOSA_OK;
  TRY(arguments_check(error, GIVEN(dataset)));
  if (features != NULL) TRY(check_names(features, dataset->features, "features", error));
  if (classes != NULL) TRY(check_names(classes, dataset->classes, "classes", error));
  if (features != NULL) TRY(set_names(&dataset->feature_names, features, dataset->features, error));
  if (classes != NULL) TRY(set_names(&dataset->class_names, classes, dataset->classes, error));
cleanup:
  return status;
}
