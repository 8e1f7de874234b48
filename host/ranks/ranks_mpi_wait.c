/* Waiting for other ranks, and what becomes of it when one does not come. MPI does not say whom a collective call waits for, so a rank that
 * has waited for some seconds tells the others where it waits: those that tell nothing are the missing ones. Of those on this machine the
 * system knows whether they are stopped or have ended. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "ranks/ranks_mpi.h"

enum { TELLING_TAG = 1, NAMED = 4 };
static const double TELL_SECONDS = 4, /* then a rank tells the others that it waits */
    KNOWN_SECONDS = 6,                /* then they have heard it */
    LOST_WORD_SECONDS = 10,           /* first word about a rank that is stopped or has ended, */
    LONG_WORD_SECONDS = 60,           /* and about one of which nothing is known; then after twice as long, and so on */
    LOST_LIMIT_SECONDS = 60,          /* the job ends for such a rank, */
    ASKED_ENDED_SECONDS = 5,          /* where it was asked to stop and one has ended: the launcher is about to end the rest, */
    ASKED_LIMIT_SECONDS = 60,         /* and where one does not come and nobody knows why */
    SUCCESSOR_SECONDS = 3;            /* the next rank ends it when the one whose turn it is does not */

typedef struct Wait {
  double silent; /* seconds; those in which this process itself was suspended count as one */
  double next_word, lost_at, asked_at;
} Wait;

/* ---- who is here ------------------------------------------------------------------------------------------------ */

static uint64_t process_namespace(void) {
  struct stat info;
  return stat("/proc/self/ns/pid", &info) == 0 ? (uint64_t)info.st_ino : 0;
}

Status mpi_meet_neighbours(MpiRanks *ranks, MPI_Comm machine, Error *error) {
  Status status = SETOSA_OK;
  int count = 0;
  Neighbour own = {ranks->head.own, (int64_t)getpid(), process_namespace()};
  TRY_MPI(MPI_Comm_size(machine, &count));
  TRY(memory_allocate_zero((void **)&ranks->neighbours, (size_t)count, sizeof *ranks->neighbours, "the ranks of this machine", error));
  TRY(memory_allocate_zero((void **)&ranks->heard, (size_t)ranks->head.count, sizeof *ranks->heard, "the ranks", error));
  TRY_MPI(MPI_Allgather(&own, (int)sizeof own, MPI_BYTE, ranks->neighbours, (int)sizeof own, MPI_BYTE, machine));
  ranks->neighbour_count = (size_t)count;
cleanup:
  return status;
}

/* The letter of /proc/PID/stat: T or t for stopped, Z for ended; 0 when there is no such process any more, '?' when that cannot be told. */
static char process_state(int64_t process) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)process);
  FILE *file = fopen(path, "re");
  if (file == NULL) return access("/proc/self/stat", R_OK) == 0 && access(path, F_OK) != 0 ? '\0' : '?';
  bool read = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  const char *end = read ? strrchr(line, ')') : NULL; /* of the program's name */
  return end != NULL && end[1] == ' ' ? end[2] : '?';
}

static const Neighbour *find_neighbour(const MpiRanks *ranks, int rank) {
  const Neighbour *self = NULL, *found = NULL;
  for (size_t i = 0; i < ranks->neighbour_count; i++) {
    const Neighbour *at = &ranks->neighbours[i];
    if (at->rank == ranks->head.own) self = at;
    if (at->rank == rank) found = at;
  }
  return found != NULL && self != NULL && found->namespace == self->namespace ? found : NULL;
}

static const char *const IS_STOPPED = "is stopped", *const HAS_ENDED = "has ended";

/* NULL: at work, or nobody knows. */
static const char *what_ails(const MpiRanks *ranks, int rank) {
  const Neighbour *neighbour = rank != ranks->head.own ? find_neighbour(ranks, rank) : NULL;
  char state = neighbour != NULL ? process_state(neighbour->process) : '?';
  if (state == 'T' || state == 't') return IS_STOPPED;
  return state == 'Z' || state == 'X' || state == '\0' ? HAS_ENDED : NULL;
}

