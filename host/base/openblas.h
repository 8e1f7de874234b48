/* OpenBLAS, loaded in a way that does no harm. */
#ifndef SETOSA_BASE_OPENBLAS_H
#define SETOSA_BASE_OPENBLAS_H

#include "base/error.h"

/* *library for library_function. Its own threads never work: who multiplies does so in threads of ours. remedy as in library_load. */
Status openblas_load(void **library, const char *remedy, Error *error);

#endif
