/* Sums over the rows: see sums.h. A worker takes a segment, and of a segment, where there are fewer than threads, a part of the matrices.
 */
#include "inference/sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/processors.h"
#include "base/softmax.h"
#include "base/thread.h"
#include "inference/products.h"

enum { BLOCK_ROWS = 64, SEGMENTS_MOST = 64, SEGMENT_BYTES = 64 << 20, LET_GO_ROWS = 1 << 16 };

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/* ---- where things lie ------------------------------------------------------------------------------------------------ */

static Status take(size_t *at, Sums *sums, bool wanted, size_t lines, size_t line, Error *error) {
  size_t size = 0, total = sums->count;
  Status status = memory_multiply(&size, lines, line, "the sums of a summary", error);
  *at = total;
  if (status == SETOSA_OK && wanted) sums->count += size;
  return status;
}

static Status lay_out(Sums *sums, const SumsRequest *r, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = r->classes, width = r->design->width, reduced = classes - 1;
  *sums = (Sums){.line = round_up(r->design->features + 1, PRODUCT_LANES)};
  size_t line = sums->line;
  TRY(memory_multiply(&sums->matrix, round_up(width, PRODUCT_LINES), line, "the sums of a summary", error)); /* whole tiles */
  TRY(take(&sums->likelihood, sums, true, 1, 1, error));
  TRY(take(&sums->weight, sums, true, classes, 1, error));
  TRY(take(&sums->gradient, sums, true, round_up(classes, PRODUCT_LINES), line, error));
  TRY(take(&sums->information, sums, r->information, reduced * (reduced + 1) / 2, sums->matrix, error));
  TRY(take(&sums->squares, sums, r->squares, 1, sums->matrix, error));
  TRY(take(&sums->meat, sums, r->meat, reduced * (reduced + 1) / 2, sums->matrix, error));
  TRY(take(&sums->moments, sums, r->moments, round_up(classes * (classes + 1) * (classes + 2) / 6, PRODUCT_LINES), line, error));
  sums->added = sums->count;
  TRY(take(&sums->least, sums, r->squares, classes, line, error));
  TRY(take(&sums->most, sums, r->squares, classes, line, error));
  TRY(take(&sums->margin, sums, r->margins, classes, 1, error));
  TRY(take(&sums->margin_most, sums, r->margins, classes, 1, error));
cleanup:
  return status;
}

static void clear(const Sums *sums, double *values) {
  memset(values, 0, sums->added * sizeof *values);
  for (size_t i = sums->added; i < sums->count; i++) values[i] = INFINITY;
}

static void join(const Sums *sums, double *values, const double *more) {
  for (size_t i = 0; i < sums->added; i++) values[i] += more[i];
  for (size_t i = sums->added; i < sums->count; i++)
    if (more[i] < values[i]) values[i] = more[i];
}

/* ---- a block of rows -------------------------------------------------------------------------------------------------- */

typedef struct Block {
  const SumsRequest *request;
  const Sums *sums;
  double *values;     /* of its segment */
  size_t part, parts; /* of the matrices: those whose number is `part` modulo `parts`. Part 0 has all the rest */
  size_t rows, combinations;
  size_t class_line, lanes; /* K rounded up to lines and to lanes */
  double unit;              /* of the weights */
  float *x;                 /* (BLOCK_ROWS, D) */
  double *u, *turned;       /* (BLOCK_ROWS, line); (width, BLOCK_ROWS) */
  double *scaled;           /* (BLOCK_ROWS, line rounded up) */
  double *phi;              /* (width, lanes) */
  double *z;                /* (BLOCK_ROWS, lanes): logits, then probabilities */
  double *residual;         /* (BLOCK_ROWS, class_line) */
  double *products;         /* (BLOCK_ROWS, combinations) */
  double weight[BLOCK_ROWS];
  TargetRoom targets;
  const int32_t *labels;
} Block;

