/* The worked example of kernels/README.md to its last printed digit, and random examples against finite differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/support.h"

#define EXPECT_NEAR(value, expected, tolerance)                                                   \
  do {                                                                                            \
    double v_ = (value), e_ = (expected);                                                         \
    if (!(fabs(v_ - e_) <= (tolerance))) fail_msg("%s is %.17g, expected %.17g", #value, v_, e_); \
  } while (0)

static SetosaExplanation *explain(size_t features, size_t classes, const double *x, const double *weights, const double *bias,
                                  size_t label) {
  SetosaError error = {0};
  SetosaExplanation *explanation = NULL;
  if (setosa_explain(&explanation, features, classes, x, weights, bias, label, &error) != SETOSA_OK) fail_msg("%s", error.message);
  return explanation;
}

/* Setosa against Non-Setosa: x = (1.9, 0.4), w1 = (0.1, 0.1), w2 = (0.5, 0.5), no bias. */
static void the_worked_example(void **state) {
  (void)state;
  static const double x[] = {1.9, 0.4}, weights[] = {0.1, 0.1, 0.5, 0.5};
  static const double both[] = {-1.358580, -0.286017, 1.358580, 0.286017};
  SetosaExplanation *e = explain(2, 2, x, weights, NULL, 0);
  const double half = 5e-7; /* half of the sixth digit */
  EXPECT_NEAR(e->logits[0], 0.23, 1e-15);
  EXPECT_NEAR(e->logits[1], 1.15, 1e-15);
  EXPECT_NEAR(e->probabilities[0], 0.284958, half);
  EXPECT_NEAR(e->probabilities[1], 0.715042, half);
  EXPECT_NEAR(e->loss, 1.255414, half);
  EXPECT_NEAR(e->loss, -log(e->probabilities[0]), 1e-15);
  EXPECT_NEAR(e->dlogits[0], -0.715042, half);
  EXPECT_NEAR(e->dlogits[1], 0.715042, half);
  for (int i = 0; i < 4; i++) {
    EXPECT_NEAR(e->dweights[i], both[i], half);
    EXPECT_NEAR(e->dweights_finite[i], both[i], half);
    EXPECT_NEAR(e->dweights_finite[i], e->dweights[i], 1e-11);
    EXPECT_NEAR(e->dweights_diagonal[i], i < 2 ? both[i] : 0, half);
  }
  /* right for the true class alone, and plainly zero for the other */
  assert_true(e->dweights_diagonal[2] == 0 && e->dweights_diagonal[3] == 0);
  assert_false(signbit(e->dweights_diagonal[2]) || signbit(e->dweights_diagonal[3]));
  EXPECT_NEAR(e->target[0], 1, 0);
  EXPECT_NEAR(e->target[1], 0, 0);
  EXPECT_NEAR(e->dbias[1], e->dlogits[1], 0);
  assert_true(e->largest_difference > 0 && e->largest_difference < 1e-11);
  assert_memory_equal(e->x, x, sizeof x);
  assert_memory_equal(e->weights, weights, sizeof weights);
  setosa_explanation_destroy(e);
}

/* An independent gradient: the loss as its definition reads, W x recomputed for every step, central differences. */
static double plain_loss(size_t features, size_t classes, const double *x, const double *weights, const double *bias, size_t label) {
  long double sum = 0, own = 0;
  for (size_t k = 0; k < classes; k++) {
    long double z = bias[k];
    for (size_t d = 0; d < features; d++) z += (long double)weights[k * features + d] * x[d];
    sum += expl(z);
    if (k == label) own = z;
  }
  return (double)(logl(sum) - own);
}

