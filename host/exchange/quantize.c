/* Steps for each column, so that columns of any scale get all of the 8 bits. */
#include "exchange/quantize.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/softmax.h"
#include "exchange/rows.h"

Status quantize(Quantized *quantized, const LinearForm *linear, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  size_t features = model->features, classes = model->classes;
  *quantized = (Quantized){0};
  TRY(memory_allocate((void **)&quantized->weights, classes * features, 1, "weights of 8 bits", error));
  TRY(memory_allocate((void **)&quantized->steps, features, sizeof(double), "weights of 8 bits", error));
  for (size_t d = 0; d < features; d++) {
    double least = INFINITY, most = -INFINITY;
    for (size_t k = 0; k < classes; k++) {
      least = fmin(least, linear->coefficients[k * features + d]);
      most = fmax(most, linear->coefficients[k * features + d]);
    }
    double middle = least + (most - least) / 2, step = (double)(float)((most - least) / 2 / 127);
    quantized->steps[d] = step;
    for (size_t k = 0; k < classes; k++) {
      double q = step > 0 ? nearbyint((linear->coefficients[k * features + d] - middle) / step) : 0;
      quantized->weights[k * features + d] = (int8_t)fmax(-127, fmin(127, q));
    }
  }
cleanup:
  return status;
}

void quantized_free(Quantized *quantized) {
  free(quantized->weights);
  free(quantized->steps);
  *quantized = (Quantized){0};
}

void linear_predict(double *p, const double *x, const LinearForm *linear, const Quantized *quantized, const Model *model) {
  size_t features = model->features;
  for (size_t k = 0; k < model->classes; k++) {
    p[k] = linear->intercepts[k];
    for (size_t d = 0; d < features; d++) {
      double centred = linear->centres != NULL ? x[d] - linear->centres[d] : x[d];
      p[k] += centred *
              (quantized != NULL ? quantized->weights[k * features + d] * quantized->steps[d] : linear->coefficients[k * features + d]);
    }
  }
  softmax_row(p, model->classes, 0);
}

static size_t best_of(const double *p, size_t classes) {
  size_t best = 0;
  for (size_t k = 1; k < classes; k++)
    if (p[k] > p[best]) best = k;
  return best;
}

/* Sums over rows; rows with a label count for the accuracies. */
typedef struct Costs {
  double same, worst, labelled, right, right_before;
} Costs;

static void add_row(Costs *costs, const double *p, const double *before, size_t classes, long label) {
  size_t best = best_of(p, classes), best_before = best_of(before, classes);
  costs->same += best == best_before;
  for (size_t k = 0; k < classes; k++) costs->worst = fmax(costs->worst, fabs(p[k] - before[k]));
  if (label < 0) return;
  costs->labelled++;
  costs->right += best == (size_t)label;
  costs->right_before += best_before == (size_t)label;
}

Status quantized_measure(SetosaExportResult *result, const Quantized *quantized, const LinearForm *linear, const Model *model,
                         const Dataset *data, const double *rows, size_t count, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = model->classes, features = model->features;
  double *room = NULL;
  RowReader reader = {0};
  Costs costs = {0};
  if (data != NULL) count = dataset_shape(data).rows;
  TRY(memory_allocate((void **)&room, features + 2 * classes, sizeof *room, "rows to measure", error));
  double *x = room, *p = room + features, *before = p + classes;
  if (data != NULL) TRY(row_reader_open(&reader, data, error));
  for (size_t i = 0; i < count; i++) {
    long label = -1;
    if (data != NULL) TRY(row_reader_take(&reader, i, x, &label, error));
    const double *row = data != NULL ? x : rows + i * features;
    linear_predict(p, row, linear, quantized, model);
    linear_predict(before, row, linear, NULL, model);
    add_row(&costs, p, before, classes, label < (long)classes ? label : -1);
  }
  result->rows = count;
  result->agreement = count > 0 ? costs.same / (double)count : NAN;
  result->largest_difference = costs.worst;
  result->accuracy = costs.labelled > 0 ? costs.right_before / costs.labelled : NAN;
  result->accuracy_int8 = costs.labelled > 0 ? costs.right / costs.labelled : NAN;
cleanup:
  row_reader_close(&reader);
  free(room);
  return status;
}
