/* `setosa check`: does a backend compute what the double reference computes? */
#include <string.h>

#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/table.h"

/* The checks of one shape and family so far, and the one nearest to its tolerance. */
typedef struct CheckGroup {
  SetosaCheckRow worst;
  size_t count, failures;
} CheckGroup;

typedef struct CheckWork {
  Table *table;
  bool all;         /* a table row for each check, not for each shape */
  CheckGroup group; /* the one being gathered */
  json_t *rows;     /* of --json */
  size_t count;
  double rounding; /* of X to f16, the largest; 0 without */
  Status status;
  Error error; /* the first thing that went wrong in the callback */
  Progress progress;
} CheckWork;

/* "cpu", "cpu, sparse": which kernels a check went through. */
static Status add_via(Table *table, const SetosaCheckRow *row, Error *error) {
  return table_cell(table, error, "%s%s", setosa_family_name(row->family), row->sparse ? ", sparse" : "");
}

static void add_table_row(CheckWork *work, const SetosaCheckRow *row) {
  Table *table = work->table;
  Error *error = &work->error;
  Status status = SETOSA_OK;
  TRY(table_cell(table, error, "%s", row->what));
  TRY(table_cell(table, error, "%s", strcmp(row->against, "finite differences") == 0 ? "finite diff." : row->against));
  TRY(table_cell(table, error, "%zux%zux%zu", row->rows, row->features, row->classes));
  TRY(add_via(table, row, error));
  TRY(table_cell(table, error, "%.1e", row->error));
  TRY(table_cell(table, error, "%.1e", row->tolerance));
  TRY(table_cell(table, error, "%s", row->passed ? "ok" : "FAIL"));
cleanup:
  if (status != SETOSA_OK) work->status = status;
}

static void print_group(CheckWork *work) {
  const CheckGroup *group = &work->group;
  const SetosaCheckRow *worst = &group->worst;
  Table *table = work->table;
  Error *error = &work->error;
  Status status = SETOSA_OK;
  if (group->count == 0) return;
  TRY(table_cell(table, error, "%zux%zux%zu", worst->rows, worst->features, worst->classes));
  TRY(add_via(table, worst, error));
  TRY(table_cell(table, error, "%zu", group->count));
  TRY(table_cell(table, error, "%s", worst->what));
  TRY(table_cell(table, error, "%.1e", worst->error));
  TRY(table_cell(table, error, "%.1e", worst->tolerance));
  if (group->failures == 0)
    TRY(table_cell(table, error, "ok"));
  else
    TRY(table_cell(table, error, "%zu FAILED", group->failures));
cleanup:
  if (status != SETOSA_OK) work->status = status;
}

/* The rounding of X itself is told apart from the errors of arithmetic: here it would hide the check that came nearest to its limit. */
static bool is_rounding(const SetosaCheckRow *row) { return strcmp(row->against, "f32") == 0; }

static void add_to_group(CheckWork *work, const SetosaCheckRow *row) {
  CheckGroup *group = &work->group;
  const SetosaCheckRow *worst = &group->worst;
  bool same = group->count > 0 && worst->rows == row->rows && worst->features == row->features && worst->classes == row->classes &&
              worst->sparse == row->sparse && worst->family == row->family;
  if (!same) {
    print_group(work);
    *group = (CheckGroup){.worst = *row};
  } else if (is_rounding(worst) || (!is_rounding(row) && !(row->error * worst->tolerance <= worst->error * row->tolerance))) {
    group->worst = *row;
  }
  group->count++;
  group->failures += !row->passed;
}

static void add_json_row(CheckWork *work, const SetosaCheckRow *row) {
  json_t *entry = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:s, s:o, s:o, s:b}", "what", row->what, "against", row->against, "rows",
                            (json_int_t)row->rows, "features", (json_int_t)row->features, "classes", (json_int_t)row->classes, "sparse",
                            row->sparse, "family", setosa_family_name(row->family), "error", json_number(row->error), "tolerance",
                            json_number(row->tolerance), "passed", row->passed);
  if (json_array_append_new(work->rows, entry) != 0)
    work->status = error_set(&work->error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document");
}

static void on_row(const SetosaCheckRow *row, void *user) {
  CheckWork *work = user;
  char line[128];
  snprintf(line, sizeof line, "checking %s, %zu x %zu, %zu classes", row->what, row->rows, row->features, row->classes);
  progress_say(&work->progress, line);
  work->count++;
  if (is_rounding(row) && row->error > work->rounding) work->rounding = row->error;
  if (work->rows != NULL)
    add_json_row(work, row);
  else if (work->all)
    add_table_row(work, row);
  else
    add_to_group(work, row);
}

static json_t *device_json(const SetosaDeviceInfo *device) {
  if (device == NULL) return json_null();
  return json_pack("{s:I, s:o, s:o, s:o}", "index", (json_int_t)device->index, "name", json_text(device->name), "platform",
                   json_text(device->platform), "driver", json_text(device->driver));
}

