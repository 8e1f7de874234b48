/* The mathematics of the reference backend, row by row, as in kernels/README.md:
 *   z = W x + b,  a = softmax(z),  l = logsumexp(z) - z[y],  L = 1/n sum s l,  s the weight of a row and n = rows * mean weight
 *   dL/dz = s (a - p) / n,  dL/dW_k = sum_i s_i (a_ik - p_ik) x_i / n,  dL/db_k = sum_i s_i (a_ik - p_ik) / n
 *   H v:  q = V x + v_b,  t = s a * (q - <a, q>),  (H v)_k = sum_i t_ik x_i / n
 * Without an intercept the bias takes part in the logits as it stands, and its derivatives are 0. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/softmax.h"
#include "compute/reference/reference.h"

/* Bytes: the two (N,K) products of a line are kept below this, and recomputed from X above it. */
static const size_t LINE_CACHE_BYTES = (size_t)256 << 20;

/* What is not 0 in a row, or all of it. */
typedef struct ReferenceRow {
  size_t count;
  const uint32_t *columns; /* (count); NULL: 0 to count - 1 */
  const float *values;     /* (count); NULL: 1 each */
} ReferenceRow;

static ReferenceRow row_of(const Reference *reference, size_t row) {
  const SparseRows *sparse = &reference->sparse;
  size_t features = reference->base.features;
  if (sparse->begin == NULL) return (ReferenceRow){features, NULL, reference->x + row * features};
  uint64_t first = sparse->begin[row];
  return (ReferenceRow){(size_t)(sparse->begin[row + 1] - first), sparse->columns + first,
                        sparse->values != NULL ? sparse->values + first : NULL};
}

static size_t column_of(const ReferenceRow *x, size_t i) { return x->columns != NULL ? x->columns[i] : i; }
static double value_of(const ReferenceRow *x, size_t i) { return x->values != NULL ? (double)x->values[i] : 1.0; }

/* z_k = w_k . x + b_k.   w (P), z (K) */
static void compute_logits(const Reference *reference, size_t row, const double *w, double *z) {
  size_t features = reference->base.features, classes = reference->base.classes;
  const double *bias = w + classes * features;
  const ReferenceRow x = row_of(reference, row);
  for (size_t k = 0; k < classes; k++) {
    const double *weights = w + k * features;
    double sum = 0.0;
    for (size_t i = 0; i < x.count; i++) sum += weights[column_of(&x, i)] * value_of(&x, i);
    z[k] = sum + bias[k];
  }
}

static double weight_of(const Reference *reference, size_t row) {
  return reference->weights != NULL ? (double)reference->weights[row] : 1.0;
}

/* r (K) times the weight of the row. */
static void weigh_row(const Reference *reference, size_t row, double *r) {
  for (size_t k = 0; reference->weights != NULL && k < reference->base.classes; k++) r[k] *= (double)reference->weights[row];
}

/* sum_k += r_k x for the weights, += r_k for the bias.   r (K), sum (P) */
static void add_outer_product(const Reference *reference, const double *r, size_t row, double *sum) {
  size_t features = reference->base.features, classes = reference->base.classes;
  const ReferenceRow x = row_of(reference, row);
  for (size_t k = 0; k < classes; k++) {
    double *weights = sum + k * features;
    for (size_t i = 0; i < x.count; i++) weights[column_of(&x, i)] += r[k] * value_of(&x, i);
    if (reference->base.intercept) sum[classes * features + k] += r[k];
  }
}

/* out = scale * out + what is added, see Addition in backend.h.   out (P), of (P) */
static void scale_and_add(const Reference *reference, double scale, const Addition *addition, const double *of, double *out) {
  size_t weights = reference->base.classes * reference->base.features;
  for (size_t p = 0; p < reference->base.parameters; p++) {
    out[p] *= scale;
    if (addition == NULL) continue;
    double factor = addition->factors != NULL ? addition->factors->values[p] : p < weights ? 1.0 : 0.0;
    out[p] += addition->l2 * factor * of[p] + (addition->linear != NULL ? addition->linear->values[p] : 0.0);
  }
}

