/* `setosa bench`: the same work on every device and backend, beside what the machine can do at most. */
#include "cli/bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/inputs.h"
#include "cli/terminal/crash.h"
#include "cli/terminal/interrupt.h"

enum { DEVICES_MOST = 64 };

/* What setosa_bench borrows. */
typedef struct BenchWork {
  SetosaDevices *devices;
  size_t indices[DEVICES_MOST], index_count;
  SetosaDataset *data;
  char name[64];
  SetosaBackend backends[OPTIONS_LIST];
  SetosaStorage storages[OPTIONS_LIST];
  SetosaBenchWhat whats[OPTIONS_LIST];
} BenchWork;

/* ---- as it comes ------------------------------------------------------------------------------------------------ */

static void on_limits(const SetosaBenchLimits *limits, void *user) {
  BenchReport *report = user;
  if (memory_grow((void **)&report->limits, &report->limit_capacity, report->limit_count + 1, sizeof *limits, "limits", &report->error) !=
      SETOSA_OK) {
    report->status = SETOSA_ERROR_INTERNAL;
    return;
  }
  report->limits[report->limit_count++] = *limits;
}

static void on_result(const SetosaBenchResult *result, void *user) {
  BenchReport *report = user;
  Status status =
      memory_grow((void **)&report->results, &report->result_capacity, report->result_count + 1, sizeof *result, "results", &report->error);
  if (status == SETOSA_OK) report->results[report->result_count++] = *result;
  if (status == SETOSA_OK && !report->session->options->json) {
    progress_end(&report->progress);
    if (report->result_count == 1) bench_print_limits(report);
    status = bench_print_groups(report, false, &report->error);
    fflush(stdout); /* a work may take minutes; a failed write is found at the end */
  }
  if (status != SETOSA_OK) report->status = status;
}

static void on_doing(const char *what, void *user) { progress_say(&((BenchReport *)user)->progress, what); }

static bool on_stop(void *user) {
  const BenchReport *report = user;
  const Options *options = report->session->options;
  interrupt_defer(true);                                     /* what was measured is to be printed */
  bool file = options->csv != NULL || options->plot != NULL; /* which is wanted whole, whoever reads the table */
  return interrupt_requested() || report->status != SETOSA_OK || (console_output_failed() && !file);
}

/* ---- what to do ------------------------------------------------------------------------------------------------- */

static void add_device(BenchWork *work, size_t index) {
  for (size_t i = 0; i < work->index_count; i++)
    if (work->indices[i] == index) return;
  if (work->index_count < DEVICES_MOST) work->indices[work->index_count++] = index;
}

/* Every usable device once, or those that --device names ("all" again means every one). */
static Status choose_devices(BenchWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  TRY(setosa_devices_open(&work->devices, error));
  crash_install_again();
  input_warn_of_drivers(session, work->devices);
  bool all = options->devices.count == 0;
  for (size_t i = 0; i < options->devices.count; i++) {
    size_t index = 0;
    if (strcmp(options->devices.text[i], "all") == 0) {
      all = true;
      continue;
    }
    TRY(setosa_devices_select(work->devices, options->devices.text[i], options->force_device, &index, error));
    add_device(work, index);
  }
  for (size_t i = 0; all && i < setosa_devices_count(work->devices); i++) {
    const SetosaDeviceInfo *info = setosa_devices_get(work->devices, i);
    bool shadow = strncmp(info->note, "the same physical device", 24) == 0;
    if ((info->usable || options->force_device) && !shadow) add_device(work, i);
  }
cleanup:
  return status;
}

static SetosaBenchOptions make_options(BenchWork *work, BenchReport *report, const Options *options) {
  SetosaBenchOptions bench = setosa_bench_options_default();
  for (size_t i = 0; i < OPTIONS_LIST; i++) {
    work->backends[i] = (SetosaBackend)options->backends.choice[i];
    work->storages[i] = (SetosaStorage)options->storages.choice[i];
    work->whats[i] = (SetosaBenchWhat)options->what.choice[i];
  }
  bench.dataset = work->data;
  bench.name = work->name;
  bench.works = options->work;
  bench.fashion = options->fashion;
  bench.devices = work->devices;
  bench.device_indices = work->indices;
  bench.device_count = work->index_count;
  bench.force_device = options->force_device;
  bench.backends = work->backends;
  bench.backend_count = options->backends.count;
  bench.storages = work->storages;
  bench.storage_count = options->storages.count;
  bench.whats = work->whats;
  bench.what_count = options->what.count;
  bench.family = options->train.compute.family;
  bench.tuning = options->train.compute.tuning;
  bench.reproducible = options->train.compute.reproducible;
  bench.max_iterations = options->train.max_iterations;
  bench.tolerance = options->train.tolerance;
  bench.repeat = (size_t)options->repeat;
  bench.seconds = options->seconds;
  bench.limits = on_limits;
  bench.result = on_result;
  bench.doing = on_doing;
  bench.stop = on_stop;
  bench.user = report;
  return bench;
}

static Status load_data(BenchWork *work, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  if (options->argument_count == 0) return SETOSA_OK;
  TRY(input_load(&work->data, session, options->argument[0], options->data, error));
  if (options->standardize) TRY(setosa_dataset_standardize(work->data, error));
  const char *slash = strncmp(options->argument[0], "synthetic:", 10) == 0 ? NULL : strrchr(options->argument[0], '/');
  snprintf(work->name, sizeof work->name, "%.*s", (int)sizeof work->name - 1, slash != NULL ? slash + 1 : options->argument[0]);
cleanup:
  return status;
}

/* ---- afterwards ------------------------------------------------------------------------------------------------- */

