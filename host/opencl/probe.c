/* The trial of a driver. The child says what it is about to do; when it says no more, the last of that is what the driver died of. */
#include "opencl/probe.h"

#include <CL/cl_icd.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "opencl/internal.h"

bool probe_possible(const Vendors *vendors) {
  Dl_info loader, here;
  if (dladdr((void *)(uintptr_t)clGetPlatformIDs, &loader) != 0 && dladdr((void *)(uintptr_t)probe_possible, &here) != 0 &&
      loader.dli_fbase == here.dli_fbase)
    return false;
  for (size_t i = 0; i < vendors->count; i++) {
    const char *library = vendors->vendor[i].library;
    void *handle = library != NULL && library[0] != '\0' ? dlopen(library, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (handle == NULL) continue;
    dlclose(handle);
    return false;
  }
  return true;
}

/* ---- in the child ----------------------------------------------------------------------------------------------------- */

typedef struct Trial {
  const char *library;
  const char *pocl_folder; /* for PoCL's files alone; NULL: where it likes */
  size_t first;            /* of the devices that are still to be tried */
} Trial;

/* A failure that the driver reports is no matter for this trial: the parent will meet it and say it better. */
static void try_device(Child *child, const DeviceList *list, size_t index) {
  float values[4] = {0};
  Context *context = NULL;
  Buffer *buffer = NULL;
  Kernel *kernel = NULL;
  child_say(child, "step built a kernel");
  bool built = context_open(&context, list, index, NULL) == SETOSA_OK;
  if (built) context->remembers_nothing = true;
  built = built && buffer_create(&buffer, context, sizeof values, "a trial", NULL) == SETOSA_OK &&
          kernel_create(&kernel, context, "trial", "", "trial", NULL) == SETOSA_OK;
  child_say(child, "step ran a kernel");
  if (built && buffer_write(buffer, 0, sizeof values, values, NULL) == SETOSA_OK &&
      kernel_launch(kernel, ((KernelRange){{4, 1, 1}, {1, 1, 1}}), NULL, ARG(buffer)) == SETOSA_OK &&
      context_finish(context, NULL) == SETOSA_OK)
    buffer_read(buffer, 0, sizeof values, values, NULL);
  kernel_destroy(kernel);
  buffer_destroy(buffer);
  context_close(context);
}

static void say_device(Child *child, const SetosaDeviceInfo *info) {
  char platform[256], name[256];
  snprintf(platform, sizeof platform, "%s", info->platform);
  snprintf(name, sizeof name, "%s", info->name);
  text_make_visible(platform, '?');
  text_make_visible(name, '?');
  child_say(child, "device %zu\t%s\t%s", info->index, platform, name);
}

static void try_driver(Child *child, const void *argument) {
  const Trial *trial = argument;
  DeviceList list = {.devices = NULL};
  struct link_map *map = NULL;
  cl_uint count = 0;
  if (trial->pocl_folder != NULL) setenv("POCL_CACHE_DIR", trial->pocl_folder, 1);
  vendors_restrict(trial->library);
  child_say(child, "step was loaded");
  void *handle = dlopen(trial->library, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) return; /* the loader goes without it then */
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) child_say(child, "library %s", map->l_name);
  child_say(child, "step listed its platforms");
  if (clGetPlatformIDs(0, NULL, &count) != CL_SUCCESS) return;
  child_say(child, "step listed its devices");
  if (device_list_read(&list, NULL) != SETOSA_OK) return;
  for (size_t i = trial->first; i < list.count; i++) {
    if (!list.devices[i].info.usable) continue;
    say_device(child, &list.devices[i].info);
    try_device(child, &list, i);
  }
}

/* ---- in the parent ---------------------------------------------------------------------------------------------------- */

/* What the child said last of each kind; the texts are parts of its words. */
typedef struct Heard {
  const char *step, *library;
  char *device; /* "INDEX\tPLATFORM\tNAME" of the one that was tried */
} Heard;

static Heard listen(char *words) {
  Heard heard = {.step = "was loaded"};
  for (char *line = words, *next; line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    if (strncmp(line, "step ", 5) == 0) heard.step = line + 5;
    if (strncmp(line, "library ", 8) == 0) heard.library = line + 8;
    if (strncmp(line, "device ", 7) == 0) heard.device = line + 7;
  }
  return heard;
}

/* "aborted while it was loaded (it printed: ...), where the limit on open files is 5 (ulimit -n)" */
static Status describe(Text *why, const ChildReport *report, const char *step, Error *error) {
  Status status = SETOSA_OK;
  char limits[512] = "";
  TRY(text_append(why, error, "%s while it %s", report->fate, step));
  if (report->output[0] != '\0') TRY(text_append(why, error, " (it printed: %s)", report->output));
  if (!report->timed_out) limits_name(limits, sizeof limits);
  if (limits[0] != '\0') TRY(text_append(why, error, ", where %s", limits));
cleanup:
  return status;
}

/* Whether PoCL's compiler had no room for what it writes: that is no verdict on the driver, and is said better where it is met. */
static bool had_no_room(const char *platform) {
  const char *folder;
  return quirks_is_pocl(platform) && pocl_cache_failure(&folder, true) != 0;
}

