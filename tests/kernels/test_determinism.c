/* The same call gives the same bits, however groups and threads fall: every operation of both families, many times over. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/open.h"
#include "support/device.h"

enum { REPEATS = 40 };

typedef struct Run {
  Backend *backend;
  Vector *w, *v, *out;
  double *parameters;
  float *scores;
} Run;

/* What one operation leaves behind, as bytes: *result points at parameters, scores or numbers. */
typedef Status (*Operation)(Run *run, double numbers[4], Error *error);

static Status gradient(Run *run, double numbers[4], Error *error) {
  DataTerm at = {.pair_count = 0};
  Status status = backend_evaluate(run->backend, run->w, backend_all_rows(run->backend), NULL, run->out, &at, error);
  numbers[0] = at.loss;
  numbers[1] = at.gradient_norm;
  return status != SETOSA_OK ? status : vector_read(run->backend, run->out, run->parameters, error);
}

static Status hessian(Run *run, double numbers[4], Error *error) {
  (void)numbers;
  Status status = backend_hessian_product(run->backend, run->w, run->v, backend_all_rows(run->backend), NULL, run->out, error);
  return status != SETOSA_OK ? status : vector_read(run->backend, run->out, run->parameters, error);
}

static Status line(Run *run, double numbers[4], Error *error) {
  Status status = backend_line_open(run->backend, run->w, run->v, error);
  if (status == SETOSA_OK) status = backend_line_evaluate(run->backend, 0.5, &numbers[0], &numbers[1], error);
  backend_line_close(run->backend);
  return status;
}

static Status dots(Run *run, double numbers[4], Error *error) {
  const VectorPair pairs[] = {{.a = run->w, .b = run->w}, {.a = run->w, .b = run->v}, {.a = run->v, .b = run->v}};
  return vector_dots(run->backend, 3, pairs, numbers, error);
}

static Status probabilities(Run *run, double numbers[4], Error *error) {
  (void)numbers;
  return backend_predict(run->backend, run->w, backend_all_rows(run->backend), ROW_PROBABILITIES, run->scores, error);
}

static void repeat(const char *name, Operation operation, Run *run) {
  size_t parameter_bytes = run->backend->parameters * sizeof(double),
         score_bytes = run->backend->rows * run->backend->classes * sizeof(float);
  double first_numbers[4] = {0}, *first_parameters = malloc(parameter_bytes);
  float *first_scores = malloc(score_bytes);
  Error error = {0};
  assert_non_null(first_parameters);
  assert_non_null(first_scores);
  memset(run->scores, 0, score_bytes);
  for (int i = 0; i < REPEATS; i++) {
    double numbers[4] = {0};
    support_poison_double(run->parameters, run->backend->parameters);
    support_ok(operation(run, numbers, &error), &error);
    if (i == 0) {
      memcpy(first_numbers, numbers, sizeof numbers);
      memcpy(first_parameters, run->parameters, parameter_bytes);
      memcpy(first_scores, run->scores, score_bytes);
    } else if (memcmp(first_numbers, numbers, sizeof numbers) != 0 || memcmp(first_parameters, run->parameters, parameter_bytes) != 0 ||
               memcmp(first_scores, run->scores, score_bytes) != 0) {
      fail_msg("%s of %zu x %zu, %zu classes: call %d differs from the first", name, run->backend->rows, run->backend->features,
               run->backend->classes, i);
    }
  }
  free(first_parameters);
  free(first_scores);
}

static void run_shape(Context *context, const char *spec, SetosaFamily family) {
  SetosaDataset *dataset = NULL;
  Run run = {0};
  Error error = {0};
  BackendSettings settings = {.kind = SETOSA_BACKEND_NATIVE, .family = family, .context = context, .intercept = true};
  support_ok(setosa_dataset_load(&dataset, spec, NULL, &error), &error);
  support_ok(backend_open(&run.backend, dataset, &settings, &error), &error);
  support_ok(vector_create(run.backend, &run.w, &error), &error);
  support_ok(vector_create(run.backend, &run.v, &error), &error);
  support_ok(vector_create(run.backend, &run.out, &error), &error);
  run.parameters = malloc(run.backend->parameters * sizeof(double));
  run.scores = malloc(run.backend->rows * run.backend->classes * sizeof(float));
  assert_non_null(run.parameters);
  assert_non_null(run.scores);
  for (size_t i = 0; i < run.backend->parameters; i++) run.parameters[i] = sin(1.7 * (double)i);
  support_ok(vector_write(run.backend, run.w, run.parameters, &error), &error);
  for (size_t i = 0; i < run.backend->parameters; i++) run.parameters[i] = cos(1.3 * (double)i);
  support_ok(vector_write(run.backend, run.v, run.parameters, &error), &error);
  repeat("gradient", gradient, &run);
  repeat("Hessian", hessian, &run);
  repeat("line", line, &run);
  repeat("inner products", dots, &run);
  repeat("probabilities", probabilities, &run);
  vector_destroy(run.backend, run.w);
  vector_destroy(run.backend, run.v);
  vector_destroy(run.backend, run.out);
  backend_close(run.backend);
  setosa_dataset_destroy(dataset);
  free(run.parameters);
  free(run.scores);
}

static void same_call_same_bits(SetosaFamily family) {
  static const char *const shapes[] = {
      "synthetic:rows=150,features=4,classes=3",     "synthetic:rows=100,features=784,classes=10",
      "synthetic:rows=2000,features=20,classes=10",  "synthetic:rows=700,features=33,classes=40",
      "synthetic:rows=130,features=100,classes=257",
  };
  Context *context = support_device();
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) run_shape(context, shapes[i], family);
}

static void cpu_family_is_deterministic(void **state) {
  (void)state;
  same_call_same_bits(SETOSA_FAMILY_CPU);
}
static void gpu_family_is_deterministic(void **state) {
  (void)state;
  same_call_same_bits(SETOSA_FAMILY_GPU);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cpu_family_is_deterministic),
      cmocka_unit_test(gpu_family_is_deterministic),
  };
  return support_run("determinism", tests, support_device_open, support_device_close);
}
