/* The fused pass on tensor cores (kernels/fused_tensor.clh), which are emulated here, agrees with the double reference where features,
 * classes and rows fill its tiles and where they do not, and where a block of rows lies changes no bit. */
#include "compute/native/fused_shape.h"
#include "compute/native/logits.h"
#include "compute/tolerance.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/shape.h"

enum { LOGIT_SIZE = 3 };

typedef struct Case {
  Shape shape;
  SetosaStorage storage;
  bool gradient; /* on tensor cores, too; of fewer classes only the Hessian is */
} Case;

/* Few programs, since each takes a compiler seconds. */
static const Case cases[] = {
    {{90, 64, 16, PLAIN}, SETOSA_STORAGE_F32, true},
    {{37, 51, 9, PLAIN}, SETOSA_STORAGE_F16, true},
    {{50, 80, 5, PLAIN}, SETOSA_STORAGE_F32, false},
};

static Native *open_case(const Case *one, const Dataset *dataset, NativeShape shape) {
  Error error = {0};
  Native *native = NULL;
  BackendSettings settings = {.family = SETOSA_FAMILY_GPU, .context = support_device(), .intercept = true, .storage = one->storage};
  support_ok(native_open_window(&native, dataset, &settings, (RowRange){0, one->shape.rows}, &shape, &error), &error);
  return native;
}

static void check_case(const Case *one) {
  Error error = {0};
  Dataset *dataset = make_dataset(&one->shape, 15);
  float *values = rows_values(dataset);
  Backend *truth = NULL;
  /* What halves hold, too. */
  for (size_t i = 0; i < one->shape.rows * one->shape.features; i++) values[i] = (float)((int)(values[i] * 1024)) / 1024;
  support_ok(reference_open(&truth, dataset, &(BackendSettings){.intercept = true}, &error), &error);
  NativeShape shape =
      native_default_shape(SETOSA_FAMILY_GPU, one->shape.classes, one->shape.features, context_traits(support_device()), true);
  assert_int_equal(native_fused_shape(&shape, one->shape.features, one->shape.classes, false).slabs > 0, one->gradient);
  assert_true(native_fused_shape(&shape, one->shape.features, one->shape.classes, true).slabs > 0);
  size_t parameters = truth->parameters;
  double *w = calloc(2 * parameters, sizeof *w), *v = w + parameters, rounding = compare_logit_rounding(one->shape.features, LOGIT_SIZE);
  assert_non_null(w);
  compare_fill_vectors(dataset, LOGIT_SIZE, w, v);
  for (size_t i = 0; i < 2 * parameters; i++) w[i] = (float)w[i];
  RowRange some = {one->shape.rows / 3, one->shape.rows / 2};
  Answers expected = ask_at(truth, w, v, some, 0.5);
  Native *native = open_case(one, dataset, shape);
  Answers actual = ask_at(&native->head, w, v, some, 0.5), again = ask_at(&native->head, w, v, some, 0.5);
  assert_true(compare_relative(actual.all.loss, expected.all.loss) <= compare_loss_tolerance(rounding, one->shape.rows, expected.all.loss));
  assert_true(compare_relative(actual.some.loss, expected.some.loss) <= compare_loss_tolerance(rounding, some.count, expected.some.loss));
  assert_true(compare_relative_norm(actual.gradient, expected.gradient, parameters) <= compare_gradient_tolerance(rounding));
  assert_true(compare_relative_norm(actual.some_gradient, expected.some_gradient, parameters) <= compare_gradient_tolerance(rounding));
  assert_true(compare_relative_norm(actual.product, expected.product, parameters) <= compare_hessian_tolerance(rounding));
  expect_same(&again, &actual, "asked twice");
  backend_close(&native->head);
  answers_free(&again);
  answers_free(&expected);
  answers_free(&actual);
  backend_close(truth);
  setosa_dataset_destroy(dataset);
  free(w);
}

static void whole_tiles_are_right(void **state) {
  (void)state;
  check_case(&cases[0]);
}

static void ragged_tiles_of_halves_are_right(void **state) {
  (void)state;
  check_case(&cases[1]);
}

static void a_hessian_of_few_classes_is_right(void **state) {
  (void)state;
  check_case(&cases[2]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_tiles_are_right),
      cmocka_unit_test(ragged_tiles_of_halves_are_right),
      cmocka_unit_test(a_hessian_of_few_classes_is_right),
  };
  return support_run("kernels_fused_tensor", tests, support_device_open, support_device_close);
}
