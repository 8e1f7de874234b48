/* The program: finds the command, reads its options, runs it, and turns the outcome into an exit code. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/outputs.h"
#include "cli/terminal/crash.h"
#include "cli/terminal/interrupt.h"

/* A closed standard stream would give its number to the next file that is opened, and results would land in a log. */
static void guard_standard_streams(void) {
  for (int descriptor = 0; descriptor <= 2; descriptor++)
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDONLY) == -1) return;
}

/* Of the processes of mpirun the first speaks for all: the others print nothing, unless they must end the job alone. */
static void mute_stdout(void) {
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, STDOUT_FILENO);
  close(nowhere);
}

static void on_abandon(const Error *error, void *user) {
  const Console *console = user;
  console_error(console, error);
  fflush(stderr);
}

/* Any process may be the one that speaks: the first may be the one that is missing. */
static void on_waiting(const char *line, void *user) {
  Console loud = *(const Console *)user;
  loud.quiet = false;
  console_warn(&loud, "%s", line);
  fflush(stderr);
}

static bool stop_was_asked(void *user) {
  (void)user;
  return interrupt_requested();
}

/* Said once, whatever would have been kept: compiled kernels, most of all. */
static void warn_without_cache(const Command *command, const Console *console) {
  Error error = {0};
  if ((command->id & (FOR_GENERATE | FOR_CACHE | FOR_EXPORT | FOR_IMPORT)) != 0 || setosa_cache_check(&error) == SETOSA_OK) return;
  console_warn(console, "nothing is kept for later runs: %s", error.message);
}

static Status run_command(const Command *command, int argc, const char **argv, SetosaRanks *ranks, double began, Console *console,
                          Error *error) {
  Status status = SETOSA_OK;
  Options options;
  options_default(&options);
  if (ranks != NULL && !command->runs_on_ranks)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "`setosa %s` works in one process, and mpirun started %zu; start it without mpirun",
                  command->name, setosa_ranks_size(ranks)));
  TRY(options_parse(&options, command, argc, argv, error));
  *console = (Console){
      /* mpirun gives its first process a terminal of its own, whatever stands behind. */
      .color_out = (ranks == NULL || options.color == COLOR_ALWAYS) && color_wanted(options.color, stdout),
      .color_err = color_wanted(options.color, stderr),
      .quiet = options.quiet || setosa_ranks_rank(ranks) != 0,
      .verbose = options.verbose,
  };
  if (options.help) {
    help_print_command(command, stdout, console->color_out);
    goto cleanup;
  }
  SetosaRanksWatch watch = {options.wait_limit, options.quiet ? NULL : on_waiting, stop_was_asked, console};
  setosa_ranks_watch(ranks, &watch);
  if (setosa_ranks_rank(ranks) == 0) TRY(outputs_check(&options, command->id, error)); /* the others write nothing */
  warn_without_cache(command, console);
  Session session = {.options = &options, .console = *console, .ranks = ranks, .began = began};
  TRY(command->run(&session, error));
cleanup:
  options_free(&options);
  return status;
}

/* `setosa help [COMMAND]`, `setosa --help`. */
static Status run_help(int argc, const char **argv, Error *error) {
  bool color = color_wanted(COLOR_AUTO, stdout);
  if (argc < 3) {
    help_print_overview(stdout, color);
    return SETOSA_OK;
  }
  const Command *command = command_find(argv[2]);
  if (command == NULL && strcmp(argv[2], "help") == 0) {
    help_print_overview(stdout, color);
    return SETOSA_OK;
  }
  if (command == NULL) return command_unknown(argv[2], error);
  help_print_command(command, stdout, color);
  return SETOSA_OK;
}

static Status dispatch(int argc, const char **argv, SetosaRanks *ranks, double began, Console *console, Error *error) {
  if (argc < 2) {
    help_print_overview(stderr, color_wanted(COLOR_AUTO, stderr));
    return error_set(error, SETOSA_ERROR_USAGE, "name a command, as in `setosa train DATA`");
  }
  const char *word = argv[1];
  if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
    printf("setosa %s\n", SETOSA_VERSION);
    return SETOSA_OK;
  }
  if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return run_help(argc, argv, error);
  const Command *command = command_find(word);
  if (command == NULL) return command_unknown(word, error);
  return run_command(command, argc - 1, argv + 1, ranks, began, console, error);
}

int main(int argc, char **argv) {
  double began = clock_seconds();
  Error error = {0}, flush_error = {0};
  Console console = {.color_err = color_wanted(COLOR_AUTO, stderr)};
  guard_standard_streams();
  interrupt_install();
  crash_install();
  SetosaRanks *ranks = NULL;
  Status status = setosa_ranks_open(&ranks, on_abandon, &console, &error);
  bool first = setosa_ranks_rank(ranks) == 0;
  if (!first) mute_stdout();
  if (status == SETOSA_OK) status = dispatch(argc, (const char **)argv, ranks, began, &console, &error);
  interrupt_defer(false); /* what is left is to end: nothing may hold that up */
  if (status == SETOSA_ERROR_DEVICE && interrupt_requested()) {
    /* A compiler inside a driver may catch the signal first, throw its files away, and fail: that is the interrupt, no broken device. */
    error = (Error){0};
    status = error_set(&error, SETOSA_INTERRUPTED, "interrupted while the device was being prepared; nothing was written");
  }
  Status flushed = console_flush(&flush_error);
  if (flushed != SETOSA_OK && status == SETOSA_OK) {
    status = flushed;
    error = flush_error;
  }
  status = setosa_ranks_agree(ranks, status, &error);
  if (first && status != SETOSA_OK && error.message[0] != '\0') console_error(&console, &error);
  if (first && flushed != SETOSA_OK && status != SETOSA_ERROR_WRITE) console_error(&console, &flush_error);
  setosa_ranks_close(ranks); /* after the message: where one process has ended with an error, mpirun ends the others */
  return (int)status;
}
