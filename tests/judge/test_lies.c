/* The judge catches a backend that lies: the reference, with one component of one answer changed, one operation after the other. What it
 * does with wrong kernels is told by test_selftest.c, which has to compile them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/backends.h"
#include "compute/reference/reference.h"
#include "judge/compare.h"
#include "support/support.h"

typedef enum Lie {
  TRUTH,
  LOSS,             /* of a pass with a gradient */
  LOSS_ALONE,       /* of a pass without one */
  GRADIENT,         /* one of its components, */
  GRADIENT_OF_BIAS, /* the last one, */
  GRADIENT_NAN,     /* or no number */
  GRADIENT_NORM,
  BATCH_LOSS, /* of rows that do not begin at the first */
  BATCH_GRADIENT,
  PENALTY, /* what is added to a gradient is left out */
  PRODUCT,
  SECOND_PRODUCT, /* as from probabilities that belong to other weights */
  PRODUCT_PENALTY,
  LOGITS, /* of the last row */
  PROBABILITIES,
  LINE_VALUE,
  LINE_SLOPE,
  DOTS,
  DOTS_OF_WEIGHTS, /* with the bias */
  COMBINATION,
  PRODUCT_OF_VECTORS,
  QUOTIENT,
  METRIC,
  GRAM, /* one element of the last matrix, */
  GRAM_DIAGONAL,
  ESTIMATES,
  DIAGONAL, /* of the Hessian: asked for of sparse rows */
  LIES
} Lie;

/* The quantity that each is named by. */
static const char *const named[LIES] = {[LOSS] = "loss",
                                        [LOSS_ALONE] = "loss",
                                        [GRADIENT] = "gradient",
                                        [GRADIENT_OF_BIAS] = "gradient",
                                        [GRADIENT_NAN] = "gradient",
                                        [GRADIENT_NORM] = "gradient norm",
                                        [BATCH_LOSS] = "mini-batch loss",
                                        [BATCH_GRADIENT] = "mini-batch gradient",
                                        [PENALTY] = "gradient",
                                        [PRODUCT] = "Hessian * v",
                                        [SECOND_PRODUCT] = "Hessian * v",
                                        [PRODUCT_PENALTY] = "Hessian * v",
                                        [LOGITS] = "logits",
                                        [PROBABILITIES] = "probabilities",
                                        [LINE_VALUE] = "line value",
                                        [LINE_SLOPE] = "line slope",
                                        [DOTS] = "inner products",
                                        [DOTS_OF_WEIGHTS] = "inner products",
                                        [COMBINATION] = "combination",
                                        [PRODUCT_OF_VECTORS] = "element-wise",
                                        [QUOTIENT] = "element-wise",
                                        [METRIC] = "metric",
                                        [GRAM] = "Gram matrix",
                                        [GRAM_DIAGONAL] = "Gram matrix",
                                        [ESTIMATES] = "estimates",
                                        [DIAGONAL] = "Hessian diagonal"};

static Lie lie;
static unsigned products;
static const BackendOperations *honest;

static Status evaluate(Backend *b, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at, Error *error) {
  Status status = honest->evaluate(b, w, rows, lie == PENALTY ? NULL : addition, gradient, at, error);
  bool batch = rows.begin > 0;
  if (at != NULL) {
    if (gradient != NULL && lie == LOSS && !batch) at->loss *= 1.0001;
    if (gradient == NULL && lie == LOSS_ALONE && !batch) at->loss *= 1.0001;
    if (lie == BATCH_LOSS && batch) at->loss *= 1.0001;
    if (lie == GRADIENT_NORM) at->gradient_norm *= 1.001;
  }
  if (gradient == NULL) return status;
  if (lie == GRADIENT && !batch) gradient->values[3] += 1e-3;
  if (lie == GRADIENT_OF_BIAS && !batch) gradient->values[b->parameters - 1] += 1e-3;
  if (lie == GRADIENT_NAN && !batch) gradient->values[1] = NAN;
  if (lie == BATCH_GRADIENT && batch) gradient->values[0] += 1e-3;
  return status;
}

static Status hessian_product(Backend *b, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                              Error *error) {
  Status status = honest->hessian_product(b, w, v, rows, lie == PRODUCT_PENALTY ? NULL : addition, out, error);
  products++;
  if (lie == PRODUCT || (lie == SECOND_PRODUCT && products % 2 == 0)) out->values[2] += 1e-3;
  return status;
}

static Status predict(Backend *b, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = honest->predict(b, w, rows, kind, scores, error);
  if (lie == (kind == ROW_LOGITS ? LOGITS : kind == ROW_ESTIMATES ? ESTIMATES : PROBABILITIES))
    scores[rows.count * b->classes - 1] += 1e-3f;
  return status;
}

static Status line_evaluate(Backend *b, double step, double *value, double *slope, Error *error) {
  Status status = honest->line_evaluate(b, step, value, slope, error);
  if (lie == LINE_VALUE && step > 0) *value *= 1.0001;
  if (lie == LINE_SLOPE && step > 0) *slope += 1e-3;
  return status;
}

