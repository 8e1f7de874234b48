/* One example worked through in double precision, with the gradient three ways: exact, by the diagonal of the softmax Jacobian only,
 * and by finite differences of the loss (kernels/README.md). Of a sparse row that is done for its entries alone: what is 0 moves no logit,
 * and its part of the gradient is 0. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/softmax.h"
#include "data/dataset.h"
#include "model/model.h"

static Status check_numbers(const double *values, size_t count, const char *what, Error *error) {
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return error_set(error, SETOSA_ERROR_USAGE, "explain: %s %zu is not finite; give finite numbers", what, i + 1);
  return SETOSA_OK;
}

static Status check_arguments(size_t features, size_t classes, const double *x, const double *weights, const double *bias, size_t label,
                              Error *error) {
  Status status = SETOSA_OK;
  size_t weight_count = 0;
  if (features < 1 || classes < 2)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "explain: needs at least 1 feature and 2 classes, not %zu and %zu", features, classes));
  if (label >= classes && label != SETOSA_NO_LABEL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "explain: class index %zu is past the last of %zu classes; choose a smaller one", label,
                  classes));
  TRY(memory_multiply(&weight_count, features, classes, "weights", error));
  TRY(check_numbers(x, features, "feature", error));
  TRY(check_numbers(weights, weight_count, "weight", error));
  if (bias != NULL) TRY(check_numbers(bias, classes, "bias", error));
cleanup:
  return status;
}

/* The arrays of doubles lie in one block that begins at x. */
static Status create(SetosaExplanation **explanation, size_t features, size_t entries, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  SetosaExplanation *e = NULL;
  size_t square = 0, total = 0;
  TRY(memory_multiply(&square, entries, classes, "weights", error));
  TRY(memory_multiply(&total, square, 4, "an explanation", error));
  TRY(memory_allocate_zero((void **)&e, 1, sizeof *e, "an explanation", error));
  TRY(memory_allocate_zero((void **)&e->x, total + entries + 6 * classes, sizeof(double), "an explanation", error));
  e->features = features;
  e->classes = classes;
  e->entries = entries;
  e->temperature = 1;
  double *at = e->x + entries;
  double **const matrices[] = {&e->weights, &e->dweights, &e->dweights_diagonal, &e->dweights_finite};
  double **const vectors[] = {&e->bias, &e->logits, &e->probabilities, &e->target, &e->dlogits, &e->dbias};
  for (size_t i = 0; i < 4; i++, at += square) *matrices[i] = at;
  for (size_t i = 0; i < 6; i++, at += classes) *vectors[i] = at;
  *explanation = e;
  e = NULL;
cleanup:
  setosa_explanation_destroy(e);
  return status;
}

void setosa_explanation_destroy(SetosaExplanation *explanation) {
  if (explanation == NULL) return;
  free(explanation->x);
  free(explanation->given);
  free(explanation->columns);
  free(explanation);
}

/* z = W x + b, a = softmax(z/T), H = logsumexp(z/T) - z_y/T. */
static Status work_forward(SetosaExplanation *e, Error *error) {
  for (size_t k = 0; k < e->classes; k++) {
    double z = e->bias[k];
    for (size_t d = 0; d < e->entries; d++) z += e->weights[k * e->entries + d] * e->x[d];
    if (!isfinite(z))
      return error_set(error, SETOSA_ERROR_USAGE, "explain: the logit of class %zu overflows; give smaller weights or features", k + 1);
    e->logits[k] = z;
    e->probabilities[k] = z / e->temperature;
  }
  bool labelled = e->label != SETOSA_NO_LABEL;
  double loss = softmax_row(e->probabilities, e->classes, labelled ? e->label : 0);
  e->loss = labelled ? loss : NAN;
  return SETOSA_OK;
}

static void fill_nan(double *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = NAN;
}

/* Without a label there is no target, and nothing that follows from it. */
static void leave_backward(SetosaExplanation *e) {
  double *const vectors[] = {e->target, e->dlogits, e->dbias}, *const matrices[] = {e->dweights, e->dweights_diagonal, e->dweights_finite};
  for (size_t i = 0; i < 3; i++) {
    fill_nan(vectors[i], e->classes);
    fill_nan(matrices[i], e->classes * e->entries);
  }
  e->largest_difference = NAN;
}

/* dH/dz_k = (a_k - P_k) / T and dz_k/dw_k = x. With only da_k/dz_k = a_k (1 - a_k) / T of the Jacobian, dH/dz_k would be
 * -P_k (1 - a_k) / T: right for the true class, 0 for every other. */
