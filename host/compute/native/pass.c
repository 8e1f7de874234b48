/* Loss, gradient and Hessian times vector of the native backend: the fused pass for few classes, blocks of logits for many. Either way no
 * more than a block of rows times K is held, but for the probabilities that Hessian products at one point share. */
#include "compute/native/dots.h"
#include "compute/native/logits.h"
#include "compute/native/sparse.h"
#include "compute/native/upload.h"
#include "compute/native/vector.h"

enum {
  LEAST_PARTIAL_BYTES = 64 << 20, /* partial gradients may take so much, */
  MOST_PARTIAL_BYTES = 512 << 20, /* up to this where */
  PARTIALS_OF_X = 64,             /* it is such a part of X: then there are shards enough for many devices */
  KEPT_BYTES = 64 << 20           /* probabilities kept for Hessian products: at most this, or half of what X takes as f32 */
};

size_t native_most_partials(const Native *native, size_t rows) {
  size_t bytes = (size_t)native_values(native, rows) * sizeof(float) / PARTIALS_OF_X;
  if (bytes < LEAST_PARTIAL_BYTES) bytes = LEAST_PARTIAL_BYTES;
  if (bytes > MOST_PARTIAL_BYTES) bytes = MOST_PARTIAL_BYTES;
  size_t partials = bytes / (native->head.parameters * sizeof(float));
  return partials > 0 ? partials : 1;
}

Cut native_cut(const Native *native, size_t rows) {
  return native_is_fused(native) ? native_fused_cut(native, rows) : native_block_cut(native, rows);
}

size_t native_work_bytes(const Native *native) {
  Cut cut = native_cut(native, native->head.rows);
  /* The window is whole shards of the pass over all rows. */
  size_t shares = (native->window.count + cut.share_rows - 1) / cut.share_rows, folded = (shares + cut.per_shard - 1) / cut.per_shard * 2;
  size_t vector = native->head.parameters * sizeof(float), most = native_most_partials(native, native->head.rows),
         partials = shares * cut.partials;
  if (!native_is_fused(native) && !native_takes_shares(native) && cut.per_shard > 1) partials = cut.partials;
  if (partials > most) partials = most;
  if (cut.shares == 1 && cut.partials == 1 && !native_is_fused(native)) partials = 0; /* the gradient itself */
  size_t bytes = (partials + (cut.per_shard > 1 ? folded : 0)) * vector + shares * cut.losses * sizeof(SumPair);
  if (native_uses_panels(native)) bytes += 2 * native_panels_bytes(native);
  if (native->sparse != NULL) bytes += native_sparse_work_bytes(native);
  return native_is_fused(native) ? bytes : bytes + native_logits_bytes(native, native->block_rows);
}

Status native_check_rows(const Native *native, RowRange rows, bool labels_needed, Error *error) {
  if (rows.count == 0 || rows.begin > native->head.rows || rows.count > native->head.rows - rows.begin)
    return error_set(error, SETOSA_ERROR_INTERNAL, "rows %zu to %zu asked for, there are %zu", rows.begin, rows.begin + rows.count,
                     native->head.rows);
  if (labels_needed && !native->labelled)
    return error_set(error, SETOSA_ERROR_USAGE, "the loss needs labels, and this data set has none; name them with --labels or --label");
  return SETOSA_OK;
}

Status native_begin_folding(Native *native, size_t shards, Error *error) {
  Status status = SETOSA_OK;
  size_t bytes = 2 * shards * native->head.parameters * sizeof(float);
  TRY(native_reserve(native, &native->folded, bytes, "the sums of partial gradients", error));
  TRY(buffer_fill_zero(native->folded, 0, bytes, error));
cleanup:
  return status;
}

static Status enqueue_fold(Native *native, const Buffer *partials, size_t first, size_t partial_count, size_t per_shard, size_t count,
                           Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  KernelRange range = native_team_range(native, native_vector_groups(native, count));
  range.global[1] = (first + partial_count - 1) / per_shard - first / per_shard + 1;
  range.local[1] = 1;
  TRY(native_kernel(native, KERNEL_FOLD_PARTIALS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(native->folded), ARG(partials), ARG((uint64_t)first), ARG((uint32_t)partial_count),
                    ARG((uint32_t)per_shard), ARG((uint64_t)count)));
cleanup:
  return status;
}

Status native_fold(Native *native, const Buffer *partials, size_t first, size_t partial_count, size_t per_shard, Error *error) {
  return enqueue_fold(native, partials, first, partial_count, per_shard, native->head.parameters, error);
}

