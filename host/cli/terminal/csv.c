/* Fields of a CSV. */
#include "cli/terminal/csv.h"

#include <stdlib.h>

#include "base/text.h"
#include "cli/terminal/console.h"

void csv_name(FILE *stream, const char *text, bool terminal) {
  char *shown = terminal ? console_visible(text) : NULL;
  text_write_field(stream, shown != NULL ? shown : terminal ? "?" : text);
  free(shown);
}
