/* Loading data and opening the device. */
#include "cli/inputs.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/terminal/crash.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/units.h"

SetosaDataOptions input_model_options(const SetosaModel *model, const Options *options) {
  Options merged = {.data = setosa_model_data_options(model)};
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i] && options_row(i)->home == OPTION_OF_DATA) options_copy(&merged, options_row(i), options);
  merged.data.also = options->data.also;
  merged.data.also_count = options->data.also_count;
  return merged.data;
}

bool input_is_made(const char *source) { return strncmp(source, "synthetic:", 10) == 0 || strcmp(source, "synthetic") == 0; }

/* What the reader found out; names in it come from the file. */
static void show_remarks(const Console *console, const SetosaDataset *dataset) {
  SetosaRemark kind = SETOSA_REMARK_DETAIL;
  const char *remark = NULL;
  for (size_t i = 0; (remark = setosa_dataset_remark(dataset, i, &kind)) != NULL; i++)
    if (kind == SETOSA_REMARK_WARNING)
      console_warn(console, "%s", remark);
    else
      console_note(console, "%s", remark);
}

Status input_load(SetosaDataset **dataset, const Session *session, const char *source, SetosaDataOptions data, Error *error) {
  Progress progress;
  double began = clock_seconds();
  progress_begin(&progress, &session->console, source);
  data.progress = progress_update;
  data.progress_user = &progress;
  Status status = setosa_dataset_load(dataset, source, &data, error);
  progress_end(&progress);
  double took = clock_seconds() - began;
  if (status != SETOSA_OK) return status;
  char rate[UNITS_SIZE], speed[UNITS_SIZE], time[UNITS_SIZE];
  double rows = (double)setosa_dataset_rows(*dataset), bytes = (double)progress.last.bytes_done;
  if (bytes <= 0) bytes = rows * (double)setosa_dataset_features(*dataset) * sizeof(float);
  show_remarks(&session->console, *dataset);
  console_note(&session->console, "%s: %zu rows, %zu features, %zu classes in %s (%s rows/s, %s/s)", source, setosa_dataset_rows(*dataset),
               setosa_dataset_features(*dataset), setosa_dataset_classes(*dataset), units_seconds(time, took),
               units_count(rate, rows / fmax(took, 1e-9)), units_bytes(speed, bytes / fmax(took, 1e-9)));
  const char *note = setosa_dataset_cache_note(*dataset), *labels = setosa_dataset_labels_found(*dataset);
  if (labels != NULL) console_note(&session->console, "%s: labels from %s", source, labels);
  if (setosa_dataset_cached(*dataset)) console_note(&session->console, "%s: from the cache of an earlier conversion", source);
  if (note != NULL && session->options->data.cache != NULL && !setosa_dataset_cached(*dataset)) /* a folder that was named should work */
    console_warn(&session->console, "nothing is kept in --cache %s: %s", session->options->data.cache, note);
  else if (note != NULL)
    console_note(&session->console, "no cache: %s", note);
  return SETOSA_OK;
}

const char *input_left_out(char text[INPUT_WORDS], uint64_t rows) {
  text[0] = '\0';
  if (rows > 0) snprintf(text, INPUT_WORDS, "%llu left out for missing values", (unsigned long long)rows);
  return text;
}

uint64_t input_count_left_out(const SetosaDataset *dataset) { return setosa_dataset_source_rows(dataset) - setosa_dataset_rows(dataset); }

Status input_borrow_names(const char ***feature_names, const char ***class_names, const SetosaDataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t features = setosa_dataset_features(dataset), classes = setosa_dataset_classes(dataset);
  *feature_names = *class_names = NULL;
  TRY(memory_allocate((void **)class_names, classes, sizeof **class_names, "class names", error));
  for (size_t k = 0; k < classes; k++) (*class_names)[k] = setosa_dataset_class_name(dataset, k);
  if (setosa_dataset_feature_name(dataset, 0) == NULL) goto cleanup;
  TRY(memory_allocate((void **)feature_names, features, sizeof **feature_names, "feature names", error));
  for (size_t d = 0; d < features; d++) (*feature_names)[d] = setosa_dataset_feature_name(dataset, d);
cleanup:
  return status;
}

static bool uses_device(SetosaBackend backend) { return backend != SETOSA_BACKEND_REFERENCE && backend != SETOSA_BACKEND_BLAS; }

static size_t count_usable(const SetosaDevices *devices) {
  size_t count = 0;
  for (size_t i = 0; i < setosa_devices_count(devices); i++) count += setosa_devices_get(devices, i)->usable;
  return count;
}

void input_warn_of_drivers(const Session *session, const SetosaDevices *devices) {
  const char *warning;
  for (size_t i = 0; (warning = setosa_devices_warning(devices, i)) != NULL; i++) console_warn(&session->console, "%s", warning);
}

/* Where no device can be used, there are still the backends of the host. */
static void offer_host(const SetosaDevices *devices, Error *error) {
#ifdef SETOSA_HAVE_BLAS
  static const char offer[] = "; without a device: --backend blas";
#else
  static const char offer[] = "; without a device: --backend reference";
#endif
  size_t length = strlen(error->message);
  if (count_usable(devices) == 0) snprintf(error->message + length, sizeof error->message - length, "%s", offer);
}

