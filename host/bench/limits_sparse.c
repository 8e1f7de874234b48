/* The limit of a pass over sparse rows is the longest of three, and each is what no kernel of the kind of ours can do without:
 *
 *   max(flops / FMA peak, bytes / read bandwidth, gathers)
 *
 *   flops    2 K for each entry and product: 4 nnz K a step.
 *   bytes    What comes from memory. Logits: where rows begin (8 N) and columns and values of entries ((4 + v) nnz). Gradient: entries by
 *            columns, of each a row number within the block and its value ((2 + v) nnz), and of each column of each block its number and
 *            end (8). And for each block of rows: the weights of its columns are read, the gradient of its columns read and written, and
 *            its residuals (rows of S floats) written once.
 *   gathers  Each entry meets one row of S floats, S = K rounded up as kernels do, of L cache lines: of the weights (D,S) for logits, of
 *            the residuals of a block (B,S) for the gradient. t(T) is what a line costs at random in a table of T bytes, o(T) where rows
 * are read in order (limits_gather.c). logits    Columns by falling number of entries: the one of rank r costs t(4 S r), for the more
 * frequent ones stay in the nearer caches. Sum over the columns: n_r L t(4 S r). gradient  Rows ascend. An entry is in the row that follows
 * its column's last one with the probability p = n_c / N, and costs o(4 S B) then, else t(4 S B): L (o sum p n_c + t sum (1 - p) n_c).
 *
 * Blocks may have any size: large ones move weights and gradients less often, small ones stay in nearer caches. The limit is that of the
 * best of GATHER_SIZES ways to cut. Where a block begins and ends says nothing about columns: each is taken to have its entries evenly.
 * With bandwidth alone (a GPU), a gather is its lines over the bandwidth; what its caches save is not seen. */
#include "bench/limits_sparse.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { CHUNK_ENTRIES = 1 << 20, MOST_BLOCK = 1 << 16 /* rows whose numbers are u16 */ };
static const double most_entries = 1e8; /* that are looked at: the first rows stand for all */

/* ---- times of tables of any size -------------------------------------------------------------------------------- */

/* Between two sizes, straight over the logarithm: part of the upper one, *lower + 1. */
static double between(double bytes, size_t *lower) {
  double at = log2(fmax(bytes, GATHER_LEAST_BYTES) / GATHER_LEAST_BYTES) / 2;
  *lower = at < GATHER_SIZES - 2 ? (size_t)at : GATHER_SIZES - 2;
  return fmin(1, at - (double)*lower);
}

static double time_at(const double times[GATHER_SIZES], double bytes) {
  size_t lower = 0;
  double part = between(bytes, &lower);
  return (1 - part) * times[lower] + part * times[lower + 1];
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

static int by_falling_count(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x < y) - (x > y);
}

static void count_cut(SparseTally *tally, size_t cut, const uint64_t *counts, size_t columns) {
  double row_bytes = sizeof(float) * tally->stride, rows = (double)tally->rows;
  double block = fmax(1, fmin(fmin(floor(gather_bytes(cut) / row_bytes), MOST_BLOCK), rows));
  tally->cut[cut].bytes = block * row_bytes;
  tally->cut[cut].blocks = ceil(rows / block);
  tally->cut[cut].columns = 0;
  for (size_t r = 0; r < columns; r++) /* the probability that a block has none of a column's entries is (1 - p)^B */
    tally->cut[cut].columns += tally->cut[cut].blocks * -expm1(block * log1p(-fmin((double)counts[r] / rows, 1 - 1e-15)));
}

