/* Following links by hand: realpath knows nothing of a file that is still to be made. */
#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

enum { LINKS_MOST = 40 }; /* as the kernel has it */

const char *path_last(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

Status path_folder(char **folder, const char *path, Error *error) {
  size_t length = (size_t)(path_last(path) - path);
  while (length > 1 && path[length - 1] == '/') length--;
  Text text = {0};
  Status status = length == 0 ? text_append(&text, error, ".") : text_append_bytes(&text, path, length, error);
  *folder = text.text;
  return status;
}

/* *next = what a link at `path` says, seen from where it lies. */
static Status follow_once(char **next, const char *path, Error *error) {
  Status status = SETOSA_OK;
  char to[PATH_MAX];
  Text text = {0};
  ssize_t length = readlink(path, to, sizeof to - 1);
  if (length < 0) return error_set(error, SETOSA_ERROR_WRITE, "%s: cannot follow the link: %s; check the path", path, strerror(errno));
  to[length] = '\0';
  if (to[0] != '/') TRY(text_append_bytes(&text, path, (size_t)(path_last(path) - path), error));
  TRY(text_append(&text, error, "%s", to));
  *next = text.text;
  text.text = NULL;
cleanup:
  text_free(&text);
  return status;
}

Status path_follow(char **target, const char *path, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  char *at = NULL, *next = NULL;
  *target = NULL;
  TRY(memory_copy_text(&at, path, error));
  for (int links = 0; lstat(at, &info) == 0 && S_ISLNK(info.st_mode); links++) {
    if (links == LINKS_MOST)
      TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: its links lead nowhere, or in a circle; give another path", path));
    TRY(follow_once(&next, at, error));
    free(at);
    at = next;
    next = NULL;
  }
  *target = at;
  at = NULL;
cleanup:
  free(at);
  return status;
}

static bool is_one_file(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* Of two paths at which there is nothing: the same name in the same folder. */
static Status same_to_be(bool *same, const char *path, const char *other, Error *error) {
  Status status = SETOSA_OK;
  char *targets[2] = {NULL, NULL}, *folders[2] = {NULL, NULL};
  struct stat info[2];
  int known = 0;
  for (int i = 0; i < 2; i++) {
    if (path_follow(&targets[i], i == 0 ? path : other, NULL) != SETOSA_OK) /* links in a circle: whoever opens it says so */
      TRY(memory_copy_text(&targets[i], i == 0 ? path : other, error));
    TRY(path_folder(&folders[i], targets[i], error));
    known += stat(folders[i], &info[i]) == 0;
  }
  *same = known == 2 ? is_one_file(&info[0], &info[1]) && strcmp(path_last(targets[0]), path_last(targets[1])) == 0
                     : strcmp(targets[0], targets[1]) == 0;
cleanup:
  for (int i = 0; i < 2; i++) {
    free(targets[i]);
    free(folders[i]);
  }
  return status;
}

Status path_same(bool *same, const char *path, const char *other, Error *error) {
  struct stat one, another;
  bool there = stat(path, &one) == 0, other_there = stat(other, &another) == 0;
  *same = there && other_there && S_ISREG(one.st_mode) && is_one_file(&one, &another);
  return there || other_there ? SETOSA_OK : same_to_be(same, path, other, error);
}
