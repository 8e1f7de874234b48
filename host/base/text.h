/* Text: strict number parsing, near-miss suggestions, a growing string, a table from names to indices. */
#ifndef SETOSA_BASE_TEXT_H
#define SETOSA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* The whole of text[0..length) as a decimal number (C locale whatever the process's locale; blanks around it allowed; nan and inf
 * and hexadecimal are not numbers). False when it is anything else. Overflow gives +-inf and true: the caller decides. */
bool text_parse_double(const char *text, size_t length, double *value);
/* A non-negative whole number: 150, 1e6, 2.5e3. False when negative, fractional, above 2^63, or not a number. */
bool text_parse_count(const char *text, uint64_t *value);
/* Bytes: a number, with K, M, G or T (also KB, KiB, ...) for powers of 1024: "1.5G". At least 1. */
bool text_parse_bytes(const char *text, uint64_t *bytes);
/* A whole number with an optional sign, decimal digits only. */
bool text_parse_int64(const char *text, size_t length, int64_t *value);

/* Whether text[0..length) is whole UTF-8: no overlong form, no surrogate, nothing past U+10FFFF. */
bool text_is_utf8(const char *text, size_t length);
/* Replaces in place whatever acts on a terminal instead of showing: control characters (C0, DEL, C1), Unicode's invisible marks and changes
 * of direction, and bytes that are no UTF-8 (but a character that the end of the text has cut). A sequence of bytes becomes as many
 * `replacement`s. */
void text_make_visible(char *text, char replacement);

/* Writes a field of a CSV, quoted when it holds what would end it (RFC 4180). */
void text_write_field(FILE *stream, const char *text);

/* The nearest of `count` candidates by edit distance (any case), or NULL when none is near enough to suggest. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* A growing string. Zero-initialise; `text` is always terminated once something was appended. */
typedef struct Text {
  char *text;
  size_t length, capacity;
} Text;
Status text_append(Text *text, Error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));
Status text_append_bytes(Text *text, const char *bytes, size_t length, Error *error);
/* Appends bytes as UTF-8 from which they can be had back: what is none becomes "%FF" and so on, and a "%" that would read like that "%25".
 */
Status text_append_utf8(Text *text, const char *bytes, Error *error);
void text_free(Text *text);

/* Splits "a,b,c" into its parts (blanks trimmed, empty parts kept). parts: (count) terminated strings in one block; free(*parts). */
Status text_split(char ***parts, size_t *count, const char *list, char separator, Error *error);

/* Names -> 0,1,2,... in the order of first appearance. Lookups are hashed, so a million names are fine. */
typedef struct NameTable NameTable;
Status name_table_create(NameTable **table, Error *error);
void name_table_destroy(NameTable *table);
/* The index of name[0..length), added if it is new. */
Status name_table_add(NameTable *table, const char *name, size_t length, size_t *index, Error *error);
/* False when it is not there. */
bool name_table_find(const NameTable *table, const char *name, size_t length, size_t *index);
size_t name_table_count(const NameTable *table);
const char *name_table_name(const NameTable *table, size_t index);

#endif
