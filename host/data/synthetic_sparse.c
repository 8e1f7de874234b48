/* Sparse synthetic rows. Counters of the features' stream (high, row): attempts at columns from 0 on (synthetic_columns.c), values
 * (2^30 + entry / 4, row). True weights are on the most frequent columns, so that rows tell of them: a table of few rows, which is read
 * as fast as the columns are drawn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/processors.h"
#include "base/range.h"
#include "base/thread.h"
#include "data/synthetic_columns.h"

enum {
  LEAST_VALUE = 100, /* thousandths; 1000 is the largest */
  VALUES = 901,
  LEAST_USED = 32,
  MOST_USED = 4096,           /* columns with true weights; fewer where there are many classes */
  USED_WEIGHTS = 1 << 22,     /* about so many weights in all */
  MEASURED_ENTRIES = 1 << 20, /* of the rows from which the deviation of the logits is known */
  LEAST_MEASURED = 4,         /* such rows */
  MOST_MEASURED = 4096,
  MOST_WORKERS = 16,
  SCRATCH_BYTES = 256 << 20,   /* of all workers */
  ENTRIES_OF_THREAD = 1 << 15, /* below, a thread takes longer to start than to do its work */
};
static const uint32_t VALUE_COUNTERS = 0x40000000u;

/* What one thread needs. */
typedef struct Worker {
  ColumnSet set;     /* empty */
  uint32_t *columns; /* (LANES,entries) */
  float *values;     /* (LANES,entries) */
  uint32_t *ranks;   /* (fields) */
  float *logits;     /* (K) of one row */
  float *sums;       /* (K,LANES) */
} Worker;

struct SparseMaker {
  ColumnLaw law;
  size_t used_fields; /* fields with true weights; 1 without fields */
  size_t used_ranks;  /* columns of each that have some, the most frequent ones */
  float *weights;     /* (used_fields * used_ranks, K) */
  float value[VALUES];
  Worker *workers; /* (worker_limit), made when they are needed; the first is always there */
  size_t worker_count, worker_limit;
};

bool synthetic_spec_is_sparse(const SyntheticSpec *spec) { return spec->fields > 0 || spec->sparsity >= 0.95; }

size_t synthetic_spec_entries(const SyntheticSpec *spec) {
  double entries = floor((1 - spec->sparsity) * (double)spec->features + 0.5);
  return spec->fields > 0 ? (size_t)spec->fields : entries < 1 ? 1 : (size_t)entries;
}

/* ---- what a thread needs ----------------------------------------------------------------------------------------- */

static void worker_free(Worker *worker) {
  column_set_free(&worker->set);
  free(worker->columns);
  free(worker->values);
  free(worker->ranks);
  free(worker->logits);
  free(worker->sums);
  *worker = (Worker){0};
}

static Status worker_create(Worker *worker, const SparseMaker *maker, size_t classes, Error *error) {
  Status status = SETOSA_OK;
  const ColumnLaw *law = &maker->law;
  size_t entries = 0, sums = 0;
  TRY(memory_multiply(&entries, law->entries, LANES, "synthetic", error));
  TRY(memory_multiply(&sums, classes, LANES, "synthetic", error));
  TRY(column_set_create(&worker->set, law->features, error));
  TRY(memory_allocate((void **)&worker->columns, entries, sizeof *worker->columns, "synthetic data", error));
  TRY(memory_allocate((void **)&worker->values, entries, sizeof *worker->values, "synthetic data", error));
  TRY(memory_allocate((void **)&worker->ranks, law->fields + 1, sizeof *worker->ranks, "synthetic data", error));
  TRY(memory_allocate((void **)&worker->logits, classes, sizeof *worker->logits, "synthetic data", error));
  TRY(memory_allocate_zero((void **)&worker->sums, sums, sizeof *worker->sums, "synthetic data", error));
cleanup:
  if (status != SETOSA_OK) worker_free(worker);
  return status;
}

