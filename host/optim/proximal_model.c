/* A model of the curvature in the forward sense: what is minimised, not what a gradient is multiplied with. */
#include "optim/proximal_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dense.h"
#include "base/memory.h"
#include "optim/curvature.h"
#include "optim/sample.h"

enum { ROWS_A_FEATURE = 4, LEAST_ROWS = 3000, SWEEPS = 200 };
/* Of the trace: what A and G get on their diagonals, so that a step is bounded in every direction. */
static const double RIDGE_CLASSES = 0.02, RIDGE_FEATURES = 1e-7, RIDGE_BLOCKS = 1e-3;
/* A model that is scaled by more than this is wrong in other ways. */
static const double LEAST_GAMMA = 0.4, LEAST_GAMMA_BLOCKS = 0.7, MOST_GAMMA = 50;
static const double TIGHT = 1e-3;

static Status allocate(double **values, size_t a, size_t b, Error *error) {
  size_t count = 0;
  Status status = memory_multiply(&count, a, b, "a model of the objective", error);
  return status != SETOSA_OK ? status : memory_allocate_zero((void **)values, count, sizeof **values, "a model of the objective", error);
}

Status proximal_model_open(ProximalModel *m, Objective *objective, size_t pairs, bool diagonal, uint64_t seed, Error *error) {
  Status status = SETOSA_OK;
  Backend *b = objective->backend;
  size_t width = b->features + 1;
  bool lapack = false; /* the correction by pairs needs it */
  *m = (ProximalModel){0};
  TRY(dense_find(&lapack, error));
  *m = (ProximalModel){
      .backend = b, .l1 = objective->l1, .l2 = objective->addition.l2, .seed = seed, .dense = !diagonal, .most = lapack ? pairs : 0};
  TRY(allocate(&m->mean, b->features, 1, error));
  TRY(allocate(&m->a, b->classes, b->classes, error));
  TRY(allocate(&m->diagonal, b->classes, width, error));
  if (m->dense) TRY(allocate(&m->gram, width, width, error));
  TRY(allocate(&m->s, m->most + 1, b->parameters, error));
  TRY(allocate(&m->y, m->most + 1, b->parameters, error));
  TRY(allocate(&m->bs, m->most + 1, b->parameters, error));
  if (b->intercept) TRY(curvature_mean(b, m->mean, error));
cleanup:
  return status;
}

void proximal_model_close(ProximalModel *m) {
  double *arrays[] = {m->mean, m->a, m->gram, m->diagonal, m->s, m->y, m->bs};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  *m = (ProximalModel){0};
}

/* ---- from rows -------------------------------------------------------------------------------------------------- */

static void make_classes(ProximalModel *m, const Sample *sample) {
  size_t classes = m->backend->classes;
  double trace = 0;
  memset(m->a, 0, classes * classes * sizeof *m->a);
  curvature_of_classes(m->a, sample);
  for (size_t k = 0; k < classes; k++) trace += m->a[k * classes + k];
  for (size_t k = 0; k < classes; k++) m->a[k * classes + k] += RIDGE_CLASSES * trace / (double)classes;
}

Status proximal_model_renew(ProximalModel *m, const Vector *w, uint64_t draw, Error *error) {
  Status status = SETOSA_OK;
  Backend *b = m->backend;
  size_t width = b->features + 1, wanted = ROWS_A_FEATURE * b->features;
  Sample sample = {0};
  double *weights = NULL, trace = 0;
  m->current = 0;
  TRY(sample_open(&sample, b, w, m->dense && wanted > LEAST_ROWS ? wanted : LEAST_ROWS, m->seed, draw, error));
  make_classes(m, &sample);
  TRY(allocate(&weights, sample.count, 1, error));
  curvature_row_weights(weights, &sample);
  GramRequest request = {
      .count = sample.count, .rows = sample.rows, .mean = m->mean, .matrices = 1, .weights = weights, .diagonal = !m->dense};
  TRY(backend_gram(b, &request, m->dense ? m->gram : m->diagonal, error));
  for (size_t j = 0; m->dense && j < width; j++) m->diagonal[j] = m->gram[j * width + j];
  double total = m->diagonal[width - 1] > 0 ? m->diagonal[width - 1] : 1;
  for (size_t j = 0; j < b->features; j++) trace += m->diagonal[j] / total;
  for (size_t j = 0; j < width; j++) {
    double ridge = RIDGE_FEATURES * trace / (double)b->features + 1e-12;
    m->diagonal[j] = j < b->features ? m->diagonal[j] / total + ridge : 1;
    for (size_t e = 0; m->dense && e < width; e++)
      m->gram[j * width + e] = j == b->features || e == b->features ? 0 : m->gram[j * width + e] / total;
    if (m->dense) m->gram[j * width + j] = m->diagonal[j];
  }
cleanup:
  free(weights);
  sample_close(&sample);
  return status;
}

