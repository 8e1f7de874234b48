/* Coordinate descent with products that are kept up to date: C = G d for every class, and U' d. */
#include "optim/descent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct Descent {
  const DescentModel *model;
  const double *gradient, *w;
  double *d;
  double *moved;     /* C (K,D+1) */
  double *along;     /* U' d (rank) */
  double *curvature; /* (P): the diagonal of B */
  bool *awake;       /* (P): w + d is not 0 */
  size_t width;
} Descent;

static size_t index_of(const DescentModel *m, size_t k, size_t j) {
  return j < m->features ? k * m->features + j : m->classes * m->features + k;
}

static double dot(const double *x, const double *y, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

static void measure_curvature(Descent *s) {
  const DescentModel *m = s->model;
  for (size_t k = 0; k < m->classes; k++)
    for (size_t j = 0; j < s->width; j++) {
      size_t i = index_of(m, k, j);
      double own = m->blocks ? m->diagonal[k * s->width + j] : m->diagonal[j] * m->a[k * m->classes + k];
      double full = m->gamma * own + (j < m->features ? m->l2 : 0);
      double known = dot(m->u + i * m->rank, m->um + i * m->rank, m->rank);
      s->curvature[i] = fmax(full - known, 1e-3 * full + 1e-300);
    }
}

/* The derivative of the smooth part by coordinate (k, j) at d. */
static double slope_at(const Descent *s, size_t k, size_t j, size_t i) {
  const DescentModel *m = s->model;
  double sum = m->blocks ? s->moved[k * s->width + j] : 0;
  for (size_t l = 0; l < m->classes && !m->blocks; l++) sum += m->a[k * m->classes + l] * s->moved[l * s->width + j];
  return s->gradient[i] + m->gamma * sum + (j < m->features ? m->l2 * s->d[i] : 0) - dot(m->um + i * m->rank, s->along, m->rank);
}

static void move(Descent *s, size_t k, size_t j, size_t i, double by) {
  const DescentModel *m = s->model;
  double *moved = s->moved + k * s->width;
  const double *column = m->g == NULL ? NULL : m->g + (m->blocks ? k * s->width * s->width : 0) + j * s->width;
  s->d[i] += by;
  if (m->g == NULL)
    moved[j] += m->diagonal[j] * by;
  else
    for (size_t e = 0; e < s->width; e++) moved[e] += column[e] * by;
  for (size_t r = 0; r < m->rank; r++) s->along[r] += m->u[i * m->rank + r] * by;
}

/* One coordinate to its minimum. Returns how far it went, in the metric of its curvature. */
static double minimise_along(Descent *s, size_t k, size_t j) {
  const DescentModel *m = s->model;
  size_t i = index_of(m, k, j);
  double curvature = s->curvature[i], here = s->w[i] + s->d[i], best = here - slope_at(s, k, j, i) / curvature;
  double threshold = j < m->features ? m->l1 / curvature : 0;
  best = best > threshold ? best - threshold : best < -threshold ? best + threshold : 0;
  double by = best - here;
  s->awake[i] = best != 0;
  if (by == 0) return 0;
  move(s, k, j, i, by);
  return fabs(by) * sqrt(curvature);
}

static double sweep(Descent *s, bool all) {
  const DescentModel *m = s->model;
  double furthest = 0;
  size_t width = m->intercept ? s->width : m->features;
  for (size_t j = 0; j < width; j++)
    for (size_t k = 0; k < m->classes; k++)
      if (all || s->awake[index_of(m, k, j)]) furthest = fmax(furthest, minimise_along(s, k, j));
  return furthest;
}

Status descent_solve(const DescentModel *model, const double *gradient, const double *w, double tight, size_t sweeps, double *d,
                     Error *error) {
  enum { ALL_AGAIN = 10 }; /* sweeps over what is awake, at most, between two over all */
  Status status = SETOSA_OK;
  size_t width = model->features + 1, count = model->classes * width;
  Descent s = {.model = model, .gradient = gradient, .w = w, .d = d, .width = width};
  TRY(memory_allocate_zero((void **)&s.moved, count, sizeof *s.moved, "a step", error));
  TRY(memory_allocate_zero((void **)&s.along, model->rank + 1, sizeof *s.along, "a step", error));
  TRY(memory_allocate_zero((void **)&s.curvature, count, sizeof *s.curvature, "a step", error));
  TRY(memory_allocate_zero((void **)&s.awake, count, sizeof *s.awake, "a step", error));
  memset(d, 0, count * sizeof *d);
  measure_curvature(&s);
  double first = 0;
  bool all = true;
  for (size_t done = 0; done < sweeps; done++) {
    double furthest = sweep(&s, all);
    if (done == 0) first = furthest;
    if (furthest <= tight * first) {
      if (all) break;
      all = true;
    } else {
      all = done % ALL_AGAIN == ALL_AGAIN - 1;
    }
  }
cleanup:
  free(s.awake);
  free(s.curvature);
  free(s.along);
  free(s.moved);
  return status;
}
