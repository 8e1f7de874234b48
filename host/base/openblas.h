/* OpenBLAS, loaded in a way that does no harm. */
#ifndef SETOSA_BASE_OPENBLAS_H
#define SETOSA_BASE_OPENBLAS_H

#include <stddef.h>

#include "base/error.h"

/* *library for library_function. Its own threads never work: who multiplies does so in threads of ours. remedy as in library_load. */
Status openblas_load(void **library, const char *remedy, Error *error);
/* OpenBLAS takes memory for each thread that works, keeps it, and asks again and again until it gets it: SETOSA_ERROR_INTERNAL where so
 * many more threads would find none. */
Status openblas_check_room(size_t threads, const char *remedy, Error *error);

#endif
