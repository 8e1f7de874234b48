/* The table of `setosa cv`, and its JSON document. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cv.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

/* ---- for people --------------------------------------------------------------------------------------------------- */

static const char *mark(const SetosaCvResult *result, size_t j) {
  if (j == result->best && j == result->within_error) return "min, 1se";
  return j == result->best ? "min" : j == result->within_error ? "1se" : "";
}

static Status print_points(const CvReport *report, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  Table *table = NULL;
  const SetosaCvResult *result = report->result;
  bool sparse = session->options->l1_ratio > 0;
  TableColumn columns[] = {{"lambda", true, false},   {"log-loss", true, false},   {"std. error", true, false}, {"accuracy", true, false},
                           {"non-zero", true, false}, {"iterations", true, false}, {"", false, false}};
  size_t count = sizeof columns / sizeof *columns;
  if (!sparse) memmove(columns + 4, columns + 5, 2 * sizeof *columns), count--;
  TRY(table_create(&table, count, columns, error));
  for (size_t j = 0; j < result->count; j++) {
    const SetosaCvPoint *point = &result->points[j];
    TRY(table_cell(table, error, "%.3g", point->lambda));
    TRY(table_cell(table, error, "%.6f", point->loss));
    TRY(table_cell(table, error, "%.6f", point->standard_error));
    TRY(table_cell(table, error, "%.2f %%", 100 * point->accuracy));
    if (sparse) TRY(table_cell(table, error, "%llu", (unsigned long long)point->nonzeros));
    TRY(table_cell(table, error, "%llu", (unsigned long long)point->iterations));
    TRY(table_cell(table, error, "%s", mark(result, j)));
  }
  page_print("\n");
  table_print(table, console_page_width(), session->console.color_out);
  page_print("\n");
cleanup:
  table_destroy(table);
  return status;
}

static void print_choice(const char *label, const char *what, const SetosaCvPoint *point, const Session *session) {
  report_field(session, label, "%.6g, %s: log-loss %.6f +- %.6f, %.2f %% right", point->lambda, what, point->loss, point->standard_error,
               100 * point->accuracy);
}

static void print_time(const CvReport *report, const Session *session) {
  char total[UNITS_SIZE], load[UNITS_SIZE], open[UNITS_SIZE], build[UNITS_SIZE], fit[UNITS_SIZE], score[UNITS_SIZE];
  const SetosaCvResult *result = report->result;
  report_field(session, "time", "%s: reading %s, opening the backend %s, building kernels %s, training %s, scoring %s",
               units_seconds(total, report->seconds_total), units_seconds(load, report->seconds_load),
               units_seconds(open, result->seconds_open + result->seconds_test), units_seconds(build, result->seconds_build),
               units_seconds(fit, result->seconds_fit), units_seconds(score, result->seconds_score));
}

static void print_models(const SetosaCvResult *result, const Session *session) {
  bool with = strcmp(result->preconditioner, "none") != 0;
  char before[64] = "";
  if (result->fits_before > 0) snprintf(before, sizeof before, " (%llu before this run)", (unsigned long long)result->fits_before);
  report_field(session, "models", "%llu%s, %s%s%s: %llu iterations%s", (unsigned long long)result->fits, before, result->solver,
               with ? " with --preconditioner " : "", with ? result->preconditioner : "", (unsigned long long)result->iterations,
               result->unconverged == 0 ? ", all converged" : "");
}

Status cv_print_table(const CvReport *report, const Session *session, Error *error) {
  const SetosaCvResult *result = report->result;
  char text[1024], features[REPORT_WORDS];
  bool color = session->console.color_out;
  if (session->facts == NULL)
    page_print("%sCross-validated softmax regression%s\n", color_code(color, COLOR_BOLD), color_code(color, COLOR_PLAIN));
  snprintf(text, sizeof text, "%s: %zu rows, %s, %zu classes", report->data, result->rows, report_features(features, report->dataset),
           setosa_dataset_classes(report->dataset));
  console_make_visible(text);
  report_field(session, "data", "%s", text);
  if (setosa_dataset_is_sparse(report->dataset))
    report_field(session, "storage", "%s", report_entries(features, report->dataset, result->storage));
  report_compute(report->compute, result->backend, result->chunk_rows, session);
  report_field(session, "folds", "%zu, by --seed %llu", result->folds, (unsigned long long)session->options->train.seed);
  print_models(result, session);
  Status status = session->facts == NULL ? print_points(report, session, error) : SETOSA_OK; /* a page has its own table */
  if (status != SETOSA_OK) return status;
  print_choice("min", "the least loss", &result->points[result->best], session);
  print_choice("1se", "the largest within one standard error of it", &result->points[result->within_error], session);
  print_time(report, session);
  if (session->options->model != NULL) {
    snprintf(text, sizeof text, "%s", session->options->model);
    console_make_visible(text);
    report_field(session, "model", "%s, of all rows with lambda %.6g", text, result->points[result->chosen].lambda);
  }
  return SETOSA_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static json_t *point_json(const SetosaCvResult *result, size_t j) {
  const SetosaCvPoint *point = &result->points[j];
  json_t *losses = json_array(), *accuracies = json_array();
  for (size_t f = 0; f < result->folds; f++) json_add(&losses, json_number(result->fold_loss[f * result->count + j]));
  for (size_t f = 0; f < result->folds; f++) json_add(&accuracies, json_number(result->fold_accuracy[f * result->count + j]));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "lambda", json_number(point->lambda), "l1",
                   json_number(point->l1), "l2", json_number(point->l2), "loss", json_number(point->loss), "standard_error",
                   json_number(point->standard_error), "accuracy", json_number(point->accuracy), "objective", json_number(point->objective),
                   "nonzeros", (json_int_t)point->nonzeros, "iterations", (json_int_t)point->iterations, "unconverged",
                   (json_int_t)point->unconverged, "fold_loss", losses, "fold_accuracy", accuracies);
}

