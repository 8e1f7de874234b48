/* Who may have a hand in the cache: the way to the folder and the folder itself are looked at one by one, from the root down, and what is
 * missing is made only below what has been looked at. */
#include "base/cache_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LINKS_MOST = 40, ROOM_BYTES = 32 << 20 };

static const char choose_another[] = "choose a folder of your own";

/* ---- one folder -------------------------------------------------------------------------------------------------- */

static bool group_is_own(const struct stat *info) { return info->st_uid == geteuid() && info->st_gid == getegid(); }

static Status refuse_owner(const char *path, const struct stat *info, Error *error) {
  return error_set(error, SETOSA_ERROR_WRITE, "%s belongs to another user (id %ld), who could change what is in it; %s", path,
                   (long)info->st_uid, choose_another);
}

static Status refuse_mode(const char *path, const struct stat *info, Error *error) {
  return error_set(error, SETOSA_ERROR_WRITE, "%s can be written by others (mode %04o); run `chmod go-w` on it, or %s", path,
                   (unsigned)info->st_mode & 07777, choose_another);
}

static Status refuse_kind(const char *path, const char *what, Error *error) {
  return error_set(error, SETOSA_ERROR_WRITE, "%s is %s; %s", path, what, choose_another);
}

/* A folder on the way: nobody else may replace what the way leads to. A sticky one, as /tmp is, lets everybody add, and nobody replace what
 * is another's. A user's own group is the user: many systems make one for each, and let it write. */
static Status check_on_the_way(const char *path, const struct stat *info, Error *error) {
  if (!S_ISDIR(info->st_mode)) return refuse_kind(path, "no folder", error);
  if (info->st_uid != geteuid() && info->st_uid != 0) return refuse_owner(path, info, error);
  bool others = (info->st_mode & S_IWOTH) != 0 || ((info->st_mode & S_IWGRP) != 0 && !group_is_own(info));
  return others && (info->st_mode & S_ISVTX) == 0 ? refuse_mode(path, info, error) : SETOSA_OK;
}

/* The folder that files are in. */
static Status check_own(const char *path, const struct stat *info, bool group_may_write, Error *error) {
  if (S_ISLNK(info->st_mode)) return refuse_kind(path, "a link", error);
  if (!S_ISDIR(info->st_mode)) return refuse_kind(path, "no folder", error);
  if (info->st_uid != geteuid()) return refuse_owner(path, info, error);
  mode_t others = group_may_write && group_is_own(info) ? S_IWOTH : S_IWGRP | S_IWOTH;
  return (info->st_mode & others) != 0 ? refuse_mode(path, info, error) : SETOSA_OK;
}

static Status cannot(const char *doing, const char *path, Error *error) {
  const char *remedy =
      errno == ENOSPC || errno == EDQUOT ? "free some space, or choose another folder" : "choose a folder that you can write to";
  return error_set(error, SETOSA_ERROR_WRITE, "%s: cannot %s: %s; %s", path, doing, strerror(errno), remedy);
}

static Status too_long(Error *error) {
  return error_set(error, SETOSA_ERROR_WRITE, "the path of the cache folder is too long; choose a shorter one");
}

/* info->st_mode is 0 where nothing is and nothing was to be created. */
static Status look_at(struct stat *info, const char *path, bool create, Error *error) {
  if (lstat(path, info) == 0) return SETOSA_OK;
  info->st_mode = 0;
  if (errno != ENOENT) return cannot("look at the folder", path, error);
  if (!create) return SETOSA_OK;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return cannot("create the folder", path, error);
  return lstat(path, info) == 0 ? SETOSA_OK : cannot("look at the folder", path, error);
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

/* path begins with a link that ends where `rest` begins: puts what the link says in its place. */
static Status follow_link(char path[PATH_MAX], const char *rest, const struct stat *info, Error *error) {
  char target[PATH_MAX], whole[PATH_MAX];
  if (info->st_uid != geteuid() && info->st_uid != 0) return refuse_owner(path, info, error);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0) return cannot("follow the link", path, error);
  target[length] = '\0';
  size_t folder = target[0] == '/' ? 0 : (size_t)(strrchr(path, '/') + 1 - path);
  if (folder + (size_t)length + 1 + strlen(rest) >= sizeof whole) return too_long(error);
  memcpy(whole, path, folder);
  memcpy(whole + folder, target, (size_t)length);
  whole[folder + (size_t)length] = '/'; /* two in a row are one */
  strcpy(whole + folder + (size_t)length + 1, rest);
  strcpy(path, whole);
  return SETOSA_OK;
}

