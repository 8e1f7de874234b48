/* Samples of rows: which they are, that they depend on nothing but seed, draw and row, and that what is estimated from them has no bias. */
#include "optim/problem.h"
#include "optim/sample.h"

enum { ROWS = 5000, FEATURES = 3, CLASSES = 4 };

static Problem problem;

static int open_problem(void **state) {
  (void)state;
  problem_open(&problem, &(ProblemShape){.rows = ROWS, .features = FEATURES, .classes = CLASSES, .l2 = 0.01});
  double *w = problem_point(&problem, 1, 3);
  problem_write(&problem, w);
  free(w);
  return 0;
}

static int close_problem(void **state) {
  (void)state;
  problem_close(&problem);
  return 0;
}

static Sample take(size_t wanted, uint64_t seed, uint64_t draw) {
  Sample sample = {0};
  Error error = {0};
  support_ok(sample_open(&sample, problem.backend, problem.w, wanted, seed, draw, &error), &error);
  return sample;
}

static void all_rows_where_most_are_wanted(void **state) {
  (void)state;
  static const size_t wanted[] = {ROWS / 2 + 1, ROWS, 10 * (size_t)ROWS, SIZE_MAX};
  double *w = problem_read(&problem), p[CLASSES];
  for (size_t t = 0; t < 4; t++) {
    Sample sample = take(wanted[t], 1, 0);
    assert_int_equal(sample.count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
      assert_int_equal(sample.rows[i], i);
      problem_row(&problem, w, i, p);
      for (size_t k = 0; k < CLASSES; k++) {
        assert_float_equal((double)sample.probabilities[i * CLASSES + k], p[k], 1e-6);
        assert_float_equal(sample_spread(&sample, i, k), p[k] * (1 - p[k]), 1e-6);
      }
    }
    sample_close(&sample);
  }
  free(w);
}

/* About so many, ascending, each once, with the probabilities of its own row. */
static void a_part_where_fewer_are(void **state) {
  (void)state;
  double *w = problem_read(&problem), p[CLASSES];
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Sample sample = take(1000, seed, seed % 3);
    assert_in_range(sample.count, 400, 1600); /* 157 runs of 32, a fifth of them: 1000 +- 5 * 160, which is 5 sigma */
    for (size_t i = 0; i < sample.count; i++) {
      assert_true(sample.rows[i] < ROWS && (i == 0 || sample.rows[i] > sample.rows[i - 1]));
      problem_row(&problem, w, (size_t)sample.rows[i], p);
      for (size_t k = 0; k < CLASSES; k++) assert_float_equal((double)sample.probabilities[i * CLASSES + k], p[k], 1e-6);
    }
    sample_close(&sample);
  }
  free(w);
}

static bool are_same(const Sample *a, const Sample *b) {
  return a->count == b->count && memcmp(a->rows, b->rows, a->count * sizeof *a->rows) == 0 &&
         memcmp(a->probabilities, b->probabilities, a->count * CLASSES * sizeof *a->probabilities) == 0;
}

static void the_same_in_any_order(void **state) {
  (void)state;
  uint64_t *rows[2] = {calloc(ROWS, sizeof **rows), calloc(ROWS, sizeof **rows)};
  double *weights[2] = {calloc(ROWS, sizeof **weights), calloc(ROWS, sizeof **weights)};
  Sample first = take(1000, 5, 8), other_draw = take(1000, 5, 9), other_seed = take(1000, 6, 8), again = take(1000, 5, 8);
  assert_true(are_same(&first, &again));
  assert_false(are_same(&first, &other_draw));
  assert_false(are_same(&first, &other_seed));
  for (size_t k = 0; k < CLASSES; k++) {
    size_t count = sample_important(&first, k, 200, rows[0], weights[0]);
    sample_important(&first, (k + 1) % CLASSES, 300, rows[1], weights[1]);
    assert_int_equal(sample_important(&again, k, 200, rows[1], weights[1]), count);
    assert_memory_equal(rows[0], rows[1], count * sizeof **rows);
    assert_memory_equal(weights[0], weights[1], count * sizeof **weights);
  }
  Sample *samples[] = {&first, &other_draw, &other_seed, &again};
  for (size_t i = 0; i < 4; i++) {
    sample_close(samples[i]);
    assert_null(samples[i]->rows);
  }
  for (size_t i = 0; i < 2; i++) {
    free(rows[i]);
    free(weights[i]);
  }
}

/* A sample has rows, whatever is drawn. */
static void a_few_rows_are_all_taken(void **state) {
  (void)state;
  for (size_t count = 1; count <= 40; count++) {
    Problem few;
    Sample sample = {0};
    Error error = {0};
    problem_open(&few, &(ProblemShape){.rows = count, .features = 2, .classes = 2});
    support_ok(sample_open(&sample, few.backend, few.w, 1, 3, 0, &error), &error); /* mostly none is drawn: then all */
    assert_true(sample.count == count || (count > 32 && (sample.count == 32 || sample.count == count - 32)));
    sample_close(&sample);
    problem_close(&few);
  }
}

