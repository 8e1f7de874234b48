/* Classification metrics in one pass over blocks of logits: counts, compensated sums, calibration bins. */
#include "model/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/softmax.h"
#include "base/sum.h"
#include "model/auc.h"

enum { CONFUSION_LIMIT = 1000, TOP_K_LIMIT = 5, AUC_BYTES = 512 << 20 };

/* What follows from probabilities, and not from their order alone. Sums over the rows. */
typedef struct Likeness {
  CompensatedSum loss, brier; /* a million terms keep their last digits */
  double bin_confidence[SETOSA_CALIBRATION_BINS], bin_correct[SETOSA_CALIBRATION_BINS], bin_weight[SETOSA_CALIBRATION_BINS];
} Likeness;

struct MetricsAccumulator {
  size_t classes, top_k;
  double temperature;
  uint64_t first, rows;                  /* first: the number of the first row */
  double weight, correct, correct_top_k; /* sums of weights, as all counts below */
  Likeness at, before;                   /* at the temperature; before: at 1, where that is another */
  double *row;                           /* (K) logits of the row at hand, then its probabilities */
  double *hits, *support, *predicted;    /* (K) each, one block */
  double *confusion;                     /* (K,K), or NULL */
  AucAccumulator *auc;                   /* or NULL */
};

Status metrics_create(MetricsAccumulator **accumulator, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  MetricsAccumulator *made = NULL;
  *accumulator = NULL;
  if (classes < 2) return error_set(error, SETOSA_ERROR_USAGE, "metrics need at least 2 classes, not %zu", classes);
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "metrics", error));
  made->classes = classes;
  made->temperature = 1;
  made->top_k = classes - 1 < TOP_K_LIMIT ? classes - 1 : TOP_K_LIMIT;
  TRY(memory_allocate_zero((void **)&made->hits, classes, 3 * sizeof(double), "metrics", error));
  TRY(memory_allocate((void **)&made->row, classes, sizeof *made->row, "metrics", error));
  made->support = made->hits + classes;
  made->predicted = made->support + classes;
  if (classes <= CONFUSION_LIMIT)
    TRY(memory_allocate_zero((void **)&made->confusion, classes * classes, sizeof(double), "the confusion matrix", error));
  *accumulator = made;
  made = NULL;
cleanup:
  metrics_destroy(made);
  return status;
}

void metrics_destroy(MetricsAccumulator *accumulator) {
  if (accumulator == NULL) return;
  auc_destroy(accumulator->auc);
  free(accumulator->row);
  free(accumulator->hits);
  free(accumulator->confusion);
  free(accumulator);
}

void metrics_calibrate(MetricsAccumulator *accumulator, double temperature) { accumulator->temperature = temperature; }

Status metrics_rank(MetricsAccumulator *accumulator, uint64_t rows, Error *error) {
  return auc_create(&accumulator->auc, rows, accumulator->classes, AUC_BYTES, error);
}

/* Bins as in "On Calibration of Modern Neural Networks" (arXiv:1706.04599): bin m holds confidences in (m/15, (m+1)/15]. */
static void add_confidence(Likeness *likeness, double confidence, bool correct, double weight) {
  int bin = (int)ceil(confidence * SETOSA_CALIBRATION_BINS) - 1;
  if (bin < 0) bin = 0;
  if (bin >= SETOSA_CALIBRATION_BINS) bin = SETOSA_CALIBRATION_BINS - 1;
  likeness->bin_confidence[bin] += weight * confidence;
  likeness->bin_correct[bin] += correct ? weight : 0;
  likeness->bin_weight[bin] += weight;
}

/* sum_k (p_k - P_k)^2; what the label lacks of 1 is the sum of the others, so that no digit of it is lost. */
static double brier_of(const double *p, size_t classes, size_t label) {
  double others = 0, squares = 0;
  for (size_t k = 0; k < classes; k++) {
    if (k == label) continue;
    others += p[k];
    squares += p[k] * p[k];
  }
  return others * others + squares;
}

/* row (K): logits, which become probabilities. */
static void add_likeness(Likeness *likeness, double *row, size_t classes, size_t label, size_t best, double weight) {
  compensated_add(&likeness->loss, weight * softmax_row(row, classes, label));
  compensated_add(&likeness->brier, weight * brier_of(row, classes, label));
  add_confidence(likeness, row[best], best == label, weight);
}

