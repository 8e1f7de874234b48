/* Reading through zlib: it passes plain bytes on untouched, and reports truncation only to those who ask. */
#include "data/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

struct Stream {
  gzFile file;    /* NULL: `finder` has the bytes */
  int descriptor; /* of file, which closes it */
  StreamFinder finder;
  uint64_t found; /* bytes, by it */
  char *path;
  uint64_t size; /* 0: unknown */
  bool regular;
  unsigned char peeked[STREAM_PEEK];
  size_t peeked_count, peeked_used;
};

/* "; did you mean X?" from the files of the same folder, into hint ("" when none is near). */
static void suggest_neighbour(char *hint, size_t size, const char *path) {
  enum { CANDIDATES = 512 };
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  char *folder_name = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
  DIR *folder = folder_name != NULL ? opendir(folder_name) : NULL;
  char **names = calloc(CANDIDATES, sizeof *names);
  size_t count = 0;
  hint[0] = '\0';
  if (folder != NULL && names != NULL) {
    for (struct dirent *entry; count < CANDIDATES && (entry = readdir(folder)) != NULL;)
      if (entry->d_name[0] != '.' && (names[count] = strdup(entry->d_name)) != NULL) count++;
    const char *nearest = text_nearest(name, (const char *const *)names, count);
    if (nearest != NULL) snprintf(hint, size, "; did you mean %.*s%s?", (int)(name - path), path, nearest);
  }
  for (size_t i = 0; i < count; i++) free(names[i]);
  free(names);
  if (folder != NULL) closedir(folder);
  free(folder_name);
}

static Status cannot_open(const char *path, int code, Error *error) {
  char hint[512] = "";
  if (code == ENOENT) suggest_neighbour(hint, sizeof hint, path);
  if (hint[0] == '\0')
    snprintf(hint, sizeof hint, "; %s", file_remedy(code, code == EACCES ? "make it readable (chmod +r)" : "check the path"));
  return error_set(error, file_failure(code, SETOSA_ERROR_DATA), "%s: cannot open: %s%s", path, strerror(code), hint);
}

bool stream_is_standard_input(const char *path) { return strcmp(path, "-") == 0; }

/* A copy of standard input, so that it stays open; read from its middle on, a file is no better than a pipe. */
static int open_path(const char *path) {
  return stream_is_standard_input(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
}

Status stream_open(Stream **out, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  struct stat info;
  *out = NULL;
  int descriptor = open_path(path);
  size_t peeked = 0;
  const char *name = stream_is_standard_input(path) ? "standard input" : path;
  if (descriptor < 0) return cannot_open(name, errno, error);
  if (fstat(descriptor, &info) != 0) TRY(cannot_open(name, errno, error));
  if (S_ISDIR(info.st_mode)) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is a folder; name a file in it", name));
  TRY(memory_allocate_zero((void **)&stream, 1, sizeof *stream, "a stream", error));
  TRY(memory_copy_text(&stream->path, name, error));
  stream->regular = S_ISREG(info.st_mode) && lseek(descriptor, 0, SEEK_CUR) == 0;
  stream->size = stream->regular ? (uint64_t)info.st_size : 0;
  stream->file = gzdopen(descriptor, "rb");
  if (stream->file == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to read %s", name));
  stream->descriptor = descriptor;
  descriptor = -1;                                                                       /* gzclose closes it */
  gzbuffer(stream->file, stream->regular && stream->size < 1 << 13 ? 1 << 13 : 1 << 17); /* zlib takes three times as much */
  TRY(stream_read(stream, stream->peeked, STREAM_PEEK, &peeked, error));
  stream->peeked_count = peeked;
  *out = stream;
  stream = NULL;
cleanup:
  if (descriptor >= 0) close(descriptor);
  stream_close(stream);
  return status;
}

Status stream_open_found(Stream **out, const StreamFinder *finder, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Stream *stream = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&stream, 1, sizeof *stream, "a stream", error));
  TRY(memory_copy_text(&stream->path, path, error));
  stream->finder = *finder;
  stream->size = finder->stored;
  stream->descriptor = -1;
  *out = stream;
  return SETOSA_OK;
cleanup:
  finder->close(finder->user);
  stream_close(stream);
  return status;
}

void stream_close(Stream *stream) {
  if (stream == NULL) return;
  if (stream->file != NULL) gzclose(stream->file);
  if (stream->finder.close != NULL) stream->finder.close(stream->finder.user);
  free(stream->path);
  free(stream);
}

size_t stream_peek(const Stream *stream, const unsigned char **bytes) {
  *bytes = stream->peeked;
  return stream->peeked_count;
}

