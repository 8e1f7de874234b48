/* `setosa devices`: what can compute here, and why the rest cannot. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/terminal/crash.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

/* The outcome of --check for one device. */
typedef struct DeviceCheck {
  Status status;
  Error error;
} DeviceCheck;

static Status check_devices(DeviceCheck *checks, const SetosaDevices *devices, const Session *session, Error *error) {
  Progress progress;
  size_t count = setosa_devices_count(devices);
  (void)error;
  progress_begin(&progress, &session->console, NULL);
  for (size_t i = 0; i < count; i++) {
    const SetosaDeviceInfo *info = setosa_devices_get(devices, i);
    SetosaDevice *device = NULL;
    char line[160];
    snprintf(line, sizeof line, "testing %zu: %s", info->index, info->name);
    console_make_visible(line);
    progress_say(&progress, line);
    checks[i].status = setosa_device_open(&device, devices, i, false, &checks[i].error);
    if (checks[i].status == SETOSA_OK) checks[i].status = setosa_device_test(device, &checks[i].error);
    setosa_device_close(device);
  }
  progress_end(&progress);
  return SETOSA_OK;
}

static const char *status_word(const SetosaDeviceInfo *info, const DeviceCheck *check) {
  if (!info->usable) return "refused";
  if (check == NULL) return "usable";
  return check->status == SETOSA_OK ? "tested, ok" : "FAILED";
}

/* What the table has no room for, below it: platform and driver, why a device is refused or failed, notes. */
static void print_details(const SetosaDevices *devices, const DeviceCheck *checks) {
  printf("\n");
  for (size_t i = 0; i < setosa_devices_count(devices); i++) {
    const SetosaDeviceInfo *info = setosa_devices_get(devices, i);
    bool failed = checks != NULL && checks[i].status != SETOSA_OK;
    const char *reason = !info->usable ? info->refusal : failed ? checks[i].error.message : "";
    char text[2048];
    snprintf(text, sizeof text, "%s, driver %s%s%s%s%s", info->platform, info->driver, info->note[0] != '\0' ? "; " : "", info->note,
             !info->usable ? "; refused: "
             : failed      ? "; failed: "
                           : "",
             reason);
    console_make_visible(text);
    page_explain("  %zu:  %s\n", info->index, text);
  }
}

static Status print_table(const SetosaDevices *devices, const DeviceCheck *checks, const Session *session, Error *error) {
  static const TableColumn columns[] = {{"", true, false},       {"name", false, true},  {"type", false, false},
                                        {"memory", true, false}, {"units", true, false}, {"status", false, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char memory[UNITS_SIZE];
  TRY(table_create(&table, 6, columns, error));
  table_repeat(table, 2);
  for (size_t i = 0; i < setosa_devices_count(devices); i++) {
    const SetosaDeviceInfo *info = setosa_devices_get(devices, i);
    TRY(table_cell(table, error, "%zu", info->index));
    TRY(table_cell(table, error, "%s", info->name));
    TRY(table_cell(table, error, "%s", input_device_type_name(info->type)));
    TRY(table_cell(table, error, "%s", units_bytes(memory, (double)info->memory_bytes)));
    TRY(table_cell(table, error, "%u", info->compute_units));
    TRY(table_cell(table, error, "%s", status_word(info, checks == NULL ? NULL : &checks[i])));
  }
  table_print(table, console_page_width(), session->console.color_out);
  print_details(devices, checks);
cleanup:
  table_destroy(table);
  return status;
}

static json_t *device_json(const SetosaDeviceInfo *info, const DeviceCheck *check) {
  json_t *device =
      json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:b}", "index", (json_int_t)info->index,
                "name", json_text(info->name), "type", setosa_device_type_name(info->type), "vendor", json_text(info->vendor), "platform",
                json_text(info->platform), "platform_version", json_text(info->platform_version), "driver", json_text(info->driver),
                "version", json_text(info->version), "memory_bytes", (json_int_t)info->memory_bytes, "max_allocation_bytes",
                (json_int_t)info->max_allocation_bytes, "local_memory_bytes", (json_int_t)info->local_memory_bytes, "compute_units",
                (json_int_t)info->compute_units, "clock_mhz", (json_int_t)info->clock_mhz, "usable", info->usable, "refusal",
                json_text(info->refusal), "note", json_text(info->note), "tensor_cores", info->tensor_cores);
  if (check != NULL)
    json_put(&device, "check",
             json_pack("{s:b, s:o}", "passed", check->status == SETOSA_OK, "reason",
                       json_text(check->status == SETOSA_OK ? "" : check->error.message)));
  return device;
}

