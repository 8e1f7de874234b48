/* Errors, checked allocation, clock. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/support.h"

/* AddressSanitizer is to refuse absurd sizes as malloc does, not to end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

static void the_first_error_wins(void **state) {
  (void)state;
  Error error = {0};
  assert_int_equal(error_set(&error, SETOSA_ERROR_DATA, "a\nb\r%d", 7), SETOSA_ERROR_DATA);
  assert_int_equal(error_set_opencl(&error, SETOSA_ERROR_DEVICE, -5, "later"), SETOSA_ERROR_DEVICE);
  support_fails(SETOSA_ERROR_DATA, &error, SETOSA_ERROR_DATA, "a b 7");
  assert_int_equal(error.opencl_code, 0);
  error_prefix(&error, "file:%d", 3);
  assert_string_equal(error.message, "file:3: a b 7");
  error_clear(&error);
  assert_int_equal(error.status, SETOSA_OK);
  error_prefix(&error, "nothing to prefix");
  assert_string_equal(error.message, "");
  error_set_opencl(&error, SETOSA_ERROR_DEVICE, -5, "device");
  assert_int_equal(error.opencl_code, -5);
  assert_int_equal(error_set(NULL, SETOSA_ERROR_DATA, "into nothing"), SETOSA_ERROR_DATA);
  error_prefix(NULL, "x");
  error_clear(NULL);
}

static void long_messages_are_cut_not_overrun(void **state) {
  (void)state;
  char text[3000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  Error error = {0};
  error_set(&error, SETOSA_ERROR_DATA, "%s", text);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
  error_prefix(&error, "here");
  assert_int_equal(strncmp(error.message, "here: xxx", 9), 0);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
  error_prefix(&error, "%s", text); /* a prefix that fills the message leaves it as it was */
  assert_int_equal(strncmp(error.message, "here: xxx", 9), 0);
}

static void products_are_checked(void **state) {
  (void)state;
  size_t product = 7;
  Error error = {0};
  support_ok(memory_multiply(&product, (size_t)1 << 31, (size_t)1 << 31, "x", &error), &error);
  assert_int_equal(product, (size_t)1 << 62);
  support_ok(memory_multiply(&product, 0, SIZE_MAX, "x", &error), &error);
  assert_int_equal(product, 0);
  support_fails(memory_multiply(&product, (size_t)1 << 32, (size_t)1 << 31, "rows", &error), &error, SETOSA_ERROR_USAGE,
                "rows: 4294967296 x 2147483648");
  error_clear(&error);
  support_fails(memory_multiply(&product, SIZE_MAX, SIZE_MAX, "rows", &error), &error, SETOSA_ERROR_USAGE, "rows:");
}

static void allocations_are_aligned_and_checked(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 1000000};
  Error error = {0};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    unsigned char *bytes = NULL;
    support_ok(memory_allocate((void **)&bytes, sizes[i], 1, "bytes", &error), &error);
    assert_non_null(bytes);
    if (sizes[i] >= 4096) assert_int_equal((uintptr_t)bytes % MEMORY_ALIGNMENT, 0);
    memset(bytes, 0xAB, sizes[i]);
    free(bytes);
    support_ok(memory_allocate_zero((void **)&bytes, 1, sizes[i], "bytes", &error), &error);
    for (size_t j = 0; j < sizes[i]; j++) assert_int_equal(bytes[j], 0);
    free(bytes);
  }
  void *none = &error;
  support_fails(memory_allocate(&none, SIZE_MAX, 8, "rows", &error), &error, SETOSA_ERROR_USAGE, "rows:");
  assert_null(none);
  error_clear(&error);
  support_fails(memory_allocate(&none, (size_t)1 << 62, 1, "rows", &error), &error, SETOSA_ERROR_INTERNAL, "out of memory");
  assert_null(none);
}

static void arrays_grow_and_keep_their_content(void **state) {
  (void)state;
  int *array = NULL;
  size_t capacity = 0;
  Error error = {0};
  for (int i = 0; i < 5000; i++) {
    support_ok(memory_grow((void **)&array, &capacity, (size_t)i + 1, sizeof *array, "numbers", &error), &error);
    assert_true(capacity > (size_t)i);
    array[i] = i;
  }
  for (int i = 0; i < 5000; i++) assert_int_equal(array[i], i);
  size_t before = capacity;
  support_fails(memory_grow((void **)&array, &capacity, SIZE_MAX, sizeof *array, "numbers", &error), &error, SETOSA_ERROR_USAGE,
                "numbers:");
  assert_int_equal(capacity, before);
  assert_int_equal(array[4999], 4999);
  free(array);
  char *copy = (char *)&error;
  support_ok(memory_copy_text(&copy, NULL, NULL), NULL);
  assert_null(copy);
  support_ok(memory_copy_text(&copy, "text", NULL), NULL);
  assert_string_equal(copy, "text");
  free(copy);
}

/* More elements than any doubling reaches: an error, not an array that is too small. */
static void growth_beyond_the_last_doubling_fails(void **state) {
  (void)state;
  char *array = NULL;
  size_t capacity = 0;
  Error error = {0};
  Status status = memory_grow((void **)&array, &capacity, SIZE_MAX, 1, "bytes", &error);
  assert_int_not_equal(status, SETOSA_OK);
  assert_null(array);
  assert_int_equal(capacity, 0);
}

static void the_clock_goes_forward(void **state) {
  (void)state;
  double before = clock_seconds();
  for (int i = 0; i < 1000; i++) {
    double now = clock_seconds();
    assert_true(now >= before && now - before < 10);
    before = now;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_error_wins),
      cmocka_unit_test(long_messages_are_cut_not_overrun),
      cmocka_unit_test(products_are_checked),
      cmocka_unit_test(allocations_are_aligned_and_checked),
      cmocka_unit_test(arrays_grow_and_keep_their_content),
      cmocka_unit_test(growth_beyond_the_last_doubling_fails),
      cmocka_unit_test(the_clock_goes_forward),
  };
  return support_run("base_memory", tests, NULL, NULL);
}