/* Largest |component|; NaN when one is NaN. */
static double largest_magnitude(const double *values, size_t count) {
  double largest = 0.0;
  for (size_t p = 0; p < count && !isnan(largest); p++) /* a NaN would lose to the next number, since it compares false */
    if (!(fabs(values[p]) <= largest)) largest = fabs(values[p]);
  return largest;
}

static void count_work(Reference *reference, RowRange rows, unsigned products) {
  reference->flops += 2ull * products * dataset_entries(reference->source, rows) * reference->base.classes;
  reference->bytes_read += dataset_bytes(reference->source, rows);
}

static Status check_range(const Reference *reference, RowRange rows, bool with_labels, Error *error) {
  if (with_labels && reference->labels == NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "the data set has no labels (or rows of unknown classes): only predictions can be computed");
  if (rows.count == 0 || rows.begin > reference->base.rows || rows.count > reference->base.rows - rows.begin)
    return error_set(error, SETOSA_ERROR_INTERNAL, "rows %zu to %zu of a data set of %zu rows were asked for", rows.begin,
                     rows.begin + rows.count, reference->base.rows);
  return SETOSA_OK;
}

Status reference_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                          Error *error) {
  Reference *reference = (Reference *)backend;
  Status status = check_range(reference, rows, true, error);
  if (status != SETOSA_OK) return status;
  double *z = reference->logits, *g = gradient == NULL ? NULL : gradient->values, scale = backend_row_scale(backend, rows.count);
  CompensatedSum loss = {0.0, 0.0};
  if (g != NULL) memset(g, 0, backend->parameters * sizeof *g);
  for (size_t i = rows.begin; i < rows.begin + rows.count; i++) {
    size_t label = (size_t)reference->labels[i];
    compute_logits(reference, i, w->values, z);
    compensated_add(&loss, weight_of(reference, i) * softmax_row(z, backend->classes, label));
    z[label] -= 1.0; /* a - p */
    weigh_row(reference, i, z);
    if (g != NULL) add_outer_product(reference, z, i, g);
  }
  if (g != NULL) scale_and_add(reference, scale, addition, w->values, g);
  count_work(reference, rows, g != NULL ? 2 : 1);
  if (at == NULL) return SETOSA_OK;
  at->loss = scale * (loss.high + loss.low);
  at->gradient_norm = g == NULL ? NAN : largest_magnitude(g, backend->parameters);
  return data_term_products(backend, at, error);
}

Status reference_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                                 Error *error) {
  Reference *reference = (Reference *)backend;
  Status status = check_range(reference, rows, false, error);
  if (status != SETOSA_OK) return status;
  double *a = reference->logits, *q = reference->tangent;
  memset(out->values, 0, backend->parameters * sizeof(double));
  for (size_t i = rows.begin; i < rows.begin + rows.count; i++) {
    compute_logits(reference, i, w->values, a);
    compute_logits(reference, i, v->values, q);
    softmax_row(a, backend->classes, 0);
    double mean = 0.0; /* <a, q> */
    for (size_t k = 0; k < backend->classes; k++) mean += a[k] * q[k];
    for (size_t k = 0; k < backend->classes; k++) q[k] = a[k] * (q[k] - mean);
    weigh_row(reference, i, q);
    add_outer_product(reference, q, i, out->values);
  }
  scale_and_add(reference, backend_row_scale(backend, rows.count), addition, v->values, out->values);
  count_work(reference, rows, 3);
  return SETOSA_OK;
}

Status reference_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Reference *reference = (Reference *)backend;
  Status status = check_range(reference, rows, false, error);
  if (status != SETOSA_OK) return status;
  double *z = reference->logits;
  for (size_t i = 0; i < rows.count; i++) {
    compute_logits(reference, rows.begin + i, w->values, z);
    if (kind != ROW_LOGITS) softmax_row(z, backend->classes, 0);
    for (size_t k = 0; k < backend->classes; k++) scores[i * backend->classes + k] = (float)z[k];
  }
  count_work(reference, rows, 1);
  return SETOSA_OK;
}

