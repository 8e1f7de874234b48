/* What ranks are to ranks.c, which hands every call on, and what the tests of ranks need beyond ranks.h. */
#ifndef SETOSA_RANKS_INTERNAL_H
#define SETOSA_RANKS_INTERNAL_H

#include "ranks/ranks.h"

/* The calls of ranks.h on a job of several. They are in a module of their own (setosa_mpi.so), which is loaded in such a job alone: MPI
 * brings a dozen libraries with it. */
typedef struct RanksOperations {
  void (*close)(Ranks *ranks);
  Status (*vote)(Ranks *ranks, const Error *own, bool wish, bool *any, Error *error); /* ranks_agree and ranks_any */
  Status (*broadcast)(Ranks *ranks, void *values, size_t bytes, Error *error);
  Status (*allgather)(Ranks *ranks, void *all, const size_t *sizes, Error *error);
  Status (*alltoall)(Ranks *ranks, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes, Error *error);
  Status (*sum)(Ranks *ranks, double *values, size_t count, Error *error);
} RanksOperations;

struct SetosaRanks {
  const RanksOperations *operations;
  int count, own, local;
  void (*abandoned)(const Error *error, void *user);
  void *abandoned_user;
  RanksWatch watch;
  size_t piece_bytes; /* most that one MPI call moves: its counts are ints */
};

/* The module's one function: as ranks_open, for a process that was started with others. */
typedef Status RanksOpenFunction(Ranks **ranks, Error *error);
#define RANKS_OPEN_NAME "setosa_mpi_open"
__attribute__((visibility("default"))) Status setosa_mpi_open(Ranks **ranks, Error *error);

/* The same on every rank; pieces can then be tested without gigabytes. */
void ranks_set_piece(Ranks *ranks, size_t bytes);

#endif