/* z (K), one row of this weight. False when a logit is not finite. */
static bool add_row(MetricsAccumulator *a, const float *z, size_t label, double weight) {
  size_t classes = a->classes, best = 0, rank = 0; /* rank: classes that come before the label's, ties by lower index */
  float own = z[label];
  for (size_t k = 0; k < classes; k++) {
    if (!isfinite(z[k])) return false;
    if (z[k] > z[best]) best = k;
    rank += z[k] > own || (z[k] == own && k < label);
  }
  if (a->temperature != 1) {
    for (size_t k = 0; k < classes; k++) a->row[k] = (double)z[k];
    add_likeness(&a->before, a->row, classes, label, best, weight);
  }
  for (size_t k = 0; k < classes; k++) a->row[k] = (double)z[k] / a->temperature;
  if (a->auc != NULL) auc_add(a->auc, a->row, label, weight);
  add_likeness(&a->at, a->row, classes, label, best, weight);
  a->rows++;
  a->weight += weight;
  a->correct += rank == 0 ? weight : 0;
  a->correct_top_k += rank < a->top_k ? weight : 0;
  a->hits[label] += best == label ? weight : 0;
  a->support[label] += weight;
  a->predicted[best] += weight;
  if (a->confusion != NULL) a->confusion[label * classes + best] += weight;
  return true;
}

Status metrics_add(MetricsAccumulator *accumulator, size_t count, const float *logits, const int32_t *labels, const float *weights,
                   Error *error) {
  size_t classes = accumulator->classes;
  for (size_t i = 0; i < count; i++) {
    if (labels[i] < 0 || (size_t)labels[i] >= classes)
      return error_set(error, SETOSA_ERROR_DATA,
                       "row %llu: its label %d is none of the %zu classes of the model; use data with known labels",
                       (unsigned long long)(accumulator->first + accumulator->rows) + 1, (int)labels[i], classes);
    if (!add_row(accumulator, logits + i * classes, (size_t)labels[i], weights != NULL ? (double)weights[i] : 1))
      return error_set(error, SETOSA_ERROR_DATA,
                       "row %llu overflows single precision under this model; check the values and units of the row",
                       (unsigned long long)(accumulator->first + accumulator->rows) + 1);
  }
  return SETOSA_OK;
}

void metrics_begin_at(MetricsAccumulator *accumulator, uint64_t row) { accumulator->first = row; }

void metrics_totals(const MetricsAccumulator *accumulator, MetricsTotals *totals) {
  *totals = (MetricsTotals){accumulator->weight, accumulator->correct, accumulator->at.loss.high, accumulator->at.loss.low};
}

void metrics_totals_add(MetricsTotals *sum, const MetricsTotals *more) {
  sum->weight += more->weight;
  sum->correct += more->correct;
  CompensatedSum loss = {sum->loss, sum->carry};
  compensated_add(&loss, more->loss);
  compensated_add(&loss, more->carry);
  sum->loss = loss.high;
  sum->carry = loss.low;
}

void metrics_totals_summary(const MetricsTotals *totals, double *accuracy, double *log_loss) {
  *accuracy = totals->correct / totals->weight; /* no rows: 0/0, not a number */
  *log_loss = (totals->loss + totals->carry) / totals->weight;
}

void metrics_summary(const MetricsAccumulator *accumulator, double *accuracy, double *log_loss) {
  MetricsTotals totals;
  metrics_totals(accumulator, &totals);
  metrics_totals_summary(&totals, accuracy, log_loss);
}

static void finish_classes(const MetricsAccumulator *a, SetosaMetrics *m) {
  size_t with_support = 0;
  for (size_t k = 0; k < a->classes; k++) {
    SetosaClassMetrics *c = &m->per_class[k];
    double hits = a->hits[k], support = a->support[k], predicted = a->predicted[k];
    c->support = support;
    c->predicted = predicted;
    c->precision = hits / predicted; /* 0/0 is the NAN of "undefined" */
    c->recall = hits / support;
    c->f1 = 2 * hits / (support + predicted); /* = 2PR/(P+R), and 0 where rows exist but no prediction hits */
    if (a->support[k] == 0) continue;
    with_support++;
    m->macro_precision += a->predicted[k] > 0 ? c->precision : 0;
    m->macro_recall += c->recall;
    m->macro_f1 += c->f1;
  }
  m->macro_precision /= (double)with_support;
  m->macro_recall /= (double)with_support;
  m->macro_f1 /= (double)with_support;
}

