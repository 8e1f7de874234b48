/* The public faces of devices and of the cache. */
#include "train/device.h"

#include <limits.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/cache_folder.h"
#include "base/clock.h"
#include "base/memory.h"
#include "judge/selftest.h"
#include "options/table.h"

SetosaStatus setosa_devices_open(SetosaDevices **devices, SetosaError *error) {
  Status status = arguments_check(error, GIVEN(devices));
  return status != SETOSA_OK ? status : device_list_open(devices, error);
}

void setosa_devices_close(SetosaDevices *devices) { device_list_close(devices); }

size_t setosa_devices_count(const SetosaDevices *devices) { return devices != NULL ? device_list_count(devices) : 0; }

const SetosaDeviceInfo *setosa_devices_get(const SetosaDevices *devices, size_t index) {
  return index < setosa_devices_count(devices) ? device_list_get(devices, index) : NULL;
}

const char *setosa_devices_warning(const SetosaDevices *devices, size_t index) {
  return devices != NULL ? device_list_warning(devices, index) : NULL;
}

SetosaStatus setosa_devices_select(const SetosaDevices *devices, const char *selector, bool force, size_t *index, SetosaError *error) {
  Status status = arguments_check(error, GIVEN(devices), GIVEN(index));
  return status != SETOSA_OK ? status : device_list_select(devices, selector, force, index, error);
}

SetosaStatus setosa_devices_choose(SetosaDeviceChoices *choices, const SetosaDevices *devices, size_t selector_count,
                                   const char *const *selectors, SetosaFamily family, bool force, SetosaError *error) {
  Status status = SETOSA_OK;
  TRY(arguments_check(error, GIVEN(choices), GIVEN(devices)));
  if ((unsigned)family > SETOSA_FAMILY_GPU)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_devices_choose: there is no family %d; give SETOSA_FAMILY_AUTO, _CPU or _GPU",
                  (int)family));
  for (size_t i = 0; i < selector_count; i++)
    if (selectors == NULL || selectors[i] == NULL)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_devices_choose: `selectors` has NULL in place of selector %zu; name %zu devices", i,
                    selector_count));
  TRY(device_list_choose(devices, selector_count, selectors, family, force, choices, error));
cleanup:
  return status;
}

SetosaStatus setosa_devices_diagnose(SetosaTextCallback print, void *user, SetosaError *error) {
  Status status = arguments_check(error, GIVEN(print));
  return status != SETOSA_OK ? status : device_diagnose(print, user, error);
}

SetosaStatus setosa_device_open(SetosaDevice **device, const SetosaDevices *devices, size_t index, bool force, SetosaError *error) {
  if (device != NULL) *device = NULL;
  Status status = arguments_check(error, GIVEN(device), GIVEN(devices));
  return status != SETOSA_OK ? status : setosa_device_open_part(device, devices, index, 0, 1, force, error);
}

SetosaStatus setosa_device_open_part(SetosaDevice **device, const SetosaDevices *devices, size_t index, size_t part, size_t parts,
                                     bool force, SetosaError *error) {
  Status status = SETOSA_OK;
  SetosaDevice *opened = NULL;
  if (device != NULL) *device = NULL;
  TRY(arguments_check(error, GIVEN(device), GIVEN(devices)));
  if (index < device_list_count(devices)) {
    const SetosaDeviceInfo *info = device_list_get(devices, index);
    if (!info->usable && !force)
      TRY(error_set(error, SETOSA_ERROR_DEVICE, "device %zu (%s) is refused: %s", index, info->name, info->refusal));
  }
  TRY(memory_allocate_zero((void **)&opened, 1, sizeof *opened, "a device", error));
  TRY(context_open_part(&opened->context, devices, index, part, parts, error));
  opened->forced = force;
  *device = opened;
  opened = NULL;
cleanup:
  setosa_device_close(opened);
  return status;
}

void setosa_device_close(SetosaDevice *device) {
  if (device == NULL) return;
  context_close(device->context);
  free(device);
}

