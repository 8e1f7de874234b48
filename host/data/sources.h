/* The files that DATA names: one, several, or those whose names fit a pattern as "part-*.csv". Private to host/data. */
#ifndef SETOSA_DATA_SOURCES_H
#define SETOSA_DATA_SOURCES_H

#include "data/reader.h"

/* Zero-initialise. */
typedef struct Sources {
  char **paths; /* (count) in the order of their rows */
  size_t count, capacity;
} Sources;

/* A name is taken as it is where there is such a file. Else it may be a pattern (glob(7)), whose files come in the order of their bytes;
 * folders are left out. SETOSA_ERROR_DATA for a pattern that no name fits. */
Status sources_find(Sources *sources, const char *source, const DataOptions *options, Error *error);
void sources_free(Sources *sources);

#endif