static void random_examples_agree_with_finite_differences(void **state) {
  (void)state;
  static const size_t shapes[][2] = {{1, 2}, {1, 3}, {4, 3}, {7, 10}, {31, 2}, {3, 257}, {64, 17}};
  uint64_t counter = 0;
  const uint64_t seed = 20240607;
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
    size_t features = shapes[s][0], classes = shapes[s][1], label = (s * 7) % classes;
    double *x = calloc(features, sizeof *x), *weights = calloc(features * classes, sizeof *weights), *bias = calloc(classes, sizeof *bias);
    for (size_t d = 0; d < features; d++) x[d] = d == 1 ? 0 : 3 * random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    for (size_t i = 0; i < features * classes; i++) weights[i] = random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    for (size_t k = 0; k < classes; k++) bias[k] = random_symmetric(seed, RANDOM_STREAM_CHECK, 0, counter++);
    SetosaExplanation *e = explain(features, classes, x, weights, bias, label);
    EXPECT_NEAR(e->loss, plain_loss(features, classes, x, weights, bias, label), 1e-13);
    assert_true(e->largest_difference < 1e-10);
    double probability_sum = 0;
    for (size_t k = 0; k < classes; k++) probability_sum += e->probabilities[k];
    EXPECT_NEAR(probability_sum, 1, 1e-14);
    for (size_t i = 0; i < features * classes; i++) {
      const double h = 6e-6; /* about the cube root of the rounding unit */
      double kept = weights[i];
      weights[i] = kept + h;
      double above = plain_loss(features, classes, x, weights, bias, label);
      weights[i] = kept - h;
      double below = plain_loss(features, classes, x, weights, bias, label);
      weights[i] = kept;
      double expected = (above - below) / (2 * h);
      if (!(fabs(e->dweights[i] - expected) < 1e-8))
        fail_msg("seed %d, shape %zu: %g, expected %g", (int)seed, s, e->dweights[i], expected);
    }
    setosa_explanation_destroy(e);
    free(x);
    free(weights);
    free(bias);
  }
}

/* Logits of +-100 and +-30000: nothing overflows, the loss keeps its digits, and the differences still agree. */
static void extreme_logits_are_exact(void **state) {
  (void)state;
  static const double sizes[] = {100, 700, 30000};
  static const double weights[] = {1, -1, 0.5};
  for (size_t i = 0; i < 3; i++) {
    double x = sizes[i];
    SetosaExplanation *e = explain(1, 3, &x, weights, NULL, 1);
    EXPECT_NEAR(e->loss, 2 * x, 1e-11);
    EXPECT_NEAR(e->dweights[0], x, x * 1e-15);
    EXPECT_NEAR(e->dweights[1], -x, x * 1e-15);
    EXPECT_NEAR(e->dweights[2], x * exp(-x / 2), 1e-15);
    assert_true(e->largest_difference < 1e-8 * x);
    setosa_explanation_destroy(e);
    e = explain(1, 3, &x, weights, NULL, 0);
    EXPECT_NEAR(e->loss, exp(-x / 2), 1e-15);
    assert_true(e->largest_difference < 1e-10);
    setosa_explanation_destroy(e);
  }
  /* Large logits that differ little: what counts is their difference. */
  double big = 1e8, near_weights[] = {1, 1 + 1e-8};
  SetosaExplanation *e = explain(1, 2, &big, near_weights, NULL, 0);
  assert_true(e->largest_difference < 1e-8 * big);
  setosa_explanation_destroy(e);
}

