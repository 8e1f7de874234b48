/* The files of /etc/OpenCL/vendors, or what the environment names in their place, read as the loaders read them. */
#include "opencl/vendors.h"

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "opencl/internal.h"

static const char usual_folder[] = "/etc/OpenCL/vendors";

/* In the order in which loaders prefer them. */
static const char *const choosers[] = {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "OCL_ICD_FILENAMES"};
enum { CHOOSERS = sizeof choosers / sizeof *choosers };

const char *const *vendors_variables(void) {
  static const char *const names[] = {"OCL_ICD_VENDORS",     "OPENCL_VENDOR_PATH",     "OCL_ICD_FILENAMES",
                                      "POCL_DEVICES",        "POCL_CACHE_DIR",         "POCL_MEMORY_LIMIT",
                                      "RUSTICL_ENABLE",      "CUDA_VISIBLE_DEVICES",   "ROCR_VISIBLE_DEVICES",
                                      "NEOReadDebugKeys",    "LD_LIBRARY_PATH",        "LD_PRELOAD",
                                      "GPU_DEVICE_ORDINAL",  "HIP_VISIBLE_DEVICES",    "SETOSA_KERNEL_DIR",
                                      "SETOSA_TENSOR_CORES", "POCL_MAX_PTHREAD_COUNT", NULL};
  return names;
}

/* The value of a variable; NULL for an empty one, which loaders take as absent. */
static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* A loader can be asked for its maker, but loads every driver first. So its file is searched for a variable that ocl-icd alone knows. */
static bool loader_is_khronos(void) {
  static const char known[] = "OPENCL_VENDOR_PATH";
  enum { LIBRARY_LIMIT = 1 << 24 };
  unsigned char *bytes = NULL;
  size_t length = 0;
  Dl_info loader;
  if (dladdr((void *)(uintptr_t)clCreateContext, &loader) == 0 || loader.dli_fname == NULL) return true;
  bool found = file_read_all(&bytes, &length, loader.dli_fname, LIBRARY_LIMIT, NULL) == SETOSA_OK &&
               memmem(bytes, length, known, sizeof known - 1) != NULL;
  free(bytes);
  return !found;
}

bool vendors_need_folder(void) { return loader_is_khronos(); }

const char *vendor_place(const Vendor *vendor) { return vendor->file != NULL ? vendor->file : vendor->library; }

/* file or library may be NULL. */
static Status add(Vendors *vendors, const char *file, const char *library, Error *error) {
  Status status = SETOSA_OK;
  TRY(memory_grow((void **)&vendors->vendor, &vendors->capacity, vendors->count + 1, sizeof *vendors->vendor, "the list of drivers",
                  error));
  Vendor *vendor = &vendors->vendor[vendors->count];
  *vendor = (Vendor){.file = NULL};
  vendors->count++; /* from here on the list frees it */
  if (file != NULL) TRY(memory_copy_text(&vendor->file, file, error));
  if (library != NULL) TRY(memory_copy_text(&vendor->library, library, error));
cleanup:
  return status;
}

/* An .icd file holds the name of one library in its first line. */
static Status add_file(Vendors *vendors, const char *path, Error *error) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  if (file_read_all(&bytes, &length, path, 65536, NULL) != SETOSA_OK) return add(vendors, path, NULL, error);
  char *name = (char *)bytes;
  while (isspace((unsigned char)*name)) name++;
  name[strcspn(name, "\r\n")] = '\0';
  for (size_t end = strlen(name); end > 0 && isspace((unsigned char)name[end - 1]);) name[--end] = '\0';
  Status status = add(vendors, path, name, error);
  free(bytes);
  return status;
}

static bool ends_in_icd(const char *name) {
  size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, ".icd") == 0;
}

static int is_icd_file(const struct dirent *entry) { return entry->d_name[0] != '.' && ends_in_icd(entry->d_name); }