/* ---- who is missing --------------------------------------------------------------------------------------------- */

static Status listen(MpiRanks *ranks, Error *error) {
  Status status = SETOSA_OK;
  for (;;) {
    MPI_Status from;
    int there = 0;
    uint64_t position = 0;
    TRY_MPI(MPI_Iprobe(MPI_ANY_SOURCE, TELLING_TAG, ranks->comm, &there, &from));
    if (!there) break;
    TRY_MPI(MPI_Recv(&position, 1, MPI_UINT64_T, from.MPI_SOURCE, TELLING_TAG, ranks->comm, MPI_STATUS_IGNORE));
    if (position > ranks->heard[from.MPI_SOURCE]) ranks->heard[from.MPI_SOURCE] = position;
  }
cleanup:
  return status;
}

static Status tell(MpiRanks *ranks, Error *error) {
  Status status = SETOSA_OK;
  if (ranks->told == ranks->position) return SETOSA_OK;
  ranks->told = ranks->position;
  for (int r = 0; r < ranks->head.count; r++) {
    MPI_Request request;
    if (r == ranks->head.own) continue;
    TRY_MPI(MPI_Isend(&ranks->told, 1, MPI_UINT64_T, r, TELLING_TAG, ranks->comm, &request));
    TRY_MPI(MPI_Request_free(&request)); /* so small that it leaves at once, whoever takes it or does not */
  }
cleanup:
  return status;
}

/* Where the telling has not come round yet, those are missing of whom this is known. */
static bool is_missing(const MpiRanks *ranks, int rank, const Wait *wait) {
  if (rank == ranks->head.own) return false;
  if (what_ails(ranks, rank) != NULL) return true;
  return wait->silent >= KNOWN_SECONDS && ranks->heard[rank] < ranks->position;
}

/* One of those that wait speaks, and ends the job: the lowest. The next is a place behind. */
static int places_behind(const MpiRanks *ranks, const Wait *wait) {
  enum { FARTHEST = 2 };
  int places = 0;
  for (int r = 0; r < ranks->head.own && places < FARTHEST; r++) places += !is_missing(ranks, r, wait);
  return places;
}

/* "rank 1 of 3 (process 4711) is stopped", or "ranks 1, 2 and 7 others of 16 do not come". */
static Status name_missing(Text *text, const MpiRanks *ranks, const Wait *wait, Error *error) {
  Status status = SETOSA_OK;
  int missing = 0, first = 0, named = 0;
  const char *ails = NULL;
  for (int r = ranks->head.count - 1; r >= 0; r--)
    if (is_missing(ranks, r, wait)) missing++, first = r;
  const Neighbour *neighbour = find_neighbour(ranks, first);
  if (missing == 0) return text_append(text, error, "other ranks of %d do not come", ranks->head.count);
  if (missing == 1) {
    ails = what_ails(ranks, first);
    TRY(text_append(text, error, "rank %d of %d", first, ranks->head.count));
    if (neighbour != NULL) TRY(text_append(text, error, " (process %lld)", (long long)neighbour->process));
    return text_append(text, error, " %s", ails != NULL ? ails : "does not come");
  }
  TRY(text_append(text, error, "ranks "));
  for (int r = 0; r < ranks->head.count && named < NAMED; r++) {
    if (!is_missing(ranks, r, wait)) continue;
    if (what_ails(ranks, r) != NULL) ails = what_ails(ranks, r);
    TRY(text_append(text, error, "%s%d", named == 0 ? "" : named + 1 == missing ? " and " : ", ", r));
    named++;
  }
  if (missing > named) TRY(text_append(text, error, " and %d others", missing - named));
  TRY(text_append(text, error, " of %d do not come%s%s", ranks->head.count, ails != NULL ? "; one of them " : "",
                  ails != NULL ? ails : ""));
cleanup:
  return status;
}

/* ---- what becomes of it ----------------------------------------------------------------------------------------- */

