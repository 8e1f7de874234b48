/* Ranks over MPI: the module that is loaded in a job of several processes. Every wait is a loop of MPI_Test that sleeps
 * (ranks_mpi_wait.c): a blocking MPI call would burn a core that PoCL's threads need, and a rank that failed could not leave it. */
#include "ranks/ranks_mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* How long a rank that failed waits for the others. Of several the lowest ends the job alone: the next one waits longer by what MPI_Abort
 * needs to reach a process that does not die of SIGTERM. */
static const double RANKS_GRACE_SECONDS = 2.0, GRACE_STAGGER_SECONDS = 1.3;
enum { GRACE_STAGGERED = 2 };

Status mpi_failed(int code, Error *error) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) snprintf(text, sizeof text, "error %d", code);
  return error_set(error, SETOSA_ERROR_INTERNAL, "MPI: %s; check the network between the machines, then start the job again", text);
}

void mpi_abandon(const MpiRanks *ranks, const Error *error) {
  if (ranks->head.abandoned != NULL) ranks->head.abandoned(error, ranks->head.abandoned_user);
  MPI_Abort(ranks->comm, (int)error->status);
}

/* MPI itself failed: nobody can be told, and whatever this rank would wait for next would never come. */
static Status break_off(MpiRanks *ranks, Status status, Error *error) {
  if (status == SETOSA_OK) return status;
  ranks->broken = true;
  ranks->error = (Error){.status = status};
  if (error != NULL) ranks->error = *error;
  mpi_abandon(ranks, &ranks->error);
  return status;
}

/* What every rank returns once one has failed. A caller that knows of it already keeps its words, to which it may have added. */
static Status tell_again(const MpiRanks *ranks, Error *error) {
  if (error != NULL && error->status == SETOSA_OK) *error = ranks->error;
  return ranks->error.status;
}

void mpi_name_rank(Error *error, int rank, int count) {
  size_t used = strlen(error->message);
  if (used > 0) snprintf(error->message + used, sizeof error->message - used, " (rank %d of %d)", rank, count);
}

/* The beginning of every call: who has failed? votes[0] is the lowest rank that did (count: none), votes[1] is 1 when all did, votes[2]
 * is 0 when somebody wants what ranks_any asks. */
static Status vote(MpiRanks *ranks, const Error *own, bool wish, bool *any, Error *error) {
  Status status = SETOSA_OK;
  bool failed = own != NULL, late = false;
  int mine[3] = {failed ? ranks->head.own : ranks->head.count, failed, !wish}, votes[3] = {0};
  Error said = {0};
  MPI_Request request;
  if (ranks->broken) return tell_again(ranks, error);
  ranks->position += 2; /* the odd ones are those of the data that follow a vote */
  TRY_MPI(MPI_Iallreduce(mine, votes, 3, MPI_INT, MPI_MIN, ranks->comm, &request));
  double patience = RANKS_GRACE_SECONDS + GRACE_STAGGER_SECONDS * (ranks->head.own < GRACE_STAGGERED ? ranks->head.own : GRACE_STAGGERED);
  TRY(failed ? mpi_wait_for(&request, patience, &late, error) : mpi_finish(ranks, &request, error));
  if (late) {
    Error last = *own;
    mpi_name_rank(&last, ranks->head.own, ranks->head.count);
    mpi_abandon(ranks, &last);
    return own->status;
  }
  if (any != NULL) *any = votes[2] == 0;
  if (votes[0] == ranks->head.count) goto cleanup;
  if (failed) said = *own;
  TRY_MPI(MPI_Ibcast(&said, (int)sizeof said, MPI_BYTE, votes[0], ranks->comm, &request));
  TRY(mpi_finish(ranks, &request, error));
  if (votes[1] != 1) mpi_name_rank(&said, votes[0], ranks->head.count);
  ranks->broken = true;
  ranks->error = said;
  if (error != NULL) *error = said;
  return said.status;
cleanup:
  return break_off(ranks, status, error);
}

/* ---- the operations --------------------------------------------------------------------------------------------- */

static void close_mpi(Ranks *head) {
  MpiRanks *ranks = (MpiRanks *)head;
  if (ranks->comm != MPI_COMM_NULL) MPI_Comm_free(&ranks->comm);
  if (ranks->initialised_here) MPI_Finalize();
  free(ranks->neighbours);
  free(ranks->heard);
  free(ranks);
}

