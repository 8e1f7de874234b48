/* What jansson (2.14) does not tell. Its reader calls a failed allocation an invalid token, or drops the character that it had no room for
 * and goes on: only malloc's own word is left of it. Its writer goes on when a key could not be written, so what it writes to is ours, and
 * keeps the failure. */
#include "base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/text.h"

enum { LEXER_BYTES = 1 << 16 };

static Status out_of_memory(Error *error) { return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document"); }

typedef struct Source {
  const char *next, *end;
  bool failed; /* an allocation, since it began */
} Source;

/* One byte at a time: before jansson asks for the next one, a failure to keep the last is seen, and nothing is made of what is left. */
static size_t give_byte(void *buffer, size_t room, void *user) {
  Source *source = user;
  source->failed = source->failed || errno == ENOMEM;
  if (source->failed || source->next == source->end || room == 0) return source->failed ? (size_t)-1 : 0;
  *(char *)buffer = *source->next++;
  return 1;
}

Status json_parse(json_t **document, const char *text, size_t length, size_t flags, json_error_t *problem, Error *error) {
  Source source = {.next = text, .end = text + length};
  /* Its loss of a closing quotation mark cannot be seen in time, so it begins only where there is room for its longest word. */
  void *probe = malloc(2 * length + LEXER_BYTES);
  free(probe);
  *document = NULL;
  if (probe == NULL) return out_of_memory(error);
  errno = 0;
  *document = json_load_callback(give_byte, &source, flags, problem);
  if (!source.failed && errno != ENOMEM) return SETOSA_OK;
  json_decref(*document);
  *document = NULL;
  return out_of_memory(error);
}

typedef struct Written {
  Text text;
  Status status;
} Written;

static int take_bytes(const char *bytes, size_t length, void *user) {
  Written *written = user;
  if (written->status == SETOSA_OK) written->status = text_append_bytes(&written->text, bytes, length, NULL);
  return written->status == SETOSA_OK ? 0 : -1;
}

Status json_write(char **text, const json_t *document, size_t flags, Error *error) {
  Written written = {.status = SETOSA_OK};
  *text = NULL;
  if (document == NULL || json_dump_callback(document, take_bytes, &written, flags) != 0 || written.status != SETOSA_OK) {
    text_free(&written.text);
    return out_of_memory(error);
  }
  *text = written.text.text;
  return SETOSA_OK;
}