/* Looks at every folder of an absolute path, puts targets in the place of links, and creates what is missing, or ends there. */
static Status walk(char path[PATH_MAX], bool create, Error *error) {
  int links = 0;
  for (size_t end = 1;;) {
    struct stat info;
    char kept = path[end];
    path[end] = '\0';
    Status status = look_at(&info, path, create, error);
    if (status == SETOSA_OK && S_ISLNK(info.st_mode)) {
      char rest[PATH_MAX];
      rest[0] = kept;
      strcpy(rest + 1, kept != '\0' ? path + end + 1 : "");
      status = ++links > LINKS_MOST ? refuse_kind(path, "a link in a circle", error) : follow_link(path, rest, &info, error);
      if (status != SETOSA_OK) return status;
      end = 1;
      continue;
    }
    bool missing = status == SETOSA_OK && info.st_mode == 0;
    if (status == SETOSA_OK && !missing) status = check_on_the_way(path, &info, error);
    if (status != SETOSA_OK) return status;
    path[end] = kept;
    if (missing) break;
    end += strspn(path + end, "/");
    if (path[end] == '\0') break;
    end += strcspn(path + end, "/");
  }
  for (size_t length = strlen(path); length > 1 && path[length - 1] == '/';) path[--length] = '\0';
  return SETOSA_OK;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

static Status find_base(char path[PATH_MAX], Error *error) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  struct stat info;
  int length = 0;
  if (cache != NULL && cache[0] == '/') { /* the XDG specification: a relative path is to be ignored */
    length = snprintf(path, PATH_MAX, "%s", cache);
  } else if (home != NULL && home[0] == '/') {
    if (stat(home, &info) != 0) return cannot("find the home folder", home, error); /* it is not ours to create */
    length = snprintf(path, PATH_MAX, "%s/.cache", home);
  } else {
    return error_set(error, SETOSA_ERROR_WRITE, "no cache folder: neither XDG_CACHE_HOME nor HOME is set; choose one");
  }
  return length < 0 || length >= PATH_MAX ? too_long(error) : SETOSA_OK;
}

/* Appends "/name", a folder of our own. */
static Status enter(char path[PATH_MAX], const char *name, size_t name_length, Error *error) {
  struct stat info;
  size_t length = strlen(path);
  if (length + 1 + name_length >= PATH_MAX) return too_long(error);
  if (length > 1) path[length++] = '/';
  memcpy(path + length, name, name_length);
  path[length + name_length] = '\0';
  Status status = look_at(&info, path, true, error);
  return status == SETOSA_OK ? check_own(path, &info, false, error) : status;
}

static Status give_path(char *path, size_t size, const char *found, Error *error) {
  if (strlen(found) >= size) return too_long(error);
  strcpy(path, found);
  return SETOSA_OK;
}

/* The remedies say "choose a folder"; here, how. */
static void name_variable(Error *error) {
  static const char how[] = " with XDG_CACHE_HOME";
  size_t length = error != NULL ? strlen(error->message) : 0;
  if (error != NULL && length + sizeof how <= sizeof error->message) memcpy(error->message + length, how, sizeof how);
}

Status cache_folder_find(char *path, size_t size, const char *folder, Error *error) {
  Status status = SETOSA_OK;
  char found[PATH_MAX];
  TRY(find_base(found, error));
  TRY(walk(found, true, error));
  TRY(enter(found, "setosa", strlen("setosa"), error));
  for (size_t length; *folder != '\0'; folder += length + (folder[length] == '/')) {
    length = strcspn(folder, "/");
    TRY(enter(found, folder, length, error));
  }
  TRY(give_path(path, size, found, error));
cleanup:
  if (status != SETOSA_OK) name_variable(error);
  return status;
}

/* An absolute path of the same folder. */
static Status make_absolute(char path[PATH_MAX], const char *named, Error *error) {
  char here[PATH_MAX] = "";
  if (named[0] != '/' && getcwd(here, sizeof here) == NULL) return cannot("find the folder this runs in for", named, error);
  int length = snprintf(path, PATH_MAX, "%s%s%s", here, named[0] != '/' ? "/" : "", named);
  return length < 0 || length >= PATH_MAX ? too_long(error) : SETOSA_OK;
}

static Status find_own(char found[PATH_MAX], const char *named, bool create, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  if (*named == '\0') return error_set(error, SETOSA_ERROR_WRITE, "a folder without a name cannot be created; name it");
  TRY(make_absolute(found, named, error));
  TRY(walk(found, create, error));
  TRY(look_at(&info, found, false, error));
  if (info.st_mode != 0) TRY(check_own(found, &info, true, error));
cleanup:
  return status;
}

