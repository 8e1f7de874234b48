/* Opening a backend on a data set: the one place that knows which backends there are. */
#ifndef SETOSA_COMPUTE_OPEN_H
#define SETOSA_COMPUTE_OPEN_H

#include "compute/settings.h"

/* The data set is borrowed until close (a device with unified memory reads it in place). Labels may be NULL: then only predict works.
 * Nothing is known here of whether the device computes rightly: ask the judge before (judge/selftest.h). */
Status backend_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* Sizes of what backend_open and passes would allocate, without doing it. */
Status backend_plan(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error);

#endif
