/* Private to the sharded backend: rows over several devices, those of this process (members) and of the other ranks of a job. The rows are
 * cut into shards as one device would cut them (native/cut.h); every device has a window of whole shards, leaves their partial gradients
 * and losses, and all of these are gathered and added up in their fixed order everywhere. So devices of one type give the bits of one
 * device. Vectors are replicated: every device takes the same steps on the same numbers. */
#ifndef SETOSA_COMPUTE_SHARDED_H
#define SETOSA_COMPUTE_SHARDED_H

#include "compute/native/pass.h"

typedef struct Member {
  Native *native;
  Buffer *gathered; /* the partials of all devices */
} Member;

/* A vector of the sharded backend: one of each member. */
typedef struct Replicas {
  Vector *of[BACKEND_MOST_DEVICES];
} Replicas;

static inline const Replicas *replicas(const Vector *vector) { return (const Replicas *)vector; }
static inline const Vector *replica(const Vector *vector, size_t member) { return vector == NULL ? NULL : replicas(vector)->of[member]; }
static inline Vector *replica_of(Vector *vector, size_t member) { return vector == NULL ? NULL : ((Replicas *)vector)->of[member]; }

/* Host memory that grows. */
typedef struct Scratch {
  char *at;
  size_t bytes;
} Scratch;

typedef struct Sharded {
  Backend head;
  Member members[BACKEND_MOST_DEVICES];
  size_t member_count;
  Ranks *ranks;
  bool fast;
  size_t devices;           /* of all ranks, in their order */
  size_t *rank_begin;       /* (ranks + 1): the first device of each rank */
  RowRange *windows;        /* (devices) */
  size_t own;               /* number of our first member among the devices */
  Scratch exchange;         /* what the devices leave, device after device */
  Scratch packed, received; /* slices of it, on their way to and from other ranks */
  double *sums;             /* (P + 1) of a fast reduction; NULL until there is one */
  Line line;
  bool line_fits;
  DataTerm *later, norm; /* whose products and norm come with the next inner products; where the first member leaves the norm */
  char tuning_text[384]; /* of the tuning of tiles, on rank 0 */
  double seconds_tune;
} Sharded;

/* ---- gather.c: what goes between devices --------------------------------------------------------------- */

/* What one kind of work does on one member; it leaves `partials` partials and `pairs` pairs. */
typedef struct Task {
  Status (*run)(Sharded *sharded, size_t member, const struct Task *task, Error *error);
  const Vector *w, *v;
  Pass pass; /* but for what differs from device to device */
  double step;
} Task;

/* Where everything lies in `exchange`: of every device the sums of its shards, set after set, and then their partials. */
typedef struct Layout {
  const Cut *cut;
  size_t sets;     /* of sums: losses; losses and slopes: 2 */
  size_t partials; /* of a shard, 0 without a gradient */
  size_t vector_bytes;
} Layout;

/* Shards of a pass over rows [first, first + cut->rows) that a device works on. */
ShardRange device_shards(const Sharded *sharded, const Cut *cut, size_t first, size_t device);
/* Bytes that a device leaves. */
static inline size_t sum_bytes(const Layout *layout, ShardRange shards) { return layout->sets * shards.count * sizeof(ShardSum); }
static inline size_t partial_bytes(const Layout *layout, ShardRange shards) {
  return shards.count * layout->partials * layout->vector_bytes;
}
static inline size_t device_bytes(const Layout *layout, ShardRange shards) {
  return sum_bytes(layout, shards) + partial_bytes(layout, shards);
}
/* At least so many bytes; what it held is lost when it grows. */
Status scratch_reserve(Scratch *scratch, size_t bytes, Error *error);
/* task->run on every member; nothing is waited for but by what run itself waits for. */
Status run_members(Sharded *sharded, const Task *task, Error *error);
/* What the kernels of one member have left, to its place; waits for them. */
Status read_member(Native *native, const Layout *layout, ShardRange shards, char *to, Error *error);
/* The task on every member, and what all devices of all ranks leave in `exchange` on every rank. */
Status exchange_all(Sharded *sharded, const Task *task, const Layout *layout, Error *error);
/* The sum of a set over all shards, in their order, from `exchange`. */
double add_sums(const Sharded *sharded, const Layout *layout, size_t first_row, size_t set);
/* finish->out = the sum of the partials in `exchange` and what is added to it, on every member. */
Status finish_everywhere(Sharded *sharded, const Layout *layout, size_t first_row, const Finish *finish, Error *error);
/* The same of `partial_count` partials in one member's `gathered`. */
Status finish_member(Sharded *sharded, size_t member, const Finish *finish, size_t partial_count, Error *error);

/* ---- reduce.c: the same, task and all, with less to send --------------------------------------------- */

/* Whether reduce_slices is worth it. */
bool wants_slices(const Sharded *sharded, const Layout *layout);
Status reduce_slices(Sharded *sharded, const Task *task, const Layout *layout, const Finish *finish, double *loss, Error *error);
/* finish->out may be NULL. */
Status reduce_fast(Sharded *sharded, const Task *task, const Layout *layout, const Finish *finish, double *loss, Error *error);

/* ---- pass.c ---------------------------------------------------------------------------------------- */

Status sharded_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error);
Status sharded_evaluate(Backend *backend, const Vector *w, RowRange rows, const Addition *addition, Vector *gradient, DataTerm *at,
                        Error *error);
Status sharded_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, const Addition *addition, Vector *out,
                               Error *error);
Status sharded_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);
Status sharded_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error);
Status sharded_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status sharded_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void sharded_line_close(Backend *backend);

/* ---- metric.c --------------------------------------------------------------------------------------- */

Status sharded_metric_create(Backend *backend, Metric **metric, const MetricForm *form, Error *error);
Status sharded_metric_apply(Backend *backend, const Metric *metric, Vector *out, const Vector *v, Error *error);
void sharded_metric_destroy(Backend *backend, Metric *metric);
Status sharded_gram(Backend *backend, const GramRequest *request, double *out, Error *error);
Status sharded_broadcast(Backend *backend, Status own, size_t count, double *values, Error *error);

#endif
