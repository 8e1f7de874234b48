/* Writing beside, syncing, renaming; and removing what writers that were killed have left. */
#include "base/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"

enum { NAMES_TRIED = 100, SHORT_NAME_BYTES = 80, PID_DIGITS = 7 /* Linux has none above 4194304 */ };

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* What a temporary of a target is called up to its number: the target's name, or where that is too long for the disk the beginning of it
 * and a hash of all of it. */
static Status name_beside(Text *stem, const char *name, bool shortened, Error *error) {
  size_t length = strlen(name);
  if (!shortened || length <= SHORT_NAME_BYTES) return text_append(stem, error, "%s", name);
  size_t kept = SHORT_NAME_BYTES;
  while (kept > 0 && ((unsigned char)name[kept] & 0xC0) == 0x80) kept--; /* never cut inside a UTF-8 character */
  return text_append(stem, error, "%.*s~%016llx", (int)kept, name, (unsigned long long)hash_bytes(name, length));
}

/* Behind a number as we write it, of so many digits at most; NULL: there is none. */
static const char *skip_number(const char *at, size_t most) {
  size_t digits = strspn(at, "0123456789");
  return digits > 0 && digits <= most && at[0] != '0' ? at + digits : NULL;
}

/* ".<pid>.tmp", or ".<pid>-<number>.tmp" for a further one of the same process. A date is no process: "x.20260131.tmp" is somebody's. */
static bool is_ending(const char *at) {
  if (at[0] != '.' || (at = skip_number(at + 1, PID_DIGITS)) == NULL) return false;
  if (at[0] == '-' && (at = skip_number(at + 1, 2)) == NULL) return false;
  return strcmp(at, ".tmp") == 0;
}

static bool is_beside(const char *entry, const char *stem) {
  size_t length = strlen(stem);
  return strncmp(entry, stem, length) == 0 && is_ending(entry + length);
}

static bool is_any_temporary(const char *entry) {
  for (const char *dot = strchr(entry, '.'); dot != NULL; dot = strchr(dot + 1, '.'))
    if (dot != entry && is_ending(dot)) return true;
  return false;
}

/* ---- what killed writers have left --------------------------------------------------------------------------------- */

/* Only a plain file of our own whose lock is free: whoever writes one holds it. */
static void remove_left_over(int folder, const char *name) {
  struct stat opened, named;
  int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int descriptor = openat(folder, name, O_RDWR | flags); /* a lock over NFS wants a file that may be written */
  if (descriptor < 0) descriptor = openat(folder, name, O_RDONLY | flags);
  if (descriptor < 0) return;
  bool ours = fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) && opened.st_uid == geteuid();
  if (ours && flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
    unlinkat(folder, name, 0);
  close(descriptor);
}

/* name NULL: of every target. A folder that cannot be listed is let be. */
static void sweep(int folder, const char *name) {
  Text whole = {0}, shortened = {0};
  int listed = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = listed >= 0 ? fdopendir(listed) : NULL;
  bool known =
      name == NULL || (name_beside(&whole, name, false, NULL) == SETOSA_OK && name_beside(&shortened, name, true, NULL) == SETOSA_OK);
  for (struct dirent *entry; known && listing != NULL && (entry = readdir(listing)) != NULL;)
    if (name == NULL ? is_any_temporary(entry->d_name) : is_beside(entry->d_name, whole.text) || is_beside(entry->d_name, shortened.text))
      remove_left_over(folder, entry->d_name);
  text_free(&whole);
  text_free(&shortened);
  if (listing != NULL)
    closedir(listing);
  else if (listed >= 0)
    close(listed);
}

