/* Parameter vectors on the device. */
#ifndef SETOSA_COMPUTE_NATIVE_VECTOR_H
#define SETOSA_COMPUTE_NATIVE_VECTOR_H

#include "compute/native/native.h"

Status native_vector_create(Backend *backend, Vector **vector, Error *error);
void native_vector_destroy(Backend *backend, Vector *vector);
Status native_vector_read(Backend *backend, const Vector *vector, double *values, Error *error);
Status native_vector_write(Backend *backend, Vector *vector, const double *values, Error *error);
Status native_vector_copy(Backend *backend, Vector *to, const Vector *from, Error *error);
Status native_vector_combine(Backend *backend, Vector *out, size_t count, const double *coefficients, const Vector *const *vectors,
                             Error *error);
Status native_vector_multiply(Backend *backend, Vector *out, const Vector *a, const Vector *b, Error *error);
Status native_vector_prox(Backend *backend, Vector *out, const Vector *a, const Vector *steps, double step, double l1, double l2,
                          Error *error);
Status native_vector_divide_sqrt(Backend *backend, Vector *out, const Vector *a, const Vector *b, double epsilon, Error *error);
/* Groups of a vector kernel over `elements`. */
uint32_t native_vector_groups(const Native *native, size_t elements);
KernelRange native_team_range(const Native *native, uint32_t groups);
/* Groups that share `items` of work (kernels/items.clh): more than one for every thread of the device, whichever way a driver deals them.
 * Readies native->counter. */
Status native_items_range(Native *native, size_t items, KernelRange *range, Error *error);
/* To be called after a launch that failed: a kernel that ended midway leaves counts that would make the next one skip rows. */
void native_clear_counter(Native *native);

#endif
