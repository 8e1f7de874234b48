/* The reference's answers, and the comparison of a backend with them. */
#include "judge/truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "compute/open.h"
#include "compute/tolerance.h"
#include "data/storage.h"

static const double thorough_seconds = 5;    /* longer passes are not repeated for a comparison of gradients */
static const double logit_size = 3;          /* as in the self-test */
static const size_t scores_bytes = 64 << 20; /* of probabilities kept */
static const size_t sample_bytes = 64 << 20; /* of rows that are made as needed: so many are held for the reference */

/* Values of a row, in the mean: D, or the entries of sparse rows. */
static double row_values(const DataShape *shape) { return fmax((double)shape->entries / (double)shape->rows, 1); }

/* Flops of a row: 2K a product and value. */
static double row_flops(const DataShape *shape, SetosaBenchWhat what) {
  double products = what == SETOSA_BENCH_HESSIAN ? 3 : what == SETOSA_BENCH_PREDICT ? 1 : 2;
  return 2 * products * row_values(shape) * (double)shape->classes;
}

/* Rows of sample_bytes, one at least. */
static double sample_rows(const DataShape *shape) {
  size_t bytes = shape->kind == DATA_SPARSE ? sizeof(uint32_t) + sizeof(float) : sizeof(float);
  return fmax(1, (double)sample_bytes / (double)bytes / row_values(shape));
}

/* Rows within the reference's budget, from the middle so that they begin inside a block. */
static RowRange choose_rows(const DataShape *shape, SetosaBenchWhat what, double flops) {
  double most = fmax(1, flops / row_flops(shape, what));
  if (what == SETOSA_BENCH_PREDICT) most = fmin(most, fmax(1, (double)scores_bytes / sizeof(float) / (double)shape->classes));
  if (shape->place != DATA_HELD) most = fmin(most, sample_rows(shape));
  size_t count = most < (double)shape->rows ? (size_t)most : shape->rows;
  return (RowRange){(shape->rows - count) / 3, count};
}

/* The rows of a range as a data set of their own, held: only those need be in the reference's reach. */
static Status open_view(Dataset **view, const Dataset *dataset, RowRange rows, Error *error) {
  Status status = dataset_slice(view, dataset, rows, error);
  return status == SETOSA_OK ? dataset_hold(*view, error) : status;
}

Status contender_open(Contender *contender, SetosaBenchWhat what, Error *error) {
  Status status = SETOSA_OK;
  TRY(objective_open(&contender->objective, contender->backend, &(ObjectiveTerms){.l2 = BENCH_L2}, error));
  TRY(vector_create(contender->backend, &contender->w, error));
  if (what != SETOSA_BENCH_PREDICT) TRY(vector_create(contender->backend, &contender->out, error));
  if (what == SETOSA_BENCH_HESSIAN) TRY(vector_create(contender->backend, &contender->v, error));
cleanup:
  return status;
}

void contender_close(Contender *contender) {
  if (contender->backend == NULL) return;
  objective_close(&contender->objective);
  vector_destroy(contender->backend, contender->w);
  vector_destroy(contender->backend, contender->v);
  vector_destroy(contender->backend, contender->out);
  backend_close(contender->backend);
  *contender = (Contender){.backend = NULL};
}

static Status open_reference(Contender *c, const Dataset *dataset, SetosaBenchWhat what, const double *w, const double *v, Error *error) {
  Status status = SETOSA_OK;
  BackendSettings settings = {.kind = SETOSA_BACKEND_REFERENCE, .intercept = true};
  TRY(backend_open(&c->backend, dataset, &settings, error));
  TRY(contender_open(c, what, error));
  TRY(vector_write(c->backend, c->w, w, error));
  if (v != NULL) TRY(vector_write(c->backend, c->v, v, error));
cleanup:
  return status;
}

static Status compute_expected(Truth *truth, Error *error) {
  Status status = SETOSA_OK;
  Dataset *view = NULL;
  Contender reference = {0};
  Evaluation at = {0};
  size_t scores = 0;
  TRY(open_view(&view, truth->dataset, truth->rows, error));
  TRY(open_reference(&reference, view, truth->what, truth->w, truth->v, error));
  size_t parameters = reference.backend->parameters;
  RowRange all = backend_all_rows(reference.backend);
  if (truth->what == SETOSA_BENCH_PREDICT) {
    TRY(memory_multiply(&scores, reference.backend->rows, reference.backend->classes, "the probabilities", error));
    TRY(memory_allocate((void **)&truth->scores, scores, sizeof *truth->scores, "the probabilities", error));
    TRY(backend_predict(reference.backend, reference.w, all, ROW_PROBABILITIES, truth->scores, error));
    goto cleanup;
  }
  TRY(memory_allocate((void **)&truth->expected, parameters, sizeof *truth->expected, "the reference's answer", error));
  if (truth->what == SETOSA_BENCH_HESSIAN)
    TRY(objective_hessian_product(&reference.objective, reference.w, reference.v, all, reference.out, error));
  else
    TRY(objective_evaluate(&reference.objective, reference.w, all, reference.out, &at, error));
  truth->loss = at.loss;
  truth->objective = at.objective;
  TRY(vector_read(reference.backend, reference.out, truth->expected, error));
cleanup:
  contender_close(&reference);
  setosa_dataset_destroy(view);
  return status;
}

