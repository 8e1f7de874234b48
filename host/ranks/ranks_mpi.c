/* Ranks over MPI. Every wait is a loop of MPI_Test that sleeps: a blocking MPI call would burn a core that PoCL's threads need, and a rank
 * that failed could not leave it. */
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ranks/internal.h"

/* How long a rank that failed waits for the others. Of several the lowest ends the job alone: the next one waits longer by what MPI_Abort
 * needs to reach a process that does not die of SIGTERM. */
static const double RANKS_GRACE_SECONDS = 2.0, GRACE_STAGGER_SECONDS = 1.3;
enum { GRACE_STAGGERED = 2 };
static const double FOREVER = 1e300;

struct SetosaRanks {
  MPI_Comm comm; /* a duplicate of the world: a caller's own messages do not meet ours */
  int count, own, local;
  bool initialised_here;
  bool broken; /* a rank failed: error holds what all ranks return from now on */
  Error error;
  void (*abandoned)(const Error *error, void *user);
  void *abandoned_user;
  size_t piece_bytes; /* of one MPI call, whose counts are ints */
};

static Status mpi_failed(int code, Error *error) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) snprintf(text, sizeof text, "error %d", code);
  return error_set(error, SETOSA_ERROR_INTERNAL, "MPI: %s; check the network between the machines, then start the job again", text);
}

#define TRY_MPI(call)                       \
  do {                                      \
    int mpi_code = (call);                  \
    if (mpi_code != MPI_SUCCESS) {          \
      status = mpi_failed(mpi_code, error); \
      goto cleanup;                         \
    }                                       \
  } while (0)

/* Ends the job: the others did not join this rank with its error. */
static void abandon(const Ranks *ranks, const Error *error) {
  if (ranks->abandoned != NULL) ranks->abandoned(error, ranks->abandoned_user);
  MPI_Abort(ranks->comm, (int)error->status);
}

/* The others answer within microseconds, or after a pass over the data. First whoever else has work gets the core, PoCL's threads for one;
 * a sleep costs 50 microseconds more than it says. */
static void rest(double waited) {
  if (waited < 20e-6) return;
  if (waited < 200e-6) {
    sched_yield();
    return;
  }
  long nanoseconds = waited < 1e-3 ? 50000 : waited < 20e-3 ? 200000 : 1000000;
  nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

/* *late instead of waiting longer than `seconds`; the request is then left as it is, and so is all it reads and writes. */
static Status wait_for(MPI_Request *request, double seconds, bool *late, Error *error) {
  Status status = SETOSA_OK;
  double began = clock_seconds(), waited = 0;
  int done = 0;
  *late = false;
  for (;;) {
    TRY_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
    if (done) break;
    waited = clock_seconds() - began;
    *late = waited > seconds;
    if (*late) break;
    rest(waited);
  }
cleanup:
  return status;
}

static Status finish(MPI_Request *request, Error *error) {
  bool late = false;
  return wait_for(request, FOREVER, &late, error);
}

/* MPI itself failed: nobody can be told, and whatever this rank would wait for next would never come. */
static Status break_off(Ranks *ranks, Status status, Error *error) {
  if (status == SETOSA_OK) return status;
  ranks->broken = true;
  ranks->error = (Error){.status = status};
  if (error != NULL) ranks->error = *error;
  abandon(ranks, &ranks->error);
  return status;
}

/* What every rank returns once one has failed. A caller that knows of it already keeps its words, to which it may have added. */
static Status tell_again(const Ranks *ranks, Error *error) {
  if (error != NULL && error->status == SETOSA_OK) *error = ranks->error;
  return ranks->error.status;
}

static void name_rank(Error *error, int rank, int count) {
  size_t used = strlen(error->message);
  if (used > 0) snprintf(error->message + used, sizeof error->message - used, " (rank %d of %d)", rank, count);
}

/* The beginning of every call: who has failed? votes[0] is the lowest rank that did (count: none), votes[1] is 1 when all did, votes[2]
 * is 0 when somebody wants what ranks_any asks. */
static Status vote(Ranks *ranks, const Error *own, bool wish, bool *any, Error *error) {
  Status status = SETOSA_OK;
  bool failed = own != NULL, late = false;
  int mine[3] = {failed ? ranks->own : ranks->count, failed, !wish}, votes[3] = {0};
  Error said = {0};
  MPI_Request request;
  if (ranks->broken) return tell_again(ranks, error);
  TRY_MPI(MPI_Iallreduce(mine, votes, 3, MPI_INT, MPI_MIN, ranks->comm, &request));
  double patience = RANKS_GRACE_SECONDS + GRACE_STAGGER_SECONDS * (ranks->own < GRACE_STAGGERED ? ranks->own : GRACE_STAGGERED);
  TRY(wait_for(&request, failed ? patience : FOREVER, &late, error));
  if (late && failed) {
    Error last = *own;
    name_rank(&last, ranks->own, ranks->count);
    abandon(ranks, &last);
    return own->status;
  }
  if (any != NULL) *any = votes[2] == 0;
  if (votes[0] == ranks->count) goto cleanup;
  if (failed) said = *own;
  TRY_MPI(MPI_Ibcast(&said, (int)sizeof said, MPI_BYTE, votes[0], ranks->comm, &request));
  TRY(finish(&request, error));
  if (votes[1] != 1) name_rank(&said, votes[0], ranks->count);
  ranks->broken = true;
  ranks->error = said;
  if (error != NULL) *error = said;
  return said.status;
cleanup:
  return break_off(ranks, status, error);
}

/* ---- ranks.h ---------------------------------------------------------------------------------------------------- */

Status ranks_open(Ranks **out, Error *error) {
  Status status = SETOSA_OK;
  int initialised = 0, finalised = 0, level = 0;
  Ranks *ranks = NULL;
  MPI_Comm machine = MPI_COMM_NULL;
  *out = NULL;
  TRY_MPI(MPI_Initialized(&initialised));
  TRY_MPI(MPI_Finalized(&finalised));
  if (finalised)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "MPI has ended in this process and cannot begin again; open the ranks once, before its end"));
  if (!initialised && !ranks_launched()) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&ranks, 1, sizeof *ranks, "the ranks", error));
  ranks->comm = MPI_COMM_NULL;
  ranks->piece_bytes = (size_t)1 << 30;
  if (!initialised) TRY_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level));
  ranks->initialised_here = !initialised;
  if (ranks->initialised_here) TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)); /* what MPI_Test finds comes there */
  TRY_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &ranks->comm));
  TRY_MPI(MPI_Comm_set_errhandler(ranks->comm, MPI_ERRORS_RETURN));
  TRY_MPI(MPI_Comm_size(ranks->comm, &ranks->count));
  TRY_MPI(MPI_Comm_rank(ranks->comm, &ranks->own));
  TRY_MPI(MPI_Comm_split_type(ranks->comm, MPI_COMM_TYPE_SHARED, ranks->own, MPI_INFO_NULL, &machine));
  TRY_MPI(MPI_Comm_rank(machine, &ranks->local));
  if (ranks->count == 1) goto cleanup; /* the launcher said otherwise; alone all the same */
  *out = ranks;
  ranks = NULL;
