/* The summary that is handed out: see result.h. */
#include "inference/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "inference/collinear.h"
#include "inference/tails.h"

static const SetosaEstimate nothing = {NAN, NAN, NAN, NAN, NAN, NAN};

void setosa_summary_destroy(SetosaSummary *summary) {
  if (summary == NULL) return;
  Result *result = (Result *)summary;
  for (size_t k = 0; result->class_names != NULL && k < summary->classes; k++) free(result->class_names[k]);
  for (size_t i = 0; i < summary->remark_count; i++) free(result->remarks[i]);
  for (size_t t = 0; result->terms != NULL && t < summary->term_count; t++) {
    free((char *)(uintptr_t)result->terms[t].name);
    free((char *)(uintptr_t)result->terms[t].note);
  }
  free(result->class_names);
  free(result->remarks);
  free(result->terms);
  free(result->columns);
  free(result->coefficients);
  free(result->effects);
  free(result->covariance);
  free(result);
}

Status result_remark(Result *result, Error *error, const char *format, ...) {
  char *line = NULL;
  va_list arguments;
  size_t count = result->summary.remark_count;
  Status status = memory_grow((void **)&result->remarks, &result->remark_capacity, count + 1, sizeof *result->remarks, "remarks", error);
  if (status != SETOSA_OK) return status;
  va_start(arguments, format);
  int length = vasprintf(&line, format, arguments);
  va_end(arguments);
  if (length < 0) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for remarks; close other programs");
  result->remarks[count] = line;
  result->summary.remarks = (const char *const *)result->remarks;
  result->summary.remark_count++;
  return SETOSA_OK;
}

/* Rows without any level of a column are a term of their own, if there are any. */
static bool is_term(const Fit *fit, size_t column) {
  return fit->spread[column] > 0 || design_base_of(fit->request.design, column) == NULL;
}

static Status name_terms(Result *result, const Fit *fit, Error *error) {
  Status status = SETOSA_OK;
  SetosaSummary *s = &result->summary;
  Text name = {0}, note = {0};
  TRY(memory_allocate_zero((void **)&result->terms, fit->request.design->width, sizeof *result->terms, "terms", error));
  TRY(memory_allocate_zero((void **)&result->columns, fit->request.design->width, sizeof *result->columns, "terms", error));
  s->terms = result->terms;
  for (size_t d = 0; d < fit->request.design->width; d++) {
    if (!is_term(fit, d)) continue;
    TRY(design_name(&name, fit->request.design, fit->model, d, error));
    TRY(text_append(&note, error, "%s", ""));
    if (!fit->kept[d]) TRY(collinear_reason(&note, fit, d, error));
    if (d == fit->distance_term) s->distance_term = s->term_count;
    result->columns[s->term_count] = d;
    result->terms[s->term_count++] = (SetosaSummaryTerm){
        .name = name.text, .note = note.text, .estimated = fit->kept[d], .intercept = d == fit->request.design->features};
    name = note = (Text){0};
  }
cleanup:
  text_free(&name);
  text_free(&note);
  return status;
}

Status result_create(Result **result, const Fit *fit, Error *error) {
  Status status = SETOSA_OK;
  Result *made = NULL;
  size_t classes = fit->request.classes, cells = 0;
  *result = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a summary", error));
  SetosaSummary *s = &made->summary;
  s->rows = dataset_shape(fit->request.dataset).rows;
  s->weight = fit->total_weight;
  s->classes = classes;
  s->features = fit->request.design->features;
  s->base = fit->request.base;
  s->distance = fit->distance;
  s->distance_class = fit->distance_class;
  s->steps = fit->steps;
  s->reads = fit->reads;
  TRY(memory_allocate_zero((void **)&made->class_names, classes, sizeof *made->class_names, "class names", error));
  for (size_t k = 0; k < classes; k++) TRY(memory_copy_text(&made->class_names[k], fit->model->class_names[k], error));
  s->class_names = (const char *const *)made->class_names;
  TRY(name_terms(made, fit, error));
  TRY(memory_multiply(&cells, classes, s->term_count, "estimates", error));
  TRY(memory_allocate((void **)&made->coefficients, cells, sizeof *made->coefficients, "estimates", error));
  for (size_t i = 0; i < cells; i++) made->coefficients[i] = nothing;
  s->coefficients = made->coefficients;
  *result = made;
  made = NULL;
cleanup:
  if (made != NULL) setosa_summary_destroy(&made->summary);
  return status;
}

static SetosaEstimate estimate(double value, double error, double confidence) {
  double z = value / error, wide = normal_interval(confidence) * error;
  return (SetosaEstimate){value, error, z, normal_two_sided(z), value - wide, value + wide};
}