static void work_backward(SetosaExplanation *e) {
  e->target[e->label] = 1;
  for (size_t k = 0; k < e->classes; k++) {
    e->dlogits[k] = e->dbias[k] = (e->probabilities[k] - e->target[k]) / e->temperature;
    double diagonal =
        e->target[k] == 0 ? 0 : -(1 - e->probabilities[k]) / e->temperature; /* spelled out, so that the other columns are 0 and not -0 */
    for (size_t d = 0; d < e->entries; d++) {
      e->dweights[k * e->entries + d] = e->dlogits[k] * e->x[d];
      e->dweights_diagonal[k * e->entries + d] = diagonal == 0 ? 0 : diagonal * e->x[d];
    }
  }
}

/* log(e^a + e^b); both may be -inf. */
static double log_add(double a, double b) {
  double high = a > b ? a : b, low = a > b ? b : a;
  return high == -INFINITY ? high : high + log1p(exp(low - high));
}

/* The loss when logit k moves by `move`. Logits are relative to the label's, and rest = log of the sum of e^z over the classes but k. So
 * H = log(e^rest + e^z) - z_y loses no digits to large logits, and every weight costs O(1) rather than a product W x. */
static double moved_loss(double rest, double logit, double move, bool is_label) {
  return is_label ? log_add(0, rest - move) : log_add(rest, logit + move);
}

/* Central differences in steps h and h/2, extrapolated (Richardson): error O(h^4). h moves the logit by 1/256, which balances
 * truncation (about 1e-13) against rounding (about 1e-14 H). */
static double difference(double rest, double logit, bool is_label, double x) {
  const double move = 0x1p-8;
  if (x == 0) return 0; /* no step in this weight moves any logit */
  double wide = moved_loss(rest, logit, move, is_label) - moved_loss(rest, logit, -move, is_label);
  double narrow = moved_loss(rest, logit, move / 2, is_label) - moved_loss(rest, logit, -move / 2, is_label);
  /* (H(w + h) - H(w - h)) / 2h with h = move / x */
  return (4 * narrow / move - wide / (2 * move)) / 3 * x;
}

static Status work_differences(SetosaExplanation *e, Error *error) {
  Status status = SETOSA_OK;
  double *after = NULL, *z = NULL, before = -INFINITY; /* z (K): logits divided by the temperature */
  size_t classes = e->classes;
  TRY(memory_allocate((void **)&after, 2 * classes + 1, sizeof *after, "an explanation", error));
  z = after + classes + 1;
  for (size_t k = 0; k < classes; k++) z[k] = e->logits[k] / e->temperature;
  const double own = z[e->label];
  after[classes] = -INFINITY; /* after[k] = log of the sum of e^z over classes k.. */
  for (size_t k = classes; k-- > 0;) after[k] = log_add(after[k + 1], z[k] - own);
  for (size_t k = 0; k < classes; k++) {
    double rest = log_add(before, after[k + 1]);
    for (size_t d = 0; d < e->entries; d++) {
      size_t i = k * e->entries + d;
      e->dweights_finite[i] = difference(rest, z[k] - own, k == e->label, e->x[d] / e->temperature);
      double apart = fabs(e->dweights[i] - e->dweights_finite[i]);
      if (apart > e->largest_difference) e->largest_difference = apart;
    }
    before = log_add(before, z[k] - own);
  }
cleanup:
  free(after);
  return status;
}

/* All that follows from x, weights, bias and label. */
static Status work(SetosaExplanation *e, Error *error) {
  Status status = work_forward(e, error);
  if (status != SETOSA_OK) return status;
  if (e->label == SETOSA_NO_LABEL) {
    leave_backward(e);
    return SETOSA_OK;
  }
  work_backward(e);
  return work_differences(e, error);
}

SetosaStatus setosa_explain(SetosaExplanation **explanation, size_t features, size_t classes, const double *x, const double *weights,
                            const double *bias, size_t label, SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaExplanation *e = NULL;
  if (explanation != NULL) *explanation = NULL;
  TRY(arguments_check(error, GIVEN(explanation), GIVEN(x), GIVEN(weights)));
  TRY(check_arguments(features, classes, x, weights, bias, label, error));
  TRY(create(&e, features, features, classes, error));
  e->label = label;
  memcpy(e->x, x, features * sizeof *x);
  memcpy(e->weights, weights, features * classes * sizeof *weights);
  if (bias != NULL) memcpy(e->bias, bias, classes * sizeof *bias);
  TRY(work(e, error));
  *explanation = e;
  e = NULL;
cleanup:
  setosa_explanation_destroy(e);
  return status;
}

/* ---- a row of a data set ----------------------------------------------------------------------------------------- */

/* Number i of the entries that the only row of a data set has, which is of a feature; of a dense row each feature is one. */
typedef struct OneRow {
  const float *values; /* NULL: all are 1 */
  const uint32_t *columns;
  size_t entries;
} OneRow;

