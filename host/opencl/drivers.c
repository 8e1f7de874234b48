/* Verdicts on all drivers, and going without those that fail. */
#include "opencl/drivers.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "opencl/probe.h"

static const double usual_seconds = 20;

/* How long a driver may be silent. */
static double time_limit(void) {
  const char *text = getenv("SETOSA_DRIVER_SECONDS");
  double seconds;
  bool valid = text != NULL && text_parse_double(text, strlen(text), &seconds) && seconds > 0 && seconds <= 86400;
  return valid ? seconds : usual_seconds;
}

static bool fails(const Drivers *drivers, size_t index) { return drivers->verdicts[index].failure != NULL; }

/* Which drivers are meant: those that do not fail, and of these perhaps those alone that have lost no device. */
static bool is_meant(const Drivers *drivers, size_t index, bool unharmed) {
  const Verdict *verdict = &drivers->verdicts[index];
  const char *library = drivers->vendors.vendor[index].library;
  if (library == NULL || library[0] == '\0' || fails(drivers, index)) return false;
  if (verdict->known && verdict->library == NULL) return false; /* it does not load */
  return !unharmed || verdict->lost_count == 0;
}

static size_t count_meant(const Drivers *drivers, bool unharmed) {
  size_t count = 0;
  for (size_t i = 0; i < drivers->vendors.count; i++) count += is_meant(drivers, i, unharmed);
  return count;
}

/* ---- verdicts --------------------------------------------------------------------------------------------------------- */

typedef struct Judge {
  double seconds;
  bool asked, possible; /* whether drivers can be tried, which takes a while to find out */
  bool tried;           /* one at least was */
} Judge;

static bool may_try(Judge *judge, const Drivers *drivers) {
  if (!judge->asked) judge->possible = probe_possible(&drivers->vendors);
  judge->asked = true;
  return judge->possible;
}

/* A driver that cannot be tried, because no process can be started, is used as it is. But where a low limit keeps even the trial from being
 * made, the driver, which starts threads, would end the program. */
static void try_one(Drivers *drivers, Verdict *verdict, const Vendor *vendor, Judge *judge) {
  char limits[256];
  Error failure = {0};
  if (probe_vendor(verdict, vendor, judge->seconds, &failure) == SETOSA_OK) {
    if (!verdict->known) return;
    verdict_remember(verdict, vendor);
    judge->tried = true;
    return;
  }
  limits_name(limits, sizeof limits);
  if (limits[0] == '\0' || verdict->failure != NULL) return;
  verdict->known = memory_copy_text(&verdict->failure, failure.message, NULL) == SETOSA_OK;
  drivers->untried = true;
}

static void judge_each(Drivers *drivers, Judge *judge) {
  for (size_t i = 0; i < drivers->vendors.count; i++) {
    const Vendor *vendor = &drivers->vendors.vendor[i];
    Verdict *verdict = &drivers->verdicts[i];
    if (vendor->library == NULL || vendor->library[0] == '\0') continue; /* loaders pass over it */
    if (verdict_recall(verdict, vendor, judge->seconds, false)) continue;
    if (!may_try(judge, drivers)) {
      verdict_recall(verdict, vendor, judge->seconds, true);
    } else {
      try_one(drivers, verdict, vendor, judge);
    }
  }
}

/* Remembered or tried: all that are left, side by side. They go by a name made of all names, "A:B". */
static Status judge_company(Verdict *verdict, Drivers *drivers, Judge *judge, Error *error) {
  Status status = SETOSA_OK;
  Text names = {0};
  const char **libraries = NULL;
  size_t count = 0;
  TRY(memory_allocate((void **)&libraries, drivers->vendors.count, sizeof *libraries, "the names of drivers", error));
  for (size_t i = 0; i < drivers->vendors.count; i++) {
    if (!is_meant(drivers, i, false)) continue;
    libraries[count++] = drivers->vendors.vendor[i].library;
    TRY(text_append(&names, error, "%s%s", count > 1 ? ":" : "", libraries[count - 1]));
  }
  if (count < 2) goto cleanup;
  const Vendor all = {.library = names.text};
  if (!judge->tried && verdict_recall(verdict, &all, judge->seconds, false)) goto cleanup;
  if (!may_try(judge, drivers))
    verdict_recall(verdict, &all, judge->seconds, true);
  else if (probe_together(verdict, libraries, count, judge->seconds, NULL) == SETOSA_OK)
    verdict_remember(verdict, &all);
cleanup:
  free(libraries);
  text_free(&names);
  return status;
}

/* Two drivers may bring what exists only once in a process, as parts of LLVM: the second then aborts. One after another is left out until
 * those that are left bear each other. */