static Status report_json(CheckWork *work, const Compute *compute, size_t failures, Error *error) {
  json_t *document = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:b}", "command", "check", "version", SETOSA_VERSION, "backend",
                               setosa_backend_name(compute->options.backend), "device", device_json(compute_device(compute)), "checks",
                               work->rows, "failures", (json_int_t)failures, "passed", failures == 0);
  work->rows = NULL; /* now the document's */
  return json_print(document, false, stdout, error);
}

static void report_table(const CheckWork *work, const Compute *compute, size_t failures, const Session *session) {
  const SetosaDeviceInfo *device = compute_device(compute);
  const char *via = device != NULL ? "; via the kernels for CPUs or GPUs" : "";
  bool color = session->console.color_out;
  if (device == NULL)
    page_explain("The %s backend, on the host\n", setosa_backend_name(compute->options.backend));
  else if (compute->options.backend == SETOSA_BACKEND_NATIVE)
    page_explain("Device %zu, %s\n", device->index, device->name);
  else
    page_explain("The %s backend on device %zu, %s\n", setosa_backend_name(compute->options.backend), device->index, device->name);
  if (!work->all) page_explain("Each shape with the check nearest to its limit (--verbose lists them all):\n");
  page_explain("N rows, D features, K classes%s; errors relative\n\n", via);
  table_print(work->table, console_page_width(), color);
  if (work->rounding > 0)
    page_explain("\nThe reference computed on the features as f16 holds them; rounding changed them by up to %.1e of their size (RMS).\n",
                 work->rounding);
  if (failures == 0)
    page_explain("\n%sall %zu checks passed%s\n", color_code(color, COLOR_GREEN), work->count, color_code(color, COLOR_PLAIN));
  else
    page_explain("\n%s%zu of %zu checks failed%s\n", color_code(color, COLOR_RED), failures, work->count, color_code(color, COLOR_PLAIN));
}

static Status check(CheckWork *work, const SetosaDataset *data, const Compute *compute, const Session *session, Error *error) {
  size_t failures = 0;
  progress_begin(&work->progress, &session->console, NULL);
  progress_say(&work->progress, "checking");
  Status status = setosa_check(data, &compute->options, session->options->train.l2, on_row, work, &failures, error);
  progress_end(&work->progress);
  if (status != SETOSA_OK) return status;
  if (!session->options->json && !work->all) print_group(work);
  if (work->status != SETOSA_OK) return error_set(error, work->status, "%s", work->error.message);
  if (session->options->json)
    status = report_json(work, compute, failures, error);
  else
    report_table(work, compute, failures, session);
  if (status != SETOSA_OK || failures == 0) return status;
  return error_set(error, SETOSA_ERROR_DEVICE,
                   "device %zu computes wrong results (%zu of %zu checks failed); update its driver or choose "
                   "another with --device",
                   compute_device(compute)->index, failures, work->count);
}

static Status run(const Session *session, Error *error) {
  static const TableColumn columns[] = {{"what", false, false}, {"against", false, true}, {"NxDxK", true, false}, {"via", false, false},
                                        {"error", true, false}, {"allowed", true, false}, {"", false, false}};
  static const TableColumn group_columns[] = {{"NxDxK", true, false},  {"via", false, false},  {"checks", true, false},
                                              {"worst", false, false}, {"error", true, false}, {"allowed", true, false},
                                              {"", false, false}};
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaDataset *data = NULL;
  Compute compute = {0};
  CheckWork work = {.all = options->verbose || options->argument_count > 0};
  TRY(table_create(&work.table, 7, work.all ? columns : group_columns, error));
  if (options->json && (work.rows = json_array()) == NULL)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a JSON document"));
  TRY(compute_choose_one(&compute, session, error));
  if (options->argument_count > 0) TRY(input_load(&data, session, options->argument[0], options->data, error));
  TRY(compute_open(&compute, session, error));
  TRY(check(&work, data, &compute, session, error));
cleanup:
  json_decref(work.rows);
  table_destroy(work.table);
  setosa_dataset_destroy(data);
  compute_close(&compute);
  return status;
}

const Command command_check = {
    .name = "check",
    .arguments = "[DATA...]",
    .summary = "compare a backend with double precision arithmetic",
    .description =
        "Compares loss, gradient, Hessian times vector, probabilities and line search of a device with the reference in double "
        "precision and with finite differences, on DATA or on a table of synthetic shapes, dense and sparse; with --backend those of "
        "CLBlast, of OpenBLAS on "
        "the host, or of the reference itself. Exits with 4 when a check fails.",
    .examples =
        "  setosa check\n"
        "  setosa check iris.csv --device 0 --family gpu\n"
        "  setosa check --backend reference\n"
        "  setosa check synthetic:rows=1e4,features=100,classes=20\n",
    .id = FOR_CHECK,
    .least_arguments = 0,
    .most_arguments = 1,
    .several = true,
    .run = run,
};