/* A median of a machine that others use too is worth what its spread says. */
static void warn_of_noise(const BenchReport *report) {
  const double noisy = 0.1;
  const SetosaBenchResult *worst = NULL;
  size_t count = 0, measured = 0;
  for (size_t i = 0; i < report->result_count; i++) {
    const SetosaBenchResult *result = &report->results[i];
    if (result->status != SETOSA_BENCH_OK) continue;
    measured++;
    if (!(result->spread > noisy)) continue;
    count++;
    if (worst == NULL || result->spread > worst->spread) worst = result;
  }
  if (worst == NULL) return;
  char label[BENCH_LABEL];
  console_warn(&report->session->console,
               "the machine is noisy: %zu of %zu rows vary by more than 10 %%, the worst (%s, %s) by %.0f %%; end other work, or raise "
               "--seconds",
               count, measured, worst->work, bench_label(label, worst), 100 * worst->spread);
}

static Status judge(const BenchReport *report, Error *error) {
  size_t failed = 0, done = 0;
  const SetosaBenchResult *first = NULL;
  for (size_t i = 0; i < report->result_count; i++) {
    const SetosaBenchResult *result = &report->results[i];
    done += result->status == SETOSA_BENCH_OK;
    if (result->status != SETOSA_BENCH_FAILED) continue;
    if (failed++ == 0) first = result;
  }
  char label[BENCH_LABEL];
  if (failed > 0)
    return error_set(error, SETOSA_ERROR_DEVICE, "%zu of %zu rows failed, the first %s of %s (%s); see `setosa check`", failed,
                     report->result_count, bench_label(label, first), first->work, first->reason);
  if (done > 0 || report->interrupted) return SETOSA_OK;
  if (report->result_count == 0) return error_set(error, SETOSA_ERROR_INTERNAL, "nothing was measured");
  first = &report->results[0];
  return error_set(error, SETOSA_ERROR_DEVICE, "nothing could be measured: every row was skipped, the first %s of %s (%s)",
                   bench_label(label, first), first->work, first->reason);
}

static Status show(BenchReport *report, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = report->session->options;
  if (options->json) {
    TRY(json_print(bench_json(report), false, stdout, error));
  } else {
    TRY(bench_print_groups(report, true, error));
    TRY(bench_print_changes(report, error));
  }
  TRY(console_flush(error));
  warn_of_noise(report);
  if (options->csv != NULL) TRY(bench_write_csv(report, options->csv, error));
  if (options->plot != NULL) TRY(bench_write_plot(report, options->plot, error));
  TRY(judge(report, error));
cleanup:
  return status;
}

static Status measure(BenchReport *report, const SetosaBenchOptions *options, Error *error) {
  progress_begin(&report->progress, &report->session->console, NULL);
  Status status = setosa_bench(options, error);
  progress_end(&report->progress);
  if (report->status != SETOSA_OK) return error_set(error, report->status, "%s", report->error.message);
  return status;
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  BenchWork work = {.devices = NULL};
  BenchReport report = {.session = session};
  Error stopped = {0};
  TRY(bench_check_arguments(options, error));
  TRY(bench_load_baseline(&report, options->compare, error));
  TRY(choose_devices(&work, session, error));
  TRY(load_data(&work, session, error));
  SetosaBenchOptions bench = make_options(&work, &report, options);
  status = measure(&report, &bench, &stopped);
  report.interrupted = status == SETOSA_INTERRUPTED;
  if (status != SETOSA_OK && !report.interrupted) TRY(error_set(error, status, "%s", stopped.message));
  TRY(show(&report, error));
  /* Without a Ctrl-C it was the reader of the output who left, which is no error. */
  if (report.interrupted && interrupt_requested())
    status = error_set(error, SETOSA_INTERRUPTED, "interrupted; what was measured so far stands, the rest is missing");
cleanup:
  interrupt_defer(false);
  free(report.limits);
  free(report.results);
  free(report.baseline);
  setosa_dataset_destroy(work.data);
  setosa_devices_close(work.devices);
  return status;
}

const Command command_bench = {
    .name = "bench",
    .arguments = "[DATA]",
    .summary = "time the work on every device and backend",
    .description =
        "Times loss and gradient (or another operation) of DATA, or of ten works, dense ones from small to vocabulary-sized and sparse "
        "ones, on every device and with "
        "every backend, beside limits measured in the same run: fused multiply-adds, reads of memory, and for sparse rows reads at random. "
        "A result that differs from the "
        "double reference is FAILED, not timed. Leave the machine alone while it runs.",
    .details =
        "\nThe ten works, N rows x D features, and what bounds them:\n\n"
        "  W1  60000 x 784, 10 classes     both (Fashion-MNIST where it is installed)\n"
        "  W2  1000000 x 32, 3 classes     memory: tall\n"
        "  W3  200000 x 256, 16 classes    arithmetic: medium\n"
        "  W4  50000 x 1024, 100 classes   arithmetic: wide\n"
        "  W5  16384 x 512, 1000 classes   arithmetic: many classes\n"
        "  W6  4096 x 1024, 32000 classes  arithmetic: vocabulary\n"
        "  S1  20000 x 20000, 20 classes   reads at random: 60 entries a row\n"
        "  S2  500000 x 50000, 50 classes  reads at random: 75 entries a row\n"
        "  S3  1000000 x 1048576, 2        reads at random: 39 entries a row, all of them 1\n"
        "  S4  16000 x 62000, 20 classes   reads at random: 80 entries a row\n",
    .examples =
        "  setosa bench --suite --json > before.json\n"
        "  setosa bench --work W1,W4 --what step,hessian --compare before.json\n"
        "  setosa bench synthetic:rows=1e5,features=100,classes=10 --csv rows.csv --plot rows.svg\n",
    .id = FOR_BENCH,
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run,
};
