/* Every operation of the seam on a device against the double reference: what the self-test, `setosa check` and the kernel tests stand on.
 */
#include "judge/compare.h"

#include <stdlib.h>

#include "base/memory.h"
#include "compute/objective.h"
#include "compute/open.h"
#include "compute/tolerance.h"
#include "data/storage.h"
#include "judge/compare_metrics.h"

typedef struct Comparison {
  const Dataset *dataset; /* as the device sees it */
  Dataset *rounded;       /* with values of its own, when f16 changes them */
  DataShape shape;
  Backend *truth, *device;
  Objective truth_objective, device_objective; /* theirs */
  Vector *truth_w, *truth_v, *truth_out, *device_w, *device_v, *device_out;
  size_t parameters;
  double *w, *v;             /* (P) exactly representable in f32, so that both sides start from the same numbers */
  double *expected, *actual; /* (P) */
  double logit_size;         /* a typical |z| */
  SetosaFamily family;
  const CompareSettings *settings;
  size_t *failures;
} Comparison;

static double logit_rounding(const Comparison *c) { return compare_logit_rounding(c->shape.features, c->logit_size); }

static void report(Comparison *c, const char *what, const char *against, double error, double tolerance) {
  bool passed = error <= tolerance; /* a NaN does not pass */
  SetosaCheckRow row = {.what = what,
                        .against = against,
                        .rows = c->shape.rows,
                        .features = c->shape.features,
                        .classes = c->shape.classes,
                        .sparse = c->shape.kind == DATA_SPARSE,
                        .family = c->family,
                        .error = error,
                        .tolerance = tolerance,
                        .passed = passed};
  if (!passed) (*c->failures)++;
  if (c->settings->row != NULL) c->settings->row(&row, c->settings->user);
}

static Status fetch(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < c->parameters; i++) c->actual[i] = NAN;
  TRY(vector_read(c->truth, c->truth_out, c->expected, error));
  TRY(vector_read(c->device, c->device_out, c->actual, error));
cleanup:
  return status;
}

static Status compare_gradient(Comparison *c, RowRange rows, const char *loss_name, const char *gradient_name, Error *error) {
  Status status = SETOSA_OK;
  Evaluation expected, actual, alone;
  double rounding = logit_rounding(c);
  TRY(objective_evaluate(&c->truth_objective, c->truth_w, rows, c->truth_out, &expected, error));
  TRY(objective_evaluate(&c->device_objective, c->device_w, rows, c->device_out, &actual, error));
  TRY(objective_evaluate(&c->device_objective, c->device_w, rows, NULL, &alone, error));
  double tolerance = compare_loss_tolerance(rounding, rows.count, expected.loss);
  report(c, loss_name, "reference",
         fmax(compare_relative(actual.objective, expected.objective), compare_relative(alone.objective, expected.objective)), tolerance);
  TRY(fetch(c, error));
  report(c, gradient_name, "reference", compare_relative_norm(c->actual, c->expected, c->parameters), compare_gradient_tolerance(rounding));
  report(c, "gradient norm", "reference", compare_relative(actual.gradient_norm, expected.gradient_norm), 8 * rounding);
cleanup:
  return status;
}

static Status compare_hessian(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  RowRange all = backend_all_rows(c->truth);
  double worst = 0;
  TRY(objective_hessian_product(&c->truth_objective, c->truth_w, c->truth_v, all, c->truth_out, error));
  for (int product = 0; product < 2; product++) { /* the second may use probabilities that the first kept */
    TRY(objective_hessian_product(&c->device_objective, c->device_w, c->device_v, all, c->device_out, error));
    TRY(fetch(c, error));
    worst = fmax(worst, compare_relative_norm(c->actual, c->expected, c->parameters));
  }
  report(c, "Hessian * v", "reference", worst, compare_hessian_tolerance(logit_rounding(c)));
cleanup:
  return status;
}

static Status compare_scores(Comparison *c, RowScores kind, const char *what, Error *error) {
  Status status = SETOSA_OK;
  float *expected = NULL, *actual = NULL;
  size_t count = 0, rows = c->shape.rows < 4096 ? c->shape.rows : 4096;
  double worst = 0;
  TRY(memory_multiply(&count, rows, c->shape.classes, "the scores", error));
  TRY(memory_allocate((void **)&expected, count, sizeof(float), "the scores", error));
  TRY(memory_allocate((void **)&actual, count, sizeof(float), "the scores", error));
  for (size_t i = 0; i < count; i++) actual[i] = NAN;
  RowRange range = {c->shape.rows - rows, rows};
  TRY(backend_predict(c->truth, c->truth_w, range, kind, expected, error));
  TRY(backend_predict(c->device, c->device_w, range, kind, actual, error));
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)actual[i] - expected[i]);
    worst = isfinite(difference) ? fmax(worst, difference) : INFINITY;
  }
  if (kind == ROW_LOGITS) worst /= 1 + c->logit_size; /* a probability is already relative to 1 */
  report(c, what, "reference", worst, compare_scores_tolerance(logit_rounding(c)));