Status truth_create(Truth **truth, const Dataset *dataset, SetosaBenchWhat what, double flops, Error *error) {
  Status status = SETOSA_OK;
  Truth *made = NULL;
  DataShape shape = dataset_shape(dataset);
  size_t parameters = shape.classes * (shape.features + 1);
  *truth = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "the reference's answer", error));
  made->dataset = dataset;
  made->what = what == SETOSA_BENCH_EPOCH || what == SETOSA_BENCH_TRAIN ? SETOSA_BENCH_STEP : what;
  made->rows = choose_rows(&shape, made->what, flops);
  TRY(memory_allocate((void **)&made->w, parameters, sizeof *made->w, "the parameters", error));
  if (made->what == SETOSA_BENCH_HESSIAN) TRY(memory_allocate((void **)&made->v, parameters, sizeof *made->v, "the direction", error));
  compare_fill_vectors(dataset, logit_size, made->w, made->v);
  TRY(compute_expected(made, error));
  *truth = made;
  made = NULL;
cleanup:
  truth_destroy(made);
  return status;
}

void truth_destroy(Truth *truth) {
  if (truth == NULL) return;
  free(truth->w);
  free(truth->v);
  free(truth->expected);
  free(truth->scores);
  free(truth);
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

/* Of two quantities the one that is worse for its tolerance stays. A NaN is never within one. */
static void weigh(Verdict *verdict, const char *what, double error, double tolerance) {
  bool worse = !(error * verdict->tolerance <= verdict->error * tolerance);
  if (verdict->tolerance == 0 || worse) {
    verdict->error = error;
    verdict->tolerance = tolerance;
  }
  if (error <= tolerance || !verdict->passed) return;
  verdict->passed = false;
  snprintf(verdict->reason, sizeof verdict->reason, "wrong %s: off by %.1e, at most %.1e is allowed", what, error, tolerance);
}

/* What rounding X to its storage moves a logit by: as much of |z| as of ||X||, doubled since errors of a row may agree. */
static double storage_rounding(const Backend *backend) {
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  return 2 * facts.storage_rms_error * (1 + logit_size);
}

typedef struct Judging {
  const Truth *truth;
  Contender *contender;
  double rounding;
  double *actual, *sum; /* (P) */
  Verdict *verdict;
} Judging;

static Status run(const Judging *j, RowRange rows, bool gradient, Evaluation *at, Error *error) {
  Contender *c = j->contender;
  if (j->truth->what == SETOSA_BENCH_HESSIAN) return objective_hessian_product(&c->objective, c->w, c->v, rows, c->out, error);
  return objective_evaluate(&c->objective, c->w, rows, gradient ? c->out : NULL, at, error);
}

static Status judge_part(const Judging *j, Error *error) {
  Status status = SETOSA_OK;
  const Truth *truth = j->truth;
  bool hessian = truth->what == SETOSA_BENCH_HESSIAN;
  size_t parameters = j->contender->backend->parameters;
  Evaluation at = {.objective = NAN};
  for (size_t i = 0; i < parameters; i++) j->actual[i] = NAN;
  TRY(run(j, truth->rows, true, &at, error));
  TRY(vector_read(j->contender->backend, j->contender->out, j->actual, error));
  if (!hessian)
    weigh(j->verdict, "loss", compare_relative(at.objective, truth->objective),
          compare_loss_tolerance(j->rounding, truth->rows.count, truth->loss));
  weigh(j->verdict, hessian ? "Hessian product" : "gradient", compare_relative_norm(j->actual, truth->expected, parameters),
        hessian ? compare_hessian_tolerance(j->rounding) : compare_gradient_tolerance(j->rounding));
cleanup:
  return status;
}

/* Loss, gradient and Hessian product are means over rows, so those of all rows are the weighted means of those of two parts. */
static Status judge_whole(const Judging *j, bool gradient, Error *error) {
  Status status = SETOSA_OK;
  Backend *backend = j->contender->backend;
  bool hessian = j->truth->what == SETOSA_BENCH_HESSIAN;
  size_t first = backend->rows / 7 * 3 + 1; /* inside a block */
  const RowRange parts[] = {{0, first}, {first, backend->rows - first}};
  double objective = 0;
  Evaluation at = {.objective = NAN};
  if (gradient)
    for (size_t i = 0; i < backend->parameters; i++) j->sum[i] = 0;
  for (int p = 0; p < 2; p++) {
    double weight = (double)parts[p].count / (double)backend->rows;
    TRY(run(j, parts[p], gradient, &at, error));
    objective += weight * at.objective;
    if (!gradient) continue;
    TRY(vector_read(backend, j->contender->out, j->actual, error));
    for (size_t i = 0; i < backend->parameters; i++) j->sum[i] += weight * j->actual[i];
  }
  TRY(run(j, backend_all_rows(backend), gradient, &at, error));
  /* Both sides round: twice the tolerance. */
  if (!hessian)
    weigh(j->verdict, "loss of all rows (against its parts)", compare_relative(at.objective, objective),
          2 * compare_loss_tolerance(j->rounding, backend->rows, fmin(1, fabs(objective))));
  if (!gradient) goto cleanup;
  TRY(vector_read(backend, j->contender->out, j->actual, error));
  weigh(j->verdict, hessian ? "Hessian product of all rows (against its parts)" : "gradient of all rows (against its parts)",
        compare_relative_norm(j->actual, j->sum, backend->parameters), 2 * compare_hessian_tolerance(j->rounding));
cleanup:
  return status;
}

static Status judge_scores(const Judging *j, Error *error) {
  Status status = SETOSA_OK;
  const Truth *truth = j->truth;
  size_t count = truth->rows.count * j->contender->backend->classes;
  float *scores = NULL;
  double worst = 0;
  TRY(memory_allocate((void **)&scores, count, sizeof *scores, "the probabilities", error));
  for (size_t i = 0; i < count; i++) scores[i] = NAN;
  TRY(backend_predict(j->contender->backend, j->contender->w, truth->rows, ROW_PROBABILITIES, scores, error));
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)scores[i] - (double)truth->scores[i]);
    worst = isfinite(difference) ? fmax(worst, difference) : INFINITY;
  }
  weigh(j->verdict, "probability", worst, compare_scores_tolerance(j->rounding));