SetosaStatus setosa_device_test(SetosaDevice *device, SetosaError *error) {
  Status status = arguments_check(error, GIVEN(device));
  return status != SETOSA_OK ? status : selftest_run(device->context, error);
}

const SetosaDeviceInfo *setosa_device_info(const SetosaDevice *device) { return device != NULL ? context_info(device->context) : NULL; }

BackendSettings device_backend_settings(const SetosaComputeOptions *compute) {
  BackendSettings settings = {.kind = compute->backend,
                              .family = compute->family,
                              .context = backend_needs_device(compute->backend) ? compute->device->context : NULL,
                              .intercept = true,
                              .storage = compute->storage,
                              .tuning = compute->tuning,
                              .device_memory_bytes = compute->device_memory_bytes,
                              .reproducible = compute->reproducible,
                              .context_count = compute->device_count,
                              .ranks = compute->ranks,
                              .fast_reduce = compute->fast_reduce};
  for (size_t i = 0; i < compute->device_count; i++) settings.contexts[i] = compute->devices[i]->context;
  return settings;
}

Status device_open_backend(Backend **backend, double *seconds_test, const Dataset *dataset, const BackendSettings *settings,
                           const SetosaComputeOptions *compute, CompareOperations uses, Error *error) {
  Status status = SETOSA_OK;
  double began = clock_seconds();
  DataShape shape = dataset_shape(dataset);
  *backend = NULL;
  if (backend_needs_device(compute->backend) && !compute->device->forced) TRY(selftest_require_all(settings, &shape, uses, error));
  if (seconds_test != NULL) *seconds_test = clock_seconds() - began;
  TRY(backend_open(backend, dataset, settings, error));
cleanup:
  return status;
}

Status device_check_options(const SetosaComputeOptions *compute, Error *error) {
  if (compute == NULL) return error_set(error, SETOSA_ERROR_USAGE, "no options; start from setosa_compute_options_default()");
  if (options_check_compute(compute, error) != SETOSA_OK) return SETOSA_ERROR_USAGE;
  if (compute->device_count > BACKEND_MOST_DEVICES)
    return error_set(error, SETOSA_ERROR_USAGE, "%zu devices are more than the %d that can share the rows; name fewer",
                     compute->device_count, BACKEND_MOST_DEVICES);
  for (size_t i = 0; compute->devices != NULL && i < compute->device_count; i++)
    if (compute->devices[i] == NULL)
      return error_set(error, SETOSA_ERROR_USAGE, "device %zu of the %zu that share the rows is NULL; open each", i, compute->device_count);
  if (compute->device_count > 0 && (compute->devices == NULL || compute->device != compute->devices[0]))
    return error_set(error, SETOSA_ERROR_USAGE, "of several devices, `device` must be the first");
  if (backend_needs_device(compute->backend) && compute->device == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "the %s backend needs a device; open one, or choose the reference backend",
                     setosa_backend_name(compute->backend));
  return SETOSA_OK;
}

SetosaStatus setosa_cache_path(char *path, size_t size, SetosaError *error) {
  Status status = arguments_check(error, GIVEN(path));
  return status != SETOSA_OK ? status : cache_folder_find(path, size, "", error);
}

SetosaStatus setosa_cache_check(SetosaError *error) {
  Status status = SETOSA_OK;
  char path[PATH_MAX];
  error_clear(error);
  TRY(cache_folder_find(path, sizeof path, "", error));
  TRY(cache_folder_check_below(path, error));
  TRY(cache_folder_check_room(path, error));
  TRY(pocl_cache_check(error));
cleanup:
  return status;
}

SetosaStatus setosa_cache_clear(uint64_t *bytes_freed, SetosaError *error) {
  Status status = SETOSA_OK;
  char path[PATH_MAX];
  error_clear(error);
  if (bytes_freed != NULL) *bytes_freed = 0;
  TRY(cache_folder_find(path, sizeof path, "", error));
  TRY(file_remove_below(path, bytes_freed, error));
cleanup:
  return status;
}
