/* Preconditioners of all rows against the matrices that they stand for, which are written out and, where need be, solved by elimination;
 * what the bias and a mean far from 0 make of them; and when they are renewed. */
#include "optim/curvature.h"
#include "optim/preconditioner.h"
#include "optim/problem.h"

enum { POINT = 1 };
/* A point where no class is certain, whatever is added to the features. */
static double size_for(const ProblemShape *shape) {
  return 0.7 / (1 + shape->offset) / fmax(1, pow(shape->ratio, (double)shape->features - 1));
}

/* ---- what is expected ------------------------------------------------------------------------------------------- */

/* Means (D) of the features, as rows are weighted; 0 without an intercept, for then nothing is taken off. */
static double *means_of(const Problem *p) {
  size_t features = p->shape.features;
  double *mean = calloc(features, sizeof *mean), total = problem_total_weight(p);
  assert_non_null(mean);
  for (size_t i = 0; i < p->shape.rows && !p->shape.without_intercept; i++)
    for (size_t d = 0; d < features; d++) mean[d] += (double)p->weights[i] / total * (double)p->x[i * features + d];
  return mean;
}

/* (width,width) += factor v v' with v = (x - mean, 1) of a row. */
static void add_row(double *matrix, const Problem *p, const double *mean, size_t i, double factor) {
  size_t features = p->shape.features, width = features + 1;
  for (size_t d = 0; d < width; d++)
    for (size_t c = 0; c < width; c++) {
      double a = d < features ? (double)p->x[i * features + d] - mean[d] : 1,
             b = c < features ? (double)p->x[i * features + c] - mean[c] : 1;
      matrix[d * width + c] += factor * a * b;
    }
}

/* M_k of every class (K, width, width), and A (K,K): means over the rows. G (width,width): with weights 1 - sum p^2, divided by theirs. */
typedef struct Matrices {
  double *m, *a, *g, *mean;
} Matrices;

static Matrices matrices_of(const Problem *p, const double *w) {
  size_t classes = p->shape.classes, width = p->shape.features + 1;
  double *probabilities = calloc(classes, sizeof *probabilities), total = problem_total_weight(p), mass = 0;
  Matrices all = {calloc(classes * width * width, sizeof(double)), calloc(classes * classes, sizeof(double)),
                  calloc(width * width, sizeof(double)), means_of(p)};
  assert_true(all.m != NULL && all.a != NULL && all.g != NULL && probabilities != NULL);
  for (size_t i = 0; i < p->shape.rows; i++) {
    double weight = (double)p->weights[i], squares = 0;
    problem_row(p, w, i, probabilities);
    for (size_t k = 0; k < classes; k++) {
      add_row(all.m + k * width * width, p, all.mean, i, weight / total * probabilities[k] * (1 - probabilities[k]));
      squares += probabilities[k] * probabilities[k];
      for (size_t l = 0; l < classes; l++)
        all.a[k * classes + l] += probabilities[k] * ((k == l ? 1 : 0) - probabilities[l]) / (double)p->shape.rows;
    }
    add_row(all.g, p, all.mean, i, weight * (1 - squares));
    mass += weight * (1 - squares);
  }
  for (size_t j = 0; j < width * width; j++) all.g[j] /= mass;
  free(probabilities);
  return all;
}

static void matrices_free(Matrices *all) {
  free(all->m);
  free(all->a);
  free(all->g);
  free(all->mean);
}

/* x of a x = b (n), by elimination with pivots; a and b are used up. */
static void eliminate(double *a, double *b, size_t n) {
  for (size_t j = 0; j < n; j++) {
    size_t best = j;
    for (size_t i = j + 1; i < n; i++)
      if (fabs(a[i * n + j]) > fabs(a[best * n + j])) best = i;
    for (size_t c = 0; c < n; c++) {
      double kept = a[j * n + c];
      a[j * n + c] = a[best * n + c];
      a[best * n + c] = kept;
    }
    double kept = b[j];
    b[j] = b[best];
    b[best] = kept;
    for (size_t i = j + 1; i < n; i++) {
      double factor = a[i * n + j] / a[j * n + j];
      for (size_t c = j; c < n; c++) a[i * n + c] -= factor * a[j * n + c];
      b[i] -= factor * b[j];
    }
  }
  for (size_t j = n; j-- > 0;) {
    for (size_t c = j + 1; c < n; c++) b[j] -= a[j * n + c] * b[c];
    b[j] /= a[j * n + j];
  }
}

