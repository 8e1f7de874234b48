/* Whole reads, what identifies a file, folders. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

const char *file_remedy(int code, const char *otherwise) {
  switch (code) {
    case EMFILE:
      return "raise the limit on open files (ulimit -n)";
    case ENFILE:
      return "close other programs: the machine has no more files to open";
    case ENOMEM:
      return "free some memory, or raise the limit on it (ulimit -v)";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f) or choose another disk";
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another folder";
    default:
      return otherwise;
  }
}

Status file_failure(int code, Status otherwise) { return code == ENOMEM ? SETOSA_ERROR_INTERNAL : otherwise; }

Status file_write_failed(Error *error, const char *path, const char *doing) {
  int code = errno;
  const char *otherwise = code == ENOENT         ? "create the folder first or choose another path"
                          : code == ENAMETOOLONG ? "choose a shorter name"
                                                 : "check the folder's permissions or choose another path";
  return error_set(error, file_failure(code, SETOSA_ERROR_WRITE), "%s: cannot %s: %s; %s", path, doing, strerror(code),
                   file_remedy(code, otherwise));
}

static Status read_failed(Error *error, const char *path, const char *doing, const char *otherwise) {
  int code = errno;
  return error_set(error, file_failure(code, SETOSA_ERROR_DATA), "%s: cannot %s: %s; %s", path, doing, strerror(code),
                   file_remedy(code, otherwise));
}

Status file_read_stream(unsigned char **bytes, size_t *length, FILE *stream, const char *path, size_t limit, Error *error) {
  Status status = SETOSA_OK;
  Text content = {0};
  char block[8192];
  *bytes = NULL;
  *length = 0;
  TRY(text_append_bytes(&content, "", 0, error));
  for (size_t got; (got = fread(block, 1, sizeof block, stream)) > 0;) {
    if (content.length + got > limit)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: longer than %zu bytes; this is not the file it should be", path, limit));
    TRY(text_append_bytes(&content, block, got, error));
  }
  if (ferror(stream)) TRY(read_failed(error, path, "read", "check the file"));
  *bytes = (unsigned char *)content.text;
  *length = content.length;
  content.text = NULL;
cleanup:
  text_free(&content);
  return status;
}

Status file_read_all(unsigned char **bytes, size_t *length, const char *path, size_t limit, Error *error) {
  *bytes = NULL;
  *length = 0;
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) return read_failed(error, path, "open", "check the path");
  Status status = file_read_stream(bytes, length, stream, path, limit, error);
  fclose(stream);
  return status;
}

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

bool file_identify(FileIdentity *identity, int descriptor) {
  const int64_t ns_per_second = 1000000000;
  struct stat info;
  *identity = (FileIdentity){0};
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  identity->bytes = (uint64_t)info.st_size;
  identity->inode = (uint64_t)info.st_ino;
  identity->modified_ns = (int64_t)info.st_mtim.tv_sec * ns_per_second + info.st_mtim.tv_nsec;
  identity->changed_ns = (int64_t)info.st_ctim.tv_sec * ns_per_second + info.st_ctim.tv_nsec;
  return true;
}

int file_lock_folder(const char *path) {
  struct stat opened, named;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return FOLDER_UNLOCKABLE;
  bool locked = flock(folder, LOCK_EX | LOCK_NB) == 0;
  int failure = locked || errno == EWOULDBLOCK ? FOLDER_BUSY : FOLDER_UNLOCKABLE;
  if (locked && fstat(folder, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
    return folder;
  close(folder);
  return failure;
}

static Status remove_inside(int folder, const char *path, uint64_t *bytes_freed, Error *error);

/* A folder and what is in it. One that keeps something that is locked stays. */
static Status remove_folder(int parent, const char *name, const char *path, uint64_t *bytes_freed, Error *error) {
  int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return errno == ENOENT ? SETOSA_OK : file_write_failed(error, path, "open the folder");
  bool busy = flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  Status status = busy ? SETOSA_OK : remove_inside(folder, path, bytes_freed, error);
  if (!busy && status == SETOSA_OK && unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
    status = file_write_failed(error, path, "remove the folder");
  close(folder); /* and with it the lock */
  return status;
}

/* Everything relative to the open folder, so that no link put in its way leads elsewhere. */
static Status remove_inside(int folder, const char *path, uint64_t *bytes_freed, Error *error) {
  Status status = SETOSA_OK;
  int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0); /* closedir closes its descriptor */
  DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
  if (listing == NULL) {
    status = file_write_failed(error, path, "list the folder");
    if (copy >= 0) close(copy);
    return status;
  }
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    char below[PATH_MAX]; /* for messages */
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    int length = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof below || fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      TRY(remove_folder(folder, entry->d_name, below, bytes_freed, error));
    } else {
      if (unlinkat(folder, entry->d_name, 0) != 0 && errno != ENOENT) TRY(file_write_failed(error, below, "remove the file"));
      if (bytes_freed != NULL) *bytes_freed += (uint64_t)info.st_size;
    }
  }
cleanup:
  closedir(listing);
  return status;
}

Status file_remove_below(const char *path, uint64_t *bytes_freed, Error *error) {
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return errno == ENOENT ? SETOSA_OK : file_write_failed(error, path, "list the folder");
  Status status = remove_inside(folder, path, bytes_freed, error);
  close(folder);
  return status;
}
