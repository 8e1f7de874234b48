/* How each backend is opened. For compute/open.c, which chooses among them, and for a backend that is made of another: everyone else calls
 * backend_open. */
#ifndef SETOSA_COMPUTE_BACKENDS_H
#define SETOSA_COMPUTE_BACKENDS_H

#include "compute/settings.h"

/* Double precision on the host, on rows that are held. */
Status reference_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* f32 on the host by OpenBLAS, on rows that are held; only in builds that found it. */
Status blas_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* Our OpenCL kernels on one device, in their default shape. */
Status native_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* backend_plan for them. */
Status native_describe(BackendPlan *plan, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* The same in the shape that tuning knows for such data, or finds now. */
Status tuned_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* The native backend with CLBlast for its matrix products; only in builds that found it. */
Status clblast_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* The native backend on several devices, of this process and of the others of settings->ranks. */
Status sharded_open(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);

#endif
