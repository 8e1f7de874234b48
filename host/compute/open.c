/* Opening a backend: the one place that knows which backends there are. */
#include "compute/open.h"

Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  *backend = NULL;
  switch (settings->kind) {
    case SETOSA_BACKEND_REFERENCE:
      return reference_open(backend, dataset, settings, error);
    case SETOSA_BACKEND_NATIVE:
      if (settings->context == NULL)
        return error_set(error, SETOSA_ERROR_USAGE, "the native backend needs a device; open one, or choose the reference backend");
      return native_open(backend, dataset, settings, error);
  }
  return error_set(error, SETOSA_ERROR_USAGE, "there is no backend number %d; choose native or reference", (int)settings->kind);
}
