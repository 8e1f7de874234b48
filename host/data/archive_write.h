/* A zip archive that is written (libzip): members as they are, not compressed, of any size, and the same bytes for the same members. The
 * opposite of archive.h. Private to host/data. */
#ifndef SETOSA_DATA_ARCHIVE_WRITE_H
#define SETOSA_DATA_ARCHIVE_WRITE_H

#include "data/output.h"

typedef struct ArchiveMember {
  const char *name;
  uint64_t bytes;
  /* The next bytes, `length` at most; *got is 0 at the end alone. Called until `bytes` are there, and for one member after the other. */
  Status (*read)(void *user, void *buffer, size_t length, size_t *got, Error *error);
  void *user;
} ArchiveMember;

/* Into an output of a plain file that nothing was written to. */
Status archive_write(Output *output, const ArchiveMember *members, size_t count, Error *error);

#endif
