/* One pass over the text of a table: threads work on its parts, and what they made of them is taken in the order of the text, so that the
 * result does not depend on how many threads there are. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_PASS_H
#define SETOSA_DATA_TABLE_PASS_H

#include "data/table/text.h"

/* What a pass does. */
typedef struct PassWork {
  /* On any thread, with a result of this pass's own kind that one part at a time has: made by `create`, used again for another part. */
  Status (*work)(void *user, void *result, const TextPart *part, Error *error);
  /* On the caller's thread, in order, once for each part. */
  Status (*take)(void *user, void *result, const TextPart *part, Error *error);
  Status (*create)(void *user, void **result, Error *error);
  void (*destroy)(void *user, void *result);
  /* Rows so far, for progress. */
  uint64_t (*rows)(const void *user);
  void *user;
} PassWork;

/* Over the whole text, from its beginning. Of several errors the one of the first part in the text is returned, whichever thread met its
 * own first. Reports progress to the reader, and ends with SETOSA_INTERRUPTED when it says stop. */
Status table_pass(TableText *text, Reader *reader, const PassWork *work, Error *error);
/* The same on at most so many threads beside the caller's; up to 1: on the caller's own. */
Status table_pass_on(TableText *text, Reader *reader, const PassWork *work, size_t threads, Error *error);

#endif
