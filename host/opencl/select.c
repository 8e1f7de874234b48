/* Which device: by index, type, part of its name, or the best there is. Every refusal lists what could be chosen instead. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "opencl/internal.h"

static Status append_device(Text *text, const SetosaDeviceInfo *info, Error *error) {
  return text_append(text, error, "%s%zu %s (%s%s)", text->length > 0 ? ", " : "", info->index, info->name,
                     setosa_device_type_name(info->type), info->usable ? "" : ", refused");
}

Status device_list_describe(const DeviceList *list, Text *text, Error *error) {
  Status status = text_append_bytes(text, "", 0, error);
  for (size_t i = 0; i < list->count && status == SETOSA_OK; i++) status = append_device(text, &list->devices[i].info, error);
  return status;
}

/* GPUs before CPUs before the rest, then by compute units times clock. */
static bool is_better(const SetosaDeviceInfo *a, const SetosaDeviceInfo *b) {
  static const int rank[] = {[SETOSA_DEVICE_CPU] = 1, [SETOSA_DEVICE_GPU] = 2, [SETOSA_DEVICE_OTHER] = 0};
  if (rank[a->type] != rank[b->type]) return rank[a->type] > rank[b->type];
  uint64_t speed_a = (uint64_t)a->compute_units * (a->clock_mhz > 0 ? a->clock_mhz : 1);
  uint64_t speed_b = (uint64_t)b->compute_units * (b->clock_mhz > 0 ? b->clock_mhz : 1);
  return speed_a > speed_b;
}

/* The best of those that fit: any type when type is NULL. Refused devices only when forced and nothing else is left; shadows never. */
static const DeviceRecord *find_best(const DeviceList *list, const SetosaDeviceType *type, bool refused) {
  const DeviceRecord *best = NULL;
  for (size_t i = 0; i < list->count; i++) {
    const DeviceRecord *device = &list->devices[i];
    if (device->shadow || device->info.usable == refused || (type != NULL && device->info.type != *type)) continue;
    if (best == NULL || is_better(&device->info, &best->info)) best = device;
  }
  return best;
}

static Status fail_empty(const DeviceList *list, Error *error) {
  Text reasons = {0};
  char limits[256];
  limits_name(limits, sizeof limits);
  if (limits[0] != '\0') /* a driver that is installed may not have come up for it, and nobody is told why */
    return error_set(error, SETOSA_ERROR_DEVICE, "no OpenCL device: %s; raise the limit, and see `setosa devices --diagnose`",
                     list->drivers.none_left && !list->drivers.untried && list->problem != NULL ? list->problem : limits);
  for (size_t i = 0; i < list->platform_count; i++)
    text_append(&reasons, NULL, "%splatform %s %s", i > 0 ? ", " : "", list->platforms[i].name,
                list->platforms[i].problem != NULL ? list->platforms[i].problem : "");
  Status status =
      error_set(error, SETOSA_ERROR_DEVICE,
                "no OpenCL device: %s; install your GPU's OpenCL driver, or a CPU device with `apt install pocl-opencl-icd`, and see "
                "`setosa devices --diagnose`",
                list->problem != NULL  ? list->problem
                : reasons.text != NULL ? reasons.text
                                       : "");
  text_free(&reasons);
  return status;
}

static Status fail_with_list(const DeviceList *list, Error *error, const char *what, const char *selector) {
  Text text = {0};
  Status status = device_list_describe(list, &text, error);
  if (status == SETOSA_OK) status = error_set(error, SETOSA_ERROR_DEVICE, "%s%s; there is: %s", what, selector, text.text);
  text_free(&text);
  return status;
}

/* What can be used is listed, where there is something. */
static Status fail_refused(const DeviceList *list, const DeviceRecord *device, Error *error) {
  Status status = SETOSA_OK;
  Text usable = {0};
  for (size_t i = 0; i < list->count; i++)
    if (list->devices[i].info.usable) TRY(append_device(&usable, &list->devices[i].info, error));
  TRY(error_set(error, SETOSA_ERROR_DEVICE, "device %zu (%s) is refused: %s%s%s", device->info.index, device->info.name,
                device->info.refusal, usable.length > 0 ? "; usable: " : "", usable.length > 0 ? usable.text : ""));
cleanup:
  text_free(&usable);
  return status;
}

static Status check_usable(const DeviceList *list, const DeviceRecord *device, bool force, size_t *index, Error *error) {
  if (!device->info.usable && !force) return fail_refused(list, device, error);
  *index = device->info.index;
  return SETOSA_OK;
}

/* By type or, with NULL, whatever is best. */
static Status select_best(const DeviceList *list, const SetosaDeviceType *type, const char *selector, bool force, size_t *index,
                          Error *error) {
  const DeviceRecord *best = find_best(list, type, false);
  const DeviceRecord *refused = best == NULL ? find_best(list, type, true) : NULL;
  if (best == NULL && refused == NULL) return fail_with_list(list, error, "no device is of type ", selector);
  return check_usable(list, best != NULL ? best : refused, force, index, error);
}

/* A part of the name, or the whole of it, which wins over parts of others. Shadows count only when nothing else matches. */
static Status select_by_name(const DeviceList *list, const char *selector, bool force, size_t *index, Error *error) {
  Status status = SETOSA_OK;
  Text matches = {0};
  const DeviceRecord *found = NULL;
  size_t count = 0;
  for (int round = 0; round < 3 && count == 0; round++) { /* whole names, parts, parts of shadows */
    for (size_t i = 0; i < list->count; i++) {
      const DeviceRecord *device = &list->devices[i];
      bool whole = strcasecmp(device->info.name, selector) == 0, part = strcasestr(device->info.name, selector) != NULL;
      if (!(round == 0 ? whole && !device->shadow : part && device->shadow == (round == 2))) continue;
      found = device;
      count++;
      TRY(append_device(&matches, &device->info, error));
    }
  }
  if (count == 0) {
    status = fail_with_list(list, error, "no device is named ", selector);
  } else if (count > 1) {
    status = error_set(error, SETOSA_ERROR_DEVICE, "\"%s\" is part of the name of %zu devices; choose by index: %s", selector, count,
                       matches.text);
  } else {
    status = check_usable(list, found, force, index, error);
  }
cleanup:
  text_free(&matches);
  return status;
}

Status device_list_select(const DeviceList *list, const char *selector, bool force, size_t *index, Error *error) {
  static const SetosaDeviceType cpu = SETOSA_DEVICE_CPU, gpu = SETOSA_DEVICE_GPU;
  if (list->count == 0) return fail_empty(list, error);
  if (selector == NULL) return select_best(list, NULL, "any", force, index, error);
  if (selector[0] == '\0') return fail_with_list(list, error, "an empty device selector", "");
  if (strcasecmp(selector, "cpu") == 0) return select_best(list, &cpu, "cpu", force, index, error);
  if (strcasecmp(selector, "gpu") == 0) return select_best(list, &gpu, "gpu", force, index, error);
  if (selector[strspn(selector, "0123456789")] == '\0') {
    uint64_t wanted;
    bool valid = text_parse_count(selector, &wanted) && wanted < list->count;
    if (!valid) return fail_with_list(list, error, "there is no device ", selector);
    return check_usable(list, &list->devices[wanted], force, index, error);
  }
  return select_by_name(list, selector, force, index, error);
}
