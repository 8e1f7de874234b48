/* Explains what the OpenCL loader sees and what to do about what it does not see: the report of `setosa devices --diagnose`. */
#include <dlfcn.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "opencl/internal.h"

/* Where the lines go. */
typedef struct Report {
  SetosaTextCallback print;
  void *user;
} Report;

__attribute__((format(printf, 2, 3))) static void say(const Report *report, const char *format, ...) {
  char line[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  report->print(line, report->user);
}

/* Overrides that loaders and drivers are known to heed. */
static void diagnose_environment(const Report *report) {
  size_t shown = 0;
  say(report, "Environment overrides:");
  for (const char *const *name = vendors_variables(); *name != NULL; name++)
    if (getenv(*name) != NULL) say(report, "  %s=%s", *name, getenv(*name)), shown++;
  if (shown == 0) say(report, "  none");
}

static void diagnose_library(const Report *report, const char *library, const char *file) {
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  const char *reason = handle == NULL ? dlerror() : NULL;
  bool speaks = handle != NULL && dlsym(handle, "clGetExtensionFunctionAddress") != NULL;
  if (handle == NULL)
    say(report, "    %s does not load: %s", library, reason != NULL ? reason : "no reason given");
  else
    say(report, "    %s %s", library, speaks ? "loads" : "loads, but is not an OpenCL driver");
  if (!speaks) say(report, "    -> install again the driver that brought %s, or remove that file", file);
  if (handle != NULL) dlclose(handle);
}

/* A library that does not survive being tried is not touched again. */
static void diagnose_vendor(const Report *report, const Drivers *drivers, size_t index) {
  const Vendor *vendor = &drivers->vendors.vendor[index];
  const Verdict *verdict = &drivers->verdicts[index];
  if (vendor->file != NULL) say(report, "  %s", vendor->file);
  if (vendor->library == NULL) {
    say(report, "    cannot be read");
    say(report, "    -> check that %s exists and its permissions", vendor->file);
  } else if (vendor->library[0] == '\0') {
    say(report, "    names no library");
    say(report, "    -> write the path of the driver's library into %s, or remove it", vendor->file);
  } else if (verdict->failure != NULL) {
    say(report, "    %s %s, and is left out", vendor->library, verdict->failure);
    say(report, "    -> install again the driver that brought %s, or remove that file", vendor_place(vendor));
  } else {
    diagnose_library(report, vendor->library, vendor_place(vendor));
  }
}

static void diagnose_vendors(const Report *report, const Drivers *drivers) {
  const Vendors *vendors = &drivers->vendors;
  if (vendors->folder != NULL) say(report, "ICD files in %s: %zu", vendors->folder, vendors->count);
  if (vendors->folder != NULL && vendors->count == 0)
    say(report, "    -> install an OpenCL driver: `apt install pocl-opencl-icd` for the CPU, or your GPU vendor's");
  for (size_t i = 0; i < vendors->count; i++) diagnose_vendor(report, drivers, i);
  for (char **warning = drivers->warnings; warning != NULL && *warning != NULL; warning++) say(report, "    -> %s", *warning);
}

static void diagnose_platforms(const Report *report, const DeviceList *list) {
  size_t next = 0;
  char limits[256];
  limits_name(limits, sizeof limits);
  say(report, "OpenCL platforms: %zu", list->platform_count);
  if (list->problem != NULL) {
    say(report, "  %s", list->problem);
    if (limits[0] != '\0')
      say(report, "    -> raise the limit: %s", limits);
    else
      say(report, "    -> install your GPU's OpenCL driver, or a CPU device with `apt install pocl-opencl-icd`");
  }
  if (pocl_cache_warning() != NULL) say(report, "    -> PoCL %s", pocl_cache_warning());
  for (size_t i = 0; i < list->platform_count; i++) {
    const PlatformRecord *platform = &list->platforms[i];
    bool fails = platform->problem != NULL;
    say(report, "  %s (%s)%s%s", platform->name, platform->version, fails ? ": " : "", fails ? platform->problem : "");
    if (fails) say(report, "    fine if you do not need it; otherwise check that its hardware and driver are there");
    for (size_t d = 0; d < platform->device_count; d++, next++) {
      const SetosaDeviceInfo *info = &list->devices[next].info;
      say(report, "    device %zu: %s, driver %s%s%s", info->index, info->name, info->driver, info->note[0] != '\0' ? ", " : "",
          info->note);
      if (!info->usable) say(report, "    -> refused: %s", info->refusal);
    }
  }
}

static bool shows_gpu(const DeviceList *list, const char *vendor) {
  for (size_t i = 0; i < list->count; i++)
    if (list->devices[i].info.type == SETOSA_DEVICE_GPU && strstr(list->devices[i].info.vendor, vendor) != NULL) return true;
  return false;
}

/* GPUs as the kernel shows them: may this user open them, and does a platform show them? */
static void diagnose_nodes(const Report *report, const DeviceList *list) {
  static const struct {
    const char *pattern, *vendor /* part of its name in OpenCL */, *packages;
  } kinds[] = {
      {"/dev/nvidia[0-9]*", "NVIDIA", "nvidia-opencl-icd (Debian) or libnvidia-compute (Ubuntu), matching the kernel driver"},
      {"/dev/kfd", "Advanced Micro Devices", "rocm-opencl-icd or mesa-opencl-icd"},
      {"/dev/dri/renderD*", "", "intel-opencl-icd, mesa-opencl-icd or your vendor's OpenCL driver"},
  };
  size_t shown = 0;
  say(report, "GPU nodes in /dev:");
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    glob_t nodes;
    if (glob(kinds[k].pattern, 0, NULL, &nodes) != 0) continue;
    for (size_t i = 0; i < nodes.gl_pathc; i++, shown++) {
      const char *node = nodes.gl_pathv[i];
      bool opens = access(node, R_OK | W_OK) == 0;
      say(report, "  %s: %s", node, opens ? "may be opened" : "may not be opened by this user");
      if (!opens)
        say(report, "    -> `sudo usermod -aG $(stat -c %%G %s) $USER`, then log in again", node);
      else if (!shows_gpu(list, kinds[k].vendor))
        say(report, "    -> no OpenCL GPU shows it: install %s", kinds[k].packages);
    }
    globfree(&nodes);
  }
  if (shown == 0) say(report, "  none: this machine (or container) shows no GPU to programs");
}

static void diagnose_verdict(const Report *report, const DeviceList *list) {
  size_t index = 0, usable = 0;
  for (size_t i = 0; i < list->count; i++) usable += list->devices[i].info.usable;
  if (usable == 0)
    say(report, "Verdict: no usable OpenCL device; follow the first arrow above, or `apt install pocl-opencl-icd` for a CPU device.");
  else if (device_list_select(list, NULL, false, &index, NULL) == SETOSA_OK)
    say(report, "Verdict: %zu usable device%s; Setosa takes device %zu (%s) unless told otherwise with --device.", usable,
        usable == 1 ? "" : "s", index, list->devices[index].info.name);
}

Status device_diagnose(SetosaTextCallback print, void *user, Error *error) {
  DeviceList *list = NULL;
  const Report report = {print, user};
  diagnose_environment(&report); /* before the list: it may set POCL_CACHE_DIR */
  Status status = device_list_open(&list, error);
  if (status != SETOSA_OK) return status;
  diagnose_vendors(&report, &list->drivers);
  diagnose_platforms(&report, list);
  diagnose_nodes(&report, list);
  diagnose_verdict(&report, list);
  device_list_close(list);
  return SETOSA_OK;
}
