/* A file as memory: read-only, private to the process, read from disk page by page as it is looked at. */
#ifndef SETOSA_BASE_MAPPING_H
#define SETOSA_BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/file.h"

enum { MAPPING_JOINED = 2 /* arrays that a mapping may have joined */ };

/* Bytes at an address. */
typedef struct MappedBytes {
  const unsigned char *at;
  size_t bytes;
} MappedBytes;

/* Zeroed: none. A file that is cut short while it is mapped ends the process with SIGBUS when the missing pages are touched: that is the
 * kernel's way and cannot be turned into an error here, on whichever thread it happens; the program has a handler that names the file
 * (cli/terminal/crash.c). What happens to the file without a signal, mapping_is_changed tells afterwards. */
typedef struct Mapping {
  const unsigned char *at; /* the file from its beginning */
  size_t bytes;
  MappedBytes joined[MAPPING_JOINED]; /* (joined_count) arrays that lie in pieces in the file, whole in memory */
  size_t joined_count;
  bool watched; /* descriptor is the file, as it was then; a process that has no more of them goes without */
  int descriptor;
  FileIdentity then;
} Mapping;

/* Equal parts of a file, each `stride` bytes behind the one before: so many bytes of them in all. With a stride of 0 one part comes again
 * and again. Everything but the bytes of the last run of an array is whole pages. */
typedef struct MappingRun {
  size_t offset, part_bytes, stride, bytes;
} MappingRun;

/* The first `bytes` (not 0) of an open file, which may be closed afterwards. path is for the message (SETOSA_ERROR_DATA). */
Status mapping_open(Mapping *mapping, int descriptor, size_t bytes, const char *path, Error *error);
/* *at = the parts of the runs side by side, as one more array of the mapping, whose file the descriptor is. There is a byte at least. */
Status mapping_join(const void **at, Mapping *mapping, const MappingRun *runs, size_t count, int descriptor, const char *path,
                    Error *error);
void mapping_close(Mapping *mapping);
/* Whether the file was written to, or has another length, since it was mapped: nobody knows then what was read. */
bool mapping_is_changed(const Mapping *mapping);
bool mapping_holds(const Mapping *mapping, const void *address);
/* One pass from front to back is about to begin (large reads ahead), or is over. */
void mapping_expect_pass(const Mapping *mapping, bool begins);
/* The process lets go of the whole pages among so many bytes of the mapping; they stay in the system's page cache as long as it has room.
 * Nothing is done for an address outside. */
void mapping_let_go(const Mapping *mapping, const void *address, size_t bytes);

#endif
