/* Sparse rows on a device: the answers of the dense ones within the tolerances of f32, by both families of kernels, and the same bits
 * however the rows are held and shared. */
#include <stdio.h>

#include "compute/native/sparse.h"
#include "compute/tolerance.h"
#include "kernels/answers.h"
#include "support/device.h"
#include "support/sparse.h"

static Answers ask_reference(const Dataset *dataset) {
  Error error = {0};
  Backend *backend = NULL;
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  support_ok(backend_open(&backend, dataset, &settings, &error), &error);
  Answers a = ask_backend(backend);
  backend_close(backend);
  return a;
}

static void expect_near(double found, double tolerance, const char *what, const char *how) {
  if (!(found <= tolerance)) fail_msg("%s: the %s is off by %.2e, at most %.0e is allowed", how, what, found, tolerance);
}

static double largest_difference(const float *a, const float *b, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) {
    double apart = fabs((double)a[i] - (double)b[i]);
    if (!(apart <= largest)) largest = apart;
  }
  return largest;
}

static void expect_close(const Answers *found, const Answers *wanted, double slack, const char *how) {
  const struct {
    const char *what;
    double off, tolerance;
  } parts[] = {
      {"objective", compare_relative(found->all.objective, wanted->all.objective), 1e-6},
      {"objective of a batch", compare_relative(found->some.objective, wanted->some.objective), 1e-6},
      {"gradient", compare_relative_norm(found->gradient, wanted->gradient, wanted->parameters), 1e-5},
      {"gradient of a batch", compare_relative_norm(found->some_gradient, wanted->some_gradient, wanted->parameters), 1e-5},
      {"Hessian product", compare_relative_norm(found->product, wanted->product, wanted->parameters), 1e-5},
      {"Hessian product of a batch", compare_relative_norm(found->some_product, wanted->some_product, wanted->parameters), 1e-5},
      {"logits", largest_difference(found->logits, wanted->logits, wanted->scores), 2e-6},
      {"probabilities", largest_difference(found->probabilities, wanted->probabilities, wanted->scores), 1e-6},
      {"value of a line", compare_relative(found->value[1], wanted->value[1]), 1e-6},
      {"slope of a line", fabs(found->slope[1] - wanted->slope[1]) / (1 + fabs(wanted->slope[1])), 1e-5},
  };
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) expect_near(parts[i].off, slack * parts[i].tolerance, parts[i].what, how);
}

#define SHAPE(n, d, k, filled, falls, one) \
  { .rows = n, .features = d, .classes = k, .density = filled, .spread = falls, .ones = one, .gaps = (n) > 100 }
static const SparseShape shapes[] = {
    SHAPE(1, 1, 2, 1, 0, false),          SHAPE(31, 7, 2, 0.6, 0.1, false),   SHAPE(33, 300, 3, 1, 0.2, false),
    SHAPE(1000, 40, 2, 1, 0.3, true),     SHAPE(700, 90, 4, 0.9, 0.1, true),  SHAPE(1000, 300, 10, 1, 0.3, false),
    SHAPE(500, 200, 20, 0.8, 0.2, false), SHAPE(300, 150, 33, 1, 0.2, false), SHAPE(400, 120, 65, 0.7, 0.1, true),
    SHAPE(300, 70, 131, 0.9, 0.1, false), SHAPE(90, 30, 1000, 0.5, 0, false), SHAPE(3000, 5, 7, 1, 0, false),
};

