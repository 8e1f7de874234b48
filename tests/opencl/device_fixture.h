/* The first usable device for a whole test program; an explicit skip when there is none. SETOSA_KERNEL_DIR points at tests/opencl/kernels.
 */
#ifndef SETOSA_TESTS_DEVICE_FIXTURE_H
#define SETOSA_TESTS_DEVICE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opencl/kernel.h"
#include "support/support.h"

typedef struct Fixture {
  DeviceList *list;
  Context *context;
} Fixture;

static inline void use_test_kernels(void) {
  char path[4096];
  const char *root = getenv("SETOSA_SOURCE_DIR");
  snprintf(path, sizeof path, "%s/tests/opencl/kernels", root != NULL ? root : ".");
  setenv("SETOSA_KERNEL_DIR", path, 1);
}

static inline int open_fixture(void **state) {
  static Fixture fixture;
  size_t index;
  Error error = {0};
  if (device_list_open(&fixture.list, &error) != SETOSA_OK) return -1;
  if (device_list_select(fixture.list, NULL, false, &index, &error) == SETOSA_OK &&
      context_open(&fixture.context, fixture.list, index, &error) != SETOSA_OK) {
    fprintf(stderr, "%s\n", error.message);
    return -1;
  }
  *state = &fixture;
  return 0;
}

static inline int close_fixture(void **state) {
  Fixture *fixture = *state;
  context_close(fixture->context);
  device_list_close(fixture->list);
  return 0;
}

/* The context, or a skip. */
static inline Context *need_context(void **state) {
  Context *context = ((Fixture *)*state)->context;
  if (context == NULL) support_skip("no usable OpenCL device");
  return context;
}

#define assert_ok(call)                                                 \
  do {                                                                  \
    Error error_ = {0};                                                 \
    Error *error = &error_;                                             \
    if ((call) != SETOSA_OK) fail_msg("%s: %s", #call, error_.message); \
  } while (0)

/* The call must fail with that status, and its message must hold every text of a NULL-ended list. */
#define assert_fails(expected_status, call, ...)                                                                   \
  do {                                                                                                             \
    Error error_ = {0};                                                                                            \
    Error *error = &error_;                                                                                        \
    const char *const texts_[] = {__VA_ARGS__, NULL};                                                              \
    assert_int_equal((call), expected_status);                                                                     \
    assert_int_equal(error_.status, expected_status);                                                              \
    assert_null(strchr(error_.message, '\n'));                                                                     \
    for (size_t t_ = 0; texts_[t_] != NULL; t_++)                                                                  \
      if (strstr(error_.message, texts_[t_]) == NULL) fail_msg("\"%s\" lacks \"%s\"", error_.message, texts_[t_]); \
  } while (0)

#endif
