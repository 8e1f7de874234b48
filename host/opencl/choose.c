/* Which devices, when there may be several: selectors one after another, lists of them, "all", and parts of a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "opencl/internal.h"

typedef struct Choosing {
  const DeviceList *list;
  SetosaFamily family;
  bool force;
  SetosaDeviceChoices *choices;
} Choosing;

static bool is_number(const char *text) { return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0'; }

/* "2", "0/2": nobody means a part of a name by it. */
static bool is_numbered(const char *text) {
  size_t digits = strspn(text, "0123456789");
  return is_number(text) || (digits > 0 && text[digits] == '/' && is_number(text + digits + 1));
}

/* Names may hold the signs that selectors are made of ("Radeon 540/540X"). */
static bool is_part_of_a_name(const DeviceList *list, const char *text) {
  for (size_t i = 0; i < list->count; i++)
    if (strcasestr(list->devices[i].info.name, text) != NULL) return true;
  return false;
}

static Status add_device(const Choosing *c, size_t index, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  SetosaDeviceChoices *choices = c->choices;
  const DeviceRecord *device = &c->list->devices[index];
  if (parts != 1) TRY(device_check_parts(device, parts, error));
  for (size_t i = 0; i < choices->count; i++)
    if (choices->choice[i].index == index)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "device %zu (%s) is named twice; name each device once", index, device->info.name));
  if (parts > SETOSA_CHOICES_MOST - choices->count)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "more than %d devices; name fewer, or cut them into fewer parts", SETOSA_CHOICES_MOST));
  for (size_t part = 0; part < parts; part++)
    choices->choice[choices->count++] = (SetosaDeviceChoice){.index = index, .part = part, .parts = parts};
cleanup:
  return status;
}

static void leave_out(const Choosing *c, const DeviceRecord *device, const char *why) {
  char *text = c->choices->left_out;
  size_t used = strlen(text), size = sizeof c->choices->left_out;
  snprintf(text + used, size - used, "%s%zu %s (%s)", used > 0 ? ", " : "", device->info.index, device->info.name, why);
}

/* Every device that can share the work of the best one: usable, no duplicate, of its kernels unless these are chosen. */
static Status add_all(const Choosing *c, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  size_t best = 0;
  TRY(device_list_select(c->list, NULL, c->force, &best, error));
  for (size_t i = 0; i < c->list->count; i++) {
    const DeviceRecord *device = &c->list->devices[i];
    if (device->shadow)
      leave_out(c, device, device->info.note);
    else if (!device->info.usable && !c->force)
      leave_out(c, device, "refused");
    else if (c->family == SETOSA_FAMILY_AUTO && device->traits.family != c->list->devices[best].traits.family)
      leave_out(c, device, device->traits.family == SETOSA_FAMILY_CPU ? "CPU kernels" : "GPU kernels");
    else
      TRY(add_device(c, i, parts, error));
  }
cleanup:
  return status;
}

/* SEL or SEL/N. */
static Status add_selector(const Choosing *c, const char *selector, Error *error) {
  Status status = SETOSA_OK;
  char *copy = NULL, *slash = NULL;
  uint64_t parts = 1;
  size_t index = 0;
  TRY(memory_copy_text(&copy, selector, error));
  if (is_numbered(selector) || !is_part_of_a_name(c->list, selector)) slash = strrchr(copy, '/');
  if (slash != NULL) {
    *slash = '\0';
    if (!text_parse_count(slash + 1, &parts) || parts < 2)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "\"%s\": after the / goes how many parts to cut it into, 2 or more, as in 0/2", selector));
  }
  if (strcasecmp(copy, "all") == 0) {
    TRY(add_all(c, (size_t)parts, error));
  } else {
    TRY(device_list_select(c->list, copy, c->force, &index, error));
    TRY(add_device(c, index, (size_t)parts, error));
  }
cleanup:
  free(copy);
  return status;
}

/* "0,1" is a list, unless a device is named so. */
static Status add_selectors(const Choosing *c, const char *selectors, Error *error) {
  Status status = SETOSA_OK;
  char **words = NULL;
  size_t count = 0;
  if (strchr(selectors, ',') == NULL || is_part_of_a_name(c->list, selectors)) return add_selector(c, selectors, error);
  TRY(text_split(&words, &count, selectors, ',', error));
  for (size_t i = 0; i < count; i++) TRY(add_selector(c, words[i], error));
cleanup:
  free(words);
  return status;
}

/* Kernels of two families add up in different orders: what several devices share must be of one. */
static Status check_families(const Choosing *c, Error *error) {
  const SetosaDeviceChoices *choices = c->choices;
  const DeviceRecord *first = &c->list->devices[choices->choice[0].index];
  for (size_t i = 1; c->family == SETOSA_FAMILY_AUTO && i < choices->count; i++) {
    const DeviceRecord *other = &c->list->devices[choices->choice[i].index];
    if (other->traits.family == first->traits.family) continue;
    bool cpu = first->traits.family == SETOSA_FAMILY_CPU;
    return error_set(
        error, SETOSA_ERROR_USAGE,
        "device %zu (%s) has %s kernels and device %zu (%s) %s kernels, which cannot share the rows; name devices of one kind, or "
        "give all the same kernels with --family cpu or gpu",
        first->info.index, first->info.name, cpu ? "CPU" : "GPU", other->info.index, other->info.name, cpu ? "GPU" : "CPU");
  }
  return SETOSA_OK;
}

Status device_list_choose(const DeviceList *list, size_t selector_count, const char *const *selectors, SetosaFamily family, bool force,
                          SetosaDeviceChoices *choices, Error *error) {
  Status status = SETOSA_OK;
  const Choosing c = {.list = list, .family = family, .force = force, .choices = choices};
  *choices = (SetosaDeviceChoices){.count = 0};
  if (selector_count == 0 || list->count == 0) { /* without devices: the error that says so */
    size_t best = 0;
    TRY(device_list_select(list, NULL, force, &best, error));
    TRY(add_device(&c, best, 1, error));
  }
  for (size_t i = 0; i < selector_count; i++) TRY(add_selectors(&c, selectors[i], error));
  TRY(check_families(&c, error));
cleanup:
  return status;
}