cleanup:
  free(expected);
  free(actual);
  return status;
}

static Status compare_line(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  double worst_value = 0, worst_slope = 0, largest_slope = 0;
  TRY(objective_line_open(&c->truth_objective, c->truth_w, c->truth_v, error));
  TRY(objective_line_open(&c->device_objective, c->device_w, c->device_v, error));
  for (int quarters = 0; quarters <= 2; quarters++) {
    double step = 0.25 * quarters, value = 0, slope = 0, device_value = NAN, device_slope = NAN;
    TRY(objective_line_evaluate(&c->truth_objective, step, &value, &slope, error));
    TRY(objective_line_evaluate(&c->device_objective, step, &device_value, &device_slope, error));
    worst_value = fmax(worst_value, compare_relative(device_value, value));
    worst_slope = isfinite(device_slope) ? fmax(worst_slope, fabs(device_slope - slope)) : INFINITY;
    largest_slope = fmax(largest_slope, fabs(slope));
  }
  double averaging = sqrt(c->shape.rows < 64 ? (double)c->shape.rows : 64.0);
  report(c, "line value", "reference", worst_value, FLT_EPSILON + 4 * logit_rounding(c) / averaging);
  report(c, "line slope", "reference", worst_slope / fmax(largest_slope, 0.1), 8 * logit_rounding(c));
cleanup:
  if (c->truth != NULL) objective_line_close(&c->truth_objective);
  if (c->device != NULL) objective_line_close(&c->device_objective);
  return status;
}

/* Vector operations: the inputs are exact on both sides, so only the operation itself rounds. */
static Status compare_vectors(Comparison *c, Error *error) {
  enum { TERMS = 50 };
  Status status = SETOSA_OK;
  double expected[4], actual[4];
  const VectorPair truth_pairs[] = {
      {c->truth_w, c->truth_w, false}, {c->truth_w, c->truth_v, false}, {c->truth_v, c->truth_v, false}, {c->truth_w, c->truth_v, true}};
  const VectorPair device_pairs[] = {{c->device_w, c->device_w, false},
                                     {c->device_w, c->device_v, false},
                                     {c->device_v, c->device_v, false},
                                     {c->device_w, c->device_v, true}};
  TRY(vector_dots(c->truth, 4, truth_pairs, expected, error));
  TRY(vector_dots(c->device, 4, device_pairs, actual, error));
  double worst = 0, size = sqrt(expected[0] * expected[2]);
  for (int i = 0; i < 4; i++) worst = isfinite(actual[i]) ? fmax(worst, fabs(actual[i] - expected[i]) / size) : INFINITY;
  report(c, "inner products", "reference", worst, FLT_EPSILON); /* twice the precision, rounded once or twice */

  /* More terms than L-BFGS has: kernels that take many vectors are to be seen with many. */
  double coefficients[TERMS];
  const Vector *truth_terms[TERMS], *device_terms[TERMS];
  for (int i = 0; i < TERMS; i++) {
    coefficients[i] = (i % 2 == 0 ? 0.75 : -1.5) / (1 + i);
    truth_terms[i] = i % 2 == 0 ? c->truth_w : c->truth_v;
    device_terms[i] = i % 2 == 0 ? c->device_w : c->device_v;
  }
  TRY(vector_combine(c->truth, c->truth_out, TERMS, coefficients, truth_terms, error));
  TRY(vector_combine(c->device, c->device_out, TERMS, coefficients, device_terms, error));
  TRY(fetch(c, error));
  report(c, "combination", "reference", compare_relative_norm(c->actual, c->expected, c->parameters), 3 * FLT_EPSILON);
cleanup:
  return status;
}

static Status compare_elements(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  TRY(vector_multiply(c->truth, c->truth_out, c->truth_w, c->truth_w, error));
  TRY(vector_multiply(c->device, c->device_out, c->device_w, c->device_w, error));
  TRY(vector_divide_sqrt(c->truth, c->truth_out, c->truth_v, c->truth_out, 1e-3, error));
  TRY(vector_divide_sqrt(c->device, c->device_out, c->device_v, c->device_out, 1e-3, error));
  TRY(fetch(c, error));
  report(c, "element-wise", "reference", compare_relative_norm(c->actual, c->expected, c->parameters), 8 * FLT_EPSILON);
cleanup:
  return status;
}

