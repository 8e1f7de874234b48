/* Whether a run in which a call failed ended as it is promised. */
#include "faults/verdict.h"

#include <jansson.h>
#include <string.h>

const char *const verdict_names[VERDICTS] = {"not run", "as before", "told",      "other result", "other code", "words",
                                             "output",  "temporary", "sanitizer", "crash",        "hang"};

enum { CODE_MEMORY = 1, CODE_DEVICE = 4 };

/* Fields that measure, or say how much was held: they differ from run to run, or when something was copied that is read in place otherwise.
 */
static bool is_measured(const char *key) {
  static const char *const keys[] = {"device",     "device_bytes", "rows_per_second", "resident",
                                     "chunk_rows", "tuning",       "storage_error",   "cached"};
  if (strncmp(key, "seconds", 7) == 0) return true;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (strcmp(key, keys[i]) == 0) return true;
  return false;
}

static void drop_measured(json_t *value) {
  const char *key = NULL;
  void *next = NULL;
  json_t *member = NULL;
  size_t index = 0;
  json_object_foreach_safe(value, next, key, member) {
    if (is_measured(key))
      json_object_del(value, key);
    else
      drop_measured(member);
  }
  json_array_foreach(value, index, member) drop_measured(member);
}

static json_t *parse(const char *text) {
  json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  drop_measured(document);
  return document;
}

/* The fields of the document itself; what lies in arrays may be of another number (devices). */
static bool same_fields(const json_t *a, const json_t *b) {
  const char *key = NULL;
  json_t *member = NULL;
  bool same = a != NULL && b != NULL && json_object_size(a) == json_object_size(b);
  json_object_foreach((json_t *)(uintptr_t)a, key, member) same = same && json_object_get(b, key) != NULL;
  return same;
}

static bool same_text(const char *a, const char *b, CaseOutput how) {
  if (how == OUTPUT_BYTES) return strcmp(a, b) == 0;
  if (how == OUTPUT_SHAPE && b[0] != '{') return a[0] != '\0';
  json_t *one = parse(a), *other = parse(b);
  bool same = how == OUTPUT_JSON ? one != NULL && json_equal(one, other) == 1 : same_fields(one, other);
  json_decref(one);
  json_decref(other);
  return same;
}

static bool is_begun(const char *name) { return strstr(name, ".checkpoint") != NULL || strstr(name, ".jsonl") != NULL; }

/* Those that are there are whole; all: every one is there. */
static bool outputs_are_whole(const Outcome *outcome, const Outcome *base, const Case *what, bool all) {
  int found = 0;
  for (int i = 0; i < outcome->file_count; i++) {
    const OutputFile *file = &outcome->files[i];
    bool known = false;
    for (int k = 0; k < base->file_count; k++) {
      if (strcmp(base->files[k].name, file->name) != 0) continue;
      known = file->whole && (is_begun(file->name) || (what->flags & (CASE_SAMPLED | CASE_ROUNDED)) || file->hash == base->files[k].hash);
      found++;
    }
    if (!known && !(is_begun(file->name) && file->whole)) return false;
  }
  return !all || found == base->file_count;
}

/* Whether a line is neither a warning nor a hint, nor what CLBlast says on its own. */
static bool is_message(const char *line, size_t length) {
  static const char *const others[] = {"warning: ", "hint: ", "CLBlast: "};
  bool is = length > 0;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) is = is && strncmp(line, others[i], strlen(others[i])) != 0;
  return is;
}

static int count_messages(const char *text, bool *names_memory) {
  int count = 0;
  for (const char *line = text; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    if (is_message(line, length)) {
      count++;
      *names_memory = memmem(line, length, "memory", 6) != NULL || memmem(line, length, "ulimit", 6) != NULL;
    }
    line += length + (line[length] == '\n');
  }
  return count;
}

static bool is_sanitizer(const char *text) { return strstr(text, "Sanitizer") != NULL || strstr(text, "runtime error:") != NULL; }

Verdict verdict_of(const Outcome *outcome, const Outcome *base, const Case *what, bool memory) {
  bool names_memory = false;
  if (outcome->code == WORK_HUNG) return VERDICT_HANG;
  if (is_sanitizer(outcome->err)) return VERDICT_SANITIZER;
  if (outcome->code >= 128 || outcome->code == 127) return VERDICT_CRASH;
  if (outcome->temporary_left) return VERDICT_TEMPORARY;
  int messages = count_messages(outcome->err, &names_memory);
  if (outcome->code == 0) {
    if (!same_text(outcome->out, base->out, what->output)) return VERDICT_OTHER;
    if (!outputs_are_whole(outcome, base, what, true)) return VERDICT_OTHER;
    return messages == 0 ? VERDICT_SAME : VERDICT_WORDS;
  }
  if (outcome->code != (memory ? CODE_MEMORY : CODE_DEVICE)) return VERDICT_CODE;
  if (!outputs_are_whole(outcome, base, what, false)) return VERDICT_OUTPUT;
  return messages == 1 && (names_memory || !memory) ? VERDICT_TOLD : VERDICT_WORDS;
}

const char *verdict_of_base(const Outcome *base) {
  bool ignored = false;
  if (base->code != 0) return "its exit code is not 0";
  if (base->temporary_left) return "it leaves a temporary file";
  if (count_messages(base->err, &ignored) > 0) return "it has something to say";
  return NULL;
}