static void wrong_arguments_are_refused(void **state) {
  (void)state;
  static const double fine[] = {1, 2, 3, 4}, bad[] = {1, NAN, 3, 4}, huge[] = {1e200, 1e200, 1e200, 1e200};
  const struct {
    size_t features, classes;
    const double *x, *weights, *bias;
    size_t label;
    const char *message;
  } wrong[] = {
      {0, 2, fine, fine, NULL, 0, "explain: needs at least 1 feature and 2 classes, not 0 and 2"},
      {2, 1, fine, fine, NULL, 0, "explain: needs at least 1 feature and 2 classes, not 2 and 1"},
      {2, 2, fine, fine, NULL, 2, "explain: class index 2 is past the last of 2 classes;"},
      {2, 2, bad, fine, NULL, 0, "explain: feature 2 is not finite;"},
      {2, 2, fine, bad, NULL, 0, "explain: weight 2 is not finite;"},
      {2, 2, fine, fine, bad, 0, "explain: bias 2 is not finite;"},
      {2, 2, huge, huge, NULL, 0, "explain: the logit of class 1 overflows;"},
      {(size_t)1 << 62, 4, fine, fine, NULL, 0, "weights: 4611686018427387904 x 4 is more than"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    SetosaError error = {0};
    SetosaExplanation *e = (SetosaExplanation *)1;
    assert_int_equal(
        setosa_explain(&e, wrong[i].features, wrong[i].classes, wrong[i].x, wrong[i].weights, wrong[i].bias, wrong[i].label, &error),
        SETOSA_ERROR_USAGE);
    assert_null(e);
    if (strncmp(error.message, wrong[i].message, strlen(wrong[i].message)) != 0) fail_msg("got \"%s\"", error.message);
  }
  setosa_explanation_destroy(NULL);
}

/* ---- rows of a data set ------------------------------------------------------------------------------------------ */

enum { ROWS = 6, FEATURES = 9, CLASSES = 3 };
/* Row 3 is empty, and so is feature 4. */
static const float rows[ROWS * FEATURES] = {1, 0, 2, 0, 0, 0, 0, -1, 0, 0, 3, 0, 0, 0, 0.5f, 0, 0, 1, 2, 0, 0, 4, 0, 0, 1, 0, 0,
                                            0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 1, 0, 0, 0, 2,    0, 0, 0, 3, 3, 3, 3, 0, 3, 3, 3, 3};
static const int32_t classes_of[ROWS] = {0, 1, 2, 0, 1, 2};

/* The same rows with their zeros and without. */
typedef struct Pair {
  SetosaDataset *dense, *sparse;
  uint64_t begin[ROWS + 1];
  uint32_t columns[ROWS * FEATURES];
  float values[ROWS * FEATURES];
} Pair;

static void pair_create(Pair *pair) {
  SetosaError error = {0};
  size_t count = 0;
  for (size_t i = 0; i < ROWS; i++) {
    pair->begin[i] = count;
    for (uint32_t d = 0; d < FEATURES; d++) {
      if (rows[i * FEATURES + d] == 0) continue;
      pair->columns[count] = d;
      pair->values[count++] = rows[i * FEATURES + d];
    }
  }
  pair->begin[ROWS] = count;
  support_ok(setosa_dataset_wrap(&pair->dense, ROWS, FEATURES, CLASSES, rows, classes_of, &error), &error);
  support_ok(
      setosa_dataset_wrap_sparse(&pair->sparse, ROWS, FEATURES, CLASSES, pair->begin, pair->columns, pair->values, classes_of, &error),
      &error);
}

static void pair_destroy(Pair *pair) {
  setosa_dataset_destroy(pair->dense);
  setosa_dataset_destroy(pair->sparse);
}

static SetosaModel *train_on(SetosaDataset *dataset, bool standardized) {
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaModel *model = NULL;
  SetosaError error = {0};
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.l2 = 0.05;
  if (standardized) support_ok(setosa_dataset_standardize(dataset, &error), &error);
  support_ok(setosa_train(&model, NULL, dataset, &options, &error), &error);
  return model;
}

static SetosaExplanation *explain_row(const SetosaModel *model, const SetosaDataset *dataset, size_t row) {
  SetosaError error = {0};
  SetosaExplanation *e = NULL;
  support_ok(setosa_explain_row(&e, model, dataset, row, &error), &error);
  return e;
}

/* Scores and what follows from them are those of the row with all its zeros; entries are those of x, and prove their gradients. */
static void expect_alike(const SetosaExplanation *sparse, const SetosaExplanation *dense, size_t row, const double *scale) {
  size_t entry = 0;
  assert_null(dense->columns);
  assert_int_equal(dense->entries, FEATURES);
  assert_int_equal(sparse->features, FEATURES);
  assert_int_equal(sparse->label, dense->label);
  for (size_t k = 0; k < CLASSES; k++) {
    EXPECT_NEAR(sparse->logits[k], dense->logits[k], 1e-6);
    EXPECT_NEAR(sparse->probabilities[k], dense->probabilities[k], 1e-6);
    EXPECT_NEAR(sparse->dlogits[k], dense->dlogits[k], 1e-6);
  }
  EXPECT_NEAR(sparse->loss, dense->loss, 1e-6);
  for (size_t d = 0; d < FEATURES; d++) {
    float value = rows[row * FEATURES + d];
    if (value == 0) continue;
    assert_true(entry < sparse->entries);
    assert_int_equal(sparse->columns[entry], d);
    EXPECT_NEAR(sparse->x[entry], value * (scale != NULL ? scale[d] : 1), 1e-6);
    if (scale != NULL) EXPECT_NEAR(sparse->given[entry], value, 0);
    for (size_t k = 0; k < CLASSES; k++) {
      size_t at = k * sparse->entries + entry;
      EXPECT_NEAR(sparse->weights[at], dense->weights[k * FEATURES + d], 0);
      EXPECT_NEAR(sparse->dweights[at], sparse->dlogits[k] * sparse->x[entry], 1e-15);
      EXPECT_NEAR(sparse->dweights_finite[at], sparse->dweights[at], 1e-11);
    }
    entry++;
  }
  assert_int_equal(entry, sparse->entries);
  assert_true(sparse->largest_difference < 1e-11);
}

static void sparse_rows_are_their_entries(void **state) {
  (void)state;
  for (int standardized = 0; standardized < 2; standardized++) {
    Pair trained, pair;
    pair_create(&trained);
    pair_create(&pair);
    SetosaModel *model = train_on(standardized ? trained.dense : trained.sparse, standardized); /* centred: the bias takes it up */
    assert_true((setosa_model_offset(model) != NULL) == (standardized != 0));
    for (size_t i = 0; i < ROWS; i++) {
      SetosaExplanation *sparse = explain_row(model, pair.sparse, i), *dense = explain_row(model, pair.dense, i);
      expect_alike(sparse, dense, i, setosa_model_scale(model));
      assert_true((sparse->given != NULL) == (standardized != 0));
      setosa_explanation_destroy(sparse);
      setosa_explanation_destroy(dense);
    }
    assert_memory_equal(setosa_dataset_values(pair.dense), rows, sizeof rows); /* neither is changed by it */
    setosa_model_destroy(model);
    pair_destroy(&pair);
    pair_destroy(&trained);
  }
}

/* Rows that nobody holds are made, and a model of many features is read at the entries alone. */
static void rows_are_made_to_be_explained(void **state) {
  (void)state;
  const char *source = "synthetic:rows=3000,features=200000,classes=2,sparsity=0.9999";
  SetosaDataOptions how = setosa_data_options_default();
  SetosaDataset *held = NULL, *made = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&held, source, &how, &error), &error);
  how.generate_above_bytes = 1000;
  support_ok(setosa_dataset_load(&made, source, &how, &error), &error);
  float *weights = calloc(2 * 200000, sizeof *weights);
  SetosaModel *model = NULL;
  assert_non_null(weights);
  for (size_t i = 0; i < 2 * 200000; i++) weights[i] = (float)random_symmetric(3, RANDOM_STREAM_CHECK, 0, i);
  support_ok(setosa_model_create(&model, 200000, 2, weights, NULL, &error), &error);
  for (size_t i = 0; i < 3000; i += 1499) {
    SetosaExplanation *a = explain_row(model, held, i), *b = explain_row(model, made, i);
    assert_int_equal(a->entries, 20);
    assert_int_equal(a->label, b->label);
    assert_true(a->label < 2);
    assert_int_equal(a->entries, b->entries);
    assert_memory_equal(a->columns, b->columns, a->entries * sizeof *a->columns);
    assert_memory_equal(a->logits, b->logits, 2 * sizeof *a->logits);
    setosa_explanation_destroy(a);
    setosa_explanation_destroy(b);
  }
  setosa_model_destroy(model);
  free(weights);
  setosa_dataset_destroy(held);
  setosa_dataset_destroy(made);
}

