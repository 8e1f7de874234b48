/* The commands: what each is called, takes and does. */
#ifndef SETOSA_CLI_COMMAND_H
#define SETOSA_CLI_COMMAND_H

#include "cli/options/options.h"
#include "cli/terminal/console.h"
#include "report/report.h"

typedef struct Session {
  const Options *options;
  Console console;
  SetosaRanks *ranks; /* of an MPI job; NULL: this process alone */
  double began;       /* clock when the program began */
  ReportFacts *facts; /* what report_field says goes here, for a page, and not to the terminal; NULL: to the terminal */
} Session;

typedef struct Command {
  const char *name;
  const char *arguments;   /* as in "MODEL DATA", for usage lines */
  const char *summary;     /* a few words, for the list of commands */
  const char *description; /* a paragraph, for help */
  const char *details;     /* more lines of help: a formula, a table; may be NULL */
  const char *examples;    /* command lines, each ended by "\n", a remark behind "  # " */
  unsigned id;             /* FOR_... */
  size_t least_arguments, most_arguments;
  bool several;       /* the last is DATA, which further files may follow */
  bool runs_on_ranks; /* as one of the processes of mpirun */
  Status (*run)(const Session *session, Error *error);
} Command;

extern const Command command_train, command_cv, command_eval, command_summary, command_predict, command_explain, command_devices,
    command_check, command_inspect, command_generate, command_bench, command_export, command_import, command_cache;

/* Whether this process speaks for the job: prints, and writes files. */
static inline bool session_is_first(const Session *session) { return setosa_ranks_rank(session->ranks) == 0; }

const Command *const *command_list(size_t *count);
/* NULL when there is none of that name. */
const Command *command_find(const char *name);
/* SETOSA_ERROR_USAGE for a word that is no command, with a suggestion. */
Status command_unknown(const char *name, Error *error);

#endif
