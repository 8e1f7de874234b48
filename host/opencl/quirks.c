/* Everything Setosa does for one device or driver in particular: no other file asks for its name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "opencl/gemm.h"
#include "opencl/internal.h"

/* ---- PoCL's folders ---------------------------------------------------------------------------------------------- */

/* PoCL: processes must not share a kernel cache, yet a cache that lasts makes the next run start ten times faster. So each process
 * locks the first free of the folders <cache>/pocl/slot-0, slot-1, ... for its life and hands it to PoCL. The lock is on the folder
 * itself and goes with the process, however it ends. */
enum { SLOT_LIMIT = 1000 };

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
    int folder = file_lock_folder(path);
    if (folder == FOLDER_UNLOCKABLE) return false;
    if (folder == FOLDER_BUSY) continue;
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

bool quirks_binaries_useful(const DeviceRecord *device) {
  /* PoCL: asking for a binary compiles every kernel of the program for work-groups of any size: 3 to 4 s on top of 1 s, for code that
   * is slower than the code for one size. Its own cache (above) brings a program back in 0.1 s. */
  return strcmp(device->info.platform, "Portable Computing Language") != 0;
}

/* ---- CLBlast's parameters, where its own database has none that fit ---------------------------------------------------- */

/* PoCL on a CPU, found by a search on an AMD EPYC (Zen 4) with PoCL 3.1 and CLBlast 1.5.3; bench/LOG.md has the numbers. One work-item
 * a group and no local memory, as in our own kernels: a tile of 16 x 8 sums in registers, vectors of 8. Up to about 64 columns copying X
 * costs more than the faster tile saves. XgemmDirect is never used
 * (min_indirect_size 0), so it has the tiles that compile fastest. */
static const GemmParameters cpu_parameters = {.tiles = {[GEMM_GEMMK] = 0,
                                                        [GEMM_KREG] = 1,
                                                        [GEMM_KWG] = 16,
                                                        [GEMM_KWI] = 2,
                                                        [GEMM_MDIMA] = 1,
                                                        [GEMM_MDIMC] = 1,
                                                        [GEMM_MWG] = 16,
                                                        [GEMM_NDIMB] = 1,
                                                        [GEMM_NDIMC] = 1,
                                                        [GEMM_NWG] = 8,
                                                        [GEMM_VWM] = 8,
                                                        [GEMM_VWN] = 1},
                                              .row_tiles = {[GEMM_GEMMK] = 1,
                                                            [GEMM_KREG] = 8,
                                                            [GEMM_KWG] = 1,
                                                            [GEMM_KWI] = 1,
                                                            [GEMM_MDIMA] = 1,
                                                            [GEMM_MDIMC] = 1,
                                                            [GEMM_MWG] = 8,
                                                            [GEMM_NDIMB] = 1,
                                                            [GEMM_NDIMC] = 1,
                                                            [GEMM_NWG] = 8,
                                                            [GEMM_VWM] = 8,
                                                            [GEMM_VWN] = 8},
                                              .row_columns = 64,
                                              .direct_tiles = {[GEMM_KWID] = 1,
                                                               [GEMM_MDIMAD] = 8,
                                                               [GEMM_MDIMCD] = 8,
                                                               [GEMM_NDIMBD] = 8,
                                                               [GEMM_NDIMCD] = 8,
                                                               [GEMM_VWMD] = 1,
                                                               [GEMM_VWND] = 1,
                                                               [GEMM_WGD] = 8},
                                              .min_indirect_size = 0};

/* NVIDIA from Ampere on: what CLBlast's database (1.5.3, src/database/kernels) has for the A100, given to every NVIDIA device, since it
 * knows none of the later ones and would take the defaults of much older cards. Not measured by us: no such card was at hand. XgemmDirect
 * (local memory, no copy of X) up to about 2000 cubed operations, as measured there. */
static const GemmParameters nvidia_parameters = {.tiles = {[GEMM_GEMMK] = 0,
                                                           [GEMM_KREG] = 1,
                                                           [GEMM_KWG] = 32,
                                                           [GEMM_KWI] = 2,
                                                           [GEMM_MDIMA] = 8,
                                                           [GEMM_MDIMC] = 8,
                                                           [GEMM_MWG] = 32,
                                                           [GEMM_NDIMB] = 16,
                                                           [GEMM_NDIMC] = 16,
                                                           [GEMM_NWG] = 64,
                                                           [GEMM_SA] = 1,
                                                           [GEMM_SB] = 1,
                                                           [GEMM_VWM] = 4,
                                                           [GEMM_VWN] = 4},
                                                 .direct_tiles = {[GEMM_KWID] = 8,
                                                                  [GEMM_MDIMAD] = 8,
                                                                  [GEMM_MDIMCD] = 16,
                                                                  [GEMM_NDIMBD] = 32,
                                                                  [GEMM_NDIMCD] = 16,
                                                                  [GEMM_PADA] = 1,
                                                                  [GEMM_PADB] = 1,
                                                                  [GEMM_VWMD] = 2,
                                                                  [GEMM_VWND] = 1,
                                                                  [GEMM_WGD] = 32},
                                                 .min_indirect_size = 1984};

const GemmParameters *gemm_known_parameters(const Context *context) {
  const SetosaDeviceInfo *info = &context->device.info;
  if (info->type == SETOSA_DEVICE_CPU) return &cpu_parameters;
  return strncasecmp(info->vendor, "NVIDIA", 6) == 0 ? &nvidia_parameters : NULL;
}
