/* Shapes of the fused pass of the GPU family: what of a block is where, chosen so that registers and local memory hold it. */
#include "compute/native/fused_shape.h"

#include <stdio.h>

#include "compute/native/fused_tensor.h"

enum {
  MOST_ITEMS = 256,
  MOST_BLOCK_ROWS = 256,
  FEW_CLASSES = 10,      /* that an item can own all at once */
  OWNED_REGISTERS = 80,  /* for the gradient of an item */
  KEPT_WEIGHTS = 16,     /* registers for the weights of an item that has its rows there, too */
  SHARED_CLASSES = 4,    /* of an item among those that share the classes out, */
  SHARED_QUADS = 4,      /* and its groups of four features */
  SHARED_ITEMS = 128,    /* of a group of them, which need many registers */
  OTHER_REGISTERS = 24,  /* addresses, counters and what is on its way, */
  MORE_REGISTERS = 16,   /* as many again for a Hessian, for weights from memory, for several groups of rows or many of classes; */
  LOCAL_REGISTERS = 12,  /* for weights in local memory */
  NARROW_REGISTERS = 16, /* for what is stored in fewer bits than f32, on its way */
  FEW_SLICES = 32,       /* items that share a row without need of more, where all have whole quads of it; */
  FEW_REGISTERS = 128,   /* with fewer an item has no more of X than it must; */
  CHUNK_REGISTERS = 32,  /* for logits by chunks: with fewer NVIDIA's compiler spills */
  LEAST_ITEMS = 64,
  WARP = 32,              /* items of a group are a multiple of it */
  MOST_RESIDENT = 4,      /* groups at a time on a processor with */
  FILE_REGISTERS = 65536, /* so many registers */
  MOST_REGISTERS = 255
};

static uint32_t divide_up(size_t count, size_t size) { return (uint32_t)((count + size - 1) / size); }

static uint32_t slices(const FusedShape *fused, size_t features) { return divide_up(divide_up(features, 4), fused->quads); }

#define ITEMS fused->items
#define QUADS fused->quads
#define GROUP_CLASSES fused->group_classes
#define ROW_QUADS fused->row_quads
#define ROW_GROUPS fused->row_groups
#define KEEP_X fused->keep_x
#define KEEP_W fused->keep_w
#define CHUNKS fused->chunks
#define FEATURES features
#define CLASSES classes
#define HESSIAN hessian
#include "fused_sizes.clh"

size_t native_fused_local_bytes(const FusedShape *fused, size_t features, size_t classes, bool hessian) {
  if (fused->slabs > 0) return native_fused_tensor_local_bytes(fused, features, classes, hessian);
  return LOCAL_FLOATS * sizeof(float);
}

static uint32_t items_of(const FusedShape *fused, size_t features, size_t classes) {
  size_t items = OWNERS * ROW_GROUPS;
  if (items < BLOCK_ROWS) items = BLOCK_ROWS; /* a row has an item in the softmax */
  if (items < LEAST_ITEMS) items = LEAST_ITEMS;
  return divide_up(items, WARP) * WARP;
}

/* Few registers, as on Intel: then an item has no more of X than it must, all its logits at once, and sums over many items, or ragged rows,
 * count. */
static bool has_few_registers(const NativeShape *shape) { return shape->fused_registers < FEW_REGISTERS; }

/* Fewer rows at a time, or fewer logits, until a block fits. */
static bool fit(FusedShape *fused, const NativeShape *shape, size_t features, size_t classes, bool hessian) {
  while (true) {
    fused->items = items_of(fused, features, classes);
    if (native_fused_local_bytes(fused, features, classes, hessian) <= shape->fused_bytes) return true;
    uint32_t chunks = fused->chunks + 1;
    while (chunks <= OUTPUTS && OUTPUTS % chunks != 0) chunks++;
    if (fused->keep_w != 2 && chunks <= OUTPUTS && !has_few_registers(shape))
      fused->chunks = chunks;
    else if (fused->row_quads > 1)
      fused->row_quads /= 2;
    else if (fused->row_groups > 1)
      fused->row_groups /= 2;
    else
      return false;
  }
}

/* Registers of a work-item, about. */
static size_t registers_of(const FusedShape *fused, size_t features, size_t classes, size_t sets) {
  size_t owned = 4 * fused->group_classes * fused->quads, sums = 4 * sets * fused->group_classes / fused->chunks;
  size_t registers = owned + sums + OTHER_REGISTERS + (sets > 1 ? MORE_REGISTERS : 0);
  if (fused->keep_x) registers += 16 * fused->row_quads * fused->quads;
  if (fused->keep_x && fused->quads > 1 && features % 4 > 0) registers += MORE_REGISTERS;
  if (!fused->keep_x && (fused->row_groups > 2 || classes > 4 * SHARED_CLASSES)) registers += MORE_REGISTERS;
  if (fused->keep_w == 2) registers += sets * owned;
  if (fused->keep_w == 1 && fused->chunks == 1) registers += LOCAL_REGISTERS;
  if (fused->keep_w == 0) registers += MORE_REGISTERS;
  if (fused->chunks > 1 && (fused->quads == 1 || sets > 1)) registers += CHUNK_REGISTERS;
  return registers;
}

/* The same while rows go through the softmax: some for each class of a lane, and what the products keep. */
static size_t softmax_registers_of(const FusedShape *fused, size_t classes, size_t sets) {
  size_t owned = 4 * fused->group_classes * fused->quads, kept = fused->keep_w == 2 ? sets * owned : 0;
  if (fused->keep_x) kept += 16 * fused->row_quads * fused->quads;
  return owned + kept + (3 + sets) * LANE_CLASSES + OTHER_REGISTERS;
}

