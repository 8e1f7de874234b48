/* What objective.c adds to the data term: against the formulas written out on a few rows, and against finite differences. */
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "compute/objective.h"
#include "compute/open.h"
#include "support/support.h"

enum { ROWS = 23, FEATURES = 3, CLASSES = 4, WEIGHTS = CLASSES * FEATURES, PARAMETERS = WEIGHTS + CLASSES };

typedef struct Fixture {
  float x[ROWS * FEATURES];
  int32_t labels[ROWS];
  double w[PARAMETERS], s[PARAMETERS];
  SetosaDataset *data;
  Backend *backend;
  Vector *vw, *vs, *out;
} Fixture;

static const double scale[FEATURES] = {0.5, 1.0, 3.0};
static const ObjectiveTerms all_terms = {.l2 = 0.3, .label_smoothing = 0.2, .feature_scale = scale};

static void fixture_open(Fixture *f, bool intercept) {
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = intercept};
  for (size_t i = 0; i < ROWS * FEATURES; i++) f->x[i] = (float)random_symmetric(5, RANDOM_STREAM_CHECK, 0, i);
  for (size_t i = 0; i < ROWS; i++) f->labels[i] = (int32_t)random_below(5, RANDOM_STREAM_CHECK, 1, i, CLASSES);
  for (size_t p = 0; p < PARAMETERS; p++) {
    f->w[p] = p < WEIGHTS || intercept ? random_symmetric(5, RANDOM_STREAM_CHECK, 2, p) : 0;
    f->s[p] = p < WEIGHTS || intercept ? random_symmetric(5, RANDOM_STREAM_CHECK, 3, p) : 0;
  }
  support_ok(setosa_dataset_wrap(&f->data, ROWS, FEATURES, CLASSES, f->x, f->labels, &error), &error);
  support_ok(backend_open(&f->backend, f->data, &settings, &error), &error);
  Vector **const vectors[] = {&f->vw, &f->vs, &f->out};
  for (size_t i = 0; i < 3; i++) support_ok(vector_create(f->backend, vectors[i], &error), &error);
  support_ok(vector_write(f->backend, f->vw, f->w, &error), &error);
  support_ok(vector_write(f->backend, f->vs, f->s, &error), &error);
}

static void fixture_close(Fixture *f) {
  vector_destroy(f->backend, f->vw);
  vector_destroy(f->backend, f->vs);
  vector_destroy(f->backend, f->out);
  backend_close(f->backend);
  setosa_dataset_destroy(f->data);
}

/* F by its definition: targets (1 - e) onehot + e/K, and the penalty of every weight by its feature's scale. */
static double written_out(const Fixture *f, const ObjectiveTerms *terms, const double *w) {
  double loss = 0, penalty = 0;
  for (size_t i = 0; i < ROWS; i++) {
    double z[CLASSES], sum = 0;
    for (size_t k = 0; k < CLASSES; k++) {
      z[k] = w[WEIGHTS + k];
      for (size_t d = 0; d < FEATURES; d++) z[k] += w[k * FEATURES + d] * (double)f->x[i * FEATURES + d];
      sum += exp(z[k]);
    }
    for (size_t k = 0; k < CLASSES; k++) {
      double target = (1 - terms->label_smoothing) * ((size_t)f->labels[i] == k) + terms->label_smoothing / CLASSES;
      loss += target * (log(sum) - z[k]) / ROWS;
    }
  }
  for (size_t p = 0; p < WEIGHTS; p++) {
    double s = terms->feature_scale != NULL ? terms->feature_scale[p % FEATURES] : 1;
    penalty += 0.5 * terms->l2 * s * s * w[p] * w[p];
  }
  return loss + penalty;
}

static const ObjectiveTerms choices[] = {
    {.l2 = 0},
    {.l2 = 0.3},
    {.l2 = 0.3, .feature_scale = scale},
    {.l2 = 0, .label_smoothing = 0.2},
    {.l2 = 0.3, .label_smoothing = 0.2, .feature_scale = scale},
};

static void is_its_definition(void **state) {
  (void)state;
  Fixture f;
  fixture_open(&f, true);
  for (size_t c = 0; c < sizeof choices / sizeof *choices; c++) {
    Error error = {0};
    Objective objective = {0};
    Evaluation at = {NAN, NAN, NAN, NAN};
    double gradient[PARAMETERS], largest = 0;
    support_poison_double(gradient, PARAMETERS);
    support_ok(objective_open(&objective, f.backend, &choices[c], &error), &error);
    support_ok(objective_evaluate(&objective, f.vw, backend_all_rows(f.backend), f.out, &at, &error), &error);
    support_ok(vector_read(f.backend, f.out, gradient, &error), &error);
    support_near(at.objective, written_out(&f, &choices[c], f.w), 1e-14);
    support_near(at.loss + at.penalty, at.objective, 0);
    for (size_t p = 0; p < PARAMETERS; p++) {
      double moved[PARAMETERS], h = 1e-6;
      for (size_t q = 0; q < PARAMETERS; q++) moved[q] = f.w[q];
      moved[p] = f.w[p] + h;
      double above = written_out(&f, &choices[c], moved);
      moved[p] = f.w[p] - h;
      support_near(gradient[p], (above - written_out(&f, &choices[c], moved)) / (2 * h), 1e-8);
      largest = fmax(largest, fabs(gradient[p]));
    }
    support_near(at.gradient_norm, largest, 0);
    objective_close(&objective);
  }
  fixture_close(&f);
}

