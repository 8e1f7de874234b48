/* Matrices with which metrics and Gram matrices are tried. */
#include "judge/compare_metrics.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "compute/metric.h"
#include "compute/tolerance.h"

enum { MOST_NUMBERS = 8 << 20, MOST_CLASSES = 1024 }; /* of all matrices of a form; beyond which classes are not turned */

static double random_number(uint64_t which, uint64_t i) { return random_symmetric(13, RANDOM_STREAM_CHECK, which, i); }

/* ---- metrics ---------------------------------------------------------------------------------------------------- */

/* Near the identity, so that a product is about as large as the vector. Triangular but for the last column when it says so. */
static Status make_matrices(double **matrices, size_t count, size_t width, bool triangular, Error *error) {
  size_t numbers = count * width * width;
  Status status = memory_allocate_zero((void **)matrices, numbers, sizeof **matrices, "a matrix to compare", error);
  for (size_t i = 0; status == SETOSA_OK && i < numbers; i++) {
    size_t row = i / width % width, column = i % width;
    if (triangular && column > row && column + 1 < width) continue;
    (*matrices)[i] = (row == column ? 1 : 0) + random_number(2, i) / sqrt((double)width);
  }
  return status;
}

static Status make_numbers(double **values, size_t count, double least, Error *error) {
  Status status = memory_allocate((void **)values, count, sizeof **values, "numbers to compare", error);
  for (size_t i = 0; status == SETOSA_OK && i < count; i++) (*values)[i] = least + 1 + random_number(3, i);
  return status;
}

static Status apply_both(double *worst, const MetricSides *sides, const MetricForm *form, Error *error) {
  Status status = SETOSA_OK;
  Metric *truth = NULL, *device = NULL;
  double *expected = NULL, *actual = NULL;
  size_t parameters = sides->truth->parameters;
  TRY(memory_allocate((void **)&expected, parameters, sizeof *expected, "parameters to compare", error));
  TRY(memory_allocate((void **)&actual, parameters, sizeof *actual, "parameters to compare", error));
  for (size_t i = 0; i < parameters; i++) actual[i] = NAN;
  TRY(metric_create(sides->truth, &truth, form, error));
  TRY(metric_create(sides->device, &device, form, error));
  TRY(vector_write(sides->device, sides->device_out, actual, error));
  TRY(metric_apply(sides->truth, truth, sides->truth_out, sides->truth_v, error));
  TRY(metric_apply(sides->device, device, sides->device_out, sides->device_v, error));
  TRY(vector_read(sides->truth, sides->truth_out, expected, error));
  TRY(vector_read(sides->device, sides->device_out, actual, error));
  *worst = fmax(*worst, compare_relative_norm(actual, expected, parameters));
cleanup:
  metric_destroy(sides->truth, truth);
  metric_destroy(sides->device, device);
  free(expected);
  free(actual);
  return status;
}

/* V = I - 11'/K. */
static void take_mean_off(double *turn, size_t classes) {
  for (size_t i = 0; i < classes * classes; i++) turn[i] = (i % (classes + 1) == 0 ? 1.0 : 0.0) - 1 / (double)classes;
}

Status compare_metrics(Deviation *deviation, const MetricSides *sides, Error *error) {
  Status status = SETOSA_OK;
  size_t features = sides->truth->features, classes = sides->truth->classes, width = features + 1, most = MOST_NUMBERS / width / width;
  double *turn = NULL, *one = NULL, *many = NULL, *scale = NULL, *center = NULL;
  *deviation = (Deviation){.tolerance = 4 * FLT_EPSILON * (2 + sqrt((double)(width + classes)) / 4)}; /* sums err as random walks do */
  TRY(make_numbers(&scale, sides->truth->parameters, 0.5, error));
  TRY(make_numbers(&center, features, -1, error));
  if (classes <= MOST_CLASSES) TRY(make_matrices(&turn, 1, classes, false, error));
  if (most >= 1) {
    TRY(make_matrices(&one, 1, width, false, error));
    TRY(apply_both(&deviation->error, sides, &(MetricForm){.classes = turn, .features = one, .feature_count = 1, .scale = scale}, error));
  }
  if (turn != NULL) take_mean_off(turn, classes);
  for (size_t d = 0; d < features; d++) center[d] /= sqrt((double)width);
  TRY(apply_both(&deviation->error, sides, &(MetricForm){.classes = turn, .scale = scale, .center = center}, error));
  if (most >= classes) {
    TRY(make_matrices(&many, classes, width, true, error));
    TRY(apply_both(&deviation->error, sides, &(MetricForm){.classes = turn, .features = many, .feature_count = classes}, error));
  }
cleanup:
  free(turn);
  free(one);
  free(many);
  free(scale);
  free(center);
  return status;
}

/* ---- Gram matrices ---------------------------------------------------------------------------------------------- */

enum { MATRICES = 2, MOST_ROWS = 2000, MOST_WORK = 20 << 20, MOST_SQUARES = 2048 * 2048 };

