/* The text of a table, from one file or several, plain or compressed, UTF-8 or UTF-16, cut into parts that several threads can work on.
 * Private to host/data. */
#ifndef SETOSA_DATA_TABLE_TEXT_H
#define SETOSA_DATA_TABLE_TEXT_H

#include "data/reader.h"

/* A record that is longer is none that a table has: what was read of it is a part, after which this is told. */
enum { TABLE_RECORD_LIMIT_BYTES = 1 << 27 };
#define TABLE_RECORD_TOO_LONG "%s:%llu: the row is longer than %d MB; check that this is CSV, or save so wide a table as .npy"

typedef struct TableText TableText;

/* Whole records of one file, UTF-8: a part ends where a record does. Nothing in it is a zero byte. */
typedef struct TextPart {
  const char *bytes;
  size_t length;
  const char *file;   /* for messages */
  uint64_t line;      /* of the file, from 1, that its first byte is in */
  bool begins_file;   /* it begins with the first record of its file; a line "sep=;" before that is left out */
  size_t index;       /* of the part: 0, 1, ... over all files */
  char newline;       /* what ends a line and is counted: '\n', or '\r' in a file of old Mac lines */
  size_t blank_lines; /* of the file, right before the first byte */
} TextPart;

/* reader->stream is the first file, at its beginning, and options->also says which follow. The stream stays the reader's. Text that can be
 * read once only, as from a pipe, is kept in an unlinked file. */
Status table_text_open(TableText **text, Reader *reader, Error *error);
/* The same of text whose lines are its records, whatever quotes stand in them, and of which there is but one pass. */
Status table_text_open_lines(TableText **text, Reader *reader, Error *error);
/* Of a table, with parts of about so many bytes. */
Status table_text_open_in_parts(TableText **text, Reader *reader, size_t part_bytes, Error *error);
void table_text_close(TableText *text);
/* There will be one pass alone: what comes but once need not be kept. Before the first part is asked for. */
void table_text_read_once(TableText *text);
/* The first whole records, of a megabyte or so, or all: to find out what the table looks like. Borrowed until close. */
Status table_text_head(const TableText *text, TextPart *head, Error *error);
/* What "sep=;" in a first line says; 0: there is none. */
char table_text_separator(const TableText *text);
/* The next part; *more is false after the last. It is valid until table_text_let_go, which any thread may call. */
Status table_text_next(TableText *text, TextPart *part, bool *more, Error *error);
void table_text_let_go(TableText *text, const TextPart *part);
/* Back to the beginning, for another pass. All parts were let go. */
Status table_text_rewind(TableText *text, Error *error);

#endif
