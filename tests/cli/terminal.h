/* Running the program on a terminal of its own. */
#ifndef SETOSA_TESTS_CLI_TERMINAL_H
#define SETOSA_TESTS_CLI_TERMINAL_H

#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "cli/run.h"

typedef struct Terminal {
  int master;
  pid_t child;
  FILE *out; /* stdout, when it is kept apart */
  char text[1 << 16];
  size_t length;
} Terminal;

/* Starts the program on a new terminal of `columns`; stdout goes to a file when `apart`. */
static inline void terminal_start(Terminal *terminal, const char *const *arguments, unsigned short columns, bool apart) {
  const char *argv[RUN_ARGUMENTS] = {support_program()};
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  int slave = -1;
  size_t count = 1;
  for (; arguments[count - 1] != NULL; count++) argv[count] = arguments[count - 1];
  argv[count] = NULL;
  *terminal = (Terminal){0};
  assert_int_equal(openpty(&terminal->master, &slave, NULL, NULL, &size), 0);
  if (apart) assert_non_null(terminal->out = tmpfile());
  terminal->child = run_start(argv, slave, apart ? fileno(terminal->out) : slave, slave);
  close(slave);
}

/* Reads what comes within the time; false at the end of it all. */
static inline bool terminal_read(Terminal *terminal, int milliseconds) {
  struct pollfd watch = {.fd = terminal->master, .events = POLLIN};
  if (poll(&watch, 1, milliseconds) <= 0) return true;
  if (terminal->length + 1 >= sizeof terminal->text) {
    kill(terminal->child, SIGKILL);
    fail_msg("the program writes without end: %.400s", terminal->text);
  }
  ssize_t got = read(terminal->master, terminal->text + terminal->length, sizeof terminal->text - 1 - terminal->length);
  if (got <= 0) return false;
  terminal->length += (size_t)got;
  terminal->text[terminal->length] = '\0';
  return true;
}

static inline void terminal_await(Terminal *terminal, const char *text) {
  for (int tries = 0; tries < 600; tries++) {
    if (strstr(terminal->text, text) != NULL) return;
    if (!terminal_read(terminal, 100)) break;
  }
  kill(terminal->child, SIGKILL);
  fail_msg("\"%s\" never came; the terminal shows:\n%s", text, terminal->text);
}

static inline int terminal_finish(Terminal *terminal) {
  while (terminal_read(terminal, RUN_SECONDS * 1000)) continue;
  close(terminal->master);
  return run_wait(terminal->child);
}

/* What the program shows on a terminal of `columns`: everything, free() it. */
static inline char *terminal_show(const char *const *arguments, unsigned short columns, int code) {
  Terminal *terminal = calloc(1, sizeof *terminal);
  assert_non_null(terminal);
  terminal_start(terminal, arguments, columns, false);
  int got = terminal_finish(terminal);
  if (got != code) fail_msg("exit code %d, not %d\n%s", got, code, terminal->text);
  char *text = strdup(terminal->text);
  free(terminal);
  assert_non_null(text);
  return text;
}

#endif