/* The worst element; squares (width): those of all rows with weights that are not smaller. */
static double worst_element(const double *actual, const double *expected, const double *squares, size_t width, bool diagonal) {
  double worst = 0;
  size_t size = diagonal ? width : width * width;
  for (size_t i = 0; i < MATRICES * size; i++) {
    double difference = fabs(actual[i] - expected[i]);
    size_t row = i % size / (diagonal ? 1 : width), column = i % width;
    worst = isfinite(difference) ? fmax(worst, difference / fmax(sqrt(squares[row] * squares[column]), DBL_MIN)) : INFINITY;
  }
  return worst;
}

/* Of a request whose first matrix has all weights 1. */
static Status gram_of_both(double *worst, Backend *device, const Dataset *dataset, const GramRequest *request, Error *error) {
  Status status = SETOSA_OK;
  size_t width = device->features + 1, size = MATRICES * (request->diagonal ? width : width * width);
  double *expected = NULL, *actual = NULL, *squares = NULL;
  TRY(memory_allocate((void **)&expected, size, sizeof *expected, "Gram matrices", error));
  TRY(memory_allocate((void **)&actual, size, sizeof *actual, "Gram matrices", error));
  TRY(memory_allocate((void **)&squares, width, sizeof *squares, "Gram matrices", error));
  for (size_t i = 0; i < size; i++) actual[i] = NAN;
  TRY(host_gram(dataset, NULL, request, expected, error));
  TRY(backend_gram(device, request, actual, error));
  for (size_t d = 0; d < width; d++) squares[d] = expected[request->diagonal ? d : d * width + d];
  *worst = fmax(*worst, worst_element(actual, expected, squares, width, request->diagonal));
cleanup:
  free(expected);
  free(actual);
  free(squares);
  return status;
}

Status compare_grams(Deviation *deviation, Backend *device, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t width = device->features + 1, all = device->rows, most = MOST_WORK / (width * width) + 1;
  size_t count = all < MOST_ROWS ? (all + 1) / 2 : MOST_ROWS / 2;
  double *weights = NULL, *mean = NULL;
  uint64_t *rows = NULL;
  if (count > most) count = most;
  /* Sums err as random walks do, but not those of sparse rows: most of their terms are the same number, whose roundings add up. */
  double terms = dataset_shape(dataset).kind == DATA_SPARSE ? (double)count : 4 * sqrt((double)count);
  *deviation = (Deviation){.tolerance = FLT_EPSILON / 2 * (8 + terms)};
  TRY(memory_allocate((void **)&weights, MATRICES * count, sizeof *weights, "weights of rows", error));
  TRY(memory_allocate((void **)&mean, width, sizeof *mean, "a mean", error));
  TRY(memory_allocate((void **)&rows, count, sizeof *rows, "rows to compare", error));
  for (size_t i = 0; i < count; i++) {
    rows[i] = i * (all / count);
    weights[i] = 1;
    weights[count + i] = random_number(4, i);
  }
  for (size_t d = 0; d < width - 1; d++) mean[d] = random_number(5, d);
  GramRequest request = {.count = count, .rows = rows, .mean = mean, .matrices = MATRICES, .weights = weights, .on_device = true};
  if (width * width <= MOST_SQUARES) TRY(gram_of_both(&deviation->error, device, dataset, &request, error));
  request.diagonal = true;
  request.rows = NULL; /* the first ones */
  TRY(gram_of_both(&deviation->error, device, dataset, &request, error));
cleanup:
  free(weights);
  free(mean);
  free(rows);
  return status;
}

Status compare_grams_at(double *worst, const MetricSides *sides, const Vector *truth_w, const Vector *device_w, Error *error) {
  Status status = SETOSA_OK;
  size_t features = sides->truth->features, width = features + 1, classes = sides->truth->classes, size = classes * width;
  double *expected = NULL, *actual = NULL, *squares = NULL, *mean = NULL;
  TRY(memory_allocate((void **)&expected, size, sizeof *expected, "diagonals", error));
  TRY(memory_allocate((void **)&actual, size, sizeof *actual, "diagonals", error));
  TRY(memory_allocate((void **)&squares, size, sizeof *squares, "diagonals", error));
  TRY(make_numbers(&mean, features, -1, error));
  for (size_t i = 0; i < size; i++) actual[i] = NAN;
  GramRequest request = {.count = sides->truth->rows, .matrices = classes, .at = truth_w, .diagonal = true};
  TRY(backend_gram(sides->truth, &request, squares, error));
  request.mean = mean;
  TRY(backend_gram(sides->truth, &request, expected, error));
  request.at = device_w;
  TRY(backend_gram(sides->device, &request, actual, error));
  *worst = 0;
  for (size_t i = 0; i < size; i++) {
    size_t d = i % width, total = i - d + features;
    double scale = d < features ? squares[i] + mean[d] * mean[d] * squares[total] : squares[total], apart = fabs(actual[i] - expected[i]);
    *worst = isfinite(apart) ? fmax(*worst, apart / fmax(scale, DBL_MIN)) : INFINITY;
  }
cleanup:
  free(expected);
  free(actual);
  free(squares);
  free(mean);
  return status;
}