/* Work-items that share the partials of an element at the end of a gradient: 1, but on the GPU family where there are few elements
 * (kernels/vector.cl, finish_spread). By the parameters alone: the order of additions is the same for all of them and for a slice, on
 * devices of any number. */
static uint32_t finish_parts(const Native *native) {
  enum { FEW_PARAMETERS = 1 << 16, MOST_PARTS = 32, LEAST_PARTS = 4, ENOUGH_GROUPS = 512 };
  size_t parameters = native->head.parameters;
  uint32_t parts = MOST_PARTS;
  if (native->family == SETOSA_FAMILY_CPU || parameters >= FEW_PARAMETERS) return 1;
  while (parts > LEAST_PARTS && parameters * parts / native->team > ENOUGH_GROUPS) parts /= 2;
  return parts;
}

static uint32_t spread_groups(const Native *native, size_t elements) {
  size_t columns = native->team / finish_parts(native);
  return (uint32_t)((elements + columns - 1) / columns);
}

/* native->folded = the sum of partials of `count` floats. */
static Status enqueue_fold_spread(Native *native, const Buffer *partials, size_t partial_count, size_t count, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  TRY(native_kernel(native, KERNEL_FOLD_SPREAD, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, spread_groups(native, count)), error, ARG(native->folded), ARG(partials),
                    ARG((uint32_t)partial_count), ARG((uint64_t)count), ARG(finish_parts(native))));
cleanup:
  return status;
}

Status native_fold_slice(Native *native, const Buffer *partials, size_t partial_count, size_t count, Error *error) {
  Status status = SETOSA_OK;
  TRY(native_reserve(native, &native->folded, 2 * count * sizeof(float), "the sums of partial gradients", error));
  if (finish_parts(native) > 1) {
    TRY(enqueue_fold_spread(native, partials, partial_count, count, error));
  } else {
    TRY(buffer_fill_zero(native->folded, 0, 2 * count * sizeof(float), error));
    TRY(enqueue_fold(native, partials, 0, partial_count, partial_count, count, error));
  }
cleanup:
  return status;
}

size_t native_norms(const Native *native) {
  size_t parts = finish_parts(native), parameters = native->head.parameters;
  return parts > 1 ? spread_groups(native, parameters) : native_vector_groups(native, parameters);
}

Status native_enqueue_finish(Native *native, const Finish *finish, const Buffer *partials, size_t partial_count, Error *error) {
  Status status = SETOSA_OK;
  static const Addition nothing = {.l2 = 0};
  const Addition *addition = finish->addition != NULL ? finish->addition : &nothing;
  const Buffer *factors = addition->factors != NULL ? addition->factors->buffer : NULL;
  const Buffer *linear = addition->linear != NULL ? addition->linear->buffer : NULL;
  Kernel *kernel = NULL;
  KernelArgument arguments[13];
  size_t parameters = native->head.parameters, count = 0;
  uint32_t parts = finish_parts(native);
#define ADD(value) (arguments[count++] = ARG(value))
  ADD(finish->out->buffer);
  ADD(partials);
  ADD((uint32_t)partial_count);
  ADD(finish->of->buffer);
  ADD((float)addition->l2);
  ADD(factors);
  ADD(linear);
  ADD((uint64_t)(parameters - native->head.classes));
  ADD((uint64_t)parameters);
  ADD((uint32_t)native->head.intercept);
  ADD(finish->norm ? (const Buffer *)native->sums : (const Buffer *)NULL);
  ADD(finish->norms);
  if (parts > 1) ADD(parts);
#undef ADD
  TRY(native_kernel(native, parts > 1 ? KERNEL_FINISH_SPREAD : KERNEL_FINISH_GRADIENT, &kernel, error));
  TRY(kernel_launch_array(kernel, native_team_range(native, (uint32_t)native_norms(native)), arguments, count, error));
  native_changed(native, finish->out);
cleanup:
  return status;
}

/* Products at one w (conjugate gradients ask for many) share the probabilities of all rows where those are small beside X: then the first
 * product keeps them and each later one costs what a gradient costs. The GPU family and rows in several buffers do without. */
