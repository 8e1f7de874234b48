/* Running `setosa summary` and looking at its document. */
#ifndef SETOSA_TESTS_CLI_SUMMARY_RUN_H
#define SETOSA_TESTS_CLI_SUMMARY_RUN_H

#include <math.h>

#include "cli/run.h"

static inline void quietly(int code, const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_free(&run);
}
#define DO(...) quietly(0, (const char *const[]){__VA_ARGS__, NULL})

/* The document of a summary. */
static inline json_t *summary_of(const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  run_free(&run);
  return document;
}
#define SUMMARY(...) summary_of((const char *const[]){"summary", __VA_ARGS__, "--json", "-q", NULL})

/* The entry of a class and a term in a list of coefficients or effects. */
static inline const json_t *entry_of(const json_t *document, const char *list, const char *class_name, const char *term) {
  size_t i = 0;
  const json_t *entry = NULL;
  json_array_foreach(json_object_get(document, list), i, entry) {
    if (strcmp(json_string_value(json_object_get(entry, "class")), class_name) == 0 &&
        strcmp(json_string_value(json_object_get(entry, "term")), term) == 0)
      return entry;
  }
  fail_msg("%s has no entry of class %s, term %s", list, class_name, term);
  return NULL;
}

static inline void expect_close(const char *what, double actual, double expected, double tolerance) {
  if (!(fabs(actual - expected) <= tolerance * fabs(expected))) fail_msg("%s: %.17g, not %.17g", what, actual, expected);
}

static inline void expect_message(const char *part, int code, const char *const *arguments) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_expect_text(run.err, part);
  run_free(&run);
}
#define REFUSED(part, code, ...) expect_message(part, code, (const char *const[]){__VA_ARGS__, NULL})

#endif