/* Up to so many workers, as far as there is memory; how many there are now. */
static size_t have_workers(SparseMaker *maker, size_t classes, size_t wanted) {
  if (wanted > maker->worker_limit) wanted = maker->worker_limit;
  while (maker->worker_count < wanted && worker_create(&maker->workers[maker->worker_count], maker, classes, NULL) == SETOSA_OK)
    maker->worker_count++;
  return wanted < maker->worker_count ? wanted : maker->worker_count;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The smaller of two even numbers: as of words in texts, small values are more frequent. */
static void fill_values(float *values, const SparseMaker *maker, uint64_t row) {
  uint32_t words[4][LANES];
  size_t entries = maker->law.entries;
  for (size_t j = 0; j < entries; j++) {
    if (j % (4 * LANES) == 0) words_of_row(maker->law.seed, RANDOM_STREAM_FEATURES, VALUE_COUNTERS + (uint32_t)(j / 4), row, words);
    uint32_t word = words[j % 4][j / 4 % LANES], a = (word & 0xFFFFu) * VALUES >> 16, b = (word >> 16) * VALUES >> 16;
    values[j] = maker->value[a < b ? a : b];
  }
}

/* The row of the table of true weights that entry j of a row has, and how many entries are looked at: all that may have one. */
static inline size_t used_entries(const SparseMaker *maker) { return maker->law.fields > 0 ? maker->used_fields : maker->law.entries; }
static inline bool used_row(size_t *used, const SparseMaker *maker, const Worker *worker, const uint32_t *columns, size_t j) {
  size_t rank = maker->law.fields > 0 ? worker->ranks[j] : columns[j];
  *used = maker->law.fields > 0 ? j * maker->used_ranks + rank : rank;
  return rank < maker->used_ranks;
}

/* Logits of row i of a block, in the order of its columns, or of its fields. */
static void fill_logits(Worker *worker, const SparseMaker *maker, size_t classes, const uint32_t *columns, const float *values, size_t i) {
  size_t used = 0;
  memset(worker->logits, 0, classes * sizeof *worker->logits);
  for (size_t j = 0; j < used_entries(maker); j++) {
    if (!used_row(&used, maker, worker, columns, j)) continue;
    const float *weights = maker->weights + used * classes;
    float value = values[j];
    for (size_t k = 0; k < classes; k++) worker->logits[k] += weights[k] * value;
  }
  for (size_t k = 0; k < classes; k++) worker->sums[k * LANES + i] = worker->logits[k];
}

/* Where rows go; NULL: they are not wanted. */
typedef struct Places {
  uint32_t *columns; /* (count,entries) */
  float *values;     /* (count,entries) */
  int32_t *labels;   /* (count) */
} Places;

static Places places_from(const Places *all, size_t row, size_t entries) {
  return (Places){.columns = all->columns != NULL ? all->columns + row * entries : NULL,
                  .values = all->values != NULL ? all->values + row * entries : NULL,
                  .labels = all->labels != NULL ? all->labels + row : NULL};
}

/* LANES rows at most. */
static void make_block(const Synthetic *synthetic, Worker *worker, uint64_t row, size_t count, const Places *places) {
  const SparseMaker *maker = synthetic->sparse;
  size_t entries = maker->law.entries, classes = (size_t)synthetic->spec.classes;
  bool ones = maker->law.fields > 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t *columns = (places->columns != NULL ? places->columns : worker->columns) + i * entries;
    float *values = (places->values != NULL ? places->values : worker->values) + i * entries;
    bool valued = places->values != NULL || places->labels != NULL;
    if (places->columns != NULL || places->labels != NULL) column_law_draw(&maker->law, &worker->set, row + i, columns, worker->ranks);
    for (size_t j = 0; valued && ones && j < entries; j++) values[j] = 1;
    if (valued && !ones) fill_values(values, maker, row + i);
    if (places->labels != NULL) fill_logits(worker, maker, classes, columns, values, i);
  }
  if (places->labels != NULL) synthetic_draw_labels(&synthetic->spec, synthetic->noise_below, worker->sums, row, count, places->labels);
}

/* Rows that one thread makes. */
typedef struct Share {
  const Synthetic *synthetic;
  Worker *worker;
  uint64_t begin;
  size_t count;
  Places places;
} Share;

