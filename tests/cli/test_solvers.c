/* Every command that trains, with every solver: what nobody has given is never said to be without effect. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH];

static int prepare(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int clean(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static const char *const solvers[] = {"auto", "newton", "lbfgs", "gd", "sgd", "adam"};
enum { SOLVERS = sizeof solvers / sizeof *solvers, FULL = 4 }; /* the first FULL find an optimum */

static void test_train(void **state) {
  (void)state;
  static const char *const more[][2] = {
      {"-q", NULL}, {"--dry-run", NULL}, {"--l1", "0.001"}, {"--validation", "0.2"}, {"--standardize", NULL}};
  for (size_t s = 0; s < SOLVERS; s++)
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
      Run run = RUN("train", iris, "--backend", "reference", "--solver", solvers[s], more[i][0], more[i][1]);
      run_expect(&run, 0);
      assert_null(strstr(run.err, "no effect"));
      run_free(&run);
    }
}

/* cv has a default of its own for --gap, which gd does not have. */
static void test_cv(void **state) {
  (void)state;
  static const char *const more[][2] = {{"-q", NULL}, {"--l1-ratio", "0.5"}, {"--standardize", NULL}};
  for (size_t s = 0; s < FULL; s++)
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
      Run run = RUN("cv", iris, "--backend", "reference", "--solver", solvers[s], "--l2-path", "0.01:0.1:2", "--folds", "2", more[i][0],
                    more[i][1]);
      run_expect(&run, 0);
      run_free(&run);
    }
  Run run = RUN("cv", iris, "--backend", "reference", "--solver", "gd", "--gap", "1e-9"); /* this was given */
  run_expect(&run, 2);
  run_expect_text(run.err, "--gap has no effect with --solver gd: it belongs to auto, newton and lbfgs");
  run_free(&run);
}

/* What a checkpoint remembers is what was given, too. */
static void test_resume(void **state) {
  (void)state;
  char checkpoint[SUPPORT_PATH], name[64];
  for (size_t s = 0; s < SOLVERS + FULL; s++) {
    bool cv = s >= SOLVERS;
    const char *solver = solvers[cv ? s - SOLVERS : s], *command = cv ? "cv" : "train";
    snprintf(name, sizeof name, "%s-%s.checkpoint", command, solver);
    support_path(checkpoint, folder, name);
    Run run =
        RUN(command, iris, "--backend", "reference", "--solver", solver, "--checkpoint", checkpoint, cv ? "--l2-path" : NULL, "0.01:0.1:2");
    run_expect(&run, 0);
    run_free(&run);
    run = RUN(command, "--resume", checkpoint);
    run_expect(&run, 0);
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_train),
      cmocka_unit_test(test_cv),
      cmocka_unit_test(test_resume),
  };
  return support_run("cli_solvers", tests, prepare, clean);
}