cleanup:
  if (machine != MPI_COMM_NULL) MPI_Comm_free(&machine);
  ranks_close(ranks);
  return status;
}

void ranks_close(Ranks *ranks) {
  if (ranks == NULL) return;
  if (ranks->comm != MPI_COMM_NULL) MPI_Comm_free(&ranks->comm);
  if (ranks->initialised_here) MPI_Finalize();
  free(ranks);
}

size_t ranks_size(const Ranks *ranks) { return ranks == NULL ? 1 : (size_t)ranks->count; }

size_t ranks_rank(const Ranks *ranks) { return ranks == NULL ? 0 : (size_t)ranks->own; }

size_t ranks_local(const Ranks *ranks) { return ranks == NULL ? 0 : (size_t)ranks->local; }

void ranks_on_abandon(Ranks *ranks, void (*abandoned)(const Error *error, void *user), void *user) {
  if (ranks == NULL) return;
  ranks->abandoned = abandoned;
  ranks->abandoned_user = user;
}

void ranks_set_piece(Ranks *ranks, size_t bytes) { ranks->piece_bytes = bytes; }

Status ranks_agree(Ranks *ranks, Status own, Error *error) {
  if (ranks == NULL) return own;
  Error mine = {.status = own};
  if (own != SETOSA_OK && error != NULL) {
    mine = *error;
    mine.status = own;
  }
  return vote(ranks, own != SETOSA_OK ? &mine : NULL, false, NULL, error);
}

Status ranks_any(Ranks *ranks, bool own, bool *any, Error *error) {
  *any = own;
  return ranks == NULL ? SETOSA_OK : vote(ranks, NULL, own, any, error);
}

/* bytes of rank root, in pieces. */
static Status broadcast(const Ranks *ranks, char *bytes, size_t count, int root, Error *error) {
  Status status = SETOSA_OK;
  for (size_t done = 0; done < count;) {
    size_t now = count - done < ranks->piece_bytes ? count - done : ranks->piece_bytes;
    MPI_Request request;
    TRY_MPI(MPI_Ibcast(bytes + done, (int)now, MPI_BYTE, root, ranks->comm, &request));
    TRY(finish(&request, error));
    done += now;
  }
cleanup:
  return status;
}

Status ranks_broadcast(Ranks *ranks, void *values, size_t bytes, Error *error) {
  if (ranks == NULL) return SETOSA_OK;
  Status status = vote(ranks, NULL, false, NULL, error);
  return status != SETOSA_OK ? status : break_off(ranks, broadcast(ranks, values, bytes, 0, error), error);
}

