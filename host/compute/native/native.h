/* Private to the native backend: its state, and what its files offer each other. */
#ifndef SETOSA_COMPUTE_NATIVE_H
#define SETOSA_COMPUTE_NATIVE_H

#include "compute/backends.h"
#include "compute/line.h"
#include "compute/native/shape.h"
#include "compute/native/synthesize.h"
#include "constants.clh"
#include "data/storage.h"
#include "opencl/kernel.h"

/* Every kernel of the backend; created at first use, since few runs need all. */
typedef enum NativeKernel {
  KERNEL_COMBINE,
  KERNEL_DOTS,
  KERNEL_MAX_ABS,
  KERNEL_MULTIPLY,
  KERNEL_DIVIDE_SQRT,
  KERNEL_FOLD_PARTIALS,
  KERNEL_FINISH_GRADIENT,
  KERNEL_RESIDUAL_ROWS,
  KERNEL_PROBABILITY_ROWS,
  KERNEL_HESSIAN_ROWS,
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
  KERNEL_LINE_STRIPS,
  KERNEL_UNPACK_STRIPS,
  KERNEL_FUSED_GRADIENT,
  KERNEL_FUSED_HESSIAN,
  KERNEL_FUSED_LOGITS,
  KERNEL_BIAS_ROWS,
  KERNEL_COLUMN_SUMS,
  KERNEL_COUNT
} NativeKernel;

/* A compensated sum as kernels leave it: value = high + low. */
typedef struct SumPair {
  float high, low;
} SumPair;

/* Rows [begin, begin + count) of the data on the device. */
typedef struct NativePart {
  Buffer *x;       /* (count,D) row-major, as native->plan stores it */
  Buffer *labels;  /* (count), or NULL */
  Buffer *weights; /* (count), or NULL: 1 each */
  size_t begin, count;
} NativePart;

/* What of X stays on the device: all, in parts of part_rows (one allocation may be smaller than X), or chunks of part_rows in turn. */
typedef struct NativePlan {
  uint64_t budget_bytes;
  size_t data_bytes, work_bytes; /* X, labels and weights; an estimate of everything else */
  size_t part_rows;
  bool resident;
  bool fell_back; /* it should have fitted, but the device refused */
} NativePlan;

/* A place that chunks take turns in. */
typedef struct NativeStage {
  NativePart part;
  Mark *used; /* the kernels that read it have run; NULL: none did */
} NativeStage;

enum { NATIVE_STAGES = 2 };

/* How a pass over rows is cut. Its rows, the shape of the data and the family alone decide, so that neither the device, nor how many there
 * are, nor what of X they hold at a time changes a bit. A share has `partials` partial gradients, summed in plain f32, and `losses` partial
 * sums; the partials of per_shard neighbouring shares are folded, in order, into those of their shard. Devices work on whole shards. */
typedef struct Cut {
  size_t rows, share_rows;          /* of the pass; of a share (the last may have fewer) */
  size_t shares, per_shard, shards; /* shards = ceil(shares / per_shard) */
  uint32_t partials, losses;        /* of a share */
} Cut;
/* Shards [first, first + count) of a pass. */
typedef struct ShardRange {
  size_t first, count;
} ShardRange;
static inline ShardRange cut_all(const Cut *cut) { return (ShardRange){0, cut->shards}; }
/* Slabs that a shard leaves: those of its one share, or the highs and lows of its folded sum. */
static inline size_t cut_shard_partials(const Cut *cut) { return cut->per_shard > 1 ? 2 : cut->partials; }
/* Shares of some shards, and their rows, counted from the first of the pass. */
static inline RowRange cut_shares(const Cut *cut, ShardRange shards) {
  size_t begin = shards.first * cut->per_shard, end = (shards.first + shards.count) * cut->per_shard;
  return (RowRange){begin, (end < cut->shares ? end : cut->shares) - begin};
}
static inline RowRange cut_rows(const Cut *cut, ShardRange shards) {
  RowRange shares = cut_shares(cut, shards);
  size_t begin = shares.begin * cut->share_rows, end = (shares.begin + shares.count) * cut->share_rows;
  return (RowRange){begin, (end < cut->rows ? end : cut->rows) - begin};
}