static void *make_share(void *argument) {
  const Share *share = argument;
  for (size_t at = 0; at < share->count; at += LANES) {
    size_t rows = share->count - at < LANES ? share->count - at : LANES;
    Places places = places_from(&share->places, at, share->synthetic->sparse->law.entries);
    make_block(share->synthetic, share->worker, share->begin + at, rows, &places);
  }
  return NULL;
}

void synthetic_fill_sparse_on(Synthetic *synthetic, uint64_t begin, size_t count, uint32_t *columns, float *values, int32_t *labels,
                              size_t threads) {
  SparseMaker *maker = synthetic->sparse;
  const Places places = {columns, values, labels};
  Share shares[MOST_WORKERS];
  pthread_t ids[MOST_WORKERS];
  bool started[MOST_WORKERS] = {false};
  size_t parts = have_workers(maker, (size_t)synthetic->spec.classes, threads < count ? threads : count);
  for (size_t p = 0; p < parts; p++) {
    RowRange rows = range_part(count, p, parts);
    shares[p] = (Share){.synthetic = synthetic,
                        .worker = &maker->workers[p],
                        .begin = begin + rows.begin,
                        .count = rows.count,
                        .places = places_from(&places, rows.begin, maker->law.entries)};
    started[p] = p + 1 < parts && thread_start(&ids[p], make_share, &shares[p]) == 0;
  }
  for (size_t p = 0; p < parts; p++)
    if (!started[p]) make_share(&shares[p]);
  for (size_t p = 0; p < parts; p++)
    if (started[p]) pthread_join(ids[p], NULL);
}

void synthetic_fill_sparse(Synthetic *synthetic, uint64_t begin, size_t count, uint32_t *columns, float *values, int32_t *labels) {
  size_t entries = synthetic->sparse->law.entries, rows_of_thread = ENTRIES_OF_THREAD / entries + 1, most = count / rows_of_thread + 1;
  size_t threads = most > 1 ? processors_usable() : 1;
  synthetic_fill_sparse_on(synthetic, begin, count, columns, values, labels, threads < most ? threads : most);
}

void sparse_maker_expand(const Synthetic *synthetic, uint64_t begin, size_t count, float *values, int32_t *labels) {
  const SparseMaker *maker = synthetic->sparse;
  Worker *worker = &maker->workers[0];
  size_t features = (size_t)synthetic->spec.features, entries = maker->law.entries;
  for (size_t at = 0; at < count; at += LANES) {
    size_t rows = count - at < LANES ? count - at : LANES;
    const Places places = {worker->columns, worker->values, labels != NULL ? labels + at : NULL};
    make_block(synthetic, worker, begin + at, rows, &places);
    memset(values + at * features, 0, rows * features * sizeof *values);
    for (size_t e = 0; e < rows * entries; e++) values[(at + e / entries) * features + worker->columns[e]] = worker->values[e];
  }
}

/* ---- the true model ---------------------------------------------------------------------------------------------- */

/* The variance of a logit over the rows, where weights have the variance 1: that of each used column, summed, from the first rows. */
static Status measure(double *variance, const Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  const SparseMaker *maker = synthetic->sparse;
  Worker *worker = &maker->workers[0];
  size_t entries = maker->law.entries, rows = MEASURED_ENTRIES / entries, used = 0;
  double *sums = NULL, squares = 0; /* (used) */
  rows = rows < LEAST_MEASURED ? LEAST_MEASURED : rows > MOST_MEASURED ? MOST_MEASURED : rows;
  TRY(memory_allocate_zero((void **)&sums, maker->used_fields * maker->used_ranks, sizeof *sums, "column statistics", error));
  for (size_t i = 0; i < rows; i++) {
    make_block(synthetic, worker, i, 1, &(Places){worker->columns, worker->values, NULL});
    for (size_t j = 0; j < used_entries(maker); j++) {
      if (!used_row(&used, maker, worker, worker->columns, j)) continue;
      sums[used] += (double)worker->values[j];
      squares += (double)worker->values[j] * (double)worker->values[j];
    }
  }
  *variance = squares / (double)rows;
  for (size_t i = 0; i < maker->used_fields * maker->used_ranks; i++) *variance -= sums[i] / (double)rows * (sums[i] / (double)rows);
  *variance *= (double)rows / (double)(rows - 1);
cleanup:
  free(sums);
  return status;
}

