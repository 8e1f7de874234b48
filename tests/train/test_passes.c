/* A pass is the arithmetic of one loss and gradient over all rows, whose entries count where they are sparse. */
#include "support/support.h"

static void check(const char *source) {
  SetosaError error = {.status = SETOSA_OK};
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result = {0};
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute.backend = SETOSA_BACKEND_REFERENCE;
  options.solver = SETOSA_SOLVER_GD;
  options.max_iterations = 10;
  support_ok(setosa_dataset_load(&dataset, source, NULL, &error), &error);
  support_ok(setosa_train(&model, &result, dataset, &options, &error), &error);
  assert_int_equal(result.iterations, 10);
  /* Some evaluations are of losses alone. */
  double each = result.passes / (double)result.evaluations;
  if (!(each > 0.4 && each < 1.01))
    fail_msg("%s: %g passes, %llu evaluations", source, result.passes, (unsigned long long)result.evaluations);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
}

static void of_dense_rows(void **state) {
  (void)state;
  check("synthetic:rows=500,features=40,classes=3");
}

static void of_sparse_rows(void **state) {
  (void)state;
  check("synthetic:rows=500,features=1000,classes=3,sparsity=0.99");
  check("synthetic:rows=500,features=1000,classes=3,fields=6");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(of_dense_rows), cmocka_unit_test(of_sparse_rows)};
  return support_run("passes", tests, NULL, NULL);
}
