/* Shapes of the fused pass of the GPU family: what of a block is where, chosen so that registers and local memory hold it. */
#include "compute/native/fused_shape.h"

#include <stdio.h>

#include "constants.clh"

enum {
  MOST_ITEMS = 256,
  MOST_BLOCK_ROWS = 256,
  FEW_CLASSES = 10,       /* that an item can own all at once */
  OWNED_REGISTERS = 80,   /* for the gradient of an item */
  KEPT_WEIGHTS = 16,      /* registers for the weights of an item that has its rows there, too */
  SHARED_CLASSES = 4,     /* of an item among those that share the classes out, */
  SHARED_QUADS = 4,       /* and its groups of four features */
  SHARED_ITEMS = 128,     /* of a group of them, which need many registers */
  OTHER_REGISTERS = 24,   /* addresses, counters and the like */
  FILE_REGISTERS = 65536, /* of a processor of NVIDIA's */
  MOST_REGISTERS = 255
};

static uint32_t divide_up(size_t count, size_t size) { return (uint32_t)((count + size - 1) / size); }

static uint32_t slices(const FusedShape *fused, size_t features) { return divide_up(divide_up(features, 4), fused->quads); }

/* Bytes of local memory, about; fused_gpu.cl counts them exactly. */
static size_t local_bytes(const FusedShape *fused, size_t features, size_t classes, size_t sets) {
  size_t owned = slices(fused, features), groups = divide_up(classes, fused->group_classes), owners = owned * groups;
  size_t block_quads = (size_t)fused->row_quads * fused->row_groups, rows = 4 * block_quads, row_features = 4 * fused->quads * owned;
  size_t chunk = sets * fused->group_classes / fused->chunks;
  size_t parts = MOST_ITEMS / (groups * block_quads * chunk) + 1;
  if (parts > 4) parts = 4;
  size_t floats = rows * chunk * (owners | 1) + rows * classes * (parts * sets + 2) + 8 * groups * rows;
  if (fused->keep_w == 1) floats += sets * classes * row_features;
  if (!fused->keep_x) floats += rows * row_features;
  return floats * sizeof(float);
}

/* Fewer rows at a time, or fewer logits, until a block fits. */
static bool fit(FusedShape *fused, size_t features, size_t classes, size_t sets, size_t most_bytes) {
  size_t outputs = sets * fused->group_classes;
  while (local_bytes(fused, features, classes, sets) > most_bytes) {
    uint32_t chunks = fused->chunks + 1;
    while (chunks <= outputs && outputs % chunks != 0) chunks++;
    if (fused->keep_w != 2 && chunks <= outputs)
      fused->chunks = chunks;
    else if (fused->row_quads > 1)
      fused->row_quads /= 2;
    else if (fused->row_groups > 1)
      fused->row_groups /= 2;
    else
      return false;
  }
  return true;
}

/* Every item has all classes of its features, and its rows in registers. */
static bool own_all_classes(FusedShape *fused, size_t features, size_t classes, size_t sets) {
  uint32_t quads = divide_up(features, 4);
  *fused = (FusedShape){.quads = quads <= 64 ? 1 : 2, .group_classes = (uint32_t)classes, .keep_x = 1, .chunks = 1};
  while (slices(fused, features) > MOST_ITEMS && 4 * (2 * fused->quads) * classes <= OWNED_REGISTERS) fused->quads *= 2;
  fused->row_quads = fused->quads == 1 && classes <= 4 && sets == 1 ? 2 : 1;
  fused->keep_w = 4 * sets * classes * fused->quads <= KEPT_WEIGHTS ? 2 : 4 * sets * classes * features <= 32768 ? 1 : 0;
  return classes <= FEW_CLASSES && slices(fused, features) <= MOST_ITEMS;
}

/* The classes of a feature are shared out; rows are in local memory, weights in registers. */
static bool share_classes(FusedShape *fused, size_t features, size_t classes, size_t sets) {
  uint32_t quads = divide_up(features, 4), most = SHARED_QUADS / (uint32_t)sets;
  *fused = (FusedShape){.quads = quads < most ? quads : most, .keep_w = 2, .chunks = 1, .row_quads = 2};
  fused->group_classes = divide_up(classes, divide_up(classes, SHARED_CLASSES));
  return slices(fused, features) * divide_up(classes, fused->group_classes) <= MOST_ITEMS;
}

FusedShape native_fused_shape(const NativeShape *shape, size_t features, size_t classes, bool hessian) {
  size_t sets = hessian ? 2 : 1;
  FusedShape fused = {.block_rows = FUSED_ROWS_WIDE};
  if (!own_all_classes(&fused, features, classes, sets) && !share_classes(&fused, features, classes, sets))
    return (FusedShape){.block_rows = FUSED_ROWS_WIDE};
  size_t owners = slices(&fused, features) * (size_t)divide_up(classes, fused.group_classes),
         items = fused.keep_x ? MOST_ITEMS : SHARED_ITEMS;
  fused.row_groups = 1;
  while (2 * fused.row_groups * owners <= items && 4 * fused.row_quads * 2 * fused.row_groups <= MOST_BLOCK_ROWS) fused.row_groups *= 2;
  if (!fit(&fused, features, classes, sets, shape->fused_bytes)) return (FusedShape){.block_rows = FUSED_ROWS_WIDE};
  fused.block_rows = 4 * fused.row_quads * fused.row_groups;
  fused.items = (uint32_t)(owners * fused.row_groups > fused.block_rows ? owners * fused.row_groups : fused.block_rows);
  if (fused.items < 64) fused.items = 64;
  fused.items = divide_up(fused.items, 32) * 32;
  size_t owned = 4 * fused.group_classes * fused.quads;
  size_t registers = owned + (fused.keep_w == 2 ? sets * owned : 0) + (fused.keep_x ? 16 * fused.row_quads * fused.quads : 16) +
                     4 * sets * fused.group_classes / fused.chunks + OTHER_REGISTERS;
  size_t groups = FILE_REGISTERS / (registers * fused.items);
  if (groups > 0 && shape->bounded) fused.registers = (uint32_t)(FILE_REGISTERS / (groups * fused.items) / 8 * 8);
  if (fused.registers > MOST_REGISTERS) fused.registers = MOST_REGISTERS;
  return fused;
}

void native_fused_options(char *options, size_t size, const FusedShape *fused) {
  int length = snprintf(options, size, " -DITEMS=%u", fused->items);
  if (fused->items == 0 || length < 0 || (size_t)length >= size) return;
  options += length, size -= (size_t)length;
  length = snprintf(options, size, " -DQUADS=%u -DGROUP_CLASSES=%u -DROW_QUADS=%u -DROW_GROUPS=%u -DKEEP_X=%u -DKEEP_W=%u -DCHUNKS=%u",
                    fused->quads, fused->group_classes, fused->row_quads, fused->row_groups, fused->keep_x, fused->keep_w, fused->chunks);
  if (fused->registers == 0 || length < 0 || (size_t)length >= size) return;
  snprintf(options + length, size - (size_t)length, " -DREGISTERS -cl-nv-maxrregcount=%u", fused->registers);
}
