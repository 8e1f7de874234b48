/* The results of a training, for people and as JSON. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/summary.h"
#include "cli/terminal/page.h"
#include "cli/terminal/units.h"
#include "cli/train.h"

/* The classes are called 0, 1, 2, ... */
static bool classes_are_counted(const TrainReport *report) {
  char number[UNITS_SIZE];
  for (size_t k = 0; k < report->classes; k++) {
    snprintf(number, sizeof number, "%zu", k);
    if (strcmp(setosa_dataset_class_name(report->dataset, k), number) != 0) return false;
  }
  return true;
}

/* "3 classes (setosa, versicolor, virginica)", the names only when they are few and not just 0, 1, 2. */
static void print_data(const TrainReport *report, const Session *session) {
  char text[1024], name[CONSOLE_NAME], word[2 * CONSOLE_NAME + 4];
  char parts[96 + INPUT_WORDS] = "", files[48] = "", left_out[INPUT_WORDS], features[REPORT_WORDS];
  size_t further = session->options->data.also_count;
  input_left_out(left_out, report->left_out);
  if (report->validation.known)
    snprintf(parts, sizeof parts, " (%zu for training, %zu held out%s%s)", report->rows, report->validation.rows,
             left_out[0] != '\0' ? "; " : "", left_out);
  else if (left_out[0] != '\0')
    snprintf(parts, sizeof parts, " (%s)", left_out);
  if (further > 0) snprintf(files, sizeof files, " and %zu more", further);
  int used = snprintf(text, sizeof text, "%s%s: %zu rows%s, %s, %zu classes", report->data, files,
                      report->rows + (report->validation.known ? report->validation.rows : 0), parts,
                      report_features(features, report->dataset), report->classes);
  if (report->classes <= 5 && !classes_are_counted(report)) {
    for (size_t k = 0; k < report->classes && used > 0 && (size_t)used < sizeof text; k++)
      used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", k == 0 ? " (" : ", ",
                       units_list_word(word, sizeof word, console_short_name(name, setosa_dataset_class_name(report->dataset, k))));
    if (used > 0 && (size_t)used + 2 < sizeof text) strcpy(text + used, ")");
  }
  console_make_visible(text);
  report_field(session, "data", "%s", text);
}

/* Of sparse rows: how many numbers there are, and what holding them took. */
static void print_storage(const TrainReport *report, const Session *session) {
  char entries[REPORT_WORDS], bytes[UNITS_SIZE];
  if (!setosa_dataset_is_sparse(report->dataset)) return;
  report_field(session, "storage", "%s; the training held %s", report_entries(entries, report->dataset, report->result.storage),
               units_bytes(bytes, (double)report->result.device_bytes));
}

/* "newton", "lbfgs with blocks": what --solver auto chose is told with its reason. */
static void print_solver(char *words, size_t size, const SetosaTrainResult *result) {
  bool with = strcmp(result->preconditioner, "none") != 0;
  snprintf(words, size, "%s%s%s", result->solver, with ? " with --preconditioner " : "", with ? result->preconditioner : "");
}

/* How far above the optimum the objective is. */
static void print_gap(const Session *session, const SetosaTrainResult *result) {
  if (strcmp(result->gap_kind, "certificate") == 0)
    report_field(session, "", "at most %.1e of itself above the optimum (certificate)", result->gap);
  else
    report_field(session, "", "about %.1e of itself above the optimum, an estimate", result->gap);
}

/* "3 of 5 features", "all 5 features". */
static const char *print_known(char text[64], uint64_t known, size_t all, const char *what) {
  if (known == all)
    snprintf(text, 64, "all %zu %s", all, what);
  else
    snprintf(text, 64, "%llu of %zu %s", (unsigned long long)known, all, what);
  return text;
}

static void print_start(const TrainReport *report, const Session *session) {
  char features[64], classes[64], word[512];
  if (session->options->start == NULL) return;
  snprintf(word, sizeof word, "%s", session->options->start);
  console_make_visible(word);
  report_field(session, "start", "%s, which knows %s and %s", word,
               print_known(features, report->result.start_features, report->features, "features"),
               print_known(classes, report->result.start_classes, report->classes, "classes"));
}

