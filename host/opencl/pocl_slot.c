/* What one process leaves in a slot and the next one finds. PoCL loads what lies there as code without a look at it, so a slot is used
 * again only when every file is as the last process left it when it ended as it should. A record says how that was: the paths of all
 * folders and files, a sum of what the file system says of them (size, times, inode: asking costs a microsecond each), and one of what is
 * in the files, for slots that were copied or restored. */
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
/* Stands there when the process has ended. */
static const char record_file[] = "setosa-files";

enum { DEPTH_MOST = 8, RECORD_HEAD = 160, RECORD_LIMIT_BYTES = 1 << 26 };

/* The sums are of hashes, so that the order in which a folder is listed does not matter. */
typedef struct Record {
  uint64_t tops;           /* entries of the slot itself that count: a new one among them shows in no other folder */
  uint64_t state, content; /* sums */
  Text paths;              /* below the slot, each ended by a line feed */
} Record;

/* PoCL keeps what it loads in folders: files beside them are ours, or left behind by it (tempfile_*). One it touches in every run. */
static bool is_counted(const char *name, const struct stat *info, bool top) {
  return !S_ISREG(info->st_mode) || (!top && strcmp(name, "last_accessed") != 0);
}

static uint64_t hash_pair(uint64_t a, uint64_t b) {
  const uint64_t pair[2] = {a, b};
  return hash_bytes(pair, sizeof pair);
}

static uint64_t hash_state(const char *path, size_t length, const struct stat *info) {
  const uint64_t state[] = {S_ISDIR(info->st_mode) ? 0 : (uint64_t)info->st_size,
                            (uint64_t)info->st_ino,
                            (uint64_t)info->st_mode,
                            (uint64_t)info->st_uid,
                            (uint64_t)info->st_mtim.tv_sec,
                            (uint64_t)info->st_mtim.tv_nsec,
                            (uint64_t)info->st_ctim.tv_sec,
                            (uint64_t)info->st_ctim.tv_nsec};
  return hash_pair(hash_bytes(path, length), hash_bytes(state, sizeof state));
}

/* ---- making a record --------------------------------------------------------------------------------------------- */

static bool hash_file(uint64_t *hash, int slot, const char *path) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  int descriptor = openat(slot, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  FILE *stream = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
  if (stream == NULL) {
    if (descriptor >= 0) close(descriptor);
    return false;
  }
  bool good = file_read_stream(&bytes, &length, stream, path, SIZE_MAX / 2, NULL) == SETOSA_OK;
  if (good) *hash = hash_bytes(bytes, length);
  free(bytes);
  fclose(stream);
  return good;
}

static bool add_folder(Record *record, int slot, const char *path, int depth);

/* False when it is nothing that PoCL makes (a link, say), or cannot be read. */
static bool add_entry(Record *record, int slot, const char *path, const struct stat *info, int depth) {
  uint64_t content = 0;
  size_t length = strlen(path);
  if (info->st_uid != geteuid() || strchr(path, '\n') != NULL) return false;
  if (text_append(&record->paths, NULL, "%s\n", path) != SETOSA_OK) return false;
  record->state += hash_state(path, length, info);
  if (S_ISDIR(info->st_mode)) return add_folder(record, slot, path, depth + 1);
  if (!S_ISREG(info->st_mode) || !hash_file(&content, slot, path)) return false;
  record->content += hash_pair(hash_bytes(path, length), content);
  return true;
}

/* path "": the slot itself. */
static bool add_folder(Record *record, int slot, const char *path, int depth) {
  bool top = path[0] == '\0', good = depth < DEPTH_MOST;
  int folder = good ? openat(slot, top ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  DIR *listing = folder >= 0 ? fdopendir(folder) : NULL;
  if (listing == NULL) {
    if (folder >= 0) close(folder);
    return false;
  }
  for (struct dirent *entry; good && (entry = readdir(listing)) != NULL;) {
    struct stat info;
    Text below = {0};
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    good = fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!good || !is_counted(entry->d_name, &info, top)) continue;
    record->tops += top;
    good = text_append(&below, NULL, "%s%s%s", path, top ? "" : "/", entry->d_name) == SETOSA_OK &&
           add_entry(record, slot, below.text, &info, depth);
    text_free(&below);
  }
  closedir(listing);
  return good;
}

