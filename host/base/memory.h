/* Allocation with every size product checked, and the alignment that OpenCL needs to use host memory without copying. */
#ifndef SETOSA_BASE_MEMORY_H
#define SETOSA_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes: a page, so that CL_MEM_USE_HOST_PTR needs no copy on any CPU device. */
enum { MEMORY_ALIGNMENT = 4096 };

/* *product = a * b; SETOSA_ERROR_USAGE naming `what` when that passes 2^63. */
Status memory_multiply(size_t *product, size_t a, size_t b, const char *what, Error *error);
/* *out = count * size bytes, page-aligned when that is at least a page, not zeroed; one byte at least. Free with free().
 * `what` names it in the message when memory is short (SETOSA_ERROR_INTERNAL). */
Status memory_allocate(void **out, size_t count, size_t size, const char *what, Error *error);
/* The same, zeroed. */
Status memory_allocate_zero(void **out, size_t count, size_t size, const char *what, Error *error);
/* Grows *array (capacity *capacity elements of size bytes) to hold at least `needed`, by doubling. */
Status memory_grow(void **array, size_t *capacity, size_t needed, size_t size, const char *what, Error *error);
/* A copy of text, or NULL text for NULL. */
Status memory_copy_text(char **out, const char *text, Error *error);
/* Bytes of the machine's memory that are to be had without pushing anybody's out to disk; UINT64_MAX: not known. */
uint64_t memory_available(void);

#endif
