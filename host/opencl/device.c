/* The list of every platform and device. Whatever a loader or a driver does wrong ends as an entry of the list, not as a failure. */
#include "opencl/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "opencl/internal.h"

/* Printed as text: "its driver shows no device", or the code it failed with. */
static Status platform_problem(PlatformRecord *platform, cl_int code, Error *error) {
  char problem[128] = "shows no device";
  if (code != CL_SUCCESS && code != CL_DEVICE_NOT_FOUND)
    snprintf(problem, sizeof problem, "fails to list its devices: %s (%d)", opencl_code_name(code), code);
  if (quirks_is_pocl(platform->name) && pocl_cache_warning() != NULL) snprintf(problem, sizeof problem, "%s", pocl_cache_warning());
  return memory_copy_text(&platform->problem, problem, error);
}

/* Two platforms often show one physical device (a vendor's own driver and PoCL or Mesa). The first usable one is kept. */
static Status note_shadow(DeviceList *list, DeviceRecord *device, Error *error) {
  for (size_t i = 0; i < list->count; i++) {
    const DeviceRecord *other = &list->devices[i];
    const SetosaDeviceInfo *a = &other->info, *b = &device->info;
    if (!a->usable || other->shadow) continue;
    bool same = other->id == device->id; /* two ICD files that name one library */
    if (!same && other->platform == device->platform) continue;
    if (!same && (strcmp(a->name, b->name) != 0 || strcmp(a->vendor, b->vendor) != 0 || a->compute_units != b->compute_units ||
                  a->memory_bytes != b->memory_bytes))
      continue;
    char note[64];
    snprintf(note, sizeof note, "the same physical device as %zu", a->index);
    free((char *)device->info.note);
    device->info.note = NULL;
    device->shadow = true;
    return memory_copy_text((char **)&device->info.note, note, error);
  }
  return SETOSA_OK;
}

/* A device that its driver does not survive is shown, and refused. */
static Status refuse_lost(SetosaDeviceInfo *info, const Drivers *drivers, Error *error) {
  Status status = SETOSA_OK;
  Text why = {0};
  if (!info->usable) return SETOSA_OK;
  TRY(drivers_explain_lost(drivers, info->platform, info->name, &why, error));
  if (why.length == 0) goto cleanup;
  TRY(text_append(&why, error, "; choose another device, or update the driver"));
  free((char *)info->refusal);
  info->refusal = why.text;
  info->usable = false;
  why = (Text){0};
cleanup:
  text_free(&why);
  return status;
}

static Status add_platform(DeviceList *list, cl_platform_id id, Error *error) {
  Status status = SETOSA_OK;
  PlatformRecord *platform = &list->platforms[list->platform_count++];
  cl_device_id *devices = NULL;
  cl_uint count = 0;
  TRY(platform_text(&platform->name, id, CL_PLATFORM_NAME, error));
  TRY(platform_text(&platform->version, id, CL_PLATFORM_VERSION, error));

  cl_int code = clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
  if (code != CL_SUCCESS || count == 0) {
    status = platform_problem(platform, code, error);
    goto cleanup;
  }
  TRY(memory_allocate_zero((void **)&devices, count, sizeof *devices, "the devices of a platform", error));
  cl_uint shown = count;
  code = clGetDeviceIDs(id, CL_DEVICE_TYPE_ALL, count, devices, &shown);
  if (code != CL_SUCCESS) {
    status = platform_problem(platform, code, error);
    goto cleanup;
  }
  if (shown < count) count = shown;
  TRY(memory_grow((void **)&list->devices, &list->capacity, list->count + count, sizeof *list->devices, "the list of devices", error));
  for (cl_uint i = 0; i < count; i++) {
    DeviceRecord *device = &list->devices[list->count];
    TRY(device_record_fill(device, id, platform, devices[i], error));
    device->info.index = list->count;
    status = refuse_lost(&device->info, &list->drivers, error);
    if (status == SETOSA_OK) status = note_shadow(list, device, error);
    list->count++; /* from here on the list frees it */
    TRY(status);
    platform->device_count++;
  }
cleanup:
  free(devices);
  return status;
}