static Status choose_kept(Native *native, const Pass *pass, uint32_t *keep, Error *error) {
  Status status = SETOSA_OK;
  RowRange rows = cut_rows(&pass->cut, pass->shards);
  *keep = KEEP_NONE;
  if (pass->v == NULL || !native_uses_strips(native) || !native_is_whole(native) || pass->cut.rows != native->head.rows ||
      rows.count != native->window.count)
    goto cleanup;
  size_t bytes = native_is_fused(native) ? native_fused_kept_bytes(native) : native_logits_bytes(native, native->window.count);
  size_t budget = (size_t)native_values(native, native->window.count) * sizeof(float) / 2;
  if (budget < KEPT_BYTES) budget = KEPT_BYTES;
  if (bytes > budget || bytes > context_traits(native->context)->max_allocation_bytes) goto cleanup;
  *keep = native->kept_version == pass->w->version ? KEEP_READ : KEEP_WRITE;
  native->kept_version = 0; /* until the pass is enqueued */
  TRY(native_reserve(native, &native->kept, bytes, "probabilities kept for Hessian products", error));
cleanup:
  return status;
}

Status native_enqueue_pass(Native *native, const Pass *pass, PassResult *result, Error *error) {
  Status status = SETOSA_OK;
  uint32_t keep = KEEP_NONE;
  uint64_t version = pass->w->version;
  if (pass->cut.shares > UINT32_MAX / (pass->cut.losses + pass->cut.partials))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%zu rows are too many for one pass; train on fewer", pass->cut.rows));
  TRY(choose_kept(native, pass, &keep, error));
  TRY((native_is_fused(native) ? native_enqueue_fused : native_enqueue_blocks)(native, pass, keep, result, error));
  if (keep != KEEP_NONE) native->kept_version = version;
  if (pass->want_gradient) native->flops += 2 * native_values(native, cut_rows(&pass->cut, pass->shards).count) * native->head.classes;
cleanup:
  return status;
}

/* All shards of a pass over rows, and its gradient or product into finish->out unless that is NULL; the norm after the losses. */
static Status enqueue_whole(Native *native, const Vector *w, const Vector *v, RowRange rows, Finish *finish, PassResult *result,
                            Error *error) {
  Status status = SETOSA_OK;
  Vector *out = finish->out;
  Pass pass = {.w = w, .v = v, .first_row = rows.begin, .cut = native_cut(native, rows.count), .want_gradient = out != NULL};
  pass.shards = cut_all(&pass.cut);
  finish->of = v == NULL ? w : v;
  if (out != NULL && out != w && out != v) pass.direct = out; /* later blocks still read w and v */
  TRY(native_enqueue_pass(native, &pass, result, error));
  finish->norms = (uint32_t)result->losses;
  if (out != NULL) TRY(native_enqueue_finish(native, finish, result->partial_buffer, result->partials, error));
cleanup:
  return status;
}

Status native_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                       Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  PassResult result = {0};
  Finish finish = {.out = gradient, .addition = addition, .norm = at != NULL && gradient != NULL};
  size_t norms = finish.norm ? native_norms(native) : 0;
  native->later = (NativeLater){.at = NULL};
  TRY(native_check_rows(native, rows, true, error));
  Cut cut = native_cut(native, rows.count);
  TRY(native_reserve_sums(native, cut.shares * cut.losses + norms, error));
  TRY(enqueue_whole(native, w, NULL, rows, &finish, &result, error));
  if (at == NULL) goto cleanup;
  native->later = (NativeLater){.at = at, .cut = cut, .losses = result.losses, .norms = norms};
  if (!at->later) TRY(native_vector_dots(backend, 0, NULL, NULL, error));
cleanup:
  return status;
}

Status native_moment(Native *native, const Vector *w, unsigned moment, Vector *sums, Error *error) {
  Status status = SETOSA_OK;
  PassResult result = {0};
  RowRange rows = backend_all_rows(&native->head);
  Pass pass = {.w = w, .first_row = 0, .cut = native_cut(native, rows.count), .want_gradient = true, .moment = moment};
  Finish finish = {.out = sums, .of = w};
  bool intercept = native->head.intercept;
  pass.shards = cut_all(&pass.cut);
  native->later = (NativeLater){.at = NULL};
  TRY(native_enqueue_pass(native, &pass, &result, error));
  native->head.intercept = true; /* the sum of c is wanted either way */
  status = native_enqueue_finish(native, &finish, result.partial_buffer, result.partials, error);
  native->head.intercept = intercept;
cleanup:
  return status;
}

Status native_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                              Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  PassResult result = {0};
  Finish finish = {.out = out, .addition = addition};
  TRY(native_check_rows(native, rows, false, error));
  TRY(enqueue_whole(native, w, v, rows, &finish, &result, error));
cleanup:
  return status;
}