/* The intercept of columns less their means becomes that of the columns: b = b' - sum of mean_d phi_d, as a matrix T on both sides. */
static void uncenter(const Fit *fit, double *covariance) {
  const Design *design = fit->request.design;
  size_t order = fit->order, kept = fit->kept_count;
  if (!design->intercept) return;
  for (size_t side = 0; side < 2; side++)
    for (size_t first = 0; first < order; first += kept)
      for (size_t i = 0; i + 1 < kept; i++)
        for (size_t b = 0; b < order; b++) {
          size_t to = first + kept - 1, from = first + i;
          double mean = design->mean[fit->columns[i]];
          if (side == 0)
            covariance[to * order + b] -= mean * covariance[from * order + b];
          else
            covariance[b * order + to] -= mean * covariance[b * order + from];
        }
}

/* The value of a term, which is column d, of class k. */
static double value_of(const Fit *fit, size_t k, size_t d) {
  const Design *design = fit->request.design;
  const double *phi = fit->phi + k * design->width;
  double value = phi[d];
  for (size_t e = 0; d == design->features && e < design->features; e++) value -= design->mean[e] * phi[e];
  return value;
}

static Status put_covariance(Result *result, const Fit *fit, const double *covariance, const size_t *numbers, Error *error) {
  Status status = SETOSA_OK;
  SetosaSummary *s = &result->summary;
  size_t line = 0, cells = 0;
  TRY(memory_multiply(&line, s->classes - 1, s->term_count, "covariances", error));
  TRY(memory_multiply(&cells, line, line, "covariances", error));
  TRY(memory_allocate((void **)&result->covariance, cells, sizeof *result->covariance, "covariances", error));
  for (size_t a = 0; a < line; a++)
    for (size_t b = 0; b < line; b++) {
      size_t i = numbers[a % s->term_count], j = numbers[b % s->term_count];
      bool both = i < fit->kept_count && j < fit->kept_count;
      size_t row = a / s->term_count * fit->kept_count + i, column = b / s->term_count * fit->kept_count + j;
      result->covariance[a * line + b] = both ? covariance[row * fit->order + column] : NAN;
    }
  s->covariance = result->covariance;
cleanup:
  return status;
}

Status result_coefficients(Result *result, const Fit *fit, double *covariance, Error *error) {
  Status status = SETOSA_OK;
  const SetosaSummary *s = &result->summary;
  size_t *numbers = NULL; /* of a term among the kept columns; kept_count: it is none */
  TRY(memory_allocate((void **)&numbers, s->term_count, sizeof *numbers, "terms", error));
  for (size_t t = 0; t < s->term_count; t++) {
    numbers[t] = fit->kept_count;
    for (size_t i = 0; i < fit->kept_count; i++)
      if (fit->columns[i] == result->columns[t]) numbers[t] = i;
  }
  uncenter(fit, covariance);
  for (size_t p = 0; p + 1 < s->classes; p++)
    for (size_t t = 0; t < s->term_count; t++) {
      size_t k = class_with(p, s->base), a = p * fit->kept_count + numbers[t];
      if (numbers[t] == fit->kept_count) continue;
      result->coefficients[k * s->term_count + t] =
          estimate(value_of(fit, k, result->columns[t]), sqrt(covariance[a * fit->order + a]), s->confidence);
    }
  TRY(put_covariance(result, fit, covariance, numbers, error));
cleanup:
  free(numbers);
  return status;
}

Status result_effects(Result *result, const Fit *fit, const Sums *sums, const double *covariance, Error *error) {
  Status status = SETOSA_OK;
  SetosaSummary *s = &result->summary;
  size_t features = fit->request.design->features, cells = 0;
  double *values = NULL, *errors = NULL;
  TRY(memory_multiply(&cells, s->classes, features + 1, "marginal effects", error));
  TRY(memory_allocate((void **)&values, cells, sizeof *values, "marginal effects", error));
  TRY(memory_allocate((void **)&errors, cells, sizeof *errors, "marginal effects", error));
  TRY(memory_allocate((void **)&result->effects, cells, sizeof *result->effects, "marginal effects", error));
  TRY(effects_make(fit, sums, covariance, values, errors, error));
  for (size_t k = 0; k < s->classes; k++)
    for (size_t t = 0; t < s->term_count; t++) {
      size_t d = result->columns[t];
      result->effects[k * s->term_count + t] =
          d == features || !fit->kept[d] ? nothing : estimate(values[k * features + d], errors[k * features + d], s->confidence);
    }
  s->effects = result->effects;
cleanup:
  free(values);
  free(errors);
  return status;
}
