/* Weights of the data set times factors. */
#include "compute/reweigh.h"

#include "base/memory.h"

Status reweigh_open(float **weights, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  double ignored = 0;
  *weights = NULL;
  if (!settings->reweighs) return SETOSA_OK;
  TRY(dataset_check_held(dataset, "weighing rows anew", error));
  TRY(memory_allocate((void **)weights, dataset_shape(dataset).rows, sizeof **weights, "what rows count", error));
  TRY(reweigh_rows(*weights, &ignored, dataset, NULL, error));
cleanup:
  return status;
}

Status reweigh_rows(float *weights, double *mean, const Dataset *dataset, const float *factors, Error *error) {
  enum { BLOCK = 4096 }; /* added apart, so that the sum errs little however many rows there are */
  Status status = SETOSA_OK;
  size_t rows = dataset_shape(dataset).rows;
  Targets targets;
  double sum = 0, block = 0;
  if (weights == NULL)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "rows were weighed anew on a backend that was not opened for it; please report this"));
  TRY(dataset_targets(&targets, dataset, dataset_all(dataset), NULL, error));
  for (size_t i = 0; i < rows; i++) {
    weights[i] = (targets.weights != NULL ? targets.weights[i] : 1) * (factors != NULL ? factors[i] : 1);
    block += (double)weights[i];
    if ((i + 1) % BLOCK != 0) continue;
    sum += block;
    block = 0;
  }
  *mean = (sum + block) / (double)rows;
  if (!(*mean > 0)) TRY(error_set(error, SETOSA_ERROR_DATA, "every row would count 0; leave some that count"));
cleanup:
  return status;
}