/* What the stop reason means. */
static void print_outcome(const TrainReport *report, const Session *session) {
  const SetosaTrainResult *result = &report->result;
  bool color = session->console.color_out;
  bool batches = solver_uses_batches(session->options->train.solver);
  const char *unit = batches ? (result->iterations == 1 ? "epoch" : "epochs") : (result->iterations == 1 ? "iteration" : "iterations");
  char before[96] = "", solver[64];
  if (result->resumed_iterations > 0)
    snprintf(before, sizeof before, " (%llu before %s)", (unsigned long long)result->resumed_iterations,
             session->options->resume != NULL ? "--resume" : "this run");
  print_solver(solver, sizeof solver, result);
  unsigned long long iterations = result->iterations;
  if (result->converged)
    report_field(session, "solver", "%s: %sconverged%s after %llu %s%s%s", solver, color_code(color, COLOR_GREEN),
                 color_code(color, COLOR_PLAIN), iterations, unit, before,
                 strcmp(result->stop_reason, "precision-limit") == 0 ? ", at the limit of float32" : "");
  else if (strcmp(result->stop_reason, "separable") == 0)
    report_field(session, "solver", "%s: stopped after %llu %s%s: the classes are separable, without --l2 there is no optimum", solver,
                 iterations, unit, before);
  else if (strcmp(result->stop_reason, "interrupted") == 0)
    report_field(session, "solver", "%s: stopped by you after %llu %s%s", solver, iterations, unit, before);
  else if (strcmp(result->stop_reason, "patience") == 0)
    report_field(session, "solver", "%s: stopped after %llu %s%s, the validation loss not having fallen for %llu", solver, iterations, unit,
                 before, (unsigned long long)session->options->train.patience);
  else if (strcmp(result->stop_reason, "no-progress") == 0 && session->options->train.tolerance == 0)
    report_field(session, "solver", "%s: stopped after %llu %s%s, where rounding hides any further decrease", solver, iterations, unit,
                 before);
  else
    report_field(session, "solver", "%s: stopped after %llu %s%s (%s)", solver, iterations, unit, before, result->stop_reason);
  if (session->options->train.patience > 0 && result->best_epoch == 0)
    report_field(session, "", "the weights are those of the start, which has the lowest validation loss");
  else if (session->options->train.patience > 0)
    report_field(session, "", "the weights are those after epoch %llu, which have the lowest validation loss",
                 (unsigned long long)result->best_epoch);
  if (result->choice[0] != '\0') report_field(session, "", "chosen since %s", result->choice);
  /* The same decimals for the three, so that they add up as printed. */
  int decimals = result->objective >= 1 || !(result->objective > 0) ? 6 : 6 + (int)fmin(20, floor(-log10(result->objective)) + 1);
  const SetosaTrainOptions *train = &session->options->train;
  const char *penalty = train->l1 > 0 ? (train->l2 > 0 ? "penalties" : "L1 penalty") : "L2 penalty";
  report_field(session, "objective", "%.*f = %slog-loss %.*f + %s %.*f", decimals, result->objective,
               train->label_smoothing > 0 ? "smoothed " : "", decimals, result->loss, penalty, decimals,
               fmax(0, result->objective - result->loss));
  if (isfinite(result->gap) && !result->separable) print_gap(session, result);
  if (train->l1 > 0)
    report_field(session, "weights", "%llu of %llu are not 0", (unsigned long long)result->nonzeros,
                 (unsigned long long)report->features * (unsigned long long)report->classes);
  report_field(session, "gradient", "%.1e is its largest component (--tolerance %g)", result->gradient_norm,
               session->options->train.tolerance);
}

static void print_scores(const char *name, const TrainScores *scores, const Session *session) {
  if (!scores->known) return;
  bool color = session->console.color_out;
  char left_out[INPUT_WORDS];
  input_left_out(left_out, scores->left_out);
  report_field(session, name, "%s%.2f %%%s of %s%zu rows right, log-loss %.4g%s%s%s", color_code(color, COLOR_BOLD), 100 * scores->accuracy,
               color_code(color, COLOR_PLAIN), scores->weighted ? "the weight of " : "", scores->rows, scores->log_loss,
               left_out[0] != '\0' ? " (" : "", left_out, left_out[0] != '\0' ? ")" : "");
}

/* The scores above are without it, those of the test data with it. */
static void print_calibration(const TrainReport *report, const Session *session) {
  const SetosaCalibration *found = &report->calibration;
  if (!report->calibrated || !found->found) return;
  report_field(session, "calibrated", "temperature %.4g: log-loss of %llu held-out rows %.4g, %.4g before", found->temperature,
               (unsigned long long)found->rows, found->log_loss, found->log_loss_before);
}

static void print_truth(const TrainReport *report, const Session *session) {
  if (!report->truth_known || !isfinite(report->truth_distance)) return;
  report_field(session, "truth", "the weights are within %.3g of the true ones, relative to their size; mean cosine of the classes %.6f",
               report->truth_distance, report->truth_cosine);
}

