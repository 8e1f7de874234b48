/* A document is read whole or not at all, whichever allocation fails; and what is no JSON is told from memory that is short. */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static long allocations, failing; /* the number of the one that fails; 0: none */

static void *allocate(size_t bytes) {
  if (++allocations != failing) return malloc(bytes);
  errno = ENOMEM;
  return NULL;
}

static int count_allocations(void **state) {
  (void)state;
  json_set_alloc_funcs(allocate, free);
  return 0;
}

/* Words longer than what the reader begins with, one of them at the very length at which it needs more; numbers, which make errno anew. */
static const char text[] =
    "{\"a name of a good length that needs room\":[1,2.5,-3e7,\"x\"],"
    "\"fifteen letters\":\"a \\\"quoted\\\" word, and a new\\nline beyond 32 and 64 letters to grow the buffer "
    "again\",\"n\":null,\"t\":true,"
    "\"o\":{\"p\":[{\"q\":\"\\u00fc\"},[],{}]}}";

static void reading_is_whole(void **state) {
  (void)state;
  json_t *expected = NULL, *found = NULL;
  json_error_t problem;
  Error error = {0};
  failing = 0;
  support_ok(json_parse(&expected, text, strlen(text), JSON_REJECT_DUPLICATES, &problem, &error), &error);
  assert_non_null(expected);
  for (failing = 1; failing < 1000; failing++) {
    error = (Error){0};
    allocations = 0;
    Status status = json_parse(&found, text, strlen(text), JSON_REJECT_DUPLICATES, &problem, &error);
    if (allocations < failing) break;
    support_fails(status, &error, SETOSA_ERROR_INTERNAL, "out of memory");
    assert_null(found);
  }
  assert_in_range(failing, 20, 999);
  failing = 0;
  assert_int_equal(json_equal(found, expected), 1);
  json_decref(found);
  json_decref(expected);
}

static void writing_is_whole(void **state) {
  (void)state;
  json_t *document = NULL;
  char *written = NULL;
  Error error = {0};
  failing = 0;
  support_ok(json_parse(&document, text, strlen(text), 0, NULL, &error), &error);
  support_ok(json_write(&written, document, JSON_COMPACT, &error), &error);
  assert_non_null(strstr(written, "\"o\":{\"p\":[{\"q\":"));
  free(written);
  for (failing = 1; failing < 100; failing++) {
    error = (Error){0};
    allocations = 0;
    Status status = json_write(&written, document, JSON_COMPACT, &error);
    if (allocations < failing) break;
    support_fails(status, &error, SETOSA_ERROR_INTERNAL, "out of memory");
    assert_null(written);
  }
  failing = 0;
  free(written);
  json_decref(document);
  error = (Error){0};
  support_fails(json_write(&written, NULL, 0, &error), &error, SETOSA_ERROR_INTERNAL, "out of memory");
}

static void what_is_no_json_is_no_failure(void **state) {
  (void)state;
  static const char *const texts[] = {"", "{", "{\"a\":}", "[1,]", "{\"a\":1,\"a\":2}", "{} x"};
  failing = 0;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    json_t *document = NULL;
    json_error_t problem;
    Error error = {0};
    support_ok(json_parse(&document, texts[i], strlen(texts[i]), JSON_REJECT_DUPLICATES, &problem, &error), &error);
    assert_null(document);
    assert_int_not_equal(problem.text[0], '\0');
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reading_is_whole),
      cmocka_unit_test(writing_is_whole),
      cmocka_unit_test(what_is_no_json_is_no_failure),
  };
  return support_run("base_json", tests, count_allocations, NULL);
}