static Status block_open(Block *b, const SumsRequest *r, const Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  size_t width = r->design->width;
  b->request = r;
  b->sums = sums;
  b->unit = dataset_weight_unit(r->dataset);
  b->class_line = round_up(r->classes, PRODUCT_LINES);
  b->lanes = round_up(r->classes, PRODUCT_LANES);
  b->combinations = round_up(r->classes * (r->classes + 1) * (r->classes + 2) / 6, PRODUCT_LINES);
  TRY(memory_allocate((void **)&b->x, BLOCK_ROWS * r->design->features, sizeof *b->x, "rows", error));
  TRY(memory_allocate_zero((void **)&b->u, BLOCK_ROWS * sums->line, sizeof *b->u, "rows", error));
  TRY(memory_allocate_zero((void **)&b->turned, BLOCK_ROWS * width, sizeof *b->turned, "rows", error));
  TRY(memory_allocate_zero((void **)&b->scaled, BLOCK_ROWS * sums->line, sizeof *b->scaled, "rows", error));
  TRY(memory_allocate_zero((void **)&b->phi, width * b->lanes, sizeof *b->phi, "parameters", error));
  TRY(memory_allocate_zero((void **)&b->z, BLOCK_ROWS * b->lanes, sizeof *b->z, "probabilities", error));
  TRY(memory_allocate_zero((void **)&b->residual, BLOCK_ROWS * b->class_line, sizeof *b->residual, "probabilities", error));
  if (r->moments)
    TRY(memory_allocate_zero((void **)&b->products, BLOCK_ROWS * b->combinations, sizeof *b->products, "probabilities", error));
  for (size_t d = 0; d < width; d++)
    for (size_t k = 0; k < r->classes; k++) b->phi[d * b->lanes + k] = r->phi[k * width + d];
cleanup:
  return status;
}

static void block_close(Block *b) {
  free(b->x);
  double *arrays[] = {b->u, b->turned, b->scaled, b->phi, b->z, b->residual, b->products};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  target_room_free(&b->targets);
}

static Status bring(Block *b, RowRange rows, pthread_mutex_t *door, Error *error) {
  const SumsRequest *r = b->request;
  Targets targets = {0};
  bool locks = dataset_shape(r->dataset).place != DATA_HELD; /* one thread at a time makes rows */
  b->rows = rows.count;
  if (locks) pthread_mutex_lock(door);
  const float *x = dataset_dense(r->dataset, rows, b->x);
  Status status = dataset_targets(&targets, r->dataset, rows, &b->targets, error);
  if (locks) pthread_mutex_unlock(door);
  if (status != SETOSA_OK) return status;
  b->labels = targets.labels;
  for (size_t i = 0; i < BLOCK_ROWS; i++)
    b->weight[i] = i >= b->rows ? 0 : targets.weights != NULL ? (double)targets.weights[i] * b->unit : 1;
  design_rows(r->design, x, rows.count, b->u, b->sums->line);
  memset(b->u + rows.count * b->sums->line, 0, (BLOCK_ROWS - rows.count) * b->sums->line * sizeof *b->u);
  return SETOSA_OK;
}

/* z = phi u for all rows of the block. */
static void make_logits(Block *b) {
  size_t width = b->request->design->width, line = b->sums->line;
  for (size_t i = 0; i < BLOCK_ROWS; i++)
    for (size_t d = 0; d < width; d++) b->turned[d * BLOCK_ROWS + i] = b->u[i * line + d];
  memset(b->z, 0, BLOCK_ROWS * b->lanes * sizeof *b->z);
  add_products(b->z, b->lanes, b->turned, BLOCK_ROWS, BLOCK_ROWS, b->phi, b->lanes, b->lanes, width, false);
}

/* z becomes a; residual: s (y - a), where a_y is nearly 1 by the others. */
static void make_probabilities(Block *b) {
  size_t classes = b->request->classes;
  double *likelihood = b->values + b->sums->likelihood, *weight = b->values + b->sums->weight;
  for (size_t i = 0; i < b->rows; i++) {
    double *a = b->z + i * b->lanes, *residual = b->residual + i * b->class_line, others = 0, s = b->weight[i];
    size_t label = (size_t)b->labels[i];
    double loss = softmax_row(a, classes, label);
    for (size_t k = 0; k < classes; k++) {
      residual[k] = -s * a[k];
      if (k != label) others += a[k];
    }
    residual[label] = s * others;
    if (b->part > 0) continue;
    *likelihood -= s * loss;
    weight[label] += s;
  }
  memset(b->residual + b->rows * b->class_line, 0, (BLOCK_ROWS - b->rows) * b->class_line * sizeof *b->residual);
}

/* to (width, line) += sum of weights_i u u'. */
static void add_matrix(Block *b, const double *weights, double *to) {
  size_t line = b->sums->line, width = b->request->design->width, height = round_up(width, PRODUCT_LINES);
  for (size_t i = 0; i < b->rows; i++)
    for (size_t d = 0; d < height; d++) b->scaled[i * line + d] = weights[i] * b->u[i * line + d];
  add_products(to, line, b->scaled, line, height, b->u, line, line, b->rows, true);
}

/* a_k (1 - a_k), by the sum of the others where a_k is nearly 1. */
static double spread(const double *a, size_t classes, size_t k) {
  double others = 0;
  if (a[k] < 0.5) return a[k] * (1 - a[k]);
  for (size_t c = 0; c < classes; c++) others += c != k ? a[c] : 0;
  return a[k] * others;
}

