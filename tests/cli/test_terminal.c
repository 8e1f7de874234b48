/* What only a terminal sees: the progress line, colours, Ctrl-C. */
#include "cli/terminal.h"

/* An endless training for practical purposes: it must be stopped. */
#define LONG_TRAINING                                                                                                                  \
  "train", "synthetic:rows=20000,features=20,classes=5,seed=1", "--backend", "reference", "--solver", "gd", "--learning-rate", "1e-6", \
      "--max-iterations", "1000000", "--tolerance", "1e-30"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* Shown while it runs, never wider than the terminal, gone at the end, interrupted with everything asked for written. */
static void test_progress_and_interrupt(void **state) {
  (void)state;
  Terminal terminal;
  char path[SUPPORT_PATH];
  support_path(path, folder, "interrupted.safetensors");
  const char *const arguments[] = {LONG_TRAINING, "--model", path, "--json", NULL};
  terminal_start(&terminal, arguments, 100, true);
  terminal_await(&terminal, "iter ");
  terminal_await(&terminal, "rows/s");
  terminal_await(&terminal, "left");
  run_expect_text(terminal.text, "objective ");
  run_expect_text(terminal.text, "gradient ");
  assert_int_equal(write(terminal.master, "\003", 1), 1); /* Ctrl-C */
  assert_int_equal(terminal_finish(&terminal), 130);
  /* The last thing drawn is the blank line: a carriage return, blanks, a carriage return. */
  const char *last = strrchr(terminal.text, '\r');
  assert_non_null(last);
  const char *cleared = last;
  while (cleared > terminal.text && cleared[-1] == ' ') cleared--;
  assert_true(last - cleared > 20 && cleared > terminal.text && cleared[-1] == '\r');
  Run run = {.out = run_slurp(terminal.out), .err = calloc(1, 1)};
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "stop_reason")), "interrupted");
  assert_true(run_number(document, "iterations", NULL) >= 1);
  json_decref(document);
  run_free(&run);
  run = RUN("inspect", path);
  run_expect(&run, 0);
  run_free(&run);
}

static void test_progress_fits_narrow_terminals(void **state) {
  (void)state;
  Terminal terminal;
  const char *const arguments[] = {LONG_TRAINING, NULL};
  terminal_start(&terminal, arguments, 40, true);
  terminal_await(&terminal, "iter ");
  for (int i = 0; i < 5; i++) terminal_read(&terminal, 100);
  kill(terminal.child, SIGTERM); /* as good as Ctrl-C */
  assert_int_equal(terminal_finish(&terminal), 130);
  fclose(terminal.out);
  for (const char *line = terminal.text; *line != '\0'; line += strcspn(line, "\r\n") + 1) {
    if (strncmp(line, "hint", 4) != 0 && strcspn(line, "\r\n") >= 40) fail_msg("40 columns or more: %s", line);
    if (strcspn(line, "\r\n") == strlen(line)) break;
  }
}

static void test_second_interrupt_exits_at_once(void **state) {
  (void)state;
  /* One iteration of this takes seconds, so the first signal cannot have ended it. */
  Terminal terminal;
  const char *const arguments[] = {"train", "synthetic:rows=400000,features=100,classes=20,seed=1", "--backend", "reference", NULL};
  terminal_start(&terminal, arguments, 100, true);
  terminal_await(&terminal, "starting the training");
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  kill(terminal.child, SIGINT);
  run_sleep_ms(50);
  kill(terminal.child, SIGINT);
  assert_int_equal(terminal_finish(&terminal), 130);
  clock_gettime(CLOCK_MONOTONIC, &after);
  assert_true(after.tv_sec - before.tv_sec <= 2);
  Run run = {.out = run_slurp(terminal.out), .err = NULL};
  assert_string_equal(run.out, "");
  run_free(&run);
}

static void test_interrupt_without_a_terminal(void **state) {
  (void)state;
  char path[SUPPORT_PATH], log[SUPPORT_PATH];
  support_path(path, folder, "plain.safetensors");
  support_path(log, folder, "plain.jsonl");
  const char *argv[] = {support_program(), LONG_TRAINING, "--model", path, "--log", log, NULL};
  FILE *out = tmpfile(), *err = tmpfile();
  int in = open("/dev/null", O_RDONLY);
  pid_t child = run_start(argv, in, fileno(out), fileno(err));
  for (int tries = 0; tries < 6000; tries++) { /* until the first line of the log: flushed while it runs */
    char *text = access(log, R_OK) == 0 ? support_read(log, NULL) : NULL;
    bool begun = text != NULL && strchr(text, '\n') != NULL;
    free(text);
    if (begun) break;
    run_sleep_ms(10);
  }
  kill(child, SIGINT);
  assert_int_equal(run_wait(child), 130);
  close(in);
  Run run = {.out = run_slurp(out), .err = run_slurp(err)};
  run_expect_text(run.out, "stopped by you after");
  assert_null(strstr(run.err, "iter ")); /* no progress where nobody looks */
  assert_int_equal(access(path, R_OK), 0);
  run_free(&run);
}

