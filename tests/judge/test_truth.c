/* The judge of `setosa bench`: a right backend passes, and each way of being wrong is told by its name. The wrong backends are the
 * reference with one operation of the seam replaced. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/open.h"
#include "compute/reference/reference.h"
#include "judge/truth.h"
#include "support/support.h"

/* What is wrong, at rows of which range: everywhere, or only when all rows are asked for. */
typedef enum Fault { RIGHT, WRONG_LOSS, WRONG_GRADIENT, WRONG_HESSIAN, WRONG_SCORES, NAN_GRADIENT, WRONG_WHOLE } Fault;
static Fault fault;

static Status faulty_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                              Error *error) {
  Status status = reference_evaluate(backend, w, rows, addition, gradient, at, error);
  if (fault == WRONG_LOSS && at != NULL) at->loss *= 1.001;
  if (fault == WRONG_GRADIENT && gradient != NULL) gradient->values[1] += 0.01 * (1 + fabs(gradient->values[1]));
  if (fault == NAN_GRADIENT && gradient != NULL) gradient->values[backend->parameters - 1] = NAN;
  if (fault == WRONG_WHOLE && gradient != NULL && rows.count == backend->rows) gradient->values[0] += 0.01;
  return status;
}

static Status faulty_hessian(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                             Error *error) {
  Status status = reference_hessian_product(backend, w, v, rows, addition, out, error);
  if (fault == WRONG_HESSIAN) out->values[0] = -out->values[0];
  return status;
}

static Status faulty_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = reference_predict(backend, w, rows, kind, scores, error);
  if (fault == WRONG_SCORES) scores[rows.count * backend->classes - 1] += 1e-3f;
  return status;
}

static Verdict judge(const char *source, SetosaBenchWhat what, Fault wrong, double flops) {
  Error error = {0};
  Dataset *dataset = NULL;
  Truth *truth = NULL;
  Contender c = {0};
  Verdict verdict = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  support_ok(setosa_dataset_load(&dataset, source, NULL, &error), &error);
  support_ok(truth_create(&truth, dataset, what, flops, &error), &error);
  support_ok(backend_open(&c.backend, dataset, &settings, &error), &error);
  BackendOperations operations = *c.backend->operations;
  operations.evaluate = faulty_evaluate;
  operations.hessian_product = faulty_hessian;
  operations.predict = faulty_predict;
  c.backend->operations = &operations;
  support_ok(contender_open(&c, what, &error), &error);
  support_ok(vector_write(c.backend, c.w, truth->w, &error), &error);
  if (truth->v != NULL) support_ok(vector_write(c.backend, c.v, truth->v, &error), &error);
  fault = wrong;
  support_ok(truth_judge(truth, &c, 0, &verdict, &error), &error);
  contender_close(&c);
  truth_destroy(truth);
  setosa_dataset_destroy(dataset);
  return verdict;
}

static const char *const shapes[] = {
    "synthetic:rows=97,features=1,classes=2,seed=3",
    "synthetic:rows=131,features=19,classes=3,seed=4",
    "synthetic:rows=60,features=8,classes=300,seed=5",
};

static void expect(Verdict verdict, bool passed, const char *named) {
  if (verdict.passed != passed || strstr(verdict.reason, named) == NULL)
    fail_msg("passed %d, \"%s\" (error %g, allowed %g); expected \"%s\"", verdict.passed, verdict.reason, verdict.error, verdict.tolerance,
             named);
  assert_true(verdict.tolerance > 0);
  assert_int_equal(verdict.error <= verdict.tolerance, passed);
}

static void what_is_right_passes(void **state) {
  (void)state;
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_HESSIAN, SETOSA_BENCH_PREDICT, SETOSA_BENCH_TRAIN};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t w = 0; w < 4; w++) expect(judge(shapes[s], whats[w], RIGHT, TRUTH_FLOPS), true, "");
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    expect(judge(shapes[s], SETOSA_BENCH_STEP, WRONG_LOSS, TRUTH_FLOPS), false, "wrong loss");
    expect(judge(shapes[s], SETOSA_BENCH_STEP, WRONG_GRADIENT, TRUTH_FLOPS), false, "wrong gradient");
    expect(judge(shapes[s], SETOSA_BENCH_EPOCH, NAN_GRADIENT, TRUTH_FLOPS), false, "wrong gradient");
    expect(judge(shapes[s], SETOSA_BENCH_HESSIAN, WRONG_HESSIAN, TRUTH_FLOPS), false, "wrong Hessian product");
    expect(judge(shapes[s], SETOSA_BENCH_PREDICT, WRONG_SCORES, TRUTH_FLOPS), false, "wrong probability");
  }
}

/* More rows than the reference takes: what is wrong beyond them shows in the whole against its parts. */
static void the_whole_is_judged_too(void **state) {
  (void)state;
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const double flops = 40; /* one row, or five */
    expect(judge(shapes[s], SETOSA_BENCH_STEP, WRONG_WHOLE, flops), false, "wrong gradient of all rows");
    expect(judge(shapes[s], SETOSA_BENCH_STEP, RIGHT, flops), true, "");
    expect(judge(shapes[s], SETOSA_BENCH_HESSIAN, RIGHT, flops), true, "");
    expect(judge(shapes[s], SETOSA_BENCH_PREDICT, RIGHT, flops), true, "");
  }
}

