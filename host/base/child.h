/* A function that is run in a process of its own, because it may never come back: what became of it, in words. */
#ifndef SETOSA_BASE_CHILD_H
#define SETOSA_BASE_CHILD_H

#include <stdbool.h>

#include "base/text.h"

/* What became of it. */
typedef struct ChildReport {
  bool finished;    /* it came back; else `fate` says what happened instead */
  bool timed_out;   /* it was silent for too long, and was ended */
  Text words;       /* the lines that it said */
  char fate[64];    /* "aborted", "was stopped by SIGSEGV", "left with exit code 0", "did not answer within 20 s" */
  char output[200]; /* the first line that it printed, made visible; "" for none */
} ChildReport;

typedef struct Child Child;
typedef void (*ChildFunction)(Child *child, const void *argument);

/* Forks, and runs body(argument) in the child. It has so many seconds from one word to the next, and to its end; on a busy machine more, as
 * long as it computes. It prints to nobody, leaves no core file, has no handlers of signals, runs no exit handler of this process,
 * and ends with it; what it changes stays with it. Where the caller has threads, body may only rely on what survives fork. An error says
 * that there is no child, not what became of it. */
Status child_run(ChildReport *report, ChildFunction body, const void *argument, double seconds, Error *error);
/* In the child: a line for the report, at once. */
void child_say(Child *child, const char *format, ...) __attribute__((format(printf, 2, 3)));
void child_report_free(ChildReport *report);

#endif
