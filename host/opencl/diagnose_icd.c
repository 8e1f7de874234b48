/* What the OpenCL loader is told: environment overrides, ICD files, and whether the libraries they name load. */
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "opencl/diagnose.h"

static const char default_folder[] = "/etc/OpenCL/vendors";

void diagnose_environment(Report *report) {
  static const char *const names[] = {"OCL_ICD_VENDORS",      "OPENCL_VENDOR_PATH",  "OCL_ICD_FILENAMES", "POCL_DEVICES",
                                      "POCL_CACHE_DIR",       "POCL_MEMORY_LIMIT",   "RUSTICL_ENABLE",    "CUDA_VISIBLE_DEVICES",
                                      "ROCR_VISIBLE_DEVICES", "NEOReadDebugKeys",    "LD_LIBRARY_PATH",   "LD_PRELOAD",
                                      "GPU_DEVICE_ORDINAL",   "HIP_VISIBLE_DEVICES", "SETOSA_KERNEL_DIR", "POCL_MAX_PTHREAD_COUNT"};
  size_t shown = 0;
  report_line(report, "Environment overrides:");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (value == NULL) continue;
    report_line(report, "  %s=%s", names[i], value);
    shown++;
  }
  if (shown == 0) report_line(report, "  none");
}

static void diagnose_library(Report *report, const char *library, const char *file) {
  dlerror();
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) {
    const char *reason = dlerror();
    report_line(report, "    %s does not load: %s", library, reason != NULL ? reason : "no reason given");
    report_remedy(report, "install again the driver that brought %s, or remove that file", file);
    return;
  }
  bool speaks = dlsym(handle, "clGetExtensionFunctionAddress") != NULL;
  report_line(report, "    %s %s", library, speaks ? "loads" : "loads, but is not an OpenCL driver");
  if (!speaks) report_remedy(report, "install again the driver that brought %s, or remove that file", file);
  dlclose(handle);
}

/* An .icd file holds the name of one library in its first line. */
static void diagnose_icd_file(Report *report, const char *path) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  report_line(report, "  %s", path);
  if (file_read_all(&bytes, &length, path, 65536, NULL) != SETOSA_OK) {
    report_line(report, "    cannot be read");
    report_remedy(report, "check that %s exists and its permissions", path);
    return;
  }
  char *name = (char *)bytes;
  while (isspace((unsigned char)*name)) name++;
  name[strcspn(name, "\r\n")] = '\0';
  for (size_t end = strlen(name); end > 0 && isspace((unsigned char)name[end - 1]);) name[--end] = '\0';
  if (name[0] == '\0') {
    report_line(report, "    names no library");
    report_remedy(report, "write the path of the driver's library into %s, or remove it", path);
  } else {
    diagnose_library(report, name, path);
  }
  free(bytes);
}

static int is_icd_file(const struct dirent *entry) {
  size_t length = strlen(entry->d_name);
  return length > 4 && strcmp(entry->d_name + length - 4, ".icd") == 0;
}

static void diagnose_folder(Report *report, const char *folder) {
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, is_icd_file, alphasort);
  int reason = errno;
  report_line(report, "ICD files in %s: %d", folder, count < 0 ? 0 : count);
  if (count < 0) report_line(report, "  cannot list the folder: %s", strerror(reason));
  if (count <= 0) report_remedy(report, "install an OpenCL driver: `apt install pocl-opencl-icd` for the CPU, or your GPU vendor's");
  for (int i = 0; i < count; i++) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", entries[i]->d_name);
    if (length > 0 && (size_t)length < sizeof path) diagnose_icd_file(report, path);
    free(entries[i]);
  }
  free(entries);
}

/* OCL_ICD_VENDORS may be a folder, one .icd file (looked for in the default folder too) or a library. */
static void diagnose_vendors(Report *report, const char *vendors, const char *variable) {
  struct stat info;
  size_t length = strlen(vendors);
  bool found = stat(vendors, &info) == 0;
  if (found && S_ISDIR(info.st_mode)) {
    diagnose_folder(report, vendors);
  } else if (length > 4 && strcmp(vendors + length - 4, ".icd") == 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", default_folder, vendors);
    report_line(report, "ICD file of %s:", variable);
    diagnose_icd_file(report, found || strchr(vendors, '/') != NULL ? vendors : path);
  } else {
    report_line(report, "Library of %s:", variable);
    diagnose_library(report, vendors, variable);
  }
}

void diagnose_icd_files(Report *report) {
  const char *vendors = getenv("OCL_ICD_VENDORS"), *path = getenv("OPENCL_VENDOR_PATH"), *files = getenv("OCL_ICD_FILENAMES");
  if (vendors != NULL && vendors[0] != '\0')
    diagnose_vendors(report, vendors, "OCL_ICD_VENDORS");
  else if (path != NULL && path[0] != '\0')
    diagnose_vendors(report, path, "OPENCL_VENDOR_PATH");
  else
    diagnose_folder(report, default_folder);
  if (files == NULL || files[0] == '\0') return;
  report_line(report, "Libraries of OCL_ICD_FILENAMES:");
  char *copy = strdup(files), *rest = NULL;
  if (copy == NULL) return;
  for (char *name = strtok_r(copy, ":", &rest); name != NULL; name = strtok_r(NULL, ":", &rest))
    diagnose_library(report, name, "OCL_ICD_FILENAMES");
  free(copy);
}
