/* setosa_summary: from a model and its rows to the numbers that people publish. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/dense.h"
#include "base/memory.h"
#include "base/names.h"
#include "inference/result.h"
#include "inference/tails.h"

SetosaSummaryOptions setosa_summary_options_default(void) { return (SetosaSummaryOptions){.confidence = 0.95}; }

typedef struct Work {
  Fit fit;
  Design design;
  Sums sums; /* of the read at the maximum: meat, moments */
  SetosaSummaryOptions options;
  double l2;
} Work;

/* ---- what can be summarised --------------------------------------------------------------------------------------- */

static double metadata_number(const Model *model, const char *key) {
  const char *text = model_metadata(model, key);
  double value = 0;
  return text != NULL && text_parse_double(text, strlen(text), &value) ? value : 0;
}

static Status check_options(const SetosaSummaryOptions *options, Error *error) {
  if (!(options->confidence > 0 && options->confidence < 1))
    return error_set(error, SETOSA_ERROR_USAGE, "--confidence %g: give a number between 0 and 1, as in 0.95", options->confidence);
  if ((size_t)options->weights_are >= names_count(weights_are_names))
    return error_set(error, SETOSA_ERROR_USAGE, "weights_are is none of its choices");
  return SETOSA_OK;
}

static Status check_model(const Model *model, Error *error) {
  if (metadata_number(model, "l1") > 0)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the model was trained with --l1 %s, and weights that were driven to 0 have no standard errors; train without --l1 on "
                     "the columns that it kept",
                     model_metadata(model, "l1"));
  if (metadata_number(model, "label_smoothing") > 0)
    return error_set(
        error, SETOSA_ERROR_USAGE,
        "the model was trained with --label-smoothing, which is no likelihood that standard errors could be of; train without");
  return SETOSA_OK;
}

static Status find_base(size_t *base, const Model *model, const char *name, Error *error) {
  *base = 0;
  for (size_t k = 0; name != NULL && k < model->classes; k++)
    if (strcmp(model->class_names[k], name) == 0) {
      *base = k;
      return SETOSA_OK;
    }
  if (name == NULL) return SETOSA_OK;
  const char *nearest = text_nearest(name, (const char *const *)model->class_names, model->classes);
  return error_set(error, SETOSA_ERROR_USAGE, "--base %s: the model has no such class; %s%s", name,
                   nearest != NULL ? "did you mean " : "its first is ", nearest != NULL ? nearest : model->class_names[0]);
}

/* LAPACK's own message would speak of training. */
static Status check_lapack(Error *error) {
  bool there = false;
  Status status = dense_find(&there, error);
  if (status != SETOSA_OK || there) return status;
  return error_set(error, SETOSA_ERROR_DEVICE, "standard errors need LAPACK, which is not here; install libopenblas0");
}

/* All that a process does by itself before the first read. */
static Status prepare(Work *w, const Model *model, Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  const char *class_weight = model_metadata(model, "class_weight"), *intercept = model_metadata(model, "intercept");
  TRY(check_options(&w->options, error));
  TRY(check_model(model, error));
  TRY(model_check_features(model, dataset, error));
  TRY(model_check_labels(model, dataset, "", error));
  TRY(find_base(&w->fit.request.base, model, w->options.base, error));
  if (w->options.effects && model->classes > EFFECTS_CLASSES_MOST)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--effects: of at most %d classes, and the model has %zu; leave it out", EFFECTS_CLASSES_MOST,
                  model->classes));
  TRY(check_lapack(error));
  if (class_weight != NULL && class_weight[0] != '\0') TRY(setosa_dataset_set_class_weights(dataset, class_weight, error));
  TRY(design_open(&w->design, model, dataset, intercept == NULL || strcmp(intercept, "off") != 0, w->options.base_levels, error));
  w->l2 = metadata_number(model, "l2");
  w->fit.model = model;
  w->fit.strength = w->l2 * dataset_total_weight(dataset) * dataset_weight_unit(dataset);
  w->fit.request.dataset = dataset;
  w->fit.request.design = &w->design;
  w->fit.request.classes = model->classes;
  w->fit.request.ranks = w->options.ranks;
cleanup:
  return status;
}

/* ---- the numbers -------------------------------------------------------------------------------------------------- */

/* The trace of covariance * information: how many parameters the penalty leaves. */
static double effective_parameters(const Fit *fit) {
  double sum = 0;
  for (size_t i = 0; i < fit->order * fit->order; i++) sum += fit->covariance[i] * fit->information[i];
  return sum;
}

static void fill_tests(SetosaSummary *s, const Work *w) {
  const Fit *fit = &w->fit;
  bool penalized = fit->penalty != NULL, counts = w->options.weights_are == SETOSA_WEIGHTS_COUNT;
  s->log_likelihood = fit->likelihood;
  s->log_likelihood_null = fit_null(fit);
  s->parameters = penalized ? effective_parameters(fit) : (double)fit->order;
  s->lr_df = fit->order - (w->design.intercept ? fit->request.classes - 1 : 0);
  s->lr = 2 * (s->log_likelihood - s->log_likelihood_null);
  s->lr_p = penalized || !counts ? NAN : chi_square_tail(s->lr, s->lr_df);
  s->pseudo_r2 = 1 - s->log_likelihood / s->log_likelihood_null;
  s->aic = -2 * s->log_likelihood + 2 * s->parameters;
  s->bic = -2 * s->log_likelihood + s->parameters * log(counts ? s->weight : (double)s->rows);
}

