/* Synthetic rows of the device beside those of the host, bit by bit: both families, odd shapes, many classes, rows beyond 2^32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include "compute/native/synthesize.h"
#include "support/device.h"

typedef struct Pair {
  SyntheticSpec spec;
  Synthetic *host;
  Synthesizer *device;
  Buffer *x, *labels;
  size_t count;
} Pair;

static void open_pair(Pair *pair, const char *source, SetosaFamily family, size_t count) {
  Error error = {0};
  support_ok(synthetic_parse(&pair->spec, source, &error), &error);
  support_ok(synthetic_create(&pair->host, &pair->spec, &error), &error);
  support_ok(synthesize_create(&pair->device, support_device(), pair->host, family, &error), &error);
  pair->count = count;
  support_ok(buffer_create(&pair->x, support_device(), (count * pair->spec.features + 1) * sizeof(float), "x", &error), &error);
  support_ok(buffer_create(&pair->labels, support_device(), (count + 1) * sizeof(int32_t), "labels", &error), &error);
}

static void close_pair(Pair *pair) {
  synthesize_destroy(pair->device);
  synthetic_destroy(pair->host);
  buffer_destroy(pair->x);
  buffer_destroy(pair->labels);
}

/* One element more than is asked for stays poisoned on both sides. */
static void compare(Pair *pair, const char *source, uint64_t begin, size_t count) {
  Error error = {0};
  size_t numbers = count * pair->spec.features, bytes = (numbers + 1) * sizeof(float), label_bytes = (count + 1) * sizeof(int32_t);
  float *expected = malloc(bytes), *actual = malloc(bytes);
  int32_t *expected_labels = malloc(label_bytes), *actual_labels = malloc(label_bytes);
  support_poison(expected, numbers + 1);
  support_poison_labels(expected_labels, count + 1);
  support_ok(buffer_write(pair->x, 0, bytes, expected, &error), &error);
  support_ok(buffer_write(pair->labels, 0, label_bytes, expected_labels, &error), &error);
  synthetic_fill(pair->host, begin, count, expected, expected_labels);
  support_ok(synthesize_rows(pair->device, begin, count, pair->x, pair->labels, &error), &error);
  support_ok(buffer_read(pair->x, 0, bytes, actual, &error), &error);
  support_ok(buffer_read(pair->labels, 0, label_bytes, actual_labels, &error), &error);
  for (size_t i = 0; i < numbers + 1; i++)
    if (memcmp(&expected[i], &actual[i], sizeof(float)) != 0)
      fail_msg("%s from row %llu: value %zu is %a, not %a", source, (unsigned long long)begin, i, (double)actual[i], (double)expected[i]);
  for (size_t i = 0; i < count + 1; i++)
    if (expected_labels[i] != actual_labels[i])
      fail_msg("%s from row %llu: label %zu is %d, not %d", source, (unsigned long long)begin, i, (int)actual_labels[i],
               (int)expected_labels[i]);
  free(expected);
  free(actual);
  free(expected_labels);
  free(actual_labels);
}

static void check_family(SetosaFamily family) {
  static const size_t features[] = {1, 2, 3, 5, 64, 131}, classes[] = {2, 3, 10, 1000};
  static const char *const more[] = {"", ",noise=0.2", ",sparsity=0.4,separation=30", ",noise=1",
                                     ",noise=0.05,sparsity=0.9,separation=0.5"};
  static const uint64_t begins[] = {0, 7, ((uint64_t)1 << 32) - 21, ((uint64_t)1 << 47) + 5};
  enum { MOST = 1003 };
  for (size_t d = 0; d < sizeof features / sizeof *features; d++)
    for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
      for (size_t m = 0; m < sizeof more / sizeof *more; m++) {
        Pair pair = {0};
        char source[160];
        snprintf(source, sizeof source, "synthetic:rows=1000,features=%zu,classes=%zu,seed=%llu%s", features[d], classes[k],
                 m == 2 ? 12345678901234ull : 3ull, more[m]);
        open_pair(&pair, source, family, MOST);
        compare(&pair, source, begins[(d + k + m) % 4], MOST);
        compare(&pair, source, begins[(d + k + m + 2) % 4], 1 + 13 * m);
        close_pair(&pair);
      }
}

static void cpu_family(void **state) { (void)state, check_family(SETOSA_FAMILY_CPU); }
static void gpu_family(void **state) { (void)state, check_family(SETOSA_FAMILY_GPU); }

/* Labels hide the last bits of the running sums of exponentials that they are drawn from, where a contracted multiplication would show:
 * here they are looked at, in the scratch space of a single group, beside the same sums in C. */
