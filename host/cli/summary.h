/* What `setosa summary` and `setosa train --summary` tell. */
#ifndef SETOSA_CLI_SUMMARY_H
#define SETOSA_CLI_SUMMARY_H

#include <jansson.h>

#include "cli/inputs.h"

/* The tests and the tables, for people. */
Status summary_print(const SetosaSummary *summary, const Session *session, Error *error);
/* Warnings, on stderr. */
void summary_print_remarks(const SetosaSummary *summary, const Session *session);
/* The members of a document; NULL when memory runs out. */
json_t *summary_json(const SetosaSummary *summary);
/* A line for each estimate. */
void summary_print_csv(const SetosaSummary *summary);

#endif
