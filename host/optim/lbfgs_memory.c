/* The history of L-BFGS lives with the backend; one vector_dots call an iteration brings home every inner product that the next direction
 * needs (lbfgs_direction.c). */
#include "optim/lbfgs_memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "optim/common.h"

/* A pair is kept when <s,y> > this * |y| in the metric: less is rounding, and would make the inverse Hessian huge. */
static const double SMALLEST_COSINE = 1e-8;

/* Cuts `count` numbers off the block at *next. */
static double *take_numbers(double **next, size_t count) {
  double *taken = *next;
  *next += count;
  return taken;
}

static bool turns(const LbfgsMemory *m) { return !preconditioner_is_identity(m->preconditioner); }

/* Places for one more pair than the history keeps: a trial must not overwrite the oldest before it is accepted. */
Status memory_open(LbfgsMemory *m, Backend *backend, const Preconditioner *preconditioner, size_t history, Error *error) {
  Status status = SETOSA_OK;
  size_t n = history + 1, dots = n * (n + 1) / 2 + 5 * n + 2, terms = 2 * n + 1;
  *m = (LbfgsMemory){.backend = backend, .preconditioner = preconditioner, .products = {.slots = n}};
  TRY(memory_allocate_zero((void **)&m->s, n, sizeof *m->s, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->y, n, sizeof *m->y, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->z, n, sizeof *m->z, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->order, n, sizeof *m->order, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->dot_pairs, dots, sizeof *m->dot_pairs, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->dot_targets, dots, sizeof *m->dot_targets, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->term_vectors, terms, sizeof *m->term_vectors, "the L-BFGS history", error));
  TRY(memory_allocate_zero((void **)&m->numbers, 2 * n * n + 6 * n + dots + terms, sizeof(double), "the L-BFGS history", error));
  double *next = m->numbers;
  m->products.sy = take_numbers(&next, n * n);
  m->products.yz = take_numbers(&next, n * n);
  m->products.sg = take_numbers(&next, n);
  m->products.zg = take_numbers(&next, n);
  m->next_sg = take_numbers(&next, n);
  m->next_zg = take_numbers(&next, n);
  m->coefficients.s = take_numbers(&next, n);
  m->coefficients.z = take_numbers(&next, n);
  m->dots = take_numbers(&next, dots);
  m->terms = take_numbers(&next, terms);
cleanup:
  return status;
}

void memory_close(LbfgsMemory *m) {
  if (m->s != NULL) vectors_destroy(m->backend, m->s, m->products.slots);
  if (m->y != NULL) vectors_destroy(m->backend, m->y, m->products.slots);
  if (m->z != NULL) vectors_destroy(m->backend, m->z, m->products.slots);
  void *arrays[] = {m->s, m->y, m->z, m->order, m->dot_pairs, m->dot_targets, m->term_vectors, m->numbers};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  *m = (LbfgsMemory){0};
}

void memory_forget(LbfgsMemory *m) {
  m->pairs = 0;
  m->candidate = 0;
}

/* ---- products --------------------------------------------------------------------------------------------------- */

static void want_dot(LbfgsMemory *m, const Vector *a, const Vector *b, double *target) {
  m->dot_pairs[m->dot_count] = (VectorPair){.a = a, .b = b};
  m->dot_targets[m->dot_count++] = target;
}

static Status compute_dots(LbfgsMemory *m, Error *error) {
  Status status = vector_dots(m->backend, m->dot_count, m->dot_pairs, m->dots, error);
  for (size_t i = 0; status == SETOSA_OK && i < m->dot_count; i++) *m->dot_targets[i] = m->dots[i];
  m->dot_count = 0;
  return status;
}

static const Vector *z_of(const LbfgsMemory *m, size_t slot) { return turns(m) ? m->z[slot] : m->y[slot]; }

/* Those of a vector with the history; that of slot i goes to targets[i * stride]. In a row, since neighbours that share a vector are
 * cheaper. */
