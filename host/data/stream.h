/* A file as a stream of bytes, plain or .gz alike, told apart by its first bytes (zlib). Private to host/data. */
#ifndef SETOSA_DATA_STREAM_H
#define SETOSA_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "base/mapping.h"

typedef struct Stream Stream;

enum { STREAM_PEEK = 512 };

/* SETOSA_ERROR_DATA for a missing file (with a near miss of the same folder), a folder, an unreadable file, or a name ending in .gz
 * whose bytes are not gzip. */
Status stream_open(Stream **stream, const char *path, Error *error);
void stream_close(Stream *stream);
/* The first bytes (at most STREAM_PEEK), which a later read returns again. */
size_t stream_peek(const Stream *stream, const unsigned char **bytes);
/* *got < length only at the end. A truncated or corrupt .gz is SETOSA_ERROR_DATA. */
Status stream_read(Stream *stream, void *buffer, size_t length, size_t *got, Error *error);
/* Whether it can be read again from the beginning: a file can, a pipe cannot. */
bool stream_can_rewind(const Stream *stream);
Status stream_rewind(Stream *stream, Error *error);
const char *stream_path(const Stream *stream);
bool stream_is_compressed(const Stream *stream);
uint64_t stream_bytes_done(const Stream *stream);     /* of the file as stored */
uint64_t stream_bytes_unpacked(const Stream *stream); /* decompressed so far; 0 where nothing is compressed */
uint64_t stream_bytes_total(const Stream *stream);    /* 0: unknown (a pipe) */
/* False when the file cannot possibly hold so many bytes: the check before an allocation that a header asks for. */
bool stream_may_hold(const Stream *stream, uint64_t bytes);
/* True when it has so many bytes: what a header asks for may be allocated at once. Else the header may lie, and room grows as data come. */
bool stream_surely_holds(const Stream *stream, uint64_t bytes);
/* The open file as it is now; false when it is not a regular one. */
bool stream_identify(const Stream *stream, FileIdentity *identity);
/* The file as stored, mapped: its first `bytes`, which it must have. */
Status stream_map(const Stream *stream, Mapping *mapping, size_t bytes, Error *error);

#endif
