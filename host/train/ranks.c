/* The public faces of ranks. */
#include "ranks/ranks.h"
#include "base/arguments.h"

SetosaStatus setosa_ranks_open(SetosaRanks **ranks, void (*abandoned)(const SetosaError *error, void *user), void *user,
                               SetosaError *error) {
  Status status = arguments_check(error, GIVEN(ranks));
  if (status == SETOSA_OK) status = ranks_open(ranks, error);
  if (status == SETOSA_OK) ranks_on_abandon(*ranks, abandoned, user);
  return status;
}

void setosa_ranks_close(SetosaRanks *ranks) { ranks_close(ranks); }

void setosa_ranks_watch(SetosaRanks *ranks, const SetosaRanksWatch *watch) { ranks_watch(ranks, watch); }

size_t setosa_ranks_size(const SetosaRanks *ranks) { return ranks_size(ranks); }

size_t setosa_ranks_rank(const SetosaRanks *ranks) { return ranks_rank(ranks); }

size_t setosa_ranks_local(const SetosaRanks *ranks) { return ranks_local(ranks); }

static bool is_status(SetosaStatus status) {
  return ((int)status >= SETOSA_OK && (int)status <= SETOSA_ERROR_WRITE) || status == SETOSA_INTERRUPTED;
}

/* What is no status must be agreed on, too: the other ranks wait. */
SetosaStatus setosa_ranks_agree(SetosaRanks *ranks, SetosaStatus own, SetosaError *error) {
  if (is_status(own)) return ranks_agree(ranks, own, error);
  error_clear(error);
  return ranks_agree(ranks, error_set(error, SETOSA_ERROR_USAGE, "setosa_ranks_agree: `own` is %d, which is no status", (int)own), error);
}