static void products_and_lines_belong_to_it(void **state) {
  (void)state;
  Fixture f;
  fixture_open(&f, true);
  for (size_t c = 0; c < sizeof choices / sizeof *choices; c++) {
    Error error = {0};
    Objective objective = {0};
    double product[PARAMETERS], sides[2][PARAMETERS], moved[PARAMETERS], value = NAN, slope = NAN, h = 1e-5;
    RowRange all = backend_all_rows(f.backend);
    support_ok(objective_open(&objective, f.backend, &choices[c], &error), &error);
    support_ok(objective_hessian_product(&objective, f.vw, f.vs, all, f.out, &error), &error);
    support_ok(vector_read(f.backend, f.out, product, &error), &error);
    for (int side = 0; side < 2; side++) {
      for (size_t p = 0; p < PARAMETERS; p++) moved[p] = f.w[p] + (side == 0 ? h : -h) * f.s[p];
      support_ok(vector_write(f.backend, f.vw, moved, &error), &error);
      support_ok(objective_evaluate(&objective, f.vw, all, f.out, NULL, &error), &error);
      support_ok(vector_read(f.backend, f.out, sides[side], &error), &error);
    }
    for (size_t p = 0; p < PARAMETERS; p++) support_near(product[p], (sides[0][p] - sides[1][p]) / (2 * h), 1e-8);
    support_ok(vector_write(f.backend, f.vw, f.w, &error), &error);
    support_ok(objective_line_open(&objective, f.vw, f.vs, &error), &error);
    for (int step = -1; step <= 2; step++) {
      double t = 0.7 * step, points[3];
      support_ok(objective_line_evaluate(&objective, t, &value, &slope, &error), &error);
      for (int i = 0; i < 3; i++) {
        for (size_t p = 0; p < PARAMETERS; p++) moved[p] = f.w[p] + (t + h * (i - 1)) * f.s[p];
        points[i] = written_out(&f, &choices[c], moved);
      }
      support_near(value, points[1], 1e-13);
      support_near(slope, (points[2] - points[0]) / (2 * h), 1e-8);
    }
    objective_line_close(&objective);
    objective_close(&objective);
  }
  fixture_close(&f);
}

/* Without an intercept the bias has no gradient, whatever is added. */
static void without_intercept_the_bias_stays(void **state) {
  (void)state;
  Fixture f;
  Error error = {0};
  Objective objective = {0};
  double gradient[PARAMETERS];
  fixture_open(&f, false);
  support_ok(objective_open(&objective, f.backend, &all_terms, &error), &error);
  support_ok(objective_evaluate(&objective, f.vw, backend_all_rows(f.backend), f.out, NULL, &error), &error);
  support_ok(vector_read(f.backend, f.out, gradient, &error), &error);
  for (size_t p = WEIGHTS; p < PARAMETERS; p++) assert_true(gradient[p] == 0);
  objective_close(&objective);
  objective_close(&objective); /* twice does no harm */
  fixture_close(&f);
}

/* The mean of the mini-batches' objectives and gradients, weighted by their rows, is that of all rows: smoothing included. */
static void batches_add_up(void **state) {
  (void)state;
  Fixture f;
  Error error = {0};
  Objective objective = {0};
  Evaluation at, whole;
  double sum = 0, gradient[PARAMETERS], sums[PARAMETERS] = {0};
  fixture_open(&f, true);
  support_ok(objective_open(&objective, f.backend, &all_terms, &error), &error);
  for (size_t begin = 0; begin < ROWS; begin += 8) {
    RowRange rows = {begin, ROWS - begin < 8 ? ROWS - begin : 8};
    support_ok(objective_evaluate(&objective, f.vw, rows, f.out, &at, &error), &error);
    support_ok(vector_read(f.backend, f.out, gradient, &error), &error);
    sum += at.objective * (double)rows.count / ROWS;
    for (size_t p = 0; p < PARAMETERS; p++) sums[p] += gradient[p] * (double)rows.count / ROWS;
  }
  support_ok(objective_evaluate(&objective, f.vw, backend_all_rows(f.backend), f.out, &whole, &error), &error);
  support_ok(vector_read(f.backend, f.out, gradient, &error), &error);
  support_near(sum, whole.objective, 1e-14);
  for (size_t p = 0; p < PARAMETERS; p++) support_near(sums[p], gradient[p], 1e-14);
  objective_close(&objective);
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_its_definition),
      cmocka_unit_test(products_and_lines_belong_to_it),
      cmocka_unit_test(without_intercept_the_bias_stays),
      cmocka_unit_test(batches_add_up),
  };
  return support_run("objective", tests, NULL, NULL);
}
