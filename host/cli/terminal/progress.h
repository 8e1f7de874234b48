/* The progress line: one line on a terminal, redrawn at most ten times a second and cleared at the end; silent otherwise. */
#ifndef SETOSA_CLI_PROGRESS_H
#define SETOSA_CLI_PROGRESS_H

#include "cli/terminal/console.h"

typedef struct Progress {
  const Console *console;
  const char *what;    /* the file being read, for LOAD */
  bool epochs;         /* TRAIN counts epochs, all of which will run, not iterations, which converging ends early */
  bool shown;          /* stderr is a terminal and --quiet is off */
  double last_drawn;   /* clock_seconds, or -1 */
  size_t columns;      /* of the line that stands now */
  SetosaProgress last; /* the last report */
  bool moved_on;       /* to a new line, behind a ^C */
} Progress;

void progress_begin(Progress *progress, const Console *console, const char *what);
/* A SetosaProgressCallback, user is the Progress; false once Ctrl-C was pressed. */
bool progress_update(const SetosaProgress *report, void *user);
/* A line that says what is going on without numbers; drawn at once. */
void progress_say(Progress *progress, const char *message);
/* Removes the line. */
void progress_end(Progress *progress);

#endif
