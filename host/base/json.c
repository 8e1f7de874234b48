/* What jansson (2.14) does not tell. Its reader calls a failed allocation an invalid token, or drops the character that it had no room for
 * and goes on: only malloc's own word is left of it. Its writer goes on when a key could not be written, so what it writes to is ours, and
 * keeps the failure. */
#include "base/json.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"

enum { LEXER_BYTES = 1 << 16, RESERVE_BYTES = 1 << 18 };

static Status out_of_memory(Error *error) { return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document"); }

/* Where malloc has nothing left jansson gets this, so that its reader comes as far as its next byte without writing past what it could not
 * enlarge; errno stays ENOMEM. It is empty again once all of it was given back. */
static struct {
  pthread_mutex_t mutex;
  size_t used, held; /* bytes; blocks */
  _Alignas(16) unsigned char bytes[RESERVE_BYTES];
} reserve = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *allocate(size_t bytes) {
  void *block = malloc(bytes);
  if (block != NULL || bytes > RESERVE_BYTES) return block;
  pthread_mutex_lock(&reserve.mutex);
  size_t taken = (bytes + 15) / 16 * 16;
  if (taken <= RESERVE_BYTES - reserve.used) {
    block = reserve.bytes + reserve.used;
    reserve.used += taken;
    reserve.held++;
  }
  pthread_mutex_unlock(&reserve.mutex);
  errno = ENOMEM;
  return block;
}

static void release(void *block) {
  uintptr_t at = (uintptr_t)block, first = (uintptr_t)reserve.bytes;
  if (at < first || at >= first + RESERVE_BYTES) {
    free(block);
    return;
  }
  pthread_mutex_lock(&reserve.mutex);
  if (--reserve.held == 0) reserve.used = 0;
  pthread_mutex_unlock(&reserve.mutex);
}

/* Blocks that malloc gave before are free's, as before. Functions that the application has set remain. */
static void use_reserve(void) {
  json_malloc_t make = NULL;
  json_free_t drop = NULL;
  json_get_alloc_funcs(&make, &drop);
  if (make == malloc && drop == free) json_set_alloc_funcs(allocate, release);
}

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
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  Source source = {.next = text, .end = text + length};
  pthread_once(&once, use_reserve);
  /* Its loss of a closing quotation mark cannot be seen in time, so it begins only where there is room for its longest word; for short ones
   * there is the reserve. */
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
