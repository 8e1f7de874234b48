/* Sources as programs see them: the embedded table, and includes with their #line directives. */
#include "opencl/device_fixture.h"
#include "opencl/embedded.h"

#define CL_TARGET_OPENCL_VERSION 120
#include "base/file.h"
#include "opencl/internal.h"

/* The table holds every byte of every file of kernels/. */
static void test_embedded_is_what_is_on_disk(void **state) {
  (void)state;
  const char *root = getenv("SETOSA_SOURCE_DIR");
  assert_true(embedded_source_count > 0);
  assert_null(embedded_sources[embedded_source_count].name);
  assert_non_null(root); /* set by CTest */
  for (size_t i = 0; i < embedded_source_count; i++) {
    char path[4096];
    unsigned char *bytes = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/kernels/%s", root, embedded_sources[i].name);
    assert_ok(file_read_all(&bytes, &length, path, 1 << 24, error));
    assert_int_equal(length, embedded_sources[i].length);
    assert_memory_equal(bytes, embedded_sources[i].text, length);
    assert_int_equal(embedded_sources[i].text[length], 0);
    free(bytes);
  }
}

/* Every embedded file expands, with no include of ours left for the driver to miss. */
static void test_embedded_includes_resolve(void **state) {
  (void)state;
  for (size_t i = 0; i < embedded_source_count; i++) {
    Text text = {0};
    assert_ok(source_load(&text, embedded_sources[i].name, error));
    assert_null(strstr(text.text, "#include \""));
    text_free(&text);
  }
}

static void test_unknown_source(void **state) {
  (void)state;
  Text text = {0};
  assert_fails(SETOSA_ERROR_INTERNAL, source_load(&text, "no_such.cl", error), "kernels/no_such.cl", "SETOSA_KERNEL_DIR");
  assert_null(text.text);
}

static void test_lines(void **state) {
  (void)state;
  Text text = {0};
  use_test_kernels();
  assert_ok(source_load(&text, "broken.cl", error));
  assert_non_null(strstr(text.text, "#line 1 \"kernels/broken.cl\"\n// The 5th line"));
  assert_non_null(strstr(text.text, "\n#line 1 \"kernels/tiny.clh\"\n#ifndef TINY_CLH"));
  assert_non_null(strstr(text.text, "\n#line 1 \"kernels/tiny_deeper.clh\"\nstatic inline"));
  assert_non_null(strstr(text.text, "\n#line 4 \"kernels/tiny.clh\"\nstatic inline"));
  assert_non_null(strstr(text.text, "\n#line 3 \"kernels/broken.cl\"\n\nkernel void"));
  text_free(&text);
  unsetenv("SETOSA_KERNEL_DIR");
}

/* A kernel of the library itself builds on the device, with one file including another. */
static void test_embedded_builds(void **state) {
  Context *context = need_context(state);
  Kernel *kernel = NULL;
  assert_null(getenv("SETOSA_KERNEL_DIR"));
  assert_ok(kernel_create(&kernel, context, "vector", "", "multiply", error));
  float a[3] = {1, 2, 3}, out[3] = {-1, -1, -1};
  Buffer *from = NULL, *to = NULL;
  assert_ok(buffer_create_from(&from, context, a, sizeof a, "a", error));
  assert_ok(buffer_create(&to, context, sizeof out, "out", error));
  assert_ok(kernel_launch(kernel, ((KernelRange){{3, 0, 0}, {1, 0, 0}}), error, ARG(to), ARG(from), ARG(from), ARG((uint64_t)3)));
  assert_ok(buffer_read(to, 0, sizeof out, out, error));
  for (int i = 0; i < 3; i++) assert_float_equal(out[i], a[i] * a[i], 0);
  buffer_destroy(from);
  buffer_destroy(to);
  kernel_destroy(kernel);
}

/* ---- what only some compilers take ----------------------------------------------------------------------------------- */

/* Builtins of Clang stand where a macro of the host's allows them: a driver that goes through SPIR-V ends the process at one. */
static void test_builtins_are_allowed_by_the_host(void **state) {
  (void)state;
  size_t allowed = 0;
  for (size_t i = 0; i < embedded_source_count; i++) {
    bool inside = false;
    for (const char *line = embedded_sources[i].text; *line != '\0';) {
      size_t length = strcspn(line, "\n");
      if (strncmp(line, "#ifdef PREFETCH", length) == 0 && length == strlen("#ifdef PREFETCH")) inside = true;
      if (strncmp(line, "#else", 5) == 0 || strncmp(line, "#endif", 6) == 0) inside = false;
      if (memmem(line, length, "__builtin_", strlen("__builtin_")) != NULL) {
        if (!inside) fail_msg("kernels/%s: %.*s", embedded_sources[i].name, (int)length, line);
        allowed++;
      }
      line += length + (line[length] == '\n');
    }
  }
  assert_int_equal(allowed, 1);
}

static const char *options_for(const char *platform, SetosaDeviceType type) {
  return quirks_build_options(&(DeviceRecord){.info = {.platform = platform, .type = type}});
}

static void test_who_may_prefetch(void **state) {
  (void)state;
  assert_string_equal(options_for("Portable Computing Language", SETOSA_DEVICE_CPU), " -DPREFETCH");
  assert_string_equal(options_for("Intel(R) OpenCL", SETOSA_DEVICE_CPU), " -DPREFETCH");
  assert_string_equal(options_for("Portable Computing Language", SETOSA_DEVICE_GPU), "");
  static const char *const others[] = {"rusticl", "Intel(R) OpenCL Graphics", "NVIDIA CUDA", "Oclgrind", "Clover"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_string_equal(options_for(others[i], SETOSA_DEVICE_CPU), "");
    assert_string_equal(options_for(others[i], SETOSA_DEVICE_GPU), "");
  }
}

/* And the compiler is told so. */
static void test_the_compiler_is_told(void **state) {
  Context *context = need_context(state);
  Kernel *kernel = NULL;
  Buffer *out = NULL;
  float told = -1;
  use_test_kernels();
  assert_ok(kernel_create(&kernel, context, "told", "", "told", error));
  unsetenv("SETOSA_KERNEL_DIR");
  assert_ok(buffer_create(&out, context, sizeof told, "out", error));
  assert_ok(kernel_launch(kernel, ((KernelRange){{1, 0, 0}, {1, 0, 0}}), error, ARG(out)));
  assert_ok(buffer_read(out, 0, sizeof told, &told, error));
  assert_float_equal(told, quirks_build_options(&context->device)[0] != '\0' ? 1 : 0, 0);
  buffer_destroy(out);
  kernel_destroy(kernel);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_embedded_is_what_is_on_disk),
      cmocka_unit_test(test_embedded_includes_resolve),
      cmocka_unit_test(test_unknown_source),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_embedded_builds),
      cmocka_unit_test(test_builtins_are_allowed_by_the_host),
      cmocka_unit_test(test_who_may_prefetch),
      cmocka_unit_test(test_the_compiler_is_told),
  };
  return support_run("opencl_source", tests, open_fixture, close_fixture);
}