/* v (P) without what all classes have in common. */
static void take_common_off(const Problem *p, double *v) {
  size_t features = p->shape.features, classes = p->shape.classes;
  for (size_t d = 0; d <= features; d++) {
    double common = 0;
    for (size_t k = 0; k < classes; k++) common += v[d < features ? k * features + d : classes * features + k] / (double)classes;
    for (size_t k = 0; k < classes; k++) v[d < features ? k * features + d : classes * features + k] -= common;
  }
}

/* A gradient of centred features in place of one of those as they are, and a direction the other way. */
static void center_gradient(const Problem *p, const double *mean, double *v) {
  size_t features = p->shape.features, classes = p->shape.classes;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) v[k * features + d] -= mean[d] * v[classes * features + k];
}
static void center_back(const Problem *p, const double *mean, double *v) {
  size_t features = p->shape.features, classes = p->shape.classes;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) v[classes * features + k] -= mean[d] * v[k * features + d];
}

/* Of each class the solution with its matrix: the diagonal of it, or all. */
static void solve_classes(const Problem *p, const Matrices *all, bool diagonal, double *v) {
  size_t features = p->shape.features, classes = p->shape.classes, width = features + 1;
  double *matrix = calloc(width * width, sizeof *matrix), *b = calloc(width, sizeof *b);
  assert_true(matrix != NULL && b != NULL);
  for (size_t k = 0; k < classes; k++) {
    for (size_t d = 0; d < width; d++) {
      b[d] = d < features ? v[k * features + d] : v[classes * features + k];
      for (size_t c = 0; c < width; c++) {
        bool apart = p->shape.without_intercept && (d == features) != (c == features);
        matrix[d * width + c] = (diagonal && c != d) || apart ? 0 : all->m[(k * width + d) * width + c];
      }
      if (d < features) matrix[d * width + d] += p->shape.l2;
      if (d == features && !diagonal) matrix[d * width + d] *= 1 + 1e-6; /* as curvature.c does, so that it has an inverse */
    }
    eliminate(matrix, b, width);
    for (size_t d = 0; d < width; d++) *(d < features ? &v[k * features + d] : &v[classes * features + k]) = b[d];
    if (p->shape.without_intercept) v[classes * features + k] = 0;
  }
  free(b);
  free(matrix);
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static double *applied(const Problem *p, const Preconditioner *preconditioner, const double *values) {
  Vector *v = NULL, *out = NULL;
  Error error = {0};
  double *result = calloc(p->parameters, sizeof *result);
  assert_non_null(result);
  support_ok(vector_create(p->backend, &v, &error), &error);
  support_ok(vector_create(p->backend, &out, &error), &error);
  support_ok(vector_write(p->backend, v, values, &error), &error);
  support_ok(preconditioner_apply(preconditioner, out, v, &error), &error);
  support_ok(vector_read(p->backend, out, result, &error), &error);
  vector_destroy(p->backend, out);
  vector_destroy(p->backend, v);
  return result;
}

static Preconditioner *made_at(Problem *p, SetosaPreconditioner kind, const double *w) {
  Preconditioner *preconditioner = NULL;
  PreconditionerSettings settings = {.kind = kind, .seed = 3, .near = true};
  Error error = {0};
  problem_write(p, w);
  support_ok(preconditioner_open(&preconditioner, &p->objective, &settings, &error), &error);
  assert_true(preconditioner_is_identity(preconditioner));
  support_ok(preconditioner_renew(preconditioner, p->w, 0, &error), &error);
  assert_false(preconditioner_is_identity(preconditioner));
  return preconditioner;
}

static void expect_close(const Problem *p, const double *found, const double *expected, double tolerance, const char *what) {
  double size = largest_of(expected, p->parameters);
  for (size_t j = 0; j < p->parameters; j++)
    if (!(fabs(found[j] - expected[j]) <= tolerance * size))
      fail_msg("%s of %zu x %zu, %zu classes: component %zu is %.12g, not %.12g (of %.3g)", what, p->shape.rows, p->shape.features,
               p->shape.classes, j, found[j], expected[j], size);
}

/* Probabilities of rows come in f32. */
static const double F32 = 2e-5;

static void check_classes(const ProblemShape *shape, bool diagonal) {
  Problem p;
  problem_open(&p, shape);
  double *w = problem_point(&p, POINT, size_for(&p.shape)), *expected = problem_point(&p, POINT + 1, 1),
         *v = problem_point(&p, POINT + 1, 1);
  Preconditioner *preconditioner = made_at(&p, diagonal ? SETOSA_PRECONDITIONER_DIAGONAL : SETOSA_PRECONDITIONER_BLOCKS, w);
  Matrices all = matrices_of(&p, w);
  double *found = applied(&p, preconditioner, v);
  take_common_off(&p, expected);
  center_gradient(&p, all.mean, expected);
  solve_classes(&p, &all, diagonal, expected);
  center_back(&p, all.mean, expected);
  take_common_off(&p, expected);
  expect_close(&p, found, expected, F32, diagonal ? "diagonal" : "blocks");
  free(found);
  matrices_free(&all);
  preconditioner_close(preconditioner);
  free(v);
  free(expected);
  free(w);
  problem_close(&p);
}

/* The product with A (x) diag(G, 1) + l2 is undone, where the sum over the classes is 0. */
static void check_kron(const ProblemShape *shape) {
  Problem p;
  problem_open(&p, shape);
  size_t features = shape->features, classes = shape->classes, width = features + 1;
  double *w = problem_point(&p, POINT, size_for(&p.shape)), *v = problem_point(&p, POINT + 1, 1),
         *product = calloc(p.parameters, sizeof *product);
  assert_non_null(product);
  Preconditioner *preconditioner = made_at(&p, SETOSA_PRECONDITIONER_KRON, w);
  Matrices all = matrices_of(&p, w);
  take_common_off(&p, v);
  center_back(&p, all.mean, v); /* of a v whose bias is that of the centred features */
  double *centred = calloc(p.parameters, sizeof *centred);
  assert_non_null(centred);
  for (size_t j = 0; j < p.parameters; j++) centred[j] = v[j];
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) centred[classes * features + k] += all.mean[d] * v[k * features + d];
  for (size_t k = 0; k < classes; k++)
    for (size_t l = 0; l < classes; l++)
      for (size_t d = 0; d < width; d++) {
        double sum = d == features ? centred[classes * features + l] : 0;
        for (size_t c = 0; c < features && d < features; c++) sum += all.g[d * width + c] * centred[l * features + c];
        *(d < features ? &product[k * features + d] : &product[classes * features + k]) += all.a[k * classes + l] * sum;
      }
  for (size_t j = 0; j < classes * features; j++) product[j] += shape->l2 * centred[j];
  /* Its gradient in terms of the features as they are. */
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) product[k * features + d] += all.mean[d] * product[classes * features + k];
  double *found = applied(&p, preconditioner, product);
  expect_close(&p, found, v, F32, "kron");
  free(found);
  free(centred);
  matrices_free(&all);
  preconditioner_close(preconditioner);
  free(product);
  free(v);
  free(w);
  problem_close(&p);
}