/* ECE = sum over bins of (weight of the bin / weight of all) * |accuracy - mean confidence|. */
static double ece_of(const Likeness *likeness, double weight) {
  double ece = weight > 0 ? 0 : NAN;
  for (int b = 0; b < SETOSA_CALIBRATION_BINS; b++)
    if (likeness->bin_weight[b] > 0) ece += fabs(likeness->bin_correct[b] - likeness->bin_confidence[b]) / weight;
  return ece;
}

/* An empty bin has NAN averages. */
static void finish_likeness(const MetricsAccumulator *a, SetosaMetrics *m) {
  const Likeness *before = a->temperature != 1 ? &a->before : &a->at;
  for (int b = 0; b < SETOSA_CALIBRATION_BINS; b++) {
    m->bin_weight[b] = a->at.bin_weight[b];
    m->bin_confidence[b] = a->at.bin_confidence[b] / m->bin_weight[b];
    m->bin_accuracy[b] = a->at.bin_correct[b] / m->bin_weight[b];
  }
  m->temperature = a->temperature;
  m->brier = (a->at.brier.high + a->at.brier.low) / a->weight;
  m->ece = ece_of(&a->at, a->weight);
  m->uncalibrated_log_loss = (before->loss.high + before->loss.low) / a->weight;
  m->uncalibrated_brier = (before->brier.high + before->brier.low) / a->weight;
  m->uncalibrated_ece = ece_of(before, a->weight);
}

static Status finish_auc(const MetricsAccumulator *a, SetosaMetrics *m, Error *error) {
  Status status = SETOSA_OK;
  double *areas = NULL, sum = 0;
  size_t known = 0;
  TRY(memory_allocate((void **)&areas, a->classes, sizeof *areas, "metrics", error));
  for (size_t k = 0; k < a->classes; k++) areas[k] = NAN;
  if (a->auc != NULL) TRY(auc_finish(a->auc, areas, &m->auc_error, error));
  for (size_t k = 0; k < a->classes; k++) {
    m->per_class[k].auc = areas[k];
    known += !isnan(areas[k]);
    sum += isnan(areas[k]) ? 0 : areas[k];
  }
  m->macro_auc = sum / (double)known; /* 0/0 where there is none */
cleanup:
  free(areas);
  return status;
}

/* Sums of weights in another unit. */
static void scale_sums(SetosaMetrics *m, double unit) {
  m->weight *= unit;
  for (size_t k = 0; k < m->classes; k++) {
    m->per_class[k].support *= unit;
    m->per_class[k].predicted *= unit;
  }
  for (int b = 0; b < SETOSA_CALIBRATION_BINS; b++) m->bin_weight[b] *= unit;
  for (size_t i = 0; m->confusion != NULL && i < m->classes * m->classes; i++) m->confusion[i] *= unit;
}

Status metrics_finish(const MetricsAccumulator *accumulator, double unit, SetosaMetrics **metrics, Error *error) {
  Status status = SETOSA_OK;
  const MetricsAccumulator *a = accumulator;
  SetosaMetrics *made = NULL;
  *metrics = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "metrics", error));
  TRY(memory_allocate_zero((void **)&made->per_class, a->classes, sizeof *made->per_class, "metrics", error));
  if (a->confusion != NULL) {
    TRY(memory_allocate((void **)&made->confusion, a->classes * a->classes, sizeof(double), "the confusion matrix", error));
    memcpy(made->confusion, a->confusion, a->classes * a->classes * sizeof(double));
  }
  made->rows = a->rows;
  made->weight = a->weight;
  made->classes = a->classes;
  made->top_k = a->top_k;
  made->top_k_accuracy = a->correct_top_k / a->weight;
  metrics_summary(a, &made->accuracy, &made->log_loss);
  finish_classes(a, made);
  finish_likeness(a, made);
  TRY(finish_auc(a, made, error));
  scale_sums(made, unit);
  *metrics = made;
  made = NULL;
cleanup:
  setosa_metrics_destroy(made);
  return status;
}

void setosa_metrics_destroy(SetosaMetrics *metrics) {
  if (metrics == NULL) return;
  free(metrics->per_class);
  free(metrics->confusion);
  free(metrics);
}
