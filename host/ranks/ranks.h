/* The processes of one MPI job, and what they say to each other. The only folder that knows MPI; without it (or without mpirun) a job is
 * one process, and everything below does nothing or what one process would.
 *
 * The rule that makes errors end a job at once: every call below but ranks_size, ranks_rank and ranks_local is collective, in the same
 * order on every rank, and begins with the same small agreement. A rank that fails does not make the calls that it can no longer make: it
 * calls ranks_agree with its error once, wherever it is, and the others hear of it in their next call, whichever that is. From then on
 * every call on every rank returns that same error at once and without talking, so that all ranks unwind alike. A rank that the others do
 * not join within RANKS_GRACE_SECONDS (they are in the midst of long work) hands its error to the callback of ranks_on_abandon and ends the
 * job.
 *
 * NULL stands for a job of one. */
#ifndef SETOSA_RANKS_RANKS_H
#define SETOSA_RANKS_RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct SetosaRanks Ranks;
typedef SetosaRanksWatch RanksWatch;

/* Whether this process was started by mpirun, srun or the like together with others. */
bool ranks_launched(void);
/* Joins the job. *ranks is NULL, and that is no error, for a process that was started alone. SETOSA_ERROR_USAGE: started with others by a
 * launcher, but this build has no MPI. */
Status ranks_open(Ranks **ranks, Error *error);
/* Leaves it; all ranks call this, or none. NULL is fine. */
void ranks_close(Ranks *ranks);

size_t ranks_size(const Ranks *ranks);
size_t ranks_rank(const Ranks *ranks);  /* 0 .. size-1 */
size_t ranks_local(const Ranks *ranks); /* among the ranks of this machine: 0 for the first */

/* Called with the error of this rank when it has to end the job by itself (MPI_Abort follows with error->status as exit code). */
void ranks_on_abandon(Ranks *ranks, void (*abandoned)(const Error *error, void *user), void *user);

/* How this rank waits for the others, see setosa.h. */
void ranks_watch(Ranks *ranks, const RanksWatch *watch);

/* SETOSA_OK on every rank when own is that on every rank. Else every rank gets the status and message of the lowest rank that failed (its
 * number is added to the message unless all failed), and *error is filled on all. Cheap: one integer goes round. */
Status ranks_agree(Ranks *ranks, Status own, Error *error);
/* values (bytes): those of rank 0 on every rank. */
Status ranks_broadcast(Ranks *ranks, void *values, size_t bytes, Error *error);
/* all: the parts of all ranks one after another, sizes[r] bytes from rank r (sizes is the same on every rank). This rank's own part is in
 * its place already. */
Status ranks_allgather(Ranks *ranks, void *all, const size_t *sizes, Error *error);
/* Every rank sends a part to every rank: sent has those for rank 0, 1, ... one after another, send_sizes[r] bytes each; received gets those
 * of rank 0, 1, ..., receive_sizes[r] bytes each. */
Status ranks_alltoall(Ranks *ranks, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes, Error *error);
/* values (count): their sums over the ranks, in whatever order MPI adds. */
Status ranks_sum(Ranks *ranks, double *values, size_t count, Error *error);
/* *any: whether `own` is true on any rank. */
Status ranks_any(Ranks *ranks, bool own, bool *any, Error *error);

#endif
