/* The signal handlers. What is below is mutable and global, since a handler can reach nothing else. */
#include "cli/terminal/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

static volatile sig_atomic_t stop_requested = 0;
static volatile sig_atomic_t exit_at_once = 1;

/* How long after a signal the work may take to look at the flag. Longer than it took between two looks so far, but not for ever: it may
 * hang in a driver, and who sends one signal and waits, as a batch system does, is not to wait in vain. */
static volatile sig_atomic_t patience_seconds = 20;
static double last_look;
static bool has_looked;

static void on_signal(int number) {
  (void)number;
  if (stop_requested || exit_at_once) {
    /* A progress line may stand half drawn; end it, so that the prompt begins on a line of its own. */
    if (isatty(STDERR_FILENO) == 1 && write(STDERR_FILENO, "\n", 1) < 0) _exit(SETOSA_INTERRUPTED);
    _exit(SETOSA_INTERRUPTED);
  }
  stop_requested = 1;
  alarm((unsigned)patience_seconds);
}

static void on_silence(int number) {
  static const char message[] = "\nsetosa: the work does not answer the signal, and is ended\n";
  (void)number;
  if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(SETOSA_INTERRUPTED);
  _exit(SETOSA_INTERRUPTED);
}

void interrupt_install(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_handler = on_silence;
  sigaction(SIGALRM, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
  sigaction(SIGXFSZ, &action, NULL); /* a write beyond the file-size limit then fails like one on a full disk */
  last_look = clock_seconds();
}

void interrupt_defer(bool defer) { exit_at_once = !defer; }

/* Before the first look other work was done, which says less about how long the next may take. */
static void note_look(void) {
  const double most = 86400;
  double now = clock_seconds(), wanted = (has_looked ? 10 : 1) * (now - last_look);
  if (wanted > patience_seconds) patience_seconds = (int)(wanted < most ? wanted : most);
  has_looked = true;
  last_look = now;
}

bool interrupt_requested(void) {
  note_look();
  if (stop_requested) alarm(0);
  return stop_requested != 0;
}
