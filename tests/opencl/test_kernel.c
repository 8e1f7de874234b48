/* Building, launching, reading back; and everything that is refused before a driver sees it. */
#include <math.h>

#include "opencl/device_fixture.h"

static void fill_nan(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = NAN;
}

static Buffer *make_buffer(Context *context, const float *values, size_t count) {
  Buffer *buffer = NULL;
  assert_ok(buffer_create(&buffer, context, count * sizeof *values, "test values", error));
  assert_ok(buffer_write(buffer, 0, count * sizeof *values, values, error));
  return buffer;
}

static Kernel *make_kernel(Context *context, const char *options, const char *name) {
  Kernel *kernel = NULL;
  assert_ok(kernel_create(&kernel, context, "tiny", options, name, error));
  return kernel;
}

static void test_scale_shift(void **state) {
  enum { COUNT = 37, GLOBAL = 40 }; /* the last group is not full */
  Context *context = need_context(state);
  float in[COUNT], out[COUNT];
  for (int i = 0; i < COUNT; i++) in[i] = (float)i;
  fill_nan(out, COUNT);
  Buffer *from = make_buffer(context, in, COUNT), *to = make_buffer(context, out, COUNT);
  Kernel *kernel = make_kernel(context, "-DFACTOR=3", "scale_shift");
  assert_ok(kernel_launch(kernel, ((KernelRange){{GLOBAL, 0, 0}, {8, 0, 0}}), error, ARG(from), ARG(to), ARG((uint32_t)COUNT), ARG(0.5f)));
  assert_ok(buffer_read(to, 0, sizeof out, out, error));
  for (int i = 0; i < COUNT; i++) assert_float_equal(out[i], 3 * (float)i + 0.5f, 0);
  kernel_destroy(kernel);
  buffer_destroy(from);
  buffer_destroy(to);
}

static void test_local_memory(void **state) {
  enum { GROUPS = 3, GROUP = 4 };
  Context *context = need_context(state);
  float in[GROUPS * GROUP], out[GROUPS];
  for (int i = 0; i < GROUPS * GROUP; i++) in[i] = (float)i;
  fill_nan(out, GROUPS);
  Buffer *from = make_buffer(context, in, GROUPS * GROUP), *to = make_buffer(context, out, GROUPS);
  Kernel *kernel = make_kernel(context, "", "sum_groups");
  const KernelRange range = {{GROUPS * GROUP, 0, 0}, {GROUP, 0, 0}};
  assert_ok(kernel_launch(kernel, range, error, ARG(from), ARG(to), kernel_argument_local(GROUP * sizeof(float)), ARG((uint64_t)GROUP)));
  assert_ok(buffer_read(to, 0, sizeof out, out, error));
  for (int g = 0; g < GROUPS; g++) assert_float_equal(out[g], (float)(16 * g + 6), 0);

  assert_fails(SETOSA_ERROR_DEVICE,
               kernel_launch(kernel, range, error, ARG(from), ARG(to), kernel_argument_local((size_t)1 << 40), ARG((uint64_t)GROUP)),
               "tiny.cl:sum_groups", "local memory", "--family");
  assert_fails(SETOSA_ERROR_INTERNAL,
               kernel_launch(kernel, range, error, ARG(from), ARG(to), kernel_argument_local(0), ARG((uint64_t)GROUP)), "0 bytes");
  kernel_destroy(kernel);
  buffer_destroy(from);
  buffer_destroy(to);
}

static void test_two_dimensions(void **state) {
  Context *context = need_context(state);
  float out[12];
  fill_nan(out, 12);
  Buffer *to = make_buffer(context, out, 12);
  Kernel *kernel = make_kernel(context, "", "write_index_2d");
  assert_ok(kernel_launch(kernel, ((KernelRange){{4, 3, 1}, {2, 1, 1}}), error, ARG(to)));
  assert_ok(buffer_read(to, 0, sizeof out, out, error));
  for (int i = 0; i < 12; i++) assert_float_equal(out[i], (float)(i / 4 * 10 + i % 4), 0);
  kernel_destroy(kernel);
  buffer_destroy(to);
}

static void test_wrong_arguments(void **state) {
  Context *context = need_context(state);
  float values[8] = {0};
  Buffer *buffer = make_buffer(context, values, 8);
  Kernel *kernel = make_kernel(context, "", "scale_shift");
  const KernelRange range = {{8, 1, 1}, {8, 1, 1}};
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_launch(kernel, range, error, ARG(buffer), ARG(buffer), ARG((uint32_t)8)),
               "tiny.cl:scale_shift", "3 arguments", "takes 4");
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_launch(kernel, range, error, ARG(buffer), ARG(buffer), ARG((uint64_t)8), ARG(1.0f)),
               "argument 2", "uint", "given ulong");
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_launch(kernel, range, error, ARG(buffer), ARG(1.0f), ARG((uint32_t)8), ARG(1.0f)),
               "argument 1", "a global buffer", "given float");
  assert_fails(SETOSA_ERROR_INTERNAL,
               kernel_launch(kernel, range, error, ARG(buffer), ARG(buffer), ARG((uint32_t)8), kernel_argument_local(4)), "argument 3",
               "float", "local memory");
  kernel_destroy(kernel);
  buffer_destroy(buffer);
}

