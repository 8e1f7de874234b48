/* Classification metrics, accumulated block by block from logits. With sample weights every count below is a sum of weights. */
#ifndef SETOSA_MODEL_METRICS_H
#define SETOSA_MODEL_METRICS_H

#include "base/error.h"

typedef struct MetricsAccumulator MetricsAccumulator;

Status metrics_create(MetricsAccumulator **accumulator, size_t classes, Error *error);
void metrics_destroy(MetricsAccumulator *accumulator);
/* logits (count,K) row-major, labels (count) in 0..K-1, weights (count) of the rows, NULL: 1 each. Softmax in double, so that a log-loss
 * stays finite where a f32 probability is 0. Equal logits: the lowest class index is predicted. */
Status metrics_add(MetricsAccumulator *accumulator, size_t count, const float *logits, const int32_t *labels, const float *weights,
                   Error *error);
/* Accuracy and mean log-loss so far, without the rest; NAN for rows that weigh nothing. */
void metrics_summary(const MetricsAccumulator *accumulator, double *accuracy, double *log_loss);
/* What the summary is made of, for rows that were scored in several places. The sum of losses is loss + carry, twice as precise as a
 * double: added up in any parts it rounds to the same but once in millions of times. */
typedef struct MetricsTotals {
  double weight, correct; /* sums of the weights of the rows, and of those predicted rightly */
  double loss, carry;
} MetricsTotals;
void metrics_totals(const MetricsAccumulator *accumulator, MetricsTotals *totals);
void metrics_totals_add(MetricsTotals *sum, const MetricsTotals *more);
void metrics_totals_summary(const MetricsTotals *totals, double *accuracy, double *log_loss);
/* Before the first row. Probabilities are those of the logits divided by this temperature; of the logits as they are there is log-loss,
 * Brier score and ECE beside them. */
void metrics_calibrate(MetricsAccumulator *accumulator, double temperature);
/* Before the first row, of which there are to be so many: AUCs, too. */
Status metrics_rank(MetricsAccumulator *accumulator, uint64_t rows, Error *error);
/* The number, from 0, of the first row that will be added: for messages. */
void metrics_begin_at(MetricsAccumulator *accumulator, uint64_t row);
/* Everything, sums of weights times `unit` (what a weight of 1 stands for); caller destroys with setosa_metrics_destroy. */
Status metrics_finish(const MetricsAccumulator *accumulator, double unit, SetosaMetrics **metrics, Error *error);

#endif
