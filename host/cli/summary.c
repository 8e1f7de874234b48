/* `setosa summary`: standard errors and tests of a model on the rows that it was trained on. */
#include "cli/summary.h"

#include <string.h>

#include "base/path.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/report_page.h"
#include "cli/terminal/page.h"
#include "cli/terminal/progress.h"

static Status print_document(const SetosaSummary *summary, const SetosaDataset *data, Error *error) {
  json_t *document = json_pack("{s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:o}}", "command", "summary", "version", SETOSA_VERSION, "data",
                               "rows", (json_int_t)summary->rows, "features", (json_int_t)summary->features, "classes",
                               (json_int_t)summary->classes, "left_out", (json_int_t)input_count_left_out(data), "source_rows",
                               (json_int_t)setosa_dataset_source_rows(data), "weight", json_sum(summary->weight));
  report_put_kind(&document, data);
  json_take(&document, summary_json(summary));
  return json_print(document, false, stdout, error);
}

static Status print_page(const SetosaSummary *summary, const SetosaDataset *data, const Session *session, Error *error) {
  char text[1024], left_out[INPUT_WORDS], features[REPORT_WORDS];
  bool color = session->console.color_out;
  input_left_out(left_out, input_count_left_out(data));
  if (session->facts == NULL)
    page_print("%sSoftmax regression, %s%s\n", color_code(color, COLOR_BOLD),
               summary->l2 > 0 ? "penalised likelihood" : "maximum likelihood", color_code(color, COLOR_PLAIN));
  snprintf(text, sizeof text, "%s: %llu rows%s%s%s, %s, %zu classes", session->options->argument[1], (unsigned long long)summary->rows,
           left_out[0] != '\0' ? " (" : "", left_out, left_out[0] != '\0' ? ")" : "", report_features(features, data), summary->classes);
  console_make_visible(text);
  report_field(session, "data", "%s", text);
  return summary_print(summary, session, error);
}

/* --report. */
static Status write_page(const SetosaSummary *summary, const SetosaModel *model, const SetosaDataset *data, const Session *session,
                         Error *error) {
  Status status = SETOSA_OK;
  ReportFacts facts = {0};
  Text command = {0};
  char subject[1024], source[512], word[512];
  const char *path = session->options->argument[0];
  Session captured = report_capture(session, &facts);
  snprintf(word, sizeof word, "%s", path);
  console_make_visible(word);
  report_field(&captured, "model", "%s", word);
  TRY(print_page(summary, data, &captured, error));
  TRY(report_command_line(&command, &command_summary, session, error));
  snprintf(subject, sizeof subject, "%s on %s", path_last(path),
           report_subject(source, sizeof source, session->options->argument[1], session));
  const ReportPage page = {.command = "summary",
                           .title = summary->l2 > 0 ? "Softmax regression, penalised likelihood" : "Softmax regression, maximum likelihood",
                           .subject = subject,
                           .facts = &facts,
                           .summary = summary,
                           .model = model,
                           .dataset = data,
                           .repeat = command.text};
  TRY(report_write(&page, session->options->report, error));
cleanup:
  if (status != SETOSA_OK) error_prefix(error, "--report");
  report_facts_free(&facts);
  text_free(&command);
  return status;
}

static Status finish(const SetosaSummary *summary, const SetosaModel *model, const SetosaDataset *data, const Session *session,
                     Error *error) {
  Status status = SETOSA_OK;
  if (session->options->json)
    TRY(print_document(summary, data, error));
  else if (session->options->as_csv)
    summary_print_csv(summary);
  else
    TRY(print_page(summary, data, session, error));
  TRY(console_flush(error));
  summary_print_remarks(summary, session);
  if (session->options->report != NULL) TRY(write_page(summary, model, data, session, error));
cleanup:
  return status;
}

static Status load(SetosaModel **model, SetosaDataset **data, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  if (options->json && options->as_csv)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--json and --csv are two forms of the same; leave one of them out"));
  TRY(setosa_model_load(model, options->argument[0], error));
  SetosaDataOptions from = input_model_options(*model, options);
  from.part = setosa_ranks_rank(session->ranks);
  from.parts = setosa_ranks_size(session->ranks);
  TRY(input_load(data, session, options->argument[1], from, error));
  TRY(setosa_model_scale_dataset(*model, *data, error));
cleanup:
  return status;
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  SetosaModel *model = NULL;
  SetosaDataset *data = NULL;
  SetosaSummary *summary = NULL;
  SetosaSummaryOptions options = session->options->summary;
  Progress progress;
  options.ranks = session->ranks;
  TRY(setosa_ranks_agree(session->ranks, load(&model, &data, session, error), error));
  progress_begin(&progress, &session->console, NULL);
  progress_say(&progress, "summing up the information");
  status = setosa_summary(&summary, model, data, &options, error);
  progress_end(&progress);
  if (status != SETOSA_OK) goto cleanup;
  TRY(setosa_ranks_agree(session->ranks, session_is_first(session) ? finish(summary, model, data, session, error) : SETOSA_OK, error));
cleanup:
  setosa_summary_destroy(summary);
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
  return status;
}

const Command command_summary = {
    .name = "summary",
    .arguments = "MODEL DATA...",
    .summary = "standard errors, tests, intervals and effects",
    .description =
        "DATA are the rows that MODEL was trained on, read as they were then. For each class against --base CLASS it prints the "
        "coefficients with standard errors, z, p and confidence intervals, and for the model the log-likelihood, the likelihood ratio "
        "test, McFadden's R2, AIC and BIC. All is summed in double precision on the processors of this machine, whatever device trained "
        "the model; with mpirun processes share the rows, to the same bits.",
    .details =
        "\nWhat is computed:\n\n"
        "  estimates    at the maximum of the likelihood, to which Newton steps go from MODEL; in the units of DATA, whatever scaling "
        "MODEL has\n"
        "  std. errors  from the inverse of the observed information, sum s (diag(a) - aa') (x) xx'; with --robust inverse * (sum s gg') "
        "* inverse; of a model with --l2 from the penalised information\n"
        "  names        columns of names are compared with a base level; columns that follow from others are left out and named\n"
        "  effects      mean over the rows of the change of a probability with the column, by the delta method\n"
        "\nWhere classes are separated there is no estimate: the message names class and columns, and --l2 in the training helps.\n",
    .examples =
        "  setosa train anes96.csv --label PID --l2 0 --model party.safetensors\n"
        "  setosa summary party.safetensors anes96.csv\n"
        "  setosa summary party.safetensors anes96.csv --base 3 --odds\n"
        "  setosa summary party.safetensors anes96.csv --robust --effects --json\n"
        "  setosa summary party.safetensors anes96.csv --report party.html\n",
    .id = FOR_SUMMARY,
    .least_arguments = 2,
    .most_arguments = 2,
    .several = true,
    .runs_on_ranks = true,
    .run = run,
};