static Status compare_metric(Comparison *c, Error *error) {
  const MetricSides sides = {c->truth, c->device, c->truth_v, c->device_v, c->truth_out, c->device_out};
  Deviation found;
  Status status = compare_metrics(&found, &sides, error);
  if (status == SETOSA_OK) report(c, "metric", "reference", found.error, found.tolerance);
  return status;
}

/* Of the exact rows: they come from the host, so that f16 does not change them. */
static Status compare_gram(Comparison *c, const Dataset *exact, Error *error) {
  Deviation found;
  Status status = compare_grams(&found, c->device, exact, error);
  if (status == SETOSA_OK) report(c, "Gram matrix", "reference", found.error, found.tolerance);
  return status;
}

static Status compare_diagonal(Comparison *c, Error *error) {
  const MetricSides sides = {.truth = c->truth, .device = c->device};
  double worst = 0;
  Status status = compare_grams_at(&worst, &sides, c->truth_w, c->device_w, error);
  if (status == SETOSA_OK) report(c, "Hessian diagonal", "reference", worst, compare_hessian_tolerance(logit_rounding(c)));
  return status;
}

/* <gradient, v> and H v of the device against central differences of the double reference. */
static Status compare_finite_differences(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  const double h = 1e-4; /* v moves logits by order 1: truncation h^2 ~ 1e-8, rounding eps/h ~ 1e-12 */
  RowRange all = backend_all_rows(c->truth);
  Evaluation at[2];
  double slope = 0, sizes = 0;
  Vector *moved = NULL;
  double *ahead = NULL;
  TRY(vector_create(c->truth, &moved, error));
  TRY(memory_allocate((void **)&ahead, c->parameters, sizeof *ahead, "a gradient", error));
  for (int side = 0; side < 2; side++) {
    TRY(vector_combine(c->truth, moved, 2, (double[]){1, side == 0 ? h : -h}, (const Vector *[]){c->truth_w, c->truth_v}, error));
    TRY(objective_evaluate(&c->truth_objective, moved, all, c->truth_out, &at[side], error));
    TRY(vector_read(c->truth, c->truth_out, side == 0 ? ahead : c->expected, error));
  }
  for (size_t i = 0; i < c->parameters; i++) c->expected[i] = (ahead[i] - c->expected[i]) / (2 * h);
  TRY(objective_hessian_product(&c->device_objective, c->device_w, c->device_v, all, c->device_out, error));
  TRY(vector_read(c->device, c->device_out, c->actual, error));
  report(c, "Hessian * v", "finite differences", compare_relative_norm(c->actual, c->expected, c->parameters),
         1e-6 + 8 * logit_rounding(c));

  TRY(objective_evaluate(&c->device_objective, c->device_w, all, c->device_out, NULL, error));
  TRY(vector_read(c->device, c->device_out, c->actual, error));
  for (size_t i = 0; i < c->parameters; i++) {
    slope += c->actual[i] * c->v[i];
    sizes += fabs(c->actual[i] * c->v[i]);
  }
  report(c, "gradient", "finite differences", fabs(slope - (at[0].objective - at[1].objective) / (2 * h)) / fmax(sizes, 1e-30),
         1e-6 + 4 * logit_rounding(c));
cleanup:
  free(ahead);
  if (c->truth != NULL) vector_destroy(c->truth, moved);
  return status;
}

/* With f16 the reference computes on the rounded values: what the device is then judged by is arithmetic alone. */
static Status round_dataset(Comparison *c, Error *error) {
  Status status = SETOSA_OK;
  StoragePlan plan;
  if (c->settings->storage != SETOSA_STORAGE_F16) return SETOSA_OK;
  TRY(storage_choose(&plan, c->dataset, SETOSA_STORAGE_F16, false, error));
  TRY(dataset_slice(&c->rounded, c->dataset, dataset_all(c->dataset), error));
  TRY(storage_round(c->rounded, &plan, error));
  c->dataset = c->rounded;
cleanup:
  return status;
}

/* What f16 did to X, apart: half a unit in the last of 11 digits of each value, or half of 2^-24 where halves run out of exponents. */
static void report_rounding(Comparison *c, const Dataset *exact) {
  BackendFacts facts;
  if (c->dataset == exact) return;
  backend_facts(c->device, &facts);
  double square = dataset_square_sum(exact, dataset_all(exact)), count = (double)c->shape.rows * (double)c->shape.features;
  report(c, "rounding to f16", "f32", facts.storage_rms_error, 0x1p-11 + 0x1p-25 * sqrt(count) / fmax(sqrt(square), FLT_MIN));
}

