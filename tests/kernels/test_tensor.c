/* The two products of the blocked pass on tensor cores (kernels/block_tensor.clh), which are emulated here, agree with the double reference
 * at the edges of rows, features and classes, and the size of blocks changes no bit. */
#include "compute/native/logits.h"
#include "compute/tolerance.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/shape.h"

enum { LOGIT_SIZE = 3, BLOCK_ROWS = 256 };

typedef struct Case {
  Shape shape;
  uint32_t warps[4]; /* of a group by rows and by classes; rows and most classes of a warp; 0: the host's choice */
  SetosaStorage storage;
} Case;

/* Few programs, since each takes a compiler seconds: features and classes that are whole vectors or not, one warp and several, either side
 * of the product the one that is split first. */
static const Case cases[] = {
    {{300, 36, 68, PLAIN}, {2, 1, 32, 40}, SETOSA_STORAGE_F32},
    {{70, 21, 39, PLAIN}, {1, 2, 16, 24}, SETOSA_STORAGE_F16},
    {{60, 901, 12, PLAIN}, {0}, SETOSA_STORAGE_F32},
};

static const DeviceTraits nvidia = {.vendor = VENDOR_NVIDIA};

static Native *open_case(const Case *one, const Dataset *dataset, size_t block_rows) {
  Error error = {0};
  Native *native = NULL;
  BackendSettings settings = {.family = SETOSA_FAMILY_GPU,
                              .context = support_device(),
                              .intercept = true,
                              .storage = one->storage,
                              .workspace_bytes = block_rows * (one->shape.classes + 7) / 8 * 8 * sizeof(float)};
  NativeShape shape =
      native_default_shape(SETOSA_FAMILY_GPU, one->shape.classes, one->shape.features, context_traits(support_device()), false);
  if (one->warps[0] > 0)
    native_shape_warps(&shape, one->shape.classes, one->warps[0], one->warps[1], one->warps[2], one->warps[3]);
  else
    shape = native_default_shape(SETOSA_FAMILY_GPU, one->shape.classes, one->shape.features, &nvidia, true);
  support_ok(native_open_window(&native, dataset, &settings, (RowRange){0, one->shape.rows}, &shape, &error), &error);
  assert_false(native->fused);
  assert_true(native->shape.tensor);
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
  size_t parameters = truth->parameters;
  double *w = calloc(2 * parameters, sizeof *w), *v = w + parameters, rounding = compare_logit_rounding(one->shape.features, LOGIT_SIZE);
  assert_non_null(w);
  compare_fill_vectors(dataset, LOGIT_SIZE, w, v);
  for (size_t i = 0; i < 2 * parameters; i++) w[i] = (float)w[i];
  RowRange some = {one->shape.rows / 3, one->shape.rows / 2};
  Answers expected = ask_at(truth, w, v, some, 0.5);
  Native *native = open_case(one, dataset, 4 * BLOCK_ROWS);
  Answers actual = ask_at(&native->head, w, v, some, 0.5);
  assert_true(compare_relative(actual.all.loss, expected.all.loss) <= compare_loss_tolerance(rounding, one->shape.rows, expected.all.loss));
  assert_true(compare_relative(actual.some.loss, expected.some.loss) <= compare_loss_tolerance(rounding, some.count, expected.some.loss));
  assert_true(compare_relative_norm(actual.gradient, expected.gradient, parameters) <= compare_gradient_tolerance(rounding));
  assert_true(compare_relative_norm(actual.some_gradient, expected.some_gradient, parameters) <= compare_gradient_tolerance(rounding));
  assert_true(compare_relative_norm(actual.product, expected.product, parameters) <= compare_hessian_tolerance(rounding));
  backend_close(&native->head);
  if (one->shape.rows > BLOCK_ROWS) {
    native = open_case(one, dataset, BLOCK_ROWS);
    assert_int_equal(native->block_rows, BLOCK_ROWS);
    Answers again = ask_at(&native->head, w, v, some, 0.5);
    expect_same(&again, &actual, "in blocks of rows");
    answers_free(&again);
    backend_close(&native->head);
  }
  answers_free(&expected);
  answers_free(&actual);
  backend_close(truth);
  setosa_dataset_destroy(dataset);
  free(w);
}

static void whole_vectors_are_right_in_any_blocks(void **state) {
  (void)state;
  check_case(&cases[0]);
}

static void odd_shapes_are_right(void **state) {
  (void)state;
  check_case(&cases[1]);
}

/* What no group of the fused pass holds. */
static void few_classes_of_many_features_are_right(void **state) {
  (void)state;
  check_case(&cases[2]);
}

/* Warps cover all classes, and the group has no more of them than it needs. */
static void classes_are_cut_into_warps(void **state) {
  (void)state;
  const struct {
    size_t classes;
    uint32_t group, most, warp, tile;
  } cuts[] = {{100, 1, 104, 104, 104}, {100, 2, 64, 56, 112}, {64, 4, 32, 32, 64}, {1000, 4, 32, 32, 128}, {65, 2, 32, 24, 48}};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    NativeShape shape = {0};
    native_shape_warps(&shape, cuts[i].classes, 2, cuts[i].group, 64, cuts[i].most);
    assert_int_equal(shape.item_classes, cuts[i].warp);
    assert_int_equal(shape.tile_classes, cuts[i].tile);
    assert_int_equal(shape.tile_rows, 128);
    assert_int_equal(native_shape_items(&shape), 32 * 2 * cuts[i].tile / cuts[i].warp);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_vectors_are_right_in_any_blocks),
      cmocka_unit_test(odd_shapes_are_right),
      cmocka_unit_test(few_classes_of_many_features_are_right),
      cmocka_unit_test(classes_are_cut_into_warps),
  };
  return support_run("kernels_tensor", tests, support_device_open, support_device_close);
}
