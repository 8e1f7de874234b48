/* Everything Setosa does for one device or driver in particular. No other file treats one unlike another. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "opencl/cache.h"
#include "opencl/internal.h"

/* PoCL: processes must not share a kernel cache, yet a cache that lasts makes the next run start ten times faster. So each process
 * locks the first free of the folders <cache>/pocl/slot-0, slot-1, ... for its life and hands it to PoCL. The lock is on the folder
 * itself and goes with the process, however it ends. */
enum { SLOT_LIMIT = 1000 };

enum { LOCK_BUSY = -1, LOCK_IMPOSSIBLE = -2 };

/* An open, locked descriptor of the folder; busy, when another process has it or removed it meanwhile; impossible, where the file
 * system has no locks. */
static int lock_folder(const char *path) {
  struct stat opened, named;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return LOCK_BUSY;
  int result = LOCK_BUSY;
  if (flock(folder, LOCK_EX | LOCK_NB) != 0)
    result = errno == EWOULDBLOCK ? LOCK_BUSY : LOCK_IMPOSSIBLE;
  else if (fstat(folder, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev &&
           access(path, W_OK | X_OK) == 0)
    return folder;
  close(folder);
  return result;
}

/* Every process leaves a tempfile_* of PoCL behind. The slot is ours alone now, so older ones can go. */
static void remove_leftovers(int folder) {
  int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0); /* closedir closes its descriptor, and ours is the lock */
  DIR *listing = copy >= 0 ? fdopendir(copy) : NULL;
  if (listing == NULL) {
    if (copy >= 0) close(copy);
    return;
  }
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (strncmp(entry->d_name, "tempfile_", 9) == 0) unlinkat(folder, entry->d_name, 0);
  closedir(listing);
}

/* Stands in a slot while a process uses it. Found by the next owner it means that the last one was killed or aborted, perhaps by what it
 * found in the slot (PoCL trusts its files): then the slot begins empty. */
static const char running_mark[] = "setosa-running";

static bool mark_running(int folder, const char *path) {
  int mark = openat(folder, running_mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (mark < 0 && errno == EEXIST && file_remove_below(path, NULL, NULL) == SETOSA_OK)
    mark = openat(folder, running_mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (mark >= 0) close(mark);
  return mark >= 0;
}

/* Writes the path of a slot below base that this process now owns. The descriptor stays open until the process ends: it is the lock. */
static bool reserve_slot(const char *base, char *path, size_t size) {
  for (int slot = 0; slot < SLOT_LIMIT; slot++) {
    int length = snprintf(path, size, "%s/slot-%d", base, slot);
    if (length < 0 || (size_t)length >= size) return false;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
    int folder = lock_folder(path);
    if (folder == LOCK_IMPOSSIBLE) return false;
    if (folder < 0) continue;
    remove_leftovers(folder);
    if (mark_running(folder, path)) return true;
    close(folder);
    return false;
  }
  return false;
}

/* Without a cache folder: one of our own in the folder for temporary files, refused when someone else made it. */
static bool temporary_base(const char *folder, char *path, size_t size) {
  struct stat info;
  int length = snprintf(path, size, "%s/setosa-pocl-%ld", folder, (long)geteuid());
  if (length < 0 || (size_t)length >= size) return false;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
  return lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0;
}

/* A program started by this one inherits POCL_CACHE_DIR, but must not share the slot: so what was set here is marked with its process. */
static const char owner_variable[] = "SETOSA_POCL_OWNER";

static bool inherited_from_parent(const char *folder) {
  const char *owner = getenv(owner_variable);
  if (owner == NULL) return false;
  char *rest = NULL;
  long process = strtol(owner, &rest, 10);
  return *rest == ':' && strcmp(rest + 1, folder) == 0 && process != (long)getpid();
}

void quirks_prepare_environment(void) {
  char base[PATH_MAX], path[PATH_MAX], owner[PATH_MAX + 32];
  const char *folder = getenv("POCL_CACHE_DIR"), *temporary = getenv("TMPDIR");
  if (folder != NULL && !inherited_from_parent(folder)) return;
  if ((file_cache_folder(base, sizeof base, "pocl", NULL) == SETOSA_OK && reserve_slot(base, path, sizeof path)) ||
      (temporary != NULL && temporary[0] == '/' && temporary_base(temporary, base, sizeof base) && reserve_slot(base, path, sizeof path)) ||
      (temporary_base("/tmp", base, sizeof base) && reserve_slot(base, path, sizeof path))) {
    snprintf(owner, sizeof owner, "%ld:%s", (long)getpid(), path);
    setenv("POCL_CACHE_DIR", path, 1);
    setenv(owner_variable, owner, 1);
  }
}

/* The process ends as it should: the slot may be trusted by the next. */
__attribute__((destructor)) static void unmark_running(void) {
  char path[PATH_MAX];
  const char *folder = getenv("POCL_CACHE_DIR");
  if (folder == NULL || getenv(owner_variable) == NULL || inherited_from_parent(folder)) return;
  int length = snprintf(path, sizeof path, "%s/%s", folder, running_mark);
  if (length > 0 && (size_t)length < sizeof path) unlink(path);
}

const char *quirks_warning(void) {
  return getenv("POCL_CACHE_DIR") != NULL ? NULL : "PoCL finds no folder it can write to: set XDG_CACHE_HOME or POCL_CACHE_DIR to one";
}

/* Removes the slots below base that no running process holds. */
static void clear_slots(const char *base, uint64_t *bytes_freed) {
  DIR *listing = opendir(base);
  if (listing == NULL) return;
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    char path[PATH_MAX];
    if (entry->d_name[0] == '.') continue;
    int length = snprintf(path, sizeof path, "%s/%s", base, entry->d_name);
    int folder = length > 0 && (size_t)length < sizeof path ? lock_folder(path) : -1;
    if (folder < 0) continue;
    if (file_remove_below(path, bytes_freed, NULL) == SETOSA_OK) rmdir(path);
    close(folder);
  }
  closedir(listing);
}

Status opencl_cache_clear(uint64_t *bytes_freed, Error *error) {
  Status status = SETOSA_OK;
  char root[PATH_MAX - 512], path[PATH_MAX];
  DIR *listing = NULL;
  TRY(file_cache_folder(root, sizeof root, "", error));
  listing = opendir(root);
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
    if (lstat(path, &info) != 0) continue;
    if (strcmp(entry->d_name, "pocl") == 0) {
      clear_slots(path, bytes_freed);
    } else if (S_ISDIR(info.st_mode)) {
      TRY(file_remove_below(path, bytes_freed, error));
      rmdir(path);
    } else if (unlink(path) == 0 && bytes_freed != NULL) {
      *bytes_freed += (uint64_t)info.st_size;
    }
  }
cleanup:
  if (listing != NULL) closedir(listing);
  return status;
}

bool quirks_binaries_useful(const DeviceRecord *device) {
  /* PoCL: asking for a binary compiles every kernel of the program for work-groups of any size: 3 to 4 s on top of 1 s, for code that
   * is slower than the code for one size. Its own cache (above) brings a program back in 0.1 s. */
  return strcmp(device->info.platform, "Portable Computing Language") != 0;
}
