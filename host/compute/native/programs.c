/* The kernels of the native backend: the program that each is in, and the macros that it is built with. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compute/native/fused_shape.h"
#include "compute/native/logits.h"
#include "compute/native/metric.h"
#include "compute/native/upload.h"

/* What a program depends on: the family and the width of vectors, how rows of logits are shared out (GPU family), the shape of tiles, and
 * in the fused pass the classes and the features (kernels/fused_cpu.cl and fused_gpu.cl say why). */
typedef enum KernelOptions { OPTIONS_TEAM, OPTIONS_COMMON, OPTIONS_TILE, OPTIONS_STRIPS, OPTIONS_FUSED, OPTIONS_GRAM } KernelOptions;

static const struct {
  const char *name, *cpu_source, *gpu_source;
  KernelOptions options;
} native_kernels[KERNEL_COUNT] = {
    [KERNEL_COMBINE] = {"combine", "common", "common", OPTIONS_COMMON},
    [KERNEL_DOTS] = {"dots", "common", "common", OPTIONS_COMMON},
    [KERNEL_MULTIPLY] = {"multiply", "common", "common", OPTIONS_COMMON},
    [KERNEL_PROX] = {"prox", "common", "common", OPTIONS_COMMON},
    [KERNEL_DIVIDE_SQRT] = {"divide_sqrt", "common", "common", OPTIONS_COMMON},
    [KERNEL_FOLD_PARTIALS] = {"fold_partials", "common", "common", OPTIONS_COMMON},
    [KERNEL_FOLD_SPREAD] = {"fold_spread", "common", "common", OPTIONS_COMMON},
    [KERNEL_FINISH_SPREAD] = {"finish_spread", "common", "common", OPTIONS_COMMON},
    [KERNEL_FINISH_GRADIENT] = {"finish_gradient", "common", "common", OPTIONS_COMMON},
    [KERNEL_RESIDUAL_ROWS] = {"residual_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_PROBABILITY_ROWS] = {"probability_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_SPREAD_ROWS] = {"spread_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_HESSIAN_ROWS] = {"hessian_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_LINE_ROWS] = {"line_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_BIAS_ROWS] = {"bias_rows", "common", "common", OPTIONS_COMMON},
    [KERNEL_COLUMN_SUMS] = {"column_sums", "common", "common", OPTIONS_COMMON},
    [KERNEL_ACCURATE_LOGITS] = {"accurate_logits", "common", "common", OPTIONS_COMMON},
    [KERNEL_LOGITS_BLOCK] = {"logits_block", "block_gpu", "block_gpu", OPTIONS_TILE},
    [KERNEL_GRADIENT_BLOCK] = {"gradient_block", "block_gpu", "block_gpu", OPTIONS_TILE},
    [KERNEL_LOGITS_STRIPS] = {"logits_strips", "block_cpu", "block_cpu", OPTIONS_STRIPS},
    [KERNEL_LOGITS_PANELS] = {"logits_panels", "block_cpu", "block_cpu", OPTIONS_STRIPS},
    [KERNEL_PACK_PANELS] = {"pack_panels", "block_cpu", "block_cpu", OPTIONS_STRIPS},
    [KERNEL_GRADIENT_STRIPS] = {"gradient_strips", "block_cpu", "block_cpu", OPTIONS_STRIPS},
    [KERNEL_RESIDUAL_STRIPS] = {"residual_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_SOFTMAX_STRIPS] = {"softmax_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_SPREAD_STRIPS] = {"spread_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_HESSIAN_STRIPS] = {"hessian_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_LINE_STRIPS] = {"line_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_UNPACK_STRIPS] = {"unpack_strips", "common", "common", OPTIONS_COMMON},
    [KERNEL_METRIC_CLASSES] = {"metric_classes", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_METRIC_MEAN_OFF] = {"metric_mean_off", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_METRIC_BLOCKS] = {"metric_blocks", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_METRIC_TURN] = {"metric_turn", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_METRIC_CENTER] = {"metric_center", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_METRIC_UNCENTER] = {"metric_uncenter", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_WEIGHTED_SQUARES] = {"weighted_squares", "gram_cpu", "metric", OPTIONS_TEAM},
    [KERNEL_SCALE_ROWS] = {"scale_rows", "metric", "metric", OPTIONS_TEAM},
    [KERNEL_GRAM_TILES] = {"gram_tiles", "gram_cpu", "gram_cpu", OPTIONS_TEAM},
    [KERNEL_GRAM_BLOCK] = {"gradient_block", "block_gpu", "block_gpu", OPTIONS_GRAM},
    [KERNEL_SPARSE_TURN] = {"sparse_turn", "sparse", "sparse", OPTIONS_TEAM},
    [KERNEL_SPARSE_TURN_BACK] = {"sparse_turn_back", "sparse", "sparse", OPTIONS_TEAM},
    [KERNEL_SPARSE_ACCURATE_LOGITS] = {"sparse_accurate_logits", "sparse", "sparse", OPTIONS_TEAM},
    [KERNEL_SPARSE_LOGITS] = {"sparse_logits", "sparse_cpu", "sparse_gpu", OPTIONS_TEAM},
    [KERNEL_SPARSE_RESIDUALS] = {"sparse_residuals", "sparse_cpu", "sparse_cpu", OPTIONS_TEAM},
    [KERNEL_SPARSE_GRADIENT] = {"sparse_gradient", "sparse_cpu", "sparse_gpu", OPTIONS_TEAM},
    [KERNEL_SPARSE_SQUARES] = {"sparse_squares", "sparse_cpu", "sparse_cpu", OPTIONS_TEAM},
    [KERNEL_SPARSE_GRADIENT_LONG] = {"sparse_gradient_long", "sparse_gpu", "sparse_gpu", OPTIONS_TEAM},
    [KERNEL_FUSED_GRADIENT] = {"fused_gradient", "fused_cpu", "fused_gpu", OPTIONS_FUSED},
    [KERNEL_FUSED_HESSIAN] = {"fused_hessian", "fused_cpu", "fused_gpu", OPTIONS_FUSED},
    [KERNEL_FUSED_LOGITS] = {"fused_logits", "fused_cpu", "fused_cpu", OPTIONS_FUSED},
};

/* The kernel in whose program this one is. */
static NativeKernel program_of(const Native *native, NativeKernel id) {
  bool small = native->small && (id <= KERNEL_FINISH_GRADIENT || id == KERNEL_ACCURATE_LOGITS);
  return native_is_fused(native) && (small || id == KERNEL_PACK_PANELS) ? KERNEL_FUSED_GRADIENT : id;
}

/* Appends what the text and the numbers say to the options (size bytes) of a program. */
static void append_options(char *options, size_t size, const char *format, ...) {
  size_t used = strlen(options);
  va_list values;
  va_start(values, format);
  vsnprintf(options + used, size - used, format, values);
  va_end(values);
}

static void append_tile(char *options, size_t size, const NativeShape *shape) {
  append_options(options, size, "-DTILE_ROWS=%u -DTILE_CLASSES=%u -DITEM_ROWS=%u -DITEM_CLASSES=%u", shape->tile_rows, shape->tile_classes,
                 shape->item_rows, shape->item_classes);
  if (shape->tensor > 0) append_options(options, size, " -DTENSOR");
}

/* FOURS of block_gpu.cl. What is not the device's own may begin anywhere. */
static int fours(const Native *native) {
  if (native->head.features % 4 > 0) return 0;
  if (native_reads_in_place(native) && (uintptr_t)dataset_dense(native->source, (RowRange){0, 1}, NULL) % 16 > 0) return 0;
  return native->head.classes % 4 == 0 ? 2 : 1;
}

/* What fused_gpu.cl needs to know. */
static void append_fused(const Native *native, NativeKernel program, char *options, size_t size) {
  bool hessian = program == KERNEL_FUSED_HESSIAN;
  size_t used = strlen(options);
  FusedShape fused = native_fused_shape(&native->shape, native->head.features, native->head.classes, hessian);
  used += (size_t)snprintf(options + used, size - used, " -DHESSIAN=%d -DALIGNED=%d", hessian, fours(native) > 0);
  native_fused_options(options + used, size - used, &fused, context_traits(native->context)->bounds_registers,
                       native->plan.storage != SETOSA_STORAGE_F32);
}

Status native_kernel(Native *native, NativeKernel id, Kernel **kernel, Error *error) {
  if (native->kernels[id] == NULL) {
    char options[384] = "";
    bool cpu = native->family == SETOSA_FAMILY_CPU;
    const NativeShape *shape = &native->shape;
    NativeShape gram_shape;
    NativeKernel program = program_of(native, id);
    const char *source = cpu ? native_kernels[program].cpu_source : native_kernels[program].gpu_source;
    switch (native_kernels[program].options) {
      case OPTIONS_TEAM:
      case OPTIONS_COMMON:
        append_options(options, sizeof options, "-DTEAM=%u", native->team);
        if (cpu)
          append_options(options, sizeof options, " -DLANES=%u", shape->lanes);
        else if (native_kernels[program].options == OPTIONS_COMMON)
          append_options(options, sizeof options, " -DROW_LANES=%u -DROW_VECTORS=%u", native_row_lanes(native->stride),
                         native_row_vectors(native->stride));
        break;
      case OPTIONS_TILE:
        append_tile(options, sizeof options, shape);
        append_options(options, sizeof options, " -DSPAN=%zu -DFOURS=%d", native->span_rows, fours(native));
        break;
      case OPTIONS_STRIPS:
        append_options(options, sizeof options, "-DLANES=%u -DTILE_CLASSES=%u -DPANEL_ROWS=%u", shape->lanes, native_strip_classes(native),
                       shape->panel_rows);
        break;
      case OPTIONS_GRAM: /* a panel is f32, however X is stored */
        gram_shape = native_gram_shape(native);
        append_tile(options, sizeof options, &gram_shape);
        append_options(options, sizeof options, " -DLOWER_ONLY -DFOURS=2");
        break;
      case OPTIONS_FUSED:
        append_options(options, sizeof options, "-DTEAM=%u -DCLASSES=%zu -DFEATURES=%zu", native->team, native->head.classes,
                       native->head.features);
        if (native->small) append_options(options, sizeof options, " -DSMALL");
        if (!cpu) {
          append_fused(native, program, options, sizeof options);
          break;
        }
        append_options(options, sizeof options, " -DLANES=%u -DDOT_CLASSES=%u -DOUTER_CLASSES=%u -DOUTER_REGISTERS=%u", shape->lanes,
                       shape->dot_classes, shape->outer_classes, shape->outer_registers);
        if (native_uses_panels(native))
          append_options(options, sizeof options, " -DPANELS=%u -DPANEL_ROWS=%u", native_panel_count(native), shape->panel_rows);
        break;
    }
    if (native_kernels[program].options != OPTIONS_GRAM && (native->sparse == NULL || id >= KERNEL_SPARSE_TURN))
      native_append_storage(native, options, sizeof options);
    Status status = kernel_create(&native->kernels[id], native->context, source, options, native_kernels[id].name, error);
    if (status != SETOSA_OK) return status;
  }
  *kernel = native->kernels[id];
  return SETOSA_OK;
}