/* A pass over rows [first_row, first_row + cut.rows): v NULL: loss and, when wanted, gradient; else the Hessian times v. */
typedef struct Pass {
  const Vector *w, *v;
  size_t first_row;
  Cut cut;
  ShardRange shards; /* to be worked on; at least one */
  bool want_gradient;
  Vector *direct; /* takes the gradient's sum itself where one partial is enough, so that none is needed; NULL: partials only */
} Pass;

/* What it leaves behind: `partials` partial gradients (P each), and `losses` partial sums at the beginning of native->sums. */
typedef struct PassResult {
  Buffer *partial_buffer;
  size_t partials, losses;
} PassResult;

typedef struct NativeLine {
  Line shared;
  Buffer *logits, *slopes;  /* X w and X s of the window, laid out as blocks of logits are; NULL when they do not fit */
  Buffer *labels, *weights; /* of a window that does not lie in one part; else NULL */
} NativeLine;

enum { PANEL_LEAST_REST = 11 }; /* panels.c says why */

typedef struct Native Native;

/* Who multiplies matrices, when it is not block_*.cl and the fused pass (clblast.c). */
typedef struct NativeProducts {
  const char *name; /* of the backend */
  /* As native_enqueue_logits. */
  Status (*logits)(Native *native, const Vector *w, const NativePart *part, RowRange rows, Buffer *block, float padding, Error *error);
  /* Partial number `partial` (P) (+)= R' X and the column sums of R (count, stride). */
  Status (*gradient)(Native *native, const Buffer *residuals, const NativePart *part, RowRange rows, Buffer *partials, size_t partial,
                     bool add, Error *error);
} NativeProducts;

/* What tuning did when the backend opened (tune/apply.c). */
typedef struct NativeTuning {
  double seconds;
  uint32_t tried; /* shapes beside the default */
  char text[384]; /* one line for people; "" when nothing was looked up or searched */
} NativeTuning;

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
  NativePart *parts; /* (part_count) of the window when resident */
  size_t part_count;
  NativeStage stages[NATIVE_STAGES];
  int stage;                /* that was filled last */
  void *scratch;            /* a chunk of X on its way, NULL until one is converted */
  Synthesizer *synthesizer; /* of rows that are made; NULL until some are */
  bool labelled, weighted, small;
  Kernel *kernels[KERNEL_COUNT];

  Buffer *partials;                 /* partial gradients, grown on demand */
  Buffer *folded;                   /* (shards,2,P): the compensated sums of the partials of each, highs and lows */
  Buffer *block, *block_directions; /* block_rows rows of logits, in strips or (block_rows, stride); the second for Hessians only */
  Buffer *row_factors;              /* (block_rows) of strips */
  Buffer *kept;                     /* probabilities of the window at the vector of kept_version */
  uint64_t kept_version, versions;  /* every change of a vector takes the next version; 0: none */
  NativePanels panels[2];           /* of the last two vectors, the latest first */
  size_t block_rows;                /* rows of a block */
  uint32_t stride;                  /* floats of a padded row of logits: K rounded up to 8, not a multiple of 4 KB */
  Buffer *counter;                  /* of kernels/items.clh; NULL until a kernel takes items */
  Buffer *sums;                     /* SumPairs on their way to the host */
  SumPair *sums_host;
  size_t sums_capacity;

  const NativeProducts *products; /* NULL: our own kernels */
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
/* Room for count pairs in sums and sums_host. */
Status native_reserve_sums(Native *native, size_t count, Error *error);
/* Reads pairs [0, count) into sums_host; waits for everything enqueued. */
Status native_read_sums(Native *native, size_t count, Error *error);
/* The value of count pairs in sums_host from first on, added in double in order. */
double native_sum(const Native *native, size_t first, size_t count);
/* A sum over shards in double: first within each shard, pair by pair, then over the shards, highs and lows apart. */
typedef struct ShardSum {
  double high, low;
} ShardSum;
ShardSum shard_sum(const SumPair *pairs, size_t count);
static inline void shard_sum_add(ShardSum *sum, ShardSum shard) {
  sum->high += shard.high;
  sum->low += shard.low;
}
/* The pairs of some shards, which begin at `pairs`: their sums one by one, into sums (shards.count). */
void shard_sums(ShardSum *sums, const Cut *cut, ShardRange shards, const SumPair *pairs);
/* The value of the losses (or slopes) of all shards in sums_host. */
double native_pass_sum(const Native *native, const Cut *cut);
double native_seconds_build(const Native *native);

