/* A stream, less the mark of byte order that some programs write; what was kept of it before that. */
#include "data/table/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "data/table/kept.h"
#include "data/table/utf16.h"

struct TableBytes {
  char *path;
  Stream *lent;   /* the caller's; NULL: opened here */
  Stream *stream; /* that is read now; NULL: none */
  bool used;      /* stream is not at its beginning */
  Utf16 *utf16;   /* what converts it; NULL: it is UTF-8 */
  KeptText *kept;
  uint64_t kept_at; /* where the next bytes are; its size: they are not kept yet */
  uint64_t size;    /* as stored; 0: unknown */
  FileIdentity identity;
  bool identified;
};

Status table_bytes_create(TableBytes **out, const char *path, Stream *stream, Error *error) {
  Status status = SETOSA_OK;
  TableBytes *bytes = NULL;
  struct stat info;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&bytes, 1, sizeof *bytes, "a file of the table", error));
  TRY(memory_copy_text(&bytes->path, path, error));
  bytes->lent = bytes->stream = stream;
  if (stream != NULL)
    bytes->size = stream_bytes_total(stream);
  else if (stat(path, &info) == 0 && S_ISREG(info.st_mode))
    bytes->size = (uint64_t)info.st_size;
  *out = bytes;
  bytes = NULL;
cleanup:
  table_bytes_destroy(bytes);
  return status;
}

void table_bytes_destroy(TableBytes *bytes) {
  if (bytes == NULL) return;
  utf16_destroy(bytes->utf16);
  kept_text_destroy(bytes->kept);
  if (bytes->stream != bytes->lent) stream_close(bytes->stream);
  free(bytes->path);
  free(bytes);
}

void table_bytes_end(TableBytes *bytes) {
  if (bytes->stream == bytes->lent || !stream_is_regular(bytes->stream)) return;
  stream_close(bytes->stream);
  bytes->stream = NULL;
}

/* Two passes over two texts would make rows of neither. */
static Status check_unchanged(TableBytes *bytes, Error *error) {
  FileIdentity now = {0};
  bool known = stream_identify(bytes->stream, &now), before = bytes->identified;
  FileIdentity then = bytes->identity;
  bytes->identity = now;
  bytes->identified = known;
  if (!before || (known && now.bytes == then.bytes && now.inode == then.inode && now.modified_ns == then.modified_ns)) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s: was changed while it was read; leave it alone until the work is done, or read a copy of it", bytes->path);
}

Status table_bytes_begin(TableBytes *bytes, Error *error) {
  Status status = SETOSA_OK;
  const unsigned char *first = NULL;
  char mark[3];
  size_t got = 0;
  bool big_end = false;
  if (bytes->kept != NULL) {
    bytes->kept_at = 0;
    return SETOSA_OK;
  }
  if (bytes->stream == NULL)
    TRY(stream_open(&bytes->stream, bytes->path, error));
  else if (bytes->used)
    TRY(stream_rewind(bytes->stream, error));
  bytes->used = true;
  TRY(check_unchanged(bytes, error));
  utf16_destroy(bytes->utf16);
  bytes->utf16 = NULL;
  if (stream_peek(bytes->stream, &first) >= 3 && memcmp(first, "\xEF\xBB\xBF", 3) == 0) {
    TRY(stream_read(bytes->stream, mark, 3, &got, error));
  } else if (utf16_begins(bytes->stream, &big_end)) {
    TRY(stream_read(bytes->stream, mark, 2, &got, error));
    TRY(utf16_create(&bytes->utf16, bytes->stream, big_end, error));
  }
cleanup:
  return status;
}

Status table_bytes_read(TableBytes *bytes, char *to, size_t length, size_t *got, Error *error) {
  Status status = SETOSA_OK;
  size_t kept = 0, new = 0;
  *got = 0;
  if (bytes->kept != NULL && bytes->kept_at < kept_text_size(bytes->kept)) {
    uint64_t left = kept_text_size(bytes->kept) - bytes->kept_at;
    kept = left < length ? (size_t)left : length;
    TRY(kept_text_read(bytes->kept, bytes->kept_at, to, kept, error));
    bytes->kept_at += kept;
  }
  if (kept < length)
    TRY(bytes->utf16 != NULL ? utf16_read(bytes->utf16, to + kept, length - kept, &new, error)
                             : stream_read(bytes->stream, to + kept, length - kept, &new, error));
  if (bytes->kept != NULL && new > 0) {
    TRY(kept_text_append(bytes->kept, to + kept, new, error));
    bytes->kept_at += new;
  }
  *got = kept + new;
cleanup:
  return status;
}

bool table_bytes_come_once(const TableBytes *bytes) { return bytes->kept == NULL && !stream_is_regular(bytes->stream); }

Status table_bytes_keep(TableBytes *bytes, const char *so_far, size_t length, Error *error) {
  Status status = kept_text_create(&bytes->kept, bytes->path, error);
  if (status == SETOSA_OK) status = kept_text_append(bytes->kept, so_far, length, error);
  bytes->kept_at = length;
  return status;
}

const char *table_bytes_path(const TableBytes *bytes) { return bytes->path; }

void table_bytes_progress(const TableBytes *bytes, uint64_t *done, uint64_t *total) {
  bool again = bytes->kept != NULL && bytes->kept_at < kept_text_size(bytes->kept);
  *done = again ? bytes->kept_at : bytes->stream != NULL ? stream_bytes_done(bytes->stream) : 0;
  *total = again ? kept_text_size(bytes->kept) : bytes->size;
}
