/* `setosa inspect` is two commands with one name. Private to cli. */
#ifndef SETOSA_CLI_INSPECT_H
#define SETOSA_CLI_INSPECT_H

#include "cli/command.h"

/* Of data: what the columns of a table are, and what becomes of each; the shape of arrays. */
Status inspect_data(const Session *session, Error *error);

#endif
