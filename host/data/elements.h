/* Numbers and texts as binary files store them: kind, size and byte order, numbers converted in bulk. Private to host/data. */
#ifndef SETOSA_DATA_ELEMENTS_H
#define SETOSA_DATA_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

typedef struct ElementType {
  char kind;   /* 'u' unsigned, 'i' signed, 'f' IEEE float, 'b' boolean; text: 'U' UCS-4, 'S' bytes, both filled up with zeros */
  size_t size; /* bytes: 1, 2, 4, 8; 2, 4, 8 for 'f'; 1 for 'b'; any number for 'S', four times any for 'U' */
  bool big_endian;
} ElementType;

/* Rounds to nearest; what does not fit becomes infinite. source needs no alignment. */
void elements_to_float(ElementType type, const unsigned char *source, size_t count, float *out);
/* The same in double, which all but the largest 64-bit integers fit. */
void elements_to_double(ElementType type, const unsigned char *source, size_t count, double *out);
/* The bits of one element in the machine's order, zeros above. */
uint64_t element_bits(ElementType type, const unsigned char *source);
/* One integer element ('u' or 'i'); above INT64_MAX becomes INT64_MAX. */
int64_t element_to_integer(ElementType type, const unsigned char *source);
/* One number of any kind; a boolean is 0 or 1. */
double element_to_double(ElementType type, const unsigned char *source);
enum { ELEMENT_TEXT = 32 };
/* One element as decimal text, whole numbers in full and others in the fewest digits (6 at least) that read back to it. */
void element_print(char text[ELEMENT_TEXT], ElementType type, const unsigned char *source);
bool element_is_text(ElementType type);
/* Appends a text without the zeros that fill it up: 'U' as UTF-8, 'S' as it is. SETOSA_ERROR_DATA for what is no character. */
Status element_append_text(Text *text, ElementType type, const unsigned char *source, Error *error);

#endif