static Status read_failed(Stream *stream, int code, const char *message, Error *error) {
  if (code == Z_BUF_ERROR)
    return error_set(error, SETOSA_ERROR_DATA, "%s: the compressed data ends early (a truncated .gz); fetch or compress the file again",
                     stream->path);
  if (code == Z_ERRNO)
    return error_set(error, SETOSA_ERROR_DATA, "%s: cannot read: %s; check the file and its disk", stream->path, strerror(errno));
  if (code == Z_MEM_ERROR) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to decompress %s", stream->path);
  const char *colon = strstr(message, ": "); /* zlib begins with its own name for the file */
  return error_set(error, SETOSA_ERROR_DATA, "%s: the compressed data is corrupt (%s); fetch or compress the file again", stream->path,
                   colon != NULL ? colon + 2 : message);
}

Status stream_read(Stream *stream, void *buffer, size_t length, size_t *got, Error *error) {
  unsigned char *to = buffer;
  *got = 0;
  size_t kept = stream->peeked_count - stream->peeked_used;
  if (kept > length) kept = length;
  if (kept > 0) memcpy(to, stream->peeked + stream->peeked_used, kept);
  stream->peeked_used += kept;
  *got = kept;
  if (stream->file == NULL) {
    Status status = stream->finder.read(stream->finder.user, to, length, got, error);
    stream->found += *got;
    return status;
  }
  while (*got < length) {
    size_t wanted = length - *got < (1u << 30) ? length - *got : (1u << 30);
    int count = gzread(stream->file, to + *got, (unsigned)wanted);
    if (count > 0) *got += (size_t)count;
    if (count == (int)wanted) continue;
    /* Short: the true end, or a .gz cut off, which zlib only tells through gzerror. */
    int code = Z_OK;
    const char *message = gzerror(stream->file, &code);
    if (count < 0 || (code != Z_OK && code != Z_STREAM_END)) return read_failed(stream, code, message, error);
    break;
  }
  return SETOSA_OK;
}

Status stream_check_name(const Stream *stream, Error *error) {
  size_t length = strlen(stream->path);
  bool named_gz = length > 3 && strcasecmp(stream->path + length - 3, ".gz") == 0;
  if (!named_gz || stream->peeked_count == 0 || stream_is_compressed(stream)) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DATA, "%s: is not gzip data though its name ends in .gz; rename it, or fetch it again",
                   stream->path);
}

bool stream_is_regular(const Stream *stream) { return stream->regular; }
bool stream_can_rewind(const Stream *stream) { return stream->regular || stream->file == NULL; }

int stream_copy_descriptor(const Stream *stream) { return stream->regular ? fcntl(stream->descriptor, F_DUPFD_CLOEXEC, 0) : -1; }

Status stream_rewind(Stream *stream, Error *error) {
  if (stream->file == NULL) {
    stream->found = 0;
    return stream->finder.rewind(stream->finder.user, error);
  }
  if (!stream->regular || gzrewind(stream->file) != 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: cannot be read a second time; write it to a file and name that", stream->path);
  stream->peeked_used = stream->peeked_count; /* they come again */
  return SETOSA_OK;
}

const char *stream_path(const Stream *stream) { return stream->path; }
bool stream_is_compressed(const Stream *stream) { return stream->file != NULL ? !gzdirect(stream->file) : stream->finder.packed; }
uint64_t stream_bytes_total(const Stream *stream) { return stream->size; }

uint64_t stream_bytes_done(const Stream *stream) {
  if (stream->file == NULL) return (uint64_t)((double)stream->size * fmin((double)stream->found / (double)stream->finder.bytes, 1));
  z_off_t offset = gzoffset(stream->file);
  return offset > 0 ? (uint64_t)offset : 0;
}

bool stream_surely_holds(const Stream *stream, uint64_t bytes) {
  if (stream->file == NULL) return !stream->finder.packed && bytes <= stream->finder.bytes;
  return stream->regular && !stream_is_compressed(stream) && bytes <= stream->size;
}

uint64_t stream_bytes_unpacked(const Stream *stream) {
  if (!stream_is_compressed(stream)) return 0;
  return stream->file != NULL ? (uint64_t)gztell(stream->file) : stream->found;
}

bool stream_identify(const Stream *stream, FileIdentity *identity) {
  return stream->regular && file_identify(identity, stream->descriptor);
}

Status stream_map(const Stream *stream, Mapping *mapping, size_t bytes, Error *error) {
  return mapping_open(mapping, stream->descriptor, bytes, stream->path, error);
}

bool stream_may_hold(const Stream *stream, uint64_t bytes) {
  const uint64_t absurd = (uint64_t)1 << 47; /* more than memory that can be addressed: no pipe brings that */
  if (stream->file == NULL) return bytes <= stream->finder.bytes;
  if (!stream->regular) return bytes < absurd;
  if (!stream_is_compressed(stream)) return bytes <= stream->size;
  return bytes / 1032 <= stream->size; /* deflate cannot do better than 1032:1 (zlib's technical notes) */
}
