/* Opening a backend: the one place that knows which backends there are. */
#include "compute/open.h"

#include "base/memory.h"

Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  size_t parameters = 0, bytes = 0;
  *backend = NULL;
  /* Every size that a backend derives from the shape fits, once K (D + 1) doubles do: the readers have checked N D. */
  Status status = memory_multiply(&parameters, dataset->classes, dataset->features + 1, "the parameters", error);
  if (status == SETOSA_OK) status = memory_multiply(&bytes, parameters, sizeof(double), "the parameters", error);
  if (status != SETOSA_OK) return status;
  switch (settings->kind) {
    case SETOSA_BACKEND_REFERENCE:
      return reference_open(backend, dataset, settings, error);
    case SETOSA_BACKEND_NATIVE:
      if (settings->context == NULL)
        return error_set(error, SETOSA_ERROR_USAGE, "the native backend needs a device; open one, or choose the reference backend");
      return native_open(backend, dataset, settings, error);
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
