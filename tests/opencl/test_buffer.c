/* Device memory: transfers, ranges, accounts, and host memory used in place. */
#include "base/memory.h"
#include "opencl/device_fixture.h"

enum { COUNT = 100 };

static void test_transfers(void **state) {
  Context *context = need_context(state);
  Buffer *a = NULL, *b = NULL;
  uint32_t in[COUNT], out[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) in[i] = i * i + 1;
  assert_ok(buffer_create(&a, context, sizeof in, "a", error));
  assert_ok(buffer_create(&b, context, sizeof in, "b", error));
  assert_int_equal(buffer_bytes(a), sizeof in);
  assert_ok(buffer_write(a, 0, sizeof in, in, error));
  assert_ok(buffer_write(b, 0, sizeof in, in, error));
  assert_ok(buffer_copy(b, 40, a, 0, 80, error));
  assert_ok(buffer_fill_zero(b, 200, 8, error));
  assert_ok(buffer_fill_zero(b, 213, 2, error)); /* not whole words */
  memset(out, 0xA5, sizeof out);
  assert_ok(buffer_read(b, 0, sizeof out, out, error));
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t expected = i >= 10 && i < 30 ? in[i - 10] : i == 50 || i == 51 ? 0 : i == 53 ? in[i] & 0xFF0000FFu : in[i];
    assert_int_equal(out[i], expected);
  }
  assert_ok(buffer_copy(a, 0, a, 200, 200, error)); /* halves of one buffer that touch */
  assert_ok(buffer_read(a, 0, 4, out, error));
  assert_int_equal(out[0], in[50]);
  assert_ok(buffer_read(a, 400, 0, NULL, error)); /* nothing, at the very end */
  assert_ok(buffer_write(a, 400, 0, NULL, error));
  assert_ok(context_flush(context, error));
  buffer_destroy(a);
  buffer_destroy(b);
  buffer_destroy(NULL);
}

static void test_ranges(void **state) {
  Context *context = need_context(state);
  Buffer *buffer = NULL, *other = NULL;
  char bytes[64];
  assert_ok(buffer_create(&buffer, context, 64, "partials", error));
  assert_ok(buffer_create(&other, context, 32, "other", error));
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_read(buffer, 1, 64, bytes, error), "partials", "read 64 bytes at 1", "64 bytes");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_read(buffer, 65, 0, bytes, error), "partials");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_read(buffer, SIZE_MAX, 2, bytes, error), "partials"); /* offset + bytes wraps around */
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_write(buffer, 2, SIZE_MAX, bytes, error), "write");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_fill_zero(buffer, 60, 5, error), "clear 5 bytes at 60");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_copy(other, 0, buffer, 0, 33, error), "other", "copy to");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_copy(buffer, 0, other, 1, 32, error), "other", "copy from");
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_copy(buffer, 0, buffer, 8, 16, error), "overlaps");
  buffer_destroy(buffer);
  buffer_destroy(other);
}

static void test_sizes(void **state) {
  Context *context = need_context(state);
  const DeviceTraits *traits = context_traits(context);
  Buffer *buffer = (Buffer *)state; /* must become NULL */
  assert_fails(SETOSA_ERROR_INTERNAL, buffer_create(&buffer, context, 0, "nothing", error), "nothing", "0 bytes");
  assert_null(buffer);
  assert_fails(SETOSA_ERROR_DEVICE, buffer_create(&buffer, context, traits->max_allocation_bytes + 1, "weights", error), "weights", "MB",
               context_info(context)->name, "--device");
  assert_fails(SETOSA_ERROR_DEVICE, buffer_create(&buffer, context, SIZE_MAX, "weights", error), "weights", "MB");
  assert_int_equal(context_bytes(context), 0);
}

static void test_accounts(void **state) {
  Context *context = need_context(state);
  uint64_t peak = context_peak_bytes(context);
  Buffer *a = NULL, *b = NULL;
  assert_ok(buffer_create(&a, context, 100000, "a", error));
  assert_ok(buffer_create(&b, context, 50000, "b", error));
  assert_int_equal(context_bytes(context), 150000);
  buffer_destroy(a);
  assert_int_equal(context_bytes(context), 50000);
  buffer_destroy(b);
  assert_int_equal(context_bytes(context), 0);
  assert_int_equal(context_peak_bytes(context), peak > 150000 ? peak : 150000);
}

/* A page-aligned array is used in place where memory is unified, and never written to; any other address gives a copy. */
static void test_host_memory(void **state) {
  Context *context = need_context(state);
  float *values = NULL, out[4];
  Buffer *aligned = NULL, *shifted = NULL;
  assert_ok(memory_allocate((void **)&values, 2048, sizeof *values, "values", error));
  for (int i = 0; i < 2048; i++) values[i] = (float)i;
  assert_ok(buffer_create_from(&aligned, context, values, 2048 * sizeof *values, "X", error));
  assert_ok(buffer_create_from(&shifted, context, values + 1, 2047 * sizeof *values, "shifted X", error));
  assert_ok(buffer_read(aligned, 4000, sizeof out, out, error));
  for (int i = 0; i < 4; i++) assert_float_equal(out[i], 1000 + i, 0);
  assert_ok(buffer_read(shifted, 4000, sizeof out, out, error));
  for (int i = 0; i < 4; i++) assert_float_equal(out[i], 1001 + i, 0);
  if (context_traits(context)->unified_memory) {
    assert_fails(SETOSA_ERROR_INTERNAL, buffer_write(aligned, 0, sizeof out, out, error), "X", "in place");
    assert_fails(SETOSA_ERROR_INTERNAL, buffer_fill_zero(aligned, 0, 4, error), "X", "in place");
    assert_fails(SETOSA_ERROR_INTERNAL, buffer_copy(aligned, 0, shifted, 0, 4, error), "X", "in place");
  }
  for (int i = 0; i < 2048; i++) assert_float_equal(values[i], (float)i, 0);
  buffer_destroy(aligned);
  buffer_destroy(shifted);
  free(values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),    cmocka_unit_test(test_transfers),   cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_accounts), cmocka_unit_test(test_host_memory),
  };
  return support_run("opencl_buffer", tests, open_fixture, close_fixture);
}
