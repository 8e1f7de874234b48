/* Plain or compressed (zlib) bytes on their way into an AtomicFile. */
#include "data/output.h"

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

enum { OUTPUT_BLOCK = 1 << 16, GZIP_WINDOW = 15 + 16 };

struct Output {
  AtomicFile file;
  char *path;
  bool compressed, deflating;
  z_stream stream;
  unsigned char *block; /* (OUTPUT_BLOCK) of compressed bytes */
  uint64_t at, bytes;   /* where the next byte goes, and where the last one is */
};

static Status out_of_room(const Output *output, int code, Error *error) {
  const char *remedy = code == ENOSPC || code == EDQUOT ? "free some space, choose another folder, or ask for fewer rows"
                       : code == EFBIG                  ? "raise the limit on file sizes (ulimit -f), or ask for fewer rows"
                                                        : file_remedy(code, "check the disk, or choose another folder");
  return error_set(error, file_failure(code, SETOSA_ERROR_WRITE), "%s: cannot write: %s; %s", output->path, strerror(code), remedy);
}

Status output_open(Output **out, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Output *output = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&output, 1, sizeof *output, "a file", error));
  TRY(memory_copy_text(&output->path, path, error));
  TRY(memory_allocate((void **)&output->block, OUTPUT_BLOCK, 1, "a block of a file", error));
  output->compressed = strlen(path) > 3 && strcasecmp(path + strlen(path) - 3, ".gz") == 0;
  if (output->compressed) {
    /* Random digits hardly compress better with more effort. No time of day in the header: the same call writes the same file. */
    if (deflateInit2(&output->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
      TRY(error_set(error, SETOSA_ERROR_INTERNAL, "%s: out of memory for compressing it", path));
    output->deflating = true;
  }
  TRY(atomic_file_open(&output->file, path, error));
  *out = output;
  output = NULL;
cleanup:
  output_close(output);
  return status;
}

Status output_check_room(const Output *output, uint64_t bytes, Error *error) {
  struct statvfs disk;
  if (output->compressed || output->file.temporary == NULL || fstatvfs(fileno(output->file.stream), &disk) != 0 || disk.f_blocks == 0)
    return SETOSA_OK;
  double room = (double)disk.f_bavail * (double)disk.f_frsize;
  if ((double)bytes <= room) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_WRITE,
                   "%s: cannot write: it needs %.3g GB and the disk has %.3g GB free; free some space, choose another folder, or ask for "
                   "fewer rows",
                   output->path, (double)bytes * 1e-9, room * 1e-9);
}

static Status store(Output *output, const void *bytes, size_t length, Error *error) {
  errno = 0;
  if (length > 0 && fwrite(bytes, 1, length, output->file.stream) != length) return out_of_room(output, errno != 0 ? errno : EIO, error);
  output->at += length;
  if (output->at > output->bytes) output->bytes = output->at;
  return SETOSA_OK;
}

static Status deflate_all(Output *output, int flush, Error *error) {
  Status status = SETOSA_OK;
  do {
    output->stream.next_out = output->block;
    output->stream.avail_out = OUTPUT_BLOCK;
    deflate(&output->stream, flush); /* cannot fail on a valid stream */
    TRY(store(output, output->block, OUTPUT_BLOCK - output->stream.avail_out, error));
  } while (output->stream.avail_out == 0);
cleanup:
  return status;
}

Status output_write(Output *output, const void *bytes, size_t length, Error *error) {
  Status status = SETOSA_OK;
  if (!output->compressed) return store(output, bytes, length, error);
  const unsigned char *at = bytes;
  while (length > 0) {
    size_t part = length < UINT_MAX ? length : UINT_MAX;
    output->stream.next_in = (unsigned char *)(uintptr_t)at; /* read only: zlib's type lacks a const */
    output->stream.avail_in = (unsigned)part;
    TRY(deflate_all(output, Z_NO_FLUSH, error));
    at += part;
    length -= part;
  }
cleanup:
  return status;
}

Status output_seek(Output *output, uint64_t offset, Error *error) {
  errno = 0;
  if (output->at == offset) return SETOSA_OK;
  if (output->compressed || fseeko(output->file.stream, (off_t)offset, SEEK_SET) != 0) {
    if (errno != ESPIPE && errno != 0) return out_of_room(output, errno, error);
    return error_set(error, SETOSA_ERROR_WRITE,
                     "%s: cannot write: it is a pipe, and such a file is not written from front to back; name a file", output->path);
  }
  output->at = offset;
  return SETOSA_OK;
}

uint64_t output_bytes(const Output *output) { return output->bytes; }

Status output_finish(Output *output, Error *error) {
  Status status = SETOSA_OK;
  if (output->compressed) TRY(deflate_all(output, Z_FINISH, error));
  errno = 0;
  if (fflush(output->file.stream) != 0 || (output->file.temporary != NULL && fsync(fileno(output->file.stream)) != 0))
    TRY(out_of_room(output, errno != 0 ? errno : EIO, error));
cleanup:
  return status;
}

Status output_commit(Output *output, Error *error) { return atomic_file_commit(&output->file, error); }

void output_close(Output *output) {
  if (output == NULL) return;
  if (output->deflating) deflateEnd(&output->stream);
  atomic_file_abandon(&output->file);
  free(output->block);
  free(output->path);
  free(output);
}
