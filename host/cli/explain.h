/* One example worked through, and the two ways to tell it. */
#ifndef SETOSA_CLI_EXPLAIN_H
#define SETOSA_CLI_EXPLAIN_H

#include "cli/command.h"

typedef struct ExplainNames {
  const char *const *classes;  /* (K) */
  const char *const *features; /* (D), or NULL */
} ExplainNames;

Status explain_print_steps(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error);
Status explain_print_json(const SetosaExplanation *of, ExplainNames names, Error *error);

#endif