/* A statistic of a row that is neither constant nor like its probability. */
static double statistic(size_t row) { return (double)problem.x[row * FEATURES] + 0.3; }

typedef struct Moments {
  double sum, squares;
  size_t count;
} Moments;
static void moments_add(Moments *m, double value) {
  m->sum += value;
  m->squares += value * value;
  m->count++;
}
static void expect_mean(const Moments *m, double expected, const char *what) {
  double n = (double)m->count, mean = m->sum / n, deviation = sqrt(fmax(m->squares / n - mean * mean, 0) / (n - 1));
  if (!(fabs(mean - expected) <= 5 * deviation)) fail_msg("%s: mean %.9g +- %.2g, not %.9g", what, mean, deviation, expected);
}

/* The weighted sum over the rows chosen estimates the mean over the sample; the mean over the sample that over all rows (but for a bias of
 * a ratio, which is far below the noise here). */
static void estimates_have_no_bias(void **state) {
  (void)state;
  enum { SEEDS = 400 };
  uint64_t *rows = calloc(ROWS, sizeof *rows);
  double *weights = calloc(ROWS, sizeof *weights);
  Sample all = take(ROWS, 0, 0);
  for (size_t k = 0; k < CLASSES; k++) {
    double exact = 0;
    Moments chosen = {0}, taken = {0}, sizes = {0};
    for (size_t i = 0; i < ROWS; i++) exact += sample_spread(&all, i, k) * statistic(i) / ROWS;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
      double sum = 0;
      all.seed = seed;
      size_t count = sample_important(&all, k, 300, rows, weights);
      for (size_t i = 0; i < count; i++) sum += weights[i] * statistic((size_t)rows[i]);
      moments_add(&chosen, sum);
      moments_add(&sizes, (double)count);
      if (k > 0) continue;
      Sample part = take(1000, seed, 1);
      double mean = 0;
      for (size_t i = 0; i < part.count; i++) mean += sample_spread(&part, i, k) * statistic((size_t)part.rows[i]) / (double)part.count;
      moments_add(&taken, mean);
      sample_close(&part);
    }
    expect_mean(&chosen, exact, "by importance");
    if (k == 0) expect_mean(&taken, exact, "by runs");
    assert_float_equal(sizes.sum / SEEDS, 300, 0.05 * 300);
  }
  sample_close(&all);
  free(weights);
  free(rows);
}

/* Where as many are wanted as there are, each is there once, with its own a and nothing estimated. */
static void as_many_as_there_are_are_all(void **state) {
  (void)state;
  uint64_t *rows = calloc(ROWS, sizeof *rows);
  double *weights = calloc(ROWS, sizeof *weights);
  Sample all = take(ROWS, 0, 0);
  for (size_t k = 0; k < CLASSES; k++) {
    assert_int_equal(sample_important(&all, k, ROWS, rows, weights), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
      assert_int_equal(rows[i], i);
      assert_float_equal(weights[i] * ROWS / sample_spread(&all, i, k), 1, 1e-12);
    }
  }
  sample_close(&all);
  free(weights);
  free(rows);
}

/* Rows of a class that is certain have nothing to say, and 1 - p must not be what rounding made of it. */
static void certain_rows(void **state) {
  (void)state;
  uint64_t rows[ROWS];
  static double weights[ROWS];
  static float probabilities[ROWS * CLASSES];
  for (size_t i = 0; i < ROWS; i++) {
    probabilities[i * CLASSES] = 1;
    probabilities[i * CLASSES + 1] = i % 2 == 0 ? 1e-12f : 0;
  }
  for (size_t i = 0; i < ROWS; i++) rows[i] = i;
  Sample sample = {.backend = problem.backend, .seed = 1, .count = ROWS, .rows = rows, .probabilities = probabilities};
  assert_float_equal(sample_spread(&sample, 0, 0) / 1e-12, 1, 1e-6);
  assert_float_equal(sample_spread(&sample, 0, 1) / 1e-12, 1, 1e-6);
  assert_true(sample_spread(&sample, 1, 0) == 0 && sample_spread(&sample, 1, 1) == 0);
  static uint64_t chosen[ROWS];
  assert_int_equal(sample_important(&sample, 2, 100, chosen, weights), 0);
  size_t count = sample_important(&sample, 0, 100, chosen, weights);
  assert_in_range(count, 50, 150);
  for (size_t i = 0; i < count; i++) assert_true(chosen[i] % 2 == 0 && isfinite(weights[i]) && weights[i] > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_rows_where_most_are_wanted),
      cmocka_unit_test(a_part_where_fewer_are),
      cmocka_unit_test(the_same_in_any_order),
      cmocka_unit_test(a_few_rows_are_all_taken),
      cmocka_unit_test(estimates_have_no_bias),
      cmocka_unit_test(as_many_as_there_are_are_all),
      cmocka_unit_test(certain_rows),
  };
  return support_run("samples of rows", tests, open_problem, close_problem);
}
