/* Ranks in a build without MPI: every process is alone. */
#include <string.h>

#include "ranks/internal.h"

Status ranks_open(Ranks **ranks, Error *error) {
  *ranks = NULL;
  if (!ranks_launched()) return SETOSA_OK;
  return error_set(
      error, SETOSA_ERROR_USAGE,
      "started as one of several processes, but this build has no MPI; install libopenmpi-dev and build Setosa again, or start "
      "it without mpirun");
}

void ranks_close(Ranks *ranks) { (void)ranks; }

size_t ranks_size(const Ranks *ranks) {
  (void)ranks;
  return 1;
}

size_t ranks_rank(const Ranks *ranks) {
  (void)ranks;
  return 0;
}

size_t ranks_local(const Ranks *ranks) {
  (void)ranks;
  return 0;
}

void ranks_on_abandon(Ranks *ranks, void (*abandoned)(const Error *error, void *user), void *user) {
  (void)ranks;
  (void)abandoned;
  (void)user;
}

Status ranks_agree(Ranks *ranks, Status own, Error *error) {
  (void)ranks;
  (void)error;
  return own;
}

Status ranks_broadcast(Ranks *ranks, void *values, size_t bytes, Error *error) {
  (void)ranks;
  (void)values;
  (void)bytes;
  (void)error;
  return SETOSA_OK;
}

Status ranks_allgather(Ranks *ranks, void *all, const size_t *sizes, Error *error) {
  (void)ranks;
  (void)all;
  (void)sizes;
  (void)error;
  return SETOSA_OK;
}

Status ranks_alltoall(Ranks *ranks, const void *sent, const size_t *send_sizes, void *received, const size_t *receive_sizes, Error *error) {
  (void)ranks;
  (void)receive_sizes;
  (void)error;
  memcpy(received, sent, send_sizes[0]);
  return SETOSA_OK;
}

Status ranks_sum(Ranks *ranks, double *values, size_t count, Error *error) {
  (void)ranks;
  (void)values;
  (void)count;
  (void)error;
  return SETOSA_OK;
}

Status ranks_any(Ranks *ranks, bool own, bool *any, Error *error) {
  (void)ranks;
  (void)error;
  *any = own;
  return SETOSA_OK;
}

void ranks_set_piece(Ranks *ranks, size_t bytes) {
  (void)ranks;
  (void)bytes;
}