Status cache_folder_find_named(char *path, size_t size, const char *named, Error *error) {
  char found[PATH_MAX];
  Status status = find_own(found, named, true, error);
  return status == SETOSA_OK ? give_path(path, size, found, error) : status;
}

Status cache_folder_check(const char *path, Error *error) {
  char found[PATH_MAX];
  return find_own(found, path, false, error);
}

static Status check_below(const char *path, int depth, Error *error) {
  Status status = SETOSA_OK;
  DIR *listing = opendir(path);
  if (listing == NULL) return cannot("list the folder", path, error);
  for (struct dirent *entry; status == SETOSA_OK && (entry = readdir(listing)) != NULL;) {
    char below[PATH_MAX];
    struct stat info;
    if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) continue;
    int length = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    if (length < 0 || (size_t)length >= sizeof below || lstat(below, &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    status = check_own(below, &info, false, error);
    if (status == SETOSA_OK && depth > 1) status = check_below(below, depth - 1, error);
  }
  closedir(listing);
  return status;
}

Status cache_folder_check_below(const char *path, Error *error) {
  Status status = check_below(path, 2, error);
  if (status != SETOSA_OK) name_variable(error);
  return status;
}

Status cache_folder_check_room(const char *path, Error *error) {
  struct statvfs disk;
  Status status = SETOSA_OK;
  if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
    status = cannot("write to the folder", path, error);
  else if (statvfs(path, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < ROOM_BYTES)
    status = error_set(error, SETOSA_ERROR_WRITE, "%s: its disk is full; free some space, or choose another folder", path);
  if (status != SETOSA_OK) name_variable(error);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The folder of a file, looked at once more; *name is the rest of the path. */
static int open_folder_of(const char *path, const char **name) {
  char folder[PATH_MAX];
  struct stat info;
  const char *slash = strrchr(path, '/');
  if (slash == NULL || (size_t)(slash - path) + 1 >= sizeof folder) {
    errno = EINVAL;
    return -1;
  }
  memcpy(folder, path, (size_t)(slash - path) + 1);
  folder[slash - path + (slash == path)] = '\0';
  *name = slash + 1;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0 || (fstat(descriptor, &info) == 0 && check_own(folder, &info, true, NULL) == SETOSA_OK)) return descriptor;
  close(descriptor);
  errno = EPERM;
  return -1;
}

static bool is_own_file(const struct stat *info) {
  return S_ISREG(info->st_mode) && info->st_uid == geteuid() && (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int cache_file_open(const char *path, int flags) {
  struct stat info;
  const char *name = NULL;
  int folder = open_folder_of(path, &name);
  if (folder < 0) return -1;
  int descriptor = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600), failure = errno;
  close(folder);
  if (descriptor >= 0 && (fstat(descriptor, &info) != 0 || !is_own_file(&info))) {
    close(descriptor);
    descriptor = -1;
    failure = EPERM;
  }
  errno = failure;
  return descriptor;
}

Status cache_file_read(unsigned char **bytes, size_t *length, const char *path, size_t limit, Error *error) {
  *bytes = NULL;
  *length = 0;
  int descriptor = cache_file_open(path, O_RDONLY);
  FILE *stream = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
  if (stream == NULL) {
    Status status = error_set(error, SETOSA_ERROR_DATA, "%s: cannot open: %s; check the path", path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    return status;
  }
  Status status = file_read_stream(bytes, length, stream, path, limit, error);
  fclose(stream);
  return status;
}

/* A link there would have the file written elsewhere, and another's file would stay another's. */
static Status remove_foreign(const char *path, Error *error) {
  struct stat info;
  const char *name = NULL;
  int folder = open_folder_of(path, &name);
  if (folder < 0) return cannot("write", path, error);
  bool foreign = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && !is_own_file(&info);
  Status status = foreign && unlinkat(folder, name, 0) != 0 ? cannot("replace", path, error) : SETOSA_OK;
  close(folder);
  return status;
}

Status cache_file_begin(AtomicFile *file, const char *path, Error *error) {
  Status status = SETOSA_OK;
  *file = (AtomicFile){0};
  TRY(remove_foreign(path, error));
  TRY(atomic_file_open(file, path, error));
  atomic_file_sweep_folder_of(path);
  if (fchmod(fileno(file->stream), 0600) != 0) status = cannot("write", path, error); /* whatever the umask says, it shall be found ours */
cleanup:
  if (status != SETOSA_OK) atomic_file_abandon(file);
  return status;
}