Status device_list_read(DeviceList *list, Error *error) {
  Status status = SETOSA_OK;
  cl_platform_id *platforms = NULL;
  cl_uint count = 0;
  cl_int code = clGetPlatformIDs(0, NULL, &count);
  if (code == CL_SUCCESS && count > 0) {
    TRY(memory_allocate_zero((void **)&platforms, count, sizeof *platforms, "the list of platforms", error));
    TRY(memory_allocate_zero((void **)&list->platforms, count, sizeof *list->platforms, "the list of platforms", error));
    code = clGetPlatformIDs(count, platforms, NULL);
  }
  if (code == CL_SUCCESS) {
    for (cl_uint i = 0; i < count; i++) TRY(add_platform(list, platforms[i], error));
  } else if (code != -1001) { /* -1001: the loader found no platform, as a count of 0 says */
    char problem[128];
    snprintf(problem, sizeof problem, "the OpenCL loader fails: %s (%d)", opencl_code_name(code), code);
    TRY(memory_copy_text(&list->problem, problem, error));
  }
  if (list->problem == NULL && list->platform_count == 0) TRY(memory_copy_text(&list->problem, "no OpenCL platform is installed", error));
cleanup:
  free(platforms);
  return status;
}

/* All there is has failed, so the loader is not asked. */
static Status tell_failures(DeviceList *list, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  for (size_t i = 0; i < list->drivers.vendors.count; i++) {
    if (list->drivers.verdicts[i].failure == NULL) continue;
    if (text.length > 0) TRY(text_append(&text, error, ", and "));
    TRY(drivers_describe(&list->drivers, i, &text, error));
  }
  list->problem = text.text;
  text = (Text){0};
cleanup:
  text_free(&text);
  return status;
}

Status device_list_open(DeviceList **out, Error *error) {
  Status status = SETOSA_OK;
  DeviceList *list = NULL;
  VendorsChange change = {.changed = false};
  Error limit = {0};
  *out = NULL;
  quirks_share_processors();
  pocl_cache_prepare();
  TRY(memory_allocate_zero((void **)&list, 1, sizeof *list, "the list of devices", error));
  if (limits_check_compilers(&limit) == SETOSA_OK) TRY(drivers_open(&list->drivers, error));
  if (limit.status != SETOSA_OK) {
    TRY(memory_copy_text(&list->problem, limit.message, error));
  } else if (list->drivers.none_left) {
    TRY(tell_failures(list, error));
  } else {
    TRY(drivers_enter(&list->drivers, &change, error));
    TRY(device_list_read(list, error));
  }
  *out = list;
  list = NULL;
cleanup:
  vendors_restore(&change);
  device_list_close(list);
  return status;
}

void device_list_close(DeviceList *list) {
  if (list == NULL) return;
  for (size_t i = 0; i < list->count; i++) device_record_free(&list->devices[i]);
  for (size_t i = 0; i < list->platform_count; i++) {
    free(list->platforms[i].name);
    free(list->platforms[i].version);
    free(list->platforms[i].problem);
  }
  free(list->devices);
  free(list->platforms);
  free(list->problem);
  drivers_close(&list->drivers);
  free(list);
}

size_t device_list_count(const DeviceList *list) { return list->count; }

const SetosaDeviceInfo *device_list_get(const DeviceList *list, size_t index) { return &list->devices[index].info; }

const char *device_list_warning(const DeviceList *list, size_t index) {
  if (list->drivers.warnings == NULL) return NULL; /* none was looked at */
  for (size_t i = 0; i < index; i++)
    if (list->drivers.warnings[i] == NULL) return NULL;
  return list->drivers.warnings[index];
}
