/* What a training or prediction would take, before it is begun: where every byte would lie, how often X would be read, and how long that
 * lasts, from passes over a sample of the rows. */
#include <math.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/memory.h"
#include "options/table.h"
#include "train/device.h"
#include "train/predict.h"
#include "train/train_options.h"

enum {
  SAMPLE_VALUES = 1 << 22, /* of X in the sample, of sparse rows the entries: 16 MB, more than the caches hold */
  SAMPLES = 3
};

/* The first rows, held. seconds_made: per row; only rows that are made take any. */
static Status take_sample(Dataset **sample, double *seconds_made, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  RowRange rows = range_next(0, shape.rows, (size_t)(SAMPLE_VALUES / (shape.entries / shape.rows + 1)) + 1);
  TRY(dataset_slice(sample, dataset, rows, error));
  if (shape.place != DATA_MADE) goto cleanup;
  double began = clock_seconds();
  TRY(dataset_hold(*sample, error));
  *seconds_made = (clock_seconds() - began) / (double)rows.count;
cleanup:
  return status;
}

/* *seconds of one pass over the sample: loss and gradient, or the scores of its rows when there are no labels or no training. */
static Status time_pass(double *seconds, double *upload, const Dataset *sample, BackendSettings settings, SetosaPlanWork work,
                        Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = NULL;
  Vector *w = NULL, *gradient = NULL;
  float *scores = NULL;
  BackendFacts facts = {0};
  settings.device_memory_bytes = 0;
  *seconds = INFINITY;
  TRY(backend_open(&backend, sample, &settings, error));
  TRY(vector_create(backend, &w, error));
  TRY(vector_create(backend, &gradient, error));
  size_t rows = backend->rows < PREDICT_BLOCK_BYTES / sizeof(float) / backend->classes + 1
                    ? backend->rows
                    : PREDICT_BLOCK_BYTES / sizeof(float) / backend->classes + 1;
  if (work == SETOSA_PLAN_PREDICT)
    TRY(memory_allocate((void **)&scores, rows * backend->classes, sizeof(float), "a block of predictions", error));
  for (int i = 0; i <= SAMPLES; i++) { /* the first builds the kernels */
    double began = clock_seconds();
    DataTerm at = {.loss = NAN};
    if (work == SETOSA_PLAN_PREDICT)
      TRY(backend_predict(backend, w, (RowRange){0, rows}, ROW_LOGITS, scores, error));
    else
      TRY(backend_evaluate(backend, w, backend_all_rows(backend), NULL, gradient, &at, error));
    if (i > 0) *seconds = fmin(*seconds, clock_seconds() - began);
  }
  *seconds /= (double)(work == SETOSA_PLAN_PREDICT ? rows : backend->rows);
  backend_facts(backend, &facts);
  *upload = facts.seconds_upload / (double)backend->rows;
cleanup:
  free(scores);
  if (backend != NULL) {
    vector_destroy(backend, w);
    vector_destroy(backend, gradient);
  }
  backend_close(backend);
  return status;
}

static void add_buffer(SetosaPlan *plan, const char *name, uint64_t bytes) {
  if (bytes > 0) plan->buffers[plan->buffer_count++] = (SetosaPlanBuffer){name, bytes};
}

/* At most: lbfgs and gd may converge before --max-iterations; batches read X once an epoch, and once more for the loss at its end. */
static uint64_t most_passes(const SetosaTrainOptions *o) {
  return solver_uses_batches(o->solver) ? 2 * o->epochs + 1 : o->max_iterations + 1;
}

/* newton and lbfgs: what the hardest of the well-scaled sets that were tried needed. The others run as many as they are told, or nearly. */
static uint64_t typical_passes(const SetosaTrainOptions *o, uint64_t most) {
  const uint64_t usual = 151;
  return o->solver <= SETOSA_SOLVER_LBFGS && o->tolerance > 0 && most > usual ? usual : most;
}

