/* Whole reads, what identifies a file, the cache folder. */
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

Status file_read_all(unsigned char **bytes, size_t *length, const char *path, size_t limit, Error *error) {
  Status status = SETOSA_OK;
  Text content = {0};
  char block[65536];
  *bytes = NULL;
  *length = 0;
  FILE *stream = fopen(path, "rb");
  if (stream == NULL) return read_failed(error, path, "open", "check the path");
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
  fclose(stream);
  text_free(&content);
  return status;
}

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

static Status create_folders(char *path, Error *error) {
  for (char *slash = path + 1;; slash++) {
    if (*slash != '/' && *slash != '\0') continue;
    char kept = *slash;
    *slash = '\0';
    int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
    if (failed) return file_write_failed(error, path, "create the folder");
    *slash = kept;
    if (kept == '\0') return SETOSA_OK;
  }
}

Status file_create_folders(const char *path, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL;
  if (*path == '\0') return error_set(error, SETOSA_ERROR_WRITE, "a folder without a name cannot be created; name it");
  TRY(memory_copy_text(&copy, path, error));
  TRY(create_folders(copy, error));
cleanup:
  free(copy);
  return status;
}

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

Status file_cache_folder(char *path, size_t size, const char *folder, Error *error) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int length = 0;
  if (cache != NULL && cache[0] == '/') /* the XDG specification: a relative path is to be ignored */
    length = snprintf(path, size, "%s/setosa%s%s", cache, folder[0] != '\0' ? "/" : "", folder);
  else if (home != NULL && home[0] == '/')
    length = snprintf(path, size, "%s/.cache/setosa%s%s", home, folder[0] != '\0' ? "/" : "", folder);
  else
    return error_set(error, SETOSA_ERROR_WRITE, "no cache folder: neither XDG_CACHE_HOME nor HOME is set; set one of them");
  if (length < 0 || (size_t)length >= size)
    return error_set(error, SETOSA_ERROR_WRITE, "the path of the cache folder is too long; set XDG_CACHE_HOME to a shorter one");
  return create_folders(path, error);
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

/* A folder and what is in it. One that keeps something that is locked stays. */
static Status remove_folder(const char *path, uint64_t *bytes_freed, Error *error) {
  int lock = file_lock_folder(path);
  if (lock == FOLDER_BUSY) return SETOSA_OK;
  Status status = file_remove_below(path, bytes_freed, error);
  if (status == SETOSA_OK && rmdir(path) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
    status = file_write_failed(error, path, "remove the folder");
  if (lock >= 0) close(lock);
  return status;
}

Status file_remove_below(const char *path, uint64_t *bytes_freed, Error *error) {
  Status status = SETOSA_OK;
  DIR *folder = opendir(path);
  if (folder == NULL) return errno == ENOENT ? SETOSA_OK : file_write_failed(error, path, "list the folder");
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char below[PATH_MAX];
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    int length = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof below || lstat(below, &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      TRY(remove_folder(below, bytes_freed, error));
    } else {
      if (unlink(below) != 0 && errno != ENOENT) TRY(file_write_failed(error, below, "remove the file"));
      if (bytes_freed != NULL) *bytes_freed += (uint64_t)info.st_size;
    }
  }
cleanup:
  closedir(folder);
  return status;
}
