/* Inner products of vectors, and with them the numbers of an evaluation that waited for the next read. */
#ifndef SETOSA_COMPUTE_NATIVE_DOTS_H
#define SETOSA_COMPUTE_NATIVE_DOTS_H

#include "compute/native/native.h"

/* Numbers that wait (native->later) come along, so that all of them cost one read; with no pairs, they alone. */
Status native_vector_dots(Backend *backend, size_t count, const VectorPair *pairs, double *dots, Error *error);

#endif