static void check_sums(const char *source, size_t team) {
  SyntheticSpec spec;
  Synthetic *synthetic = NULL;
  Kernel *kernel = NULL;
  Buffer *chosen = NULL, *weights = NULL, *scratch = NULL, *x = NULL, *labels = NULL;
  Error error = {0};
  char options[32];
  const uint64_t begin = ((uint64_t)1 << 33) - 3;
  support_ok(synthetic_parse(&spec, source, &error), &error);
  support_ok(synthetic_create(&synthetic, &spec, &error), &error);
  SyntheticParts parts = synthetic_parts(synthetic);
  size_t lanes = team == 1 ? 16 : team, before = team == 1 ? spec.features * lanes : 0, count = before + spec.classes * lanes;
  size_t bytes = spec.classes * parts.used * sizeof(float);
  float *sums = malloc(count * sizeof *sums), *values = malloc(lanes * spec.features * sizeof *values);
  int32_t *drawn = malloc(lanes * sizeof *drawn);
  support_poison(sums, count);
  snprintf(options, sizeof options, "-DTEAM=%zu", team);
  support_ok(kernel_create(&kernel, support_device(), "synthetic", options, "synthetic_rows", &error), &error);
  support_ok(buffer_create_from(&chosen, support_device(), parts.chosen, bytes, "chosen", &error), &error);
  support_ok(buffer_create_from(&weights, support_device(), parts.weights, bytes, "weights", &error), &error);
  support_ok(buffer_create(&scratch, support_device(), count * sizeof *sums, "scratch", &error), &error);
  support_ok(buffer_create(&x, support_device(), lanes * spec.features * sizeof *values, "x", &error), &error);
  support_ok(buffer_create(&labels, support_device(), lanes * sizeof *drawn, "labels", &error), &error);
  support_ok(buffer_write(scratch, 0, count * sizeof *sums, sums, &error), &error);
  support_ok(
      kernel_launch(kernel, ((KernelRange){.global = {team}, .local = {team}}), &error, ARG(spec.seed), ARG(begin), ARG((uint64_t)lanes),
                    ARG(spec.features), ARG((uint32_t)spec.classes), ARG((uint32_t)parts.used), ARG((uint32_t)(spec.sparsity > 0)),
                    ARG(parts.zero_below), ARG(parts.noise_below), ARG((uint32_t)parts.always_noise), ARG(chosen), ARG(weights),
                    ARG(scratch), ARG((uint64_t)count), ARG(x), ARG(labels)),
      &error);
  support_ok(buffer_read(scratch, 0, count * sizeof *sums, sums, &error), &error);
  synthetic_fill(synthetic, begin, lanes, values, drawn);
  float *z = malloc(spec.classes * sizeof *z);
  for (size_t i = 0; i < lanes; i++) {
    float largest = -INFINITY, total = 0;
    for (size_t k = 0; k < spec.classes; k++) {
      z[k] = 0;
      for (size_t u = 0; u < parts.used; u++)
        z[k] += parts.weights[k * parts.used + u] * values[i * spec.features + parts.chosen[k * parts.used + u]];
      if (z[k] > largest) largest = z[k];
    }
    for (size_t k = 0; k < spec.classes; k++) {
      total += synthetic_exp(z[k] - largest);
      float actual = sums[before + k * lanes + i];
      if (memcmp(&actual, &total, sizeof total) != 0)
        fail_msg("%s, team %zu, row %zu: sum %zu is %a, not %a", source, team, i, k, (double)actual, (double)total);
    }
  }
  free(z);
  free(sums);
  free(values);
  free(drawn);
  kernel_destroy(kernel);
  buffer_destroy(chosen);
  buffer_destroy(weights);
  buffer_destroy(scratch);
  buffer_destroy(x);
  buffer_destroy(labels);
  synthetic_destroy(synthetic);
}

static void sums_are_not_contracted(void **state) {
  (void)state;
  static const size_t teams[] = {1, 64};
  for (size_t i = 0; i < 2; i++) {
    check_sums("synthetic:features=3,classes=5", teams[i]);
    check_sums("synthetic:features=77,classes=100,separation=9,sparsity=0.1", teams[i]);
    check_sums("synthetic:features=20,classes=40,separation=200", teams[i]); /* most exponentials are 0 */
  }
}

/* Enough draws of labels that a last bit of a running sum would show, and every row another block. */
static void many_rows(void **state) {
  (void)state;
  static const char source[] = "synthetic:rows=1e6,features=32,classes=4,seed=8,noise=0.01";
  for (SetosaFamily family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
    Pair pair = {0};
    open_pair(&pair, source, family, 300000);
    compare(&pair, source, 123456789012, 300000);
    close_pair(&pair);
  }
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  Pair pair = {0};
  Error error = {0};
  open_pair(&pair, "synthetic:rows=100,features=3,classes=2", SETOSA_FAMILY_AUTO, 10);
  support_fails(synthesize_rows(pair.device, 0, 12, pair.x, pair.labels, &error), &error, SETOSA_ERROR_INTERNAL,
                "12 synthetic rows do not");
  error = (Error){0};
  support_ok(synthesize_rows(pair.device, 0, 0, pair.x, pair.labels, &error), &error);
  close_pair(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family),
      cmocka_unit_test(gpu_family),
      cmocka_unit_test(sums_are_not_contracted),
      cmocka_unit_test(many_rows),
      cmocka_unit_test(what_does_not_fit_is_refused),
  };
  return support_run("kernels_synthetic", tests, support_device_open, support_device_close);
}
