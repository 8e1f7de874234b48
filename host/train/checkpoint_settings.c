/* The settings of a training: options, the data's fingerprint, and what the backend is. */
#include "train/checkpoint_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "options/table.h"
#include "ranks/ranks.h"

enum { VALUE_SIZE = 64, FINGERPRINT_BLOCKS = 64 };

/* Is it kept as it was asked for? */
static bool is_kept(const OptionRow *row, const SetosaTrainOptions *options) {
  return option_of_training(row, options) != NULL && row->class <= OPTION_STOPS && !row->resolved;
}

void setosa_checkpoint_options(const SetosaCheckpoint *checkpoint, SetosaTrainOptions *options) {
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  if (checkpoint == NULL || options == NULL) return;
  for (size_t i = 0; i < count; i++) {
    const char *text = is_kept(&rows[i], options) ? texts_find(&checkpoint->settings, rows[i].name) : NULL;
    /* What is none of its values leaves the option as it is. */
    if (text != NULL) option_parse(&rows[i], (void *)(uintptr_t)option_of_training(&rows[i], options), text, NULL);
  }
}

Status settings_of_options(Texts *settings, const SetosaTrainOptions *options, Error *error) {
  Status status = SETOSA_OK;
  char room[OPTION_VALUE];
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++)
    if (is_kept(&rows[i], options))
      TRY(texts_add(settings, rows[i].name, option_print(room, &rows[i], option_of_training(&rows[i], options)), error));
cleanup:
  return status;
}

static Status add_count(Texts *settings, const char *name, size_t count, Error *error) {
  char text[VALUE_SIZE];
  snprintf(text, sizeof text, "%zu", count);
  return texts_add(settings, name, text, error);
}

/* Of the values as they are trained on, scaled and without what is held out, and of the targets: the same for any number of ranks, each of
 * which reads its share of the blocks and hears of the others'. */
static Status add_fingerprint(Texts *settings, const Dataset *dataset, Ranks *ranks, Error *error) {
  Status status = SETOSA_OK;
  Hash *hash = NULL;
  char(*hexes)[HASH_HEX_SIZE] = NULL, hex[HASH_HEX_SIZE]; /* (blocks) */
  size_t *sizes = NULL, count = ranks_size(ranks), own = ranks_rank(ranks), blocks = dataset_fingerprint_blocks(dataset);
  TRY(memory_allocate_zero((void **)&hexes, blocks, sizeof *hexes, "hashes of the data", error));
  TRY(memory_allocate_zero((void **)&sizes, count, sizeof *sizes, "hashes of the data", error));
  for (size_t b = 0; b < blocks; b++) {
    size_t rank = b * count / blocks;
    sizes[rank] += sizeof *hexes;
    if (rank == own) TRY(dataset_fingerprint_block(hexes[b], dataset, b, error));
  }
  TRY(ranks_allgather(ranks, hexes, sizes, error));
  TRY(hash_create(&hash, error));
  hash_add(hash, hexes, blocks * sizeof *hexes);
  hash_hex(hash, hex);
  TRY(texts_add(settings, "fingerprint", hex, error));
cleanup:
  hash_destroy(hash);
  free(sizes);
  free(hexes);
  return status;
}

Status settings_of_training(Texts *settings, const SetosaTrainOptions *options, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  TRY(texts_add(settings, "version", SETOSA_VERSION, error));
  TRY(add_count(settings, "rows", shape.rows, error));
  TRY(add_count(settings, "features", shape.features, error));
  TRY(add_count(settings, "classes", shape.classes, error));
  TRY(settings_of_options(settings, options, error));
  TRY(add_fingerprint(settings, dataset, options->compute.ranks, error));
cleanup:
  return status;
}

