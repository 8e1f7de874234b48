/* A file, a pipe or standard input as a stream of bytes, plain or gzip alike, told apart by its first bytes (zlib). Private to host/data.
 */
#ifndef SETOSA_DATA_STREAM_H
#define SETOSA_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "base/mapping.h"

typedef struct Stream Stream;

enum { STREAM_PEEK = 512 };

/* Bytes that somebody else finds, as in an archive. Errors name the path themselves. */
typedef struct StreamFinder {
  Status (*read)(void *user, void *buffer, size_t length, size_t *got, Error *error); /* as stream_read */
  Status (*reopen)(void *user, Stream **again, Error *error);
  void (*close)(void *user);
  void *user;
  uint64_t bytes;  /* that there are, as far as is known before they are read */
  uint64_t stored; /* the room that they take where they lie */
  bool packed;     /* as other bytes there, so that `bytes` may be a lie */
} StreamFinder;

/* "-" is standard input, which stays open. SETOSA_ERROR_DATA for a missing file (with a near miss of the same folder), a folder, or an
 * unreadable file. */
Status stream_open(Stream **stream, const char *path, Error *error);
bool stream_is_standard_input(const char *path);
/* path is for messages. The finder is closed with the stream, and at once on failure. */
Status stream_open_found(Stream **stream, const StreamFinder *finder, const char *path, Error *error);
void stream_close(Stream *stream);
/* The first bytes (at most STREAM_PEEK), which a later read returns again. */
size_t stream_peek(const Stream *stream, const unsigned char **bytes);
/* *got < length only at the end. A truncated or corrupt .gz is SETOSA_ERROR_DATA. */
Status stream_read(Stream *stream, void *buffer, size_t length, size_t *got, Error *error);
/* The path, or "standard input": for messages. */
const char *stream_path(const Stream *stream);
/* SETOSA_ERROR_DATA for a name that ends in .gz while its bytes are not gzip: for text, which a broken header of gzip may look like. */
Status stream_check_name(const Stream *stream, Error *error);
/* A regular file that is read from its beginning. */
bool stream_is_regular(const Stream *stream);
/* Back to the beginning of a regular file: all is read again, what was peeked, too. SETOSA_ERROR_DATA where that cannot be. */
Status stream_rewind(Stream *stream, Error *error);
/* What can be read by another stream beside this one; what comes through a pipe is gone once it was read. */
bool stream_can_reopen(const Stream *stream);
/* Another stream of the same, at its beginning. */
Status stream_reopen(Stream **again, const Stream *stream, Error *error);
/* A descriptor of a regular file for the caller to close, which shares its place in the file; -1 when there is none to be had. */
int stream_copy_descriptor(const Stream *stream);
bool stream_is_compressed(const Stream *stream);
uint64_t stream_bytes_done(const Stream *stream);     /* of the file as stored */
uint64_t stream_bytes_unpacked(const Stream *stream); /* decompressed so far; 0 where nothing is compressed */
uint64_t stream_bytes_total(const Stream *stream);    /* 0: unknown (a pipe) */
/* False when there cannot possibly be so many bytes: the check before an allocation that a header asks for. */
bool stream_may_hold(const Stream *stream, uint64_t bytes);
/* True when there are so many bytes: what a header asks for may be allocated at once. Else the header may lie, and room grows as data come.
 */
bool stream_surely_holds(const Stream *stream, uint64_t bytes);
/* The open file as it is now; false when it is not a regular one, or read from its middle on. */
bool stream_identify(const Stream *stream, FileIdentity *identity);
/* The file as stored, mapped: its first `bytes`, which it must have. */
Status stream_map(const Stream *stream, Mapping *mapping, size_t bytes, Error *error);

#endif
