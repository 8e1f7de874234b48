/* Inner products of the native backend: as many as one launch takes, and one read for all. */
#include "compute/native/dots.h"

#include <math.h>

#include "compute/native/vector.h"

enum { JOB_PAIRS = 8 }; /* pairs of a job, which share a vector (kernels/vector.cl) */

/* A launch in the making. Pairs are numbered from its first one on. */
typedef struct DotLaunch {
  Native *native;
  const Vector *vectors[VECTORS_AT_ONCE];
  uint64_t jobs[DOT_JOBS];
  uint32_t vector_count, job_count, pair_count;
  uint32_t groups, first; /* of the vectors; where the first pair's sums go */
} DotLaunch;

static Status launch(DotLaunch *l, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelArgument arguments[4 + DOT_JOBS + VECTORS_AT_ONCE];
  uint64_t parameters = l->native->head.parameters;
  KernelRange range = native_team_range(l->native, l->job_count);
  range.global[1] = l->groups;
  range.local[1] = 1;
  if (l->job_count == 0) return SETOSA_OK;
  TRY(native_kernel(l->native, KERNEL_DOTS, &kernel, error));
  arguments[0] = ARG(parameters);
  arguments[1] = ARG(parameters - l->native->head.classes);
  arguments[2] = ARG(l->native->sums);
  arguments[3] = ARG(l->first);
  for (uint32_t i = 0; i < DOT_JOBS; i++) arguments[4 + i] = ARG(i < l->job_count ? l->jobs[i] : (uint64_t)0);
  for (uint32_t i = 0; i < VECTORS_AT_ONCE; i++)
    arguments[4 + DOT_JOBS + i] = ARG(i < l->vector_count ? (const Buffer *)l->vectors[i]->buffer : (const Buffer *)NULL);
  TRY(kernel_launch_array(kernel, range, arguments, sizeof arguments / sizeof *arguments, error));
  l->first += l->pair_count * l->groups;
  l->vector_count = l->job_count = l->pair_count = 0;
cleanup:
  return status;
}

/* The number of a vector in the launch, or vector_count. */
static uint32_t find(const DotLaunch *l, const Vector *vector) {
  uint32_t i = 0;
  while (i < l->vector_count && l->vectors[i] != vector) i++;
  return i;
}

/* The same of a vector that there is room for. */
static uint64_t number_of(DotLaunch *l, const Vector *vector) {
  uint32_t number = find(l, vector);
  if (number == l->vector_count) l->vectors[l->vector_count++] = vector;
  return number;
}

/* Vectors that these pairs would bring at most. */
static uint32_t new_vectors(const DotLaunch *l, const Vector *shared, const VectorPair *pairs, uint32_t count) {
  uint32_t found = find(l, shared) == l->vector_count;
  for (uint32_t i = 0; i < count; i++) found += find(l, pairs[i].a == shared ? pairs[i].b : pairs[i].a) == l->vector_count;
  return found;
}

/* Pairs from the first on that can be one job, and the vector that they share. */
static uint32_t pairs_of_job(const Vector **shared, const VectorPair *pairs, size_t count) {
  uint32_t taken = 0;
  *shared = pairs[0].a;
  if (count > 1 && pairs[1].a != *shared && pairs[1].b != *shared && (pairs[1].a == pairs[0].b || pairs[1].b == pairs[0].b))
    *shared = pairs[0].b;
  while (taken < count && taken < JOB_PAIRS && pairs[taken].weights_only == pairs[0].weights_only &&
         (pairs[taken].a == *shared || pairs[taken].b == *shared))
    taken++;
  return taken;
}

/* Neighbouring pairs that share a vector become jobs; a launch that is full goes off. */
static Status add_pairs(DotLaunch *l, const VectorPair *pairs, size_t count, Error *error) {
  Status status = SETOSA_OK;
  const Vector *shared = NULL;
  for (size_t i = 0; i < count;) {
    uint32_t taken = pairs_of_job(&shared, pairs + i, count - i);
    bool full = l->job_count == DOT_JOBS || l->vector_count + new_vectors(l, shared, pairs + i, taken) > VECTORS_AT_ONCE;
    if (full) TRY(launch(l, error));
    uint64_t job = number_of(l, shared) | (uint64_t)l->pair_count << 54 | (uint64_t)pairs[i].weights_only << 62;
    for (uint32_t n = 0; n < JOB_PAIRS; n++) {
      const VectorPair *pair = &pairs[i + n];
      job |= (n < taken ? number_of(l, pair->a == shared ? pair->b : pair->a) : (uint64_t)VECTOR_NONE) << (6 * n + 6);
    }
    l->jobs[l->job_count++] = job;
    l->pair_count += taken;
    i += taken;
  }
cleanup:
  return status;
}

/* ---- what comes home -------------------------------------------------------------------------------------------- */

static double largest_of(const SumPair *norms, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) {
    if (isnan(norms[i].high)) return NAN;
    if (norms[i].high > largest) largest = norms[i].high;
  }
  return largest;
}

/* The loss and the norm that the sums say, which were read. */
static void take_later(Native *native, const NativeLater *later) {
  if (later->at == NULL) return;
  if (later->losses > 0) later->at->loss = backend_row_scale(&native->head, later->cut.rows) * native_pass_sum(native, 0, &later->cut);
  later->at->gradient_norm = later->norms > 0 ? largest_of(native->sums_host + later->losses, later->norms) : NAN;
}

Status native_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  NativeLater later = native->later;
  size_t own = later.at != NULL ? later.at->pair_count : 0, before = later.losses + later.norms;
  DotLaunch l = {.native = native, .groups = native_vector_groups(native, backend->parameters)};
  native->later = (NativeLater){.at = NULL};
  if (before + own + count == 0) return SETOSA_OK;
  size_t all = before + (own + count) * l.groups;
  if (before > 0 && all > native->sums_capacity) { /* growing would drop them; there is room for both the next time */
    TRY(native_read_sums(native, before, error));
    take_later(native, &later);
    before = 0;
  }
  l.first = (uint32_t)before;
  TRY(native_reserve_sums(native, all, error));
  if (own > 0) TRY(add_pairs(&l, later.at->pairs, own, error));
  TRY(add_pairs(&l, pairs, count, error));
  TRY(launch(&l, error));
  TRY(native_read_sums(native, before + (own + count) * l.groups, error));
  if (before > 0) take_later(native, &later);
  for (size_t i = 0; i < own; i++) later.at->products[i] = native_sum(native, before + i * l.groups, l.groups);
  for (size_t i = 0; i < count; i++) dots[i] = native_sum(native, before + (own + i) * l.groups, l.groups);
cleanup:
  return status;
}