void atomic_file_sweep_folder_of(const char *path) {
  char *folder_path = NULL;
  int folder = path_folder(&folder_path, path, NULL) == SETOSA_OK ? open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (folder >= 0) {
    sweep(folder, NULL);
    close(folder);
  }
  free(folder_path);
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

/* Locked before anybody could take the new file for one that was left: else it is gone, or about to be. */
static bool is_kept(int descriptor) {
  struct stat info;
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return fstat(descriptor, &info) == 0 && info.st_nlink > 0;
}

/* A new file beside the target, under a name that nobody has: what is there already, a link say, is neither written to nor followed. */
static Status create_beside(int *descriptor, AtomicFile *file, Error *error) {
  Status status = SETOSA_OK;
  Text stem = {0}, name = {0};
  bool shortened = false;
  *descriptor = -1;
  TRY(name_beside(&stem, path_last(file->path), shortened, error));
  for (int i = 0; i < NAMES_TRIED && *descriptor < 0; i++) {
    text_free(&name);
    TRY(text_append(&name, error, "%s.%ld", stem.text, (long)getpid()));
    if (i > 0) TRY(text_append(&name, error, "-%d", i));
    TRY(text_append(&name, error, ".tmp"));
    *descriptor = openat(file->folder, name.text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (*descriptor < 0 && errno == ENAMETOOLONG && !shortened) {
      shortened = true;
      text_free(&stem);
      TRY(name_beside(&stem, path_last(file->path), shortened, error));
    } else if (*descriptor < 0 && errno != EEXIST) {
      break;
    } else if (*descriptor >= 0 && !is_kept(*descriptor)) {
      close(*descriptor);
      *descriptor = -1;
      errno = EEXIST;
    }
  }
  if (*descriptor < 0) TRY(file_write_failed(error, file->path, "write"));
  file->temporary = name.text;
  name.text = NULL;
cleanup:
  text_free(&stem);
  text_free(&name);
  return status;
}

/* mode: of what is replaced; 0: nothing is. */
static Status open_beside(AtomicFile *file, mode_t mode, Error *error) {
  Status status = SETOSA_OK;
  char *folder = NULL;
  struct stat info;
  int descriptor = -1;
  const char *name = path_last(file->path);
  if (name[0] == '\0') return error_set(error, SETOSA_ERROR_WRITE, "%s: is a folder; name a file in it", file->path);
  TRY(path_folder(&folder, file->path, error));
  int opened = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) TRY(file_write_failed(error, file->path, "write"));
  file->folder = opened;
  /* Said now, not by the rename at the end of the work. */
  bool too_long = fstatat(opened, name, &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENAMETOOLONG;
  if (too_long) status = file_write_failed(error, file->path, "write");
  if (!too_long) {
    sweep(opened, name);
    status = create_beside(&descriptor, file, error);
  }
  if (status != SETOSA_OK) close(opened);
  TRY(status);
  file->stream = fdopen(descriptor, "wb");
  if (file->stream == NULL) {
    status = file_write_failed(error, file->path, "write");
    close(descriptor);
  } else if (mode != 0) {
    fchmod(descriptor, mode & 07777); /* failing that, the default serves */
  }
cleanup:
  free(folder);
  return status;
}

/* Whether a path without links leads to that file. Not so where it has no name any more, as /dev/stdout of a file that was removed. */
static bool leads_to(const char *path, const struct stat *info) {
  struct stat named;
  return lstat(path, &named) == 0 && named.st_dev == info->st_dev && named.st_ino == info->st_ino;
}

Status atomic_file_open(AtomicFile *file, const char *path, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  *file = (AtomicFile){0};
  bool there = stat(path, &info) == 0;
  if (there && S_ISDIR(info.st_mode)) TRY(error_set(error, SETOSA_ERROR_WRITE, "%s: is a folder; name a file in it", path));
  if (!there || S_ISREG(info.st_mode)) TRY(path_follow(&file->path, path, error));
  if (file->path != NULL && (!there || leads_to(file->path, &info))) {
    TRY(open_beside(file, there ? info.st_mode : 0, error));
  } else {
    /* A device or a pipe (/dev/null, /dev/stdout) cannot be renamed over. */
    free(file->path);
    file->path = NULL;
    TRY(memory_copy_text(&file->path, path, error));
    file->stream = fopen(path, "wb");
    if (file->stream == NULL) TRY(file_write_failed(error, path, "write"));
  }
cleanup:
  if (status != SETOSA_OK) atomic_file_abandon(file);
  return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

/* The rename is only durable once the folder is synced; a folder that cannot be opened or synced (some network disks) is let be. */
static void sync_folder(int folder) {
  int opened = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  fsync(opened);
  close(opened);
}

/* Renamed while it is open, and so locked: nobody takes it for one that was left. After a sync closing can lose nothing. */
static Status put_in_place(AtomicFile *file, Error *error) {
  if (fsync(fileno(file->stream)) != 0) return file_write_failed(error, file->path, "write");
  if (renameat(file->folder, file->temporary, file->folder, path_last(file->path)) != 0)
    return file_write_failed(error, file->path, "rename into place");
  sync_folder(file->folder);
  close(file->folder);
  free(file->temporary);
  file->temporary = NULL;
  return SETOSA_OK;
}

Status atomic_file_commit(AtomicFile *file, Error *error) {
  Status status = SETOSA_OK;
  if (fflush(file->stream) != 0 || ferror(file->stream)) {
    status = file_write_failed(error, file->path, "write");
  } else if (file->temporary != NULL) {
    status = put_in_place(file, error);
  } else {
    FILE *stream = file->stream;
    file->stream = NULL;
    if (fclose(stream) != 0) status = file_write_failed(error, file->path, "close");
  }
  atomic_file_abandon(file);
  return status;
}

void atomic_file_abandon(AtomicFile *file) {
  if (file->temporary != NULL) {
    unlinkat(file->folder, file->temporary, 0); /* before its lock goes */
    close(file->folder);
  }
  if (file->stream != NULL) fclose(file->stream);
  free(file->temporary);
  free(file->path);
  *file = (AtomicFile){0};
}
