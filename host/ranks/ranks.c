/* The calls of ranks.h: a job of one is answered here, one of several by the module that knows MPI. */
#include <dlfcn.h>
#include <string.h>

#include "base/library.h"
#include "ranks/internal.h"

/* A caller may have initialised MPI under a launcher that ranks_launched does not know. */
static bool caller_has_mpi(void) { return dlsym(RTLD_DEFAULT, "MPI_Initialized") != NULL; }

Status ranks_open(Ranks **ranks, Error *error) {
  *ranks = NULL;
  if (!ranks_launched() && !caller_has_mpi()) return SETOSA_OK;
#ifdef SETOSA_HAVE_MPI
  static const char *const names[] = {"setosa_mpi.so", NULL}; /* found by the RUNPATH of program or library */
  Status status = SETOSA_OK;
  void *library = NULL;
  RanksOpenFunction *open_module = NULL;
  TRY(library_load(&library, names, "install Open MPI (libopenmpi3), or start it without mpirun", error));
  TRY(library_function(library, &open_module, RANKS_OPEN_NAME, error));
  TRY(open_module(ranks, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "started as one of several processes");
  return status;
#else
  if (!ranks_launched()) return SETOSA_OK;
  return error_set(
      error, SETOSA_ERROR_USAGE,
      "started as one of several processes, but this build has no MPI; install libopenmpi-dev and build Setosa again, or start "
      "it without mpirun");
#endif
}

void ranks_close(Ranks *ranks) {
  if (ranks != NULL) ranks->operations->close(ranks);
}

size_t ranks_size(const Ranks *ranks) { return ranks == NULL ? 1 : (size_t)ranks->count; }

size_t ranks_rank(const Ranks *ranks) { return ranks == NULL ? 0 : (size_t)ranks->own; }

size_t ranks_local(const Ranks *ranks) { return ranks == NULL ? 0 : (size_t)ranks->local; }

void ranks_on_abandon(Ranks *ranks, void (*abandoned)(const Error *error, void *user), void *user) {
  if (ranks == NULL) return;
  ranks->abandoned = abandoned;
  ranks->abandoned_user = user;
}

void ranks_watch(Ranks *ranks, const RanksWatch *watch) {
  if (ranks != NULL) ranks->watch = watch != NULL ? *watch : (RanksWatch){0};
}

void ranks_set_piece(Ranks *ranks, size_t bytes) { ranks->piece_bytes = bytes; }

Status ranks_agree(Ranks *ranks, Status own, Error *error) {
  if (ranks == NULL) return own;
  Error mine = {.status = own};
  if (own != SETOSA_OK && error != NULL) {
    mine = *error;
    mine.status = own;
  }
  return ranks->operations->vote(ranks, own != SETOSA_OK ? &mine : NULL, false, NULL, error);
}

Status ranks_any(Ranks *ranks, bool own, bool *any, Error *error) {
  *any = own;
  return ranks == NULL ? SETOSA_OK : ranks->operations->vote(ranks, NULL, own, any, error);
}

Status ranks_broadcast(Ranks *ranks, void *values, size_t bytes, Error *error) {
  return ranks == NULL ? SETOSA_OK : ranks->operations->broadcast(ranks, values, bytes, error);
}

Status ranks_allgather(Ranks *ranks, void *all, const size_t *sizes, Error *error) {
  return ranks == NULL ? SETOSA_OK : ranks->operations->allgather(ranks, all, sizes, error);
}

Status ranks_alltoall(Ranks *ranks, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes, Error *error) {
  if (ranks != NULL) return ranks->operations->alltoall(ranks, sent, send_sizes, received, receive_sizes, error);
  memcpy(received, sent, send_sizes[0]);
  return SETOSA_OK;
}

Status ranks_sum(Ranks *ranks, double *values, size_t count, Error *error) {
  return ranks == NULL ? SETOSA_OK : ranks->operations->sum(ranks, values, count, error);
}
