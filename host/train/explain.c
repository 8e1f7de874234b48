/* One example worked through in double precision, with the gradient three ways: exact, by the diagonal of the softmax Jacobian only,
 * and by finite differences of the loss (kernels/README.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/softmax.h"

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

/* All arrays lie in one block that begins at x. */
static Status create(SetosaExplanation **explanation, size_t features, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  SetosaExplanation *e = NULL;
  size_t square = 0, total = 0;
  TRY(memory_multiply(&square, features, classes, "weights", error));
  TRY(memory_multiply(&total, square, 4, "an explanation", error));
  TRY(memory_allocate_zero((void **)&e, 1, sizeof *e, "an explanation", error));
  TRY(memory_allocate_zero((void **)&e->x, total + features + 6 * classes, sizeof(double), "an explanation", error));
  e->features = features;
  e->classes = classes;
  double *at = e->x + features;
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
  free(explanation);
}

/* z = W x + b, a = softmax(z), H = logsumexp(z) - z_y. */
static Status work_forward(SetosaExplanation *e, Error *error) {
  for (size_t k = 0; k < e->classes; k++) {
    double z = e->bias[k];
    for (size_t d = 0; d < e->features; d++) z += e->weights[k * e->features + d] * e->x[d];
    if (!isfinite(z))
      return error_set(error, SETOSA_ERROR_USAGE, "explain: the logit of class %zu overflows; give smaller weights or features", k + 1);
    e->logits[k] = e->probabilities[k] = z;
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
    fill_nan(matrices[i], e->classes * e->features);
  }
  e->largest_difference = NAN;
}

/* dH/dz_k = a_k - P_k and dz_k/dw_k = x. With only da_k/dz_k = a_k (1 - a_k) of the Jacobian, dH/dz_k would be -P_k (1 - a_k):
 * right for the true class, 0 for every other. */
static void work_backward(SetosaExplanation *e) {
  e->target[e->label] = 1;
  for (size_t k = 0; k < e->classes; k++) {
    e->dlogits[k] = e->dbias[k] = e->probabilities[k] - e->target[k];
    double diagonal = e->target[k] == 0 ? 0 : -(1 - e->probabilities[k]); /* spelled out, so that the other columns are 0 and not -0 */
    for (size_t d = 0; d < e->features; d++) {
      e->dweights[k * e->features + d] = e->dlogits[k] * e->x[d];
      e->dweights_diagonal[k * e->features + d] = diagonal == 0 ? 0 : diagonal * e->x[d];
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
  double *after = NULL, before = -INFINITY;
  size_t classes = e->classes;
  const double *z = e->logits, own = z[e->label];
  TRY(memory_allocate((void **)&after, classes + 1, sizeof *after, "an explanation", error));
  after[classes] = -INFINITY; /* after[k] = log of the sum of e^z over classes k.. */
  for (size_t k = classes; k-- > 0;) after[k] = log_add(after[k + 1], z[k] - own);
  for (size_t k = 0; k < classes; k++) {
    double rest = log_add(before, after[k + 1]);
    for (size_t d = 0; d < e->features; d++) {
      size_t i = k * e->features + d;
      e->dweights_finite[i] = difference(rest, z[k] - own, k == e->label, e->x[d]);
      double apart = fabs(e->dweights[i] - e->dweights_finite[i]);
      if (apart > e->largest_difference) e->largest_difference = apart;
    }
    before = log_add(before, z[k] - own);
  }
cleanup:
  free(after);
  return status;
}

SetosaStatus setosa_explain(SetosaExplanation **explanation, size_t features, size_t classes, const double *x, const double *weights,
                            const double *bias, size_t label, SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaExplanation *e = NULL;
  if (explanation != NULL) *explanation = NULL;
  TRY(arguments_check(error, GIVEN(explanation), GIVEN(x), GIVEN(weights)));
  TRY(check_arguments(features, classes, x, weights, bias, label, error));
  TRY(create(&e, features, classes, error));
  e->label = label;
  memcpy(e->x, x, features * sizeof *x);
  memcpy(e->weights, weights, features * classes * sizeof *weights);
  if (bias != NULL) memcpy(e->bias, bias, classes * sizeof *bias);
  TRY(work_forward(e, error));
  if (label == SETOSA_NO_LABEL) {
    leave_backward(e);
  } else {
    work_backward(e);
    TRY(work_differences(e, error));
  }
  *explanation = e;
  e = NULL;
cleanup:
  setosa_explanation_destroy(e);
  return status;
}
