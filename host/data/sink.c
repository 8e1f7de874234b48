/* Plain or compressed (zlib) bytes on their way into an AtomicFile. */
#include "data/sink.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"

enum { SINK_BLOCK = 1 << 16, GZIP_WINDOW = 15 + 16 };

struct Sink {
  AtomicFile file;
  char *path;
  bool compressed, deflating;
  z_stream stream;
  unsigned char *block; /* (SINK_BLOCK) of compressed bytes */
  uint64_t bytes;
};

static Status out_of_room(const Sink *sink, int code, Error *error) {
  const char *remedy = code == ENOSPC || code == EDQUOT ? "free some space, choose another folder, or ask for fewer rows"
                       : code == EFBIG                  ? "raise the limit on file sizes (ulimit -f), or ask for fewer rows"
                                                        : "check the disk, or choose another folder";
  return error_set(error, SETOSA_ERROR_WRITE, "%s: cannot write: %s; %s", sink->path, strerror(code), remedy);
}

Status sink_open(Sink **out, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Sink *sink = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&sink, 1, sizeof *sink, "a file", error));
  TRY(memory_copy_text(&sink->path, path, error));
  TRY(memory_allocate((void **)&sink->block, SINK_BLOCK, 1, "a block of a file", error));
  sink->compressed = strlen(path) > 3 && strcasecmp(path + strlen(path) - 3, ".gz") == 0;
  if (sink->compressed) {
    /* Random digits hardly compress better with more effort. No time of day in the header: the same call writes the same file. */
    if (deflateInit2(&sink->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
      TRY(error_set(error, SETOSA_ERROR_INTERNAL, "%s: out of memory for compressing it", path));
    sink->deflating = true;
  }
  TRY(atomic_file_open(&sink->file, path, error));
  *out = sink;
  sink = NULL;
cleanup:
  sink_close(sink);
  return status;
}

Status sink_check_room(const Sink *sink, uint64_t bytes, Error *error) {
  struct statvfs disk;
  if (sink->compressed || sink->file.temporary_path == NULL || fstatvfs(fileno(sink->file.stream), &disk) != 0 || disk.f_blocks == 0)
    return SETOSA_OK;
  double room = (double)disk.f_bavail * (double)disk.f_frsize;
  if ((double)bytes <= room) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_WRITE,
                   "%s: cannot write: it needs %.3g GB and the disk has %.3g GB free; free some space, choose another folder, or ask for "
                   "fewer rows",
                   sink->path, (double)bytes * 1e-9, room * 1e-9);
}

static Status store(Sink *sink, const void *bytes, size_t length, Error *error) {
  errno = 0;
  if (length > 0 && fwrite(bytes, 1, length, sink->file.stream) != length) return out_of_room(sink, errno != 0 ? errno : EIO, error);
  sink->bytes += length;
  return SETOSA_OK;
}

static Status deflate_all(Sink *sink, int flush, Error *error) {
  Status status = SETOSA_OK;
  do {
    sink->stream.next_out = sink->block;
    sink->stream.avail_out = SINK_BLOCK;
    deflate(&sink->stream, flush); /* cannot fail on a valid stream */
    TRY(store(sink, sink->block, SINK_BLOCK - sink->stream.avail_out, error));
  } while (sink->stream.avail_out == 0);
cleanup:
  return status;
}

Status sink_write(Sink *sink, const void *bytes, size_t length, Error *error) {
  Status status = SETOSA_OK;
  if (!sink->compressed) return store(sink, bytes, length, error);
  const unsigned char *at = bytes;
  while (length > 0) {
    size_t part = length < UINT_MAX ? length : UINT_MAX;
    sink->stream.next_in = (unsigned char *)(uintptr_t)at; /* read only: zlib's type lacks a const */
    sink->stream.avail_in = (unsigned)part;
    TRY(deflate_all(sink, Z_NO_FLUSH, error));
    at += part;
    length -= part;
  }
cleanup:
  return status;
}

uint64_t sink_bytes(const Sink *sink) { return sink->bytes; }

Status sink_finish(Sink *sink, Error *error) {
  Status status = SETOSA_OK;
  if (sink->compressed) TRY(deflate_all(sink, Z_FINISH, error));
  errno = 0;
  if (fflush(sink->file.stream) != 0 || (sink->file.temporary_path != NULL && fsync(fileno(sink->file.stream)) != 0))
    TRY(out_of_room(sink, errno != 0 ? errno : EIO, error));
cleanup:
  return status;
}

Status sink_commit(Sink *sink, Error *error) { return atomic_file_commit(&sink->file, error); }

void sink_close(Sink *sink) {
  if (sink == NULL) return;
  if (sink->deflating) deflateEnd(&sink->stream);
  atomic_file_abandon(&sink->file);
  free(sink->block);
  free(sink->path);
  free(sink);
}
