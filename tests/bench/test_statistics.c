/* Medians, quantiles and spreads of samples. */
#include <math.h>

#include "bench/statistics.h"
#include "support/support.h"

static Samples samples_of(size_t count, const double *values) {
  Samples samples = {.count = 0};
  for (size_t i = 0; i < count; i++) samples_add(&samples, values[i]);
  return samples;
}

static void quantiles_are_exact(void **state) {
  (void)state;
  Samples odd = samples_of(5, (const double[]){5, 1, 4, 2, 3});
  support_near(samples_median(&odd), 3, 0);
  support_near(samples_quantile(&odd, 0), 1, 0);
  support_near(samples_quantile(&odd, 1), 5, 0);
  support_near(samples_quantile(&odd, 0.9), 4.6, 1e-15);
  Samples even = samples_of(4, (const double[]){40, 10, 30, 20});
  support_near(samples_median(&even), 25, 1e-15);
}

/* (90th - 10th percentile) / median, and one outlier in twenty does not count. */
static void spread_forgives_an_outlier(void **state) {
  (void)state;
  Samples samples = samples_of(5, (const double[]){8, 9, 10, 11, 12});
  support_near(samples_spread(&samples), 0.32, 1e-15);
  Samples calm = {.count = 0};
  for (int i = 0; i < 19; i++) samples_add(&calm, 10);
  samples_add(&calm, 1000);
  support_near(samples_spread(&calm), 0, 1e-15);
}

static void few_and_many_samples(void **state) {
  (void)state;
  static Samples samples; /* large */
  samples.count = 0;
  assert_true(isnan(samples_median(&samples)));
  samples_add(&samples, 7);
  support_near(samples_median(&samples), 7, 0);
  support_near(samples_spread(&samples), 0, 0);
  for (int i = 0; i < 2 * SAMPLES_MOST; i++) samples_add(&samples, 7);
  assert_int_equal(samples.count, SAMPLES_MOST);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_are_exact),
      cmocka_unit_test(spread_forgives_an_outlier),
      cmocka_unit_test(few_and_many_samples),
  };
  return support_run("statistics", tests, NULL, NULL);
}
