/* A zip archive, of which members are read as streams (libzip). Private to host/data. */
#ifndef SETOSA_DATA_ARCHIVE_H
#define SETOSA_DATA_ARCHIVE_H

#include "data/stream.h"

typedef struct Archive Archive;

/* stream is of a regular file that is not compressed as a whole, and outlives the archive; it is not to be read meanwhile.
 * SETOSA_ERROR_DATA for what is no archive. */
Status archive_open(Archive **archive, const Stream *stream, Error *error);
/* Members that are still open are closed before. */
void archive_close(Archive *archive);
size_t archive_count(const Archive *archive);
/* The name of a member as it stands in the archive; borrowed. */
const char *archive_name(const Archive *archive, size_t index);
bool archive_find(const Archive *archive, const char *name, size_t *index);
/* A member, unpacked while it is read, called FILE/NAME in messages. One at a time. SETOSA_ERROR_DATA for one that is encrypted or packed
 * in another way than deflate; one whose checksum is wrong is told when it was read to its end. */
Status archive_open_member(Stream **member, Archive *archive, size_t index, Error *error);

#endif
