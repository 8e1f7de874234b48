/* Verdicts on drivers. A file is only believed while everything that it was made from has the stamps that it had. */
#include "opencl/verdict.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

/* The first line, and the last: a file without it is not whole. */
static const char heading[] = "driver verdict 1", ending[] = "end";
enum { FILE_LIMIT = 1 << 16, HANG_SECONDS = 3600 };

/* Installing a library changes this file: then what a driver needs may be another, too. */
static const char linker_cache[] = "/etc/ld.so.cache";

/* ---- names ------------------------------------------------------------------------------------------------------------ */

/* The environment is part of the name: what a driver does depends on it. What only chooses drivers or a folder is not. */
static bool changes_drivers(const char *variable) {
  static const char *const others[] = {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "OCL_ICD_FILENAMES", "POCL_CACHE_DIR"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(variable, others[i]) == 0) return false;
  return true;
}

static bool verdict_path(char *path, size_t size, const Vendor *vendor) {
  char folder[PATH_MAX], hex[HASH_HEX_SIZE], limits[512];
  Hash *hash = NULL;
  if (vendor->library == NULL || cache_folder_find(folder, sizeof folder, "drivers", NULL) != SETOSA_OK) return false;
  if (hash_create(&hash, NULL) != SETOSA_OK) return false;
  hash_add_text(hash, SETOSA_VERSION);
  hash_add_text(hash, vendor->library);
  for (const char *const *name = vendors_variables(); *name != NULL; name++)
    if (changes_drivers(*name)) hash_add_text(hash, getenv(*name) != NULL ? getenv(*name) : "");
  limits_name(limits, sizeof limits);
  hash_add_text(hash, limits); /* a driver that works may not do so in little memory */
  hash_hex(hash, hex);
  hash_destroy(hash);
  int length = snprintf(path, size, "%s/%s.txt", folder, hex);
  return length > 0 && (size_t)length < size;
}

/* "DEVICE INODE BYTES MODIFIED CHANGED", or "none" for a file that is not there. */
static void stamp(char *text, size_t size, const char *path) {
  struct stat info;
  snprintf(text, size, "none");
  if (stat(path, &info) != 0) return;
  snprintf(text, size, "%ju %ju %jd %jd.%09ld %jd.%09ld", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino, (intmax_t)info.st_size,
           (intmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec, (intmax_t)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* Cuts the next part off *rest, up to `end`. */
static char *take(char **rest, char end) {
  char *part = *rest, *at = strchr(part, end);
  *rest = at != NULL ? at + 1 : part + strlen(part);
  if (at != NULL) *at = '\0';
  return part;
}

static bool read_lost(Verdict *verdict, char *rest) {
  const char *platform = take(&rest, '\t'), *name = take(&rest, '\t');
  return verdict_add_lost(verdict, platform, name, rest, NULL) == SETOSA_OK;
}

/* One line, "KIND VALUE"; false when it says that the file is of no use. */
static bool read_line(Verdict *verdict, char *line) {
  char now[160];
  char *rest = line;
  const char *kind = take(&rest, ' ');
  if (strcmp(kind, "stamp") == 0) {
    const char *then = take(&rest, '\t');
    stamp(now, sizeof now, rest);
    return strcmp(now, then) == 0;
  }
  if (strcmp(kind, "seconds") == 0) return text_parse_double(rest, strlen(rest), &verdict->seconds);
  if (strcmp(kind, "library") == 0) return memory_copy_text(&verdict->library, rest, NULL) == SETOSA_OK;
  if (strcmp(kind, "failure") == 0) return memory_copy_text(&verdict->failure, rest, NULL) == SETOSA_OK;
  if (strcmp(kind, "lost") == 0) return read_lost(verdict, rest);
  if (strcmp(kind, "crashed") == 0) return verdict->crashed = true;
  if (strcmp(kind, "hung") == 0) return verdict->hung = true;
  return false;
}

static bool read_lines(Verdict *verdict, char *text) {
  if (strcmp(take(&text, '\n'), heading) != 0) return false;
  for (;;) {
    char *line = take(&text, '\n');
    if (strcmp(line, ending) == 0) return *text == '\0';
    if (!read_line(verdict, line)) return false;
  }
}

static bool still_holds(const Verdict *verdict, const char *path, double seconds) {
  struct stat info;
  if (verdict->crashed) return false;
  if (!verdict->hung) return true;
  return verdict->seconds >= seconds && stat(path, &info) == 0 && time(NULL) - info.st_mtim.tv_sec < HANG_SECONDS;
}

bool verdict_recall(Verdict *verdict, const Vendor *vendor, double seconds, bool final) {
  char path[PATH_MAX];
  unsigned char *bytes = NULL;
  size_t length = 0;
  if (!verdict_path(path, sizeof path, vendor) || cache_file_read(&bytes, &length, path, FILE_LIMIT, NULL) != SETOSA_OK) return false;
  bool known = read_lines(verdict, (char *)bytes) && (final || still_holds(verdict, path, seconds));
  free(bytes);
  if (!known) verdict_free(verdict);
  verdict->known = known;
  return known;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static void write_stamp(FILE *stream, const char *path) {
  char text[160];
  stamp(text, sizeof text, path);
  fprintf(stream, "stamp %s\t%s\n", text, path);
}

void verdict_remember(const Verdict *verdict, const Vendor *vendor) {
  char path[PATH_MAX];
  AtomicFile file = {0};
  if (!verdict_path(path, sizeof path, vendor) || cache_file_begin(&file, path, NULL) != SETOSA_OK) return;
  fprintf(file.stream, "%s\n", heading);
  write_stamp(file.stream, linker_cache);
  if (verdict->library != NULL) write_stamp(file.stream, verdict->library);
  if (strchr(vendor->library, '/') != NULL) write_stamp(file.stream, vendor->library);
  fprintf(file.stream, "seconds %g\n", verdict->seconds);
  if (verdict->crashed) fputs("crashed\n", file.stream);
  if (verdict->hung) fputs("hung\n", file.stream);
  if (verdict->library != NULL) fprintf(file.stream, "library %s\n", verdict->library);
  if (verdict->failure != NULL) fprintf(file.stream, "failure %s\n", verdict->failure);
  for (size_t i = 0; i < verdict->lost_count; i++)
    fprintf(file.stream, "lost %s\t%s\t%s\n", verdict->lost[i].platform, verdict->lost[i].name, verdict->lost[i].why);
  fprintf(file.stream, "%s\n", ending);
  if (atomic_file_commit(&file, NULL) != SETOSA_OK) atomic_file_abandon(&file);
}

Status verdict_add_lost(Verdict *verdict, const char *platform, const char *name, const char *why, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_grow((void **)&verdict->lost, &verdict->lost_capacity, verdict->lost_count + 1, sizeof *verdict->lost, "lost devices", error));
  LostDevice *lost = &verdict->lost[verdict->lost_count];
  *lost = (LostDevice){.platform = NULL};
  verdict->lost_count++; /* from here on it is freed */
  TRY(memory_copy_text(&lost->platform, platform, error));
  TRY(memory_copy_text(&lost->name, name, error));
  TRY(memory_copy_text(&lost->why, why, error));
cleanup:
  return status;
}

void verdict_free(Verdict *verdict) {
  for (size_t i = 0; i < verdict->lost_count; i++) {
    free(verdict->lost[i].platform);
    free(verdict->lost[i].name);
    free(verdict->lost[i].why);
  }
  free(verdict->lost);
  free(verdict->library);
  free(verdict->failure);
  *verdict = (Verdict){.failure = NULL};
}
