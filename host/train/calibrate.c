/* Calibration: the temperature at which rows that were held out are the least surprising. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/tempering.h"
#include "train/predict.h"

enum { MOST_PASSES = 200 }; /* a bisection from 1 to 1e300 takes fewer */

typedef struct Calibrator {
  const Dataset *dataset;
  Scorer scorer;
  TargetRoom room;
  double *row; /* (K) */
  Tempering at;
} Calibrator;

static Status add_block(Backend *backend, RowRange rows, const float *logits, void *user, Error *error) {
  Calibrator *c = user;
  Targets targets;
  Status status = predict_targets(&targets, backend, c->dataset, rows, &c->room, error);
  if (status == SETOSA_OK) tempering_add(&c->at, backend->classes, rows.count, logits, targets.labels, targets.weights, c->row);
  return status;
}

static Status pass(Calibrator *c, double inverse, SetosaCalibration *found, Error *error) {
  c->at = (Tempering){.inverse = inverse};
  found->passes++;
  return scorer_visit(&c->scorer, add_block, c, error);
}

/* Whether there is a minimum at a finite temperature: the log-loss falls from where all classes are alike, and rises towards certainty. */
static bool has_minimum(SetosaCalibration *found, const Tempering *at) {
  if (!(at->weight > 0))
    snprintf(found->note, sizeof found->note, "there is no row that weighs anything; calibrate on more rows");
  else if (!(tempering_mean(at, &at->flat) < 0))
    snprintf(found->note, sizeof found->note, "the model is no better than chance on these rows; look at setosa eval before it is used");
  else if (!(tempering_mean(at, &at->sharp) > 0))
    snprintf(found->note, sizeof found->note,
             "every one of these rows is right, so that no temperature is too low; calibrate on more rows");
  return found->note[0] == '\0';
}

static Status search(Calibrator *c, SetosaCalibration *found, Error *error) {
  Status status = SETOSA_OK;
  TemperingSearch search;
  tempering_begin(&search);
  TRY(pass(c, search.next, found, error));
  found->weight = c->at.weight * dataset_weight_unit(c->dataset);
  found->log_loss_before = found->log_loss = tempering_mean(&c->at, &c->at.loss);
  if (!has_minimum(found, &c->at)) return SETOSA_OK;
  for (;;) {
    tempering_step(&search, &c->at);
    if (search.found || found->passes == MOST_PASSES) break;
    TRY(pass(c, search.next, found, error));
  }
  found->found = search.found && isfinite(1 / search.next);
  if (!found->found)
    snprintf(found->note, sizeof found->note, "the best temperature is out of range (about %.1e); calibrate on more rows", 1 / search.next);
  if (!found->found) return SETOSA_OK;
  found->temperature = 1 / search.next;
  found->log_loss = tempering_mean(&c->at, &c->at.loss); /* of the last look, 1e-10 of itself or nearer to it */
cleanup:
  return status;
}

static Status note(Model *model, const SetosaCalibration *found, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  Text source = {0};
  const char *path = dataset_source(dataset), *slash = strrchr(path, '/');
  TRY(text_append_utf8(&source, slash != NULL ? slash + 1 : path, error));
  TRY(model_set_metadata(model, error, "calibration_source", "%s", source.text));
  TRY(model_set_metadata(model, error, "calibration_rows", "%llu", (unsigned long long)found->rows));
  TRY(model_set_metadata(model, error, "calibration_log_loss_before", "%.17g", found->log_loss_before));
  TRY(model_set_metadata(model, error, "calibration_log_loss", "%.17g", found->log_loss));
cleanup:
  text_free(&source);
  return status;
}

SetosaStatus setosa_calibrate(SetosaModel *model, SetosaCalibration *result, const SetosaDataset *dataset,
                              const SetosaComputeOptions *compute, SetosaError *error) {
  Status status = SETOSA_OK;
  Calibrator c = {.dataset = dataset};
  SetosaCalibration found = {.temperature = 1};
  TRY(arguments_check(error, GIVEN(model), GIVEN(dataset), GIVEN(compute)));
  if (compute->ranks != NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_calibrate: one process calibrates; leave compute->ranks NULL"));
  TRY(model_check_labels(model, dataset, "", error));
  found.rows = dataset_shape(dataset).rows;
  TRY(memory_allocate((void **)&c.row, model->classes, sizeof *c.row, "a row of logits", error));
  TRY(scorer_open(&c.scorer, model, dataset, compute, ROW_LOGITS, error));
  TRY(search(&c, &found, error));
  if (found.found) TRY(note(model, &found, dataset, error));
  model->temperature = found.temperature;
  if (result != NULL) *result = found;
cleanup:
  scorer_close(&c.scorer);
  target_room_free(&c.room);
  free(c.row);
  return status;
}
