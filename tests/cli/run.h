/* Running the program as a user does: arguments in, exit code and both outputs out. */
#ifndef SETOSA_TESTS_CLI_RUN_H
#define SETOSA_TESTS_CLI_RUN_H

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "support/support.h"

enum { RUN_ARGUMENTS = 40, RUN_SECONDS = 300, RUN_REPEATS = 3 };
#define RUN_CHECKER_DIED "LeakSanitizer has encountered a fatal error"

typedef struct Run {
  int code;        /* exit code, or 128 + the signal that ended it */
  char *out, *err; /* terminated */
} Run;

static inline void run_sleep_ms(long milliseconds) {
  struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

/* Starts argv[0] with its streams on the given descriptors. */
static inline pid_t run_start(const char *const *argv, int in, int out, int err) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    if (isatty(0) == 1) { /* its own terminal, so that Ctrl-C typed there reaches it */
      setsid();
      ioctl(0, TIOCSCTTY, 0);
    }
    for (int other = 3; other < 64; other++) close(other);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
  }
  return child;
}

/* The exit code; a program that hangs is killed and fails the test. */
static inline int run_wait(pid_t child) {
  int status = 0;
  for (long waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 5) {
    if (waited > RUN_SECONDS * 1000L) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      fail_msg("the program ran for more than %d s", RUN_SECONDS);
    }
    run_sleep_ms(5);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline char *run_slurp(FILE *file) {
  long length = (fseek(file, 0, SEEK_END), ftell(file));
  char *text = calloc((size_t)length + 1, 1);
  assert_non_null(text);
  rewind(file);
  assert_int_equal(fread(text, 1, (size_t)length, file), length);
  fclose(file);
  return text;
}

static inline Run run_once(const char *const *argv) {
  FILE *out = tmpfile(), *err = tmpfile();
  int in = open("/dev/null", O_RDONLY);
  assert_non_null(out);
  assert_non_null(err);
  Run run = {.code = run_wait(run_start(argv, in, fileno(out), fileno(err)))};
  close(in);
  run.out = run_slurp(out);
  run.err = run_slurp(err);
  return run;
}

static inline void run_free(Run *run) {
  free(run->out);
  free(run->err);
  *run = (Run){0};
}

/* Where the program is built with AddressSanitizer, about one run in a thousand does all its work and is then ended by LeakSanitizer, which
 * stops PoCL's threads to look for leaks and itself dies of it ("Tracer caught signal 11"), with exit code 1. Such a run says nothing, so
 * it is repeated. A leak that was found, and whatever else is wrong, is reported without this line and is never repeated. */
static inline Run run_argv(const char *const *argv) {
  Run run = run_once(argv);
  for (int again = 0; again < RUN_REPEATS && strstr(run.err, RUN_CHECKER_DIED) != NULL; again++) {
    run_free(&run);
    run = run_once(argv);
  }
  return run;
}

/* arguments: what follows the program's name, NULL at the end. */
static inline Run run_setosa(const char *const *arguments) {
  const char *argv[RUN_ARGUMENTS] = {support_program()};
  size_t count = 1;
  while (arguments[count - 1] != NULL && count + 1 < RUN_ARGUMENTS) argv[count] = arguments[count - 1], count++;
  argv[count] = NULL;
  return run_argv(argv);
}
#define RUN(...) run_setosa((const char *const[]){__VA_ARGS__, NULL})

/* A command line of sh; the program is "$SETOSA_PROGRAM". */
static inline Run run_shell(const char *command) {
  const char *argv[] = {"/bin/sh", "-c", command, NULL};
  return run_argv(argv);
}

/* The code, with both outputs in the message when it is another; cmocka cuts what is long, so what was wrong comes first. */
static inline void run_expect(const Run *run, int code) {
  if (run->code != code) fail_msg("exit code %d, not %d\nstderr: %s\nstdout: %s", run->code, code, run->err, run->out);
}

static inline void run_expect_text(const char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* stdout as a JSON document; json_decref it. */
static inline json_t *run_json(const Run *run) {
  json_error_t error;
  json_t *document = json_loads(run->out, JSON_REJECT_DUPLICATES, &error);
  if (document == NULL) fail_msg("stdout is no JSON: %s\n%s", error.text, run->out);
  return document;
}

/* A number at object[a] or object[a][b] (b may be NULL). */
static inline double run_number(const json_t *object, const char *a, const char *b) {
  const json_t *value = json_object_get(object, a);
  if (b != NULL) value = json_object_get(value, b);
  if (!json_is_number(value)) fail_msg("%s.%s is no number", a, b != NULL ? b : "");
  return json_number_value(value);
}

static inline void run_need_device(void) {
  Run run = RUN("devices", "--json");
  bool missing = run.code != 0;
  run_free(&run);
  if (missing) support_skip("no usable OpenCL device");
}

#endif