static void both_families(void **state) {
  (void)state;
  static const SetosaFamily families[] = {SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    for (int weighted = 0; weighted < 2; weighted++) {
      SparsePair pair = sparse_pair(&shapes[i], 11 + i);
      if (weighted) weigh_rows(pair.dense), weigh_rows(pair.sparse);
      Answers wanted = ask_reference(pair.dense);
      for (size_t f = 0; f < 2; f++) {
        char how[200];
        snprintf(how, sizeof how, "%zu x %zu, %zu classes%s, %s", shapes[i].rows, shapes[i].features, shapes[i].classes,
                 weighted ? ", weighted" : "", f == 0 ? "cpu" : "gpu");
        Answers found = ask_native(pair.sparse, (BackendSettings){.family = families[f], .context = support_device()});
        expect_close(&found, &wanted, 1, how);
        answers_free(&found);
      }
      answers_free(&wanted);
      sparse_pair_free(&pair);
    }
  }
}

/* The diagonals of Gram matrices at weights, of all rows: (K,D+1). */
static double *ask_diagonals(Backend *backend, bool at_zero, const double *mean) {
  Error error = {0};
  Vector *w = NULL;
  size_t parameters = backend->parameters;
  double *values = calloc(parameters, sizeof *values), *out = malloc(parameters * sizeof *out);
  assert_true(values != NULL && out != NULL);
  support_poison_double(out, parameters);
  for (size_t i = 0; i < parameters && !at_zero; i++) values[i] = 0.7 * sin(2.3 * (double)i);
  support_ok(vector_create(backend, &w, &error), &error);
  support_ok(vector_write(backend, w, values, &error), &error);
  const GramRequest request = {.count = backend->rows, .at = w, .mean = mean, .matrices = backend->classes, .diagonal = true};
  support_ok(backend_gram(backend, &request, out, &error), &error);
  vector_destroy(backend, w);
  free(values);
  return out;
}

/* What the device sums up over all rows is what the reference does, at the start, where two classes have a half each, and elsewhere. */
static void diagonals_at_weights(void **state) {
  (void)state;
  static const SparseShape some[] = {SHAPE(1000, 40, 2, 1, 0.3, true), SHAPE(700, 90, 4, 0.9, 0.1, false),
                                     SHAPE(300, 150, 33, 1, 0.2, false)};
  for (size_t i = 0; i < sizeof some / sizeof *some; i++)
    for (int variant = 0; variant < 8; variant++) {
      Error error = {0};
      SparsePair pair = sparse_pair(&some[i], 21 + i);
      Backend *reference = NULL;
      double mean[150];
      for (size_t d = 0; d < some[i].features; d++) mean[d] = 0.1 * cos((double)d);
      if ((variant & 4) != 0) weigh_rows(pair.dense), weigh_rows(pair.sparse);
      BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
      support_ok(backend_open(&reference, pair.dense, &settings, &error), &error);
      Backend *native = open_native(pair.sparse, (BackendSettings){.family = (variant & 2) != 0 ? SETOSA_FAMILY_GPU : SETOSA_FAMILY_CPU,
                                                                   .context = support_device()});
      double *wanted = ask_diagonals(reference, (variant & 1) != 0, mean), *found = ask_diagonals(native, (variant & 1) != 0, mean);
      expect_near(compare_relative_norm(found, wanted, native->parameters), 1e-5, "diagonal", "at weights");
      free(wanted);
      free(found);
      backend_close(reference);
      backend_close(native);
      sparse_pair_free(&pair);
    }
}

