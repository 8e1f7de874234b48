/* A data file being written, plain or .gz by its name, whole or absent (AtomicFile). The opposite of stream.h. Private to host/data. */
#ifndef SETOSA_DATA_SINK_H
#define SETOSA_DATA_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Sink Sink;

/* Opens beside path; SETOSA_ERROR_WRITE when that cannot be. */
Status sink_open(Sink **sink, const char *path, Error *error);
/* SETOSA_ERROR_WRITE when the disk of a plain file has less room than `bytes`: said before hours of writing, not after. Silent where
 * nothing is known (a pipe, .gz, a disk that does not tell). */
Status sink_check_room(const Sink *sink, uint64_t bytes, Error *error);
/* SETOSA_ERROR_WRITE as soon as the disk is full. */
Status sink_write(Sink *sink, const void *bytes, size_t length, Error *error);
uint64_t sink_bytes(const Sink *sink); /* as stored, so far */
/* Writes what is held back: afterwards only the rename can fail. */
Status sink_finish(Sink *sink, Error *error);
/* Puts the file in its place. */
Status sink_commit(Sink *sink, Error *error);
/* Without a commit nothing is left of the file. */
void sink_close(Sink *sink);

#endif
