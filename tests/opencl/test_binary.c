/* The cache of built programs: what comes back is what went in, and whatever is off is refused. */
#define CL_TARGET_OPENCL_VERSION 120
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "opencl/device_fixture.h"
#include "opencl/internal.h"

static char scratch[] = "/tmp/setosa-test-XXXXXX";
static const char options[] = "-cl-std=CL1.2 -DFACTOR=5";

static cl_program build_program(Context *context) {
  Text text = {0};
  cl_int code;
  assert_ok(source_load(&text, "tiny.cl", error));
  const char *source = text.text;
  cl_program program = clCreateProgramWithSource(context->handle, 1, &source, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_int_equal(clBuildProgram(program, 1, &context->device.id, options, NULL, NULL), CL_SUCCESS);
  text_free(&text);
  return program;
}

/* Runs scale_shift of a program with the driver's own calls. */
static float run_program(Context *context, cl_program program) {
  float value = 3;
  cl_int code;
  const cl_uint count = 1;
  const float shift = 0.5f;
  const size_t one = 1;
  cl_kernel kernel = clCreateKernel(program, "scale_shift", &code);
  assert_int_equal(code, CL_SUCCESS);
  Buffer *buffer = NULL;
  assert_ok(buffer_create(&buffer, context, sizeof value, "value", error));
  assert_ok(buffer_write(buffer, 0, sizeof value, &value, error));
  clSetKernelArg(kernel, 0, sizeof buffer->handle, &buffer->handle);
  clSetKernelArg(kernel, 1, sizeof buffer->handle, &buffer->handle);
  clSetKernelArg(kernel, 2, sizeof count, &count);
  clSetKernelArg(kernel, 3, sizeof shift, &shift);
  assert_int_equal(clEnqueueNDRangeKernel(context->queue, kernel, 1, NULL, &one, &one, 0, NULL, NULL), CL_SUCCESS);
  value = -1;
  assert_ok(buffer_read(buffer, 0, sizeof value, &value, error));
  buffer_destroy(buffer);
  clReleaseKernel(kernel);
  return value;
}

static void write_file(const char *path, const unsigned char *bytes, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static void test_round_trip(void **state) {
  Context *context = need_context(state);
  char path[256];
  snprintf(path, sizeof path, "%s/round.bin", scratch);
  assert_null(binary_load(context, path, options)); /* absent */
  cl_program built = build_program(context);
  binary_save(path, built);
  assert_true(file_exists(path));
  cl_program loaded = binary_load(context, path, options);
  assert_non_null(loaded);
  assert_float_equal(run_program(context, loaded), 15.5f, 0);
  clReleaseProgram(loaded);
  clReleaseProgram(built);
}

/* A bit flipped anywhere in header or payload, any truncation, anything appended: refused, never handed to the driver. */
static void test_damage(void **state) {
  Context *context = need_context(state);
  char path[256], damaged[256];
  unsigned char *bytes = NULL;
  size_t length = 0;
  snprintf(path, sizeof path, "%s/whole.bin", scratch);
  snprintf(damaged, sizeof damaged, "%s/damaged.bin", scratch);
  cl_program built = build_program(context);
  binary_save(path, built);
  clReleaseProgram(built);
  assert_ok(file_read_all(&bytes, &length, path, 1 << 28, error));
  for (size_t at = 0; at < length; at += at < 80 ? 1 : length / 16) {
    bytes[at] ^= 0x10;
    write_file(damaged, bytes, length);
    assert_null(binary_load(context, damaged, options));
    bytes[at] ^= 0x10;
  }
  const size_t cuts[] = {0, 1, 8, 63, 64, 65, length / 2, length - 1};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    write_file(damaged, bytes, cuts[i]);
    assert_null(binary_load(context, damaged, options));
  }
  unsigned char *longer = realloc(bytes, length + 1);
  assert_non_null(longer);
  longer[length] = 0;
  write_file(damaged, longer, length + 1);
  assert_null(binary_load(context, damaged, options));
  write_file(damaged, longer, length); /* as it was */
  cl_program loaded = binary_load(context, damaged, options);
  assert_non_null(loaded);
  clReleaseProgram(loaded);
  free(longer);
}

/* Nowhere to write is no error, and replacing a damaged file works. */
static void test_save(void **state) {
  Context *context = need_context(state);
  char path[256];
  cl_program built = build_program(context);
  binary_save("/nonexistent/folder/x.bin", built);
  snprintf(path, sizeof path, "%s/replaced.bin", scratch);
  write_file(path, (const unsigned char *)"rubbish", 7);
  assert_null(binary_load(context, path, options));
  binary_save(path, built);
  cl_program loaded = binary_load(context, path, options);
  assert_non_null(loaded);
  clReleaseProgram(loaded);
  clReleaseProgram(built);
}

/* The file's name depends on text, options and device, and there is none without a folder. */
static void test_path(void **state) {
  Context *context = need_context(state);
  char kept[1024], first[1024], second[1024];
  snprintf(kept, sizeof kept, "%s", getenv("XDG_CACHE_HOME") != NULL ? getenv("XDG_CACHE_HOME") : "");
  setenv("XDG_CACHE_HOME", scratch, 1);
  assert_true(binary_path(first, sizeof first, context, "text", "options"));
  assert_true(binary_path(second, sizeof second, context, "text", "options"));
  assert_string_equal(first, second);
  assert_true(binary_path(second, sizeof second, context, "text2", "options"));
  assert_string_not_equal(first, second);
  assert_true(binary_path(second, sizeof second, context, "texto", "ptions"));
  assert_string_not_equal(first, second);
  const char *driver = context->device.info.driver;
  context->device.info.driver = "another";
  assert_true(binary_path(second, sizeof second, context, "text", "options"));
  context->device.info.driver = driver;
  assert_string_not_equal(first, second);
  snprintf(second, sizeof second, "%s/file", scratch); /* not a folder */
  write_file(second, (const unsigned char *)"x", 1);
  setenv("XDG_CACHE_HOME", second, 1);
  assert_false(binary_path(first, sizeof first, context, "text", "options"));
  if (kept[0] != '\0')
    setenv("XDG_CACHE_HOME", kept, 1);
  else
    unsetenv("XDG_CACHE_HOME");
}

static int open_all(void **state) { return mkdtemp(scratch) != NULL ? open_fixture(state) : -1; }

static int close_all(void **state) {
  file_remove_below(scratch, NULL, NULL);
  rmdir(scratch);
  return close_fixture(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_save),
      cmocka_unit_test(test_path),
  };
  use_test_kernels();
  return support_run("opencl_binary", tests, open_all, close_all);
}
