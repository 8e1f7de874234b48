/* One table of the options that define a training: written, compared and restored from the same rows. */
#include "train/checkpoint_settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "ranks/ranks.h"
#include "train/train_options.h"

typedef enum FieldKind { FIELD_SOLVER, FIELD_SCHEDULE, FIELD_REAL, FIELD_COUNT, FIELD_SIZE, FIELD_BOOL } FieldKind;

enum {
  LBFGS = 1 << SETOSA_SOLVER_LBFGS,
  GD = 1 << SETOSA_SOLVER_GD,
  SGD = 1 << SETOSA_SOLVER_SGD,
  ADAM = 1 << SETOSA_SOLVER_ADAM,
  EVERY = LBFGS | GD | SGD | ADAM,
  BATCHES = SGD | ADAM,
  STOPS_ONLY = 1 << 16 /* says when to end, not which way: may be another when the training goes on */
};

typedef struct Field {
  const char *name;
  const char *flag; /* as the user knows it */
  FieldKind kind;
  size_t offset;
  int use; /* solvers for which it matters */
} Field;

#define AT(field) offsetof(SetosaTrainOptions, field)
static const Field fields[] = {
    {"solver", "--solver", FIELD_SOLVER, AT(solver), EVERY},
    {"l2", "--l2", FIELD_REAL, AT(l2), EVERY},
    {"intercept", "the intercept (--no-intercept)", FIELD_BOOL, AT(intercept), EVERY},
    {"max-iterations", "--max-iterations", FIELD_COUNT, AT(max_iterations), STOPS_ONLY},
    {"tolerance", "--tolerance", FIELD_REAL, AT(tolerance), STOPS_ONLY},
    {"history", "--history", FIELD_SIZE, AT(history), LBFGS},
    {"learning-rate", "--learning-rate", FIELD_REAL, AT(learning_rate), GD | BATCHES},
    {"momentum", "--momentum", FIELD_REAL, AT(momentum), SGD},
    {"nesterov", "--nesterov", FIELD_BOOL, AT(nesterov), SGD},
    {"batch-size", "--batch-size", FIELD_SIZE, AT(batch_size), BATCHES},
    {"schedule", "--schedule", FIELD_SCHEDULE, AT(schedule), BATCHES},
    {"epochs", "--epochs", FIELD_COUNT, AT(epochs), BATCHES},
    {"seed", "--seed", FIELD_COUNT, AT(seed), BATCHES},
    {"reproducible", "--reproducible", FIELD_BOOL, AT(compute.reproducible), EVERY},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char *const schedules[] = {"constant", "inverse", "cosine", "step"}; /* as SetosaSchedule */
enum { SOLVERS = 4, SCHEDULES = 4, VALUE_SIZE = 64 };

static const Field *find_field(const char *name) {
  for (size_t i = 0; i < FIELDS; i++)
    if (strcmp(fields[i].name, name) == 0) return &fields[i];
  return NULL;
}

/* A text that is the same for the same value, and only then. */
static void print_field(char text[VALUE_SIZE], const Field *field, const SetosaTrainOptions *options) {
  const void *at = (const char *)options + field->offset;
  switch (field->kind) {
    case FIELD_SOLVER:
      snprintf(text, VALUE_SIZE, "%s", train_solver_name(*(const SetosaSolver *)at));
      break;
    case FIELD_SCHEDULE:
      snprintf(text, VALUE_SIZE, "%s", schedules[*(const SetosaSchedule *)at]);
      break;
    case FIELD_REAL: {
      double value = *(const double *)at;
      if (value != value)
        snprintf(text, VALUE_SIZE, "the default");
      else if (snprintf(text, VALUE_SIZE, "%.15g", value), strtod(text, NULL) != value)
        snprintf(text, VALUE_SIZE, "%.17g", value);
      break;
    }
    case FIELD_COUNT:
      snprintf(text, VALUE_SIZE, "%llu", (unsigned long long)*(const uint64_t *)at);
      break;
    case FIELD_SIZE:
      snprintf(text, VALUE_SIZE, "%zu", *(const size_t *)at);
      break;
    case FIELD_BOOL:
      snprintf(text, VALUE_SIZE, "%s", *(const bool *)at ? "on" : "off");
      break;
  }
}

/* Leaves the option as it is where the text is none of its values. */
static void scan_field(SetosaTrainOptions *options, const Field *field, const char *text) {
  void *at = (char *)options + field->offset;
  double real = 0.0;
  switch (field->kind) {
    case FIELD_SOLVER:
      for (int i = 0; i < SOLVERS; i++)
        if (strcmp(text, train_solver_name((SetosaSolver)i)) == 0) *(SetosaSolver *)at = (SetosaSolver)i;
      break;
    case FIELD_SCHEDULE:
      for (int i = 0; i < SCHEDULES; i++)
        if (strcmp(text, schedules[i]) == 0) *(SetosaSchedule *)at = (SetosaSchedule)i;
      break;
    case FIELD_REAL:
      if (text_parse_double(text, strlen(text), &real)) *(double *)at = real; /* "the default" is what a fresh option is */
      break;
    case FIELD_COUNT:
      *(uint64_t *)at = strtoull(text, NULL, 10);
      break;
    case FIELD_SIZE:
      *(size_t *)at = (size_t)strtoull(text, NULL, 10);
      break;
    case FIELD_BOOL:
      *(bool *)at = strcmp(text, "on") == 0;
      break;
  }
}

void setosa_checkpoint_options(const SetosaCheckpoint *checkpoint, SetosaTrainOptions *options) {
  for (size_t i = 0; i < FIELDS; i++) {
    const char *text = texts_find(&checkpoint->settings, fields[i].name);
    if (text != NULL) scan_field(options, &fields[i], text);
  }
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
  size_t *sizes = NULL, count = ranks_count(ranks), own = ranks_own(ranks), blocks = dataset_fingerprint_blocks(dataset);
  TRY(memory_allocate_zero((void **)&hexes, blocks, sizeof *hexes, "hashes of the data", error));
  TRY(memory_allocate_zero((void **)&sizes, count, sizeof *sizes, "hashes of the data", error));
  for (size_t b = 0; b < blocks; b++) {
    size_t rank = b * count / blocks;
    sizes[rank] += sizeof *hexes;
    if (rank == own) TRY(dataset_fingerprint_block(hexes[b], dataset, b, error));
  }
  TRY(ranks_gather(ranks, hexes, sizes, error));
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
  char text[VALUE_SIZE];
  DataShape shape = dataset_shape(dataset);
  TRY(texts_add(settings, "version", SETOSA_VERSION, error));
  TRY(add_count(settings, "rows", shape.rows, error));
  TRY(add_count(settings, "features", shape.features, error));
  TRY(add_count(settings, "classes", shape.classes, error));
  for (size_t i = 0; i < FIELDS; i++) {
    print_field(text, &fields[i], options);
    TRY(texts_add(settings, fields[i].name, text, error));
  }
  TRY(add_fingerprint(settings, dataset, options->compute.ranks, error));
cleanup:
  return status;
}

Status settings_of_backend(Texts *settings, const Backend *backend, Error *error) {
  Status status = SETOSA_OK;
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  TRY(texts_add(settings, "backend", facts.name, error));
  TRY(texts_add(settings, "family", facts.family != NULL ? facts.family : "", error));
  TRY(texts_add(settings, "storage", facts.storage != NULL ? facts.storage : "f32", error));
cleanup:
  return status;
}

/* Is another value of this setting no hindrance? */
static bool may_differ(const char *name, const SetosaTrainOptions *options) {
  const Field *field = find_field(name);
  if (strcmp(name, "version") == 0) return true;
  if (field == NULL) return false;
  /* How long a schedule is bends the rate from the first update on; a constant rate has no length. */
  if (strcmp(name, "epochs") == 0 && options->schedule == SETOSA_SCHEDULE_CONSTANT) return true;
  return (field->use & (1 << options->solver)) == 0;
}

static Status refuse(const TextPair *here, const char *before, const char *path, Error *error) {
  static const char *const of_data[] = {"rows", "features", "classes"};
  const char *name = here->name;
  for (size_t i = 0; i < sizeof of_data / sizeof *of_data; i++)
    if (strcmp(name, of_data[i]) == 0)
      return error_set(
          error, SETOSA_ERROR_DATA,
          "the data differ from those of the checkpoint %s: %s %s here, %s there; resume with the same data, read in the same way", path,
          here->value, name, before);
  if (strcmp(name, "fingerprint") == 0)
    return error_set(
        error, SETOSA_ERROR_DATA,
        "the data differ from those of the checkpoint %s: as many rows, features and classes, other values; resume with the same "
        "data, scaled and in the order as before",
        path);
  const Field *field = find_field(name);
  char flag[VALUE_SIZE];
  snprintf(flag, sizeof flag, "--%s", name);
  return error_set(error, SETOSA_ERROR_USAGE, "%s: %s here, %s in the checkpoint %s; resume with what it was, or train afresh",
                   field != NULL ? field->flag : flag, here->value[0] != '\0' ? here->value : "none", before[0] != '\0' ? before : "none",
                   path);
}

Status settings_compare(const Texts *here, const Checkpoint *before, const SetosaTrainOptions *options, Error *error) {
  for (size_t i = 0; i < here->count; i++) {
    const TextPair *pair = &here->pairs[i];
    const char *was = texts_find(&before->settings, pair->name);
    if (was == NULL)
      return error_set(error, SETOSA_ERROR_DATA, "%s: is no checkpoint of a training: it does not say its %s", before->path, pair->name);
    if (strcmp(was, pair->value) != 0 && !may_differ(pair->name, options)) return refuse(pair, was, before->path, error);
  }
  return SETOSA_OK;
}
