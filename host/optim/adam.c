/* Adam: Kingma and Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980, algorithm 1 with bias correction. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "optim/common.h"
#include "optim/minibatch.h"

static const double DEFAULT_RATE = 0.01;
static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;

typedef struct Adam {
  const Objective *objective;
  Backend *backend;       /* the objective's */
  Vector *mean, *square;  /* running averages of g and g^2 */
  Vector *scratch, *ones; /* ones: NULL without a penalty */
} Adam;

/* w -= rate * (m / c1) / (sqrt(v / c2) + epsilon), with c1 = 1 - beta1^t, c2 = 1 - beta2^t. Taking sqrt(c2) out of the fraction leaves
 * m / (sqrt(v) + epsilon sqrt(c2)), so that no corrected copies of m and v are needed. */
static Status adam_update(void *state, Vector *w, const Vector *gradient, double rate, double part, uint64_t update, Error *error) {
  Adam *adam = state;
  Status status = SETOSA_OK;
  double c1 = 1.0 - pow(BETA1, (double)update), c2 = sqrt(1.0 - pow(BETA2, (double)update));
  TRY(vector_combine(adam->backend, adam->mean, 2, (const double[]){BETA1, 1.0 - BETA1}, (const Vector *const[]){adam->mean, gradient},
                     error));
  TRY(vector_multiply(adam->backend, adam->scratch, gradient, gradient, error));
  TRY(vector_combine(adam->backend, adam->square, 2, (const double[]){BETA2, 1.0 - BETA2},
                     (const Vector *const[]){adam->square, adam->scratch}, error));
  TRY(vector_divide_sqrt(adam->backend, adam->scratch, adam->mean, adam->square, EPSILON * c2, error));
  TRY(vector_add_scaled(adam->backend, w, w, -rate * c2 / c1, adam->scratch, error));
  if (adam->ones == NULL) goto cleanup;
  /* The penalties take steps of the same lengths, one for each weight. */
  TRY(vector_divide_sqrt(adam->backend, adam->scratch, adam->ones, adam->square, EPSILON * c2, error));
  TRY(minibatch_prox(adam->objective, w, adam->scratch, part * rate * c2 / c1, error));
cleanup:
  return status;
}

static Status make_ones(Adam *adam, Error *error) {
  Status status = SETOSA_OK;
  double *values = NULL;
  TRY(memory_allocate((void **)&values, adam->backend->parameters, sizeof *values, "the parameters", error));
  for (size_t i = 0; i < adam->backend->parameters; i++) values[i] = 1;
  TRY(vector_create(adam->backend, &adam->ones, error));
  TRY(vector_write(adam->backend, adam->ones, values, error));
cleanup:
  free(values);
  return status;
}

Status adam_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  Adam adam = {.objective = objective, .backend = backend};
  TRY(vector_create(backend, &adam.mean, error));
  TRY(vector_create(backend, &adam.square, error));
  TRY(vector_create(backend, &adam.scratch, error));
  if (objective->l1 > 0 || objective->addition.l2 > 0) TRY(make_ones(&adam, error));
  MinibatchMemory memory = {{"mean", "square"}, {adam.mean, adam.square}, 2};
  TRY(minibatch_minimize(objective, w, settings, DEFAULT_RATE, adam_update, &adam, &memory, report, error));
cleanup:
  vectors_destroy(backend, (Vector *[]){adam.mean, adam.square, adam.scratch, adam.ones}, 4);
  return status;
}
