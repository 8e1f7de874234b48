/* The signal handlers. The two flags below are the program's only mutable globals: a handler can reach nothing else. */
#include "cli/terminal/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/error.h"

static volatile sig_atomic_t stop_requested = 0;
static volatile sig_atomic_t exit_at_once = 1;

static void on_signal(int number) {
  (void)number;
  if (stop_requested || exit_at_once) {
    /* A progress line may stand half drawn; end it, so that the prompt begins on a line of its own. */
    if (isatty(STDERR_FILENO) == 1 && write(STDERR_FILENO, "\n", 1) < 0) _exit(SETOSA_INTERRUPTED);
    _exit(SETOSA_INTERRUPTED);
  }
  stop_requested = 1;
}

void interrupt_install(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
  sigaction(SIGXFSZ, &action, NULL); /* a write beyond the file-size limit then fails like one on a full disk */
}

void interrupt_defer(bool defer) { exit_at_once = !defer; }

bool interrupt_requested(void) { return stop_requested != 0; }
