/* Which rows a sample takes. */
#include "optim/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/softmax.h"

/* Neighbours are cheap to bring together, but alike in a sorted file. */
enum { RUN_ROWS = 32 };

/* A number in [0, 1). */
static double uniform(uint64_t seed, RandomStream stream, uint64_t high, uint64_t low) {
  return 0.5 + 0.5 * random_symmetric(seed, stream, high, low);
}

/* Rows of the runs that the sample takes; counts them where rows is NULL. */
static size_t choose_runs(const Sample *sample, size_t wanted, uint64_t *rows) {
  size_t count = 0, all = sample->backend->rows;
  double part = wanted > all / 2 ? 1 : (double)wanted / (double)all;
  for (size_t begin = 0; begin < all; begin += RUN_ROWS) {
    if (part < 1 && uniform(sample->seed, RANDOM_STREAM_ROWS, sample->draw, begin / RUN_ROWS) >= part) continue;
    for (size_t i = begin; i < begin + RUN_ROWS && i < all; i++, count++)
      if (rows != NULL) rows[count] = i;
  }
  return count;
}

Status sample_open(Sample *sample, Backend *backend, const Vector *w, size_t wanted, uint64_t seed, uint64_t draw, Error *error) {
  Status status = SETOSA_OK;
  size_t scores = 0;
  *sample = (Sample){.backend = backend, .seed = seed, .draw = draw};
  sample->count = choose_runs(sample, wanted, NULL);
  if (sample->count == 0) /* none was drawn of a few: take all */
    sample->count = choose_runs(sample, wanted = backend->rows, NULL);
  TRY(memory_multiply(&scores, sample->count, backend->classes, "a sample of rows", error));
  TRY(memory_allocate((void **)&sample->rows, sample->count, sizeof *sample->rows, "a sample of rows", error));
  TRY(memory_allocate((void **)&sample->probabilities, scores, sizeof *sample->probabilities, "a sample of rows", error));
  choose_runs(sample, wanted, sample->rows);
  for (size_t i = 0, run; i < sample->count; i += run) {
    for (run = 1; i + run < sample->count && sample->rows[i + run] == sample->rows[i] + run;) run++;
    TRY(backend_predict(backend, w, (RowRange){(size_t)sample->rows[i], run}, ROW_ESTIMATES, sample->probabilities + i * backend->classes,
                        error));
  }
cleanup:
  return status;
}

void sample_close(Sample *sample) {
  free(sample->rows);
  free(sample->probabilities);
  *sample = (Sample){0};
}

double sample_spread(const Sample *sample, size_t i, size_t k) {
  size_t classes = sample->backend->classes;
  return softmax_spread(sample->probabilities + i * classes, classes, k);
}

size_t sample_important(const Sample *sample, size_t class_index, size_t wanted, uint64_t *rows, double *weights) {
  enum { CORRECTIONS = 6 }; /* of c, since the minimum with 1 takes some of what c * a asks for */
  double total = 0, c = 0;
  for (size_t i = 0; i < sample->count; i++) total += sample_spread(sample, i, class_index);
  if (!(total > 0)) return 0;
  c = wanted >= sample->count ? INFINITY : (double)wanted / total; /* all of them, and nothing is estimated */
  for (int round = 0; round < CORRECTIONS && isfinite(c); round++) {
    double expected = 0;
    for (size_t i = 0; i < sample->count; i++) expected += fmin(1, c * sample_spread(sample, i, class_index));
    if (expected >= 0.98 * (double)wanted || expected >= (double)sample->count) break;
    c *= (double)wanted / expected;
  }
  size_t chosen = 0;
  uint64_t high = sample->draw << 16 ^ class_index;
  for (size_t i = 0; i < sample->count; i++) {
    double a = sample_spread(sample, i, class_index), probability = fmin(1, c * a);
    if (!(a > 0) || (probability < 1 && uniform(sample->seed, RANDOM_STREAM_SAMPLE, high & UINT32_MAX, sample->rows[i]) >= probability))
      continue;
    rows[chosen] = sample->rows[i];
    weights[chosen++] = a / (probability * (double)sample->count);
  }
  return chosen;
}