static Status end_job(const MpiRanks *ranks, const Wait *wait, Status why, Error *error) {
  Text who = {0};
  Error said = {0};
  (void)name_missing(&who, ranks, wait, NULL);
  if (why == SETOSA_INTERRUPTED)
    error_set(&said, why, "interrupted while it waited: %s; where there is a checkpoint, --resume goes on from it",
              who.text != NULL ? who.text : "other ranks do not come");
  else
    error_set(&said, why, "waited %.0f s: %s; start the job again, with --resume where there is a checkpoint", wait->silent,
              who.text != NULL ? who.text : "other ranks do not come");
  text_free(&who);
  mpi_abandon(ranks, &said);
  if (error != NULL) *error = said;
  return why;
}

static void say_who(const MpiRanks *ranks, const Wait *wait, double limit) {
  Text line = {0};
  char until[64] = "";
  if (limit > 0) snprintf(until, sizeof until, "the job ends at %.0f s, and ", limit);
  Status status = text_append(&line, NULL, "waiting for %.0f s: ", wait->silent);
  if (status == SETOSA_OK) status = name_missing(&line, ranks, wait, NULL);
  if (status == SETOSA_OK) status = text_append(&line, NULL, "; %sCtrl-C ends it now", until);
  if (status == SETOSA_OK) ranks->head.watch.waiting(line.text, ranks->head.watch.user);
  text_free(&line);
}

/* Now and then while waiting. An error is that of MPI, or the end of the job. */
static Status look_around(MpiRanks *ranks, Wait *wait, Error *error) {
  Status status = SETOSA_OK;
  const RanksWatch *watch = &ranks->head.watch;
  bool stopped = false, ended = false;
  TRY(listen(ranks, error));
  if (wait->silent >= TELL_SECONDS) TRY(tell(ranks, error));
  for (int r = 0; r < ranks->head.count; r++) {
    const char *ails = what_ails(ranks, r);
    stopped = stopped || ails == IS_STOPPED;
    ended = ended || ails == HAS_ENDED;
  }
  bool lost = stopped || ended;
  if (!lost) wait->lost_at = -1;
  if (lost && wait->lost_at < 0) wait->lost_at = wait->silent;
  double turn = SUCCESSOR_SECONDS * places_behind(ranks, wait);
  if (watch->should_stop != NULL && watch->should_stop(watch->user)) {
    if (wait->asked_at < 0) wait->asked_at = wait->silent;
    double patience = stopped ? 0 : ended ? ASKED_ENDED_SECONDS : ASKED_LIMIT_SECONDS;
    if (wait->silent - wait->asked_at >= patience + turn) TRY(end_job(ranks, wait, SETOSA_INTERRUPTED, error));
  }
  double limit = watch->limit_seconds > 0 ? watch->limit_seconds : lost ? wait->lost_at + LOST_LIMIT_SECONDS : 0;
  if (limit > 0 && wait->silent >= limit + turn) TRY(end_job(ranks, wait, SETOSA_ERROR_INTERNAL, error));
  double word = lost && wait->next_word == LONG_WORD_SECONDS ? LOST_WORD_SECONDS : wait->next_word;
  if (wait->silent >= word) {
    wait->next_word = wait->silent < LONG_WORD_SECONDS ? LONG_WORD_SECONDS + 1 : 2 * wait->silent;
    if (turn == 0 && watch->waiting != NULL) say_who(ranks, wait, limit);
  }
cleanup:
  return status;
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

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

Status mpi_wait_for(MPI_Request *request, double seconds, bool *late, Error *error) {
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

Status mpi_finish(MpiRanks *ranks, MPI_Request *request, Error *error) {
  const double look_seconds = 0.5;
  Status status = SETOSA_OK;
  Wait wait = {.next_word = LONG_WORD_SECONDS, .lost_at = -1, .asked_at = -1};
  double last = clock_seconds();
  for (;;) {
    bool late = false;
    TRY(mpi_wait_for(request, look_seconds, &late, error));
    if (!late) break;
    double now = clock_seconds();
    wait.silent += now - last < 1 ? now - last : 1;
    last = now;
    TRY(look_around(ranks, &wait, error));
  }
cleanup:
  return status;
}
