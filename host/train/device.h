/* The opened device, and the options of where to compute, as the other files of this layer see them. */
#ifndef SETOSA_TRAIN_DEVICE_H
#define SETOSA_TRAIN_DEVICE_H

#include "compute/open.h"
#include "judge/compare.h"

struct SetosaDevice {
  Context *context;
  bool forced; /* used whatever the self-test would say */
};

/* The settings of a backend for these options, with an intercept and no penalty; the backend is this process's alone: a training adds the
 * ranks. */
BackendSettings device_backend_settings(const SetosaComputeOptions *compute);
/* backend_open, after the self-test of the devices for what will be asked of them (uses; 0: anything) unless they were forced: a device
 * that computes wrong results is refused. *seconds_test, which may be NULL: what that took, compiling included. */
Status device_open_backend(Backend **backend, double *seconds_test, const Dataset *dataset, const BackendSettings *settings,
                           const SetosaComputeOptions *compute, CompareOperations uses, Error *error);
/* SETOSA_ERROR_USAGE when a choice is out of its range, or the backend needs a device and there is none. */
Status device_check_options(const SetosaComputeOptions *compute, Error *error);

#endif
