/* What the pages of --report have in common: fields as the terminal has them, and the command line that repeats the work. */
#ifndef SETOSA_CLI_REPORT_PAGE_H
#define SETOSA_CLI_REPORT_PAGE_H

#include "base/text.h"
#include "cli/command.h"

/* A session whose fields (report_field) go into facts, without colours. */
Session report_capture(const Session *session, ReportFacts *facts);
/* "setosa train iris.csv --l2 0.01": the arguments and options that were given, those that a checkpoint remembers included, ready to paste.
 * What only says how this run talks, and what goes on with another, is not in it. *text is appended to. */
Status report_command_line(Text *text, const Command *command, const Session *session, Error *error);
/* "iris.csv", "a.csv and 2 more". */
const char *report_subject(char *text, size_t size, const char *data, const Session *session);

#endif