static void add_pairs(Block *b, size_t to, bool meat) {
  const SumsRequest *r = b->request;
  size_t reduced = r->classes - 1;
  double weights[BLOCK_ROWS];
  for (size_t p = 0; p < reduced; p++)
    for (size_t q = 0; q <= p; q++) {
      size_t number = pair_number(p, q), k = class_with(p, r->base), l = class_with(q, r->base);
      if (number % b->parts != b->part) continue;
      for (size_t i = 0; i < b->rows; i++) {
        const double *a = b->z + i * b->lanes, *residual = b->residual + i * b->class_line;
        double s = b->weight[i];
        if (meat)
          weights[i] = s == 0 ? 0 : r->sampling ? residual[k] * residual[l] : residual[k] * residual[l] / s;
        else
          weights[i] = s * (k == l ? spread(a, r->classes, k) : -a[k] * a[l]);
      }
      add_matrix(b, weights, b->values + to + number * b->sums->matrix);
    }
}

static void add_moments(Block *b) {
  size_t classes = b->request->classes, line = b->sums->line;
  for (size_t i = 0; i < b->rows; i++) {
    const double *a = b->z + i * b->lanes;
    double *to = b->products + i * b->combinations;
    for (size_t k = 0; k < classes; k++)
      for (size_t l = 0; l <= k; l++) {
        double both = b->weight[i] * a[k] * a[l];
        for (size_t m = 0; m <= l; m++) to[triple_number(k, l, m)] = both * a[m];
      }
  }
  add_products(b->values + b->sums->moments, line, b->products, b->combinations, b->combinations, b->u, line, line, b->rows, false);
}

static void add_ranges(Block *b) {
  size_t line = b->sums->line, width = b->request->design->width;
  for (size_t i = 0; i < b->rows; i++) {
    if (b->weight[i] == 0) continue;
    const double *u = b->u + i * line;
    double *least = b->values + b->sums->least + (size_t)b->labels[i] * line,
           *most = b->values + b->sums->most + (size_t)b->labels[i] * line;
    for (size_t d = 0; d < width; d++) {
      least[d] = u[d] < least[d] ? u[d] : least[d];
      most[d] = -u[d] < most[d] ? -u[d] : most[d];
    }
  }
}

static void add_margins(Block *b) {
  for (size_t i = 0; i < b->rows; i++) {
    const double *z = b->z + i * b->lanes;
    size_t y = (size_t)b->labels[i];
    double *least = b->values + b->sums->margin + y, *most = b->values + b->sums->margin_most + y;
    if (b->weight[i] == 0) continue;
    for (size_t k = 0; k < b->request->classes; k++) {
      double margin = z[y] - z[k];
      if (k == y) continue;
      *least = margin < *least ? margin : *least;
      *most = -margin < *most ? -margin : *most;
    }
  }
}

static Status add_block(Block *b, RowRange rows, pthread_mutex_t *door, Error *error) {
  const SumsRequest *r = b->request;
  Status status = bring(b, rows, door, error);
  if (status != SETOSA_OK) return status;
  make_logits(b);
  if (r->margins) add_margins(b);
  make_probabilities(b);
  if (r->information) add_pairs(b, b->sums->information, false);
  if (r->meat) add_pairs(b, b->sums->meat, true);
  if (b->part > 0) return SETOSA_OK;
  add_products(b->values + b->sums->gradient, b->sums->line, b->residual, b->class_line, b->class_line, b->u, b->sums->line, b->sums->line,
               b->rows, false);
  if (r->squares) add_matrix(b, b->weight, b->values + b->sums->squares);
  if (r->squares) add_ranges(b);
  if (r->moments) add_moments(b);
  return SETOSA_OK;
}

/* ---- workers ---------------------------------------------------------------------------------------------------------- */

typedef struct Team {
  const SumsRequest *request;
  const Sums *sums;
  double *values;     /* (segments, count) */
  size_t segments;    /* of all rows; */
  RowRange own;       /* of these the ones of this process */
  size_t parts, next; /* units of work: parts of segments */
  pthread_mutex_t lock, door;
  Status status;
  Error error;
} Team;

static bool take_unit(Team *team, size_t *unit) {
  pthread_mutex_lock(&team->lock);
  *unit = team->next++;
  bool more = team->status == SETOSA_OK && *unit < team->own.count * team->parts;
  pthread_mutex_unlock(&team->lock);
  return more;
}

