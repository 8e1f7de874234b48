/* Limits of the host and of a device are what a clock beside them sees. No test of how fast anything is. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/limits.h"
#include "opencl/kernel.h"
#include "support/device.h"

/* Work over time of the kernel that was chosen, on a machine that others may use meanwhile: a wrong unit or count is off by far more. */
static void check_rate(Limits *limits, int read, double measured) {
  Error error = {0};
  double work = 0, best = DBL_MAX;
  for (int sample = 0; sample < 5; sample++) {
    double began = clock_seconds();
    support_ok(limits->operations->run(limits, read, limits->best[read], limits->rounds[read], &work, &error), &error);
    best = fmin(best, clock_seconds() - began);
  }
  double rate = 1e-9 * work / best;
  if (!(measured > rate / 8 && measured < rate * 8)) fail_msg("%s: %g, a clock says %g", read ? "read" : "fma", measured, rate);
}

static void host_limits_agree_with_a_clock(void **state) {
  (void)state;
  Error error = {0};
  Limits *limits = NULL;
  SetosaBenchLimits measured = {.fma_gflops = NAN};
  support_ok(limits_open_host(&limits, &error), &error);
  support_ok(limits_measure(limits, &measured, &error), &error);
  check_rate(limits, 0, measured.fma_gflops);
  check_rate(limits, 1, measured.read_gbytes_per_s);
  limits_close(limits);
  assert_true(isnan(measured.upload_gbytes_per_s) && isnan(measured.launch_us)); /* nothing is uploaded and nothing launched */
}

/* Work is counted, not guessed: twice the rounds are twice the work, for every kernel of both kinds. */
static void check_counting(Limits *limits) {
  Error error = {0};
  for (int read = 0; read <= 1; read++) {
    size_t count = limits->operations->count(limits, read);
    assert_true(count > 0 && limits->best[read] < count && limits->rounds[read] > 0);
    for (size_t which = 0; which < count; which++) {
      double once = 0, twice = 0;
      support_ok(limits->operations->run(limits, read, which, 1, &once, &error), &error);
      support_ok(limits->operations->run(limits, read, which, 2, &twice, &error), &error);
      assert_true(once > 0);
      support_near(twice / once, 2, 1e-12);
    }
  }
}

static void work_is_counted(void **state) {
  (void)state;
  Error error = {0};
  Limits *limits = NULL;
  support_ok(limits_open_host(&limits, &error), &error);
  check_counting(limits);
  limits_close(limits);
}

/* Copies of 64 MB there and back; a launch takes no nanoseconds and no tenth of a second. */
static void check_transfers(Context *context, const SetosaBenchLimits *measured) {
  enum { BYTES = 64 << 20, SAMPLES = 5 };
  Error error = {0};
  Buffer *buffer = NULL;
  double up = DBL_MAX, down = DBL_MAX;
  char *host = calloc(BYTES, 1);
  assert_non_null(host);
  support_ok(buffer_create(&buffer, context, BYTES, "bytes", &error), &error);
  for (int sample = 0; sample < SAMPLES; sample++) {
    double began = clock_seconds();
    support_ok(buffer_write(buffer, 0, BYTES, host, &error), &error);
    support_ok(context_finish(context, &error), &error);
    up = fmin(up, clock_seconds() - began);
    began = clock_seconds();
    support_ok(buffer_read(buffer, 0, BYTES, host, &error), &error);
    down = fmin(down, clock_seconds() - began);
  }
  buffer_destroy(buffer);
  free(host);
  const double seen[] = {1e-9 * BYTES / up, 1e-9 * BYTES / down}, said[] = {measured->upload_gbytes_per_s, measured->download_gbytes_per_s};
  for (int i = 0; i < 2; i++)
    if (!(said[i] > seen[i] / 8 && said[i] < seen[i] * 8))
      fail_msg("%s: %g GB/s, a clock says %g", i ? "download" : "upload", said[i], seen[i]);
  assert_true(measured->launch_us > 0.01 && measured->launch_us < 1e5);
}

