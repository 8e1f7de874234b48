/* Loss, gradient and Hessian times vector of the native backend: the fused pass for few classes, blocks of logits for many. Either way no
 * more than a block of rows times K is held, but for the probabilities that Hessian products at one point share. */
#include <math.h>

#include "compute/native.h"

enum {
  SLAB_BYTES = 64 << 20, /* most bytes of partial gradients */
  KEPT_BYTES = 64 << 20  /* probabilities kept for Hessian products: at most this, or half of what X takes as f32 */
};

size_t native_most_slabs(const Native *native) {
  size_t slabs = SLAB_BYTES / (native->head.parameters * sizeof(float));
  return slabs > 0 ? slabs : 1;
}

size_t native_work_bytes(const Native *native) {
  size_t vector = native->head.parameters * sizeof(float);
  if (native_is_fused(native)) return native_fused_work_bytes(native);
  return native_logits_bytes(native, native->block_rows) + 2 * vector;
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

Status native_fold(Native *native, const Buffer *slabs, size_t first, uint32_t slab_count, size_t per_shard, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  size_t parameters = native->head.parameters, shards = (first + slab_count - 1) / per_shard - first / per_shard + 1;
  KernelRange range = native_team_range(native, native_vector_groups(native, parameters));
  range.global[1] = shards;
  range.local[1] = 1;
  TRY(native_kernel(native, KERNEL_FOLD_SLABS, &kernel, error));
  TRY(kernel_launch(kernel, range, error, ARG(native->folded), ARG(slabs), ARG((uint64_t)first), ARG(slab_count), ARG((uint32_t)per_shard),
                    ARG((uint64_t)parameters)));
cleanup:
  return status;
}

/* out = the sum of the slabs + l2 * of (on the weights). */
static Status enqueue_finish(Native *native, Vector *out, const PassResult *result, const Vector *of, Error *error) {
  Status status = SETOSA_OK;
  Kernel *kernel = NULL;
  size_t parameters = native->head.parameters;
  TRY(native_kernel(native, KERNEL_FINISH_GRADIENT, &kernel, error));
  TRY(kernel_launch(kernel, native_team_range(native, native_vector_groups(native, parameters)), error, ARG(out->buffer),
                    ARG(result->slab_buffer), ARG(result->slabs), ARG(of->buffer), ARG((float)native->head.l2),
                    ARG((uint64_t)(parameters - native->head.classes)), ARG((uint64_t)parameters), ARG((uint32_t)native->head.intercept)));
  native_changed(native, out);
cleanup:
  return status;
}

/* Loss (v NULL) or Hessian times v: the pass over rows, and its gradient into out when that is not NULL. */
static Status enqueue_pass(Native *native, const Vector *w, const Vector *v, RowRange rows, Vector *out, NativeKept kept,
                           uint32_t *loss_groups, Error *error) {
  Status status = SETOSA_OK;
  PassResult result = {0};
  if (native_is_fused(native))
    TRY(native_enqueue_fused(native, w, v, rows, out != NULL, kept, &result, error));
  else
    TRY(native_enqueue_blocks(native, w, v, rows, out, kept, &result, error));
  if (out != NULL) {
    TRY(enqueue_finish(native, out, &result, v == NULL ? w : v, error));
    native->flops += 2 * (uint64_t)rows.count * native->head.features * native->head.classes;
  }
  *loss_groups = result.losses;
cleanup:
  return status;
}

Status native_evaluate(Backend *backend, const Vector *w, RowRange rows, Vector *gradient, Evaluation *evaluation, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  uint32_t loss_groups = 0;
  size_t weights = backend->parameters - backend->classes;
  TRY(native_check_rows(native, rows, true, error));
  TRY(enqueue_pass(native, w, NULL, rows, gradient, NATIVE_KEPT_NONE, &loss_groups, error));
  if (evaluation == NULL) goto cleanup;
  uint32_t norm_groups = native_vector_groups(native, backend->parameters), penalty_groups = native_vector_groups(native, weights);
  size_t sum_count = (size_t)loss_groups + norm_groups + penalty_groups;
  if (sum_count > native->sums_capacity) {
    /* Growing drops the losses just computed, which happens once in the life of a backend: compute them again. */
    TRY(native_reserve_sums(native, sum_count, error));
    TRY(enqueue_pass(native, w, NULL, rows, gradient, NATIVE_KEPT_NONE, &loss_groups, error));
  }
  if (gradient != NULL) TRY(native_enqueue_max_abs(native, gradient, loss_groups, error));
  TRY(native_enqueue_dot(native, w, w, weights, loss_groups + norm_groups, error));
  TRY(native_read_sums(native, sum_count, error));
  evaluation->loss = native_sum(native, 0, loss_groups) / (double)rows.count;
  evaluation->penalty = 0.5 * backend->l2 * native_sum(native, (size_t)loss_groups + norm_groups, penalty_groups);
  evaluation->objective = evaluation->loss + evaluation->penalty;
  evaluation->gradient_norm = gradient != NULL ? native_max(native, loss_groups, norm_groups) : NAN;
cleanup:
  return status;
}

/* Products at one w (conjugate gradients ask for many) share the probabilities of all rows where those are small beside X: then the first
 * product keeps them and each later one costs what a gradient costs. The GPU family and rows in several parts do without. */
static Status choose_kept(Native *native, const Vector *w, RowRange rows, NativeKept *kept, Error *error) {
  Status status = SETOSA_OK;
  *kept = NATIVE_KEPT_NONE;
  if (!native_uses_strips(native) || !native_is_whole(native) || rows.count != native->head.rows) goto cleanup;
  size_t bytes = native_is_fused(native) ? native_fused_kept_bytes(native) : native_logits_bytes(native, native->head.rows);
  size_t budget = native->head.rows * native->head.features * sizeof(float) / 2;
  if (budget < KEPT_BYTES) budget = KEPT_BYTES;
  if (bytes > budget || bytes > context_traits(native->context)->max_allocation_bytes) goto cleanup;
  *kept = native->kept_version == w->version ? NATIVE_KEPT_READ : NATIVE_KEPT_WRITE;
  native->kept_version = 0; /* until the pass is enqueued */
  TRY(native_reserve(native, &native->kept, bytes, "probabilities kept for Hessian products", error));
cleanup:
  return status;
}

Status native_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error) {
  Status status = SETOSA_OK;
  Native *native = (Native *)backend;
  uint32_t groups = 0;
  NativeKept kept = NATIVE_KEPT_NONE;
  uint64_t version = w->version; /* out may be w */
  TRY(native_check_rows(native, rows, false, error));
  TRY(choose_kept(native, w, rows, &kept, error));
  TRY(enqueue_pass(native, w, v, rows, out, kept, &groups, error));
  if (kept != NATIVE_KEPT_NONE) native->kept_version = version;
cleanup:
  return status;
}