static bool record_make(Record *record, int slot) {
  *record = (Record){0};
  return add_folder(record, slot, "", 0);
}

/* ---- its file ---------------------------------------------------------------------------------------------------- */

static void write_head(char text[RECORD_HEAD], const Record *record) {
  snprintf(text, RECORD_HEAD, "setosa files 2\n%" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", record->tops, record->state, record->content);
}

/* False when there is none, or it is damaged. What is damaged in the paths shows in the sum. */
static bool record_read(Record *record, const char *slot) {
  char path[4096], head[RECORD_HEAD];
  unsigned char *bytes = NULL;
  size_t length = 0;
  *record = (Record){0};
  bool good =
      snprintf(path, sizeof path, "%s/%s", slot, record_file) < (int)sizeof path &&
      cache_file_read(&bytes, &length, path, RECORD_LIMIT_BYTES, NULL) == SETOSA_OK &&
      sscanf((const char *)bytes, "setosa files 2 %" SCNu64 " %" SCNx64 " %" SCNx64, &record->tops, &record->state, &record->content) == 3;
  if (good) {
    write_head(head, record);
    good = strncmp(head, (const char *)bytes, strlen(head)) == 0 &&
           text_append(&record->paths, NULL, "%s", (const char *)bytes + strlen(head)) == SETOSA_OK;
  }
  free(bytes);
  return good;
}

static void record_write(const Record *record, int slot) {
  char head[RECORD_HEAD];
  write_head(head, record);
  int descriptor = openat(slot, record_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  FILE *file = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
  if (file == NULL) {
    if (descriptor >= 0) close(descriptor);
    return;
  }
  bool good = fputs(head, file) >= 0 && (record->paths.length == 0 || fputs(record->paths.text, file) >= 0);
  if (fclose(file) != 0 || !good) unlinkat(slot, record_file, 0); /* a full disk: the next process begins anew */
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static bool count_tops(uint64_t *tops, int slot) {
  int folder = openat(slot, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = folder >= 0 ? fdopendir(folder) : NULL;
  *tops = 0;
  if (listing == NULL) {
    if (folder >= 0) close(folder);
    return false;
  }
  for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
    struct stat info;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    *tops += fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || is_counted(entry->d_name, &info, true);
  }
  closedir(listing);
  return true;
}

/* Whether the file system says the same of everything: nothing was written, nothing came, nothing went. Takes the ends of lines out. */
static bool state_is(Record *left, int slot) {
  uint64_t tops = 0, state = 0, listed = 0;
  if (!count_tops(&tops, slot) || tops != left->tops) return false;
  for (char *path = left->paths.text, *end; path != NULL && (end = strchr(path, '\n')) != NULL; path = end + 1) {
    struct stat info;
    *end = '\0';
    if (fstatat(slot, path, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
    state += hash_state(path, (size_t)(end - path), &info);
    listed += strchr(path, '/') == NULL;
  }
  return state == left->state && listed == tops;
}

/* Nothing there, or all as it was left. */
static bool is_as_left(int slot, const char *path) {
  Record left = {0}, found = {0};
  uint64_t tops = 0;
  bool good = count_tops(&tops, slot) && tops == 0;
  if (!good && record_read(&left, path))
    good = state_is(&left, slot) || (record_make(&found, slot) && found.tops == left.tops && found.content == left.content);
  text_free(&left.paths);
  text_free(&found.paths);
  return good;
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
  Record left = {0}, now = {0};
  int slot = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (slot < 0) return;
  bool same = record_read(&left, path) && state_is(&left, slot);
  if (!same && record_make(&now, slot)) record_write(&now, slot);
  unlinkat(slot, running_mark, 0);
  text_free(&left.paths);
  text_free(&now.paths);
  close(slot);
}
