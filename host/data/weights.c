/* Weights of rows and of classes. Those that backends see are the given ones, times the factor of the class, times a power of two that
 * brings their mean into [1,2): so weights like 1e30 do no harm to f32, and it rounds nothing but what is 2^-126 of the mean or less. */
#include "data/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/column_file.h"
#include "data/number_remedy.h"

/* ---- one by one -------------------------------------------------------------------------------------------------- */

static Status wrong_weight(const char *text, size_t length, const char *what, Error *error) {
  char quoted[QUOTE_SIZE];
  return error_set(error, SETOSA_ERROR_DATA, "the weight %s %s", reader_quote(quoted, text, length), what);
}

static Status below_single(const char *text, size_t length, Error *error) {
  return wrong_weight(text, length, "is below single precision (1.4e-45); multiply all weights by one number, which changes nothing",
                      error);
}

static Status check_weight(double weight, const char *text, size_t length, Error *error) {
  if (!isfinite(weight)) return wrong_weight(text, length, "is not a finite number; correct it, or give 0 to leave the row out", error);
  if (weight < 0) return wrong_weight(text, length, "is negative; give 0 to leave the row out", error);
  if (isinf((float)weight))
    return wrong_weight(text, length, "is beyond single precision (3.4e38); divide all weights by one number, which changes nothing",
                        error);
  if (weight > 0 && (float)weight == 0) return below_single(text, length, error);
  return SETOSA_OK;
}

static Status add_checked(WeightList *list, double weight, const char *text, size_t length, Error *error) {
  Status status = SETOSA_OK;
  TRY(check_weight(weight, text, length, error));
  if (list->count == list->capacity)
    TRY(memory_grow((void **)&list->values, &list->capacity, list->count + 1, sizeof *list->values, "weights", error));
  list->values[list->count++] = (float)weight + 0.0f; /* -0 becomes 0 */
cleanup:
  return status;
}

Status weight_list_add(WeightList *list, double weight, Error *error) {
  char text[32];
  snprintf(text, sizeof text, "%g", weight);
  return add_checked(list, weight, text, strlen(text), error);
}

Status weight_list_add_text(WeightList *list, const char *text, size_t length, Error *error) {
  double weight = 0;
  if (length == 0) return error_set(error, SETOSA_ERROR_DATA, "the weight is missing; fill it in, or give 0 to leave the row out");
  if (!text_parse_double(text, length, &weight)) {
    char room[NUMBER_REMEDY], what[NUMBER_REMEDY + 32];
    const char *remedy = number_remedy(room, text, length);
    if (remedy != NULL) {
      snprintf(what, sizeof what, "is not a number; %s", remedy);
      return wrong_weight(text, length, what, error);
    }
    if (!reader_is_not_finite(text, length))
      return wrong_weight(text, length, "is not a number; correct it, or choose other weights", error);
    weight = NAN;
  }
  size_t mantissa = 0;
  while (weight == 0 && mantissa < length && (text[mantissa] < '1' || text[mantissa] > '9') && strchr("eEpPxX", text[mantissa]) == NULL)
    mantissa++;
  if (weight == 0 && mantissa < length && text[mantissa] >= '1' && text[mantissa] <= '9') return below_single(text, length, error);
  return add_checked(list, weight, text, length, error);
}

void weight_list_free(WeightList *list) {
  free(list->values);
  *list = (WeightList){0};
}

/* ---- what backends see ------------------------------------------------------------------------------------------- */

float *rows_sample_weights(const Dataset *dataset) {
  return dataset->held->sample_weights != NULL && !dataset->for_scores ? dataset->held->sample_weights + dataset->first : NULL;
}

float *rows_weights(const Dataset *dataset) {
  return dataset->held->weights != NULL && !dataset->for_scores ? dataset->held->weights + dataset->first : NULL;
}

/* A sum in double whose blocks are added apart, so that it errs little however many rows there are. */
typedef struct BlockSum {
  double total, block;
  size_t count;
} BlockSum;

static void block_sum_add(BlockSum *sum, double term) {
  enum { BLOCK = 4096 };
  sum->block += term;
  if (++sum->count % BLOCK != 0) return;
  sum->total += sum->block;
  sum->block = 0;
}

static double block_sum(const BlockSum *sum) { return sum->total + sum->block; }

/* To divide by 2 to it, so that the mean is in [1,2). What f32 does not hold beside such a mean (below 2^-149 of it) becomes 0. */
static int choose_exponent(double mean) { return ilogb(mean); }

/* The weight of row i in double: sample weight times the factor of its class. */
static double product(const Dataset *dataset, const double *factors, size_t i) {
  const float *samples = rows_sample_weights(dataset);
  const int32_t *labels = rows_labels(dataset);
  double weight = samples != NULL ? (double)samples[i] : 1;
  bool known = factors != NULL && labels != NULL && labels[i] >= 0 && (size_t)labels[i] < dataset->classes;
  return known ? weight * factors[labels[i]] : weight;
}