static void test_wrong_ranges(void **state) {
  Context *context = need_context(state);
  float values[8] = {7, 7, 7, 7, 7, 7, 7, 7};
  Buffer *buffer = make_buffer(context, values, 8);
  Kernel *kernel = make_kernel(context, "", "scale_shift"), *fours = make_kernel(context, "", "only_fours");
  size_t largest = context_traits(context)->max_group_size;
#define LAUNCH(...) kernel_launch(kernel, ((KernelRange)__VA_ARGS__), error, ARG(buffer), ARG(buffer), ARG((uint32_t)0), ARG(1.0f))
  assert_fails(SETOSA_ERROR_INTERNAL, LAUNCH({{7, 1, 1}, {2, 1, 1}}), "tiny.cl:scale_shift", "7 work-items", "groups of 2");
  assert_fails(SETOSA_ERROR_INTERNAL, LAUNCH({{8, 1, 1}, {0, 1, 1}}), "tiny.cl:scale_shift", "groups of 0");
  assert_fails(SETOSA_ERROR_INTERNAL, LAUNCH({{8, 3, 1}, {8, 2, 1}}), "dimension 1");
  assert_fails(SETOSA_ERROR_DEVICE, LAUNCH({{largest * 2, 1, 1}, {largest * 2, 1, 1}}), "tiny.cl:scale_shift", "work-group");
  assert_fails(SETOSA_ERROR_DEVICE, LAUNCH({{largest, 2, 1}, {largest, 2, 1}}), "tiny.cl:scale_shift", "work-group");
  assert_fails(SETOSA_ERROR_DEVICE, LAUNCH({{(size_t)1 << 40, (size_t)1 << 40, 1}, {(size_t)1 << 40, (size_t)1 << 40, 1}}), "work-group");
  assert_ok(LAUNCH({{0, 1, 1}, {8, 1, 1}})); /* empty: nothing runs */
#undef LAUNCH
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_launch(fours, ((KernelRange){{8, 0, 0}, {8, 0, 0}}), error, ARG(buffer)), "only_fours",
               "requires 4 x 1 x 1");
  assert_ok(context_finish(context, error));
  assert_ok(buffer_read(buffer, 0, sizeof values, values, error));
  for (int i = 0; i < 8; i++) assert_float_equal(values[i], 7, 0);
  assert_ok(kernel_launch(fours, ((KernelRange){{8, 0, 0}, {4, 0, 0}}), error, ARG(buffer)));
  assert_ok(buffer_read(buffer, 0, sizeof values, values, error));
  for (int i = 0; i < 8; i++) assert_float_equal(values[i], 4, 0);
  kernel_destroy(kernel);
  kernel_destroy(fours);
  buffer_destroy(buffer);
}

static void test_program_is_shared(void **state) {
  Context *context = need_context(state);
  Kernel *first = make_kernel(context, "-DFACTOR=7", "scale_shift");
  double seconds = context_build_seconds(context);
  assert_true(seconds > 0);
  Kernel *second = make_kernel(context, "-DFACTOR=7", "sum_groups");
  assert_true(context_build_seconds(context) == seconds);
  Kernel *third = make_kernel(context, "-DFACTOR=8", "scale_shift");
  assert_true(context_build_seconds(context) > seconds);
  kernel_destroy(first);
  kernel_destroy(second);
  kernel_destroy(third);
}

static void test_build_errors(void **state) {
  Context *context = need_context(state);
  Kernel *kernel = (Kernel *)state; /* must become NULL */
  assert_fails(SETOSA_ERROR_DEVICE, kernel_create(&kernel, context, "broken", "-DFACTOR=2", "broken", error), "kernels/broken.cl",
               "-DFACTOR=2", "CL_BUILD_PROGRAM_FAILURE (-11)", "kernels/broken.cl:5", "undeclared_thing");
  assert_null(kernel);
  assert_fails(SETOSA_ERROR_DEVICE, kernel_create(&kernel, context, "broken_inside", "", "broken_inside", error),
               "kernels/broken_inside.cl", "kernels/broken.clh:2", "missing_name");
  assert_fails(SETOSA_ERROR_DEVICE, kernel_create(&kernel, context, "absent", "", "absent", error), "kernels/absent.cl:1", "absent.clh");
  assert_fails(SETOSA_ERROR_DEVICE, kernel_create(&kernel, context, "no_such_file", "", "x", error), "no_such_file.cl",
               "SETOSA_KERNEL_DIR");
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_create(&kernel, context, "circle", "", "circle", error), "kernels/circle.cl:1", "circle");
  assert_fails(SETOSA_ERROR_INTERNAL, kernel_create(&kernel, context, "tiny", "", "no_such_kernel", error), "kernels/tiny.cl",
               "no_such_kernel");
  kernel_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scale_shift),     cmocka_unit_test(test_local_memory), cmocka_unit_test(test_two_dimensions),
      cmocka_unit_test(test_wrong_arguments), cmocka_unit_test(test_wrong_ranges), cmocka_unit_test(test_program_is_shared),
      cmocka_unit_test(test_build_errors),
  };
  use_test_kernels();
  return support_run("opencl_kernel", tests, open_fixture, close_fixture);
}