/* A part of the time in the document of --json, and for people. */
static const struct {
  const char *name, *words;
} parts[TRAIN_PARTS] = {[PART_START] = {"start", "starting"},
                        [PART_LOAD] = {"load", "reading"},
                        [PART_PREPARE] = {"prepare", "preparing rows"},
                        [PART_DEVICE] = {"device", "opening the device"},
                        [PART_TEST] = {"test", "testing it"},
                        [PART_TUNE] = {"tune", "tuning"},
                        [PART_UPLOAD] = {"upload", "uploading"},
                        [PART_BUILD] = {"build", "building kernels"},
                        [PART_TRAIN] = {"train", "training"},
                        [PART_CHECKPOINT] = {"checkpoint", "writing checkpoints"},
                        [PART_SUMMARY] = {"summary", "standard errors"},
                        [PART_SCORE] = {"score", "scoring"},
                        [PART_WRITE] = {"write", "writing the model"}};

static const char *part_words(TrainPart part, const TrainReport *report) {
  if (part == PART_LOAD && report->made) return "making";
  if (part == PART_DEVICE && report->device == NULL) return "opening the backend";
  return parts[part].words;
}

size_t train_seconds(ReportSeconds seconds[TRAIN_PARTS + 1], const TrainReport *report) {
  for (TrainPart part = 0; part < TRAIN_PARTS; part++)
    seconds[part] = (ReportSeconds){parts[part].name, part_words(part, report), report->seconds[part]};
  seconds[TRAIN_PARTS] = (ReportSeconds){"total", "all of it", report->seconds_total};
  return TRAIN_PARTS + 1;
}

/* The parts that show in hundredths of a second, and the two that everybody looks for. */
static void print_time(const TrainReport *report, const Session *session) {
  char time[UNITS_SIZE], text[640];
  const double shows = 0.005;
  int used = snprintf(text, sizeof text, "%s", units_seconds(time, report->seconds_total));
  const char *before = ": ";
  for (TrainPart part = 0; part < TRAIN_PARTS; part++) {
    if (report->seconds[part] < shows && part != PART_LOAD && part != PART_TRAIN) continue;
    used += snprintf(text + used, sizeof text - (size_t)used, "%s%s %s", before, part_words(part, report),
                     units_seconds(time, report->seconds[part]));
    before = ", ";
  }
  report_field(session, "time", "%s", text);
}

/* What made rows count differently. */
static void print_weights(const TrainReport *report, const Session *session) {
  const char *column = setosa_dataset_weights_name(report->dataset), *classes = session->options->train.class_weight;
  const char *file = setosa_dataset_weights(report->dataset) != NULL ? session->options->data.weights : NULL;
  char text[512];
  if (column == NULL && file == NULL && classes == NULL) return;
  const char *rows = column != NULL ? column : file;
  snprintf(text, sizeof text, "%s%s%s%s%s", rows != NULL ? column != NULL ? "of rows from column " : "of rows from " : "",
           rows != NULL ? rows : "", rows != NULL && classes != NULL ? "; " : "", classes != NULL ? "of classes " : "",
           classes != NULL ? classes : "");
  console_make_visible(text);
  report_field(session, "weights", "%s", text);
}

void train_print_summary(const TrainReport *report, const Session *session) {
  const Options *options = session->options;
  char word[512];
  bool color = session->console.color_out;
  if (session->facts == NULL) page_print("%sTrained softmax regression%s\n", color_code(color, COLOR_BOLD), color_code(color, COLOR_PLAIN));
  print_data(report, session);
  print_storage(report, session);
  print_weights(report, session);
  report_compute(report->compute, report->result.backend, report->result.chunk_rows, session);
  print_start(report, session);
  print_outcome(report, session);
  print_scores("training", &report->training, session);
  print_scores("validation", &report->validation, session);
  print_calibration(report, session);
  print_scores("test", &report->test, session);
  print_truth(report, session);
  print_time(report, session);
  if (options->model != NULL) {
    snprintf(word, sizeof word, "%s", options->model);
    console_make_visible(word);
    report_field(session, "model", "%s", word);
  }
}

Status train_print_statistics(const TrainReport *report, const Session *session, Error *error) {
  bool color = session->console.color_out;
  page_print("\n%sStandard errors and tests%s\n", color_code(color, COLOR_BOLD), color_code(color, COLOR_PLAIN));
  return summary_print(report->summary, session, error);
}

static json_t *scores_json(const TrainScores *scores) {
  if (!scores->known) return json_null();
  return json_pack("{s:o, s:o}", "accuracy", json_number(scores->accuracy), "log_loss", json_number(scores->log_loss));
}

/* Of the test data, which are read by themselves. */
static json_t *test_json(const TrainScores *scores) {
  json_t *test = scores_json(scores);
  if (scores->known) json_put(&test, "left_out", json_integer((json_int_t)scores->left_out));
  return test;
}