SetosaStatus setosa_plan(SetosaPlan *plan, SetosaPlanWork work, const SetosaDataset *dataset, size_t classes,
                         const SetosaTrainOptions *options, SetosaError *error) {
  Status status = SETOSA_OK;
  Dataset *sample = NULL, *view = NULL;
  BackendPlan places = {0};
  double pass = 0, upload = 0, made = 0;
  TRY(arguments_check(error, GIVEN(plan), GIVEN(dataset), GIVEN(options)));
  if ((unsigned)work > SETOSA_PLAN_PREDICT)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_plan: there is no work %d; give SETOSA_PLAN_TRAIN or SETOSA_PLAN_PREDICT", (int)work));
  DataShape shape = dataset_shape(dataset);
  if (classes < 2 || (work == SETOSA_PLAN_TRAIN && classes != shape.classes))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_plan: %zu classes make no sense; give those of the %s, 2 at least", classes,
                  work == SETOSA_PLAN_TRAIN ? "data" : "model"));
  if (shape.rows == 0)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: each row lacks a value: there is nothing to plan", dataset_source(dataset)));
  *plan = (SetosaPlan){.rows = shape.rows, .features = shape.features, .classes = classes};
  TRY(device_check_options(&options->compute, error));
  if (work == SETOSA_PLAN_TRAIN) TRY(train_options_check(options, NULL, dataset, error));
  BackendSettings settings = device_backend_settings(&options->compute);
  settings.intercept = options->intercept;
  settings.vectors = work == SETOSA_PLAN_TRAIN ? train_solver_vectors(options) : 1;
  if (work == SETOSA_PLAN_TRAIN) train_foresee_matrices(&settings, options, shape);
  TRY(work == SETOSA_PLAN_PREDICT ? dataset_for_scores(&view, dataset, classes, error)
                                  : dataset_slice(&view, dataset, dataset_all(dataset), error));
  TRY(backend_plan(&places, view, &settings, error));
  plan->devices = places.devices * setosa_ranks_size(options->compute.ranks);
  plan->resident = places.resident;
  plan->chunk_rows = places.chunk_rows;
  plan->device_budget_bytes = places.budget_bytes;
  plan->storage = places.storage;
  plan->in_place = places.in_place;
  plan->passes_estimate = work == SETOSA_PLAN_TRAIN ? most_passes(options) : 1;
  plan->passes_typical = work == SETOSA_PLAN_TRAIN ? typical_passes(options, plan->passes_estimate) : 1;
  uint64_t vector = (uint64_t)(classes * shape.features + classes) * sizeof(float);
  add_buffer(plan, shape.kind == DATA_SPARSE ? "entries of sparse rows" : "features", places.data_bytes);
  add_buffer(plan, "labels", places.label_bytes);
  add_buffer(plan, "sample weights", places.weight_bytes);
  add_buffer(plan, work == SETOSA_PLAN_TRAIN ? "weights, gradients and the solver's vectors" : "weights",
             work == SETOSA_PLAN_TRAIN ? train_solver_vectors(options) * vector : vector);
  add_buffer(plan, "preconditioner and Gram matrices", places.matrix_bytes);
  add_buffer(plan, "workspace", places.work_bytes);
  TRY(take_sample(&sample, &made, view, error));
  settings.ranks = NULL; /* this process alone works on the sample, and speaks for the others */
  TRY(time_pass(&pass, &upload, sample, settings, work, error));
  /* What streams goes up, and what is made is made, for every pass; what stays, once. */
  double rows = (double)shape.rows / (double)setosa_ranks_size(options->compute.ranks);
  plan->seconds_make = places.in_place ? 0 : made * rows;
  plan->seconds_upload = places.in_place ? 0 : upload * rows;
  double moved = plan->seconds_make + plan->seconds_upload, once = places.resident ? moved : 0;
  plan->seconds_pass = pass * rows + (places.resident ? 0 : moved);
  plan->seconds_estimate = (double)plan->passes_estimate * plan->seconds_pass + once;
  plan->seconds_typical = (double)plan->passes_typical * plan->seconds_pass + once;
cleanup:
  setosa_dataset_destroy(sample);
  setosa_dataset_destroy(view);
  return status;
}