/* So few features that all rows are wanted for every class. */
static const ProblemShape shapes[] = {
    {.rows = 60, .features = 1, .classes = 2, .l2 = 0.01},
    {.rows = 100, .features = 4, .classes = 3, .l2 = 0.01},
    {.rows = 100, .features = 4, .classes = 3, .l2 = 0.01, .without_intercept = true},
    {.rows = 200, .features = 5, .classes = 4, .l2 = 1e-3, .weighted = true},
    {.rows = 200, .features = 5, .classes = 4, .l2 = 1e-3, .weighted = true, .without_intercept = true},
    {.rows = 97, .features = 3, .classes = 10, .l2 = 0.1, .offset = 8},
    {.rows = 20, .features = 30, .classes = 3, .l2 = 0.1}, /* rows fewer than features */
    {.rows = 80, .features = 6, .classes = 3, .l2 = 0.01, .collinear = 3},
    {.rows = 90, .features = 4, .classes = 3, .l2 = 0.02, .one_class = true},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void diagonal_is_of_its_diagonals(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) check_classes(&shapes[i], true);
}
static void blocks_are_inverses(void **state) {
  (void)state;
  need_lapack();
  for (size_t i = 0; i < SHAPES; i++) check_classes(&shapes[i], false);
}
static void kron_undoes_its_product(void **state) {
  (void)state;
  need_lapack();
  for (size_t i = 0; i < SHAPES; i++)
    if (!shapes[i].without_intercept) check_kron(&shapes[i]);
}

/* ---- what every kind promises ----------------------------------------------------------------------------------- */

static const SetosaPreconditioner kinds[] = {SETOSA_PRECONDITIONER_DIAGONAL, SETOSA_PRECONDITIONER_KRON, SETOSA_PRECONDITIONER_BLOCKS};

