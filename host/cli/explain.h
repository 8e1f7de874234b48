/* One example worked through, and the two ways to tell it. */
#ifndef SETOSA_CLI_EXPLAIN_H
#define SETOSA_CLI_EXPLAIN_H

#include "cli/command.h"

/* What the numbers are called and were made from. */
typedef struct ExplainNames {
  const char *const *classes;  /* (K) */
  const char *const *features; /* (D), or NULL */
  const double *given;         /* (D) x before the model's scaling; NULL: the model scales nothing */
} ExplainNames;

Status explain_print_steps(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error);
Status explain_print_json(const SetosaExplanation *of, ExplainNames names, Error *error);

#endif