static Status add_folder(Vendors *vendors, const char *folder, Error *error) {
  Status status = SETOSA_OK;
  struct dirent **entries = NULL;
  Text path = {0};
  int count = scandir(folder, &entries, is_icd_file, alphasort);
  TRY(memory_copy_text(&vendors->folder, folder, error));
  for (int i = 0; i < count; i++) {
    path.length = 0;
    TRY(text_append(&path, error, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", entries[i]->d_name));
    TRY(add_file(vendors, path.text, error));
  }
cleanup:
  for (int i = 0; i < count; i++) free(entries[i]);
  free(entries);
  text_free(&path);
  return status;
}

/* ocl-icd alone takes one .icd file, of the usual folder, too, or a library. */
static Status add_one(Vendors *vendors, const char *name, const char *folder, Error *error) {
  Status status = SETOSA_OK;
  Text path = {0};
  if (!ends_in_icd(name)) return add(vendors, NULL, name, error);
  TRY(text_append(&path, error, "%s/%s", folder, name));
  TRY(add_file(vendors, strchr(name, '/') == NULL && (file_exists(path.text) || !file_exists(name)) ? path.text : name, error));
cleanup:
  text_free(&path);
  return status;
}

/* Khronos's loader first loads the libraries that a variable lists. */
static Status add_listed(Vendors *vendors, const char *list, Error *error) {
  char **names = NULL;
  size_t count = 0;
  Status status = text_split(&names, &count, list, ':', error);
  for (size_t i = 0; i < count && status == SETOSA_OK; i++)
    if (names[i][0] != '\0') status = add(vendors, NULL, names[i], error);
  free(names);
  return status;
}

Status vendors_find(Vendors *vendors, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  const char *chosen = setting("OCL_ICD_VENDORS"), *other = setting("OPENCL_VENDOR_PATH"), *listed = setting("OCL_ICD_FILENAMES");
  bool khronos = (other != NULL || listed != NULL) && loader_is_khronos();
  const char *folder = other != NULL && !khronos ? other : usual_folder;
  if (!khronos) listed = NULL;
  if (listed != NULL) TRY(add_listed(vendors, listed, error));
  if (chosen == NULL)
    TRY(add_folder(vendors, folder, error));
  else if (stat(chosen, &info) == 0 && S_ISDIR(info.st_mode))
    TRY(add_folder(vendors, chosen, error));
  else
    TRY(add_one(vendors, chosen, folder, error));
cleanup:
  return status;
}

void vendors_free(Vendors *vendors) {
  for (size_t i = 0; i < vendors->count; i++) {
    free(vendors->vendor[i].file);
    free(vendors->vendor[i].library);
  }
  free(vendors->vendor);
  free(vendors->folder);
  *vendors = (Vendors){.vendor = NULL};
}

/* ocl-icd takes the library from the first variable, and Khronos's loader, which finds no folder of that name, from the second. */
void vendors_restrict(const char *library) {
  for (int i = 0; i < CHOOSERS; i++) unsetenv(choosers[i]);
  setenv("OCL_ICD_VENDORS", library, 1);
  setenv("OCL_ICD_FILENAMES", library, 1);
}

Status vendors_use(VendorsChange *change, const char *place, Error *error) {
  Status status = SETOSA_OK;
  for (int i = 0; i < CHOOSERS; i++)
    if (getenv(choosers[i]) != NULL) TRY(memory_copy_text(&change->before[i], getenv(choosers[i]), error));
  change->changed = true;
  for (int i = 0; i < CHOOSERS; i++) unsetenv(choosers[i]);
  if (setenv("OCL_ICD_VENDORS", place, 1) != 0)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a variable of the environment; end some other programs"));
cleanup:
  return status;
}

void vendors_restore(VendorsChange *change) {
  for (int i = 0; i < CHOOSERS; i++) {
    if (change->changed && change->before[i] != NULL) setenv(choosers[i], change->before[i], 1);
    if (change->changed && change->before[i] == NULL) unsetenv(choosers[i]);
    free(change->before[i]);
  }
  *change = (VendorsChange){.changed = false};
}
