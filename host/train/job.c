/* What the ranks of one training tell each other beside the objective. */
#include "train/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "options/table.h"
#include "train/checkpoint_file.h"

/* Gathers `size` bytes of every rank: *all (count of ranks, size), to be freed; this rank's own are copied from `own`. */
static Status gather_alike(Ranks *ranks, void **all, const void *own, size_t size, Error *error) {
  Status status = SETOSA_OK;
  size_t count = ranks_size(ranks), *sizes = NULL;
  *all = NULL;
  TRY(memory_allocate_zero(all, count, size, "what the ranks say", error));
  TRY(memory_allocate((void **)&sizes, count, sizeof *sizes, "what the ranks say", error));
  for (size_t r = 0; r < count; r++) sizes[r] = size;
  memcpy((char *)*all + ranks_rank(ranks) * size, own, size);
  TRY(ranks_allgather(ranks, *all, sizes, error));
cleanup:
  free(sizes);
  return status;
}

/* ---- the same thing --------------------------------------------------------------------------------------------- */

/* Of equal size on all ranks and without padding, so that its bytes can be compared. */
typedef struct Sameness {
  uint64_t rows, features, classes, data, options, resumed, state;
} Sameness;

Status job_hash_options(uint64_t *hash, const SetosaTrainOptions *options, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  char room[OPTION_VALUE];
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const void *home = option_of_training(&rows[i], options);
    if (home != NULL && (rows[i].class <= OPTION_STOPS || rows[i].alike))
      TRY(text_append(&text, error, "%s=%s\n", rows[i].name, option_print(room, &rows[i], home)));
  }
  TRY(text_append(&text, error, "%d %llu %d %d", options->checkpoint != NULL, (unsigned long long)options->checkpoint_iterations,
                  options->validation != NULL, options->initial != NULL));
  *hash = hash_bytes(text.text, text.length);
cleanup:
  text_free(&text);
  return status;
}

static uint64_t hash_state(const OptimizerState *state) {
  uint64_t hash = 0;
  for (size_t i = 0; i < state->count; i++) {
    uint64_t both[2] = {hash, hash_bytes(state->entries[i].values, state->entries[i].count * sizeof(double))};
    hash = hash_bytes(both, sizeof both);
  }
  return hash;
}

static Status refuse(size_t rank, const Sameness *its, const Sameness *first, Error *error) {
  if (its->rows != first->rows || its->features != first->features || its->classes != first->classes || its->data != first->data)
    return error_set(
        error, SETOSA_ERROR_DATA,
        "rank %zu has other data than rank 0 (%llu rows, %llu features, %llu classes; rank 0: %llu, %llu, %llu): all must read "
        "the same file, in a folder that their machines share",
        rank, (unsigned long long)its->rows, (unsigned long long)its->features, (unsigned long long)its->classes,
        (unsigned long long)first->rows, (unsigned long long)first->features, (unsigned long long)first->classes);
  if (its->options != first->options)
    return error_set(error, SETOSA_ERROR_USAGE, "rank %zu has other options than rank 0; start all with the same command line", rank);
  return error_set(
      error, SETOSA_ERROR_DATA,
      "rank %zu goes on from another checkpoint than rank 0 (%llu iterations; rank 0: %llu): all must read the same file, in a "
      "folder that their machines share",
      rank, (unsigned long long)its->resumed, (unsigned long long)first->resumed);
}

Status job_check_alike(Ranks *ranks, const Dataset *dataset, const SetosaTrainOptions *options, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  Sameness *all = NULL, own = {.rows = shape.rows, .features = shape.features, .classes = shape.classes};
  if (ranks == NULL) return SETOSA_OK;
  own.data = dataset_glance(dataset);
  TRY(job_hash_options(&own.options, options, error));
  if (options->resume != NULL) {
    own.resumed = setosa_checkpoint_iterations(options->resume);
    own.state = hash_state(&options->resume->state);
  }
  TRY(gather_alike(ranks, (void **)&all, &own, sizeof own, error));
  for (size_t r = 1; r < ranks_size(ranks); r++)
    if (memcmp(&all[r], &all[0], sizeof own) != 0) TRY(refuse(r, &all[r], &all[0], error));
cleanup:
  free(all);
  return status;
}

/* ---- to stop, and to keep --------------------------------------------------------------------------------------- */

static const double SECONDS_BETWEEN_TALKS = 0.02;

typedef struct Wish {
  uint64_t stop, due, cuts; /* cuts until the next talk, as rank 0 has it */
} Wish;

/* So many cuts as pass in the time between talks; doubled at most, since the first ones build kernels. */
static uint64_t cuts_until_next(const JobWishes *wishes) {
  double took = clock_seconds() - wishes->last_asked, done = (double)(wishes->cut - wishes->last_cut);
  return took > 0.0 ? (uint64_t)fmax(1.0, fmin(done * SECONDS_BETWEEN_TALKS / took, 2.0 * done)) : 1;
}

Status job_ask(JobWishes *wishes, bool *stop, bool due, Error *error) {
  Status status = SETOSA_OK;
  Wish *all = NULL;
  wishes->stop = wishes->stop || *stop; /* at a cut without a talk it waits for the next */
  wishes->due = false;
  *stop = false;
  if (++wishes->cut < wishes->ask && !wishes->must_ask) return SETOSA_OK;
  Wish own = {wishes->stop, due, cuts_until_next(wishes)};
  TRY(gather_alike(wishes->ranks, (void **)&all, &own, sizeof own, error));
  for (size_t r = 0; r < ranks_size(wishes->ranks); r++) *stop = *stop || all[r].stop != 0;
  wishes->due = all[0].due != 0;
  wishes->ask = wishes->cut + all[0].cuts;
  wishes->last_cut = wishes->cut;
  wishes->last_asked = clock_seconds();
  wishes->must_ask = false;
cleanup:
  free(all);
  return status;
}

/* ---- scores ----------------------------------------------------------------------------------------------------- */

Status job_add_scores(Ranks *ranks, MetricsTotals *totals, Error *error) {
  Status status = SETOSA_OK;
  MetricsTotals *all = NULL, sum = {0};
  if (ranks == NULL) return SETOSA_OK;
  TRY(gather_alike(ranks, (void **)&all, totals, sizeof *totals, error));
  for (size_t r = 0; r < ranks_size(ranks); r++) metrics_totals_add(&sum, &all[r]);
  *totals = sum;
cleanup:
  free(all);
  return status;
}