/* Every item has all classes of its features, and its rows in registers. */
static bool own_all_classes(FusedShape *fused, const NativeShape *shape, size_t features, size_t classes, size_t sets) {
  size_t most_bytes = shape->fused_bytes;
  uint32_t quads = divide_up(features, 4);
  bool few = has_few_registers(shape), ragged = features % 4 > 0;
  *fused = (FusedShape){.quads = few || quads <= 64 ? 1 : 2, .group_classes = (uint32_t)classes, .keep_x = 1, .chunks = 1};
  while (slices(fused, features) > MOST_ITEMS && 4 * (2 * fused->quads) * classes <= OWNED_REGISTERS) fused->quads *= 2;
  fused->row_quads = !few && !ragged && fused->quads == 1 && classes <= 4 && sets == 1 ? 2 : 1;
  fused->keep_w = 4 * sets * classes * fused->quads <= KEPT_WEIGHTS ? 2 : 4 * sets * classes * features <= most_bytes / 3 * 2 ? 1 : 0;
  if (fused->keep_w == 0 && sets > 1)
    fused->chunks = (uint32_t)classes; /* two logits at a time leave registers for the weights on their way */
  size_t registers = registers_of(fused, features, classes, sets);
  if (few && (ragged || slices(fused, features) > FEW_SLICES)) registers += MORE_REGISTERS;
  return classes <= FEW_CLASSES && slices(fused, features) <= MOST_ITEMS && registers <= shape->fused_registers;
}

/* The classes of a feature are shared out; rows are in local memory, weights in registers. */
static bool share_classes(FusedShape *fused, const NativeShape *shape, size_t features, size_t classes, size_t sets) {
  uint32_t quads = divide_up(features, 4), most = SHARED_QUADS / (uint32_t)sets;
  *fused = (FusedShape){.quads = quads < most ? quads : most, .keep_w = 2, .chunks = 1, .row_quads = 2};
  fused->group_classes = divide_up(classes, divide_up(classes, SHARED_CLASSES));
  return !has_few_registers(shape) && slices(fused, features) * divide_up(classes, fused->group_classes) <= MOST_ITEMS;
}

/* Registers of a work-item with which so many groups fit a processor. */
static uint32_t bound_of(uint32_t groups, uint32_t items) {
  uint32_t registers = FILE_REGISTERS / (groups * items) / 8 * 8;
  return registers < MOST_REGISTERS ? registers : MOST_REGISTERS;
}

void native_fused_reside(FusedShape *fused, size_t registers, size_t most_groups) {
  size_t groups = FILE_REGISTERS / (registers * fused->items);
  if (groups > most_groups) groups = most_groups;
  fused->resident = groups < 1 ? 1 : groups > MOST_RESIDENT ? MOST_RESIDENT : (uint32_t)groups;
  fused->registers = bound_of(fused->resident, fused->items);
}

FusedShape native_fused_shape(const NativeShape *shape, size_t features, size_t classes, bool hessian) {
  static const FusedShape none = {0};
  size_t sets = hessian ? 2 : 1;
  FusedShape fused;
  if (features == 0 || classes == 0 || classes > CLASSES_FUSED_MOST) return none;
  if (shape->fused_tensor && native_fused_tensor_shape(&fused, features, classes, hessian)) return fused;
  if (!own_all_classes(&fused, shape, features, classes, sets) && !share_classes(&fused, shape, features, classes, sets)) return none;
  size_t owners = slices(&fused, features) * (size_t)divide_up(classes, fused.group_classes),
         most = fused.keep_x ? MOST_ITEMS : SHARED_ITEMS;
  fused.row_groups = 1;
  while (2 * fused.row_groups * owners <= most && 8 * fused.row_quads * fused.row_groups <= MOST_BLOCK_ROWS) fused.row_groups *= 2;
  if (!fit(&fused, shape, features, classes, hessian)) return none;
  fused.block_rows = 4 * fused.row_quads * fused.row_groups;
  size_t registers = registers_of(&fused, features, classes, sets), softmax = softmax_registers_of(&fused, classes, sets);
  if (registers < softmax) registers = softmax;
  native_fused_reside(&fused, registers, MOST_RESIDENT);
  fused.needed = (uint32_t)registers;
  return fused;
}

bool native_fused_fits(const NativeShape *shape, size_t features, size_t classes) {
  return native_fused_shape(shape, features, classes, false).items > 0 && native_fused_shape(shape, features, classes, true).items > 0;
}

void native_fused_options(char *options, size_t size, const FusedShape *fused, bool bounded, bool narrow) {
  int length = snprintf(options, size, " -DITEMS=%u", fused->items);
  if (length < 0 || (size_t)length >= size) return;
  options += length, size -= (size_t)length;
  if (fused->slabs > 0)
    length = snprintf(options, size, " -DTENSOR -DSLABS=%u -DKEEP_W=%u", fused->slabs, fused->keep_w);
  else
    length = snprintf(options, size, " -DQUADS=%u -DGROUP_CLASSES=%u -DROW_QUADS=%u -DROW_GROUPS=%u -DKEEP_X=%u -DKEEP_W=%u -DCHUNKS=%u",
                      fused->quads, fused->group_classes, fused->row_quads, fused->row_groups, fused->keep_x, fused->keep_w, fused->chunks);
  if (!bounded || fused->registers == 0 || length < 0 || (size_t)length >= size) return;
  /* What is widened on its way needs a few more, for which there is room with one group fewer. */
  bool fewer = narrow && fused->needed > 0 && fused->needed + NARROW_REGISTERS > fused->registers && fused->resident > 1;
  snprintf(options + length, size - (size_t)length, " -DREGISTERS -cl-nv-maxrregcount=%u",
           fewer ? bound_of(fused->resident - 1, fused->items) : fused->registers);
}
