/* Products of kernels/tensor.clh. Where there are no tensor cores they are emulated, fragments and all. */
#include <math.h>

#include "opencl/device_fixture.h"

enum { ROWS = 16, DEPTH = 8, COLUMNS = 8 };

/* xorshift64*: numbers of either sign, their exponents spread over so many powers of two. */
static float draw(uint64_t *state, double powers) {
  *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
  uint64_t bits = *state * UINT64_C(2685821657736338717);
  double size = 1 + (double)(bits >> 40) / (1 << 24), exponent = powers * ((double)(bits & 0xffff) / 0x10000 - 0.5);
  return (float)((bits & 0x10000 ? size : -size) * exp2(floor(exponent)));
}

/* Each result within so many eps of the sum of its |products|. */
static void check_product(Context *context, double powers, double bound) {
  const double eps = 0x1p-24;
  float a[ROWS * DEPTH], b[DEPTH * COLUMNS], result[ROWS * COLUMNS];
  uint64_t random = 15;
  double worst = 0;
  Kernel *kernel = NULL;
  Buffer *buffers[3] = {NULL, NULL, NULL};
  for (size_t i = 0; i < ROWS * DEPTH; i++) a[i] = draw(&random, powers);
  for (size_t i = 0; i < DEPTH * COLUMNS; i++) b[i] = draw(&random, powers);
  for (size_t i = 0; i < ROWS * COLUMNS; i++) result[i] = NAN;
  assert_ok(buffer_create(&buffers[0], context, sizeof a, "a", error));
  assert_ok(buffer_create(&buffers[1], context, sizeof b, "b", error));
  assert_ok(buffer_create(&buffers[2], context, sizeof result, "result", error));
  assert_ok(buffer_write(buffers[0], 0, sizeof a, a, error));
  assert_ok(buffer_write(buffers[1], 0, sizeof b, b, error));
  assert_ok(buffer_write(buffers[2], 0, sizeof result, result, error));
  assert_ok(kernel_create(&kernel, context, "tensor_trial", "", "tensor_trial", error));
  assert_ok(kernel_launch(kernel, ((KernelRange){{32, 1, 1}, {32, 1, 1}}), error, ARG(buffers[0]), ARG(buffers[1]), ARG(buffers[2])));
  assert_ok(buffer_read(buffers[2], 0, sizeof result, result, error));
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < DEPTH; k++) {
        double product = (double)a[i * DEPTH + k] * (double)b[k * COLUMNS + j];
        sum += product, size += fabs(product);
      }
      double error = fabs((double)result[i * COLUMNS + j] - sum) / (eps * size);
      assert_false(isnan(error));
      if (error > worst) worst = error;
    }
  print_message("numbers over %g powers of two: worst error %.2f eps of the sum of |products|\n", powers, worst);
  if (worst > bound) fail_msg("%g eps, more than %g", worst, bound);
  kernel_destroy(kernel);
  for (int i = 0; i < 3; i++) buffer_destroy(buffers[i]);
}

static void test_product_is_nearly_f32(void **state) {
  Context *context = need_context(state);
  check_product(context, 0, 4);
  check_product(context, 6, 4);
  check_product(context, 60, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_product_is_nearly_f32)};
  return support_run("opencl_tensor", tests, open_fixture, close_fixture);
}
