/* From UTF-16, in either order of bytes, to UTF-8. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_UTF16_H
#define SETOSA_DATA_TABLE_UTF16_H

#include "data/stream.h"

typedef struct Utf16 Utf16;

/* Whether the stream begins with a mark of byte order of UTF-16; *big_end says which. */
bool utf16_begins(const Stream *stream, bool *big_end);
/* Reads from the stream, which is behind its mark. */
Status utf16_create(Utf16 **converter, Stream *stream, bool big_end, Error *error);
void utf16_destroy(Utf16 *converter);
/* As stream_read, in UTF-8. SETOSA_ERROR_DATA for half a pair of surrogates, or half a number at the end. */
Status utf16_read(Utf16 *converter, char *to, size_t length, size_t *got, Error *error);

#endif
