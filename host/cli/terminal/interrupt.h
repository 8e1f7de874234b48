/* Ctrl-C: ends the program; while work goes on that can be stopped, the first asks it to, and the second ends the program. */
#ifndef SETOSA_CLI_INTERRUPT_H
#define SETOSA_CLI_INTERRUPT_H

#include <stdbool.h>

/* SIGINT and SIGTERM exit at once with 130, wherever the program hangs. SIGPIPE is ignored, so that a reader that leaves early is seen as a
 * failed write and never keeps a model from being saved. */
void interrupt_install(void);
/* While there is something to finish: the first signal only sets the flag below, which somebody must look at, and the second exits, or 20 s
 * (ten times what the work took so far from one look to the next) in which nobody has looked. */
void interrupt_defer(bool defer);
/* True after the first signal. */
bool interrupt_requested(void);

#endif
