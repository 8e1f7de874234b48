/* Private to the module for MPI: its ranks, and how they wait. */
#ifndef SETOSA_RANKS_MPI_H
#define SETOSA_RANKS_MPI_H

#include <mpi.h>
#include <stdint.h>

#include "ranks/internal.h"

/* A rank of this machine. */
typedef struct Neighbour {
  int64_t rank, process;
  uint64_t namespace; /* of process numbers: containers have their own */
} Neighbour;

typedef struct MpiRanks {
  Ranks head;
  MPI_Comm comm; /* a duplicate of the world: a caller's own messages do not meet ours */
  bool initialised_here;
  bool broken; /* a rank failed: error holds what all ranks return from now on */
  Error error;
  /* Who has come to where this rank waits (ranks_mpi_wait.c). */
  Neighbour *neighbours; /* (neighbour_count), this rank among them */
  size_t neighbour_count;
  uint64_t position; /* of the call that this rank is in; the same on every rank that is in it */
  uint64_t told;     /* the position that this rank has told the others; borrowed by the messages that say so */
  uint64_t *heard;   /* (count) what each of them has told */
} MpiRanks;

Status mpi_failed(int code, Error *error);
#define TRY_MPI(call)                       \
  do {                                      \
    int mpi_code = (call);                  \
    if (mpi_code != MPI_SUCCESS) {          \
      status = mpi_failed(mpi_code, error); \
      goto cleanup;                         \
    }                                       \
  } while (0)

/* Puts " (rank 1 of 3)" after a message. */
void mpi_name_rank(Error *error, int rank, int count);
/* Ends the job: the others do not join this rank with its error. */
void mpi_abandon(const MpiRanks *ranks, const Error *error);

/* ranks_mpi_wait.c. Who the neighbours are; collective. */
Status mpi_meet_neighbours(MpiRanks *ranks, MPI_Comm machine, Error *error);
/* Waits as long as it takes, or until head.watch says otherwise: then the job ends here. */
Status mpi_finish(MpiRanks *ranks, MPI_Request *request, Error *error);
/* *late instead of waiting longer than `seconds`; the request is then left as it is, and so is all it reads and writes. */
Status mpi_wait_for(MPI_Request *request, double seconds, bool *late, Error *error);

#endif
