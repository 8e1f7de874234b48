/* Fields of a CSV. */
#ifndef SETOSA_CLI_CSV_H
#define SETOSA_CLI_CSV_H

#include <stdbool.h>
#include <stdio.h>

/* text as a field, quoted when it holds what would end one (RFC 4180). terminal: the stream is one, and a name is shown, not acted on;
 * files and pipes get it as it is. */
void csv_name(FILE *stream, const char *text, bool terminal);

#endif
