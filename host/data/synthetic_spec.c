/* synthetic:key=value,... */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/labels.h"
#include "data/synthetic.h"

static const char *const KEYS[] = {"rows", "features", "classes", "seed", "noise", "separation", "sparsity"};
enum { CLASSES_OF_FEW_ROWS = 1000000 }; /* more than this must occur in rows: names and weights of so many take memory */
enum { KEY_ROWS, KEY_FEATURES, KEY_CLASSES, KEY_SEED, KEY_NOISE, KEY_SEPARATION, KEY_SPARSITY, KEY_COUNT };

static Status bad_value(Error *error, const char *part, const char *wanted) {
  return error_set(error, SETOSA_ERROR_USAGE, "synthetic: %s makes no sense; give %s", part, wanted);
}

static Status set_count(uint64_t *out, const char *part, const char *text, uint64_t least, uint64_t most, const char *wanted,
                        Error *error) {
  uint64_t value = 0;
  if (!text_parse_count(text, &value) || value < least || value > most) return bad_value(error, part, wanted);
  *out = value;
  return SETOSA_OK;
}

static Status set_number(double *out, const char *part, const char *text, double most, bool below, const char *wanted, Error *error) {
  double value = 0;
  if (!text_parse_double(text, strlen(text), &value) || !(value >= 0) || value > most || (below && value == most))
    return bad_value(error, part, wanted);
  *out = value;
  return SETOSA_OK;
}

static Status set_key(SyntheticSpec *spec, size_t key, const char *part, const char *text, Error *error) {
  switch (key) {
    case KEY_ROWS:
      return set_count(&spec->rows, part, text, 1, (uint64_t)1 << 48, "a whole number from 1, 1e6 say", error);
    case KEY_FEATURES:
      return set_count(&spec->features, part, text, 1, (uint64_t)1 << 31, "a whole number from 1 to 2^31", error);
    case KEY_CLASSES:
      return set_count(&spec->classes, part, text, 2, INT32_MAX, "a whole number from 2 to 2^31-1", error);
    case KEY_SEED:
      return set_count(&spec->seed, part, text, 0, UINT64_MAX, "a whole number from 0", error);
    case KEY_NOISE:
      return set_number(&spec->noise, part, text, 1, false, "a probability from 0 to 1", error);
    case KEY_SEPARATION:
      return set_number(&spec->separation, part, text, 1e6, false, "a number from 0 to 1e6", error);
    default:
      return set_number(&spec->sparsity, part, text, 1, true, "a probability from 0, below 1", error);
  }
}

static Status set_part(SyntheticSpec *spec, const char *part, bool seen[KEY_COUNT], Error *error) {
  const char *equals = strchr(part, '=');
  size_t length = equals != NULL ? (size_t)(equals - part) : strlen(part), key = 0;
  while (key < KEY_COUNT && (strlen(KEYS[key]) != length || strncmp(KEYS[key], part, length) != 0)) key++;
  if (key == KEY_COUNT) {
    char *word = strndup(part, length);
    const char *nearest = word != NULL ? text_nearest(word, KEYS, KEY_COUNT) : NULL;
    free(word);
    return error_set(error, SETOSA_ERROR_USAGE,
                     "synthetic: there is no key %.*s%s%s%s the keys are rows, features, classes, seed, noise, separation, sparsity",
                     (int)(length < 60 ? length : 60), part, nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "?" : ";");
  }
  if (equals == NULL) return bad_value(error, part, "KEY=VALUE, rows=1e6 say");
  if (seen[key]) return error_set(error, SETOSA_ERROR_USAGE, "synthetic: %s is given twice; give it once", KEYS[key]);
  seen[key] = true;
  return set_key(spec, key, part, equals + 1, error);
}

Status synthetic_parse(SyntheticSpec *spec, const char *source, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  size_t count = 0;
  bool seen[KEY_COUNT] = {false};
  *spec = (SyntheticSpec){.rows = 1000, .features = 20, .classes = 3, .seed = 0, .noise = 0, .separation = 4, .sparsity = 0};
  const char *colon = strchr(source, ':'), *list = colon != NULL ? colon + 1 : "";
  if (*list == '\0') return SETOSA_OK;
  TRY(text_split(&parts, &count, list, ',', error));
  for (size_t i = 0; i < count; i++) TRY(set_part(spec, parts[i], seen, error));
  if (spec->classes > CLASSES_OF_FEW_ROWS && spec->classes > spec->rows)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "synthetic: %llu classes are more than its %llu rows; give fewer classes, or more rows",
                  (unsigned long long)spec->classes, (unsigned long long)spec->rows));
