/* The page of `setosa train --report`. */
#include "cli/report_page.h"
#include "cli/train.h"

Status train_write_page(const TrainReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  ReportFacts facts = {0};
  Text command = {0};
  ReportScores scores[3];
  ReportSeconds seconds[TRAIN_PARTS + 1];
  char words[3][96], subject[512], metrics_of[96];
  const struct {
    const char *key, *words;
    const TrainScores *scores;
  } judged[] = {{"train", "training", &report->training}, {"validation", "held-out", &report->validation}, {"test", "test", &report->test}};
  Session captured = report_capture(session, &facts);
  train_print_summary(report, &captured);
  TRY(report_command_line(&command, &command_train, session, error));
  ReportPage page = {.command = "train",
                     .title = "Trained softmax regression",
                     .subject = report_subject(subject, sizeof subject, report->data, session),
                     .facts = &facts,
                     .scores = scores,
                     .training = &report->result,
                     .trace = report->trace,
                     .summary = report->summary,
                     .metrics = report->metrics,
                     .metrics_of = metrics_of,
                     .model = report->model,
                     .dataset = report->dataset,
                     .seconds = seconds,
                     .second_count = train_seconds(seconds, report),
                     .repeat = command.text,
                     .weights_hash = report->result.weights_hash};
  for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
    if (!judged[i].scores->known) continue;
    size_t at = page.score_count++;
    snprintf(words[at], sizeof words[at], "of %zu %s rows", judged[i].scores->rows, judged[i].words);
    scores[at] = (ReportScores){judged[i].key, words[at], judged[i].scores->accuracy, judged[i].scores->log_loss};
    snprintf(metrics_of, sizeof metrics_of, "the %zu %s rows", judged[i].scores->rows, judged[i].words);
  }
  TRY(report_write(&page, session->options->report, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "--report");
  report_facts_free(&facts);
  text_free(&command);
  return status;
}