static Status make_remarks(Result *result, const Work *w, Error *error) {
  Status status = SETOSA_OK;
  const SetosaSummary *s = &result->summary;
  const char *class_weight = model_metadata(w->fit.model, "class_weight");
  if (isinf(s->distance))
    TRY(result_remark(
        result, error,
        "the model fits these rows worse than the shares of the classes alone; the estimates are at the maximum all the same, "
        "%llu Newton steps from there: has it converged, and are these the rows that it was trained on?",
        (unsigned long long)s->steps));
  else if (s->distance > 0.1)
    TRY(result_remark(result, error,
                      "the model is %.3g standard errors from the maximum (%s, %s), at which these estimates are, %llu Newton steps on%s",
                      s->distance, s->class_names[s->distance_class], s->terms[s->distance_term].name, (unsigned long long)s->steps,
                      s->distance > 1 ? ": has it converged, and are these the rows that it was trained on?" : ""));
  if (s->l2 > 0)
    TRY(result_remark(result, error,
                      "fitted with --l2 %g: standard errors are of the penalised information, and do not cover the penalty's bias; "
                      "maximum likelihood is --l2 0",
                      s->l2));
  if (class_weight != NULL && class_weight[0] != '\0')
    TRY(result_remark(result, error, "fitted with --class-weight %s: rows count so here, too; intercepts are of classes weighed so",
                      class_weight));
cleanup:
  return status;
}

/* covariance (order,order) of the fit's parameters: robust where asked for. */
static Status choose_covariance(double **covariance, const Work *w, bool robust, Error *error) {
  Status status = SETOSA_OK;
  const Fit *fit = &w->fit;
  TRY(memory_allocate((void **)covariance, fit->order * fit->order, sizeof **covariance, "a covariance", error));
  if (robust)
    TRY(sandwich_make(fit, &w->sums, *covariance, error));
  else
    memcpy(*covariance, fit->covariance, fit->order * fit->order * sizeof **covariance);
cleanup:
  return status;
}

static Status describe(SetosaSummary **summary, Work *w, bool robust, Error *error) {
  Status status = SETOSA_OK;
  Result *result = NULL;
  double *covariance = NULL;
  TRY(result_create(&result, &w->fit, error));
  SetosaSummary *s = &result->summary;
  s->confidence = w->options.confidence;
  s->robust = robust;
  s->l2 = w->l2;
  s->weights_are = w->options.weights_are;
  fill_tests(s, w);
  TRY(choose_covariance(&covariance, w, robust, error));
  if (w->options.effects) TRY(result_effects(result, &w->fit, &w->sums, covariance, error));
  TRY(result_coefficients(result, &w->fit, covariance, error));
  TRY(make_remarks(result, w, error));
  *summary = s;
  result = NULL;
cleanup:
  free(covariance);
  if (result != NULL) setosa_summary_destroy(&result->summary);
  return status;
}

SetosaStatus setosa_summary(SetosaSummary **summary, const SetosaModel *model, SetosaDataset *dataset, const SetosaSummaryOptions *options,
                            SetosaError *error) {
  Status status = SETOSA_OK;
  Work w = {0};
  bool prepared = false, robust = false;
  if (summary != NULL) *summary = NULL;
  TRY(arguments_check(error, GIVEN(summary), GIVEN(model), GIVEN(dataset), GIVEN(options)));
  w.options = *options;
  robust = options->robust || options->weights_are == SETOSA_WEIGHTS_SAMPLING;
  prepared = true;
  TRY(ranks_agree(options->ranks, prepare(&w, model, dataset, error), error));
  TRY(fit_open(&w.fit, error));
  if (robust || options->effects) {
    SumsRequest request = w.fit.request;
    request.meat = robust;
    request.sampling = options->weights_are == SETOSA_WEIGHTS_SAMPLING;
    request.moments = options->effects;
    w.fit.reads++;
    TRY(sums_make(&w.sums, &request, error));
  }
  TRY(ranks_agree(options->ranks, describe(summary, &w, robust, error), error));
  TRY(ranks_agree(options->ranks, dataset_check_unchanged(dataset, error), error));
cleanup:
  if (status != SETOSA_OK && summary != NULL) {
    setosa_summary_destroy(*summary);
    *summary = NULL;
  }
  if (prepared && model_metadata(model, "class_weight") != NULL && model_metadata(model, "class_weight")[0] != '\0')
    setosa_dataset_set_class_weights(dataset, NULL, NULL);
  sums_free(&w.sums);
  fit_close(&w.fit);
  design_close(&w.design);
  return status;
}
