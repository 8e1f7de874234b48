/* Sub-devices: two halves of a device compute at the same time, each on its own compute units, and share what is remembered of the whole.
 */
#include <malloc.h>
#include <math.h>

#include "opencl/device_fixture.h"

/* A list and its first usable device of two compute units or more that can be cut; or a skip. */
static DeviceList *need_divisible(size_t *index) {
  DeviceList *list = NULL;
  assert_ok(device_list_open(&list, error));
  for (size_t i = 0; i < device_list_count(list); i++) {
    Context *half = NULL;
    *index = i;
    if (!device_list_get(list, i)->usable || context_open_part(&half, list, i, 0, 2, NULL) != SETOSA_OK) continue;
    context_close(half);
    return list;
  }
  device_list_close(list);
  support_skip("no device that can be cut in two");
}

static void test_halves_are_devices(void **state) {
  (void)state;
  size_t index = 0;
  DeviceList *list = need_divisible(&index);
  const SetosaDeviceInfo *whole = device_list_get(list, index);
  Context *context = NULL, *halves[2] = {NULL, NULL};
  char expected[33], found[33], name[512];
  unsetenv("SETOSA_KERNEL_DIR");
  assert_ok(context_open(&context, list, index, error));
  context_fingerprint(context, expected);
  assert_int_equal(strlen(expected), 32);
  for (size_t i = 0; i < 2; i++) {
    assert_ok(context_open_part(&halves[i], list, index, i, 2, error));
    const SetosaDeviceInfo *info = context_info(halves[i]);
    snprintf(name, sizeof name, "%s part %zu of 2", whole->name, i + 1);
    assert_string_equal(info->name, name);
    assert_int_equal(info->index, index);
    assert_int_equal(info->compute_units, whole->compute_units / 2);
    assert_int_equal(context_traits(halves[i])->compute_units, whole->compute_units / 2);
    assert_int_equal(context_traits(halves[i])->family, context_traits(context)->family);
    context_fingerprint(halves[i], found);
    assert_string_equal(found, expected);
  }
  context_close(halves[0]);
  context_close(halves[1]);
  context_close(context);
  device_list_close(list);
}

/* Both are at work before either is waited for, and one goes on when the other is closed. */
static void test_halves_compute(void **state) {
  (void)state;
  enum { COUNT = 1000 };
  size_t index = 0;
  DeviceList *list = need_divisible(&index);
  Context *halves[2] = {NULL, NULL};
  Kernel *kernels[2] = {NULL, NULL};
  Buffer *in[2] = {NULL, NULL}, *out[2] = {NULL, NULL};
  float values[COUNT], results[COUNT];
  use_test_kernels();
  for (size_t i = 0; i < COUNT; i++) values[i] = (float)i;
  for (size_t h = 0; h < 2; h++) {
    assert_ok(context_open_part(&halves[h], list, index, h, 2, error));
    assert_ok(kernel_create(&kernels[h], halves[h], "tiny", "", "scale_shift", error));
    assert_ok(buffer_create(&in[h], halves[h], sizeof values, "values", error));
    assert_ok(buffer_create(&out[h], halves[h], sizeof values, "results", error));
    assert_ok(buffer_write(in[h], 0, sizeof values, values, error));
    for (size_t i = 0; i < COUNT; i++) results[i] = NAN;
    assert_ok(buffer_write(out[h], 0, sizeof results, results, error));
  }
  for (size_t h = 0; h < 2; h++)
    assert_ok(kernel_launch(kernels[h], ((KernelRange){{COUNT, 0, 0}, {8, 0, 0}}), error, ARG(in[h]), ARG(out[h]), ARG((uint32_t)COUNT),
                            ARG((float)(h + 2))));
  for (size_t h = 0; h < 2; h++) {
    assert_ok(context_finish(halves[h], error));
    assert_ok(buffer_read(out[h], 0, sizeof results, results, error));
    for (size_t i = 0; i < COUNT; i++) assert_true(results[i] == values[i] + (float)(h + 2));
    buffer_destroy(in[h]);
    buffer_destroy(out[h]);
    kernel_destroy(kernels[h]);
    context_close(halves[h]);
  }
  device_list_close(list);
}

/* PoCL's threads look at the device of a finished command after its context was closed. Here the command lives on for as long as its mark;
 * memory that was freed holds no addresses. */
static void test_commands_outlive_their_context(void **state) {
  (void)state;
  size_t index = 0;
  DeviceList *list = need_divisible(&index);
#ifdef M_PERTURB
  mallopt(M_PERTURB, 0x5a);
#endif
  for (size_t i = 0; i < 2; i++) {
    Context *half = NULL;
    Mark *mark = NULL;
    assert_ok(context_open_part(&half, list, index, i, 2, error));
    assert_ok(context_mark(half, &mark, error));
    context_close(half);
    mark_destroy(mark);
  }
#ifdef M_PERTURB
  mallopt(M_PERTURB, 0);
#endif
  device_list_close(list);
}

static void test_what_cannot_be_cut(void **state) {
  (void)state;
  size_t index = 0;
  DeviceList *list = need_divisible(&index);
  size_t units = device_list_get(list, index)->compute_units;
  Context *context = NULL;
  assert_fails(SETOSA_ERROR_USAGE, context_open_part(&context, list, index, 2, 2, error), "has no part 3 of 2");
  assert_fails(SETOSA_ERROR_USAGE, context_open_part(&context, list, index, 0, 0, error), "cut into 0 parts makes no sense");
  assert_fails(SETOSA_ERROR_USAGE, context_open_part(&context, list, index, 1, 1, error), "cut into 1 part makes no sense");
  assert_fails(SETOSA_ERROR_DEVICE, context_open_part(&context, list, index, 0, units + 1, error), "too few for");
  assert_fails(SETOSA_ERROR_DEVICE, context_open_part(&context, list, device_list_count(list), 0, 2, error), "there is no device");
  assert_null(context);
  for (size_t part = 0; part < units; part++) { /* to the last compute unit */
    if (units < 2) break;
    assert_ok(context_open_part(&context, list, index, part, units, error));
    assert_int_equal(context_info(context)->compute_units, 1);
    context_close(context);
    context = NULL;
  }
  device_list_close(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_halves_are_devices),
      cmocka_unit_test(test_halves_compute),
      cmocka_unit_test(test_commands_outlive_their_context),
      cmocka_unit_test(test_what_cannot_be_cut),
  };
  return support_run("opencl_parts", tests, NULL, NULL);
}
