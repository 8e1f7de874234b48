/* --dry-run: the plan instead of the work. */
#include "cli/dry_run.h"

#include "cli/json_output.h"
#include "cli/terminal/units.h"

static Status print_json(const SetosaPlan *plan, Error *error) {
  json_t *buffers = json_array();
  for (size_t i = 0; i < plan->buffer_count; i++)
    json_array_append_new(buffers, json_pack("{s:s, s:I}", "name", plan->buffers[i].name, "bytes", (json_int_t)plan->buffers[i].bytes));
  return json_print(json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:b, s:s, s:I, s:I, s:I, s:o, s:o}", "command", "plan", "rows",
                              (json_int_t)plan->rows, "features", (json_int_t)plan->features, "classes", (json_int_t)plan->classes,
                              "devices", (json_int_t)plan->devices, "buffers", buffers, "resident", plan->resident, "in_place",
                              plan->in_place, "storage", plan->storage, "chunk_rows", (json_int_t)plan->chunk_rows, "device_budget_bytes",
                              (json_int_t)plan->device_budget_bytes, "passes_estimate", (json_int_t)plan->passes_estimate, "seconds_pass",
                              json_number(plan->seconds_pass), "seconds_estimate", json_number(plan->seconds_estimate)),
                    false, stdout, error);
}

static void print_text(const SetosaPlan *plan) {
  char rows[UNITS_SIZE], bytes[UNITS_SIZE], time[UNITS_SIZE];
  uint64_t sum = 0;
  printf("Plan: %s rows, %llu features as %s, %llu classes\n", units_count(rows, (double)plan->rows), (unsigned long long)plan->features,
         plan->storage, (unsigned long long)plan->classes);
  if (plan->devices > 1) printf("  on each of %llu devices, were they equal:\n", (unsigned long long)plan->devices);
  for (size_t i = 0; i < plan->buffer_count; i++) {
    sum += plan->buffers[i].bytes;
    printf("  %10s  %s\n", units_bytes(bytes, (double)plan->buffers[i].bytes), plan->buffers[i].name);
  }
  printf("  %10s  together", units_bytes(bytes, (double)sum));
  if (plan->device_budget_bytes > 0) printf(", of %s on the device", units_bytes(bytes, (double)plan->device_budget_bytes));
  printf("\n");
  if (!plan->resident)
    printf("  rows stream through the device, %s at a time, in every pass\n", units_count(rows, (double)plan->chunk_rows));
  else
    printf("  all rows %s\n", plan->in_place ? "are read where they lie in the host's memory" : "stay on the device");
  printf("  at most %llu pass%s, about %s each", (unsigned long long)plan->passes_estimate, plan->passes_estimate == 1 ? "" : "es",
         units_seconds(time, plan->seconds_pass));
  printf(": up to %s, kernels to be built apart\n", units_seconds(time, plan->seconds_estimate));
}

Status dry_run(const SetosaDataset *dataset, SetosaPlanWork work, size_t classes, const SetosaTrainOptions *options, const Session *session,
               Error *error) {
  Status status = SETOSA_OK;
  SetosaPlan plan;
  TRY(setosa_plan(&plan, work, dataset, classes, options, error));
  if (session->options->json)
    TRY(print_json(&plan, error));
  else
    print_text(&plan);
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
