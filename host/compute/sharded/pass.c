/* Loss, gradient, Hessian products, scores and lines of the sharded backend. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "compute/native/dots.h"
#include "compute/native/line.h"
#include "compute/native/predict.h"
#include "compute/native/vector.h"
#include "compute/sharded/sharded.h"

/* ---- passes ----------------------------------------------------------------------------------------------------- */

static Status run_pass(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Pass pass = task->pass;
  PassResult ignored; /* what partials, folded and sums of the native hold is known from the cut */
  pass.shards = device_shards(sharded, &pass.cut, pass.first_row, sharded->own + member);
  pass.w = replica(task->w, member);
  pass.v = replica(task->v, member);
  if (pass.shards.count == 0) return SETOSA_OK;
  Status status = native_enqueue_pass(sharded->members[member].native, &pass, &ignored, error);
  return status != SETOSA_OK ? status : context_flush(sharded->members[member].native->context, error);
}

/* *loss: the sum over the rows. norm: the sums of the first member begin with that of `out`. */
static Status pass_everywhere(Sharded *sharded, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                              bool norm, double *loss, Error *error) {
  Status status = SETOSA_OK;
  Finish finish = {.out = out, .of = v == NULL ? w : v, .addition = addition, .norm = norm};
  Cut cut = native_cut(sharded->members[0].native, rows.count);
  Task task = {.run = run_pass, .w = w, .v = v, .pass = {.first_row = rows.begin, .cut = cut, .want_gradient = out != NULL}};
  Layout layout = {.cut = &cut,
                   .sets = v == NULL,
                   .partials = out != NULL ? cut_shard_partials(&cut) : 0,
                   .vector_bytes = sharded->head.parameters * sizeof(float)};
  if (sharded->fast) return reduce_fast(sharded, &task, &layout, &finish, loss, error);
  if (out != NULL && wants_slices(sharded, &layout)) return reduce_slices(sharded, &task, &layout, &finish, loss, error);
  TRY(exchange_all(sharded, &task, &layout, error));
  if (v == NULL) *loss = add_sums(sharded, &layout, rows.begin, 0);
  if (out != NULL) TRY(finish_everywhere(sharded, &layout, rows.begin, &finish, error));
cleanup:
  return status;
}

/* By the first device alone: replicas are equal, and one place must decide, whose numbers go to all ranks. */
Status sharded_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  DataTerm *later = sharded->later;
  size_t own = later != NULL ? later->pair_count : 0, all = own + count;
  VectorPair *replicated = NULL;
  double *numbers = NULL; /* all products, and the norm */
  sharded->later = NULL;
  TRY(memory_allocate((void **)&replicated, all + 1, sizeof *replicated, "pairs of vectors", error));
  TRY(memory_allocate((void **)&numbers, all + 1, sizeof *numbers, "inner products", error));
  for (size_t n = 0; n < all; n++) {
    const VectorPair *pair = n < own ? &later->pairs[n] : &pairs[n - own];
    replicated[n] = (VectorPair){replica(pair->a, 0), replica(pair->b, 0), pair->weights_only};
  }
  TRY(native_vector_dots(&sharded->members[0].native->head, all, replicated, numbers, error));
  numbers[all] = sharded->norm.gradient_norm;
  TRY(ranks_broadcast(sharded->ranks, numbers, (all + 1) * sizeof *numbers, error));
  for (size_t n = 0; n < own; n++) later->products[n] = numbers[n];
  for (size_t n = 0; n < count; n++) dots[n] = numbers[own + n];
  if (later != NULL) later->gradient_norm = numbers[all];
cleanup:
  free(replicated);
  free(numbers);
  return status;
}

Status sharded_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                        Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  Native *first = sharded->members[0].native;
  double loss = NAN;
  bool norm = at != NULL && gradient != NULL;
  sharded->later = NULL;
  TRY(native_check_rows(first, rows, true, error));
  TRY(pass_everywhere(sharded, w, NULL, rows, addition, gradient, norm, &loss, error));
  if (at == NULL) goto cleanup;
  at->loss = backend_row_scale(backend, rows.count) * loss;
  sharded->later = at;
  sharded->norm = (DataTerm){.gradient_norm = NAN};
  if (norm) first->later = (NativeLater){.at = &sharded->norm, .norms = native_norms(first)};
  if (!at->later) TRY(sharded_vector_dots(backend, 0, NULL, NULL, error));
