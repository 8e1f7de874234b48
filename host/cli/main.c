/* The program: finds the command, reads its options, runs it, and turns the outcome into an exit code. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/interrupt.h"

/* A closed standard stream would give its number to the next file that is opened, and results would land in a log. */
static void guard_standard_streams(void) {
  for (int descriptor = 0; descriptor <= 2; descriptor++)
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDONLY) == -1) return;
}

static Status run_command(const Command *command, int argc, const char **argv, Console *console, Error *error) {
  Status status = SETOSA_OK;
  Options options;
  options_default(&options);
  TRY(options_parse(&options, command, argc, argv, error));
  *console = (Console){
      .color_out = color_wanted((ColorMode)options.color, stdout),
      .color_err = color_wanted((ColorMode)options.color, stderr),
      .quiet = options.quiet,
      .verbose = options.verbose,
  };
  if (options.help) {
    help_print_command(command, stdout, console->color_out);
    goto cleanup;
  }
  interrupt_install(command->stops_gracefully);
  Session session = {.options = &options, .console = *console};
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

static Status dispatch(int argc, const char **argv, Console *console, Error *error) {
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
  return run_command(command, argc - 1, argv + 1, console, error);
}

int main(int argc, char **argv) {
  Error error = {0}, flush_error = {0};
  Console console = {.color_err = color_wanted(COLOR_AUTO, stderr)};
  guard_standard_streams();
  interrupt_install(false);
  Status status = dispatch(argc, (const char **)argv, &console, &error);
  if (status == SETOSA_ERROR_DEVICE && interrupt_requested()) {
    /* A compiler inside a driver may catch the signal first, throw its files away, and fail: that is the interrupt, no broken device. */
    error = (Error){0};
    status = error_set(&error, SETOSA_INTERRUPTED, "interrupted while the device was being prepared; nothing was written");
  }
  if (status != SETOSA_OK && error.message[0] != '\0') console_error(&console, &error);
  Status flushed = console_flush(&flush_error);
  if (flushed != SETOSA_OK && status != SETOSA_ERROR_WRITE) console_error(&console, &flush_error);
  if (flushed != SETOSA_OK && status == SETOSA_OK) status = flushed;
  return (int)status;
}