/* upload.c */
/* Brings X, labels and weights to the device as settings->storage asks: fills plan, rounding, parts, labelled and seconds_upload. */
Status native_upload(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error);
void native_release_upload(Native *native);
/* Fills source, place, plan, labelled and weighted. */
Status native_choose_storage(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* Whether views of the data set's own array serve the device. */
bool native_reads_in_place(const Native *native);
/* What would stay on the device and what would stream, for native->plan of storage. SETOSA_ERROR_DEVICE when the budget holds nothing. */
Status native_plan(NativePlan *plan, const Native *native, const BackendSettings *settings, Error *error);
void native_release_part(NativePart *part);
/* A part that holds row rows.begin, and in *piece (rows counted from the part's first) as many of rows as it holds: all, or a multiple of
 * unit. It stays until two more calls have been made; kernels enqueued by then have their rows. */
Status native_rows(Native *native, const NativePart **part, RowRange rows, size_t unit, RowRange *piece, Error *error);
/* Whether the window lies in parts[0]. */
/* Bytes of what a row is compared with: its label and its weight. */
static inline size_t native_target_bytes(const Native *native) {
  return (native->labelled ? sizeof(int32_t) : 0) + (native->weighted ? sizeof(float) : 0);
}
static inline bool native_is_whole(const Native *native) { return native->residence.resident && native->part_count == 1; }
/* Appends what storage.clh needs to know to the options (size bytes) of a program that reads X; nothing for f32. */
void native_append_storage(const Native *native, char *options, size_t size);

/* vector.c */
Status native_vector_create(Backend *backend, Vector **vector, Error *error);
void native_vector_destroy(Backend *backend, Vector *vector);
Status native_vector_read(Backend *backend, const Vector *vector, double *values, Error *error);
Status native_vector_write(Backend *backend, Vector *vector, const double *values, Error *error);
Status native_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error);
Status native_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                             Error *error);
Status native_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error);
Status native_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error);
Status native_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error);
/* Groups of a vector kernel over `elements`. */
uint32_t native_vector_groups(const Native *native, size_t elements);
KernelRange native_team_range(const Native *native, uint32_t groups);
/* Groups or items enough to keep every thread of the device busy. */
static inline size_t native_enough_groups(const Native *native) { return 8 * (size_t)native->compute_units; }
/* Groups that share `items` of work (kernels/items.clh): more than one for every thread of the device, whichever way a driver deals them.
 * Readies native->counter. */
Status native_items_range(Native *native, size_t items, KernelRange *range, Error *error);
/* To be called after a launch that failed: a kernel that ended midway leaves counts that would make the next one skip rows. */
void native_clear_counter(Native *native);
/* Enqueues max |a|, leaving native_vector_groups(P) pairs in sums from `first` on, and its value after the sums were read (NAN if any
 * element was). */
Status native_enqueue_max_abs(Native *native, const Vector *a, uint32_t first, Error *error);
double native_max(const Native *native, size_t first, size_t count);

/* pass.c */
Status native_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                       Error *error);
Status native_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                              Error *error);
/* SETOSA_ERROR_INTERNAL unless the rows exist, SETOSA_ERROR_USAGE when labels are needed and there are none. */
Status native_check_rows(const Native *native, RowRange rows, bool labels_needed, Error *error);
Cut native_cut(const Native *native, size_t rows);
/* Enqueues the shards of a pass. */
Status native_enqueue_pass(Native *native, const Pass *pass, PassResult *result, Error *error);
/* Where the sum of partial gradients goes, and what is added to it (NULL: nothing) at `of`. */
typedef struct Finish {
  Vector *out;
  const Vector *of;
  const Addition *addition;
} Finish;
/* finish->out = the sum of partials (P each), in order, and what is added. */
Status native_enqueue_finish(Native *native, const Finish *finish, const Buffer *partials, size_t partial_count, Error *error);
/* Gradients of many rows: native->folded takes partials (P each) in order, `per_shard` of them to a shard, partial_count of them from
 * number `first` on, and stands for two partials a shard, highs and lows, zero at the beginning. */
