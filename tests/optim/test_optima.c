/* Known optima of real data, computed elsewhere in double precision: each is a row of the table below. Data come from the repository's data
 * folder or, where it has them not, from Debian's python3-sklearn; a set that is nowhere is skipped by name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "compute/backends.h"
#include "compute/open.h"
#include "optim/optimizer.h"
#include "support/dataset.h"

enum { MAX_ROWS = 2000, MAX_FEATURES = 64, LINE_BYTES = 4096 };

typedef struct Set {
  const char *name, *files[2]; /* in the data folder; in python3-sklearn */
  size_t rows, features, classes;
  double scale;       /* of every feature */
  bool standardize;   /* to mean 0 and population deviation 1 */
  size_t first, last; /* features kept; the others stay out */
  bool first_class_against_rest;
  double l2, optimum, accuracy;
} Set;

#define SKLEARN "/usr/lib/python3/dist-packages/sklearn/datasets/data/"
static const Set iris = {"iris", {"iris.csv", SKLEARN "iris.csv"}, 150, 4, 3, 1.0, false, 0, 4, false, 0.01, 0.224288902895, 0.9733};
static const Set petal = {"iris, petals, setosa against the rest",
                          {"iris.csv", SKLEARN "iris.csv"},
                          150,
                          4,
                          3,
                          1.0,
                          false,
                          2,
                          4,
                          true,
                          0.01,
                          0.036699582600,
                          1.0};
static const Set digits = {
    "digits", {"digits.csv.gz", SKLEARN "digits.csv.gz"}, 1797, 64, 10, 1.0 / 16.0, false, 0, 64, false, 0.001, 0.261864547217, 0.9789};
static const Set wine = {"wine", {"wine.csv", SKLEARN "wine_data.csv"}, 178, 13, 3, 1.0, true, 0, 13, false, 0.01, 0.091819730524, 1.0};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Splits a line into features and a label (a number, or a name: 0, 1, ... by first appearance). False for anything else, as headers are. */
static bool parse_row(char *line, size_t features, float *x, int32_t *label, char names[3][64]) {
  char *next = line;
  for (size_t d = 0; d < features; d++) {
    char *end = next;
    x[d] = strtof(next, &end);
    if (end == next || *end != ',') return false;
    next = end + 1;
  }
  next[strcspn(next, "\r\n")] = '\0';
  if (*next == '\0' || strchr(next, ',') != NULL) return false;
  char *end = next;
  *label = (int32_t)strtol(next, &end, 10);
  for (int k = 0; *end != '\0' && k < 3; k++) {
    if (names[k][0] == '\0') snprintf(names[k], sizeof names[k], "%.63s", next);
    if (strncmp(names[k], next, 63) != 0) continue;
    *label = k;
    return true;
  }
  return *end == '\0';
}

static gzFile open_set(const Set *set) {
  char path[4096];
  const char *source = getenv("SETOSA_SOURCE_DIR");
  snprintf(path, sizeof path, "%s/data/%s", source != NULL ? source : ".", set->files[0]);
  gzFile file = gzopen(path, "rb");
  return file != NULL ? file : gzopen(set->files[1], "rb");
}

static void standardize(float *x, size_t rows, size_t features) {
  for (size_t d = 0; d < features; d++) {
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < rows; i++) mean += (double)x[i * features + d] / (double)rows;
    for (size_t i = 0; i < rows; i++) square += pow((double)x[i * features + d] - mean, 2.0) / (double)rows;
    for (size_t i = 0; i < rows; i++) x[i * features + d] = (float)(((double)x[i * features + d] - mean) / sqrt(square));
  }
}

/* Fills x (rows, features kept) and labels; false when the file is nowhere. */
static bool read_set(const Set *set, float *x, int32_t *labels) {
  char line[LINE_BYTES], names[3][64] = {""};
  float row[MAX_FEATURES];
  size_t rows = 0, kept = set->last - set->first;
  gzFile file = open_set(set);
  if (file == NULL) return false;
  while (gzgets(file, line, sizeof line) != NULL) {
    int32_t label = -1;
    if (!parse_row(line, set->features, row, &label, names)) continue;
    assert_true(rows < set->rows);
    for (size_t d = 0; d < kept; d++) x[rows * kept + d] = (float)((double)row[set->first + d] * set->scale);
    labels[rows++] = set->first_class_against_rest ? label != 0 : label;
  }
  gzclose(file);
  assert_int_equal(rows, set->rows);
  if (set->standardize) standardize(x, rows, kept);
  return true;
}

/* ---- minimising ------------------------------------------------------------------------------------------------- */

