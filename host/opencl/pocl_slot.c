/* What one process leaves in a slot and the next one finds. PoCL loads what lies there as code without a look at it, so a slot is used
 * again only when every file is as the last process left it when it ended as it should. Two sums over all files tell: one of what the file
 * system says (size, times, inode: a thousandth of a second), and one of what is in them, for slots that were copied or restored. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "opencl/internal.h"

/* Stands in a slot while a process uses it. Found by the next owner it means that the last one was killed or aborted, perhaps by what it
 * found in the slot: then the slot begins empty. */
static const char running_mark[] = "setosa-running";
/* Stands there when the process has ended: the sums. */
static const char sums_file[] = "setosa-files";

enum { DEPTH_MOST = 8, SUMS_BYTES = 128 };

/* Sums of hashes, so that the order in which a folder is listed does not matter. */
typedef struct Sums {
  uint64_t files, state, content;
} Sums;

/* PoCL keeps what it loads in folders: files beside them are ours, or left behind by it (tempfile_*). One it touches in every run. */
static bool is_counted(const char *name, const struct stat *info, int depth) {
  return !S_ISREG(info->st_mode) || (depth > 0 && strcmp(name, "last_accessed") != 0);
}

static uint64_t hash_pair(uint64_t a, uint64_t b) {
  const uint64_t pair[2] = {a, b};
  return hash_bytes(pair, sizeof pair);
}

static bool add_content(Sums *sums, uint64_t name, int folder, const char *entry) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  int descriptor = openat(folder, entry, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  FILE *stream = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
  if (stream == NULL) {
    if (descriptor >= 0) close(descriptor);
    return false;
  }
  bool good = file_read_stream(&bytes, &length, stream, entry, SIZE_MAX / 2, NULL) == SETOSA_OK;
  if (good) sums->content += hash_pair(name, hash_bytes(bytes, length));
  free(bytes);
  fclose(stream);
  return good;
}

static bool add_file(Sums *sums, uint64_t name, int folder, const char *entry, const struct stat *info, bool content) {
  const uint64_t state[] = {(uint64_t)info->st_size,        (uint64_t)info->st_ino,         (uint64_t)info->st_mode,
                            (uint64_t)info->st_uid,         (uint64_t)info->st_mtim.tv_sec, (uint64_t)info->st_mtim.tv_nsec,
                            (uint64_t)info->st_ctim.tv_sec, (uint64_t)info->st_ctim.tv_nsec};
  sums->files++;
  sums->state += hash_pair(name, hash_bytes(state, sizeof state));
  return S_ISREG(info->st_mode) && info->st_uid == geteuid() && (!content || add_content(sums, name, folder, entry));
}

/* Adds all files below an open folder (which is closed), whose path below the slot has the hash `path`. False when something is there that
 * PoCL makes none of (a link, say), or cannot be read. There may be a thousand folders, so each costs as few calls as it can. */
static bool add_folder(Sums *sums, uint64_t path, int folder, int depth, bool content) {
  DIR *listing = depth < DEPTH_MOST ? fdopendir(folder) : NULL;
  bool good = listing != NULL;
  for (struct dirent *entry; good && (entry = readdir(listing)) != NULL;) {
    struct stat info = {.st_mode = S_IFDIR};
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    uint64_t name = hash_pair(path, hash_bytes(entry->d_name, strlen(entry->d_name)));
    good = entry->d_type == DT_DIR || fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (good && !is_counted(entry->d_name, &info, depth)) continue;
    if (good && S_ISDIR(info.st_mode)) {
      int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      good = below >= 0 && add_folder(sums, name, below, depth + 1, content);
    } else if (good) {
      good = add_file(sums, name, folder, entry->d_name, &info, content);
    }
  }
  if (listing != NULL)
    closedir(listing);
  else
    close(folder);
  return good;
}

/* slot is a descriptor that stays open: it is a lock. */
static bool sum_up(Sums *sums, int slot, bool content) {
  int folder = openat(slot, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *sums = (Sums){0};
  return folder >= 0 && add_folder(sums, 0, folder, 0, content);
}

static bool is_empty(const Sums *sums) { return sums->files == 0; }

/* The two lines of the sums file; false when there is none or it is damaged. */
static bool read_sums(Sums *sums, const char *slot) {
  char path[4096], again[SUMS_BYTES];
  unsigned char *bytes = NULL;
  size_t length = 0;
  bool good =
      snprintf(path, sizeof path, "%s/%s", slot, sums_file) < (int)sizeof path &&
      cache_file_read(&bytes, &length, path, SUMS_BYTES - 1, NULL) == SETOSA_OK &&
      sscanf((const char *)bytes, "setosa files 1 %" SCNu64 " %" SCNx64 " %" SCNx64, &sums->files, &sums->state, &sums->content) == 3;
  if (good) {
    snprintf(again, sizeof again, "setosa files 1\n%" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", sums->files, sums->state, sums->content);
    good = strcmp(again, (const char *)bytes) == 0;
  }
  free(bytes);
  return good;
}

static void write_sums(const Sums *sums, int slot) {
  char text[SUMS_BYTES];
  int length =
      snprintf(text, sizeof text, "setosa files 1\n%" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", sums->files, sums->state, sums->content);
  int file = openat(slot, sums_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (write(file, text, (size_t)length) != length) unlinkat(slot, sums_file, 0); /* a full disk: the next process begins anew */
  close(file);
}

/* Nothing there, or all as it was left. */
static bool is_as_left(int slot, const char *path) {
  Sums left, found;
  if (!sum_up(&found, slot, false)) return false;
  if (is_empty(&found)) return true;
  if (!read_sums(&left, path)) return false;
  if (found.files == left.files && found.state == left.state) return true;
  return sum_up(&found, slot, true) && found.files == left.files && found.content == left.content;
}

/* Every process leaves a tempfile_* of PoCL behind. The slot is ours alone now, so older ones can go. */
static void remove_leftovers(int slot) {
  int folder = openat(slot, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = folder >= 0 ? fdopendir(folder) : NULL;
  if (listing == NULL) {
    if (folder >= 0) close(folder);
    return;
  }
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
    if (strncmp(entry->d_name, "tempfile_", 9) == 0) unlinkat(slot, entry->d_name, 0);
  closedir(listing);
}

static bool mark_running(int slot) {
  int mark = openat(slot, running_mark, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (mark >= 0) close(mark);
  return mark >= 0;
}

int pocl_slot_take(const char *path, bool *usable) {
  struct stat info;
  *usable = false;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return FOLDER_UNLOCKABLE;
  int slot = file_lock_folder(path);
  if (slot < 0) return slot;
  if (fstat(slot, &info) != 0 || info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return slot;
  remove_leftovers(slot);
  bool orderly = faccessat(slot, running_mark, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && is_as_left(slot, path);
  *usable = (orderly || file_remove_below(path, NULL, NULL) == SETOSA_OK) && mark_running(slot);
  return slot;
}

void pocl_slot_leave(const char *path) {
  Sums left, now;
  int slot = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (slot < 0) return;
  bool known = sum_up(&now, slot, false);
  bool same = known && read_sums(&left, path) && left.files == now.files && left.state == now.state;
  if (known && !same && sum_up(&now, slot, true)) write_sums(&now, slot);
  unlinkat(slot, running_mark, 0);
  close(slot);
}
