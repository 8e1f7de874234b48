/* A rough solution from a few rows: at a start far from the optimum even a good model of the objective is of little use. */
#include "train/stage.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { ROWS_A_CLASS = 400, ROWS_A_FEATURE = 4, ITERATIONS = 30, MOST_VALUES = 64 << 20 };
static const double PART = 0.05, MORE_PENALTY = 10;

/* (With an L1 penalty a stage saved nothing: bench/LOG.md.) */
bool stage_pays(const Objective *objective, SetosaPreconditioner preconditioner) {
  double rows = (double)objective->backend->rows, features = (double)objective->backend->features;
  if (objective->l1 > 0 || preconditioner != SETOSA_PRECONDITIONER_BLOCKS) return false;
  return rows >= (double)ROWS_A_CLASS * (double)objective->backend->classes && PART * rows >= (double)ROWS_A_FEATURE * features;
}

/* values (P): what the stage leads to. It is short and not asked to stop: cut, it would lead elsewhere, and so would what goes on from
 * there. */
static Status run_here(double *values, const StageSettings *settings, uint64_t *flops, Error *error) {
  Status status = SETOSA_OK;
  Dataset *sample = NULL;
  Backend *backend = NULL;
  Objective objective = {0};
  Vector *w = NULL;
  OptimizerReport report = {0};
  BackendFacts facts = {0};
  DataShape shape = dataset_shape(settings->dataset);
  double part = fmin(PART, (double)MOST_VALUES / ((double)shape.rows * (double)shape.features));
  BackendSettings own = *settings->backend;
  ObjectiveTerms terms = settings->terms;
  OptimizerSettings optimizer = {.solver = SETOSA_SOLVER_LBFGS,
                                 .preconditioner = SETOSA_PRECONDITIONER_KRON,
                                 .seed = settings->optimizer->seed,
                                 .max_iterations = ITERATIONS,
                                 .history = settings->optimizer->history,
                                 .matrix_bytes = settings->optimizer->matrix_bytes,
                                 .tolerance = 1e-4};
  own.ranks = NULL;
  own.context_count = 0;
  own.tunes = false;
  terms.l2 *= MORE_PENALTY;
  TRY(dataset_sample(&sample, settings->dataset, part, optimizer.seed, error));
  if (dataset_shape(sample).rows == 0 || !(dataset_total_weight(sample) > 0)) goto cleanup;
  TRY(backend_open(&backend, sample, &own, error));
  TRY(vector_create(backend, &w, error));
  TRY(objective_open(&objective, backend, &terms, error));
  TRY(optimizer_minimize(&objective, w, &optimizer, &report, error));
  TRY(vector_read(backend, w, values, error));
  backend_facts(backend, &facts);
  *flops = facts.flops;
cleanup:
  objective_close(&objective);
  if (backend != NULL) vector_destroy(backend, w);
  backend_close(backend);
  setosa_dataset_destroy(sample);
  return status;
}

Status stage_run(Backend *backend, Vector *w, const StageSettings *settings, uint64_t *flops, Error *error) {
  Status status = SETOSA_OK;
  double *values = NULL;
  BackendFacts facts = {0};
  *flops = 0;
  backend_facts(backend, &facts);
  status = memory_allocate_zero((void **)&values, backend->parameters, sizeof *values, "the parameters", error);
  if (status == SETOSA_OK && facts.leads) status = run_here(values, settings, flops, error);
  TRY(backend_broadcast(backend, status, backend->parameters, values, error));
  TRY(vector_write(backend, w, values, error));
cleanup:
  free(values);
  return status;
}