/* values and columns of the row, borrowed. */
static Status take_entries(OneRow *row, const Dataset *only, Error *error) {
  DataShape shape = dataset_shape(only);
  SparseRows sparse;
  if (shape.kind == DATA_DENSE) {
    *row = (OneRow){dataset_dense(only, dataset_all(only), NULL), NULL, shape.features};
    return SETOSA_OK;
  }
  Status status = dataset_sparse(&sparse, only, dataset_all(only), NULL, error);
  if (status != SETOSA_OK) return status;
  size_t first = (size_t)sparse.begin[0];
  *row = (OneRow){sparse.values != NULL ? sparse.values + first : NULL, sparse.columns + first, (size_t)sparse.begin[1] - first};
  return SETOSA_OK;
}

/* to (E) = the values; whole: with what was taken off them put back. */
static void put_values(double *to, const OneRow *row, const double *shift) {
  for (size_t i = 0; i < row->entries; i++) {
    to[i] = row->values != NULL ? (double)row->values[i] : 1;
    if (shift != NULL) to[i] += shift[row->columns != NULL ? row->columns[i] : i];
  }
}

/* x as the source has it, where the model sees another. */
static Status take_given(double **given, const Model *model, const Dataset *only, Error *error) {
  Status status = SETOSA_OK;
  OneRow row;
  const double *shift = setosa_dataset_shift(only);
  bool sparse = dataset_shape(only).kind == DATA_SPARSE;
  if (setosa_model_scale(model) == NULL && (!sparse || shift == NULL)) return SETOSA_OK;
  TRY(take_entries(&row, only, error));
  TRY(memory_allocate((void **)given, row.entries + 1, sizeof **given, "an explanation", error));
  put_values(*given, &row, shift);
cleanup:
  return status;
}

/* A dense row is explained as x, with the bias that is about x. A sparse one stays as it is held, less what is taken off its columns, which
 * is in the bias then: else it would have no zeros. */
static Status take_model(SetosaExplanation **explanation, const Model *model, const Dataset *only, Error *error) {
  Status status = SETOSA_OK;
  OneRow row;
  SetosaExplanation *e = NULL;
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  const float *weights = setosa_model_weights(model);
  TRY(take_entries(&row, only, error));
  bool sparse = row.columns != NULL;
  TRY(create(&e, features, row.entries, classes, error));
  put_values(e->x, &row, sparse ? NULL : setosa_dataset_shift(only));
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < row.entries; i++)
      e->weights[k * row.entries + i] = (double)weights[k * features + (sparse ? row.columns[i] : i)];
  if (sparse)
    model_bias_for(e->bias, model, only);
  else
    memcpy(e->bias, setosa_model_bias(model), classes * sizeof *e->bias);
  if (sparse) {
    TRY(memory_allocate((void **)&e->columns, row.entries + 1, sizeof *e->columns, "an explanation", error));
    memcpy(e->columns, row.columns, row.entries * sizeof *e->columns);
  }
  *explanation = e;
  e = NULL;
cleanup:
  setosa_explanation_destroy(e);
  return status;
}

static Status take_label(size_t *label, const Dataset *only, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  TargetRoom room = {0};
  Targets targets = {0};
  *label = SETOSA_NO_LABEL;
  if (dataset_shape(only).labelled) TRY(dataset_targets(&targets, only, dataset_all(only), &room, error));
  if (targets.labels != NULL && targets.labels[0] >= 0 && (size_t)targets.labels[0] < classes) *label = (size_t)targets.labels[0];
cleanup:
  target_room_free(&room);
  return status;
}

SetosaStatus setosa_explain_row(SetosaExplanation **explanation, const SetosaModel *model, const SetosaDataset *dataset, size_t row,
                                SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaExplanation *e = NULL;
  Dataset *only = NULL;
  double *given = NULL;
  size_t label = SETOSA_NO_LABEL;
  if (explanation != NULL) *explanation = NULL;
  TRY(arguments_check(error, GIVEN(explanation), GIVEN(model), GIVEN(dataset)));
  if (row >= dataset_shape(dataset).rows)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_explain_row: there is no row %zu, %s has %zu; rows count from 0", row,
                  dataset_source(dataset), dataset_shape(dataset).rows));
  TRY(dataset_slice(&only, dataset, (RowRange){row, 1}, error));
  TRY(dataset_hold(only, error));
  TRY(take_label(&label, only, setosa_model_classes(model), error));
  TRY(take_given(&given, model, only, error));
  TRY(setosa_model_scale_dataset(model, only, error));
  TRY(take_model(&e, model, only, error));
  e->label = label;
  e->temperature = model->temperature;
  e->given = given;
  given = NULL;
  TRY(work(e, error));
  *explanation = e;
  e = NULL;
cleanup:
  free(given);
  setosa_dataset_destroy(only);
  setosa_explanation_destroy(e);
  return status;
}
