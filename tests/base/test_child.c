/* A function in a process of its own: what becomes of it is told, and nothing of it reaches the process that asked. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "support/support.h"

static ChildReport run_for(ChildFunction body, const void *argument, double seconds) {
  ChildReport report;
  Error error = {0};
  support_ok(child_run(&report, body, argument, seconds, &error), &error);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
  assert_int_equal(errno, ECHILD);
  return report;
}

static ChildReport run(ChildFunction body, const void *argument) { return run_for(body, argument, 20); }

static void say_two(Child *child, const void *argument) {
  child_say(child, "first %s", (const char *)argument);
  child_say(child, "second");
}

static void test_comes_back(void **state) {
  (void)state;
  ChildReport report = run(say_two, "word");
  assert_true(report.finished);
  assert_false(report.timed_out);
  assert_string_equal(report.words.text, "first word\nsecond\n");
  assert_string_equal(report.fate, "");
  assert_string_equal(report.output, "");
  child_report_free(&report);
}

static void do_wrong(Child *child, const void *argument) {
  const char *what = argument;
  child_say(child, "began");
  fprintf(stderr, "\n  told\033 why\nand more\n");
  fflush(stderr);
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "exit") == 0) exit(0);
  if (strcmp(what, "exit 3") == 0) exit(3);
  if (strcmp(what, "_exit") == 0) _exit(7);
  if (strcmp(what, "kill") == 0) raise(SIGKILL);
  if (strcmp(what, "term") == 0) raise(SIGTERM);
  raise(SIGSEGV);
}

static void test_fates(void **state) {
  (void)state;
  static const char *const table[][2] = {{"abort", "aborted"},
                                         {"exit", "left with exit code 0"},
                                         {"exit 3", "left with exit code 3"},
                                         {"_exit", "left with exit code 7"},
                                         {"kill", "was stopped by SIGKILL"},
                                         {"term", "was stopped by signal 15"},
                                         {"segv", "was stopped by SIGSEGV"}};
  signal(SIGTERM, SIG_DFL);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    ChildReport report = run(do_wrong, table[i][0]);
    assert_false(report.finished);
    assert_string_equal(report.fate, table[i][1]);
    assert_string_equal(report.words.text, "began\n");
    assert_string_equal(report.output, "told? why");
    child_report_free(&report);
  }
}

/* What the parent has not written yet must not be written twice, and its handlers are its own. */
static void note_exit(void) { fputs("handler", stdout); }

static void leave_by_exit(Child *child, const void *argument) {
  (void)child, (void)argument;
  exit(0);
}

static void test_exit_is_the_childs_alone(void **state) {
  (void)state;
  char path[] = "/tmp/setosa-child-XXXXXX", text[64] = "";
  int file = mkstemp(path);
  FILE *stream = fdopen(file, "w+");
  assert_non_null(stream);
  fputs("once", stream); /* in the buffer */
  atexit(note_exit);
  ChildReport report = run(leave_by_exit, NULL);
  assert_string_equal(report.output, "");
  child_report_free(&report);
  fflush(stream);
  rewind(stream);
  assert_int_equal(fread(text, 1, sizeof text - 1, stream), 4);
  assert_string_equal(text, "once");
  fclose(stream);
  unlink(path);
}

static void sleep_deaf(Child *child, const void *argument) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  (void)argument;
  child_say(child, "sleeps");
  for (;;) pause();
}

static void compute_for_ever(Child *child, const void *argument) {
  (void)child, (void)argument;
  for (volatile unsigned i = 0;; i++) continue;
}

static void test_silence(void **state) {
  (void)state;
  static const ChildFunction bodies[] = {sleep_deaf, compute_for_ever};
  for (int i = 0; i < 2; i++) {
    double began = clock_seconds();
    ChildReport report = run_for(bodies[i], NULL, 0.3);
    double took = clock_seconds() - began;
    assert_true(report.timed_out);
    assert_string_equal(report.fate, "did not answer within 0.3 s");
    if (took < 0.3 || took > 10) fail_msg("it took %g s", took);
    child_report_free(&report);
  }
}

/* Slow is not silent: each word gives as much time again. */
static void speak_slowly(Child *child, const void *argument) {
  (void)argument;
  for (int i = 0; i < 4; i++) {
    struct timespec pause = {0, 600000000};
    nanosleep(&pause, NULL);
    child_say(child, "word");
  }
}

static void test_words_give_time(void **state) {
  (void)state;
  ChildReport report = run_for(speak_slowly, NULL, 2);
  assert_true(report.finished);
  child_report_free(&report);
}

static void print_much(Child *child, const void *argument) {
  (void)child, (void)argument;
  for (int i = 0; i < 100000; i++) printf("as much as no pipe holds\n");
}

static void test_printing_does_not_block(void **state) {
  (void)state;
  ChildReport report = run(print_much, NULL);
  assert_true(report.finished);
  child_report_free(&report);
}

/* The caller's own choices: a handler stays, what is ignored is ignored in the child, what is blocked is not. */
static void on_signal(int number) { (void)number; }

static void tell_signals(Child *child, const void *argument) {
  (void)argument;
  struct sigaction usr1, pipe;
  sigset_t blocked;
  sigaction(SIGUSR1, NULL, &usr1);
  sigaction(SIGPIPE, NULL, &pipe);
  sigprocmask(SIG_SETMASK, NULL, &blocked);
  child_say(child, "%d %d %d", usr1.sa_handler == SIG_DFL, pipe.sa_handler == SIG_IGN, sigismember(&blocked, SIGUSR2));
}

static void test_signals(void **state) {
  (void)state;
  sigset_t blocked, before;
  signal(SIGUSR1, on_signal);
  signal(SIGPIPE, SIG_IGN);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  ChildReport report = run(tell_signals, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  assert_string_equal(report.words.text, "1 1 0\n");
  child_report_free(&report);
}

/* A program that lets the system reap its children. */
static void test_nobody_waits_for_it(void **state) {
  (void)state;
  signal(SIGCHLD, SIG_IGN);
  ChildReport report = run(say_two, "word");
  assert_true(report.finished);
  child_report_free(&report);
  report = run(do_wrong, "_exit");
  assert_string_equal(report.fate, "ended without an answer");
  child_report_free(&report);
  signal(SIGCHLD, SIG_DFL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_comes_back),
      cmocka_unit_test(test_fates),
      cmocka_unit_test(test_exit_is_the_childs_alone),
      cmocka_unit_test(test_silence),
      cmocka_unit_test(test_words_give_time),
      cmocka_unit_test(test_printing_does_not_block),
      cmocka_unit_test(test_signals),
      cmocka_unit_test(test_nobody_waits_for_it),
  };
  return support_run("base_child", tests, NULL, NULL);
}