static json_t *warnings_json(const SetosaDevices *devices) {
  json_t *list = json_array();
  const char *warning;
  for (size_t i = 0; (warning = setosa_devices_warning(devices, i)) != NULL; i++) json_add(&list, json_text(warning));
  return list;
}

static Status print_json(const SetosaDevices *devices, const DeviceCheck *checks, Error *error) {
  json_t *list = json_array();
  for (size_t i = 0; i < setosa_devices_count(devices); i++)
    json_add(&list, device_json(setosa_devices_get(devices, i), checks == NULL ? NULL : &checks[i]));
  return json_print(json_pack("{s:s, s:s, s:o, s:o}", "command", "devices", "version", SETOSA_VERSION, "devices", list, "warnings",
                              warnings_json(devices)),
                    false, stdout, error);
}

static void print_diagnosis(const char *line, void *user) {
  char text[2048];
  (void)user;
  snprintf(text, sizeof text, "%s", line);
  console_make_visible(text);
  /* Blanks that a driver puts in a row set no columns apart. */
  char *to = text + strspn(text, " ");
  for (const char *from = to; *from != '\0'; from++)
    if (from[0] != ' ' || from[1] != ' ') *to++ = *from;
  *to = '\0';
  page_explain("%s\n", text);
}

static Status list_devices(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaDevices *devices = NULL;
  DeviceCheck *checks = NULL;
  TRY(setosa_devices_open(&devices, error));
  crash_install_again();
  size_t count = setosa_devices_count(devices), usable = 0, failed = 0;
  if (count > 0) input_warn_of_drivers(session, devices); /* else the error says it */
  if (options->check) {
    TRY(memory_allocate_zero((void **)&checks, count, sizeof *checks, "the checks", error));
    TRY(check_devices(checks, devices, session, error));
  }
  for (size_t i = 0; i < count; i++) {
    usable += setosa_devices_get(devices, i)->usable;
    failed += setosa_devices_get(devices, i)->usable && checks != NULL && checks[i].status != SETOSA_OK;
  }
  if (options->json)
    TRY(print_json(devices, checks, error));
  else if (count > 0)
    TRY(print_table(devices, checks, session, error));
  if (count == 0)
    status = setosa_devices_select(devices, NULL, false, &usable, error); /* says why there is none */
  else if (failed > 0)
    status = error_set(error, SETOSA_ERROR_DEVICE, "%zu of %zu usable devices failed the self-test", failed, usable);
  else if (usable == 0)
    status = error_set(error, SETOSA_ERROR_DEVICE, "no usable device: every one is refused, as said above");
cleanup:
  free(checks);
  setosa_devices_close(devices);
  return status;
}

static Status run(const Session *session, Error *error) {
  const Options *options = session->options;
  if (!options->diagnose) return list_devices(session, error);
  if (options->json || options->check)
    return error_set(error, SETOSA_ERROR_USAGE, "--diagnose goes alone; leave out --%s", options->json ? "json" : "check");
  return setosa_devices_diagnose(print_diagnosis, NULL, error);
}

const Command command_devices = {
    .name = "devices",
    .arguments = "",
    .summary = "every OpenCL device here, and why one is refused",
    .description =
        "Lists every platform's devices. The number in front is what --device takes. Exits with 4 when no device can be used. "
        "A driver that is new or was changed is first tried in a process of its own, with 20 s ($SETOSA_DRIVER_SECONDS) from one step to "
        "the next: one that fails is named, and left out.",
    .examples =
        "  setosa devices\n"
        "  setosa devices --check       # run the self-test on each\n"
        "  setosa devices --diagnose    # when one is missing\n",
    .id = FOR_DEVICES,
    .run = run,
};