static double dot(const double *a, const double *b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

/* Symmetric, positive where the sum over the classes is 0 and, without an intercept, blind to the bias; whatever the data. */
static void metrics_are_symmetric_and_positive(void **state) {
  (void)state;
  need_lapack();
  static const ProblemShape more[] = {{.rows = 1, .features = 1, .classes = 2, .l2 = 0.01},
                                      {.rows = 1, .features = 3, .classes = 2},
                                      {.rows = 50, .features = 3, .classes = 3},
                                      {.rows = 50, .features = 4, .classes = 3, .ratio = 1e-3},
                                      {.rows = 50, .features = 3, .classes = 3, .ratio = 1e3},
                                      {.rows = 5, .features = 40, .classes = 5},
                                      {.rows = 300, .features = 6, .classes = 3, .offset = 1000, .l2 = 1e-4}};
  for (size_t i = 0; i < SHAPES + sizeof more / sizeof *more; i++)
    for (size_t kind = 0; kind < 3; kind++) {
      Problem p;
      problem_open(&p, i < SHAPES ? &shapes[i] : &more[i - SHAPES]);
      double *w = problem_point(&p, POINT, size_for(&p.shape)), *a = problem_point(&p, 2, 1), *b = problem_point(&p, 3, 1);
      take_common_off(&p, a);
      take_common_off(&p, b);
      Preconditioner *preconditioner = made_at(&p, kinds[kind], w);
      double *ha = applied(&p, preconditioner, a), *hb = applied(&p, preconditioner, b);
      for (size_t j = 0; j < p.parameters; j++)
        if (!isfinite(ha[j])) fail_msg("shape %zu, kind %zu: component %zu is %g", i, kind, j, ha[j]);
      double size = sqrt(fabs(dot(a, ha, p.parameters) * dot(b, hb, p.parameters)));
      assert_true(dot(a, ha, p.parameters) > 0 && dot(b, hb, p.parameters) > 0);
      assert_float_equal(dot(a, hb, p.parameters) / size, dot(b, ha, p.parameters) / size, 1e-9);
      for (size_t k = 0; k < p.shape.classes && p.shape.without_intercept; k++)
        assert_true(ha[p.shape.classes * p.shape.features + k] == 0);
      free(hb);
      free(ha);
      preconditioner_close(preconditioner);
      free(b);
      free(a);
      free(w);
      problem_close(&p);
    }
}

/* Where every row is certain there is no curvature, and without a penalty nothing to divide by. */
static void no_curvature_makes_no_infinities(void **state) {
  (void)state;
  need_lapack();
  for (size_t kind = 0; kind < 3; kind++)
    for (int penalized = 0; penalized < 2; penalized++) {
      Problem p;
      problem_open(&p, &(ProblemShape){.rows = 40, .features = 3, .classes = 3, .l2 = penalized ? 0.01 : 0});
      double *w = problem_point(&p, POINT, 1e6), *v = problem_point(&p, 2, 1);
      Preconditioner *preconditioner = made_at(&p, kinds[kind], w);
      double *found = applied(&p, preconditioner, v);
      assert_true(dot(found, v, p.parameters) >= 0);
      for (size_t j = 0; j < p.parameters; j++) assert_true(fabs(found[j]) < 1e36); /* devices keep it in f32 */
      free(found);
      preconditioner_close(preconditioner);
      free(v);
      free(w);
      problem_close(&p);
    }
}

/* A row of weight 3 is three rows, but for A of kron, which counts rows; and one of weight 0 is none. */
static void weights_count_in_gram_matrices(void **state) {
  (void)state;
  need_lapack();
  ProblemShape weighted = {.rows = 50, .features = 3, .classes = 3, .l2 = 0.01, .weighted = true};
  Problem p, repeated;
  problem_open(&p, &weighted);
  ProblemShape many = weighted;
  many.weighted = false;
  many.rows = (size_t)problem_total_weight(&p);
  problem_make(&repeated, &many);
  for (size_t i = 0, to = 0; i < p.shape.rows; i++)
    for (int copy = 0; copy < (int)p.weights[i]; copy++, to++) {
      memcpy(repeated.x + to * 3, p.x + i * 3, 3 * sizeof(float));
      repeated.labels[to] = p.labels[i];
    }
  problem_start(&repeated);
  double *w = problem_point(&p, POINT, size_for(&p.shape)), *v = problem_point(&p, 2, 1);
  for (size_t kind = 0; kind < 3; kind += 2) {
    Preconditioner *one = made_at(&p, kinds[kind], w), *other = made_at(&repeated, kinds[kind], w);
    double *found = applied(&p, one, v), *expected = applied(&repeated, other, v);
    expect_close(&p, found, expected, F32, "weights");
    free(expected);
    free(found);
    preconditioner_close(other);
    preconditioner_close(one);
  }
  free(v);
  free(w);
  problem_close(&repeated);
  problem_close(&p);
}

/* ---- when it is renewed ----------------------------------------------------------------------------------------- */

static size_t count_due(Problem *p, SetosaPreconditioner kind, bool near, uint64_t iterations, uint64_t *at) {
  Preconditioner *preconditioner = NULL;
  Error error = {0};
  size_t count = 0;
  support_ok(preconditioner_open(&preconditioner, &p->objective, &(PreconditionerSettings){.kind = kind, .near = near}, &error), &error);
  for (uint64_t i = 0; i < iterations; i++) {
    if (!preconditioner_is_due(preconditioner, i)) continue;
    at[count++] = i;
    support_ok(preconditioner_renew(preconditioner, p->w, i, &error), &error);
    assert_false(preconditioner_is_due(preconditioner, i));
  }
  if (count > 0) { /* kept for another training, it is not made at its start */
    preconditioner_begin_again(preconditioner);
    assert_false(preconditioner_is_due(preconditioner, 0));
  }
  preconditioner_close(preconditioner);
  return count;
}

static void renewed_a_few_times(void **state) {
  (void)state;
  Problem p;
  uint64_t at[200];
  problem_open(&p, &shapes[1]);
  assert_int_equal(count_due(&p, SETOSA_PRECONDITIONER_NONE, false, 200, at), 0);
  need_lapack();
  for (size_t kind = 0; kind < 3; kind++)
    for (int near = 0; near < 2; near++) {
      size_t count = count_due(&p, kinds[kind], near, 200, at);
      assert_in_range(count, 3, 8);
      assert_int_equal(at[0], 0);
    }
  problem_close(&p);
}

/* A state brings back the same matrices, to the bit; forged ones are refused. */
static void a_state_brings_the_same_matrices(void **state) {
  (void)state;
  need_lapack();
  for (size_t kind = 0; kind < 3; kind++)
    for (uint64_t iteration = 0; iteration <= 8; iteration += 8) {
      Problem p;
      Error error = {0};
      OptimizerState kept = {0};
      Preconditioner *first = NULL, *second = NULL;
      PreconditionerSettings settings = {.kind = kinds[kind], .seed = 3};
      problem_open(&p, &(ProblemShape){.rows = 9000, .features = 4, .classes = 3, .l2 = 0.01}); /* rows are sampled */
      double *w = problem_point(&p, POINT, size_for(&p.shape)), *v = problem_point(&p, 2, 1), *zero = problem_point(&p, 0, 0);
      problem_write(&p, w);
      support_ok(preconditioner_open(&first, &p.objective, &settings, &error), &error);
      support_ok(preconditioner_renew(first, p.w, iteration, &error), &error);
      double *expected = applied(&p, first, v);
      problem_write(&p, zero);
      support_ok(preconditioner_put(first, &kept, &error), &error);
      support_ok(preconditioner_open(&second, &p.objective, &settings, &error), &error);
      support_ok(preconditioner_get(second, &kept, &error), &error);
      double *found = applied(&p, second, v);
      assert_memory_equal(found, expected, p.parameters * sizeof *found);
      assert_false(preconditioner_is_due(second, iteration));
      state_free(&kept);
      support_fails(preconditioner_get(second, &kept, &error), &error, SETOSA_ERROR_DATA, "");
      free(found);
      free(expected);
      preconditioner_close(second);
      preconditioner_close(first);
      free(zero);
      free(v);
      free(w);
      problem_close(&p);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(diagonal_is_of_its_diagonals),
      cmocka_unit_test(blocks_are_inverses),
      cmocka_unit_test(kron_undoes_its_product),
      cmocka_unit_test(metrics_are_symmetric_and_positive),
      cmocka_unit_test(no_curvature_makes_no_infinities),
      cmocka_unit_test(weights_count_in_gram_matrices),
      cmocka_unit_test(renewed_a_few_times),
      cmocka_unit_test(a_state_brings_the_same_matrices),
  };
  return support_run("preconditioners", tests, NULL, NULL);
}
