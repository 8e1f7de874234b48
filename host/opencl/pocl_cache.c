/* Which folder PoCL keeps its compiled kernels in. Processes must not share one, yet one that lasts makes the next run start ten times
 * faster. So each process locks the first free of the slots <cache>/pocl/slot-0, slot-1, ... for its life and hands it to PoCL. The lock is
 * on the folder itself and goes with the process, however it ends. Left to itself PoCL would run whatever lies in $XDG_CACHE_HOME/pocl,
 * whoever put it there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "opencl/internal.h"

enum { SLOT_LIMIT = 1000 };

/* A program started by this one inherits POCL_CACHE_DIR, but must not share the slot: so what was set here is marked with its process. */
static const char owner_variable[] = "SETOSA_POCL_OWNER";
/* Folders of this name are one process's, for want of a better, and go with it. */
static const char passing_name[] = "setosa-pocl-XXXXXX";

/* ---- whose the folder of the environment is ---------------------------------------------------------------------- */

static bool set_by(const char *folder, bool *this_process) {
  const char *owner = getenv(owner_variable);
  if (owner == NULL) return false;
  char *rest = NULL;
  *this_process = strtol(owner, &rest, 10) == (long)getpid();
  return *rest == ':' && strcmp(rest + 1, folder) == 0;
}

/* The folder that the user chose for PoCL; NULL: none. */
static const char *chosen_folder(void) {
  bool this_process = false;
  const char *folder = getenv("POCL_CACHE_DIR");
  return folder != NULL && folder[0] != '\0' && !set_by(folder, &this_process) ? folder : NULL;
}

static void hand_over(const char *folder) {
  char owner[PATH_MAX + 32];
  snprintf(owner, sizeof owner, "%ld:%s", (long)getpid(), folder);
  setenv("POCL_CACHE_DIR", folder, 1);
  setenv(owner_variable, owner, 1);
}

/* ---- a slot ------------------------------------------------------------------------------------------------------ */

/* Writes the path of a slot below base that this process now owns. The descriptor stays open until the process ends: it is the lock. */
static bool reserve_slot(char *path, size_t size, const char *base) {
  for (int slot = 0; slot < SLOT_LIMIT; slot++) {
    bool usable = false;
    int length = snprintf(path, size, "%s/slot-%d", base, slot);
    if (length < 0 || (size_t)length >= size) return false;
    int folder = pocl_slot_take(path, &usable);
    if (folder == FOLDER_BUSY) continue;
    if (usable) return true;
    if (folder >= 0) close(folder);
    return false;
  }
  return false;
}

/* Without a cache folder: one of our own in the folder for temporary files. */
static bool temporary_base(char *path, size_t size, const char *temporary) {
  char named[PATH_MAX];
  if (temporary == NULL || temporary[0] != '/') return false;
  int length = snprintf(named, sizeof named, "%s/setosa-pocl-%ld", temporary, (long)geteuid());
  return length > 0 && (size_t)length < sizeof named && cache_folder_find_named(path, size, named, NULL) == SETOSA_OK;
}

static bool is_passing(const char *folder) {
  const char *name = strrchr(folder, '/');
  return name != NULL && strlen(name + 1) == strlen(passing_name) && strncmp(name + 1, passing_name, strlen("setosa-pocl-")) == 0;
}

static void remove_passing(const char *path) {
  if (file_remove_below(path, NULL, NULL) == SETOSA_OK) rmdir(path);
}

/* Those of processes that were killed: nobody holds the lock. */
static void sweep_passing(const char *temporary) {
  DIR *listing = opendir(temporary);
  for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
    char path[PATH_MAX];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s/%s", temporary, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof path || !is_passing(path)) continue;
    int folder = file_lock_folder(path);
    if (folder < 0) continue;
    if (fstat(folder, &info) == 0 && info.st_uid == geteuid()) remove_passing(path);
    close(folder);
  }
  if (listing != NULL) closedir(listing);
}