static void want_history(LbfgsMemory *m, Vector *const *history, const Vector *vector, double *targets, size_t stride) {
  for (size_t r = 0; r < m->pairs; r++) want_dot(m, history[m->order[r]], vector, &targets[m->order[r] * stride]);
}

/* Every new inner product after a trial: those of the candidate's pair and of the trial's gradient, with themselves and the history. */
static Status compute_new_products(LbfgsMemory *m, const LbfgsPoint *next, Error *error) {
  size_t n = m->products.slots, c = m->candidate;
  const Vector *s = m->s[c], *y = m->y[c], *z = z_of(m, c);
  want_history(m, m->s, y, m->products.sy + c, n);
  want_history(m, turns(m) ? m->z : m->y, y, m->products.yz + c, n);
  want_dot(m, s, y, &m->products.sy[c * n + c]);
  want_dot(m, y, z, &m->products.yz[c * n + c]);
  want_history(m, m->s, next->g, m->next_sg, 1);
  want_history(m, turns(m) ? m->z : m->y, next->g, m->next_zg, 1);
  want_dot(m, s, next->g, &m->next_sg[c]);
  want_dot(m, z, next->g, &m->next_zg[c]);
  want_dot(m, next->g, next->h, &m->next_gh);
  want_history(m, m->y, s, m->products.sy + c * n, 1);
  want_dot(m, s, s, &m->next_ss);
  m->dot_pairs[m->dot_count - 1].weights_only = true;
  Status status = compute_dots(m, error);
  for (size_t r = 0; status == SETOSA_OK && r < m->pairs; r++) m->products.yz[c * n + m->order[r]] = m->products.yz[m->order[r] * n + c];
  return status;
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

static Status make_vector(LbfgsMemory *m, Vector **vector, Error *error) {
  return *vector == NULL ? vector_create(m->backend, vector, error) : SETOSA_OK;
}

/* h = H0 g. */
static Status make_h(LbfgsMemory *m, const LbfgsPoint *point, Error *error) {
  return turns(m) ? preconditioner_apply(m->preconditioner, point->h, point->g, error) : SETOSA_OK;
}

/* s = next - now as stored, not the step times the direction: y belongs to what was done. H0 is linear, so that z = H0 y takes no
 * application of its own. */
Status memory_try(LbfgsMemory *m, const LbfgsPoint *now, const LbfgsPoint *next, Error *error) {
  Status status = SETOSA_OK;
  size_t c = m->candidate;
  TRY(make_vector(m, &m->s[c], error));
  TRY(make_vector(m, &m->y[c], error));
  if (turns(m)) TRY(make_vector(m, &m->z[c], error));
  TRY(make_h(m, next, error));
  TRY(vector_add_scaled(m->backend, m->s[c], next->w, -1.0, now->w, error));
  TRY(vector_add_scaled(m->backend, m->y[c], next->g, -1.0, now->g, error));
  if (turns(m)) TRY(vector_add_scaled(m->backend, m->z[c], next->h, -1.0, now->h, error));
  TRY(compute_new_products(m, next, error));
cleanup:
  return status;
}

void memory_accept(LbfgsMemory *m, double l2) {
  LbfgsProducts *p = &m->products;
  size_t n = p->slots, c = m->candidate;
  double curvature = p->sy[c * n + c], size = sqrt(m->next_ss) * sqrt(fmax(p->yz[c * n + c], 0));
  memcpy(p->sg, m->next_sg, n * sizeof(double));
  memcpy(p->zg, m->next_zg, n * sizeof(double));
  p->gh = m->next_gh;
  if (!(curvature > 0.5 * l2 * m->next_ss) || !(p->yz[c * n + c] > 0)) return;
  if (!turns(m) && !(curvature > SMALLEST_COSINE * size)) return;
  if (n == 1) return; /* a history of 0 pairs: steepest descent */
  m->order[m->pairs++] = c;
  if (m->pairs < n) {
    m->candidate = m->pairs; /* slots fill in order until every one is used once */
    return;
  }
  m->candidate = m->order[0];
  memmove(m->order, m->order + 1, --m->pairs * sizeof *m->order);
}

Status memory_begin(LbfgsMemory *m, const LbfgsPoint *now, Error *error) {
  Status status = make_h(m, now, error);
  if (status != SETOSA_OK) return status;
  want_dot(m, now->g, now->h, &m->products.gh);
  return compute_dots(m, error);
}

Status memory_renew(LbfgsMemory *m, const LbfgsPoint *now, Error *error) {
  Status status = SETOSA_OK;
  size_t n = m->products.slots;
  double *yz = m->products.yz;
  TRY(make_h(m, now, error));
  for (size_t r = 0; r < m->pairs; r++) {
    size_t i = m->order[r];
    TRY(make_vector(m, &m->z[i], error));
    TRY(preconditioner_apply(m->preconditioner, m->z[i], m->y[i], error));
  }
  want_dot(m, now->g, now->h, &m->products.gh);
  for (size_t r = 0; r < m->pairs; r++) {
    size_t i = m->order[r];
    want_dot(m, m->z[i], now->g, &m->products.zg[i]);
    for (size_t q = 0; q <= r; q++) want_dot(m, m->z[i], m->y[m->order[q]], &yz[i * n + m->order[q]]);
  }
  TRY(compute_dots(m, error));
  for (size_t r = 0; r < m->pairs; r++)
    for (size_t q = 0; q < r; q++) yz[m->order[q] * n + m->order[r]] = yz[m->order[r] * n + m->order[q]];
cleanup:
  return status;
}

Status memory_direction(LbfgsMemory *m, const LbfgsPoint *now, Vector *direction, double *slope, Error *error) {
  *slope = lbfgs_direction(&m->products, m->pairs, m->order, &m->coefficients);
  if (!(*slope < 0.0) || !isfinite(*slope)) { /* rounding has spoilt the history */
    memory_forget(m);
    *slope = lbfgs_direction(&m->products, 0, m->order, &m->coefficients);
  }
  size_t count = 0;
  m->terms[count] = m->coefficients.h;
  m->term_vectors[count++] = now->h;
  for (size_t r = 0; r < m->pairs; r++) {
    size_t i = m->order[r];
    m->terms[count] = m->coefficients.s[i];
    m->term_vectors[count++] = m->s[i];
    m->terms[count] = m->coefficients.z[i];
    m->term_vectors[count++] = z_of(m, i);
  }
  return vector_combine(m->backend, direction, count, m->terms, m->term_vectors, error);
}

/* ---- the state that is kept ------------------------------------------------------------------------------------- */

/* "s12": the vector of a slot. */
static const char *slot_name(char name[STATE_NAME_SIZE], char letter, size_t slot) {
  snprintf(name, STATE_NAME_SIZE, "%c%zu", letter, slot);
  return name;
}

/* Products of slots that are not in use are made afresh before they are read: a trial that overflowed may have left anything there. */
static void clear_unused_products(LbfgsMemory *m) {
  LbfgsProducts *p = &m->products;
  for (size_t i = 0; i < p->slots; i++) {
    bool used = false;
    for (size_t r = 0; r < m->pairs; r++) used = used || m->order[r] == i;
    if (used) continue;
    p->sg[i] = p->zg[i] = 0.0;
    for (size_t k = 0; k < p->slots; k++)
      p->sy[i * p->slots + k] = p->sy[k * p->slots + i] = p->yz[i * p->slots + k] = p->yz[k * p->slots + i] = 0.0;
  }
}

/* What the trial holds is made afresh before it is read. */
Status memory_put(LbfgsMemory *m, OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  clear_unused_products(m);
  const LbfgsProducts *p = &m->products;
  size_t n = p->slots;
  char name[STATE_NAME_SIZE];
  double candidate = (double)m->candidate, pairs = (double)m->pairs;
  TRY(state_put(state, "candidate", 1, &candidate, error));
  TRY(state_put(state, "pairs", 1, &pairs, error));
  TRY(state_put(state, "sy", n * n, p->sy, error));
  TRY(state_put(state, "yz", n * n, p->yz, error));
  TRY(state_put(state, "sg", n, p->sg, error));
  TRY(state_put(state, "zg", n, p->zg, error));
  TRY(state_put(state, "gh", 1, &p->gh, error));
  for (size_t r = 0; r < m->pairs; r++) {
    double slot = (double)m->order[r];
    TRY(state_put(state, slot_name(name, 'o', r), 1, &slot, error));
    TRY(state_put_vector(state, m->backend, slot_name(name, 's', m->order[r]), m->s[m->order[r]], error));
    TRY(state_put_vector(state, m->backend, slot_name(name, 'y', m->order[r]), m->y[m->order[r]], error));
    if (turns(m)) TRY(state_put_vector(state, m->backend, slot_name(name, 'z', m->order[r]), m->z[m->order[r]], error));
  }
cleanup:
  return status;
}

static Status load_vector(LbfgsMemory *m, Vector **vector, const OptimizerState *state, char letter, size_t slot, Error *error) {
  char name[STATE_NAME_SIZE];
  Status status = make_vector(m, vector, error);
  return status != SETOSA_OK ? status : state_get_vector(state, m->backend, slot_name(name, letter, slot), *vector, error);
}

static Status load_pair(LbfgsMemory *m, const OptimizerState *state, size_t rank, Error *error) {
  Status status = SETOSA_OK;
  char name[STATE_NAME_SIZE];
  uint64_t slot = 0;
  TRY(state_get_count(state, slot_name(name, 'o', rank), m->products.slots - 1, &slot, error));
  m->order[rank] = (size_t)slot;
  TRY(load_vector(m, &m->s[slot], state, 's', (size_t)slot, error));
  TRY(load_vector(m, &m->y[slot], state, 'y', (size_t)slot, error));
  if (turns(m)) TRY(load_vector(m, &m->z[slot], state, 'z', (size_t)slot, error));
cleanup:
  return status;
}

/* Every pair has a slot of its own, none of them the candidate's, and a curvature above 0. */
static bool is_history(const LbfgsMemory *m, size_t pairs, size_t candidate) {
  size_t n = m->products.slots;
  for (size_t r = 0; r < pairs; r++) {
    size_t i = m->order[r];
    if (i == candidate || !(m->products.sy[i * n + i] > 0.0) || !(m->products.yz[i * n + i] > 0.0)) return false;
    for (size_t other = 0; other < r; other++)
      if (m->order[other] == i) return false;
  }
  return m->products.gh >= 0.0;
}

Status memory_get(LbfgsMemory *m, const OptimizerState *state, Error *error) {
  Status status = SETOSA_OK;
  LbfgsProducts *p = &m->products;
  size_t n = p->slots;
  uint64_t candidate = 0, pairs = 0;
  TRY(state_get_count(state, "candidate", n - 1, &candidate, error));
  TRY(state_get_count(state, "pairs", n - 1, &pairs, error));
  TRY(state_get(state, "sy", n * n, p->sy, error));
  TRY(state_get(state, "yz", n * n, p->yz, error));
  TRY(state_get(state, "sg", n, p->sg, error));
  TRY(state_get(state, "zg", n, p->zg, error));
  TRY(state_get(state, "gh", 1, &p->gh, error));
  for (size_t r = 0; r < pairs; r++) TRY(load_pair(m, state, r, error));
  if (!is_history(m, (size_t)pairs, (size_t)candidate)) TRY(state_refuse("its history is no history", error));
  m->candidate = (size_t)candidate;
  m->pairs = (size_t)pairs;
cleanup:
  return status;
}