static void other_rows_are_refused(void **state) {
  (void)state;
  Pair pair;
  SetosaError error = {0};
  SetosaExplanation *e = NULL;
  SetosaModel *model = NULL;
  const float weights[2 * 2] = {1, 2, 3, 4};
  pair_create(&pair);
  support_ok(setosa_model_create(&model, 2, 2, weights, NULL, &error), &error);
  support_fails(setosa_explain_row(&e, model, pair.sparse, 0, &error), &error, SETOSA_ERROR_USAGE, "the data has 9 features but the model");
  error = (SetosaError){0};
  support_fails(setosa_explain_row(&e, model, pair.sparse, ROWS, &error), &error, SETOSA_ERROR_USAGE,
                "setosa_explain_row: there is no row 6");
  assert_null(e);
  setosa_model_destroy(model);
  pair_destroy(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_worked_example),
      cmocka_unit_test(random_examples_agree_with_finite_differences),
      cmocka_unit_test(extreme_logits_are_exact),
      cmocka_unit_test(wrong_arguments_are_refused),
      cmocka_unit_test(sparse_rows_are_their_entries),
      cmocka_unit_test(rows_are_made_to_be_explained),
      cmocka_unit_test(other_rows_are_refused),
  };
  return support_run("train_explain", tests, NULL, NULL);
}
