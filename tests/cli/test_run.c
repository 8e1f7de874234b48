/* Running the program (run.h): a run that LeakSanitizer's own death spoiled is repeated; nothing else is. */
#include "cli/run.h"

#include <sys/stat.h>

/* A script in place of the program: appends a line to $0.runs, then does `body`, in which $run is the number of this run. */
static const char *script_of(char path[SUPPORT_PATH], const char *folder, const char *body) {
  char text[1024];
  support_path(path, folder, "program");
  int length = snprintf(text, sizeof text, "#!/bin/sh\necho run >>\"$0.runs\"\nrun=$(wc -l <\"$0.runs\")\n%s\n", body);
  assert_in_range(length, 1, sizeof text - 1);
  support_write_text(path, text);
  assert_int_equal(chmod(path, 0700), 0);
  return path;
}

#define DIES "echo '==7==" RUN_CHECKER_DIED ".' >&2; exit 1"

typedef struct Case {
  const char *body, *out;
  int code;
  size_t runs;
} Case;

static void only_what_the_leak_checker_spoiled_is_repeated(void **state) {
  (void)state;
  static const Case cases[] = {
      {"echo done; exit 0", "done\n", 0, 1},
      {"echo spoiled; test $run -gt 1 || { " DIES "; }; exit 0", "spoiled\n", 0, 2},
      {"test $run -gt 3 || { " DIES "; }; echo last; exit 5", "last\n", 5, 4},
      {DIES, "", 1, 4},
      {"echo '==7==ERROR: LeakSanitizer: detected memory leaks' >&2; exit 1", "", 1, 1},
      {"echo '" RUN_CHECKER_DIED "'; exit 1", RUN_CHECKER_DIED "\n", 1, 1}, /* on stdout: not the checker's voice */
      {"exit 1", "", 1, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[SUPPORT_PATH], path[SUPPORT_PATH], runs[SUPPORT_PATH];
    size_t length = 0;
    support_folder_create(folder);
    const char *argv[] = {script_of(path, folder, cases[i].body), NULL};
    Run run = run_argv(argv);
    run_expect(&run, cases[i].code);
    assert_string_equal(run.out, cases[i].out);
    run_free(&run);
    support_path(runs, folder, "program.runs");
    free(support_read(runs, &length));
    if (length != 4 * cases[i].runs) fail_msg("\"%s\" ran %zu times, not %zu", cases[i].body, length / 4, cases[i].runs);
    support_folder_remove(folder);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(only_what_the_leak_checker_spoiled_is_repeated),
  };
  return support_run("run", tests, NULL, NULL);
}