void sparse_tally_count(SparseTally *tally, size_t rows, size_t classes, bool ones, uint64_t *counts, size_t columns) {
  qsort(counts, columns, sizeof *counts, by_falling_count);
  while (columns > 0 && counts[columns - 1] == 0) columns--;
  *tally = (SparseTally){
      .rows = rows, .classes = classes, .stride = (double)gather_stride(classes), .lines = gather_lines(classes), .ones = ones};
  double row_bytes = sizeof(float) * tally->stride;
  tally->weights_bytes = row_bytes * (double)columns;
  for (size_t r = 0; r < columns; r++) {
    size_t lower = 0;
    double count = (double)counts[r], part = between(row_bytes * (double)(r + 1), &lower);
    tally->entries += count;
    tally->next += count * count / (double)rows;
    tally->logits.rows[lower] += (1 - part) * count;
    tally->logits.rows[lower + 1] += part * count;
  }
  for (size_t cut = 0; cut < GATHER_SIZES; cut++) count_cut(tally, cut, counts, columns);
}

Status sparse_tally_make(SparseTally *tally, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  SparseRoom room = {0};
  SparseRows rows;
  uint64_t *counts = NULL, seen = 0;
  double mean = fmax((double)shape.entries / (double)shape.rows, 1);
  size_t chunk = (size_t)fmax(1, CHUNK_ENTRIES / mean), most = (size_t)fmin((double)shape.rows, ceil(most_entries / mean));
  TRY(memory_allocate_zero((void **)&counts, shape.features, sizeof *counts, "counts of columns", error));
  for (size_t begin = 0; begin < most; begin += chunk) {
    RowRange range = range_next(begin, most, chunk);
    TRY(dataset_sparse(&rows, dataset, range, &room, error));
    for (uint64_t i = rows.begin[0]; i < rows.begin[range.count]; i++) counts[rows.columns[i]]++;
    seen += rows.begin[range.count] - rows.begin[0];
  }
  for (size_t d = 0; d < shape.features && most < shape.rows; d++)
    counts[d] = (uint64_t)((double)counts[d] * (double)shape.entries / (double)seen + 0.5);
  sparse_tally_count(tally, shape.rows, shape.classes, shape.ones, counts, shape.features);
cleanup:
  sparse_room_free(&room);
  free(counts);
  return status;
}

/* ---- a pass ----------------------------------------------------------------------------------------------------- */

double sparse_pass_bytes(const SparsePass *pass) {
  const SparseTally *tally = pass->tally;
  double row_bytes = sizeof(float) * tally->stride, rows = (double)tally->rows, columns = tally->cut[pass->cut].columns;
  double logits = 8 * rows + (4 + pass->value_bytes) * tally->entries + pass->logits * row_bytes * columns;
  double gradient = (2 + pass->value_bytes) * tally->entries + (8 + 2 * row_bytes) * columns + row_bytes * rows;
  return logits + pass->gradients * gradient;
}

double sparse_pass_gathers(const SparsePass *pass, const GatherTimes *times, double gbytes_per_s) {
  const SparseTally *tally = pass->tally;
  double bytes = tally->cut[pass->cut].bytes, logits = 0;
  if (times == NULL) return 1e-9 * CACHE_LINE * tally->lines * tally->entries * (pass->logits + pass->gradients) / gbytes_per_s;
  for (size_t i = 0; i < GATHER_SIZES; i++) logits += tally->logits.rows[i] * times->random[i];
  double gradient = tally->next * time_at(times->ordered, bytes) + (tally->entries - tally->next) * time_at(times->random, bytes);
  return 1e-9 * tally->lines * (pass->logits * logits + pass->gradients * gradient);
}

void sparse_pass_cut(SparsePass *pass, const GatherTimes *times, double gbytes_per_s) {
  double best = INFINITY;
  SparsePass trial = *pass;
  for (trial.cut = 0; trial.cut < GATHER_SIZES; trial.cut++) {
    double seconds = fmax(1e-9 * sparse_pass_bytes(&trial) / gbytes_per_s, sparse_pass_gathers(&trial, times, gbytes_per_s));
    if (seconds >= best) continue;
    best = seconds;
    pass->cut = trial.cut;
  }
}
