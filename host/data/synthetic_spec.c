/* synthetic:key=value,... */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/synthetic.h"

static const char *const KEYS[] = {"rows", "features", "classes", "seed", "noise", "separation", "sparsity", "fields"};
enum { CLASSES_OF_FEW_ROWS = 1000000 }; /* more than this must occur in rows: names and weights of so many take memory */
enum { KEY_ROWS, KEY_FEATURES, KEY_CLASSES, KEY_SEED, KEY_NOISE, KEY_SEPARATION, KEY_SPARSITY, KEY_FIELDS, KEY_COUNT };
enum { MOST_FIELDS = 1 << 16, MOST_SPARSE_FEATURES = 1 << 26 };

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
    case KEY_SPARSITY:
      return set_number(&spec->sparsity, part, text, 1, true, "a probability from 0, below 1", error);
    default:
      return set_count(&spec->fields, part, text, 1, MOST_FIELDS, "a whole number from 1 to 65536", error);
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
    return error_set(
        error, SETOSA_ERROR_USAGE,
        "synthetic: there is no key %.*s%s%s%s the keys are rows, features, classes, seed, noise, separation, sparsity, fields",
        (int)(length < 60 ? length : 60), part, nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
        nearest != NULL ? "?" : ";");
  }
  if (equals == NULL) return bad_value(error, part, "KEY=VALUE, rows=1e6 say");
  if (seen[key]) return error_set(error, SETOSA_ERROR_USAGE, "synthetic: %s is given twice; give it once", KEYS[key]);
  seen[key] = true;
  return set_key(spec, key, part, equals + 1, error);
}

/* Sparse rows have their own bounds. */
static Status check_sparse(SyntheticSpec *spec, bool sparsity_given, Error *error) {
  unsigned long long features = (unsigned long long)spec->features, fields = (unsigned long long)spec->fields;
  if (fields > 0 && sparsity_given && spec->sparsity < 0.95)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "synthetic: fields=%llu makes sparse rows of %llu entries, whatever the sparsity; leave sparsity out", fields, fields);
  if (fields > 0 && features < 2 * fields)
    return error_set(error, SETOSA_ERROR_USAGE, "synthetic: %llu features are less than two for each of %llu fields; give more features",
                     features, fields);
  if (fields > 0) spec->sparsity = 1 - (double)fields / (double)features;
  if (synthetic_spec_is_sparse(spec) && features > MOST_SPARSE_FEATURES)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "synthetic: %llu features of sparse rows are too many; give at most %d (2^26), or a sparsity below 0.95", features,
                     MOST_SPARSE_FEATURES);
  return SETOSA_OK;
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
  TRY(check_sparse(spec, seen[KEY_SPARSITY], error));
  if (spec->classes > CLASSES_OF_FEW_ROWS && spec->classes > spec->rows)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "synthetic: %llu classes are more than its %llu rows; give fewer classes, or more rows",
                  (unsigned long long)spec->classes, (unsigned long long)spec->rows));
cleanup:
  free(parts);
  return status;
}
