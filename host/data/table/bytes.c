/* A stream, less the mark of byte order that some programs write. */
#include "data/table/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct TableBytes {
  char *path;
  Stream *lent;   /* the caller's; NULL: opened here */
  Stream *stream; /* that is read now; NULL: none */
  bool used;      /* stream is not at its beginning */
};

Status table_bytes_create(TableBytes **out, const char *path, Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  TableBytes *bytes = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&bytes, 1, sizeof *bytes, "a file of the table", error));
  TRY(memory_copy_text(&bytes->path, path, error));
  bytes->lent = bytes->stream = stream;
  *out = bytes;
  bytes = NULL;
cleanup:
  table_bytes_destroy(bytes);
  return status;
}

void table_bytes_destroy(TableBytes *bytes) {
  if (bytes == NULL) return;
  table_bytes_end(bytes);
  free(bytes->path);
  free(bytes);
}

void table_bytes_end(TableBytes *bytes) {
  if (bytes->stream == bytes->lent) return;
  stream_close(bytes->stream);
  bytes->stream = NULL;
}

Status table_bytes_begin(TableBytes *bytes, Error *error) {
  Status status = SETOSA_OK;
  if (bytes->stream == NULL)
    TRY(stream_open(&bytes->stream, bytes->path, error));
  else if (bytes->used)
    TRY(stream_rewind(bytes->stream, error));
  bytes->used = true;
  const unsigned char *first = NULL;
  char mark[3];
  size_t got = 0;
  if (stream_peek(bytes->stream, &first) >= sizeof mark && memcmp(first, "\xEF\xBB\xBF", sizeof mark) == 0)
    TRY(stream_read(bytes->stream, mark, sizeof mark, &got, error));
cleanup:
  return status;
}

Status table_bytes_read(TableBytes *bytes, char *to, size_t length, size_t *got, Error *error) {
  return stream_read(bytes->stream, to, length, got, error);
}

const char *table_bytes_path(const TableBytes *bytes) { return bytes->path; }
