/* What an opening backend does with tuning: looks its class up, searches where that pays off. */
#include <stdio.h>

#include "base/clock.h"
#include "compute/tune/tune.h"

static const double worth_flops = 4e8, worth_bytes = 64 << 20; /* of a pass: the least that a search pays off for */

bool tune_is_worth_it(size_t rows, size_t features, size_t classes) {
  double values = (double)rows * (double)features;
  return 4 * values * (double)classes >= worth_flops || values * sizeof(float) >= worth_bytes;
}

static void tell(Native *native, const TuneClass *class, const TuneRecord *record, bool searched) {
  char what[96], shape[128], how[64] = "known from before", rival[64] = " (the default shape)";
  double milliseconds = 1e-6 * (double)record->shape_ns;
  tune_class_describe(what, sizeof what, class);
  tune_shape_describe(shape, sizeof shape, &record->shape, class, native->head.features);
  if (searched) snprintf(how, sizeof how, "best of %u shapes", native->tuning.tried + 1);
  if (record->shape_ns != record->default_ns)
    snprintf(rival, sizeof rival, ", the default takes %.3g ms", 1e-6 * (double)record->default_ns);
  snprintf(native->tuning.text, sizeof native->tuning.text, "%s: %s, %s: %.3g ms%s", what, how, shape, milliseconds, rival);
}

Status native_tune(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  TuneClass class;
  TuneRecord record;
  NativeShape shapes[TUNE_CANDIDATES];
  const DeviceTraits *traits = context_traits(native->context);
  DataShape shape = dataset_shape(dataset);
  double began = clock_seconds();
  if (native->sparse != NULL || settings->tuning == SETOSA_TUNING_OFF || settings->reproducible ||
      !tune_is_worth_it(shape.rows, shape.features, shape.classes) ||
      !tune_class_make(&class, native->context, native->family, shape.classes, shape.features, native->plan.storage,
                       !settings->no_tensor_cores))
    return SETOSA_OK;
  bool known = tune_load(&record, &class, traits);
  bool search =
      settings->tunes && native->labelled && (!known || (settings->tuning == SETOSA_TUNING_FULL && record.how != settings->tuning));
  if (search) {
    size_t count = tune_candidates(shapes, &class, traits);
    TRY(tune_search(native, dataset, shapes, count, settings->tuning, &record, NULL, error));
    tune_save(&class, &record);
  } else if (known) {
    native->shape = record.shape;
  }
  if (search || known) tell(native, &class, &record, search);
cleanup:
  native->tuning.seconds = clock_seconds() - began;
  return status;
}

Status tuned_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error) {
  Status status = SETOSA_OK;
  Backend *opened = NULL;
  *backend = NULL;
  TRY(native_open(&opened, dataset, settings, error));
  TRY(native_tune((Native *)opened, dataset, settings, error));
  native_restart_build_clock((Native *)opened); /* what tuning built is part of its own seconds */
  *backend = opened;
  opened = NULL;
cleanup:
  backend_close(opened);
  return status;
}
