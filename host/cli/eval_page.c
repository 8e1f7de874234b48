/* The page of `setosa eval --report`. */
#include "base/path.h"
#include "cli/eval.h"
#include "cli/report.h"
#include "cli/report_page.h"

static void put_facts(const EvalReport *report, const Session *session) {
  char features[REPORT_WORDS], left_out[INPUT_WORDS];
  const Options *options = session->options;
  input_left_out(left_out, input_count_left_out(report->dataset));
  report_field(session, "model", "%s", options->argument[0]);
  report_field(session, "data", "%s: %zu rows, %s, %zu classes%s%s%s", options->argument[1], setosa_dataset_rows(report->dataset),
               report_features(features, report->dataset), setosa_model_classes(report->model), left_out[0] != '\0' ? " (" : "", left_out,
               left_out[0] != '\0' ? ")" : "");
  if (setosa_dataset_is_sparse(report->dataset)) report_field(session, "storage", "%s", report_entries(features, report->dataset, NULL));
  report_compute(report->compute, setosa_backend_name(options->train.compute.backend), 0, session);
}

Status eval_write_page(const EvalReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  ReportFacts facts = {0};
  Text command = {0};
  char subject[1024], data[512], metrics_of[96];
  Session captured = report_capture(session, &facts);
  put_facts(report, &captured);
  TRY(report_command_line(&command, &command_eval, session, error));
  snprintf(subject, sizeof subject, "%s on %s", path_last(session->options->argument[0]),
           report_subject(data, sizeof data, session->options->argument[1], session));
  snprintf(metrics_of, sizeof metrics_of, "%llu rows", (unsigned long long)report->metrics->rows);
  const ReportPage page = {.command = "eval",
                           .title = "Evaluated softmax regression",
                           .subject = subject,
                           .facts = &facts,
                           .metrics = report->metrics,
                           .metrics_of = metrics_of,
                           .model = report->model,
                           .dataset = report->dataset,
                           .repeat = command.text};
  TRY(report_write(&page, session->options->report, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "--report");
  report_facts_free(&facts);
  text_free(&command);
  return status;
}
