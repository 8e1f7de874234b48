/* Fields of summaries, and what computed, for people and as JSON. */
#include "cli/report.h"

#include <stdarg.h>

#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/units.h"

void report_field(const Session *session, const char *label, const char *format, ...) {
  bool color = session->console.color_out;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (session->facts != NULL) {
    report_facts_add(session->facts, label, text);
    return;
  }
  page_print("  %s%-*s%s%s\n", color_code(color, COLOR_DIM), LABEL_COLUMN - 2, label, color_code(color, COLOR_PLAIN), text);
}

/* Each device on a line of its own, below their number. */
static void print_devices(const Compute *compute, const Session *session) {
  char text[512];
  report_field(session, "devices", "%zu, which share the rows:", compute->chosen.count);
  for (size_t i = 0; i < compute->chosen.count; i++) {
    const SetosaDeviceInfo *device = compute_device_at(compute, i);
    snprintf(text, sizeof text, "[%zu] %s (%s, %s)", device->index, device->name, input_device_type_name(device->type), device->platform);
    console_make_visible(text);
    report_field(session, "", "%s", text);
  }
}

static void print_device(const Compute *compute, const char *backend, const Session *session) {
  char text[512];
  const SetosaDeviceInfo *device = compute_device(compute);
  if (session->ranks != NULL)
    report_field(session, "ranks", "%zu processes share the rows; the device is that of the first", setosa_ranks_size(session->ranks));
  if (compute->chosen.count > 1) {
    print_devices(compute, session);
    return;
  }
  if (device == NULL)
    snprintf(text, sizeof text, "none: the %s backend computes on this machine in %s precision", backend,
             session->options->train.compute.backend == SETOSA_BACKEND_BLAS ? "single" : "double");
  else
    snprintf(text, sizeof text, "[%zu] %s (%s, %s)", device->index, device->name, input_device_type_name(device->type), device->platform);
  report_field(session, "device", "%s", text);
}

void report_compute(const Compute *compute, const char *backend, uint64_t chunk_rows, const Session *session) {
  char rows[UNITS_SIZE];
  print_device(compute, backend, session);
  if (chunk_rows == 0) return;
  report_field(session, "rows", "streamed through the device in every pass, %s at a time: together they do not fit the memory it may use",
               units_count(rows, (double)chunk_rows));
}

const char *report_features(char text[REPORT_WORDS], const SetosaDataset *dataset) {
  size_t features = setosa_dataset_features(dataset);
  int base = setosa_dataset_index_base(dataset);
  char how[40] = "";
  if (setosa_dataset_hash_features(dataset) > 0)
    snprintf(how, sizeof how, " (hashes of names)");
  else if (base >= 0)
    snprintf(how, sizeof how, " (indices from %d)", base);
  snprintf(text, REPORT_WORDS, "%zu feature%s%s", features, features == 1 ? "" : "s", how);
  return text;
}

const char *report_entries(char text[REPORT_WORDS], const SetosaDataset *dataset, const char *storage) {
  char count[UNITS_SIZE];
  double entries = (double)setosa_dataset_entries(dataset),
         all = (double)setosa_dataset_rows(dataset) * (double)setosa_dataset_features(dataset);
  snprintf(text, REPORT_WORDS, "%s non-zero%s, %.3g %%, %s%s", units_count(count, entries), entries == 1 ? "" : "s",
           all > 0 ? 100 * entries / all : 0, setosa_dataset_is_binary(dataset) ? "all 1" : "values ",
           setosa_dataset_is_binary(dataset) ? ""
           : storage != NULL                 ? storage
                                             : "f32");
  return text;
}

void report_put_kind(json_t **document, const SetosaDataset *dataset) {
  bool sparse = setosa_dataset_is_sparse(dataset);
  int base = setosa_dataset_index_base(dataset);
  json_t *kind = json_pack("{s:b, s:o, s:o}", "sparse", sparse, "non_zeros",
                           sparse ? json_integer((json_int_t)setosa_dataset_entries(dataset)) : json_null(), "index_base",
                           base >= 0 ? json_integer(base) : json_null());
  if (json_object_update_new(json_object_get(*document, "data"), kind) == 0) return;
  json_decref(*document);
  *document = NULL;
}

json_t *report_device_json(const SetosaDeviceInfo *device) {
  if (device == NULL) return json_null();
  return json_pack("{s:I, s:o, s:o, s:o, s:s}", "index", (json_int_t)device->index, "name", json_text(device->name), "platform",
                   json_text(device->platform), "driver", json_text(device->driver), "type", setosa_device_type_name(device->type));
}

json_t *report_devices_json(const Compute *compute) {
  json_t *devices = json_array();
  bool failed = devices == NULL;
  for (size_t i = 0; !failed && i < compute->chosen.count; i++)
    failed = json_array_append_new(devices, report_device_json(compute_device_at(compute, i))) != 0;
  if (!failed) return devices;
  json_decref(devices);
  return NULL;
}