/* What became of the choice that a row leaves to the backend; NULL: nothing that is known here. */
static const char *outcome(const OptionRow *row, const BackendFacts *facts) {
  if (strcmp(row->field, "backend") == 0) return facts->name;
  if (strcmp(row->field, "family") == 0) return facts->family != NULL ? facts->family : "";
  if (strcmp(row->field, "storage") == 0) return facts->storage != NULL ? facts->storage : "f32";
  return NULL;
}

Status settings_of_backend(Texts *settings, const Backend *backend, Error *error) {
  Status status = SETOSA_OK;
  BackendFacts facts = {0};
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  backend_facts(backend, &facts);
  for (size_t i = 0; i < count; i++) {
    if (!rows[i].resolved) continue;
    const char *text = outcome(&rows[i], &facts);
    if (text == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "no backend says what became of --%s", option_flag(&rows[i])));
    TRY(texts_add(settings, rows[i].name, text, error));
  }
cleanup:
  return status;
}

/* Is another value of this setting no hindrance? What the backend has made of a choice is. */
static bool may_differ(const char *name, const SetosaTrainOptions *options) {
  const OptionRow *row = option_find(name);
  return strcmp(name, "version") == 0 || (row != NULL && !row->resolved && option_may_differ(row, options));
}

static Status refuse(const TextPair *here, const char *was, const Checkpoint *before, Error *error) {
  static const char *const of_data[] = {"rows", "features", "classes"};
  const char *name = here->name, *path = before->path, *ways_out = before->ways_out;
  Status of_other_data = ways_out != NULL ? SETOSA_ERROR_USAGE : SETOSA_ERROR_DATA;
  for (size_t i = 0; i < sizeof of_data / sizeof *of_data; i++)
    if (strcmp(name, of_data[i]) == 0)
      return error_set(error, of_other_data, "the data differ from those of the checkpoint %s: %s %s here, %s there; %s", path, here->value,
                       name, was, ways_out != NULL ? ways_out : "resume with the same data, read in the same way");
  if (strcmp(name, "fingerprint") == 0)
    return error_set(error, of_other_data,
                     "the data differ from those of the checkpoint %s: as many rows, features and classes, other values, labels or "
                     "weights; %s",
                     path, ways_out != NULL ? ways_out : "resume with the same data, scaled and in the order as before");
  const OptionRow *row = option_find(name);
  char what[VALUE_SIZE];
  if (row != NULL && row->flag != NULL) /* which says the opposite */
    snprintf(what, sizeof what, "the %s (--%s)", name, row->flag);
  else
    snprintf(what, sizeof what, "--%s", name);
  return error_set(error, SETOSA_ERROR_USAGE, "%s: %s here, %s in the checkpoint %s; %s", what,
                   here->value[0] != '\0' ? here->value : "none", was[0] != '\0' ? was : "none", path,
                   ways_out != NULL ? ways_out : "resume with what it was, or train afresh");
}

/* What the checkpoint says of a setting. An option that it does not name came with a later version: there it had its default. */
static const char *setting_before(char room[OPTION_VALUE], const Checkpoint *before, const char *name) {
  const SetosaTrainOptions defaults = setosa_train_options_default();
  const char *was = texts_find(&before->settings, name);
  const OptionRow *row = was == NULL ? option_find(name) : NULL;
  return row != NULL && is_kept(row, &defaults) ? option_print(room, row, option_of_training(row, &defaults)) : was;
}

Status settings_compare(const Texts *here, const Checkpoint *before, const SetosaTrainOptions *options, Error *error) {
  for (size_t i = 0; i < here->count; i++) {
    const TextPair *pair = &here->pairs[i];
    char room[OPTION_VALUE];
    const char *was = setting_before(room, before, pair->name);
    if (was == NULL)
      return error_set(error, SETOSA_ERROR_DATA, "%s: is no checkpoint of a training: it does not say its %s", before->path, pair->name);
    if (strcmp(was, pair->value) != 0 && !may_differ(pair->name, options)) return refuse(pair, was, before, error);
  }
  return SETOSA_OK;
}