static void release_weights(Rows *held) {
  if (held->weights != held->sample_weights) free(held->weights);
  held->weights = NULL;
  held->weight_exponent = 0;
}

static Status every_weight_is_0(const char *where, Error *error) {
  return error_set(error, SETOSA_ERROR_DATA, "%s: every weight is 0; give some rows a weight above 0", where);
}

/* Fills in what backends see. factors (K), or NULL for 1 each. */
static Status settle(Dataset *dataset, const double *factors, const char *where, Error *error) {
  Status status = SETOSA_OK;
  Rows *held = dataset->held;
  BlockSum sum = {0, 0, 0};
  float *weights = NULL;
  for (size_t i = 0; i < dataset->rows; i++) block_sum_add(&sum, product(dataset, factors, i));
  if (!(block_sum(&sum) > 0)) TRY(every_weight_is_0(where, error));
  if (!isfinite(block_sum(&sum)))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: weights of rows times those of their classes are too large; divide them by one number",
                  where));
  int exponent = choose_exponent(block_sum(&sum) / (double)dataset->rows);
  if (exponent != 0 || factors != NULL) {
    TRY(memory_allocate((void **)&weights, dataset->rows, sizeof *weights, "weights", error));
    for (size_t i = 0; i < dataset->rows; i++) weights[i] = (float)ldexp(product(dataset, factors, i), -exponent);
  }
  release_weights(held);
  held->weights = weights != NULL ? weights : held->sample_weights;
  held->weight_exponent = exponent;
cleanup:
  return status;
}

Status weights_level(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  Rows *held = dataset->held;
  const float *from = rows_weights(dataset);
  float *weights = NULL;
  if (from == NULL) return SETOSA_OK;
  int exponent = choose_exponent(dataset_total_weight(dataset) / (double)dataset->rows);
  if (exponent == 0) return SETOSA_OK;
  TRY(memory_allocate((void **)&weights, dataset->rows, sizeof *weights, "weights", error));
  for (size_t i = 0; i < dataset->rows; i++) weights[i] = ldexpf(from[i], -exponent);
  exponent += held->weight_exponent;
  release_weights(held);
  held->weights = weights;
  held->weight_exponent = exponent;
cleanup:
  return status;
}

static Status copy_array(float **out, const float *from, size_t rows, Error *error) {
  Status status = memory_allocate((void **)out, rows, sizeof **out, "a copy of the weights", error);
  if (status == SETOSA_OK) memcpy(*out, from, rows * sizeof **out);
  return status;
}

Status weights_copy(Rows *to, const Rows *from, size_t first, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  if (from->sample_weights != NULL) TRY(copy_array(&to->sample_weights, from->sample_weights + first, rows, error));
  if (from->weights == from->sample_weights)
    to->weights = to->sample_weights;
  else
    TRY(copy_array(&to->weights, from->weights + first, rows, error));
  to->weight_exponent = from->weight_exponent;
cleanup:
  return status;
}

/* ---- into a data set --------------------------------------------------------------------------------------------- */

Status weights_take(Dataset *dataset, WeightList *list, const char *where, Error *error) {
  Rows *held = dataset->held;
  size_t i = 0;
  while (i < list->count && list->values[i] == 0) i++;
  if (i == list->count) return every_weight_is_0(where, error);
  release_weights(held);
  free(held->sample_weights);
  held->sample_weights = list->values;
  *list = (WeightList){0};
  return settle(dataset, NULL, where, error);
}

static Status take_text(void *list, const char *text, size_t length, Error *error) {
  return weight_list_add_text(list, text, length, error);
}

static Status take_element(void *list, ElementType type, const unsigned char *element, Error *error) {
  return weight_list_add(list, element_to_double(type, element), error);
}

static ColumnTaker take_weights(WeightList *list, const char *source, size_t rows) {
  return (ColumnTaker){.one = "weight",
                       .many = "weights",
                       .numbers = true,
                       .as_plain = "save weights.astype('float32')",
                       .take_text = take_text,
                       .take_element = take_element,
                       .values = list,
                       .source = source,
                       .rows = rows};
}

Status weights_read_file(Dataset *dataset, const Reader *reader, const char *path, Error *error) {
  Status status = SETOSA_OK;
  WeightList list = {0};
  const ColumnTaker taker = take_weights(&list, reader->source, dataset->rows);
  TRY(column_file_read(&taker, path, -1, error));
  TRY(weights_take(dataset, &list, path, error));
cleanup:
  weight_list_free(&list);
  return status;
}

Status weights_read_array(Dataset *dataset, Stream *array, const char *source, Error *error) {
  Status status = SETOSA_OK;
  WeightList list = {0};
  const ColumnTaker taker = take_weights(&list, source, dataset->rows);
  TRY(npy_read_column(&taker, array, error));
  TRY(weights_take(dataset, &list, stream_path(array), error));
cleanup:
  weight_list_free(&list);
  return status;
}