static void device_limits_agree_with_a_clock(void **state) {
  (void)state;
  Error error = {0};
  Context *context = support_device();
  Limits *limits = NULL;
  SetosaBenchLimits measured = {.fma_gflops = NAN};
  support_ok(limits_open_device(&limits, context, &error), &error);
  support_ok(limits_measure(limits, &measured, &error), &error);
  check_counting(limits);
  check_rate(limits, 0, measured.fma_gflops);
  check_rate(limits, 1, measured.read_gbytes_per_s);
  limits_close(limits);
  assert_int_equal(context_bytes(context), 0);
  check_transfers(context, &measured);
}

/* The kernels do the work they are credited with, in groups of one (cpu family) and of many (gpu family): every element of x is read once,
 * since x holds other numbers each time; and every chain runs, since a = a / 2 + 1 ends at 2 only when it does. */
static void check_kernels(Context *context, size_t items) {
  enum { GROUPS = 3, SLICES = 2 };
  static const struct {
    const char *name;
    size_t lanes, chains;
  } fma[] = {{"fma_1x8", 1, 8},   {"fma_1x12", 1, 12}, {"fma_4x8", 4, 8},    {"fma_8x8", 8, 8},
             {"fma_8x12", 8, 12}, {"fma_16x8", 16, 8}, {"fma_16x12", 16, 12}},
    read[] = {{"read_1", 1, 4}, {"read_4", 4, 4}, {"read_8", 8, 4}, {"read_16", 16, 4}};
  Error error = {0};
  Buffer *x = NULL, *out = NULL;
  Kernel *kernel = NULL;
  size_t most = GROUPS * SLICES * items * 4 * 16;
  float *values = malloc(most * sizeof *values), *sums = malloc(GROUPS * items * sizeof *sums);
  assert_true(values != NULL && sums != NULL);
  for (size_t i = 0; i < most; i++) values[i] = (float)(i % 7 + 1);
  KernelRange range = {.global = {GROUPS * items}, .local = {items}};
  support_ok(buffer_create(&x, context, most * sizeof *values, "x", &error), &error);
  support_ok(buffer_create(&out, context, GROUPS * items * sizeof *sums, "sums", &error), &error);
  support_ok(buffer_write(x, 0, most * sizeof *values, values, &error), &error);
  for (size_t k = 0; k < sizeof fma / sizeof *fma + sizeof read / sizeof *read; k++) {
    bool reads = k >= sizeof fma / sizeof *fma;
    size_t which = reads ? k - sizeof fma / sizeof *fma : k, lanes = reads ? read[which].lanes : fma[which].lanes;
    double expected = 0, actual = 0;
    support_poison(sums, GROUPS * items);
    support_ok(buffer_write(out, 0, GROUPS * items * sizeof *sums, sums, &error), &error);
    support_ok(kernel_create(&kernel, context, "limits", "", reads ? read[which].name : fma[which].name, &error), &error);
    if (reads) {
      uint64_t slice = SLICES * 4 * items;
      for (size_t i = 0; i < GROUPS * slice * lanes; i++) expected += (double)values[i];
      support_ok(kernel_launch(kernel, range, &error, ARG(x), ARG(slice), ARG(out)), &error);
    } else {
      uint32_t rounds = 10; /* 80 halvings: 2 to the last bit */
      expected = 2.0 * (double)(GROUPS * items * lanes * fma[which].chains);
      support_ok(kernel_launch(kernel, range, &error, ARG(out), ARG(rounds), ARG(0.5f), ARG(1.0f)), &error);
    }
    support_ok(buffer_read(out, 0, GROUPS * items * sizeof *sums, sums, &error), &error);
    for (size_t i = 0; i < GROUPS * items; i++) actual += (double)sums[i];
    if (fabs(actual - expected) > 1e-6 * expected)
      fail_msg("%s, groups of %zu: %.9g, expected %.9g", reads ? read[which].name : fma[which].name, items, actual, expected);
    kernel_destroy(kernel);
  }
  buffer_destroy(x);
  buffer_destroy(out);
  free(values);
  free(sums);
}

static void kernels_do_their_work(void **state) {
  (void)state;
  Context *context = support_device();
  check_kernels(context, 1);
  check_kernels(context, 64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(host_limits_agree_with_a_clock),
      cmocka_unit_test(work_is_counted),
      cmocka_unit_test(device_limits_agree_with_a_clock),
      cmocka_unit_test(kernels_do_their_work),
  };
  return support_run("limits", tests, support_device_open, support_device_close);
}
