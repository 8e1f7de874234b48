/* A file as memory: read-only, private to the process, read from disk page by page as it is looked at. */
#ifndef SETOSA_BASE_MAPPING_H
#define SETOSA_BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/file.h"

/* Zeroed: none. A file that is cut short while it is mapped ends the process with SIGBUS when the missing pages are touched: that is the
 * kernel's way and cannot be turned into an error here, on whichever thread it happens; the program has a handler that names the file
 * (cli/terminal/crash.c). What happens to the file without a signal, mapping_is_changed tells afterwards. */
typedef struct Mapping {
  const unsigned char *at;
  size_t bytes;
  bool watched; /* descriptor is the file, as it was then; a process that has no more of them goes without */
  int descriptor;
  FileIdentity then;
} Mapping;

/* The first `bytes` (not 0) of an open file, which may be closed afterwards. path is for the message (SETOSA_ERROR_DATA). */
Status mapping_open(Mapping *mapping, int descriptor, size_t bytes, const char *path, Error *error);
void mapping_close(Mapping *mapping);
/* Whether the file was written to, or has another length, since it was mapped: nobody knows then what was read. */
bool mapping_is_changed(const Mapping *mapping);
bool mapping_holds(const Mapping *mapping, const void *address);
/* One pass from front to back is about to begin (large reads ahead), or is over. */
void mapping_expect_pass(const Mapping *mapping, bool begins);
/* The process lets go of the whole pages in [offset, offset + bytes); they stay in the system's page cache as long as it has room. */
void mapping_let_go(const Mapping *mapping, size_t offset, size_t bytes);

#endif
