/* A data file being written, plain or .gz by its name, whole or absent (AtomicFile). The opposite of stream.h. Private to host/data. */
#ifndef SETOSA_DATA_OUTPUT_H
#define SETOSA_DATA_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Output Output;

/* Opens beside path; SETOSA_ERROR_WRITE when that cannot be. */
Status output_open(Output **output, const char *path, Error *error);
/* SETOSA_ERROR_WRITE when the disk of a plain file has less room than `bytes`: said before hours of writing, not after. Silent where
 * nothing is known (a pipe, .gz, a disk that does not tell). */
Status output_check_room(const Output *output, uint64_t bytes, Error *error);
/* SETOSA_ERROR_WRITE as soon as the disk is full. */
Status output_write(Output *output, const void *bytes, size_t length, Error *error);
/* The next bytes go to an offset that was written to, or to the end: of a plain file that is not compressed. SETOSA_ERROR_WRITE for others.
 */
Status output_seek(Output *output, uint64_t offset, Error *error);
uint64_t output_bytes(const Output *output); /* as stored, so far */
/* Writes what is held back: afterwards only the rename can fail. */
Status output_finish(Output *output, Error *error);
/* Puts the file in its place. */
Status output_commit(Output *output, Error *error);
/* Without a commit nothing is left of the file. */
void output_close(Output *output);

#endif
