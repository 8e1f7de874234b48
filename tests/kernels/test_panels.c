/* Logits from weights in panels: every height of the tile, and none, agrees with the double reference at the edges of classes, features and
 * rows, and weights that changed are packed again. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "compute/native/logits.h"
#include "compute/tolerance.h"
#include "compute/tune/tune.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/shape.h"

enum { LOGIT_SIZE = 3, POINTS = 3 };

static const uint32_t heights[] = {0, 4, 6, 8};
enum { FUSED_HEIGHTS = 2 }; /* the first that few classes are tested without */

/* Classes around 11 (the least of a last panel when they are few), 16, 32 and 512; features around the depth of 256; rows around the strip
 * of 16 and the 48 that share a panel. */
static const Shape panel_shapes[] = {
    {100, 30, 10, PLAIN}, {97, 257, 11, PLAIN},   {47, 15, 17, PLAIN},  {49, 256, 32, PLAIN}, {1000, 64, 33, PLAIN},
    {15, 16, 40, PLAIN},  {205, 513, 100, PLAIN}, {31, 17, 512, PLAIN}, {33, 20, 513, PLAIN}, {60, 64, 104, HARD_LOGITS},
};

static void compare_backends(Backend *device, Backend *truth, const Dataset *dataset, uint32_t height) {
  double *w = calloc(2 * device->parameters, sizeof *w), *v = w + device->parameters;
  assert_non_null(w);
  double rounding = compare_logit_rounding(setosa_dataset_features(dataset), LOGIT_SIZE);
  compare_fill_vectors(dataset, LOGIT_SIZE, w, v);
  for (size_t point = 0; point < POINTS; point++) {
    /* All rows, some in the middle, and all again at other weights: the same vectors hold other values every time. */
    RowRange rows = point == 1 && setosa_dataset_rows(dataset) > 3
                        ? (RowRange){setosa_dataset_rows(dataset) / 3, setosa_dataset_rows(dataset) / 2}
                        : backend_all_rows(device);
    for (size_t i = 0; i < device->parameters; i++) w[i] = (float)(w[i] * (point == 2 ? -0.5 : 1)), v[i] = (float)v[i];
    Answers expected = ask_at(truth, w, v, rows, 0.5), actual = ask_at(device, w, v, rows, 0.5);
    double gradient = compare_relative_norm(actual.some_gradient, expected.some_gradient, device->parameters);
    double product = compare_relative_norm(actual.some_product, expected.some_product, device->parameters);
    double line_tolerance = compare_loss_tolerance(rounding, setosa_dataset_rows(dataset), expected.value[0]);
    if (!(compare_relative(actual.some.loss, expected.some.loss) <= compare_loss_tolerance(rounding, rows.count, expected.some.loss)) ||
        !(gradient <= compare_gradient_tolerance(rounding)) || !(product <= compare_hessian_tolerance(rounding)) ||
        !(compare_relative(actual.value[0], expected.value[0]) <= line_tolerance) || !(fabs(actual.slope[0] - expected.slope[0]) <= 1e-3))
      fail_msg(
          "%zu x %zu, %zu classes, panels of %u rows, point %zu: loss %g for %g, gradient off by %g, product by %g, line %g for %g, "
          "slope %g for %g",
          setosa_dataset_rows(dataset), setosa_dataset_features(dataset), setosa_dataset_classes(dataset), height, point, actual.some.loss,
          expected.some.loss, gradient, product, actual.value[0], expected.value[0], actual.slope[0], expected.slope[0]);
    answers_free(&expected);
    answers_free(&actual);
  }
  free(w);
}

static void every_height_agrees_with_the_reference(void **state) {
  (void)state;
  size_t used = 0;
  for (size_t i = 0; i < sizeof panel_shapes / sizeof *panel_shapes; i++) {
    Error error = {0};
    Dataset *dataset = make_dataset(&panel_shapes[i], 7 + i);
    Backend *truth = NULL;
    support_ok(reference_open(&truth, dataset, &(BackendSettings){.intercept = true}, &error), &error);
    for (size_t h = 0; h < sizeof heights / sizeof *heights; h++) {
      Native *native = NULL;
      BackendSettings settings = {.family = SETOSA_FAMILY_CPU, .context = support_device(), .intercept = true};
      if (setosa_dataset_classes(dataset) <= CLASSES_FUSED_MOST && h < FUSED_HEIGHTS) continue; /* a program for each */
      NativeShape shape = native_default_shape(SETOSA_FAMILY_CPU, setosa_dataset_classes(dataset), setosa_dataset_features(dataset),
                                               context_traits(support_device()), false);
      shape.panel_rows = heights[h];
      support_ok(native_open_window(&native, dataset, &settings, (RowRange){0, setosa_dataset_rows(dataset)}, &shape, &error), &error);
      used += native_uses_panels(native);
      compare_backends(&native->head, truth, dataset, heights[h]);
      backend_close(&native->head);
    }
    backend_close(truth);
    setosa_dataset_destroy(dataset);
  }
  assert_int_equal(used, 3 * 2 + 5 * 3); /* not with 10 classes, not with 513 */
}

/* Weights too large to be packed beside them are read as they lie. */
static void what_would_take_much_memory_is_not_packed(void **state) {
  (void)state;
  Native native = {.family = SETOSA_FAMILY_CPU, .head = {.classes = 100, .features = 1000}, .shape = {.panel_rows = 6}};
  assert_int_equal(native_panel_count(&native), 7);
  native.head.features = 1000000;
  assert_int_equal(native_panel_count(&native), 0);
  native = (Native){.family = SETOSA_FAMILY_GPU, .head = {.classes = 100, .features = 1000}, .shape = {.panel_rows = 6}};
  assert_int_equal(native_panel_count(&native), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_height_agrees_with_the_reference),
      cmocka_unit_test(what_would_take_much_memory_is_not_packed),
  };
  return support_run("weights in panels", tests, support_device_open, support_device_close);
}
