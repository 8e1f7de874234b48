/* The cache folder: compiled kernels, self-test verdicts, PoCL's own cache. */
#ifndef SETOSA_OPENCL_CACHE_H
#define SETOSA_OPENCL_CACHE_H

#include "base/error.h"

/* Removes everything in it but what a running process is using. *bytes_freed is added to; it may be NULL. */
Status opencl_cache_clear(uint64_t *bytes_freed, Error *error);

#endif
