/* Stochastic gradient descent, with momentum (v = mu v + g, w -= rate v) or Nesterov's (w -= rate (g + mu v)); Sutskever et al., "On the
 * importance of initialization and momentum in deep learning" (ICML 2013), in the form that needs the gradient at w only. */
#include "optim/minibatch.h"

static const double DEFAULT_RATE = 0.1;

typedef struct Sgd {
  const Objective *objective;
  Backend *backend; /* the objective's */
  Vector *velocity; /* NULL without momentum */
  double momentum;
  bool nesterov;
} Sgd;

static Status follow_gradient(Sgd *sgd, Vector *w, const Vector *gradient, double rate, Error *error) {
  if (sgd->velocity == NULL) return vector_add_scaled(sgd->backend, w, w, -rate, gradient, error);
  Status status = vector_combine(sgd->backend, sgd->velocity, 2, (const double[]){sgd->momentum, 1.0},
                                 (const Vector *const[]){sgd->velocity, gradient}, error);
  if (status != SETOSA_OK) return status;
  if (!sgd->nesterov) return vector_add_scaled(sgd->backend, w, w, -rate, sgd->velocity, error);
  return vector_combine(sgd->backend, w, 3, (const double[]){1.0, -rate, -rate * sgd->momentum},
                        (const Vector *const[]){w, gradient, sgd->velocity}, error);
}

/* The penalties take a step of the length that all of a gradient comes to, so that both are in balance where F is least. */
static Status sgd_update(void *state, Vector *w, const Vector *gradient, double rate, double part, uint64_t update, Error *error) {
  (void)update;
  Sgd *sgd = state;
  Status status = follow_gradient(sgd, w, gradient, rate, error);
  return status != SETOSA_OK ? status : minibatch_prox(sgd->objective, w, NULL, part * rate / (1.0 - sgd->momentum), error);
}

Status sgd_minimize(Objective *objective, Vector *w, const OptimizerSettings *settings, OptimizerReport *report, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = objective->backend;
  Sgd sgd = {.objective = objective, .backend = backend, .momentum = settings->momentum, .nesterov = settings->nesterov};
  if (settings->momentum > 0.0) TRY(vector_create(backend, &sgd.velocity, error));
  MinibatchMemory memory = {{"velocity"}, {sgd.velocity}, sgd.velocity != NULL ? 1 : 0};
  TRY(minibatch_minimize(objective, w, settings, DEFAULT_RATE, sgd_update, &sgd, &memory, report, error));
cleanup:
  vector_destroy(backend, sgd.velocity);
  return status;
}
