/* Opening a backend: the one place that knows which backends there are. */
#include "compute/open.h"

#include "base/memory.h"
#include "compute/backends.h"

static Status open_kind(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  if (backend_is_shared(settings) && settings->kind != SETOSA_BACKEND_NATIVE)
    return error_set(error, SETOSA_ERROR_USAGE, "only the native backend shares rows over devices and ranks; use --backend native");
  switch (settings->kind) {
    case SETOSA_BACKEND_REFERENCE:
      return reference_open(backend, dataset, settings, error);
    case SETOSA_BACKEND_NATIVE:
      if (settings->context == NULL)
        return error_set(error, SETOSA_ERROR_USAGE, "the native backend needs a device; open one, or choose the reference backend");
      if (backend_is_shared(settings)) return sharded_open(backend, dataset, settings, error);
      return tuned_open(backend, dataset, settings, error);
    case SETOSA_BACKEND_CLBLAST:
#ifdef SETOSA_HAVE_CLBLAST
      if (settings->context == NULL)
        return error_set(error, SETOSA_ERROR_USAGE, "the clblast backend needs a device; open one, or choose the blas backend");
      return clblast_open(backend, dataset, settings, error);
#else
      return error_set(error, SETOSA_ERROR_USAGE,
                       "this build has no clblast backend; install libclblast-dev and build Setosa again, or use --backend native");
#endif
    case SETOSA_BACKEND_BLAS:
#ifdef SETOSA_HAVE_BLAS
      return blas_open(backend, dataset, settings, error);
#else
      return error_set(error, SETOSA_ERROR_USAGE,
                       "this build has no blas backend; install libopenblas-dev and build Setosa again, or use --backend native");
#endif
  }
  return error_set(error, SETOSA_ERROR_USAGE, "there is no backend number %d; choose native, clblast, blas or reference",
                   (int)settings->kind);
}

Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  size_t parameters = 0, bytes = 0;
  DataShape shape = dataset_shape(dataset);
  *backend = NULL;
  /* Every size that a backend derives from the shape fits, once K (D + 1) doubles do: the readers have checked N D. */
  TRY(memory_multiply(&parameters, shape.classes, shape.features + 1, "the parameters", error));
  TRY(memory_multiply(&bytes, parameters, sizeof(double), "the parameters", error));
  if (!backend_needs_device(settings->kind)) TRY(dataset_check_held(dataset, "this backend", error));
  TRY(open_kind(backend, dataset, settings, error));
cleanup:
  return status;
}

Status backend_plan(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  DataShape shape = dataset_shape(dataset);
  if (backend_needs_device(settings->kind) && settings->context != NULL) return native_describe(plan, dataset, settings, error);
  TRY(dataset_check_held(dataset, "this backend", error));
  *plan = (BackendPlan){.resident = true,
                        .in_place = true,
                        .data_bytes = dataset_bytes(dataset, dataset_all(dataset)),
                        .label_bytes = shape.rows * sizeof(int32_t),
                        .weight_bytes = shape.weighted ? shape.rows * sizeof(float) : 0,
                        .storage = "f32"};
cleanup:
  return status;
}
