/* Moments of columns against sums written out here, in one part and in many. */
#include "data/moments.h"

#include <math.h>

#include "base/random.h"
#include "support/support.h"

enum { COUNT = 1000, COLUMNS = 3 };

static const double centers[COLUMNS] = {0, 1e6, -1.6e12};
static double table[COUNT][COLUMNS], column[COLUMNS][COUNT];

static void check(const Moments *all, int c, size_t part) {
  long double sum = 0, squares = 0;
  for (int i = 0; i < COUNT; i++) sum += (long double)column[c][i];
  for (int i = 0; i < COUNT; i++) squares += (column[c][i] - sum / COUNT) * (column[c][i] - sum / COUNT);
  assert_int_equal(all->count, COUNT);
  assert_true(fabs(all->mean - (double)(sum / COUNT)) <= (1 + COUNT / part) * (1e-15 + 0x1p-53 * fabs(centers[c])));
  support_near(moments_deviation(all) / sqrt((double)(squares / COUNT)), 1, 1e-12 + 0x1p-52 * fabs(centers[c]));
  assert_true(all->least >= centers[c] - 1 && all->least < centers[c] - 0.9 && all->most > centers[c] + 0.9);
}

static void parts_are_the_whole(void **state) {
  (void)state;
  for (uint64_t i = 0; i < COUNT; i++)
    for (uint64_t c = 0; c < COLUMNS; c++) table[i][c] = column[c][i] = centers[c] + random_symmetric(3, RANDOM_STREAM_CHECK, c, i);
  for (size_t part = 1; part <= COUNT; part = part * 7 + 1) {
    Moments columns[COLUMNS] = {{0}}, rows[COLUMNS] = {{0}};
    double room[4 * COLUMNS];
    for (size_t done = 0; done < COUNT; done += part) {
      size_t now = COUNT - done < part ? COUNT - done : part;
      for (int c = 0; c < COLUMNS; c++) {
        Moments next = {0};
        moments_add(&next, column[c] + done, now);
        moments_merge(&columns[c], &next);
      }
      moments_add_rows(rows, COLUMNS, table[done], now, room);
    }
    for (int c = 0; c < COLUMNS; c++) check(&columns[c], c, part);
    for (int c = 0; c < COLUMNS; c++) check(&rows[c], c, part);
  }
}

static void few_numbers_have_moments(void **state) {
  (void)state;
  Moments none = {0}, one = {0};
  moments_add(&none, &(double){5}, 0);
  assert_true(none.count == 0 && moments_deviation(&none) == 0);
  moments_add(&one, &(double){0.1}, 1);
  moments_merge(&one, &none);
  for (int i = 0; i < 100; i++) moments_add(&one, &(double){0.1}, 1);
  assert_true(one.mean == 0.1 && one.least == 0.1 && one.most == 0.1 && moments_deviation(&one) == 0);
}

/* Whoever asks for a shift of such a column gets none. */
static void what_is_not_finite_shows(void **state) {
  (void)state;
  static const double wrong[] = {NAN, INFINITY, -INFINITY};
  for (int w = 0; w < 3; w++)
    for (int at = 0; at < 3; at++) {
      double values[] = {1, 2, 3};
      Moments moments = {0};
      values[at] = wrong[w];
      Moments by_rows = {0};
      double room[4];
      moments_add(&moments, values, 3);
      moments_add(&moments, (const double[]){4, 5}, 2);
      moments_add_rows(&by_rows, 1, values, 3, room);
      moments_add_rows(&by_rows, 1, (const double[]){4, 5}, 2, room);
      assert_false(isfinite(moments.mean) && isfinite(moments_deviation(&moments)));
      assert_false(isfinite(by_rows.mean) && isfinite(moments_deviation(&by_rows)));
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_the_whole),
      cmocka_unit_test(few_numbers_have_moments),
      cmocka_unit_test(what_is_not_finite_shows),
  };
  return support_run("data_moments", tests, NULL, NULL);
}