static Status vote_operation(Ranks *ranks, const Error *own, bool wish, bool *any, Error *error) {
  return vote((MpiRanks *)ranks, own, wish, any, error);
}

/* What follows a vote: data. */
static Status begin_data(MpiRanks *ranks, Error *error) {
  Status status = vote(ranks, NULL, false, NULL, error);
  ranks->position |= 1;
  return status;
}

/* bytes of rank root, in pieces. */
static Status broadcast(MpiRanks *ranks, char *bytes, size_t count, int root, Error *error) {
  Status status = SETOSA_OK;
  for (size_t done = 0; done < count;) {
    size_t now = count - done < ranks->head.piece_bytes ? count - done : ranks->head.piece_bytes;
    MPI_Request request;
    TRY_MPI(MPI_Ibcast(bytes + done, (int)now, MPI_BYTE, root, ranks->comm, &request));
    TRY(mpi_finish(ranks, &request, error));
    done += now;
  }
cleanup:
  return status;
}

static Status broadcast_operation(Ranks *head, void *values, size_t bytes, Error *error) {
  MpiRanks *ranks = (MpiRanks *)head;
  Status status = begin_data(ranks, error);
  return status != SETOSA_OK ? status : break_off(ranks, broadcast(ranks, values, bytes, 0, error), error);
}

/* All parts in one call: offsets within `all` are ints. */
static Status gather_at_once(MpiRanks *ranks, void *all, const size_t *sizes, Error *error) {
  Status status = SETOSA_OK;
  int *counts = NULL, *offsets = NULL, at = 0;
  MPI_Request request;
  TRY(memory_allocate((void **)&counts, (size_t)ranks->head.count, 2 * sizeof *counts, "the sizes of parts", error));
  offsets = counts + ranks->head.count;
  for (int r = 0; r < ranks->head.count; r++) {
    counts[r] = (int)sizes[r];
    offsets[r] = at;
    at += counts[r];
  }
  TRY_MPI(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, counts, offsets, MPI_BYTE, ranks->comm, &request));
  TRY(mpi_finish(ranks, &request, error));
cleanup:
  free(counts);
  return status;
}

static Status gather(MpiRanks *ranks, char *all, const size_t *sizes, Error *error) {
  Status status = SETOSA_OK;
  size_t total = 0;
  for (int r = 0; r < ranks->head.count; r++) {
    if (sizes[r] > SIZE_MAX / 2 - total) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "the parts of the ranks pass the address space"));
    total += sizes[r];
  }
  if (total <= ranks->head.piece_bytes) return gather_at_once(ranks, all, sizes, error);
  for (int r = 0; r < ranks->head.count; r++) {
    TRY(broadcast(ranks, all, sizes[r], r, error));
    all += sizes[r];
  }
cleanup:
  return status;
}

static Status allgather_operation(Ranks *head, void *all, const size_t *sizes, Error *error) {
  MpiRanks *ranks = (MpiRanks *)head;
  Status status = begin_data(ranks, error);
  return status != SETOSA_OK ? status : break_off(ranks, gather(ranks, all, sizes, error), error);
}

/* One message from every rank to every other, in pieces; the own part is copied. */
static Status exchange(MpiRanks *ranks, const char *sent, const size_t *send_sizes, char *received, const size_t *receive_sizes,
                       Error *error) {
  Status status = SETOSA_OK;
  const char *to_own = NULL;
  MPI_Request *requests = NULL;
  size_t count = 0, most = 0;
  for (int r = 0; r < ranks->head.count; r++)
    most += send_sizes[r] / ranks->head.piece_bytes + receive_sizes[r] / ranks->head.piece_bytes + 2;
  TRY(memory_allocate((void **)&requests, most, sizeof(MPI_Request), "messages", error));
  for (int r = 0; r < ranks->head.count; r++) {
    for (size_t done = 0; done < send_sizes[r] && r != ranks->head.own; done += ranks->head.piece_bytes) {
      size_t now = send_sizes[r] - done < ranks->head.piece_bytes ? send_sizes[r] - done : ranks->head.piece_bytes;
      TRY_MPI(MPI_Isend(sent + done, (int)now, MPI_BYTE, r, 0, ranks->comm, &requests[count++]));
    }
    if (r == ranks->head.own) to_own = sent;
    sent += send_sizes[r];
  }
  for (int r = 0; r < ranks->head.count; r++) {
    for (size_t done = 0; done < receive_sizes[r] && r != ranks->head.own; done += ranks->head.piece_bytes) {
      size_t now = receive_sizes[r] - done < ranks->head.piece_bytes ? receive_sizes[r] - done : ranks->head.piece_bytes;
      TRY_MPI(MPI_Irecv(received + done, (int)now, MPI_BYTE, r, 0, ranks->comm, &requests[count++]));
    }
    if (r == ranks->head.own) memcpy(received, to_own, receive_sizes[r]);
    received += receive_sizes[r];
  }
  for (size_t i = 0; i < count; i++) TRY(mpi_finish(ranks, &requests[i], error));
cleanup:
  free(requests);
  return status;
}

