/* Where paths lead: links are followed, and names of one file are told from names of two. */
#ifndef SETOSA_BASE_PATH_H
#define SETOSA_BASE_PATH_H

#include <stdbool.h>

#include "base/error.h"

/* What is at the end of path once the links there are followed; there need be nothing yet. free(*target). SETOSA_ERROR_WRITE for links
 * that go in a circle. */
Status path_follow(char **target, const char *path, Error *error);
/* The last part of a path: "c" of "/a/b/c", "" of "/a/b/". */
const char *path_last(const char *path);
/* What is before it, as a path that can be opened: "/a/b", "/", or "." where there is nothing. free(*folder). */
Status path_folder(char **folder, const char *path, Error *error);

/* Whether what is written to one of two paths lands in the file of the other: both lead to one file, under whatever names, by links or hard
 * links; or there is none yet and both would make it at one place. False for what is no file, such as /dev/null or a pipe. */
Status path_same(bool *same, const char *path, const char *other, Error *error);

#endif