/* The device rounds X itself as it is uploaded, so it is given the exact values. */
static Status open_both(Comparison *c, const Dataset *exact, Context *context, double l2, Error *error) {
  Status status = SETOSA_OK;
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .family = c->family, .intercept = true};
  TRY(backend_open(&c->truth, c->dataset, &settings, error));
  settings.kind = c->settings->backend;
  settings.context = context;
  settings.workspace_bytes = c->settings->workspace_bytes;
  settings.x_buffer_bytes = c->settings->x_buffer_bytes;
  settings.small = c->settings->small;
  settings.storage = c->settings->storage;
  TRY((c->settings->open != NULL ? c->settings->open : backend_open)(&c->device, exact, &settings, error));
  TRY(objective_open(&c->truth_objective, c->truth, &(ObjectiveTerms){.l2 = l2}, error));
  TRY(objective_open(&c->device_objective, c->device, &(ObjectiveTerms){.l2 = l2}, error));
  c->parameters = c->truth->parameters;
  double **const arrays[] = {&c->w, &c->v, &c->expected, &c->actual};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    TRY(memory_allocate((void **)arrays[i], c->parameters, sizeof(double), "parameters to compare", error));
  Vector **const truths[] = {&c->truth_w, &c->truth_v, &c->truth_out}, **const devices[] = {&c->device_w, &c->device_v, &c->device_out};
  for (int i = 0; i < 3; i++) {
    TRY(vector_create(c->truth, truths[i], error));
    TRY(vector_create(c->device, devices[i], error));
  }
  compare_fill_vectors(c->dataset, c->logit_size, c->w, c->v);
  TRY(vector_write(c->truth, c->truth_w, c->w, error));
  TRY(vector_write(c->truth, c->truth_v, c->v, error));
  TRY(vector_write(c->device, c->device_w, c->w, error));
  TRY(vector_write(c->device, c->device_v, c->v, error));
cleanup:
  return status;
}

static void close_both(Comparison *c) {
  objective_close(&c->truth_objective);
  objective_close(&c->device_objective);
  if (c->truth != NULL) {
    vector_destroy(c->truth, c->truth_w);
    vector_destroy(c->truth, c->truth_v);
    vector_destroy(c->truth, c->truth_out);
  }
  if (c->device != NULL) {
    vector_destroy(c->device, c->device_w);
    vector_destroy(c->device, c->device_v);
    vector_destroy(c->device, c->device_out);
  }
  backend_close(c->truth);
  backend_close(c->device);
  free(c->w);
  free(c->v);
  free(c->expected);
  free(c->actual);
  setosa_dataset_destroy(c->rounded);
}

Status judge_compare(const Dataset *dataset, Context *context, const CompareSettings *settings, size_t *failures, Error *error) {
  Status status = SETOSA_OK;
  Comparison c = {.dataset = dataset, .shape = dataset_shape(dataset), .settings = settings, .failures = failures};
  c.family = settings->family;
  if (c.family == SETOSA_FAMILY_AUTO) c.family = context != NULL ? context_traits(context)->family : SETOSA_FAMILY_CPU;
  c.logit_size = settings->logit_size > 0 ? settings->logit_size : 3;
  if (!c.shape.labelled)
    return error_set(error, SETOSA_ERROR_USAGE, "a check needs labels, and %s has none; name them with --labels or --label",
                     dataset_source(dataset));
  TRY(round_dataset(&c, error));
  TRY(open_both(&c, dataset, context, settings->l2, error));
  report_rounding(&c, dataset);
  unsigned wanted = settings->operations != 0 ? settings->operations : ~0u;
  if (wanted & COMPARE_STEP) {
    TRY(compare_gradient(&c, backend_all_rows(c.truth), "loss", "gradient", error));
    RowRange part = {c.shape.rows / 3, c.shape.rows - c.shape.rows / 2}; /* a range that begins and ends inside a block */
    TRY(compare_gradient(&c, part, "mini-batch loss", "mini-batch gradient", error));
  }
  if (wanted & COMPARE_HESSIAN) TRY(compare_hessian(&c, error));
  if (wanted & COMPARE_LOGITS) TRY(compare_scores(&c, ROW_LOGITS, "logits", error));
  if (wanted & COMPARE_PROBABILITIES) TRY(compare_scores(&c, ROW_PROBABILITIES, "probabilities", error));
  if (wanted & COMPARE_LINE) TRY(compare_line(&c, error));
  if (wanted & COMPARE_VECTORS) TRY(compare_vectors(&c, error));
  if (wanted & COMPARE_ELEMENTS) TRY(compare_elements(&c, error));
  if (wanted & COMPARE_METRIC) TRY(compare_metric(&c, error));
  if (wanted & COMPARE_GRAM) {
    TRY(compare_gram(&c, dataset, error));
    TRY(compare_scores(&c, ROW_ESTIMATES, "estimates", error));
    if (c.shape.kind == DATA_SPARSE) TRY(compare_diagonal(&c, error));
  }
  if (settings->finite_differences) TRY(compare_finite_differences(&c, error));
cleanup:
  close_both(&c);
  return status;
}
