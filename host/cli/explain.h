/* One example worked through, and the two ways to tell it. */
#ifndef SETOSA_CLI_EXPLAIN_H
#define SETOSA_CLI_EXPLAIN_H

#include <jansson.h>

#include "cli/command.h"

/* What the numbers are called. */
typedef struct ExplainNames {
  const char *const *classes;  /* (K) */
  const char *const *features; /* (E), or NULL */
  size_t first;                /* what the first feature is called where it has no name: 1, or 0 of LIBSVM text from 0 */
} ExplainNames;

Status explain_print_steps(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error);
/* The document of --json; contributions may be NULL. */
Status explain_print_json(const SetosaExplanation *of, ExplainNames names, json_t *contributions, Error *error);

/* What the columns add to the predicted class. contributions NULL: the model does not know its means, which is said. */
Status explain_print_contributions(const SetosaContributions *contributions, const SetosaModel *model, ExplainNames names,
                                   const Session *session, Error *error);
json_t *explain_contributions_json(const SetosaContributions *contributions, const SetosaModel *model, ExplainNames names); /* NULL: null */

#endif