Status reference_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error) {
  const Reference *reference = (const Reference *)backend;
  Status status = check_range(reference, rows, true, error);
  if (status == SETOSA_OK) memcpy(labels, reference->labels + rows.begin, rows.count * sizeof *labels);
  return status;
}

/* ---- the line phi(t) = L(w + t s) ------------------------------------------------------------------------------- */

/* Room for X w and X s, if they fit. */
static Status allocate_line(Reference *reference, ReferenceLine *line, Error *error) {
  Status status = SETOSA_OK;
  size_t cells = 0;
  TRY(memory_multiply(&cells, reference->base.rows, reference->base.classes, "the logits of a line", error));
  if (cells > LINE_CACHE_BYTES / (2 * sizeof(double))) return SETOSA_OK;
  TRY(memory_allocate((void **)&line->xw, cells, sizeof(double), "the logits of a line", error));
  TRY(memory_allocate((void **)&line->xs, cells, sizeof(double), "the logits of a line", error));
  reference_hold_bytes(reference, (int64_t)(2 * cells * sizeof(double)));
cleanup:
  return status;
}

Status reference_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Reference *reference = (Reference *)backend;
  ReferenceLine *line = &reference->line;
  Status status = check_range(reference, backend_all_rows(backend), true, error);
  if (status != SETOSA_OK) return status;
  if (line->open) return error_set(error, SETOSA_ERROR_INTERNAL, "a line is open already; close it before opening another");
  *line = (ReferenceLine){.open = true, .w = w->values, .s = s->values};
  TRY(allocate_line(reference, line, error));
  if (line->xs == NULL) return SETOSA_OK;
  for (size_t i = 0; i < backend->rows; i++) {
    compute_logits(reference, i, line->w, line->xw + i * backend->classes);
    compute_logits(reference, i, line->s, line->xs + i * backend->classes);
  }
  count_work(reference, backend_all_rows(backend), 2);
cleanup:
  if (status != SETOSA_OK) reference_line_close(backend);
  return status;
}

Status reference_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Reference *reference = (Reference *)backend;
  const ReferenceLine *line = &reference->line;
  if (!line->open) return error_set(error, SETOSA_ERROR_INTERNAL, "no line is open; call line_open first");
  size_t classes = backend->classes;
  double *z = reference->logits, *u = reference->tangent;
  CompensatedSum loss = {0.0, 0.0}, change = {0.0, 0.0};
  for (size_t i = 0; i < backend->rows; i++) {
    if (line->xs != NULL) {
      memcpy(z, line->xw + i * classes, classes * sizeof *z);
      memcpy(u, line->xs + i * classes, classes * sizeof *u);
    } else {
      compute_logits(reference, i, line->w, z);
      compute_logits(reference, i, line->s, u);
    }
    for (size_t k = 0; k < classes; k++) z[k] += step * u[k];
    size_t label = (size_t)reference->labels[i];
    compensated_add(&loss, weight_of(reference, i) * softmax_row(z, classes, label));
    z[label] -= 1.0; /* dl/dt = <a - p, u> */
    weigh_row(reference, i, z);
    for (size_t k = 0; k < classes; k++) compensated_add(&change, z[k] * u[k]);
  }
  if (line->xs == NULL) count_work(reference, backend_all_rows(backend), 2);
  double scale = backend_row_scale(backend, backend->rows);
  *value = scale * (loss.high + loss.low);
  *slope = scale * (change.high + change.low);
  return SETOSA_OK;
}

void reference_line_close(Backend *backend) {
  Reference *reference = (Reference *)backend;
  ReferenceLine *line = &reference->line;
  if (line->xs != NULL) reference_hold_bytes(reference, -(int64_t)(2 * backend->rows * backend->classes * sizeof(double)));
  free(line->xw);
  free(line->xs);
  *line = (ReferenceLine){.open = false};
}