Status native_begin_folding(Native *native, size_t shards, Error *error);
Status native_fold(Native *native, const Buffer *partials, size_t first, size_t partial_count, size_t per_shard, Error *error);
/* The same for partials of `count` floats, a slice of the parameters, of one shard: leaves count highs and count lows in native->folded. */
Status native_fold_slice(Native *native, const Buffer *partials, size_t partial_count, size_t count, Error *error);
/* Slabs of P floats that a pass over so many rows may leave, at least one. */
size_t native_most_partials(const Native *native, size_t rows);
/* Bytes of a row of X as it is stored. */
static inline uint64_t native_row_bytes(const Native *native) { return native->head.features * storage_element_bytes(&native->plan); }

static inline bool native_is_fused(const Native *native) { return native->products == NULL && native->head.classes <= CLASSES_FUSED_MOST; }

/* Bytes that passes over the window need: partial gradients, logits. */
size_t native_work_bytes(const Native *native);

/* fused.c: few classes. */
Cut native_fused_cut(const Native *native, size_t rows);
Status native_enqueue_fused(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error);
/* Bytes of the probabilities of the window as the fused pass keeps them. */
size_t native_fused_kept_bytes(const Native *native);
/* As native_enqueue_logits, in strips, on the CPU family. */
Status native_enqueue_fused_logits(Native *native, const Vector *w, const NativePart *part, RowRange rows, Buffer *block, size_t block_row,
                                   Error *error);

/* blocks.c: many. */
Cut native_block_cut(const Native *native, size_t rows);
Status native_enqueue_blocks(Native *native, const Pass *pass, uint32_t keep, PassResult *result, Error *error);
/* Whether logits lie in strips (kernels/strip.clh) or in padded rows. */
static inline bool native_uses_strips(const Native *native) { return native->family == SETOSA_FAMILY_CPU && native->products == NULL; }
/* Classes of the register tile of block_cpu.cl for this K. */
uint32_t native_strip_classes(const Native *native);
/* Bytes of the logits of so many rows. */
size_t native_logits_bytes(const Native *native, size_t rows);
/* Enqueues block = X w + b for rows of a part (count at most the buffer's), from row block_row (in strips, a multiple of 16; else 0) of
 * block on; the padding columns of padded rows are set to `padding`. */
Status native_enqueue_logits(Native *native, const Vector *w, const NativePart *part, RowRange rows, Buffer *block, size_t block_row,
                             float padding, Error *error);
/* Groups of a kernel over `rows` rows of logits. */
uint32_t native_row_groups(const Native *native, size_t rows);

/* panels.c */
/* Panels of W that logits are made from; of few classes, the rest is made without. 0: none. */
uint32_t native_panel_count(const Native *native);
static inline bool native_uses_panels(const Native *native) { return native_panel_count(native) > 0; }
/* *panels = those of w, made now if they are not there already; they stay until two other vectors were asked for. */
Status native_panels(Native *native, const Vector *w, const Buffer **panels, Error *error);
size_t native_panels_bytes(const Native *native);
void native_release_panels(Native *native);

/* predict.c */
Status native_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);
Status native_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error);

/* line.c */
/* The same in two steps, for a part of the rows: X w and X s of the window; then `pairs` partial sums each of losses and of slopes at
 * w + step s, enqueued from the beginning of native->sums and of native->partials on. */
bool native_line_fits(const Native *native);
Status native_enqueue_line(Native *native, const Vector *w, const Vector *s, Error *error);
Status native_enqueue_line_point(Native *native, double step, size_t *pairs, Error *error);
Status native_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status native_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void native_line_close(Backend *backend);
/* Bytes of the products that a line keeps of the window; 0 when it reads X instead. */
size_t native_line_bytes(const Native *native);
/* Frees what lines keep between them. */
void native_line_release(Native *native);

#endif
