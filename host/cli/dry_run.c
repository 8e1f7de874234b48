/* --dry-run: the plan instead of the work. */
#include "cli/dry_run.h"

#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/terminal/page.h"
#include "cli/terminal/units.h"

static Status print_json(const SetosaPlan *plan, const SetosaDataset *dataset, Error *error) {
  json_t *buffers = json_array();
  for (size_t i = 0; i < plan->buffer_count; i++)
    json_add(&buffers, json_pack("{s:s, s:I}", "name", plan->buffers[i].name, "bytes", (json_int_t)plan->buffers[i].bytes));
  json_t *document =
      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:s, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:o}", "command", "plan",
                "rows", (json_int_t)plan->rows, "features", (json_int_t)plan->features, "classes", (json_int_t)plan->classes, "left_out",
                (json_int_t)input_count_left_out(dataset), "source_rows", (json_int_t)setosa_dataset_source_rows(dataset), "devices",
                (json_int_t)plan->devices, "buffers", buffers, "resident", plan->resident, "in_place", plan->in_place, "storage",
                plan->storage, "chunk_rows", (json_int_t)plan->chunk_rows, "device_budget_bytes", (json_int_t)plan->device_budget_bytes,
                "passes_estimate", (json_int_t)plan->passes_estimate, "seconds_pass", json_number(plan->seconds_pass), "seconds_estimate",
                json_number(plan->seconds_estimate), "passes_typical", (json_int_t)plan->passes_typical, "seconds_typical",
                json_number(plan->seconds_typical), "seconds_make", json_number(plan->seconds_make), "seconds_upload",
                json_number(plan->seconds_upload));
  bool sparse = setosa_dataset_is_sparse(dataset);
  json_put(&document, "sparse", json_boolean(sparse));
  json_put(&document, "non_zeros", sparse ? json_integer((json_int_t)setosa_dataset_entries(dataset)) : json_null());
  return json_print(document, false, stdout, error);
}

/* Where the time of a pass goes, when it streams and that is most of it; of rows that stay, what comes before the first. */
static void describe_moves(const SetosaPlan *plan, char *text, size_t size) {
  char make[UNITS_SIZE], upload[UNITS_SIZE];
  double moved = plan->seconds_make + plan->seconds_upload;
  text[0] = '\0';
  if (moved < 0.005 || (plan->resident ? moved < 0.1 * plan->seconds_typical : moved < 0.1 * plan->seconds_pass)) return;
  bool makes = plan->seconds_make >= 0.005;
  snprintf(text, size, "%s%s%s%s%s", makes ? "making rows takes " : "", makes ? units_seconds(make, plan->seconds_make) : "",
           makes ? " and " : "", makes ? "uploading them " : "uploading rows takes ", units_seconds(upload, plan->seconds_upload));
}

/* Most trainings end long before --max-iterations: what is to be expected comes first. */
static void print_time(const SetosaPlan *plan) {
  char text[512], moves[160], inside[200] = "", passes[200], pass[UNITS_SIZE], typical[UNITS_SIZE], most[UNITS_SIZE];
  unsigned long long limit = plan->passes_estimate, usual = plan->passes_typical;
  describe_moves(plan, moves, sizeof moves);
  units_seconds(pass, plan->seconds_pass);
  units_seconds(most, plan->seconds_estimate);
  if (moves[0] != '\0' && plan->resident) page_print("  before the first pass, %s\n", moves);
  if (moves[0] != '\0' && !plan->resident) snprintf(inside, sizeof inside, " (of that, %s)", moves);
  if (usual == limit)
    snprintf(passes, sizeof passes, "at most %llu pass%s: up to %s", limit, limit == 1 ? "" : "es", most);
  else
    snprintf(passes, sizeof passes, "most data need fewer than %llu passes: %s (at most %llu: up to %s)", usual,
             units_seconds(typical, plan->seconds_typical), limit, most);
  snprintf(text, sizeof text, "a pass takes about %s%s; %s, kernels to be built apart", pass, inside, passes);
  page_print("  %s\n", text);
  if (!plan->resident && plan->seconds_make > 0.5 * plan->seconds_pass)
    page_print("  making rows anew in every pass is most of it: setosa generate writes them to a file once\n");
}

static void print_shape(const SetosaPlan *plan, const SetosaDataset *dataset) {
  char rows[UNITS_SIZE], left_out[INPUT_WORDS], entries[REPORT_WORDS];
  bool sparse = setosa_dataset_is_sparse(dataset);
  input_left_out(left_out, input_count_left_out(dataset));
  page_print("Plan: %s rows%s%s%s, %llu features%s%s, %llu classes\n", units_count(rows, (double)plan->rows),
             left_out[0] != '\0' ? " (" : "", left_out, left_out[0] != '\0' ? ")" : "", (unsigned long long)plan->features,
             sparse ? "" : " as ", sparse ? "" : plan->storage, (unsigned long long)plan->classes);
  if (sparse) page_print("  sparse rows: %s\n", report_entries(entries, dataset, plan->storage));
}

static void print_text(const SetosaPlan *plan, const SetosaDataset *dataset) {
  char rows[UNITS_SIZE], bytes[UNITS_SIZE], budget[UNITS_SIZE];
  uint64_t sum = 0;
  print_shape(plan, dataset);
  if (plan->devices > 1) page_print("  on each of %llu devices, were they equal:\n", (unsigned long long)plan->devices);
  for (size_t i = 0; i < plan->buffer_count; i++) {
    sum += plan->buffers[i].bytes;
    page_print("  %10s  %s\n", units_bytes(bytes, (double)plan->buffers[i].bytes), plan->buffers[i].name);
  }
  bool limited = plan->device_budget_bytes > 0;
  page_print("  %10s  together%s%s%s\n", units_bytes(bytes, (double)sum), limited ? ", of " : "",
             limited ? units_bytes(budget, (double)plan->device_budget_bytes) : "", limited ? " on the device" : "");
  if (!plan->resident)
    page_print("  rows stream through the device, %s at a time, in every pass\n", units_count(rows, (double)plan->chunk_rows));
  else
    page_print("  all rows %s\n", plan->in_place ? "are read where they lie in the host's memory" : "stay on the device");
  print_time(plan);
}

Status dry_run(const SetosaDataset *dataset, SetosaPlanWork work, size_t classes, const SetosaTrainOptions *options, const Session *session,
               Error *error) {
  Status status = SETOSA_OK;
  SetosaPlan plan;
  TRY(setosa_plan(&plan, work, dataset, classes, options, error));
  if (session->options->json)
    TRY(print_json(&plan, dataset, error));
  else
    print_text(&plan, dataset);
  TRY(console_flush(error));
cleanup:
  return status;
}

Status dry_run_scores(const SetosaDataset *dataset, const SetosaModel *model, const SetosaComputeOptions *compute, const Session *session,
                      Error *error) {
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute = *compute;
  return dry_run(dataset, SETOSA_PLAN_PREDICT, setosa_model_classes(model), &options, session, error);
}
