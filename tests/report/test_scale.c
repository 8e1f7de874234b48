/* Axes: where ticks lie, and what is written beside them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "report/scale.h"
#include "support/support.h"

enum { SEED = 20261129 };

static void check(double least, double most, bool log, bool loose, size_t wanted) {
  char labels[SCALE_TICKS][SCALE_LABEL];
  Scale scale = scale_make(least, most, log, loose, wanted);
  if (!(scale.ticks >= 2 && scale.least < scale.most)) fail_msg("%g to %g%s: %zu ticks", least, most, log ? ", log" : "", scale.ticks);
  if (loose) assert_true(scale.least <= least && scale.most >= most);
  for (size_t i = 0; i < scale.ticks; i++) {
    double tick = scale.tick[i], room = 1e-6 * (scale.most - scale.least);
    if (tick < scale.least - room || tick > scale.most + room || (i > 0 && tick <= scale.tick[i - 1]))
      fail_msg("%g to %g%s: tick %g", least, most, log ? ", log" : "", tick);
    scale_label(labels[i], &scale, tick);
    double read = strtod(labels[i], NULL), unit = strchr(labels[i], 'k')   ? 1e3
                                                  : strchr(labels[i], 'M') ? 1e6
                                                  : strchr(labels[i], 'G') ? 1e9
                                                                           : 1;
    if (fabs(read * unit - tick) > room + 1e-6 * (log ? tick : 0))
      fail_msg("%g to %g: tick %.17g is called %s", least, most, tick, labels[i]);
    for (size_t k = 0; k < i; k++)
      if (strcmp(labels[i], labels[k]) == 0) fail_msg("%.17g to %.17g: two ticks are called %s", least, most, labels[i]);
  }
}

static void ticks_are_few_distinct_and_true(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 20000; i++) {
    double size = pow(10, 12 * random_symmetric(SEED, RANDOM_STREAM_CHECK, i, 0)),
           part = pow(10, -6 * fabs(random_symmetric(SEED, RANDOM_STREAM_CHECK, i, 1)));
    double least = size * random_symmetric(SEED, RANDOM_STREAM_CHECK, i, 2), most = least + size * part;
    size_t wanted = 4 + i % 3;
    check(least, most, false, i % 2 == 0, wanted);
    check(fabs(least) + size * 1e-3, fabs(least) + size * 1e-3 + size * part * 10, true, i % 2 == 0, wanted);
    Scale scale = scale_make(least, most, false, true, wanted);
    if (scale.ticks > wanted + 2) fail_msg("%g to %g: %zu ticks, %zu were wanted", least, most, scale.ticks, wanted);
  }
}

static void known_axes(void **state) {
  (void)state;
  static const struct {
    double least, most;
    bool log;
    const char *labels;
  } cases[] = {
      {0, 1, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
      {0, 80, false, "0 20 40 60 80"},
      {0, 52000, false, "0 20k 40k"},
      {-3, 3, false, "-2 0 2"},
      {1e-6, 1, true, "1e-6 0.0001 0.01 1"},
      {1, 100, true, "1 2 5 10 20 50 100"},
      {0.33342, 0.33346, false, "0.33342 0.33343 0.33344 0.33345 0.33346"},
      {3.1, 4.9, true, "3.5 4 4.5"},
      {0, 2e-5, false, "0 5e-6 1e-5 1.5e-5 2e-5"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char all[512] = "", label[SCALE_LABEL];
    Scale scale = scale_make(cases[i].least, cases[i].most, cases[i].log, false, 5);
    for (size_t t = 0; t < scale.ticks; t++) {
      scale_label(label, &scale, scale.tick[t]);
      snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", t > 0 ? " " : "", label);
    }
    assert_string_equal(all, cases[i].labels);
  }
}

static void ends_without_sense_become_some(void **state) {
  (void)state;
  static const double ends[][2] = {{NAN, NAN}, {0, 0}, {5, 5}, {-5, -5}, {INFINITY, -INFINITY}, {1e300, 1e300}, {5, NAN}};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    for (int log = 0; log < 2; log++) {
      Scale scale = scale_make(ends[i][0], ends[i][1], log == 1, true, 5);
      assert_true(isfinite(scale.least) && isfinite(scale.most) && scale.least < scale.most && scale.ticks > 0);
    }
}

static void places(void **state) {
  (void)state;
  Scale line = scale_make(0, 10, false, false, 5), logarithm = scale_make(1, 100, true, false, 5);
  assert_true(scale_place(&line, 0) == 0 && scale_place(&line, 10) == 1 && scale_place(&line, 2.5) == 0.25);
  assert_true(fabs(scale_place(&logarithm, 10) - 0.5) < 1e-12);
  assert_true(isnan(scale_place(&logarithm, 0)) && isnan(scale_place(&logarithm, -1)) && isnan(scale_place(&line, NAN)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ticks_are_few_distinct_and_true),
      cmocka_unit_test(known_axes),
      cmocka_unit_test(ends_without_sense_become_some),
      cmocka_unit_test(places),
  };
  return support_run("report_scale", tests, NULL, NULL);
}
