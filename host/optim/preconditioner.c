/* When the first guess of the inverse Hessian is made anew, and its way to every process. */
#include "optim/preconditioner.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "optim/curvature.h"

struct Preconditioner {
  Backend *backend; /* borrowed */
  PreconditionerSettings settings;
  double l2;
  double *mean;    /* (D) of the features; NULL without an intercept */
  Metric *metric;  /* NULL: the identity */
  Vector *made_at; /* the point where it was last made */
  uint64_t next;   /* the iteration after the one before which that was; 0: never */
};

/* Iterations before which it is made anew. Pairs of L-BFGS correct what changes in between, and more often does not help. */
enum { RENEWALS = 8 };
static const uint64_t schedule[RENEWALS] = {8, 20, 40, 80, 160, 320, 640, 1280},
                      schedule_near[RENEWALS] = {15, 40, 80, 160, 320, 640, 1280, 2560},
                      schedule_diagonal[RENEWALS] = {4, 12, 30, 80, 160, 320, 640, 1280};

Status preconditioner_open(Preconditioner **preconditioner, Objective *objective, const PreconditionerSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Preconditioner *p = NULL;
  Backend *backend = objective->backend;
  *preconditioner = NULL;
  TRY(memory_allocate_zero((void **)&p, 1, sizeof *p, "a preconditioner", error));
  p->backend = backend;
  p->settings = *settings;
  p->l2 = objective->addition.l2;
  if (settings->kind != SETOSA_PRECONDITIONER_NONE) {
    TRY(vector_create(backend, &p->made_at, error));
    if (backend->intercept) {
      TRY(memory_allocate((void **)&p->mean, backend->features, sizeof *p->mean, "a preconditioner", error));
      TRY(curvature_mean(backend, p->mean, error));
    }
  }
  *preconditioner = p;
  p = NULL;
cleanup:
  preconditioner_close(p);
  return status;
}

void preconditioner_close(Preconditioner *p) {
  if (p == NULL) return;
  metric_destroy(p->backend, p->metric);
  vector_destroy(p->backend, p->made_at);
  free(p->mean);
  free(p);
}

void preconditioner_begin_again(Preconditioner *p) { p->next = p->metric != NULL ? 1 : 0; }

bool preconditioner_is_due(const Preconditioner *p, uint64_t iteration) {
  const uint64_t *times = p->settings.kind == SETOSA_PRECONDITIONER_DIAGONAL ? schedule_diagonal
                          : p->settings.near                                 ? schedule_near
                                                                             : schedule;
  if (p->settings.kind == SETOSA_PRECONDITIONER_NONE || p->next > iteration) return false;
  if (p->next == 0) return true;
  for (size_t i = 0; i < RENEWALS; i++)
    if (times[i] == iteration) return true;
  return false;
}

/* The same arrays on every process: those of the first. */
static Status share(Preconditioner *p, SetosaPreconditioner kind, Curvature *curvature, bool leads, Status own, Error *error) {
  Status status = own;
  Backend *backend = p->backend;
  size_t classes = backend->classes, width = backend->features + 1, count = curvature_feature_count(kind, classes);
  size_t sizes[] = {curvature_turns_classes(classes) ? classes * classes : 0, count * width * width,
                    kind == SETOSA_PRECONDITIONER_BLOCKS ? 0 : backend->parameters};
  double **arrays[] = {&curvature->classes, &curvature->features, &curvature->scale};
  for (size_t i = 0; i < 3; i++) {
    if (sizes[i] == 0) continue;
    if (!leads && status == SETOSA_OK) status = memory_allocate((void **)arrays[i], sizes[i], sizeof(double), "a preconditioner", error);
    status = backend_broadcast(backend, status, sizes[i], *arrays[i], error);
    if (status != SETOSA_OK) return status;
  }
  curvature->feature_count = count;
  return SETOSA_OK;
}

Status preconditioner_renew(Preconditioner *p, const Vector *w, uint64_t iteration, Error *error) {
  Status status = SETOSA_OK;
  Curvature curvature = {0};
  BackendFacts facts = {0};
  CurvatureSettings settings = {.backend = p->backend, .l2 = p->l2, .mean = p->mean, .seed = p->settings.seed, .draw = iteration};
  SetosaPreconditioner kind = p->settings.kind;
  if (kind == SETOSA_PRECONDITIONER_BLOCKS && !p->settings.near && iteration == 0) kind = SETOSA_PRECONDITIONER_KRON;
  backend_facts(p->backend, &facts);
  if (facts.leads)
    status = (kind == SETOSA_PRECONDITIONER_DIAGONAL ? curvature_diagonal
              : kind == SETOSA_PRECONDITIONER_KRON   ? curvature_kron
                                                     : curvature_blocks)(&curvature, &settings, w, error);
  TRY(share(p, kind, &curvature, facts.leads, status, error));
  metric_destroy(p->backend, p->metric);
  p->metric = NULL;
  MetricForm form = {.classes = curvature.classes,
                     .features = curvature.features,
                     .feature_count = curvature.feature_count,
                     .scale = curvature.scale,
                     .center = curvature.feature_count == 0 ? p->mean : NULL};
  TRY(metric_create(p->backend, &p->metric, &form, error));
  TRY(vector_copy(p->backend, p->made_at, w, error));
  p->next = iteration + 1;
cleanup:
  curvature_free(&curvature);
  return status;
}

bool preconditioner_is_identity(const Preconditioner *p) { return p->metric == NULL; }

Status preconditioner_apply(const Preconditioner *p, Vector *out, const Vector *v, Error *error) {
  return p->metric != NULL ? metric_apply(p->backend, p->metric, out, v, error) : vector_copy(p->backend, out, v, error);
}

Status preconditioner_put(const Preconditioner *p, OptimizerState *state, Error *error) {
  double made[] = {(double)p->next, p->settings.near ? 1 : 0};
  Status status = state_put(state, "metric", 2, made, error);
  return status != SETOSA_OK || p->next == 0 ? status : state_put_vector(state, p->backend, "metric_w", p->made_at, error);
}

Status preconditioner_get(Preconditioner *p, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  double made[2] = {0};
  Vector *w = NULL;
  TRY(state_get(state, "metric", 2, made, error));
  if (!(made[0] >= 0 && made[0] <= 0x1p50 && made[0] == floor(made[0])) || (made[1] != 0 && made[1] != 1))
    TRY(state_refuse("it counts no iterations until its preconditioner was made", error));
  uint64_t next = (uint64_t)made[0];
  p->settings.near = made[1] == 1;
  if ((next > 0) != (p->settings.kind != SETOSA_PRECONDITIONER_NONE))
    TRY(state_refuse("its preconditioner is none, or there is one where none was asked for", error));
  if (next == 0) goto cleanup;
  TRY(vector_create(p->backend, &w, error));
  TRY(state_get_vector(state, p->backend, "metric_w", w, error));
  TRY(preconditioner_renew(p, w, next - 1, error));
cleanup:
  vector_destroy(p->backend, w);
  return status;
}

double preconditioner_bytes(SetosaPreconditioner kind, size_t features, size_t classes) {
  double k = (double)classes, width = (double)features + 1;
  double turn = curvature_turns_classes(classes) ? k * k : 0, count = (double)curvature_feature_count(kind, classes);
  return sizeof(float) * (turn + count * width * width + k * width);
}
