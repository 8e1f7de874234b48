/* Files: those that are whole or absent (atomic_file.h), whole reads, folders. */
#ifndef SETOSA_BASE_FILE_H
#define SETOSA_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/atomic_file.h"
#include "base/error.h"

/* What to do about a file that could not be opened, read or written with this code of errno: a limit of the process or a full disk has
 * words of its own, `otherwise` is said for all else. */
const char *file_remedy(int code, const char *otherwise);
/* The status of such a failure: memory that is short is SETOSA_ERROR_INTERNAL, whatever file it was for; all else is `otherwise`. */
Status file_failure(int code, Status otherwise);
/* SETOSA_ERROR_WRITE for what errno says: "<path>: cannot <doing>: <why>; <what to do>". */
Status file_write_failed(Error *error, const char *path, const char *doing);
/* Reads a whole file, at most limit bytes (more is SETOSA_ERROR_DATA); *bytes is followed by a 0 byte. free(*bytes). */
Status file_read_all(unsigned char **bytes, size_t *length, const char *path, size_t limit, Error *error);
/* The same of what is left in an open stream; path is for messages. */
Status file_read_stream(unsigned char **bytes, size_t *length, FILE *stream, const char *path, size_t limit, Error *error);
bool file_exists(const char *path);

/* What tells that a file is still the one it was: a change in place moves at least changed_ns, which nobody can set back. */
typedef struct FileIdentity {
  uint64_t bytes, inode;
  int64_t modified_ns, changed_ns; /* since 1970 */
} FileIdentity;
/* False when it is not a regular file. */
bool file_identify(FileIdentity *identity, int descriptor);

/* An open descriptor that holds the lock of a folder until it is closed or the process ends, however it ends; or why there is none. */
enum {
  FOLDER_BUSY = -1 /* another has it, or it was removed meanwhile */,
  FOLDER_UNLOCKABLE = -2 /* no folder, or a disk without locks */
};
int file_lock_folder(const char *path);
/* Removes every file and folder below path but what is in folders that somebody has locked; not path itself, and nothing that a link leads
 * to. Missing is fine. *bytes_freed is added to; it may be NULL. */
Status file_remove_below(const char *path, uint64_t *bytes_freed, Error *error);

#endif