static json_t *calibration_json(const SetosaCalibration *found) {
  return json_pack("{s:I, s:o, s:o, s:o, s:I, s:b, s:s}", "rows", (json_int_t)found->rows, "temperature", json_number(found->temperature),
                   "log_loss_before", json_number(found->log_loss_before), "log_loss", json_number(found->log_loss), "passes",
                   (json_int_t)found->passes, "found", (int)found->found, "note", found->note);
}

static json_t *truth_json(const TrainReport *report) {
  if (!report->truth_known) return json_null();
  return json_pack("{s:o, s:o}", "distance", json_number(report->truth_distance), "cosine", json_number(report->truth_cosine));
}

static json_t *seconds_json(const TrainReport *report) {
  json_t *seconds = json_object();
  bool failed = seconds == NULL;
  for (TrainPart part = 0; !failed && part < TRAIN_PARTS; part++)
    failed = json_object_set_new(seconds, parts[part].name, json_number(report->seconds[part])) != 0;
  if (!failed) failed = json_object_set_new(seconds, "total", json_number(report->seconds_total)) != 0;
  if (!failed) return seconds;
  json_decref(seconds);
  return NULL;
}

Status train_print_json(const TrainReport *report, const Session *session, Error *error) {
  const SetosaTrainResult *result = &report->result;
  const Options *options = session->options;
  json_t *document = json_pack(
      "{s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:b, s:s, s:o, s:o}", "command", "train", "version",
      SETOSA_VERSION, "data", "rows", (json_int_t)report->rows, "features", (json_int_t)report->features, "classes",
      (json_int_t)report->classes, "left_out", (json_int_t)report->left_out, "source_rows", (json_int_t)report->source_rows, "device",
      report_device_json(report->device), "backend", result->backend, "solver", result->solver, "objective", json_number(result->objective),
      "loss", json_number(result->loss), "gradient_norm", json_number(result->gradient_norm), "iterations", (json_int_t)result->iterations,
      "evaluations", (json_int_t)result->evaluations, "converged", result->converged, "stop_reason", result->stop_reason, "train",
      scores_json(&report->training), "test", test_json(&report->test));
  json_t *rest =
      json_pack("{s:s, s:s, s:o, s:o, s:s, s:I, s:o, s:I, s:b, s:I, s:s, s:s, s:{s:o, s:o}}", "preconditioner", result->preconditioner,
                "choice", result->choice, "passes", json_number(result->passes), "gap", json_number(result->gap), "gap_kind",
                result->gap_kind, "nonzeros", (json_int_t)result->nonzeros, "seconds", seconds_json(report), "device_bytes",
                (json_int_t)result->device_bytes, "resident", result->chunk_rows == 0, "chunk_rows", (json_int_t)result->chunk_rows,
                "weights_hash", result->weights_hash, "storage", result->storage, "storage_error", "rms",
                json_number(result->storage_rms_error), "largest", json_number(result->storage_largest_error));
  bool failed = document == NULL || rest == NULL;
  /* Only there when it was asked for: the other fields are always there. */
  if (!failed && report->validation.known) failed = json_object_set_new(document, "validation", scores_json(&report->validation)) != 0;
  if (!failed && report->calibrated) failed = json_object_set_new(document, "calibration", calibration_json(&report->calibration)) != 0;
  if (!failed && options->train.patience > 0)
    failed = json_object_set_new(document, "best_epoch", json_integer((json_int_t)result->best_epoch)) != 0;
  if (!failed && options->start != NULL)
    failed = json_object_set_new(document, "start",
                                 json_pack("{s:I, s:I}", "features", (json_int_t)result->start_features, "classes",
                                           (json_int_t)result->start_classes)) != 0;
  if (!failed && (options->resume != NULL || result->resumed_iterations > 0))
    failed = json_object_set_new(document, "resumed_iterations", json_integer((json_int_t)result->resumed_iterations)) != 0;
  if (!failed) failed = json_object_set_new(json_object_get(document, "data"), "cached", json_boolean(report->cached)) != 0;
  if (!failed) failed = json_object_update(document, rest) != 0;
  if (!failed) failed = json_object_set_new(document, "separable", json_boolean(result->separable)) != 0;
  if (!failed) failed = json_object_set_new(document, "truth", truth_json(report)) != 0;
  if (!failed) failed = json_object_set_new(document, "ranks", json_integer((json_int_t)setosa_ranks_size(session->ranks))) != 0;
  if (!failed) failed = json_object_set_new(document, "devices", report_devices_json(report->compute)) != 0;
  if (!failed && report->summary != NULL) failed = json_object_set_new(document, "summary", summary_json(report->summary)) != 0;
  if (!failed) report_put_kind(&document, report->dataset);
  failed = failed || document == NULL;
  json_decref(rest);
  if (failed) {
    json_decref(document);
    document = NULL;
  }
  return json_print(document, false, stdout, error);
}