static Status make_weights(SparseMaker *maker, const Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  const SyntheticSpec *spec = &synthetic->spec;
  size_t classes = (size_t)spec->classes, used = maker->used_fields * maker->used_ranks, count = 0;
  double variance = 0;
  TRY(memory_multiply(&count, used, classes, "synthetic", error));
  TRY(memory_allocate((void **)&maker->weights, count, sizeof *maker->weights, "synthetic data", error));
  TRY(measure(&variance, synthetic, error));
  float factor = variance > 0 ? (float)(spec->separation / sqrt(variance)) : 0; /* sqrt is correctly rounded in IEEE arithmetic */
  for (size_t u = 0; u < used; u++) {
    bool there = u % maker->used_ranks < column_law_size(&maker->law, u / maker->used_ranks);
    for (size_t k = 0; k < classes; k++) maker->weights[u * classes + k] = there ? true_bell(spec->seed, k, u) * factor : 0;
  }
cleanup:
  return status;
}

/* How many columns have true weights. */
static void choose_used(SparseMaker *maker, const SyntheticSpec *spec) {
  size_t used = (size_t)(USED_WEIGHTS / spec->classes), fields = maker->law.fields > 0 ? maker->law.fields : 1;
  used = used < LEAST_USED ? LEAST_USED : used > MOST_USED ? MOST_USED : used;
  maker->used_fields = fields < used ? fields : used;
  maker->used_ranks = used / maker->used_fields;
  if (maker->used_ranks > spec->features) maker->used_ranks = (size_t)spec->features;
}

Status sparse_maker_create(Synthetic *synthetic, Error *error) {
  Status status = SETOSA_OK;
  const SyntheticSpec *spec = &synthetic->spec;
  SparseMaker *maker = NULL;
  TRY(memory_allocate_zero((void **)&synthetic->sparse, 1, sizeof *synthetic->sparse, "synthetic data", error));
  maker = synthetic->sparse;
  TRY(column_law_create(&maker->law, spec, error));
  for (size_t i = 0; i < VALUES; i++) maker->value[i] = (float)((double)(LEAST_VALUE + i) / 1000);
  double bytes = (double)column_set_bytes(spec->features) + (double)maker->law.entries * LANES * 8 + (double)spec->classes * LANES * 4;
  maker->worker_limit = bytes * MOST_WORKERS < SCRATCH_BYTES ? MOST_WORKERS : 1 + (size_t)(SCRATCH_BYTES / bytes);
  if (maker->worker_limit > MOST_WORKERS) maker->worker_limit = MOST_WORKERS;
  TRY(memory_allocate_zero((void **)&maker->workers, MOST_WORKERS, sizeof *maker->workers, "synthetic data", error));
  TRY(worker_create(&maker->workers[0], maker, (size_t)spec->classes, error));
  maker->worker_count = 1;
  choose_used(maker, spec);
  TRY(make_weights(maker, synthetic, error));
cleanup:
  return status;
}

void sparse_maker_destroy(SparseMaker *maker) {
  if (maker == NULL) return;
  for (size_t i = 0; i < maker->worker_count; i++) worker_free(&maker->workers[i]);
  free(maker->workers);
  free(maker->weights);
  column_law_free(&maker->law);
  free(maker);
}

size_t sparse_maker_true_count(const SparseMaker *maker) { return maker->used_fields * maker->used_ranks; }

float sparse_maker_true_weight(const SparseMaker *maker, size_t classes, size_t k, size_t i, uint32_t *feature) {
  size_t field = i / maker->used_ranks, rank = i % maker->used_ranks;
  *feature = rank < column_law_size(&maker->law, field) ? column_law_place(&maker->law, field, rank) : 0; /* none: its weight is 0 */
  return maker->weights[i * classes + k];
}

double sparse_maker_square(const SparseMaker *maker) {
  double sum = 0;
  if (maker->law.fields > 0) return 1;
  for (size_t i = 0; i < VALUES; i++) sum += (double)(2 * (VALUES - i) - 1) * (double)maker->value[i] * (double)maker->value[i];
  return sum / ((double)VALUES * VALUES);
}
