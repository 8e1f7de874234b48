/* Stochastic gradient descent, with momentum (v = mu v + g, w -= rate v) or Nesterov's (w -= rate (g + mu v)); Sutskever et al., "On the
 * importance of initialization and momentum in deep learning" (ICML 2013), in the form that needs the gradient at w only. */
#include "optim/minibatch.h"

static const double DEFAULT_RATE = 0.1;

typedef struct Sgd {
  Backend *backend;
  Vector *velocity; /* NULL without momentum */
  double momentum;
  bool nesterov;
} Sgd;

static Status sgd_update(void *state, Vector *w, const Vector *gradient, double rate, uint64_t update, Error *error) {
  (void)update;
  Sgd *sgd = state;
  if (sgd->velocity == NULL) return vector_add_scaled(sgd->backend, w, w, -rate, gradient, error);
  Status status = vector_combine(sgd->backend, sgd->velocity, 2, (const double[]){sgd->momentum, 1.0},
                                 (const Vector *const[]){sgd->velocity, gradient}, error);
  if (status != SETOSA_OK) return status;
  if (!sgd->nesterov) return vector_add_scaled(sgd->backend, w, w, -rate, sgd->velocity, error);
  return vector_combine(sgd->backend, w, 3, (const double[]){1.0, -rate, -rate * sgd->momentum},
                        (const Vector *const[]){w, gradient, sgd->velocity}, error);
}

Status sgd_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  Sgd sgd = {.backend = backend, .momentum = settings->momentum, .nesterov = settings->nesterov};
  if (settings->momentum > 0.0) TRY(vector_create(backend, &sgd.velocity, error));
  MinibatchMemory memory = {{"velocity"}, {sgd.velocity}, sgd.velocity != NULL ? 1 : 0};
  TRY(minibatch_minimize(objective, w, settings, DEFAULT_RATE, sgd_update, &sgd, &memory, report, error));
cleanup:
  vector_destroy(backend, sgd.velocity);
  return status;
}
