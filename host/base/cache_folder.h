/* The folder of what is kept between runs, and the files in it. What lies there is believed, and some of it is run, so nobody but the user
 * whose process this is may have a hand in it: else it is not used at all. */
#ifndef SETOSA_BASE_CACHE_FOLDER_H
#define SETOSA_BASE_CACHE_FOLDER_H

#include <stddef.h>

#include "base/file.h"

/* $XDG_CACHE_HOME/setosa, else ~/.cache/setosa, then "/" and folder (may be ""), created with its parents, mode 0700. The path that is
 * written has no links. SETOSA_ERROR_WRITE says why there is none: it cannot be made, or another user could change what is in it. */
Status cache_folder_find(char *path, size_t size, const char *folder, Error *error);
/* The same for a folder that was named (`named` may be relative and lead through links). */
Status cache_folder_find_named(char *path, size_t size, const char *named, Error *error);
/* Whether a folder may be believed that others fill, as PoCL: it is the user's, and so is the way to it, or it is missing. Nothing is
 * created. */
Status cache_folder_check(const char *path, Error *error);

/* Whether the folders in it, and in these, are the user's, too: a run as root may have left some. */
Status cache_folder_check_below(const char *path, Error *error);
/* Whether something can be added to a folder that is there: its disk has 32 MB left, many times what the kernels of one run take. */
Status cache_folder_check_room(const char *path, Error *error);

/* Opens a file of a folder that was found, relative to that folder: -1 with errno when it is absent, or anything but a regular file of this
 * user that nobody else can write. flags as of open, with O_CREAT for mode 0600; never through a link. */
int cache_file_open(const char *path, int flags);
/* The whole of such a file, as file_read_all. */
Status cache_file_read(unsigned char **bytes, size_t *length, const char *path, size_t limit, Error *error);
/* Begins such a file anew, mode 0600: what stands there and is no file of this user's is removed, not followed. */
Status cache_file_begin(AtomicFile *file, const char *path, Error *error);

#endif
