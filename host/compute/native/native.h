/* Private to the native backend: its state, and what its files offer each other. */
#ifndef SETOSA_COMPUTE_NATIVE_H
#define SETOSA_COMPUTE_NATIVE_H

#include "compute/backends.h"
#include "compute/line.h"
#include "compute/native/cut.h"
#include "compute/native/shape.h"
#include "compute/native/synthesize.h"
#include "constants.clh"
#include "data/storage.h"
#include "opencl/kernel.h"

/* Every kernel of the backend; created at first use, since few runs need all. */
typedef enum NativeKernel {
  KERNEL_COMBINE,
  KERNEL_DOTS,
  KERNEL_MULTIPLY,
  KERNEL_DIVIDE_SQRT,
  KERNEL_PROX,
  KERNEL_FOLD_PARTIALS,
  KERNEL_FOLD_SPREAD,
  KERNEL_FINISH_SPREAD,
  KERNEL_FINISH_GRADIENT,
  KERNEL_RESIDUAL_ROWS,
  KERNEL_PROBABILITY_ROWS,
  KERNEL_HESSIAN_ROWS,
  KERNEL_SPREAD_ROWS,
  KERNEL_LINE_ROWS,
  KERNEL_ACCURATE_LOGITS,
  KERNEL_LOGITS_BLOCK,
  KERNEL_GRADIENT_BLOCK,
  KERNEL_LOGITS_STRIPS,
  KERNEL_LOGITS_PANELS,
  KERNEL_PACK_PANELS,
  KERNEL_GRADIENT_STRIPS,
  KERNEL_RESIDUAL_STRIPS,
  KERNEL_SOFTMAX_STRIPS,
  KERNEL_HESSIAN_STRIPS,
  KERNEL_SPREAD_STRIPS,
  KERNEL_LINE_STRIPS,
  KERNEL_UNPACK_STRIPS,
  KERNEL_FUSED_GRADIENT,
  KERNEL_FUSED_HESSIAN,
  KERNEL_FUSED_LOGITS,
  KERNEL_BIAS_ROWS,
  KERNEL_COLUMN_SUMS,
  KERNEL_METRIC_CLASSES,
  KERNEL_METRIC_MEAN_OFF,
  KERNEL_METRIC_BLOCKS,
  KERNEL_METRIC_TURN,
  KERNEL_METRIC_CENTER,
  KERNEL_METRIC_UNCENTER,
  KERNEL_WEIGHTED_SQUARES,
  KERNEL_SCALE_ROWS,
  KERNEL_GRAM_TILES,
  KERNEL_GRAM_BLOCK, /* gradient_block of panels of f32 */
  KERNEL_SPARSE_TURN,
  KERNEL_SPARSE_TURN_BACK,
  KERNEL_SPARSE_ACCURATE_LOGITS,
  KERNEL_SPARSE_LOGITS,
  KERNEL_SPARSE_RESIDUALS,
  KERNEL_SPARSE_GRADIENT,
  KERNEL_SPARSE_GRADIENT_LONG,
  KERNEL_SPARSE_SQUARES,
  KERNEL_COUNT
} NativeKernel;

typedef struct SparseBlock SparseBlock;
typedef struct NativeSparse NativeSparse;

/* Rows [begin, begin + count) of the data on the device. */
typedef struct RowBuffers {
  Buffer *x;           /* (count,D) row-major, as native->plan stores it; of sparse rows their values, or NULL where all are 1 */
  Buffer *entries;     /* of sparse rows: (count + 1) u64, where the entries of each begin, */
  Buffer *columns;     /* and (entries) u32 the column of each */
  SparseBlock *blocks; /* (block_count) of sparse rows: their entries by columns; NULL until a gradient is asked for */
  size_t block_count;
  Buffer *labels;  /* (count), or NULL */
  Buffer *weights; /* (count), or NULL: 1 each */
  size_t begin, count;
  size_t capacity; /* rows that labels and weights have room for, and dense x; 0: of views */
} RowBuffers;

/* What of X stays on the device: all, in buffers of buffer_rows (one allocation may be smaller than X), or chunks of buffer_rows in turn.
 */
typedef struct NativePlan {
  uint64_t budget_bytes;
  size_t data_bytes, work_bytes; /* X, labels and weights; an estimate of everything else */
  size_t buffer_rows;
  bool resident;
  bool fell_back; /* it should have fitted, but the device refused */
} NativePlan;

/* A place that chunks take turns in. */
typedef struct NativeStage {
  RowBuffers buffers;
  Mark *used; /* the kernels that read it have run; NULL: none did */
} NativeStage;

enum { NATIVE_STAGES = 2 };

typedef struct NativeLine {
  Line shared;
  Buffer *logits, *slopes;  /* X w and X s of the window, laid out as blocks of logits are; NULL when they do not fit */
  Buffer *labels, *weights; /* of a window that does not lie in one buffer; else NULL */
} NativeLine;

typedef struct Native Native;

/* Who multiplies matrices, when it is not block_*.cl and the fused pass (clblast.c, sparse.c). */
typedef struct NativeProducts {
  const char *name; /* of the backend */
  bool strips;      /* logits are strips on the CPU family, as those of dense rows, and else padded rows */
  /* As native_enqueue_logits. */
  Status (*logits)(Native *native, const Vector *w, const RowBuffers *buffers, RowRange rows, Buffer *block, size_t block_row,
                   float padding, Error *error);
  /* Before the first block of a share of so many rows, and after its last, unless NULL. */
  Status (*begin_share)(Native *native, size_t rows, Error *error);
  Status (*end_share)(Native *native, Buffer *partials, size_t partial, Error *error);
  /* Partial number `partial` (P) (+)= R' X and the column sums of R (count, stride); squares: with the squares of the values of X, of
   * sparse rows alone. */
  Status (*gradient)(Native *native, const Buffer *residuals, const RowBuffers *buffers, RowRange rows, Buffer *partials, size_t partial,
                     bool add, bool squares, Error *error);
} NativeProducts;

