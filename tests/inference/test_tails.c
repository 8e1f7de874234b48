/* Tails of distributions against SciPy 1.17 (chi2.sf, norm.sf, norm.isf). */
#include <math.h>

#include "inference/tails.h"
#include "support/support.h"

static void expect_close(double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance * fabs(expected))) fail_msg("%.17g, not %.17g", actual, expected);
}

static void test_chi_square(void **state) {
  (void)state;
  static const struct {
    double x;
    uint64_t df;
    double tail;
  } known[] = {{0.5, 1, 0.47950012218695337},      {10, 1, 0.001565402258002549},
               {3.2, 2, 0.2018965179946554},       {576.8479269218919, 30, 1.8223165782868047e-102},
               {42.99, 10, 4.993541552596074e-06}, {200, 250, 0.9912264010113268},
               {0.001, 7, 0.9999999999997597},     {0.001, 2, 0.9995001249791693}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) expect_close(chi_square_tail(known[i].x, known[i].df), known[i].tail, 2e-13);
  assert_true(chi_square_tail(0, 3) == 1);
  assert_true(chi_square_tail(-1, 3) == 1); /* a likelihood ratio may be rounded below 0 */
  assert_true(chi_square_tail(1e9, 4) == 0);
  assert_true(isnan(chi_square_tail(1, 0)));
  assert_true(isnan(chi_square_tail(NAN, 2)));
}

static void test_normal(void **state) {
  (void)state;
  static const double tails[][2] = {{0, 1},
                                    {1, 0.31731050786291415},
                                    {-1, 0.31731050786291415},
                                    {1.959963984540054, 0.05},
                                    {5, 5.733031437583866e-07},
                                    {14.434808470822775, 3.1251261266503936e-47},
                                    {37, 1.1451142445047853e-299}};
  for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) expect_close(normal_two_sided(tails[i][0]), tails[i][1], 1e-12);
  static const double intervals[][2] = {{1e-6, 1.2533141373518684e-06}, {0.5, 0.6744897501960817},  {0.9, 1.6448536269514729},
                                        {0.95, 1.959963984540054},      {0.99, 2.5758293035489004}, {0.999999, 4.8916384756929325}};
  for (size_t i = 0; i < sizeof intervals / sizeof *intervals; i++)
    expect_close(normal_interval(intervals[i][0]), intervals[i][1], intervals[i][0] < 1e-3 ? 1e-9 : 1e-13); /* 1 - 1e-6 is rounded */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chi_square),
      cmocka_unit_test(test_normal),
  };
  return support_run("inference_tails", tests, NULL, NULL);
}
