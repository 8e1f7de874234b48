/* Loss, gradient, Hessian products, scores and lines of the sharded backend. */
#include <math.h>

#include "compute/sharded/sharded.h"

/* ---- passes ----------------------------------------------------------------------------------------------------- */

static Status run_pass(Sharded *sharded, size_t member, const Task *task, Error *error) {
  Pass pass = task->pass;
  PassResult ignored; /* what slabs, folded and sums of the native hold is known from the cut */
  pass.shards = device_shards(sharded, &pass.cut, pass.first_row, sharded->own + member);
  pass.w = replica(task->w, member);
  pass.v = replica(task->v, member);
  if (pass.shards.count == 0) return SETOSA_OK;
  Status status = native_enqueue_pass(sharded->members[member].native, &pass, &ignored, error);
  return status != SETOSA_OK ? status : context_flush(sharded->members[member].native->context, error);
}

/* *loss: the sum over the rows. */
static Status pass_everywhere(Sharded *sharded, const Vector *w, const Vector *v, RowRange rows, Vector *out, double *loss, Error *error) {
  Status status = SETOSA_OK;
  Cut cut = native_cut(sharded->members[0].native, rows.count);
  Task task = {.run = run_pass, .w = w, .v = v, .pass = {.first_row = rows.begin, .cut = cut, .want_gradient = out != NULL}};
  Layout layout = {.cut = &cut,
                   .sets = v == NULL,
                   .slabs = out != NULL ? cut_shard_slabs(&cut) : 0,
                   .vector_bytes = sharded->head.parameters * sizeof(float)};
  if (sharded->fast) return reduce_fast(sharded, &task, &layout, out, v == NULL ? w : v, loss, error);
  if (out != NULL && wants_slices(sharded, &layout)) return reduce_slices(sharded, &task, &layout, out, v == NULL ? w : v, loss, error);
  TRY(exchange_all(sharded, &task, &layout, error));
  if (v == NULL) *loss = add_sums(sharded, &layout, rows.begin, 0);
  if (out != NULL) TRY(finish_everywhere(sharded, &layout, rows.begin, out, v == NULL ? w : v, error));
cleanup:
  return status;
}

/* Norm and penalty are rank 0's: what an optimizer decides by must be the same everywhere. */
static Status read_norms(Sharded *sharded, const Vector *w, const Vector *gradient, double *penalty, double *norm, Error *error) {
  Status status = SETOSA_OK;
  Native *native = sharded->members[0].native;
  size_t weights = native->head.parameters - native->head.classes;
  uint32_t norms = native_vector_groups(native, native->head.parameters), penalties = native_vector_groups(native, weights);
  double values[2] = {0, NAN};
  TRY(native_reserve_sums(native, (size_t)norms + penalties, error));
  if (gradient != NULL) TRY(native_enqueue_max_abs(native, replica(gradient, 0), 0, error));
  TRY(native_enqueue_dot(native, replica(w, 0), replica(w, 0), weights, norms, error));
  TRY(native_read_sums(native, (size_t)norms + penalties, error));
  values[0] = 0.5 * sharded->head.l2 * native_sum(native, norms, penalties);
  if (gradient != NULL) values[1] = native_max(native, 0, norms);
  TRY(ranks_share(sharded->ranks, values, sizeof values, error));
  *penalty = values[0];
  *norm = values[1];
cleanup:
  return status;
}

Status sharded_evaluate(Backend *backend, const Vector *w, RowRange rows, Vector *gradient, Evaluation *evaluation, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  double loss = NAN;
  TRY(native_check_rows(sharded->members[0].native, rows, true, error));
  TRY(pass_everywhere(sharded, w, NULL, rows, gradient, &loss, error));
  if (evaluation == NULL) goto cleanup;
  evaluation->loss = loss / (double)rows.count;
  TRY(read_norms(sharded, w, gradient, &evaluation->penalty, &evaluation->gradient_norm, error));
  evaluation->objective = evaluation->loss + evaluation->penalty;
cleanup:
  return status;
}

Status sharded_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  double ignored = 0;
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  TRY(pass_everywhere(sharded, w, v, rows, out, &ignored, error));
cleanup:
  return status;
}

/* The rows at `begin` that one member of this rank has, of `count`; SETOSA_ERROR_INTERNAL when they are another rank's. */
static Status find_member(size_t *member, RowRange *piece, const Sharded *sharded, size_t begin, size_t count, Error *error) {
  for (size_t i = 0; i < sharded->member_count; i++) {
    RowRange window = sharded->windows[sharded->own + i];
    size_t end = window.begin + window.count;
    if (begin < window.begin || begin >= end) continue;
    *member = i;
    *piece = (RowRange){begin, end - begin < count ? end - begin : count};
    return SETOSA_OK;
  }
  return error_set(error, SETOSA_ERROR_INTERNAL, "rows %zu to %zu were asked for, which another rank has", begin, begin + count);
}

Status sharded_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  RowRange piece = {0, 0};
  TRY(native_check_rows(sharded->members[0].native, rows, false, error));
  for (size_t done = 0, i = 0; done < rows.count; done += piece.count) {
    TRY(find_member(&i, &piece, sharded, rows.begin + done, rows.count - done, error));
    TRY(native_predict(&sharded->members[i].native->head, replica(w, i), piece, kind, scores + done * backend->classes, error));
  }
cleanup:
  return status;
}

Status sharded_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error) {
  Status status = SETOSA_OK;
  Sharded *sharded = (Sharded *)backend;
  RowRange piece = {0, 0};
  TRY(native_check_rows(sharded->members[0].native, rows, true, error));
  for (size_t done = 0, i = 0; done < rows.count; done += piece.count) {
    TRY(find_member(&i, &piece, sharded, rows.begin + done, rows.count - done, error));
    TRY(native_labels(&sharded->members[i].native->head, piece, labels + done, error));
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
  Line *line = &sharded->line, first = {.w = replica(w, 0), .s = replica(s, 0)};
  Task task = {.run = run_line_open, .w = w, .v = s};
  TRY(native_check_rows(sharded->members[0].native, backend_all_rows(backend), true, error));
  line->w = w;
  line->s = s;
  if (sharded->line_fits)
    TRY(run_members(sharded, &task, error));
  else
    TRY(line_reserve_point(line, backend, error));
  TRY(native_line_penalty(sharded->members[0].native, &first, error));
  double products[] = {first.ww, first.ws, first.ss};
  TRY(ranks_share(sharded->ranks, products, sizeof products, error));
  line->ww = products[0];
  line->ws = products[1];
  line->ss = products[2];
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
  *value = add_sums(sharded, &layout, 0, 0) / (double)backend->rows;
  *slope = add_sums(sharded, &layout, 0, 1) / (double)backend->rows;
  line_add_penalty(&sharded->line, backend->l2, step, value, slope);
cleanup:
  return status;
}

void sharded_line_close(Backend *backend) {
  Line *line = &((Sharded *)backend)->line;
  line->w = line->s = NULL;
}
