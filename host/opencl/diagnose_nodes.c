/* GPUs as the kernel shows them: may this user open them, and does a platform show them? */
#include <glob.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opencl/diagnose.h"

typedef struct NodeKind {
  const char *pattern;
  const char *vendor; /* part of the vendor's name in OpenCL; "" for any */
  const char *packages;
} NodeKind;

static const NodeKind kinds[] = {
    {"/dev/nvidia[0-9]*", "NVIDIA", "nvidia-opencl-icd (Debian) or libnvidia-compute (Ubuntu), matching the kernel driver"},
    {"/dev/kfd", "Advanced Micro Devices", "rocm-opencl-icd or mesa-opencl-icd"},
    {"/dev/dri/renderD*", "", "intel-opencl-icd, mesa-opencl-icd or your vendor's OpenCL driver"},
};

static bool gpu_shown(const DeviceList *list, const char *vendor) {
  for (size_t i = 0; i < device_list_count(list); i++) {
    const SetosaDeviceInfo *info = device_list_get(list, i);
    if (info->type == SETOSA_DEVICE_GPU && strstr(info->vendor, vendor) != NULL) return true;
  }
  return false;
}

static void diagnose_node(Report *report, const char *path, const NodeKind *kind, const DeviceList *list) {
  struct stat info;
  char names[1024];
  struct group group, *found = NULL;
  if (stat(path, &info) != 0) return;
  bool open_to_us = access(path, R_OK | W_OK) == 0;
  bool named = getgrgid_r(info.st_gid, &group, names, sizeof names, &found) == 0 && found != NULL;
  report_line(report, "  %s: %s (group %s)", path, open_to_us ? "may be opened" : "may not be opened by this user",
              named ? group.gr_name : "unknown");
  if (!open_to_us)
    report_remedy(report, "`sudo usermod -aG %s $USER`, then log in again", named ? group.gr_name : "render");
  else if (!gpu_shown(list, kind->vendor))
    report_remedy(report, "no OpenCL GPU shows it: install %s", kind->packages);
}

void diagnose_nodes(Report *report, const DeviceList *list) {
  size_t shown = 0;
  report_line(report, "GPU nodes in /dev:");
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    glob_t matches;
    if (glob(kinds[k].pattern, 0, NULL, &matches) != 0) continue;
    for (size_t i = 0; i < matches.gl_pathc; i++, shown++) diagnose_node(report, matches.gl_pathv[i], &kinds[k], list);
    globfree(&matches);
  }
  if (shown == 0) report_line(report, "  none: this machine (or container) shows no GPU to programs");
}