static double accuracy_of(Backend *backend, const Vector *w, const int32_t *labels) {
  static float logits[MAX_ROWS * 10];
  size_t right = 0, classes = backend->classes;
  assert_int_equal(backend_predict(backend, w, backend_all_rows(backend), ROW_LOGITS, logits, NULL), SETOSA_OK);
  for (size_t i = 0; i < backend->rows; i++) {
    size_t top = 0;
    for (size_t k = 1; k < classes; k++)
      if (logits[i * classes + k] > logits[i * classes + top]) top = k;
    right += (int32_t)top == labels[i];
  }
  return (double)right / (double)backend->rows;
}

/* Runs the solver from zero; the objective must be within `tolerance` of the optimum, relatively, and never below it. */
static OptimizerReport check_optimum(const Set *set, const OptimizerSettings *settings, double tolerance) {
  static float x[MAX_ROWS * MAX_FEATURES];
  static int32_t labels[MAX_ROWS];
  OptimizerReport report = {0};
  if (!read_set(set, x, labels))
    support_skip("%s: neither data/%s nor %s is there; install python3-sklearn", set->name, set->files[0], set->files[1]);
  Dataset *data = wrap_arrays(set->rows, set->last - set->first, set->first_class_against_rest ? 2 : set->classes, x, labels);
  BackendSettings backend_settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  Backend *backend = NULL;
  Objective objective = {0};
  Vector *w = NULL;
  assert_int_equal(reference_open(&backend, data, &backend_settings, NULL), SETOSA_OK);
  assert_int_equal(objective_open(&objective, backend, &(ObjectiveTerms){.l2 = set->l2}, NULL), SETOSA_OK);
  assert_int_equal(vector_create(backend, &w, NULL), SETOSA_OK);
  assert_int_equal(optimizer_minimize(&objective, w, settings, &report, NULL), SETOSA_OK);
  assert_float_equal(report.at.objective / set->optimum, 1.0, tolerance);
  assert_true(report.at.objective > set->optimum * (1.0 - 1e-8)); /* features are rounded to f32, which moves the optimum that far */
  if (tolerance <= 1e-6) assert_float_equal(accuracy_of(backend, w, labels), set->accuracy, 5e-5);
  vector_destroy(backend, w);
  objective_close(&objective);
  backend_close(backend);
  setosa_dataset_destroy(data);
  return report;
}

/* With the tolerance and history that setosa_train_options_default() gives. */
static void check_lbfgs(const Set *set, uint64_t most_evaluations) {
  OptimizerSettings settings = {.solver = SETOSA_SOLVER_LBFGS, .max_iterations = 1000, .tolerance = 3e-6, .history = 20};
  OptimizerReport report = check_optimum(set, &settings, 1e-6);
  assert_int_equal(report.reason, STOP_GRADIENT_TOLERANCE);
  assert_true(report.evaluations <= most_evaluations); /* guards against a search that works, but slowly */
}

static void test_lbfgs_iris(void **state) { (void)state, check_lbfgs(&iris, 150); }
static void test_lbfgs_petal(void **state) { (void)state, check_lbfgs(&petal, 40); }
static void test_lbfgs_digits(void **state) { (void)state, check_lbfgs(&digits, 220); }
static void test_lbfgs_wine(void **state) { (void)state, check_lbfgs(&wine, 40); }

static void test_gd_wine(void **state) {
  (void)state;
  OptimizerSettings settings = {.solver = SETOSA_SOLVER_GD, .max_iterations = 1000, .tolerance = 3e-6, .learning_rate = NAN};
  assert_int_equal(check_optimum(&wine, &settings, 1e-6).reason, STOP_GRADIENT_TOLERANCE);
  settings.learning_rate = 0.5;
  settings.max_iterations = 5000;
  settings.tolerance = 1e-5;
  assert_int_equal(check_optimum(&wine, &settings, 1e-6).reason, STOP_GRADIENT_TOLERANCE);
}

/* The rows of wine lie sorted by class, which is the worst order for batches of neighbours: still within a thousandth. */
static void test_stochastic_wine(void **state) {
  (void)state;
  OptimizerSettings settings = {.solver = SETOSA_SOLVER_SGD,
                                .epochs = 200,
                                .seed = 1,
                                .tolerance = 1e-9,
                                .learning_rate = NAN,
                                .batch_size = 32,
                                .schedule = SETOSA_SCHEDULE_COSINE,
                                .momentum = 0.9};
  assert_int_equal(check_optimum(&wine, &settings, 1e-3).reason, STOP_EPOCHS_DONE);
  settings.solver = SETOSA_SOLVER_ADAM;
  assert_int_equal(check_optimum(&wine, &settings, 2e-2).reason, STOP_EPOCHS_DONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lbfgs_iris), cmocka_unit_test(test_lbfgs_petal), cmocka_unit_test(test_lbfgs_digits),
      cmocka_unit_test(test_lbfgs_wine), cmocka_unit_test(test_gd_wine),     cmocka_unit_test(test_stochastic_wine),
  };
  return support_run("known optima", tests, NULL, NULL);
}