/* Runs `devices`-like output on a terminal with an environment; returns whether it holds an escape sequence. */
static bool colored(const char *environment, const char *when, bool terminal) {
  char command[512];
  snprintf(command, sizeof command, "unset NO_COLOR; %s exec \"$SETOSA_PROGRAM\" explain --x 1,2 --label 1 --weights '1,2;3,4' %s %s",
           environment, when[0] != '\0' ? "--color" : "", when);
  if (!terminal) {
    Run run = run_shell(command);
    run_expect(&run, 0);
    bool found = strchr(run.out, '\033') != NULL;
    run_free(&run);
    return found;
  }
  Terminal shown = {0};
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  int slave = -1;
  const char *argv[] = {"/bin/sh", "-c", command, NULL};
  assert_int_equal(openpty(&shown.master, &slave, NULL, NULL, &size), 0);
  shown.child = run_start(argv, slave, slave, slave);
  close(slave);
  assert_int_equal(terminal_finish(&shown), 0);
  return strchr(shown.text, '\033') != NULL;
}

static void test_colors(void **state) {
  (void)state;
  assert_true(colored("TERM=xterm", "", true));
  assert_false(colored("TERM=xterm", "", false));
  assert_false(colored("TERM=dumb", "", true));
  assert_false(colored("TERM=xterm NO_COLOR=1", "", true));
  assert_true(colored("TERM=xterm NO_COLOR=", "", true)); /* empty does not count, by its specification */
  assert_true(colored("TERM=xterm NO_COLOR=1", "always", false));
  assert_false(colored("TERM=xterm", "never", true));
}

/* `predict | reader`: what the reader prints goes to the same terminal, so no progress line may run into it. */
static void test_no_progress_into_a_pipe(void **state) {
  (void)state;
  char command[3 * SUPPORT_PATH], path[SUPPORT_PATH];
  support_path(path, folder, "pipe.safetensors");
  Run run = RUN("train", iris, "--backend", "reference", "--model", path, "-q");
  run_expect(&run, 0);
  run_free(&run);
  snprintf(command, sizeof command, "\"$SETOSA_PROGRAM\" predict '%s' '%s' --backend reference %s", path, iris, "| cat > /dev/null");
  Terminal shown = {0};
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  int slave = -1;
  const char *argv[] = {"/bin/sh", "-c", command, NULL};
  assert_int_equal(openpty(&shown.master, &slave, NULL, NULL, &size), 0);
  shown.child = run_start(argv, slave, slave, slave);
  close(slave);
  assert_int_equal(terminal_finish(&shown), 0);
  assert_null(strstr(shown.text, "predicting"));
}

/* On a terminal of 80 columns no line of the summary is longer. */
static void test_summary_fits(void **state) {
  (void)state;
  Terminal terminal;
  const char *const arguments[] = {"train", iris, "--backend", "reference", "--color", "never", NULL};
  terminal_start(&terminal, arguments, 80, false);
  assert_int_equal(terminal_finish(&terminal), 0);
  const char *begin = strstr(terminal.text, "Trained softmax");
  assert_non_null(begin);
  for (const char *line = begin; *line != '\0'; line += strcspn(line, "\r\n"), line += strspn(line, "\r\n"))
    if (strcspn(line, "\r\n") > 80) fail_msg("more than 80 columns: %s", line);
}

/* Rows that are made are not "read". */
static void test_made_rows_are_made(void **state) {
  (void)state;
  Terminal terminal;
  const char *const arguments[] = {"train", "synthetic:rows=2e6,features=40,classes=3", "--backend", "reference", "--max-iterations", "0",
                                   NULL};
  terminal_start(&terminal, arguments, 100, true);
  terminal_await(&terminal, "making synthetic:rows=2e6");
  assert_int_equal(write(terminal.master, "\003", 1), 1); /* Ctrl-C: that is all we wanted to see */
  terminal_finish(&terminal);
  fclose(terminal.out);
  assert_null(strstr(terminal.text, "reading"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_progress_and_interrupt),
      cmocka_unit_test(test_progress_fits_narrow_terminals),
      cmocka_unit_test(test_second_interrupt_exits_at_once),
      cmocka_unit_test(test_interrupt_without_a_terminal),
      cmocka_unit_test(test_colors),
      cmocka_unit_test(test_no_progress_into_a_pipe),
      cmocka_unit_test(test_summary_fits),
      cmocka_unit_test(test_made_rows_are_made),
  };
  return support_run("cli_terminal", tests, create, destroy);
}
