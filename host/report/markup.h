/* A document as it grows: markup that is put as it is, text that is escaped, numbers that carry their full value. It is HTML and XML at
 * once, so that any parser reads it. */
#ifndef SETOSA_REPORT_MARKUP_H
#define SETOSA_REPORT_MARKUP_H

#include "base/text.h"

/* Zero-initialise; markup_free. The first failure (memory) is kept, and everything after it is left out: ask `status` at the end. */
typedef struct Markup {
  Text text;
  Status status;
  Error error;
} Markup;

/* As it stands: tags, coordinates. */
void markup_put(Markup *markup, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text from anywhere, as content or within "": escaped, and what is invisible, no UTF-8 or forbidden in XML shown as "?". */
void markup_text(Markup *markup, const char *text);
/* The name of a class, feature or file in at most `ems` of the letters' size; where that leaves something out of its middle, all of it (the
 * first 2000 bytes) is in a title. */
void markup_name(Markup *markup, const char *name, double ems);
/* <data id="key" value="...">as the format has it</data>, "-" for what is not finite. key NULL: without an id. */
void markup_number(Markup *markup, const char *key, double value, const char *format) __attribute__((format(printf, 4, 0)));
/* The same with words of one's own. */
void markup_number_as(Markup *markup, const char *key, double value, const char *words);
/* Writes the document beside `path` and renames it. SETOSA_ERROR_WRITE, or what went wrong before. */
Status markup_write(const Markup *markup, const char *path, Error *error);
void markup_free(Markup *markup);

#endif