/* What tuning did when the backend opened (tune/apply.c). */
typedef struct NativeTuning {
  double seconds;
  uint32_t tried; /* shapes beside the default */
  char text[384]; /* one line for people; "" when nothing was looked up or searched */
} NativeTuning;

/* Numbers of an evaluation that wait in sums, from the first on, for the next inner products to bring them home (dots.c). */
typedef struct NativeLater {
  DataTerm *at;         /* where they belong; NULL: none wait */
  Cut cut;              /* of the pass that left the losses, */
  size_t losses, norms; /* so many pairs of them, and after them largest |components| of the gradient */
} NativeLater;

/* The weights of a vector in panels, at one version of it. */
typedef struct NativePanels {
  Buffer *buffer;
  uint64_t version; /* 0: none */
} NativePanels;

struct Native {
  Backend head;
  Context *context;    /* borrowed */
  SetosaFamily family; /* CPU or GPU */
  RowRange window;     /* rows that stay or stream here: all, or the part of this device; others are brought when they are asked for */
  uint32_t team;       /* work-items of a team: 1 on CPU devices */
  uint32_t compute_units;
  size_t workspace_bytes;
  NativeShape shape;
  NativeTuning tuning;

  const Dataset *source; /* borrowed */
  DataPlace place;       /* where its rows are */
  StoragePlan plan;      /* how X is stored */
  StorageRounding rounding;
  size_t rounded_rows; /* counted in rounding */
  NativePlan residence;
  RowBuffers *buffers; /* (buffer_count) of the window when resident */
  size_t buffer_count;
  NativeStage stages[NATIVE_STAGES];
  int stage;                /* that rows came from last */
  TargetRoom targets;       /* of sparse rows that are made */
  void *scratch;            /* a chunk of X on its way, NULL until one is converted */
  Synthesizer *synthesizer; /* of rows that are made; NULL until some are */
  bool labelled, weighted, small;
  bool fused;       /* few classes, and on the GPU family no more features than a group can hold: the fused pass does them */
  float *reweighed; /* (N) the weights of the rows, where they change; NULL: those of the data set */
  Kernel *kernels[KERNEL_COUNT];

  Buffer *partials;                 /* partial gradients, grown on demand */
  Buffer *folded;                   /* (shards,2,P): the compensated sums of the partials of each, highs and lows */
  Buffer *block, *block_directions; /* block_rows rows of logits, in strips or (block_rows, stride); the second for Hessians only */
  Buffer *row_factors;              /* (block_rows) of strips */
  Buffer *kept;                     /* probabilities of the window at the vector of kept_version */
  uint64_t kept_version, versions;  /* every change of a vector takes the next version; 0: none */
  NativePanels panels[2];           /* of the last two vectors, the latest first */
  size_t block_rows;                /* rows of a block */
  size_t span_rows;                 /* of dense padded rows: a chain of additions of block_gpu.cl; blocks are whole ones */
  uint32_t stride;                  /* floats of a padded row of logits: K rounded up to 8, not a multiple of 4 KB */
  Buffer *counter;                  /* of kernels/items.clh; NULL until a kernel takes items */
  Buffer *sums;                     /* SumPairs on their way to the host */
  SumPair *sums_host;
  size_t sums_capacity;
  NativeLater later;

  const NativeProducts *products; /* NULL: our own kernels of dense rows */
  NativeSparse *sparse;           /* of sparse rows; NULL: they are dense */
  Buffer *products_temporary;
  NativeLine line;
  uint64_t flops, bytes_read;
  double seconds_upload, build_seconds_before;
};

struct Vector {
  Buffer *buffer;   /* (P) f32 */
  uint64_t version; /* of its values */
};

/* Seconds of building kernels are counted from here on. */
void native_restart_build_clock(Native *native);
/* One device of several, with the rows of a window (none is allowed) and tiles that another one chose. */
Status native_open_window(Native **native, const Dataset *dataset, const BackendSettings *settings, RowRange window,
                          const NativeShape *shape, Error *error);
/* To be called where the values of a vector change. */
static inline void native_changed(Native *native, Vector *vector) { vector->version = ++native->versions; }
/* The kernel, built at first use. */
Status native_kernel(Native *native, NativeKernel id, Kernel **kernel, Error *error);
/* Makes *buffer at least bytes long; what it held is lost when it grows. */
Status native_reserve(Native *native, Buffer **buffer, size_t bytes, const char *what, Error *error);
/* Room for count pairs in sums and sums_host; growing drops what they hold. */
Status native_reserve_sums(Native *native, size_t count, Error *error);
/* Reads pairs [0, count) into sums_host; waits for everything enqueued. */
Status native_read_sums(Native *native, size_t count, Error *error);
/* The value of count pairs in sums_host from first on, added in double in order. */
double native_sum(const Native *native, size_t first, size_t count);
/* The value of the losses (or slopes) of all shards in sums_host from pair `first` on. */
double native_pass_sum(const Native *native, size_t first, const Cut *cut);
double native_seconds_build(const Native *native);
/* Groups or items enough to keep every thread of the device busy. */
static inline size_t native_enough_groups(const Native *native) { return 8 * (size_t)native->compute_units; }

/* Numbers that a product reads of so many rows: all of them, or as many entries as rows have in the mean. */
uint64_t native_values(const Native *native, size_t rows);

#endif
