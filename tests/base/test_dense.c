/* LAPACK against the definitions of what it makes, multiplied out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/random.h"
#include "support/support.h"

static const size_t sizes[] = {1, 2, 3, 7, 16, 33, 65};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void need_lapack(void) {
  SetosaError error = {0};
  if (dense_load(&error) != SETOSA_OK) support_skip("%s", error.message);
}

static double *numbers(size_t count) {
  double *values = calloc(count, sizeof *values);
  assert_non_null(values);
  return values;
}

static double element(uint64_t stream, size_t i, size_t j) { return random_symmetric(3, RANDOM_STREAM_CHECK, stream << 16 ^ i, j); }

/* B B' + I / 10. */
static double *positive_matrix(size_t n) {
  double *a = numbers(n * n);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      a[i * n + j] = i == j ? 0.1 : 0;
      for (size_t l = 0; l < n; l++) a[i * n + j] += element(1, i, l) * element(1, j, l);
    }
  return a;
}

static double *copy_of(const double *a, size_t count) {
  double *copy = numbers(count);
  memcpy(copy, a, count * sizeof *copy);
  return copy;
}

static void poison_above(double *a, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) a[i * n + j] = NAN;
}

/* Of sums of n products of elements of size up to `size`. */
static double tolerance(size_t n, double size) { return 16 * (double)(n + 1) * 2.3e-16 * fmax(size, 1); }

static void factors_multiply_to_the_matrix(void **state) {
  (void)state;
  need_lapack();
  for (size_t s = 0; s < SIZES; s++) {
    size_t n = sizes[s];
    double *a = positive_matrix(n), *l = copy_of(a, n * n);
    bool positive = false;
    SetosaError error = {0};
    poison_above(l, n);
    support_ok(dense_cholesky(l, n, &positive, &error), &error);
    assert_true(positive);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t m = 0; m < n; m++) sum += l[i * n + m] * l[j * n + m];
        assert_float_equal(sum, a[i * n + j], tolerance(n, a[i * n + i]));
        if (j > i) assert_true(l[i * n + j] == 0);
        if (j == i) assert_true(l[i * n + j] > 0);
      }
    free(l);
    free(a);
  }
}

static void what_is_not_positive_is_told(void **state) {
  (void)state;
  need_lapack();
  for (size_t s = 0; s < SIZES; s++)
    for (int singular = 0; singular < 2; singular++) {
      size_t n = sizes[s];
      double *a = positive_matrix(n);
      bool positive = true;
      SetosaError error = {0};
      a[n * n - 1] = singular ? 0 : -1;
      support_ok(dense_cholesky(a, n, &positive, &error), &error);
      assert_false(positive);
      free(a);
    }
}

static void solutions_solve(void **state) {
  (void)state;
  need_lapack();
  for (size_t s = 0; s < SIZES; s++) {
    size_t n = sizes[s];
    double *a = positive_matrix(n), *l = copy_of(a, n * n), *x = numbers(n);
    bool positive = false;
    SetosaError error = {0};
    for (size_t i = 0; i < n; i++) x[i] = element(2, 0, i);
    support_ok(dense_cholesky(l, n, &positive, &error), &error);
    support_ok(dense_solve(l, x, n, &error), &error);
    for (size_t i = 0; i < n; i++) {
      double sum = 0, size = 0;
      for (size_t j = 0; j < n; j++) sum += a[i * n + j] * x[j], size = fmax(size, fabs(a[i * n + j] * x[j]));
      assert_float_equal(sum, element(2, 0, i), tolerance(n, size * (double)n));
    }
    free(x);
    free(l);
    free(a);
  }
}

static void triangles_are_inverted(void **state) {
  (void)state;
  need_lapack();
  for (size_t s = 0; s < SIZES; s++) {
    size_t n = sizes[s];
    double *l = numbers(n * n);
    SetosaError error = {0};
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) l[i * n + j] = i == j ? 1 + 0.5 * element(3, i, j) : element(3, i, j) / (double)n;
    double *inverse = copy_of(l, n * n);
    support_ok(dense_invert_triangle(inverse, n, &error), &error);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t m = 0; m < n; m++) sum += l[i * n + m] * inverse[m * n + j];
        assert_float_equal(sum, i == j ? 1 : 0, tolerance(n, 10));
        if (j > i) assert_true(inverse[i * n + j] == 0);
      }
    l[0] = 0;
    support_fails(dense_invert_triangle(l, n, &error), &error, SETOSA_ERROR_INTERNAL, "a triangular matrix has a 0 on its diagonal");
    free(inverse);
    free(l);
  }
}

static void eigenvectors_are_rows_and_values_ascend(void **state) {
  (void)state;
  need_lapack();
  for (size_t s = 0; s < SIZES; s++) {
    size_t n = sizes[s];
    double *a = positive_matrix(n), *v = NULL, *values = numbers(n);
    SetosaError error = {0};
    for (size_t i = 0; i < n; i++) a[i * n + i] -= 1; /* some eigenvalues are below 0 */
    v = copy_of(a, n * n);
    poison_above(v, n);
    support_poison_double(values, n);
    support_ok(dense_eigen(v, values, n, &error), &error);
    double size = fmax(fabs(values[0]), fabs(values[n - 1]));
    for (size_t i = 0; i < n; i++) {
      if (i > 0) assert_true(values[i] >= values[i - 1]);
      for (size_t j = 0; j < n; j++) {
        double product = 0, image = 0;
        for (size_t m = 0; m < n; m++) product += v[i * n + m] * v[j * n + m];
        for (size_t m = 0; m < n; m++) image += a[j * n + m] * v[i * n + m];
        assert_float_equal(product, i == j ? 1 : 0, tolerance(n, 1));
        assert_float_equal(image, values[i] * v[i * n + j], tolerance(n, size));
      }
    }
    free(values);
    free(v);
    free(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(factors_multiply_to_the_matrix),
      cmocka_unit_test(what_is_not_positive_is_told),
      cmocka_unit_test(solutions_solve),
      cmocka_unit_test(triangles_are_inverted),
      cmocka_unit_test(eigenvectors_are_rows_and_values_ascend),
  };
  return support_run("dense", tests, NULL, NULL);
}