cleanup:
  free(scores);
  return status;
}

Status truth_judge(const Truth *truth, Contender *contender, double pass_seconds, Verdict *verdict, Error *error) {
  Status status = SETOSA_OK;
  const Backend *backend = contender->backend;
  Judging j = {.truth = truth, .contender = contender, .verdict = verdict};
  *verdict = (Verdict){.passed = true};
  j.rounding = compare_logit_rounding(backend->features, logit_size) + storage_rounding(backend);
  if (truth->what == SETOSA_BENCH_PREDICT) return judge_scores(&j, error);
  TRY(memory_allocate((void **)&j.actual, backend->parameters, sizeof *j.actual, "parameters to compare", error));
  TRY(judge_part(&j, error));
  bool thorough = pass_seconds <= thorough_seconds, hessian = truth->what == SETOSA_BENCH_HESSIAN;
  if (!verdict->passed || truth->rows.count == backend->rows || (hessian && !thorough)) goto cleanup;
  TRY(memory_allocate((void **)&j.sum, backend->parameters, sizeof *j.sum, "parameters to compare", error));
  TRY(judge_whole(&j, thorough, error));
cleanup:
  free(j.actual);
  free(j.sum);
  return status;
}

/* The mean loss of rows at w (P). */
static Status loss_of_rows(const Dataset *dataset, RowRange rows, SetosaStorage storage, const double *w, double *loss, Error *error) {
  Status status = SETOSA_OK;
  Contender reference = {0};
  DataTerm at = {.loss = NAN};
  Dataset *view = NULL;
  TRY(open_view(&view, dataset, rows, error));
  if (storage == SETOSA_STORAGE_F16) TRY(storage_round(view, &(StoragePlan){.storage = SETOSA_STORAGE_F16, .scale = 1}, error));
  TRY(open_reference(&reference, view, SETOSA_BENCH_PREDICT, w, NULL, error));
  TRY(backend_evaluate(reference.backend, reference.w, backend_all_rows(reference.backend), NULL, NULL, &at, error));
  *loss = at.loss;
cleanup:
  contender_close(&reference);
  setosa_dataset_destroy(view);
  return status;
}

Status truth_model_loss(const Dataset *dataset, SetosaStorage storage, const float *weights, const double *bias, double *loss,
                        Error *error) {
  Status status = SETOSA_OK;
  double *w = NULL, sum = 0, mean = NAN;
  DataShape shape = dataset_shape(dataset);
  size_t count = shape.classes * shape.features, block = shape.rows;
  *loss = NAN;
  if (row_flops(&shape, SETOSA_BENCH_PREDICT) * (double)shape.rows > TRUTH_FLOPS) return SETOSA_OK;
  TRY(memory_allocate((void **)&w, count + shape.classes, sizeof *w, "the parameters", error));
  for (size_t i = 0; i < count; i++) w[i] = weights[i];
  for (size_t k = 0; k < shape.classes; k++) w[count + k] = bias[k];
  if (shape.place != DATA_HELD) block = (size_t)fmin((double)block, sample_rows(&shape));
  for (size_t done = 0; done < shape.rows; done += block) {
    RowRange rows = range_next(done, shape.rows, block);
    TRY(loss_of_rows(dataset, rows, storage, w, &mean, error));
    sum += (double)rows.count * mean;
  }
  *loss = sum / (double)shape.rows;
cleanup:
  free(w);
  return status;
}