/* Made rows have none: every backend would have to make them, too. */
static Status refuse_made(const Dataset *dataset, Error *error) {
  if (dataset->held->generator == NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: rows that are made as they are needed have no weights; use fewer rows, or a file of them", dataset_source(dataset));
}

/* Before its weights change: what a slice shares, and arrays of more rows than it has, are left to the others. */
static Status own_weights(Dataset *dataset, Error *error) {
  Status status = refuse_made(dataset, error);
  if (status != SETOSA_OK || (atomic_load(&dataset->held->users) == 1 && dataset->first == 0)) return status;
  return rows_own(dataset, error);
}

SetosaStatus setosa_dataset_set_weights(SetosaDataset *dataset, const float *weights, SetosaError *error) {
  Status status = SETOSA_OK;
  WeightList list = {0};
  TRY(arguments_check(error, GIVEN(dataset)));
  TRY(own_weights(dataset, error));
  free(dataset->weights_name); /* no column's any more */
  dataset->weights_name = NULL;
  if (weights == NULL) {
    release_weights(dataset->held);
    free(dataset->held->sample_weights);
    dataset->held->sample_weights = NULL;
    return SETOSA_OK;
  }
  TRY(memory_allocate((void **)&list.values, dataset->rows, sizeof *list.values, "weights", error));
  list.capacity = dataset->rows;
  for (size_t i = 0; i < dataset->rows; i++) {
    status = weight_list_add(&list, (double)weights[i], error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s: weight %zu", dataset_source(dataset), i + 1);
    TRY(status);
  }
  TRY(weights_take(dataset, &list, dataset_source(dataset), error));
cleanup:
  weight_list_free(&list);
  return status;
}

const float *setosa_dataset_weights(const SetosaDataset *dataset) { return dataset != NULL ? rows_sample_weights(dataset) : NULL; }

double dataset_total_weight(const Dataset *dataset) {
  const float *weights = rows_weights(dataset);
  BlockSum sum = {0, 0, 0};
  if (weights == NULL) return (double)dataset->rows;
  for (size_t i = 0; i < dataset->rows; i++) block_sum_add(&sum, (double)weights[i]);
  return block_sum(&sum);
}

double dataset_mean_weight(const Dataset *dataset) {
  return rows_weights(dataset) != NULL ? dataset_total_weight(dataset) / (double)dataset->rows : 1;
}

double dataset_weight_unit(const Dataset *dataset) { return ldexp(1, dataset->held->weight_exponent); }

/* ---- weights of classes ------------------------------------------------------------------------------------------ */

Status dataset_apply_class_weights(Dataset *dataset, const double *factors, Error *error) {
  Status status = SETOSA_OK;
  bool back = factors == NULL; /* to the sample weights alone */
  if (back && rows_weights(dataset) == NULL) return SETOSA_OK;
  for (size_t k = 0; !back && k < dataset->classes; k++) {
    const char *name = setosa_dataset_class_name(dataset, k);
    if (!isfinite(factors[k]) || factors[k] < 0)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "the weight of class %s is %g; give a finite number, 0 or more", name != NULL ? name : "?",
                    factors[k]));
  }
  TRY(own_weights(dataset, error));
  if (back && dataset->held->sample_weights == NULL) {
    release_weights(dataset->held);
    return SETOSA_OK;
  }
  if (!back && rows_labels(dataset) == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: has no labels for weights of classes; name them with --labels or --label",
                  dataset_source(dataset)));
  TRY(settle(dataset, factors, dataset_source(dataset), error));
cleanup:
  return status;
}

Status dataset_balanced_class_weights(const Dataset *dataset, double *factors, Error *error) {
  Status status = SETOSA_OK;
  const int32_t *labels = rows_labels(dataset);
  BlockSum *sums = NULL, total = {0, 0, 0};
  TRY(refuse_made(dataset, error));
  if (labels == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: has no labels for weights of classes; name them with --labels or --label",
                  dataset_source(dataset)));
  TRY(memory_allocate_zero((void **)&sums, dataset->classes, sizeof *sums, "weights of classes", error));
  for (size_t i = 0; i < dataset->rows; i++) {
    if (labels[i] < 0 || (size_t)labels[i] >= dataset->classes) continue;
    block_sum_add(&sums[labels[i]], product(dataset, NULL, i));
    block_sum_add(&total, product(dataset, NULL, i));
  }
  for (size_t k = 0; k < dataset->classes; k++) {
    const char *name = setosa_dataset_class_name(dataset, k);
    double sum = block_sum(&sums[k]);
    if (!(sum > 0))
      TRY(error_set(error, SETOSA_ERROR_DATA,
                    "%s: no row of class %s has a weight above 0, so classes cannot be balanced; name their weights",
                    dataset_source(dataset), name != NULL ? name : "?"));
    factors[k] = block_sum(&total) / ((double)dataset->classes * sum);
  }
cleanup:
  free(sums);
  return status;
}
