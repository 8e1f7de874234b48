/* Files that are whole or absent. */
#ifndef SETOSA_BASE_ATOMIC_FILE_H
#define SETOSA_BASE_ATOMIC_FILE_H

#include <stdio.h>

#include "base/error.h"

/* A file being written beside its target, as "<name>.<pid>.tmp", until it is committed. Links at the end of the path are followed, so a
 * link stays a link. While it is written its lock is held (flock), which the system gives back when the writer dies, of whatever: whoever
 * opens the same target later finds what killed writers have left and removes it. On a disk without locks everything works, but nothing is
 * removed. */
typedef struct AtomicFile {
  FILE *stream;
  char *path;      /* of the target */
  char *temporary; /* its name for now; NULL: no plain file (/dev/null, a pipe), which is written directly */
  int folder;      /* that it is in; open while there is a temporary */
} AtomicFile;

/* Opens for writing; SETOSA_ERROR_WRITE says which file and why. Zero-initialise *file before. */
Status atomic_file_open(AtomicFile *file, const char *path, Error *error);
/* Flushes, syncs, renames over path and syncs the folder. On failure the target is as it was and the temporary file is gone. */
Status atomic_file_commit(AtomicFile *file, Error *error);
/* Throws away what was written; fine after a commit, a failed open, or on a zeroed file. */
void atomic_file_abandon(AtomicFile *file);

/* Removes what killed writers have left of any file in the folder of path: a cache, in which nobody else has files. */
void atomic_file_sweep_folder_of(const char *path);

#endif
