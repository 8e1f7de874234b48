/* The page of `setosa cv --report`. */
#include "cli/cv.h"
#include "cli/report_page.h"

Status cv_write_page(const CvReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  ReportFacts facts = {0};
  Text command = {0};
  char subject[512];
  const SetosaCvResult *result = report->result;
  Session captured = report_capture(session, &facts);
  if (result->complete) TRY(cv_print_table(report, &captured, error));
  TRY(report_command_line(&command, &command_cv, session, error));
  const ReportSeconds seconds[] = {{"load", "reading", report->seconds_load},
                                   {"prepare", "preparing rows", result->seconds_prepare},
                                   {"device", "opening the backend", result->seconds_open},
                                   {"test", "testing it", result->seconds_test},
                                   {"build", "building kernels", result->seconds_build},
                                   {"train", "training", result->seconds_fit},
                                   {"score", "scoring", result->seconds_score},
                                   {"checkpoint", "writing checkpoints", result->seconds_checkpoint},
                                   {"total", "all of it", report->seconds_total}};
  const ReportPage page = {.command = "cv",
                           .title = "Cross-validated softmax regression",
                           .subject = report_subject(subject, sizeof subject, report->data, session),
                           .facts = &facts,
                           .cv = result,
                           .model = report->model,
                           .dataset = report->dataset,
                           .seconds = seconds,
                           .second_count = sizeof seconds / sizeof *seconds,
                           .repeat = command.text};
  TRY(report_write(&page, session->options->report, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "--report");
  report_facts_free(&facts);
  text_free(&command);
  return status;
}