static Status dots(Backend *b, size_t count, const VectorPair *pairs, double *sums, Error *error) {
  VectorPair copies[8];
  assert_true(count <= 8);
  memcpy(copies, pairs, count * sizeof *pairs);
  for (size_t i = 0; i < count; i++) copies[i].weights_only = pairs[i].weights_only && lie != DOTS_OF_WEIGHTS;
  Status status = honest->vector_dots(b, count, copies, sums, error);
  if (lie == DOTS && count > 1) sums[1] += 1e-3 * fabs(sums[0]);
  return status;
}

static Status combine(Backend *b, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors, Error *error) {
  Status status = honest->vector_combine(b, out, count, coefficients, vectors, error);
  if (lie == COMBINATION) out->values[0] += 1e-3;
  return status;
}

static Status multiply(Backend *b, Vector *out, const Vector *x, const Vector *y, Error *error) {
  Status status = honest->vector_multiply(b, out, x, y, error);
  if (lie == PRODUCT_OF_VECTORS) out->values[b->parameters - 1] *= 2;
  return status;
}

static Status divide_sqrt(Backend *b, Vector *out, const Vector *x, const Vector *y, double epsilon, Error *error) {
  return honest->vector_divide_sqrt(b, out, x, y, lie == QUOTIENT ? 2 * epsilon : epsilon, error);
}

static Status apply(Backend *b, const Metric *metric, Vector *out, const Vector *v, Error *error) {
  Status status = honest->metric_apply(b, metric, out, v, error);
  if (lie == METRIC) out->values[b->parameters - 1] += 1e-3;
  return status;
}

static Status gram(Backend *b, const GramRequest *request, double *out, Error *error) {
  Status status = honest->gram(b, request, out, error);
  size_t width = b->features + 1, size = request->matrices * width * (request->diagonal ? 1 : width);
  if (lie == (request->at != NULL ? DIAGONAL : request->diagonal ? GRAM_DIAGONAL : GRAM)) out[size - 2] += 1e-3 * (double)request->count;
  return status;
}

static BackendOperations lying;

static Status open_liar(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = reference_open(backend, dataset, settings, error);
  if (status != SETOSA_OK) return status;
  honest = (*backend)->operations;
  lying = *honest;
  lying.evaluate = evaluate;
  lying.hessian_product = hessian_product;
  lying.predict = predict;
  lying.line_evaluate = line_evaluate;
  lying.vector_dots = dots;
  lying.vector_combine = combine;
  lying.vector_multiply = multiply;
  lying.vector_divide_sqrt = divide_sqrt;
  lying.metric_apply = apply;
  lying.gram = gram;
  (*backend)->operations = &lying;
  return SETOSA_OK;
}

static bool found[LIES];
static void note(const SetosaCheckRow *row, void *user) {
  (void)user;
  if (!row->passed && lie != TRUTH && strcmp(row->what, named[lie]) == 0) found[lie] = true;
}

/* Few classes and many, without weights and with them, dense rows and sparse ones. */
static void every_lie_is_found_and_named(void **state) {
  (void)state;
  static const char *const specs[] = {"synthetic:rows=61,features=7,classes=3,seed=2", "synthetic:rows=131,features=5,classes=40,seed=3",
                                      "synthetic:rows=61,features=7,classes=3,sparsity=0.6,seed=2"};
  for (size_t s = 0; s < sizeof specs / sizeof *specs; s++)
    for (int weighted = 0; weighted < 2; weighted++) {
      Error error = {0};
      Dataset *dataset = NULL;
      float weights[131];
      SetosaDataOptions how = setosa_data_options_default();
      how.sparse = strstr(specs[s], "sparsity") != NULL ? SETOSA_SPARSE_ALWAYS : SETOSA_SPARSE_AUTO;
      support_ok(setosa_dataset_load(&dataset, specs[s], &how, &error), &error);
      assert_int_equal(setosa_dataset_is_sparse(dataset), how.sparse == SETOSA_SPARSE_ALWAYS);
      for (size_t i = 0; i < 131; i++) weights[i] = (float)(i % 3);
      if (weighted) support_ok(setosa_dataset_set_weights(dataset, weights, &error), &error);
      for (lie = TRUTH; lie < LIES; lie++) {
        size_t failures = 0;
        CompareSettings settings = {.backend = SETOSA_BACKEND_REFERENCE, .open = open_liar, .l2 = 0.5, .row = note};
        products = 0;
        found[lie] = false;
        support_ok(judge_compare(dataset, NULL, &settings, &failures, &error), &error);
        if (lie == TRUTH) assert_int_equal(failures, 0);
        bool asked = lie != TRUTH && (lie != DIAGONAL || how.sparse == SETOSA_SPARSE_ALWAYS);
        if (asked && !found[lie]) fail_msg("%s, lie %d: no wrong %s was found", specs[s], (int)lie, named[lie]);
      }
      setosa_dataset_destroy(dataset);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_lie_is_found_and_named)};
  return support_run("lies", tests, NULL, NULL);
}
