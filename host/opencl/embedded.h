/* The kernel sources inside the library; the table is written by kernels/embed.cmake. */
#ifndef SETOSA_OPENCL_EMBEDDED_H
#define SETOSA_OPENCL_EMBEDDED_H

#include <stddef.h>

typedef struct EmbeddedSource {
  const char *name; /* "vector.cl" */
  const char *text; /* (length) and a 0 byte */
  size_t length;
} EmbeddedSource;

extern const EmbeddedSource embedded_sources[]; /* (embedded_source_count), ended by a NULL name */
extern const size_t embedded_source_count;

#endif