static Status choose_devices(Compute *compute, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaDeviceChoices *chosen = &compute->chosen;
  static const char *const every[] = {"all"};
  bool dealt = session->ranks != NULL && options->devices.count == 0; /* each process of a machine takes the next one */
  TRY(setosa_devices_open(&compute->devices, error));
  crash_install_again();
  /* The error to come says it where there is nothing else to say. */
  if (count_usable(compute->devices) > 0 || setosa_devices_warning(compute->devices, 1) != NULL)
    input_warn_of_drivers(session, compute->devices);
  status = setosa_devices_choose(chosen, compute->devices, dealt ? 1 : options->devices.count, dealt ? every : options->devices.text,
                                 options->train.compute.family, options->force_device, error);
  if (status == SETOSA_ERROR_USAGE) error_prefix(error, "--device"); /* the others name the device already */
  if (status == SETOSA_ERROR_DEVICE) offer_host(compute->devices, error);
  TRY(status);
  if (chosen->left_out[0] != '\0' && !dealt) console_note(&session->console, "--device all leaves out: %s", chosen->left_out);
  if (chosen->count > 1 && compute->options.backend == SETOSA_BACKEND_CLBLAST)
    TRY(error_set(
        error, SETOSA_ERROR_USAGE,
        "--device names %zu devices, and several at a time are for the native backend alone; leave out --backend clblast, or name "
        "one",
        chosen->count));
cleanup:
  return status;
}

Status compute_choose(Compute *compute, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  compute->options = options->train.compute;
  compute->options.ranks = session->ranks;
  SetosaBackend backend = compute->options.backend;
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i]) TRY(option_check_backend(options_row(i), backend, error));
  TRY(options_check_compute(&compute->options, error)); /* said before any data are read */
  if (uses_device(backend)) TRY(choose_devices(compute, session, error));
cleanup:
  return status;
}

Status compute_choose_one(Compute *compute, const Session *session, Error *error) {
  Status status = compute_choose(compute, session, error);
  if (status != SETOSA_OK || compute->chosen.count <= 1) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "--device names %zu devices, and this command works on one; name one", compute->chosen.count);
}

void compute_keep(Compute *compute, size_t which) {
  if (compute->chosen.count == 0) return;
  compute->chosen.choice[0] = compute->chosen.choice[which % compute->chosen.count];
  compute->chosen.count = 1;
}

/* Opens the device `which` of those chosen; fails where it cannot be used. */
static Status open_chosen(Compute *compute, size_t which, const Session *session, Error *error) {
  const SetosaDeviceChoice *choice = &compute->chosen.choice[which];
  return setosa_device_open_part(&compute->opened[which], compute->devices, choice->index, choice->part, choice->parts,
                                 session->options->force_device, error);
}

Status compute_open(Compute *compute, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  char time[UNITS_SIZE];
  Progress progress;
  double began = clock_seconds();
  if (!uses_device(compute->options.backend)) return SETOSA_OK;
  progress_begin(&progress, &session->console, NULL);
  progress_say(&progress, compute->chosen.count > 1 ? "preparing the devices (first use builds and tests the kernels)"
                                                    : "preparing the device (first use builds and tests the kernels)");
  for (size_t i = 0; i < compute->chosen.count && status == SETOSA_OK; i++) status = open_chosen(compute, i, session, error);
  progress_end(&progress);
  TRY(status);
  compute->options.device = compute->opened[0];
  if (compute->chosen.count > 1) {
    compute->options.devices = compute->opened;
    compute->options.device_count = compute->chosen.count;
  }
  for (size_t i = 0; i < compute->chosen.count; i++) {
    const SetosaDeviceInfo *info = compute_device_at(compute, i);
    console_note(&session->console, "device %zu: %s (%s, %s, driver %s) opened in %s", info->index, info->name,
                 input_device_type_name(info->type), info->platform, info->driver, units_seconds(time, clock_seconds() - began));
    if (session->options->force_device && !info->usable)
      console_warn(&session->console, "device %zu is refused and used all the same (--force-device): %s", info->index, info->refusal);
  }
cleanup:
  return status;
}

void compute_close(Compute *compute) {
  for (size_t i = 0; i < compute->chosen.count; i++) setosa_device_close(compute->opened[i]);
  setosa_devices_close(compute->devices);
  *compute = (Compute){0};
}

const SetosaDeviceInfo *compute_device(const Compute *compute) { return compute_device_at(compute, 0); }

const SetosaDeviceInfo *compute_device_at(const Compute *compute, size_t which) {
  if (which >= compute->chosen.count) return NULL;
  if (compute->opened[which] != NULL) return setosa_device_info(compute->opened[which]); /* a part has a name of its own */
  return setosa_devices_get(compute->devices, compute->chosen.choice[which].index);
}

const char *input_device_type_name(SetosaDeviceType type) {
  return type == SETOSA_DEVICE_GPU ? "GPU" : type == SETOSA_DEVICE_CPU ? "CPU" : "other";
}
