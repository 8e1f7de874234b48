/* Products of kernels/tensor.clh. Where there are no tensor cores they are emulated, fragments and all. */
#include <math.h>

#include "opencl/device_fixture.h"
#include "opencl/tensor.h"
#include "support/plant.h"

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

/* A device that leaves out what tf32 cuts off, or does not build the kernel, is found out. */
static void test_trial_tells_right_from_wrong(void **state) {
  Context *context = need_context(state);
  static const struct {
    const char *file, *right, *wrong;
  } mistakes[] = {{"tensor.clh", "small = whole_ - big", "small = 0 * (whole_ - big)"},
                  {"tensor.clh", "2 * t_ + s_ % 2", "2 * t_ + 1 - s_ % 2"},
                  {"tensor_trial.cl", "uint item", "uint no item"}};
  assert_true(tensor_works(context));
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    char folder[SUPPORT_PATH];
    Context *fresh = NULL; /* with no program yet */
    support_folder_create(folder);
    plant(folder, mistakes[i].file, mistakes[i].right, mistakes[i].wrong);
    setenv("SETOSA_KERNEL_DIR", folder, 1);
    assert_ok(context_open(&fresh, ((Fixture *)*state)->list, context_info(context)->index, error));
    bool works = tensor_works(fresh);
    context_close(fresh);
    unsetenv("SETOSA_KERNEL_DIR");
    support_folder_remove(folder);
    if (works) fail_msg("\"%s\" was not noticed", mistakes[i].wrong);
  }
}

/* Only NVIDIA's drivers are asked, and the environment has the last word. */
static void test_environment_decides(void **state) {
  Context *context = need_context(state);
  cl_device_id device = context->device.id;
  assert_false(tensor_promised(device, VENDOR_NVIDIA)); /* this one does not know its compute capability */
  setenv("SETOSA_TENSOR_CORES", "1", 1);
  assert_true(tensor_promised(device, VENDOR_NVIDIA));
  assert_false(tensor_promised(device, VENDOR_AMD));
  setenv("SETOSA_TENSOR_CORES", "0", 1);
  assert_false(tensor_promised(device, VENDOR_NVIDIA));
  unsetenv("SETOSA_TENSOR_CORES");
  assert_false(context_traits(context)->tensor_cores);
  assert_false(tensor_usable(context));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_product_is_nearly_f32),
      cmocka_unit_test(test_trial_tells_right_from_wrong),
      cmocka_unit_test(test_environment_decides),
  };
  return support_run("opencl_tensor", tests, open_fixture, close_fixture);
}