static Status sum_unit(Team *team, Block *block, size_t unit, Error *error) {
  const Dataset *dataset = team->request->dataset;
  size_t segment = team->own.begin + unit / team->parts, begin, end;
  RowRange rows = range_part(dataset_shape(dataset).rows, segment, team->segments);
  block->values = team->values + segment * team->sums->count;
  block->part = unit % team->parts;
  block->parts = team->parts;
  for (begin = rows.begin; begin < rows.begin + rows.count; begin = end) {
    RowRange some = range_next(begin, rows.begin + rows.count, LET_GO_ROWS);
    end = begin + some.count;
    for (size_t at = begin; at < end; at += BLOCK_ROWS) {
      Status status = add_block(block, range_next(at, end, BLOCK_ROWS), &team->door, error);
      if (status != SETOSA_OK) return status;
    }
    if (block->part == 0) dataset_let_go(dataset, some);
  }
  return SETOSA_OK;
}

static void *work(void *argument) {
  Team *team = argument;
  Block block = {0};
  Error error = {0};
  size_t unit = 0;
  Status status = block_open(&block, team->request, team->sums, &error);
  while (status == SETOSA_OK && take_unit(team, &unit)) status = sum_unit(team, &block, unit, &error);
  block_close(&block);
  if (status == SETOSA_OK) return NULL;
  pthread_mutex_lock(&team->lock);
  if (team->status == SETOSA_OK) team->status = error_set(&team->error, status, "%s", error.message);
  pthread_mutex_unlock(&team->lock);
  return NULL;
}

static Status run_team(Team *team, Error *error) {
  enum { THREADS_MOST = 256 };
  pthread_t threads[THREADS_MOST];
  size_t count = processors_usable(), started = 0;
  if (count > THREADS_MOST) count = THREADS_MOST;
  team->parts = team->own.count == 0 ? 1 : (count + team->own.count - 1) / team->own.count;
  if (count > team->own.count * team->parts) count = team->own.count * team->parts;
  while (started + 1 < count && thread_start(&threads[started], work, team) == 0) started++;
  work(team);
  for (size_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
  return team->status == SETOSA_OK ? SETOSA_OK : error_set(error, team->status, "%s", team->error.message);
}

/* By the shape alone, so that results do not depend on who works on them. */
static size_t choose_segments(const Sums *sums, size_t rows) {
  size_t segments = SEGMENT_BYTES / (sums->count * sizeof(double)), most = (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  if (segments > SEGMENTS_MOST) segments = SEGMENTS_MOST;
  if (segments > most) segments = most;
  return segments > 0 ? segments : 1;
}

/* The segments of all ranks onto every rank. */
static Status gather(const Team *team, Ranks *ranks, Error *error) {
  Status status = SETOSA_OK;
  size_t size = ranks_size(ranks), *sizes = NULL;
  if (size == 1) return SETOSA_OK;
  TRY(memory_allocate((void **)&sizes, size, sizeof *sizes, "the sizes of an exchange", error));
  for (size_t r = 0; r < size; r++) sizes[r] = range_part(team->segments, r, size).count * team->sums->count * sizeof(double);
  TRY(ranks_allgather(ranks, team->values, sizes, error));
cleanup:
  free(sizes);
  return status;
}

/* What this process does by itself. */
static Status sum_own(Team *team, Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  const SumsRequest *request = team->request;
  size_t count = 0;
  TRY(lay_out(sums, request, error));
  team->segments = choose_segments(sums, dataset_shape(request->dataset).rows);
  team->own = range_part(team->segments, ranks_rank(request->ranks), ranks_size(request->ranks));
  TRY(memory_multiply(&count, team->segments, sums->count, "the sums of a summary", error));
  TRY(memory_allocate((void **)&team->values, count, sizeof *team->values, "the sums of a summary", error));
  for (size_t s = 0; s < team->segments; s++) clear(sums, team->values + s * sums->count);
  TRY(run_team(team, error));
cleanup:
  return status;
}

Status sums_make(Sums *sums, const SumsRequest *request, Error *error) {
  Status status = SETOSA_OK;
  Team team = {.request = request, .sums = sums, .lock = PTHREAD_MUTEX_INITIALIZER, .door = PTHREAD_MUTEX_INITIALIZER};
  sums_free(sums);
  TRY(ranks_agree(request->ranks, sum_own(&team, sums, error), error));
  TRY(gather(&team, request->ranks, error));
  for (size_t s = 1; s < team.segments; s++) join(sums, team.values, team.values + s * sums->count);
  sums->values = team.values;
  team.values = NULL;
cleanup:
  free(team.values);
  return status;
}

void sums_free(Sums *sums) {
  free(sums->values);
  *sums = (Sums){0};
}