/* All parts in one call: offsets within `all` are ints. */
static Status gather_at_once(const Ranks *ranks, void *all, const size_t *sizes, Error *error) {
  Status status = SETOSA_OK;
  int *counts = NULL, *offsets = NULL, at = 0;
  MPI_Request request;
  TRY(memory_allocate((void **)&counts, (size_t)ranks->count, 2 * sizeof *counts, "the sizes of parts", error));
  offsets = counts + ranks->count;
  for (int r = 0; r < ranks->count; r++) {
    counts[r] = (int)sizes[r];
    offsets[r] = at;
    at += counts[r];
  }
  TRY_MPI(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts, offsets, MPI_BYTE, ranks->comm, &request));
  TRY(finish(&request, error));
cleanup:
  free(counts);
  return status;
}

static Status gather(const Ranks *ranks, char *all, const size_t *sizes, Error *error) {
  Status status = SETOSA_OK;
  size_t total = 0;
  for (int r = 0; r < ranks->count; r++) {
    if (sizes[r] > SIZE_MAX / 2 - total) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "the parts of the ranks pass the address space"));
    total += sizes[r];
  }
  if (total <= ranks->piece_bytes) return gather_at_once(ranks, all, sizes, error);
  for (int r = 0; r < ranks->count; r++) {
    TRY(broadcast(ranks, all, sizes[r], r, error));
    all += sizes[r];
  }
cleanup:
  return status;
}

Status ranks_allgather(Ranks *ranks, void *all, const size_t *sizes, Error *error) {
  if (ranks == NULL) return SETOSA_OK;
  Status status = vote(ranks, NULL, false, NULL, error);
  return status != SETOSA_OK ? status : break_off(ranks, gather(ranks, all, sizes, error), error);
}

/* One message from every rank to every other, in pieces; the own part is copied. */
static Status exchange(const Ranks *ranks, const char *sent, const size_t *send_sizes, char *received, const size_t *receive_sizes,
                       Error *error) {
  Status status = SETOSA_OK;
  const char *to_own = NULL;
  MPI_Request *requests = NULL;
  size_t count = 0, most = 0;
  for (int r = 0; r < ranks->count; r++) most += send_sizes[r] / ranks->piece_bytes + receive_sizes[r] / ranks->piece_bytes + 2;
  TRY(memory_allocate((void **)&requests, most, sizeof(MPI_Request), "messages", error));
  for (int r = 0; r < ranks->count; r++) {
    for (size_t done = 0; done < send_sizes[r] && r != ranks->own; done += ranks->piece_bytes) {
      size_t now = send_sizes[r] - done < ranks->piece_bytes ? send_sizes[r] - done : ranks->piece_bytes;
      TRY_MPI(MPI_Isend(sent + done, (int)now, MPI_BYTE, r, 0, ranks->comm, &requests[count++]));
    }
    if (r == ranks->own) to_own = sent;
    sent += send_sizes[r];
  }
  for (int r = 0; r < ranks->count; r++) {
    for (size_t done = 0; done < receive_sizes[r] && r != ranks->own; done += ranks->piece_bytes) {
      size_t now = receive_sizes[r] - done < ranks->piece_bytes ? receive_sizes[r] - done : ranks->piece_bytes;
      TRY_MPI(MPI_Irecv(received + done, (int)now, MPI_BYTE, r, 0, ranks->comm, &requests[count++]));
    }
    if (r == ranks->own) memcpy(received, to_own, receive_sizes[r]);
    received += receive_sizes[r];
  }
  for (size_t i = 0; i < count; i++) TRY(finish(&requests[i], error));
cleanup:
  free(requests);
  return status;
}

Status ranks_alltoall(Ranks *ranks, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes, Error *error) {
  if (ranks == NULL) {
    memcpy(received, sent, send_sizes[0]);
    return SETOSA_OK;
  }
  Status status = vote(ranks, NULL, false, NULL, error);
  return status != SETOSA_OK ? status : break_off(ranks, exchange(ranks, sent, send_sizes, received, receive_sizes, error), error);
}

static Status sum(const Ranks *ranks, double *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  size_t piece = ranks->piece_bytes / sizeof(double);
  for (size_t done = 0; done < count;) {
    size_t now = count - done < piece ? count - done : piece;
    MPI_Request request;
    TRY_MPI(MPI_Iallreduce(MPI_IN_PLACE, values + done, (int)now, MPI_DOUBLE, MPI_SUM, ranks->comm, &request));
    TRY(finish(&request, error));
    done += now;
  }
cleanup:
  return status;
}

Status ranks_sum(Ranks *ranks, double *values, size_t count, Error *error) {
  if (ranks == NULL) return SETOSA_OK;
  Status status = vote(ranks, NULL, false, NULL, error);
  return status != SETOSA_OK ? status : break_off(ranks, sum(ranks, values, count, error), error);
}
