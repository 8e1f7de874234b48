/* From text to records and their fields (RFC 4180: a field in quotes may hold separators and ends of lines, and two quotes for one).
 * Private to host/data. */
#ifndef SETOSA_DATA_TABLE_RECORDS_H
#define SETOSA_DATA_TABLE_RECORDS_H

#include "data/table/text.h"

/* How a table is written. */
typedef struct Dialect {
  char separator;     /* ' ' with blanks */
  bool blanks;        /* any number of blanks and tabs separates, and those around a record do not count */
  char decimal;       /* '.' or ',' */
  bool single_quotes; /* 'name': quotes of this kind around a whole field do not count; they protect no separator */
} Dialect;

/* A field without the blanks and quotes around it; not terminated. */
typedef struct Field {
  const char *text;
  size_t length;
} Field;

/* Zero-initialise. Whoever knows what columns are called says so, for messages. */
typedef struct Records {
  const TextPart *part;
  const Dialect *dialect;
  const char *(*column_name)(const void *names, size_t column); /* NULL: it has no name; itself NULL: none has */
  const void *names;
  size_t begin;       /* byte of the part where the last record begins */
  size_t at;          /* and the next one */
  uint64_t line;      /* of the file, where the last record that was read begins */
  uint64_t next_line; /* where the next one does */
  Field *fields;      /* (capacity) of the last record */
  size_t count, capacity;
  char *room; /* text of fields whose doubled quotes were made single */
  size_t room_size, room_used;
} Records;

/* The records of a part; the room of those before is used again, and the names stay. */
void records_begin(Records *records, const TextPart *part, const Dialect *dialect);
/* The next record that is no blank line, into fields and count. *more is false after the last. SETOSA_ERROR_DATA "FILE:LINE:COLUMN: ..."
 * for text that is no record. */
Status records_next(Records *records, bool *more, Error *error);
void records_free(Records *records);
/* The line of the file in which field `column` of the last record begins. */
uint64_t records_field_line(const Records *records, size_t column);

/* The value of a field: false when it is no number. `decimal` as in Dialect. Correctly rounded; +-inf where it is too large for a double.
 */
bool field_number(const Field *field, char decimal, double *value);

#endif
