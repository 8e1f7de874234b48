/* Text that comes but once, as through a pipe, kept to be read again: in a file of the folder for such files ($TMPDIR, else /tmp) that has
 * no name, so that nothing of it is left however the process ends. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_KEPT_H
#define SETOSA_DATA_TABLE_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct KeptText KeptText;

/* what: its origin, for messages. SETOSA_ERROR_WRITE names the folder. */
Status kept_text_create(KeptText **text, const char *what, Error *error);
void kept_text_destroy(KeptText *text);
Status kept_text_append(KeptText *text, const char *bytes, size_t length, Error *error);
uint64_t kept_text_size(const KeptText *text);
/* Bytes that are there: at + length is at most the size. */
Status kept_text_read(const KeptText *text, uint64_t at, char *to, size_t length, Error *error);

#endif