static Status alltoall_operation(Ranks *head, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes,
                                 Error *error) {
  MpiRanks *ranks = (MpiRanks *)head;
  Status status = begin_data(ranks, error);
  return status != SETOSA_OK ? status : break_off(ranks, exchange(ranks, sent, send_sizes, received, receive_sizes, error), error);
}

static Status sum(MpiRanks *ranks, double *values, size_t count, Error *error) {
  Status status = SETOSA_OK;
  size_t piece = ranks->head.piece_bytes / sizeof(double);
  for (size_t done = 0; done < count;) {
    size_t now = count - done < piece ? count - done : piece;
    MPI_Request request;
    TRY_MPI(MPI_Iallreduce(MPI_IN_PLACE, values + done, (int)now, MPI_DOUBLE, MPI_SUM, ranks->comm, &request));
    TRY(mpi_finish(ranks, &request, error));
    done += now;
  }
cleanup:
  return status;
}

static Status sum_operation(Ranks *head, double *values, size_t count, Error *error) {
  MpiRanks *ranks = (MpiRanks *)head;
  Status status = begin_data(ranks, error);
  return status != SETOSA_OK ? status : break_off(ranks, sum(ranks, values, count, error), error);
}

/* ---- joining ---------------------------------------------------------------------------------------------------- */

Status setosa_mpi_open(Ranks **out, Error *error) {
  static const RanksOperations operations = {close_mpi,           vote_operation,     broadcast_operation,
                                             allgather_operation, alltoall_operation, sum_operation};
  Status status = SETOSA_OK;
  int initialised = 0, finalised = 0, level = 0;
  MpiRanks *ranks = NULL;
  MPI_Comm machine = MPI_COMM_NULL;
  *out = NULL;
  TRY_MPI(MPI_Initialized(&initialised));
  TRY_MPI(MPI_Finalized(&finalised));
  if (finalised)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "MPI has ended in this process and cannot begin again; open the ranks once, before its end"));
  if (!initialised && !ranks_launched()) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&ranks, 1, sizeof *ranks, "the ranks", error));
  ranks->head.operations = &operations;
  ranks->comm = MPI_COMM_NULL;
  ranks->head.piece_bytes = (size_t)1 << 30;
  if (!initialised) TRY_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level));
  ranks->initialised_here = !initialised;
  if (ranks->initialised_here) TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)); /* what MPI_Test finds comes there */
  TRY_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &ranks->comm));
  TRY_MPI(MPI_Comm_set_errhandler(ranks->comm, MPI_ERRORS_RETURN));
  TRY_MPI(MPI_Comm_size(ranks->comm, &ranks->head.count));
  TRY_MPI(MPI_Comm_rank(ranks->comm, &ranks->head.own));
  TRY_MPI(MPI_Comm_split_type(ranks->comm, MPI_COMM_TYPE_SHARED, ranks->head.own, MPI_INFO_NULL, &machine));
  TRY_MPI(MPI_Comm_rank(machine, &ranks->head.local));
  if (ranks->head.count == 1) goto cleanup; /* the launcher said otherwise; alone all the same */
  TRY(mpi_meet_neighbours(ranks, machine, error));
  *out = &ranks->head;
  ranks = NULL;
cleanup:
  if (machine != MPI_COMM_NULL) MPI_Comm_free(&machine);
  if (ranks != NULL) close_mpi(&ranks->head);
  return status;
}