/* One child. *more: it died of a device, and those behind it are still to be tried, from trial->first on. */
static Status run_trial(Verdict *verdict, Trial *trial, double seconds, bool *more, Error *error) {
  Status status = SETOSA_OK;
  ChildReport report;
  Text why = {0};
  *more = false;
  TRY(child_run(&report, try_driver, trial, seconds, error));
  Heard heard = listen(report.words.text != NULL ? report.words.text : (char[]){""});
  if (verdict->library == NULL) TRY(memory_copy_text(&verdict->library, heard.library, error));
  char *platform = NULL, *name = NULL;
  if (heard.device != NULL) {
    platform = strchr(heard.device, '\t') + 1;
    name = strchr(platform, '\t');
    *name++ = '\0';
  }
  verdict->known = report.finished || platform == NULL || !had_no_room(platform);
  if (report.finished || !verdict->known) goto cleanup;
  if (report.timed_out)
    verdict->hung = true;
  else
    verdict->crashed = true;
  TRY(describe(&why, &report, heard.step, error));
  if (platform == NULL) {
    TRY(memory_copy_text(&verdict->failure, why.text, error));
  } else {
    trial->first = strtoul(heard.device, NULL, 10) + 1;
    TRY(verdict_add_lost(verdict, platform, name, why.text, error));
    *more = true;
  }
cleanup:
  child_report_free(&report);
  text_free(&why);
  return status;
}

/* ---- drivers beside each other ---------------------------------------------------------------------------------------- */

enum { COMPANY_MOST = 64 };

typedef struct Company {
  const char *const *libraries;
  size_t count;
} Company;

/* Asks one driver for its devices, which is where drivers start their threads. Past the loader, which would load those, too, that are
 * known to fail: the platforms come from the driver itself, and each begins with the table of its functions (cl_khr_icd). */
static void list_devices(void *library) {
  enum { MOST = 16 };
  typedef void *(*FindFunction)(const char *name);
  typedef cl_int (*ListPlatforms)(cl_uint room, cl_platform_id * platforms, cl_uint * count);
  FindFunction find = NULL;
  ListPlatforms list = NULL;
  cl_platform_id platforms[MOST];
  cl_uint count = 0, devices = 0;
  void *found = dlsym(library, "clGetExtensionFunctionAddress");
  memcpy(&find, &found, sizeof found);
  found = find != NULL ? find("clIcdGetPlatformIDsKHR") : NULL;
  memcpy(&list, &found, sizeof found);
  if (list == NULL || list(MOST, platforms, &count) != CL_SUCCESS) return;
  for (cl_uint i = 0; i < count && i < MOST; i++) {
    const cl_icd_dispatch *functions = *(const cl_icd_dispatch *const *)(const void *)platforms[i];
    functions->clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 0, NULL, &devices);
  }
}

/* Loads all, and then has each list its devices: together they may need more memory than a limit allows. */
static void load_all(Child *child, const void *argument) {
  const Company *company = argument;
  void *handles[COMPANY_MOST] = {NULL};
  child_say(child, "step was loaded beside the others");
  for (size_t i = 0; i < company->count && i < COMPANY_MOST; i++) {
    child_say(child, "device %zu\t%s\t", i, company->libraries[i]);
    handles[i] = dlopen(company->libraries[i], RTLD_LAZY | RTLD_LOCAL);
  }
  child_say(child, "step listed its devices beside the others");
  for (size_t i = 0; i < company->count && i < COMPANY_MOST; i++) {
    child_say(child, "device %zu\t%s\t", i, company->libraries[i]);
    if (handles[i] != NULL) list_devices(handles[i]);
  }
}

Status probe_together(Verdict *verdict, const char *const *libraries, size_t count, double seconds, Error *error) {
  Status status = SETOSA_OK;
  ChildReport report;
  Text why = {0};
  const Company company = {libraries, count};
  TRY(child_run(&report, load_all, &company, seconds, error));
  verdict->seconds = seconds;
  verdict->known = true;
  verdict->hung = report.timed_out;
  verdict->crashed = !report.finished && !report.timed_out;
  Heard heard = listen(report.words.text != NULL ? report.words.text : (char[]){""});
  if (report.finished || heard.device == NULL) goto cleanup;
  TRY(describe(&why, &report, heard.step, error));
  TRY(verdict_add_lost(verdict, libraries[strtoul(heard.device, NULL, 10)], "", why.text, error));
cleanup:
  child_report_free(&report);
  text_free(&why);
  return status;
}

/* ---- one driver ------------------------------------------------------------------------------------------------------- */

Status probe_vendor(Verdict *verdict, const Vendor *vendor, double seconds, Error *error) {
  Status status = SETOSA_OK;
  char folder[PATH_MAX];
  const char *pocl = getenv("POCL_CACHE_DIR");
  Trial trial = {.library = vendor->library};
  verdict->seconds = seconds;
  /* PoCL trusts what is in its folder: one that was killed may have left half a file there. */
  int length = pocl == NULL ? -1 : snprintf(folder, sizeof folder, "%s/setosa-trial-%ld", pocl, (long)getpid());
  if (length > 0 && (size_t)length < sizeof folder) trial.pocl_folder = folder;
  for (bool more = true; more;) TRY(run_trial(verdict, &trial, seconds, &more, error));
cleanup:
  if (trial.pocl_folder != NULL && file_remove_below(folder, NULL, NULL) == SETOSA_OK) rmdir(folder);
  return status;
}
