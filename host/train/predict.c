/* Prediction: the model's parameters on a backend, rows through it in blocks of bounded size. */
#include "train/predict.h"

#include <math.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/softmax.h"
#include "train/device.h"

static Status check_shapes(const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, Error *error) {
  Status status = model_check_features(model, dataset, error);
  return status != SETOSA_OK ? status : device_check_options(compute, error);
}

/* The model's weights, then its bias for these rows, as a vector of the backend. */
static Status write_parameters(Backend *backend, const Model *model, const Dataset *dataset, Vector **w, Error *error) {
  Status status = SETOSA_OK;
  double *parameters = NULL;
  size_t weight_count = model->classes * model->features;
  TRY(memory_allocate((void **)&parameters, weight_count + model->classes, sizeof *parameters, "the parameters", error));
  for (size_t i = 0; i < weight_count; i++) parameters[i] = model->weights[i];
  model_bias_for(parameters + weight_count, model, dataset);
  TRY(vector_create(backend, w, error));
  TRY(vector_write(backend, *w, parameters, error));
cleanup:
  free(parameters);
  return status;
}

/* A row that overflows has no prediction: an error, never a NaN that looks like one. */
static Status check_scores(const Dataset *dataset, RowRange rows, size_t classes, const float *scores, Error *error) {
  for (size_t i = 0; i < rows.count * classes; i++)
    if (!isfinite(scores[i]))
      return error_set(error, SETOSA_ERROR_DATA,
                       "%s: row %zu overflows single precision under this model; check the row's values and units", dataset_source(dataset),
                       rows.begin + i / classes + 1);
  return SETOSA_OK;
}

size_t predict_block_rows(const Backend *backend) {
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  size_t block = PREDICT_BLOCK_BYTES / sizeof(float) / backend->classes;
  if (facts.chunk_rows > 0 && block > facts.chunk_rows) block = facts.chunk_rows;
  if (block > backend->rows) block = backend->rows;
  return block > 0 ? block : 1;
}

Status predict_targets(Targets *targets, Backend *backend, const Dataset *dataset, RowRange rows, TargetRoom *room, Error *error) {
  Status status = SETOSA_OK;
  if (dataset_shape(dataset).place != DATA_MADE) return dataset_targets(targets, dataset, rows, room, error);
  TRY(target_room_reserve(room, rows.count, error));
  TRY(backend_labels(backend, rows, room->labels, error));
  *targets = (Targets){.labels = room->labels};
cleanup:
  return status;
}

Status scorer_open(Scorer *scorer, const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, RowScores kind,
                   Error *error) {
  Status status = SETOSA_OK;
  *scorer = (Scorer){.model = model, .dataset = dataset, .kind = kind};
  TRY(check_shapes(model, dataset, compute, error));
  if (dataset_shape(dataset).rows == 0) return SETOSA_OK; /* each of them lacked a value */
  TRY(dataset_for_scores(&scorer->view, dataset, model->classes, error));
  BackendSettings settings = device_backend_settings(compute);
  settings.vectors = 1;
  CompareOperations uses = kind == ROW_LOGITS ? COMPARE_LOGITS : COMPARE_PROBABILITIES;
  TRY(device_open_backend(&scorer->backend, NULL, scorer->view, &settings, compute, uses, error));
  TRY(write_parameters(scorer->backend, model, dataset, &scorer->w, error));
  scorer->block = predict_block_rows(scorer->backend);
  TRY(memory_allocate((void **)&scorer->scores, scorer->block * model->classes, sizeof *scorer->scores, "a block of predictions", error));
cleanup:
  return status;
}

Status scorer_visit(Scorer *scorer, ScoreVisitor visit, void *user, Error *error) {
  Status status = SETOSA_OK;
  size_t count = scorer->backend != NULL ? dataset_shape(scorer->dataset).rows : 0; /* no backend is opened for no rows */
  for (size_t first = 0; first < count; first += scorer->block) {
    RowRange rows = range_next(first, count, scorer->block);
    TRY(backend_predict(scorer->backend, scorer->w, rows, scorer->kind, scorer->scores, error));
    TRY(check_scores(scorer->dataset, rows, scorer->model->classes, scorer->scores, error));
    TRY(visit(scorer->backend, rows, scorer->scores, user, error));
  }
  TRY(dataset_check_unchanged(scorer->dataset, error));
cleanup:
  return status;
}

void scorer_close(Scorer *scorer) {
  free(scorer->scores);
  if (scorer->backend != NULL) vector_destroy(scorer->backend, scorer->w);
  backend_close(scorer->backend);
  setosa_dataset_destroy(scorer->view);
}

Status predict_scores(const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, RowScores kind, ScoreVisitor visit,
                      void *user, Error *error) {
  Status status = SETOSA_OK;
  Scorer scorer = {0};
  TRY(scorer_open(&scorer, model, dataset, compute, kind, error));
  TRY(scorer_visit(&scorer, visit, user, error));
cleanup:
  scorer_close(&scorer);
  return status;
}

typedef struct CallbackOfRows {
  SetosaPredictCallback rows;
  void *user;
  double temperature;
  double *row;          /* (K) */
  float *probabilities; /* (block,K) of a model at another temperature than 1, from logits; NULL until the first block */
  size_t capacity;
} CallbackOfRows;

static Status call_back(Backend *backend, RowRange rows, const float *scores, void *user, Error *error) {
  const CallbackOfRows *callback = user;
  if (callback->rows(rows.begin, rows.count, scores, callback->user)) return SETOSA_OK;
  return error_set(error, SETOSA_INTERRUPTED, "prediction was stopped after row %zu of %zu", rows.begin + rows.count, backend->rows);
}

/* softmax(z / temperature) in double, so that the order of the logits is that of the probabilities. */
static Status call_back_calibrated(Backend *backend, RowRange rows, const float *logits, void *user, Error *error) {
  Status status = SETOSA_OK;
  CallbackOfRows *callback = user;
  size_t classes = backend->classes;
  TRY(memory_grow((void **)&callback->probabilities, &callback->capacity, rows.count * classes, sizeof(float), "a block of predictions",
                  error));
  for (size_t i = 0; i < rows.count; i++) {
    for (size_t k = 0; k < classes; k++) callback->row[k] = (double)logits[i * classes + k] / callback->temperature;
    softmax_row(callback->row, classes, 0);
    for (size_t k = 0; k < classes; k++) callback->probabilities[i * classes + k] = (float)callback->row[k];
  }
  TRY(call_back(backend, rows, callback->probabilities, user, error));
cleanup:
  return status;
}

SetosaStatus setosa_predict(const SetosaModel *model, const SetosaDataset *dataset, const SetosaComputeOptions *compute,
                            SetosaPredictCallback rows, void *user, SetosaError *error) {
  Status status = SETOSA_OK;
  CallbackOfRows callback = {.rows = rows, .user = user};
  TRY(arguments_check(error, GIVEN(model), GIVEN(dataset), GIVEN(compute), GIVEN(rows)));
  callback.temperature = model->temperature;
  if (model->temperature == 1) {
    TRY(predict_scores(model, dataset, compute, ROW_PROBABILITIES, call_back, &callback, error));
  } else {
    TRY(memory_allocate((void **)&callback.row, model->classes, sizeof(double), "a block of predictions", error));
    TRY(predict_scores(model, dataset, compute, ROW_LOGITS, call_back_calibrated, &callback, error));
  }
cleanup:
  free(callback.row);
  free(callback.probabilities);
  return status;
}
