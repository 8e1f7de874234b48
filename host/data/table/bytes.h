/* The bytes of one file of a table as UTF-8 without a mark of byte order, as often as they are wanted. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_BYTES_H
#define SETOSA_DATA_TABLE_BYTES_H

#include "data/stream.h"

typedef struct TableBytes TableBytes;

/* stream: the open file, at its beginning, which stays the caller's; NULL: path is opened, whenever it is read. */
Status table_bytes_create(TableBytes **bytes, const char *path, Stream *stream, Error *error);
void table_bytes_destroy(TableBytes *bytes);
/* To the beginning: before the first read, and before reading again, when the file must still be what it was. */
Status table_bytes_begin(TableBytes *bytes, Error *error);
/* *got < length only at the end. */
Status table_bytes_read(TableBytes *bytes, char *to, size_t length, size_t *got, Error *error);
/* Closes what can be opened again: of many files one is open at a time. */
void table_bytes_end(TableBytes *bytes);

/* Between begin and end: whether its bytes come but once, and are not kept either. */
bool table_bytes_come_once(const TableBytes *bytes);
/* From now on what is read is kept; all that was read so far is given. */
Status table_bytes_keep(TableBytes *bytes, const char *so_far, size_t length, Error *error);

const char *table_bytes_path(const TableBytes *bytes);
/* Bytes read and in all, as stored: for progress. *total 0: unknown. */
void table_bytes_progress(const TableBytes *bytes, uint64_t *done, uint64_t *total);

#endif