/* Where somebody else has made even that: one for this process alone, locked for its life. */
static bool passing_folder(char *path, size_t size, const char *temporary) {
  if (temporary == NULL || temporary[0] != '/') return false;
  sweep_passing(temporary);
  int length = snprintf(path, size, "%s/%s", temporary, passing_name);
  if (length < 0 || (size_t)length >= size || mkdtemp(path) == NULL) return false;
  if (cache_folder_check(path, NULL) == SETOSA_OK && file_lock_folder(path) >= 0) return true;
  rmdir(path);
  return false;
}

/* There is room for kernels, and the system runs what lies there. */
static bool suits(const char *base) {
  struct statvfs disk;
  return cache_folder_check_room(base, NULL) == SETOSA_OK && (statvfs(base, &disk) != 0 || (disk.f_flag & ST_NOEXEC) == 0);
}

/* The bases in the order of preference; those that do not suit come last, since what is needed may be there already. */
static bool find_slot(char *path, size_t size) {
  char base[PATH_MAX];
  const char *const temporary[] = {getenv("TMPDIR"), "/tmp", "/dev/shm"};
  const size_t count = sizeof temporary / sizeof *temporary;
  for (int last_resort = 0; last_resort <= 1; last_resort++) {
    if (cache_folder_find(base, sizeof base, "pocl", NULL) == SETOSA_OK && suits(base) == !last_resort && reserve_slot(path, size, base))
      return true;
    for (size_t i = 0; i < count; i++)
      if (temporary_base(base, sizeof base, temporary[i]) && suits(base) == !last_resort && reserve_slot(path, size, base)) return true;
  }
  for (size_t i = 0; i < count; i++)
    if (passing_folder(path, size, temporary[i])) return true;
  return false;
}

void pocl_cache_prepare(void) {
  char path[PATH_MAX];
  if (cache_folder_find(path, sizeof path, "", NULL) != SETOSA_OK) quirks_go_without_caches();
  bool this_process = false;
  const char *folder = getenv("POCL_CACHE_DIR"), *chosen = chosen_folder();
  if (chosen != NULL && cache_folder_check(chosen, NULL) == SETOSA_OK) return;
  if (folder != NULL && set_by(folder, &this_process) && this_process) return;
  hand_over(find_slot(path, sizeof path) ? path : "/dev/null/no-folder"); /* where nothing can be, not even another user's file */
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

__attribute__((destructor)) static void leave(void) {
  bool this_process = false;
  const char *folder = getenv("POCL_CACHE_DIR");
  if (folder == NULL || !set_by(folder, &this_process) || !this_process) return;
  if (is_passing(folder))
    remove_passing(folder);
  else
    pocl_slot_leave(folder);
}

/* ---- what can be said about it ----------------------------------------------------------------------------------- */

const char *pocl_cache_warning(void) {
  const char *folder = getenv("POCL_CACHE_DIR");
  bool none = folder == NULL || strncmp(folder, "/dev/null/", 10) == 0;
  return none ? "finds no folder that it can write to (set XDG_CACHE_HOME or TMPDIR to one)" : NULL;
}

/* As much as a compiler writes for one program, and more. errno says why not. */
static bool can_write(int folder) {
  static const char zeros[1 << 16];
  static const char name[] = "tempfile_setosa"; /* as PoCL's own: the next process removes it */
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return false;
  ssize_t written = 0;
  for (size_t done = 0; written >= 0 && done < 16 * sizeof zeros; done += (size_t)written) written = write(file, zeros, sizeof zeros);
  int failure = errno;
  close(file);
  unlinkat(folder, name, 0);
  errno = failure;
  return written >= 0;
}

int pocl_cache_failure(const char **path, bool thoroughly) {
  *path = getenv("POCL_CACHE_DIR");
  if (*path != NULL && !thoroughly && cache_folder_check_room(*path, NULL) == SETOSA_OK) return 0;
  int folder = *path != NULL ? open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  int failure = *path == NULL || (folder >= 0 && can_write(folder)) ? 0 : errno;
  if (folder >= 0) close(folder);
  return failure;
}

Status pocl_cache_check(Error *error) {
  const char *chosen = chosen_folder();
  Status status = chosen != NULL ? cache_folder_check(chosen, error) : SETOSA_OK;
  if (status != SETOSA_OK) error_prefix(error, "POCL_CACHE_DIR");
  return status;
}