static void a_model_has_its_loss(void **state) {
  (void)state;
  Error error = {0};
  Dataset *dataset = NULL;
  const float zeros[3 * 19] = {0};
  const double no_bias[3] = {0};
  double loss = 0;
  support_ok(setosa_dataset_load(&dataset, shapes[1], NULL, &error), &error);
  support_ok(truth_model_loss(dataset, SETOSA_STORAGE_F32, zeros, no_bias, &loss, &error), &error);
  support_near(loss, log(3), 1e-12);
  setosa_dataset_destroy(dataset);
}

/* A truth's answer is that of its rows of the same data set as it is held: the same rows, in the same order, to the last bit. */
static void expect_step(const Truth *truth, const Dataset *held) {
  Error error = {0};
  Contender c = {0};
  Evaluation at = {.loss = NAN};
  double gradient[3 * (19 + 1)];
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  for (size_t i = 0; i < 60; i++) gradient[i] = NAN;
  support_ok(backend_open(&c.backend, held, &settings, &error), &error);
  support_ok(contender_open(&c, SETOSA_BENCH_STEP, &error), &error);
  support_ok(vector_write(c.backend, c.w, truth->w, &error), &error);
  support_ok(objective_evaluate(&c.objective, c.w, truth->rows, c.out, &at, &error), &error);
  support_ok(vector_read(c.backend, c.out, gradient, &error), &error);
  support_near(truth->loss, at.loss, 0);
  support_near(truth->objective, at.objective, 0);
  assert_memory_equal(gradient, truth->expected, sizeof gradient);
  contender_close(&c);
}

/* Rows that are made as needed have the same truth as those that are held. */
static void made_rows_are_the_same(void **state) {
  (void)state;
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_HESSIAN, SETOSA_BENCH_PREDICT};
  Error error = {0};
  SetosaDataOptions options = setosa_data_options_default();
  Dataset *sets[2] = {NULL, NULL};
  for (int made = 0; made <= 1; made++) {
    options.generate_above_bytes = made ? 1 : 0;
    support_ok(setosa_dataset_load(&sets[made], shapes[1], &options, &error), &error);
    assert_int_equal(setosa_dataset_values(sets[made]) == NULL, made);
  }
  for (size_t w = 0; w < 3; w++) {
    Truth *truths[2] = {NULL, NULL};
    for (int made = 0; made <= 1; made++) {
      support_ok(truth_create(&truths[made], sets[made], whats[w], 10000, &error), &error);
      if (made == 0) continue;
      const Truth *a = truths[0], *b = truths[1];
      size_t parameters = 3 * (19 + 1);
      assert_int_equal(a->rows.begin, b->rows.begin);
      assert_int_equal(a->rows.count, b->rows.count);
      assert_true(a->rows.count < 131 && a->rows.begin > 0); /* a part of them */
      /* The scale of the weights comes from the values where they are there, from the law where they are not. */
      double ratio = b->w[0] / a->w[0];
      assert_true(ratio > 0.8 && ratio < 1.25);
      for (size_t i = 0; i < parameters; i++) assert_true(isfinite(b->w[i]));
      if (whats[w] == SETOSA_BENCH_STEP) expect_step(b, sets[0]);
    }
    truth_destroy(truths[0]);
    truth_destroy(truths[1]);
  }
  float weights[3 * 19];
  double no_bias[3] = {0};
  double loss[2] = {NAN, NAN};
  for (size_t i = 0; i < 57; i++) weights[i] = 0.1f * (float)(i % 7) - 0.3f;
  for (int made = 0; made <= 1; made++)
    support_ok(truth_model_loss(sets[made], SETOSA_STORAGE_F32, weights, no_bias, &loss[made], &error), &error);
  support_near(loss[1], loss[0], 1e-12);
  assert_true(fabs(loss[0] - log(3)) > 1e-3);
  setosa_dataset_destroy(sets[0]);
  setosa_dataset_destroy(sets[1]);
}

/* The reference is given so many flops: those of the entries of its rows. */
static void sparse_rows_are_as_many_as_the_budget_allows(void **state) {
  (void)state;
  static const SetosaBenchWhat whats[] = {SETOSA_BENCH_STEP, SETOSA_BENCH_HESSIAN, SETOSA_BENCH_PREDICT};
  static const size_t products[] = {2, 3, 1};
  for (int made = 0; made <= 1; made++) {
    Error error = {0};
    Dataset *dataset = NULL;
    SetosaDataOptions options = setosa_data_options_default();
    if (made) options.generate_above_bytes = 1;
    support_ok(setosa_dataset_load(&dataset, "synthetic:rows=500,features=2000,classes=3,sparsity=0.99", &options, &error), &error);
    for (size_t w = 0; w < 3; w++) {
      Truth *truth = NULL;
      support_ok(truth_create(&truth, dataset, whats[w], (double)(2 * products[w] * 20 * 3 * 50), &error), &error); /* 20 entries a row */
      assert_int_equal(truth->rows.count, 50);
      assert_int_equal(truth->rows.begin, 150);
      truth_destroy(truth);
    }
    setosa_dataset_destroy(dataset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_right_passes),    cmocka_unit_test(what_is_wrong_is_named),
      cmocka_unit_test(the_whole_is_judged_too), cmocka_unit_test(a_model_has_its_loss),
      cmocka_unit_test(made_rows_are_the_same),  cmocka_unit_test(sparse_rows_are_as_many_as_the_budget_allows),
  };
  return support_run("truth", tests, NULL, NULL);
}