cleanup:
  free(parts);
  return status;
}

/* With a model or --positive the labels go through the same door as those of files. */
static Status take_labels(Dataset *dataset, const SyntheticSpec *spec, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  if (options->expect_classes == 0 && options->positive == NULL) return dataset_name_classes_by_index(dataset, spec->classes, error);
  TRY(labels_create(&labels, options, error));
  for (size_t i = 0; i < dataset->rows; i++) {
    status = labels_add_integer(labels, dataset->held->labels[i], error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", dataset->source, i + 1);
    TRY(status);
  }
  free(dataset->held->labels);
  dataset->held->labels = NULL;
  TRY(labels_finish(labels, dataset, NULL, error));
cleanup:
  labels_destroy(labels);
  return status;
}

/* Whether the labels need no translation: without --positive, and with the classes that a model of such data has, or none expected. */
static bool names_are_numbers(const SyntheticSpec *spec, const DataOptions *options) {
  if (options->positive != NULL || (options->expect_classes != 0 && options->expect_classes != spec->classes)) return false;
  for (size_t k = 0; k < options->expect_classes; k++) {
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", k);
    if (strcmp(options->expect_class_names[k], digits) != 0) return false;
  }
  return true;
}

/* More bytes of rows than this are not held, but made again for every pass. */
static const uint64_t GENERATE_ABOVE_BYTES = (uint64_t)1 << 30;

Status synthetic_read(Dataset *dataset, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  SyntheticSpec spec;
  Synthetic *synthetic = NULL;
  float *room = NULL;
  size_t count = 0, bytes = 0, room_rows = 0;
  TRY(synthetic_parse(&spec, reader->source, error));
  TRY(memory_multiply(&count, (size_t)spec.rows, (size_t)spec.features, "synthetic", error));
  TRY(memory_multiply(&bytes, count, sizeof(float), "synthetic", error));
  TRY(synthetic_create(&synthetic, &spec, error));
  dataset->exchangeable = true;
  uint64_t held = reader->options->generate_above_bytes > 0 ? reader->options->generate_above_bytes
                  : reader->options->parts > 1              ? 0 /* a process makes its own rows, and holds no others */
                                                            : GENERATE_ABOVE_BYTES;
  if (bytes > held && names_are_numbers(&spec, reader->options)) {
    dataset->rows = (size_t)spec.rows;
    dataset->features = (size_t)spec.features;
    TRY(dataset_name_classes_by_index(dataset, spec.classes, error));
    dataset->held->generator = synthetic;
    synthetic = NULL;
    goto cleanup;
  }
  TRY(memory_allocate((void **)&dataset->held->labels, (size_t)spec.rows, sizeof(int32_t), "labels", error));
  dataset->rows = (size_t)spec.rows;
  dataset->features = (size_t)spec.features;
  reader->rows_total = spec.rows;
  TRY(reader->sink->begin(reader->sink, &(RowsAhead){.features = dataset->features, .rows = dataset->rows, .compact = true}, error));
  size_t chunk = ((size_t)1 << 18) / dataset->features / 16 * 16 + 16; /* about a megabyte between reports, whole blocks of 16 rows */
  for (size_t row = 0; row < dataset->rows;) {
    TRY(reader->sink->room(reader->sink, &room, &room_rows, error));
    size_t rows = range_next(row, dataset->rows, chunk < room_rows ? chunk : room_rows).count;
    synthetic_fill(synthetic, row, rows, room, dataset->held->labels + row);
    TRY(reader->sink->take(reader->sink, rows, error));
    row += rows;
    TRY(reader_report(reader, row, false, error));
  }
  TRY(take_labels(dataset, &spec, reader->options, error));
cleanup:
  synthetic_destroy(synthetic);
  return status;
}