Status proximal_model_make_blocks(ProximalModel *m, const Vector *w, uint64_t draw, Error *error) {
  Status status = SETOSA_OK;
  Backend *b = m->backend;
  size_t width = b->features + 1, size = width * width;
  double *grams = NULL;
  CurvatureSettings settings = {.backend = b, .mean = m->mean, .seed = m->seed, .draw = draw};
  TRY(allocate(&grams, b->classes, size, error));
  TRY(curvature_of_each_class(grams, &settings, w, error));
  for (size_t k = 0; k < b->classes; k++) {
    double *gram = grams + k * size, trace = 0;
    for (size_t j = 0; j < b->features; j++) trace += gram[j * width + j];
    for (size_t j = 0; j < width; j++) {
      gram[j * width + j] += j < b->features ? RIDGE_BLOCKS * trace / (double)b->features + 1e-300 : 1e-6 * gram[j * width + j] + 1e-12;
      m->diagonal[k * width + j] = gram[j * width + j];
    }
  }
  free(m->gram);
  m->gram = grams;
  grams = NULL;
  m->blocks = true;
  m->current = 0;
cleanup:
  free(grams);
  return status;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

static double dot(const double *x, const double *y, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

void proximal_model_add(ProximalModel *m, const double *s, const double *y) {
  size_t count = m->backend->parameters;
  if (m->most == 0 || !(dot(s, y, count) > 1e-12 * dot(s, s, count))) return;
  if (m->pairs == m->most) {
    memmove(m->s, m->s + count, (m->most - 1) * count * sizeof *m->s);
    memmove(m->y, m->y + count, (m->most - 1) * count * sizeof *m->y);
    memmove(m->bs, m->bs + count, (m->most - 1) * count * sizeof *m->bs);
    m->current -= m->current > 0;
    m->pairs--;
  }
  memcpy(m->s + m->pairs * count, s, count * sizeof *s);
  memcpy(m->y + m->pairs * count, y, count * sizeof *y);
  m->pairs++;
}

/* out (P) = A (x) G v. */
static Status multiply(const ProximalModel *m, const double *v, double *out, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = m->backend->classes, features = m->backend->features, width = features + 1;
  double *turned = NULL; /* (K,D+1): G v of every class */
  TRY(allocate(&turned, classes, width, error));
  for (size_t k = 0; k < classes; k++)
    for (size_t j = 0; j < width; j++) {
      double value = j < features ? v[k * features + j] : v[classes * features + k];
      if (!m->dense)
        turned[k * width + j] = m->diagonal[j] * value;
      else
        for (size_t e = 0; e < width && value != 0; e++)
          turned[k * width + e] += m->gram[(m->blocks ? k * width * width : 0) + j * width + e] * value;
    }
  for (size_t k = 0; k < classes; k++)
    for (size_t j = 0; j < width; j++) {
      double sum = m->blocks ? turned[k * width + j] : 0;
      for (size_t l = 0; l < classes && !m->blocks; l++) sum += m->a[k * classes + l] * turned[l * width + j];
      out[j < features ? k * features + j : classes * features + k] = sum;
    }
cleanup:
  free(turned);
  return status;
}

/* M (2n,2n) of the compact form: the inverse of [S'BS, L; L', -D] with L the part of S'Y below its diagonal D. */
static Status make_middle(const ProximalModel *m, double gamma, double *middle, bool *regular, Error *error) {
  size_t n = m->pairs, count = m->backend->parameters, order = 2 * n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      double sy = dot(m->s + i * count, m->y + j * count, count);
      middle[i * order + j] = gamma * dot(m->s + i * count, m->bs + j * count, count);
      middle[i * order + n + j] = middle[(n + j) * order + i] = i > j ? sy : 0;
      middle[(n + i) * order + n + j] = i == j ? -sy : 0;
    }
  return dense_invert(middle, order, regular, error);
}

/* u (P,2n) = [B S, Y] with B = gamma A (x) G, um = u M; the rank is 0 where they are of no use. */
static Status make_correction(const ProximalModel *m, double gamma, double *u, double *um, size_t *rank, Error *error) {
  Status status = SETOSA_OK;
  size_t n = m->pairs, count = m->backend->parameters, order = 2 * n;
  double *middle = NULL;
  bool regular = false;
  *rank = 0;
  if (n == 0) return SETOSA_OK;
  TRY(allocate(&middle, order, order, error));
  TRY(make_middle(m, gamma, middle, &regular, error));
  if (!regular) goto cleanup;
  for (size_t p = 0; p < count; p++)
    for (size_t i = 0; i < n; i++) {
      u[p * order + i] = gamma * m->bs[i * count + p];
      u[p * order + n + i] = m->y[i * count + p];
    }
  for (size_t p = 0; p < count; p++)
    for (size_t j = 0; j < order; j++) {
      double sum = 0;
      for (size_t i = 0; i < order; i++) sum += u[p * order + i] * middle[i * order + j];
      um[p * order + j] = sum;
    }
  *rank = order;
cleanup:
  free(middle);
  return status;
}

Status proximal_model_step(ProximalModel *m, const double *gradient, const double *w, double *d, Error *error) {
  Status status = SETOSA_OK;
  const Backend *b = m->backend;
  size_t n = m->pairs, count = b->parameters, weights = b->classes * b->features, rank = 0;
  double gamma = 1, *u = NULL, *um = NULL, *slope = NULL;
  TRY(allocate(&u, 2 * n + 1, count, error));
  TRY(allocate(&um, 2 * n + 1, count, error));
  TRY(allocate(&slope, count, 1, error));
  for (; m->current < n; m->current++) TRY(multiply(m, m->s + m->current * count, m->bs + m->current * count, error));
  if (n > 0) {
    const double *s = m->s + (n - 1) * count, *y = m->y + (n - 1) * count;
    gamma = fmin(fmax(dot(s, y, count) / dot(s, m->bs + (n - 1) * count, count), m->blocks ? LEAST_GAMMA_BLOCKS : LEAST_GAMMA), MOST_GAMMA);
  }
  TRY(make_correction(m, gamma, u, um, &rank, error));
  for (size_t i = 0; i < count; i++) slope[i] = gradient[i] + (i < weights ? m->l2 * w[i] : 0);
  DescentModel model = {.classes = b->classes,
                        .features = b->features,
                        .a = m->a,
                        .g = m->gram,
                        .diagonal = m->diagonal,
                        .blocks = m->blocks,
                        .gamma = gamma,
                        .l1 = m->l1,
                        .l2 = m->l2,
                        .rank = rank,
                        .u = u,
                        .um = um,
                        .intercept = b->intercept};
  TRY(descent_solve(&model, slope, w, TIGHT, SWEEPS, d, error));
cleanup:
  free(slope);
  free(um);
  free(u);
  return status;
}

/* ---- centred features ------------------------------------------------------------------------------------------- */

void proximal_center_weights(const ProximalModel *m, double *w, double sign) {
  size_t classes = m->backend->classes, features = m->backend->features;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) w[classes * features + k] += sign * w[k * features + d] * m->mean[d];
}

void proximal_center_gradient(const ProximalModel *m, double *gradient) {
  size_t classes = m->backend->classes, features = m->backend->features;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) gradient[k * features + d] -= m->mean[d] * gradient[classes * features + k];
}
