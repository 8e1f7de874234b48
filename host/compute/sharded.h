/* Private to the sharded backend: rows over several devices, those of this process (members) and of the other ranks of a job. The rows are
 * cut into shards as one device would cut them (Cut in native.h); every device has a window of whole shards, leaves their partial gradients
 * and losses, and all of these are gathered and added up in their fixed order everywhere. So devices of one type give the bits of one
 * device. Vectors are replicated: every device takes the same steps on the same numbers. */
#ifndef SETOSA_COMPUTE_SHARDED_H
#define SETOSA_COMPUTE_SHARDED_H

#include "compute/native.h"

typedef struct Member {
  Native *native;
  Buffer *gathered; /* the slabs of all devices */
} Member;

/* A vector of the sharded backend: one of each member. */
typedef struct Replicas {
  Vector *of[BACKEND_MOST_DEVICES];
} Replicas;

static inline const Replicas *replicas(const Vector *vector) { return (const Replicas *)vector; }
static inline const Vector *replica(const Vector *vector, size_t member) { return vector == NULL ? NULL : replicas(vector)->of[member]; }
static inline Vector *replica_of(Vector *vector, size_t member) { return vector == NULL ? NULL : ((Replicas *)vector)->of[member]; }

typedef struct Sharded {
  Backend head;
  Member members[BACKEND_MOST_DEVICES];
  size_t member_count;
  Ranks *ranks;
  bool fast;
  size_t devices;     /* of all ranks, in their order */
  size_t *rank_begin; /* (ranks + 1): the first device of each rank */
  RowRange *windows;  /* (devices) */
  size_t own;         /* number of our first member among the devices */
  char *exchange;     /* what the devices leave, device after device; grown */
  size_t exchange_bytes;
  double *sums; /* (P + 1) of a fast reduction; NULL until there is one */
  Line line;
  bool line_fits;
  char tuning_text[384]; /* of the tuning of tiles, on rank 0 */
  double seconds_tune;
} Sharded;

/* sharded_objective.c */
Status sharded_evaluate(Backend *backend, const Vector *w, RowRange rows, Vector *gradient, Evaluation *evaluation, Error *error);
Status sharded_hessian_product(Backend *backend, const Vector *w, const Vector *v, RowRange rows, Vector *out, Error *error);
Status sharded_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);
Status sharded_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status sharded_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void sharded_line_close(Backend *backend);

#endif
