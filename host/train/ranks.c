/* The public faces of ranks. */
#include "ranks/ranks.h"

SetosaStatus setosa_ranks_open(SetosaRanks **ranks, void (*abandoned)(const SetosaError *error, void *user), void *user,
                               SetosaError *error) {
  error_clear(error);
  Status status = ranks_open(ranks, error);
  if (status == SETOSA_OK) ranks_on_abandon(*ranks, abandoned, user);
  return status;
}

void setosa_ranks_close(SetosaRanks *ranks) { ranks_close(ranks); }

void setosa_ranks_watch(SetosaRanks *ranks, const SetosaRanksWatch *watch) { ranks_watch(ranks, watch); }

size_t setosa_ranks_size(const SetosaRanks *ranks) { return ranks_size(ranks); }

size_t setosa_ranks_rank(const SetosaRanks *ranks) { return ranks_rank(ranks); }

size_t setosa_ranks_local(const SetosaRanks *ranks) { return ranks_local(ranks); }

SetosaStatus setosa_ranks_agree(SetosaRanks *ranks, SetosaStatus own, SetosaError *error) { return ranks_agree(ranks, own, error); }
