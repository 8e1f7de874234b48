/* Explains what the OpenCL loader sees and what to do about what it does not see. */
#include "opencl/diagnose.h"

#include <stdarg.h>
#include <stdio.h>

#include "opencl/internal.h"

static void print_line(Report *report, const char *prefix, const char *format, va_list arguments) {
  char line[2048];
  int used = snprintf(line, sizeof line, "%s", prefix);
  vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
  report->print(line, report->user);
}

void report_line(Report *report, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_line(report, "", format, arguments);
  va_end(arguments);
}

void report_remedy(Report *report, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print_line(report, "    -> ", format, arguments);
  va_end(arguments);
}

static void diagnose_platforms(Report *report, const DeviceList *list) {
  size_t next = 0;
  report_line(report, "OpenCL platforms: %zu", list->platform_count);
  if (list->problem != NULL) {
    report_line(report, "  %s", list->problem);
    report_remedy(report, "install your GPU's OpenCL driver, or a CPU device with `apt install pocl-opencl-icd`");
  }
  if (quirks_warning() != NULL) report_remedy(report, "%s", quirks_warning());
  for (size_t i = 0; i < list->platform_count; i++) {
    const PlatformRecord *platform = &list->platforms[i];
    report_line(report, "  %s (%s)%s%s", platform->name, platform->version, platform->problem != NULL ? ": " : "",
                platform->problem != NULL ? platform->problem : "");
    if (platform->problem != NULL)
      report_line(report, "    fine if you do not need it; otherwise check that its hardware and driver are there");
    for (size_t d = 0; d < platform->device_count; d++, next++) {
      const SetosaDeviceInfo *info = &list->devices[next].info;
      report_line(report, "    device %zu: %s, driver %s%s%s", info->index, info->name, info->driver, info->note[0] != '\0' ? ", " : "",
                  info->note);
      if (!info->usable) report_remedy(report, "refused: %s", info->refusal);
    }
  }
}

static void diagnose_verdict(Report *report, const DeviceList *list) {
  size_t index, usable = 0;
  for (size_t i = 0; i < list->count; i++) usable += list->devices[i].info.usable;
  if (usable == 0) {
    report_line(report,
                "Verdict: no usable OpenCL device; follow the first arrow above, or `apt install pocl-opencl-icd` for a CPU device.");
  } else if (device_list_select(list, NULL, false, &index, NULL) == SETOSA_OK) {
    report_line(report, "Verdict: %zu usable device%s; Setosa takes device %zu (%s) unless told otherwise with --device.", usable,
                usable == 1 ? "" : "s", index, list->devices[index].info.name);
  }
}

Status device_diagnose(SetosaTextCallback print, void *user, Error *error) {
  DeviceList *list = NULL;
  Report report = {.print = print, .user = user};
  diagnose_environment(&report); /* before the list: it may set POCL_CACHE_DIR */
  Status status = device_list_open(&list, error);
  if (status != SETOSA_OK) return status;
  diagnose_icd_files(&report);
  diagnose_platforms(&report, list);
  diagnose_nodes(&report, list);
  diagnose_verdict(&report, list);
  device_list_close(list);
  return SETOSA_OK;
}