static json_t *points_json(const SetosaCvResult *result) {
  json_t *points = json_array();
  for (size_t j = 0; j < result->count; j++) json_add(&points, point_json(result, j));
  return points;
}

/* From 1, as messages count them. */
static json_t *folds_json(const SetosaCvResult *result) {
  json_t *folds = json_array();
  for (size_t i = 0; i < result->rows; i++) json_add(&folds, json_integer(result->fold[i] + 1));
  return folds;
}

static json_t *seconds_json(const CvReport *report) {
  const SetosaCvResult *r = report->result;
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "load", json_number(report->seconds_load), "prepare",
                   json_number(r->seconds_prepare), "test", json_number(r->seconds_test), "device", json_number(r->seconds_open), "build",
                   json_number(r->seconds_build), "train", json_number(r->seconds_fit), "score", json_number(r->seconds_score),
                   "checkpoint", json_number(r->seconds_checkpoint), "total", json_number(report->seconds_total));
}

static json_t *lambda_json(const SetosaCvResult *result, size_t j) {
  return result->complete ? json_number(result->points[j].lambda) : json_null();
}

Status cv_print_json(const CvReport *report, const Session *session, Error *error) {
  const SetosaCvResult *r = report->result;
  json_t *document =
      json_pack("{s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:s, s:s, s:s}", "command", "cv", "version", SETOSA_VERSION, "data", "rows",
                (json_int_t)r->rows, "features", (json_int_t)setosa_dataset_features(report->dataset), "classes",
                (json_int_t)setosa_dataset_classes(report->dataset), "left_out", (json_int_t)report->left_out, "source_rows",
                (json_int_t)report->source_rows, "device", report_device_json(compute_device(report->compute)), "backend", r->backend,
                "solver", r->solver, "preconditioner", r->preconditioner);
  report_put_kind(&document, report->dataset);
  json_put(&document, "folds", json_integer((json_int_t)r->folds));
  json_put(&document, "l1_ratio", json_number(session->options->l1_ratio));
  json_put(&document, "points", points_json(r));
  json_put(&document, "lambda_min", lambda_json(r, r->best));
  json_put(&document, "lambda_1se", lambda_json(r, r->within_error));
  json_put(&document, "chosen", lambda_json(r, r->chosen));
  json_put(&document, "complete", json_boolean(r->complete));
  json_put(&document, "models", json_integer((json_int_t)r->fits));
  json_put(&document, "models_done", json_integer((json_int_t)r->fits_done));
  json_put(&document, "models_before", json_integer((json_int_t)r->fits_before));
  json_put(&document, "iterations", json_integer((json_int_t)r->iterations));
  json_put(&document, "unconverged", json_integer((json_int_t)r->unconverged));
  json_put(&document, "passes", json_number(r->passes));
  json_put(&document, "seconds", seconds_json(report));
  json_put(&document, "device_bytes", json_integer((json_int_t)r->device_bytes));
  json_put(&document, "chunk_rows", json_integer((json_int_t)r->chunk_rows));
  json_put(&document, "storage", json_string(r->storage));
  json_put(&document, "ranks", json_integer((json_int_t)setosa_ranks_size(session->ranks)));
  json_put(&document, "devices", report_devices_json(report->compute));
  json_put(&document, "fold_weight", json_numbers(r->folds, r->fold_weight));
  json_put(&document, "fold", folds_json(r));
  return json_print(document, false, stdout, error);
}