/* Many blocks of few rows, chunks, several buffers, several devices: the bits of one. */
static void same_bits(void **state) {
  (void)state;
  static const SparseShape some[] = {SHAPE(2500, 80, 3, 1, 0.3, false), SHAPE(3000, 60, 2, 1, 0.1, true),
                                     SHAPE(1500, 50, 37, 0.9, 0.1, false)};
  for (size_t i = 0; i < sizeof some / sizeof *some; i++)
    for (int family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
      SparsePair pair = sparse_pair(&some[i], 5 + i);
      weigh_rows(pair.sparse);
      BackendSettings plain = {.family = (SetosaFamily)family, .context = support_device(), .workspace_bytes = 40000};
      BackendSettings others[] = {plain, plain, plain, plain};
      others[0].streamed = true, others[0].chunk_rows = 300;
      others[1].x_buffer_bytes = 30000;
      others[2].context_count = 3, others[2].rates = (const double[]){1, 5, 2};
      others[3].context_count = 2, others[3].streamed = true, others[3].chunk_rows = 500, others[3].rates = (const double[]){2, 1};
      for (size_t d = 0; d < 3; d++) others[2].contexts[d] = others[3].contexts[d] = support_device();
      Answers wanted = ask_native(pair.sparse, plain);
      Answers again = ask_native(pair.sparse, plain);
      expect_same(&wanted, &again, "a second time");
      answers_free(&again);
      for (size_t o = 0; o < sizeof others / sizeof *others; o++) {
        static const char *const how[] = {"streamed", "in several buffers", "on three devices", "on two devices, streamed"};
        Answers found = ask_native(pair.sparse, others[o]);
        expect_same(&found, &wanted, how[o]);
        answers_free(&found);
      }
      answers_free(&wanted);
      sparse_pair_free(&pair);
    }
}

/* So many features of two classes that the device has them by frequency. */
static void frequent_features(void **state) {
  (void)state;
  Dataset *dataset = load("synthetic:rows=20000,features=140000,classes=2,fields=60", false);
  Answers wanted = ask_reference(dataset);
  for (int family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
    Backend *backend = open_native(dataset, (BackendSettings){.family = (SetosaFamily)family, .context = support_device()});
    assert_non_null(((const Native *)backend)->sparse->places);
    Answers found = ask_backend(backend);
    expect_close(&found, &wanted, 2, family == SETOSA_FAMILY_CPU ? "by frequency, cpu" : "by frequency, gpu");
    answers_free(&found);
    backend_close(backend);
  }
  answers_free(&wanted);
  setosa_dataset_destroy(dataset);
}

/* Rows that are made as they are needed, and gathered ones. */
static void made_rows(void **state) {
  (void)state;
  const char *spec = "synthetic:rows=3000,features=400,classes=5,sparsity=0.98";
  for (int family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
    BackendSettings settings = {.family = (SetosaFamily)family, .context = support_device(), .workspace_bytes = 40000};
    Dataset *held = load(spec, false), *made = load(spec, true);
    assert_true(setosa_dataset_is_sparse(held) && setosa_dataset_is_sparse(made));
    Answers wanted = ask_native(held, settings), found = ask_native(made, settings);
    expect_same(&found, &wanted, "made as needed");
    answers_free(&found);
    settings.streamed = true;
    settings.chunk_rows = 300;
    found = ask_native(made, settings);
    expect_same(&found, &wanted, "made as needed, streamed");
    answers_free(&found);
    answers_free(&wanted);
    setosa_dataset_destroy(held);
    setosa_dataset_destroy(made);
  }
}

/* Halves round the values, and nothing else: within their 2^-11. */
static void halves(void **state) {
  (void)state;
  const SparseShape shape = SHAPE(800, 100, 5, 1, 0.2, false);
  SparsePair pair = sparse_pair(&shape, 3);
  Answers wanted = ask_reference(pair.dense);
  for (int family = SETOSA_FAMILY_CPU; family <= SETOSA_FAMILY_GPU; family++) {
    Answers found = ask_native(
        pair.sparse, (BackendSettings){.family = (SetosaFamily)family, .storage = SETOSA_STORAGE_F16, .context = support_device()});
    expect_close(&found, &wanted, 1000, "as halves");
    assert_true(found.facts.storage_rms_error > 0 && found.facts.storage_rms_error <= 0x1p-11);
    answers_free(&found);
  }
  answers_free(&wanted);
  sparse_pair_free(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(both_families),        cmocka_unit_test(same_bits),
                                     cmocka_unit_test(diagonals_at_weights), cmocka_unit_test(made_rows),
                                     cmocka_unit_test(frequent_features),    cmocka_unit_test(halves)};
  return support_run("sparse rows", tests, support_device_open, support_device_close);
}