cleanup:
  return status;
}

Status sharded_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                               Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  double ignored = 0;
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  TRY(pass_everywhere(sharded, w, v, rows, addition, out, false, &ignored, error));
cleanup:
  return status;
}

/* The rows at `begin` that one member of this rank has, of `count`; SETOSA_ERROR_INTERNAL when they are another rank's. */
static void find_member(size_t *member, RowRange *range, const Sharded *sharded, size_t begin, size_t count) {
  for (size_t i = 0; i < sharded->member_count; i++) {
    RowRange window = sharded->windows[sharded->own + i];
    size_t end = window.begin + window.count;
    if (begin < window.begin || begin >= end) continue;
    *member = i;
    *range = (RowRange){begin, end - begin < count ? end - begin : count};
    return;
  }
  /* Rows of another rank: the first member brings them, as far as our own. */
  size_t end = begin + count;
  for (size_t i = 0; i < sharded->member_count; i++) {
    RowRange window = sharded->windows[sharded->own + i];
    if (window.count > 0 && window.begin > begin && window.begin < end) end = window.begin;
  }
  *member = 0;
  *range = (RowRange){begin, end - begin};
}

Status sharded_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  RowRange range = {0, 0};
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  for (size_t done = 0, i = 0; done < rows.count; done += range.count) {
    find_member(&i, &range, sharded, rows.begin + done, rows.count - done);
    TRY(native_predict(&sharded->members[i].native->head, replica(w, i), range, kind, scores + done * backend->classes, error));
  }
cleanup:
  return status;
}

Status sharded_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  RowRange range = {0, 0};
  TRY(native_check_rows(sharded->members[0].native, rows, true, error));
  for (size_t done = 0, i = 0; done < rows.count; done += range.count) {
    find_member(&i, &range, sharded, rows.begin + done, rows.count - done);
    TRY(native_labels(&sharded->members[i].native->head, range, labels + done, error));
  }
cleanup:
  return status;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static Status run_line_open(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Native *native = sharded->members[member].native;
  if (native->window.count == 0) return SETOSA_OK;
  Status status = native_enqueue_line(native, replica(task->w, member), replica(task->v, member), error);
  return status != SETOSA_OK ? status : context_flush(native->context, error);
}

static Status run_line_point(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Native *native = sharded->members[member].native;
  size_t ignored = 0;
  if (native->window.count == 0) return SETOSA_OK;
  Status status = native_enqueue_line_point(native, task->step, &ignored, error);
  return status != SETOSA_OK ? status : context_flush(native->context, error);
}

Status sharded_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  Line *line = &sharded->line;
  Task task = {.run = run_line_open, .w = w, .v = s};
  TRY(native_check_rows(sharded->members[0].native, backend_all_rows(backend), true, error));
  line->w = w;
  line->s = s;
  if (sharded->line_fits)
    TRY(run_members(sharded, &task, error));
  else
    TRY(line_reserve_point(line, backend, error));
cleanup:
  return status;
}

Status sharded_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  Cut cut = native_cut(sharded->members[0].native, backend->rows);
  Task task = {.run = run_line_point, .pass = {.cut = cut}, .step = step};
  Layout layout = {.cut = &cut, .sets = 2};
  if (sharded->line.w == NULL) return error_set(error, SETOSA_ERROR_INTERNAL, "a line was evaluated before it was opened");
  if (!sharded->line_fits) return line_read_point(&sharded->line, backend, step, value, slope, error);
  TRY(exchange_all(sharded, &task, &layout, error));
  *value = backend_row_scale(backend, backend->rows) * add_sums(sharded, &layout, 0, 0);
  *slope = backend_row_scale(backend, backend->rows) * add_sums(sharded, &layout, 0, 1);
cleanup:
  return status;
}

void sharded_line_close(Backend *backend) {
  Line *line = &((Sharded *)backend)->line;
  line->w = line->s = NULL;
}
