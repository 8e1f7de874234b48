/* Ctrl-C: the first asks the work to stop, the second ends the program. */
#ifndef SETOSA_CLI_INTERRUPT_H
#define SETOSA_CLI_INTERRUPT_H

#include <stdbool.h>

/* SIGINT and SIGTERM: with `graceful` the first only sets the flag below and the second exits at once with 130; without, the first
 * does. SIGPIPE is ignored, so that a reader that leaves early is seen as a failed write and never keeps a model from being saved. */
void interrupt_install(bool graceful);
/* True after the first signal. */
bool interrupt_requested(void);

#endif