static Status judge_together(Drivers *drivers, Judge *judge, Error *error) {
  Status status = SETOSA_OK;
  Verdict company = {.known = false};
  do {
    verdict_free(&company);
    TRY(judge_company(&company, drivers, judge, error));
    for (size_t i = 0; company.lost_count > 0 && i < drivers->vendors.count; i++) {
      Verdict *verdict = &drivers->verdicts[i];
      if (!is_meant(drivers, i, false) || strcmp(drivers->vendors.vendor[i].library, company.lost[0].platform) != 0) continue;
      TRY(memory_copy_text(&verdict->failure, company.lost[0].why, error));
      verdict->hung = company.hung;
    }
  } while (company.lost_count > 0);
cleanup:
  verdict_free(&company);
  return status;
}

/* ---- going without ---------------------------------------------------------------------------------------------------- */

/* "<cache>/drivers/only-<hash>", the same for the same drivers, or a temporary folder. */
static Status create_folder(Drivers *drivers, bool unharmed, char *path, size_t size, Error *error) {
  Status status = SETOSA_OK;
  char name[32 + HASH_HEX_SIZE], hex[HASH_HEX_SIZE];
  Hash *hash = NULL;
  const char *temporary = getenv("TMPDIR");
  TRY(hash_create(&hash, error));
  for (size_t i = 0; i < drivers->vendors.count; i++)
    if (is_meant(drivers, i, unharmed)) hash_add_text(hash, vendor_place(&drivers->vendors.vendor[i]));
  hash_hex(hash, hex);
  snprintf(name, sizeof name, "drivers/only-%.16s", hex);
  if (cache_folder_find(path, size, name, NULL) == SETOSA_OK) goto cleanup;
  int length = snprintf(path, size, "%s/setosa-drivers-XXXXXX", temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
  if (drivers->temporary != NULL || length < 0 || (size_t)length >= size || mkdtemp(path) == NULL)
    TRY(error_set(error, SETOSA_ERROR_WRITE, "no folder for the drivers that work: set XDG_CACHE_HOME or TMPDIR to one"));
  TRY(memory_copy_text(&drivers->temporary, path, error));
cleanup:
  hash_destroy(hash);
  return status;
}

/* The folder's files name the libraries. */
static Status fill_folder(const Drivers *drivers, bool unharmed, const char *folder, Error *error) {
  Status status = SETOSA_OK;
  Text path = {0};
  AtomicFile file = {0};
  for (size_t i = 0; i < drivers->vendors.count; i++) {
    if (!is_meant(drivers, i, unharmed)) continue;
    path.length = 0;
    TRY(text_append(&path, error, "%s/%02zu.icd", folder, i));
    TRY(cache_file_begin(&file, path.text, error));
    fprintf(file.stream, "%s\n", drivers->vendors.vendor[i].library);
    TRY(atomic_file_commit(&file, error));
  }
cleanup:
  atomic_file_abandon(&file);
  text_free(&path);
  return status;
}

/* The value of OCL_ICD_VENDORS for the drivers that are meant: one .icd file where that is enough, since it says what it is; else a folder.
 * needs_folder: for a loader that takes nothing else, which this program stands in for when it is given a file. */
static Status name_place(char **place, Drivers *drivers, bool unharmed, bool needs_folder, Error *error) {
  Status status = SETOSA_OK;
  char folder[PATH_MAX];
  size_t meant = count_meant(drivers, unharmed), index = 0;
  if (meant == 0) return SETOSA_OK;
  while (!is_meant(drivers, index, unharmed)) index++;
  if (meant == 1 && !needs_folder) return memory_copy_text(place, vendor_place(&drivers->vendors.vendor[index]), error);
  TRY(create_folder(drivers, unharmed, folder, sizeof folder, error));
  TRY(fill_folder(drivers, unharmed, folder, error));
  TRY(memory_copy_text(place, folder, error));
cleanup:
  return status;
}

static Status choose_places(Drivers *drivers, Error *error) {
  Status status = SETOSA_OK;
  size_t failed = 0, harmed = 0;
  for (size_t i = 0; i < drivers->vendors.count; i++) {
    failed += fails(drivers, i);
    harmed += drivers->verdicts[i].lost_count > 0;
  }
  drivers->none_left = failed > 0 && count_meant(drivers, false) == 0;
  if (failed > 0 || (drivers->vendors.folder == NULL && vendors_need_folder()))
    TRY(name_place(&drivers->used, drivers, false, vendors_need_folder(), error));
  if (failed > 0 || harmed > 0) TRY(name_place(&drivers->advised, drivers, true, false, error));
cleanup:
  return status;
}

/* ---- what is said ----------------------------------------------------------------------------------------------------- */

/* "; OCL_ICD_VENDORS=... goes without it" */
static Status append_advice(const Drivers *drivers, size_t index, Text *text, Error *error) {
  Status status = SETOSA_OK;
  if (drivers->advised != NULL) TRY(text_append(text, error, "; OCL_ICD_VENDORS=%s goes without it", drivers->advised));
  if (drivers->verdicts[index].hung)
    TRY(text_append(text, error, " (that it hung is remembered for an hour; `setosa cache clear` has it tried again)"));
cleanup:
  return status;
}

/* "DRIVER (LIBRARY) aborted while it was loaded" */
static Status append_fate(const Drivers *drivers, size_t index, const char *fate, Text *text, Error *error) {
  const Vendor *vendor = &drivers->vendors.vendor[index];
  if (vendor->file == NULL) return text_append(text, error, "OpenCL driver %s %s", vendor->library, fate);
  return text_append(text, error, "OpenCL driver %s (%s) %s", vendor->file, vendor->library, fate);
}

Status drivers_describe(const Drivers *drivers, size_t index, Text *text, Error *error) {
  Status status = SETOSA_OK;
  TRY(text_append(text, error, "the "));
  TRY(append_fate(drivers, index, drivers->verdicts[index].failure, text, error));
  TRY(append_advice(drivers, index, text, error));
cleanup:
  return status;
}

static Status describe_device(const Drivers *drivers, size_t index, const LostDevice *lost, Text *text, Error *error) {
  Status status = SETOSA_OK;
  TRY(text_append(text, error, "the device %s is not used: its ", lost->name));
  TRY(append_fate(drivers, index, lost->why, text, error));
  TRY(append_advice(drivers, index, text, error));
cleanup:
  return status;
}

static Status write_warnings(Drivers *drivers, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  size_t most = 1, count = 0;
  for (size_t i = 0; i < drivers->vendors.count; i++) most += 1 + drivers->verdicts[i].lost_count;
  TRY(memory_allocate_zero((void **)&drivers->warnings, most, sizeof *drivers->warnings, "warnings", error));
  for (size_t i = 0; i < drivers->vendors.count; i++) {
    const Verdict *verdict = &drivers->verdicts[i];
    for (size_t k = fails(drivers, i) ? 0 : 1; k <= verdict->lost_count; k++) { /* the driver itself, then its devices */
      TRY(k == 0 ? drivers_describe(drivers, i, &text, error) : describe_device(drivers, i, &verdict->lost[k - 1], &text, error));
      drivers->warnings[count++] = text.text;
      text = (Text){0};
    }
  }
cleanup:
  text_free(&text);
  return status;
}

Status drivers_open(Drivers *drivers, Error *error) {
  Status status = SETOSA_OK;
  Judge judge = {.seconds = time_limit()};
  TRY(vendors_find(&drivers->vendors, error));
  TRY(memory_allocate_zero((void **)&drivers->verdicts, drivers->vendors.count, sizeof *drivers->verdicts, "verdicts on drivers", error));
  judge_each(drivers, &judge);
  TRY(judge_together(drivers, &judge, error));
  TRY(choose_places(drivers, error));
  TRY(write_warnings(drivers, error));
cleanup:
  return status;
}

void drivers_close(Drivers *drivers) {
  for (size_t i = 0; drivers->verdicts != NULL && i < drivers->vendors.count; i++) verdict_free(&drivers->verdicts[i]);
  for (char **warning = drivers->warnings; warning != NULL && *warning != NULL; warning++) free(*warning);
  if (drivers->temporary != NULL && file_remove_below(drivers->temporary, NULL, NULL) == SETOSA_OK) rmdir(drivers->temporary);
  free(drivers->warnings);
  free(drivers->verdicts);
  free(drivers->used);
  free(drivers->advised);
  free(drivers->temporary);
  vendors_free(&drivers->vendors);
  *drivers = (Drivers){.verdicts = NULL};
}

Status drivers_enter(const Drivers *drivers, VendorsChange *change, Error *error) {
  return drivers->used != NULL ? vendors_use(change, drivers->used, error) : SETOSA_OK;
}

/* Whether a name is the one that was noted, in the form that a terminal can show. */
static bool is_named(const char *name, const char *noted) {
  char visible[256];
  snprintf(visible, sizeof visible, "%s", name);
  text_make_visible(visible, '?');
  return strcmp(visible, noted) == 0;
}

Status drivers_explain_lost(const Drivers *drivers, const char *platform, const char *name, Text *why, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < drivers->vendors.count; i++)
    for (size_t k = 0; k < drivers->verdicts[i].lost_count; k++) {
      const LostDevice *lost = &drivers->verdicts[i].lost[k];
      if (!is_named(platform, lost->platform) || !is_named(name, lost->name)) continue;
      TRY(text_append(why, error, "its "));
      return append_fate(drivers, i, lost->why, why, error);
    }
cleanup:
  return status;
}
