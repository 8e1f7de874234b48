/* Columns that say nothing new: constant ones, and those that follow from others, as all the dummies of a factor do beside the bias.
 * Without a penalty many weights are as good as each other; whatever the solver, it ends at the optimum of the data without such columns.
 */
#include <string.h>

#include "support/public_device.h"

enum { ROWS = 400, MOST_COLUMNS = 5 };

/* In [0,1), the same for the same two numbers (mixed much as SplitMix64 does). */
static double uniform(uint64_t stream, uint64_t i) {
  uint64_t z = stream << 32 ^ i;
  z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* What a row has beside x and z. */
typedef enum Columns { NOTHING, CONSTANT, FAR_CONSTANT, AFFINE, DUMMIES, BOTH } Columns;

static size_t fill_row(float *row, Columns columns, float x, float z) {
  float whole = (float)(int)z;
  size_t count = 0;
  row[count++] = x;
  row[count++] = whole;
  if (columns == CONSTANT || columns == BOTH) row[count++] = 5;
  if (columns == FAR_CONSTANT) row[count++] = 12345.678f;
  if (columns == AFFINE || columns == BOTH) row[count++] = 3 * whole - 4;
  if (columns == DUMMIES) {
    row[count++] = x > 0 ? 1 : 0;
    row[count++] = x > 0 ? 0 : 1;
  }
  return count;
}

/* one_dummy: without the second of two dummies, which follows from the first. */
static SetosaDataset *make(Columns columns, bool one_dummy) {
  static float rows[ROWS * MOST_COLUMNS];
  static int32_t labels[ROWS];
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  size_t features = 0;
  for (size_t i = 0; i < ROWS; i++) {
    float row[MOST_COLUMNS] = {0}, x = 2 * (float)uniform(1, i) - 1, z = 60 * (float)uniform(2, i);
    features = fill_row(row, columns, x, z);
    if (one_dummy) features--;
    memcpy(rows + i * features, row, features * sizeof *row);
    labels[i] = uniform(3, i) < 0.6 ? (int32_t)(3 * uniform(4, i)) : x > 0.3f ? 0 : z > 30 ? 1 : 2;
  }
  support_ok(setosa_dataset_wrap(&data, ROWS, features, 3, rows, labels, &error), &error);
  return data;
}

static double train(Columns columns, bool one_dummy, SetosaSolver solver, SetosaPreconditioner preconditioner, SetosaBackend backend) {
  SetosaDataset *data = make(columns, one_dummy);
  SetosaTrainOptions options = setosa_train_options_default();
  SetosaTrainResult result;
  SetosaMetrics *metrics = NULL;
  SetosaModel *model = NULL;
  SetosaError error = {0};
  options.compute.backend = backend;
  options.compute.device = backend == SETOSA_BACKEND_NATIVE ? support_public_device() : NULL;
  options.solver = solver;
  options.preconditioner = preconditioner;
  options.l2 = 0;
  support_ok(setosa_train(&model, &result, data, &options, &error), &error);
  support_ok(setosa_evaluate(&metrics, model, data, &options.compute, &error), &error);
  if (!result.converged) fail_msg("columns %d, solver %d, preconditioner %d: %s", columns, solver, preconditioner, result.stop_reason);
  support_near(result.objective, metrics->log_loss, 1e-5); /* weights so large that rounding hides what they do would not be */
  double loss = metrics->log_loss;
  setosa_metrics_destroy(metrics);
  setosa_model_destroy(model);
  setosa_dataset_destroy(data);
  return loss;
}

static void check(SetosaSolver solver, SetosaPreconditioner preconditioner) {
  double optimum = train(NOTHING, false, SETOSA_SOLVER_NEWTON, SETOSA_PRECONDITIONER_AUTO, SETOSA_BACKEND_REFERENCE);
  double with_dummy = train(DUMMIES, true, SETOSA_SOLVER_NEWTON, SETOSA_PRECONDITIONER_AUTO, SETOSA_BACKEND_REFERENCE);
  assert_true(with_dummy < optimum);
  for (Columns columns = CONSTANT; columns <= BOTH; columns++)
    support_near(train(columns, false, solver, preconditioner, SETOSA_BACKEND_NATIVE), columns == DUMMIES ? with_dummy : optimum, 1e-5);
}

static void newton(void **state) {
  (void)state;
  check(SETOSA_SOLVER_NEWTON, SETOSA_PRECONDITIONER_AUTO);
}

static void lbfgs_diagonal(void **state) {
  (void)state;
  check(SETOSA_SOLVER_LBFGS, SETOSA_PRECONDITIONER_DIAGONAL);
}

static void lbfgs_blocks(void **state) {
  (void)state;
  check(SETOSA_SOLVER_LBFGS, SETOSA_PRECONDITIONER_BLOCKS);
}

static void lbfgs_kron(void **state) {
  (void)state;
  check(SETOSA_SOLVER_LBFGS, SETOSA_PRECONDITIONER_KRON);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(newton),
      cmocka_unit_test(lbfgs_diagonal),
      cmocka_unit_test(lbfgs_blocks),
      cmocka_unit_test(lbfgs_kron),
  };
  return support_run("redundant columns", tests, support_public_device_open, support_public_device_close);
}
