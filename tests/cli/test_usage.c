/* Wrong command lines: each ends with its exact code, one helpful line on stderr and nothing on stdout. */
#include "cli/run.h"

typedef struct Bad {
  int code;
  const char *message; /* must be in stderr */
  const char *arguments[16];
} Bad;

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH];

/* "@iris" and "@model" stand for the files, "@folder/x" for a path in the temporary folder. */
static const Bad table[] = {
    /* commands */
    {2, "\"trian\" is no command; did you mean `setosa train`?", {"trian", "x.csv"}},
    {2, "did you mean `setosa devices`?", {"device"}},
    {2, "\"zzzzzz\" is no command; see `setosa help`", {"zzzzzz"}},
    {2, "`setosa generate` needs SPEC", {"generate", "-o", "x.npy"}},
    {2, "name the file to write: add -o FILE", {"generate", "rows=3"}},
    {2, "x: its name does not say how to write it", {"generate", "rows=3", "-o", "x"}},
    {2, "there is no key rowz; did you mean rows?", {"generate", "rowz=3", "-o", "x.npy"}},
    {2, "the labels of text are its last column", {"generate", "rows=3", "-o", "x.csv", "--labels", "y.npy"}},
    {2, "--labels y.txt: labels are written as .npy", {"generate", "rows=3", "-o", "x.npy", "--labels", "y.txt"}},
    {2, "--labels x.npy would overwrite", {"generate", "rows=3", "-o", "x.npy", "--labels", "x.npy"}},
    {6, "cannot write: No such file or directory", {"generate", "rows=3", "-o", "@folder/none/x.npy"}},
    {2, "name a command first", {"--json", "devices"}},
    {2, "\"\" is no command", {""}},
    {2, "\"trainn\" is no command; did you mean `setosa train`?", {"help", "trainn"}},
    /* arguments */
    {2, "`setosa train` needs DATA", {"train"}},
    {2, "`setosa eval` needs MODEL DATA", {"eval", "m.safetensors"}},
    {2, "`setosa summary` needs MODEL DATA", {"summary", "m.safetensors"}},
    {2, "`setosa predict` needs MODEL DATA", {"predict"}},
    {2, "`setosa inspect` needs MODEL", {"inspect"}},
    {2, "`setosa cache` needs clear|path", {"cache"}},
    {2, "\"b.csv\" is one argument too many", {"bench", "a.csv", "b.csv"}},
    {2, "\"c\" is one argument too many", {"cache", "path", "c"}},
    {2, "`setosa devices` takes no argument; leave out \"0\"", {"devices", "0"}},
    {2, "did you mean `setosa cache clear`?", {"cache", "claer"}},
    {2, "give clear or path", {"cache", "zzzzzzz"}},
    /* unknown options */
    {2, "unknown option --tolerence; did you mean --tolerance?", {"train", "@iris", "--tolerence", "1"}},
    {2, "unknown option --max-iteration; did you mean --max-iterations?", {"train", "@iris", "--max-iteration=5"}},
    {2, "unknown option --qqqqqqqq; see `setosa help train`", {"train", "@iris", "--qqqqqqqq"}},
    {2, "unknown option -z", {"train", "@iris", "-z"}},
    {2, "--epochs is not an option of `setosa eval`", {"eval", "@model", "@iris", "--epochs", "3"}},
    {2, "--json is not an option of `setosa predict`", {"predict", "@model", "@iris", "--json"}},
    {2, "--model needs a value", {"train", "@iris", "--model"}},
    {2, "--json takes no value", {"train", "@iris", "--json=yes"}},
    {2, "--model \"\": give FILE", {"train", "@iris", "--model", ""}},
    {2, "--classes names A twice", {"explain", "--x", "1", "--classes", "A,A", "--label", "A", "--weights", "1;2"}},
    {2, "--l2 \"1e300\": give a number from 0 to 1e30", {"train", "@iris", "--l2", "1e300", "--backend", "reference"}},
    {2, "--header and --no-header contradict each other", {"train", "@iris", "--header", "--no-header"}},
    {2, "--quiet and --verbose contradict each other", {"train", "@iris", "-v", "-q"}},
    {2, "--drop takes the last column species, which is the label", {"train", "@iris", "--drop", "species"}},
    {3, "is not a model, or one cut short", {"eval", "@iris", "@model"}},
    /* later versions */
    {3, "x.checkpoint: cannot open: No such file", {"train", "@iris", "--resume", "x.checkpoint"}},
    {2, "--storage is for the native backend alone", {"train", "@iris", "--storage", "f16", "--backend", "reference"}},
    {2, "--device: the blas backend runs on the host", {"train", "@iris", "--backend", "blas", "--device", "0"}},
    /* numbers */
    {2, "--l2 \"abc\": give a number from 0 to 1e30", {"train", "@iris", "--l2", "abc"}},
    {2, "--l2 \"-1\": give a number from 0 to 1e30", {"train", "@iris", "--l2", "-1"}},
    {2, "--l2 \"nan\"", {"train", "@iris", "--l2", "nan"}},
    {2, "--l2 \"inf\"", {"train", "@iris", "--l2", "inf"}},
    {2, "--l2 \"1e999\"", {"train", "@iris", "--l2", "1e999"}},
    {2, "--l2 \"0x10\"", {"train", "@iris", "--l2", "0x10"}},
    {2, "--l2 \"1,5\"", {"train", "@iris", "--l2", "1,5"}},
    {2, "--l2 \"\"", {"train", "@iris", "--l2", ""}},
    {2, "--max-iterations \"-3\": give a whole number of at least 0", {"train", "@iris", "--max-iterations", "-3"}},
    {2, "--max-iterations \"2.5\"", {"train", "@iris", "--max-iterations", "2.5"}},
    {2, "--max-iterations \"99999999999999999999\"", {"train", "@iris", "--max-iterations", "99999999999999999999"}},
    {2, "--tolerance \"-1\": give a number of at least 0", {"train", "@iris", "--tolerance", "-1"}},
    {2, "--strict asks for convergence", {"train", "@iris", "--tolerance", "0", "--strict"}},
    {2, "--epochs \"0\"", {"train", "@iris", "--solver", "adam", "--epochs", "0"}},
    {2, "--history \"0\": give a whole number from 1 to 1000", {"train", "@iris", "--history", "0"}},
    {2, "--validation \"0\": give a number more than 0 and less than 1", {"train", "@iris", "--validation", "0"}},
    {2, "--validation \"1\"", {"train", "@iris", "--validation", "1"}},
    {2, "--momentum \"1\": give a number of at least 0 and less than 1", {"train", "@iris", "--solver", "sgd", "--momentum", "1"}},
    {2, "--learning-rate \"0\": give a number more than 0", {"train", "@iris", "--solver", "sgd", "--learning-rate", "0"}},
    {2, "--batch-size \"0\"", {"train", "@iris", "--solver", "sgd", "--batch-size", "0"}},
    {2, "--scale \"0\": give a number other than 0", {"train", "@iris", "--scale", "0"}},
    {2, "--seed \"x\"", {"train", "@iris", "--seed", "x"}},
    {2, "--top-k \"0\"", {"predict", "@model", "@iris", "--top-k", "0"}},
    {2, "--top-k 4: the model has 3 classes", {"predict", "@model", "@iris", "--top-k", "4", "--backend", "reference"}},
    /* choices */
    {2, "--solver \"lbgfs\": did you mean lbfgs? (auto, newton, lbfgs, gd, sgd or adam)", {"train", "@iris", "--solver", "lbgfs"}},
    {2, "--solver \"simplex\": give auto, newton, lbfgs, gd, sgd or adam", {"train", "@iris", "--solver", "simplex"}},
    {2, "--family \"both\"", {"train", "@iris", "--family", "both"}},
    {2, "--schedule \"linear\"", {"train", "@iris", "--solver", "sgd", "--schedule", "linear"}},
    {2, "--color \"sometimes\": give auto, always or never", {"devices", "--color", "sometimes"}},
    /* options that do not go together */
    {2, "--momentum has no effect with --solver auto: it belongs to sgd", {"train", "@iris", "--momentum", "0.9"}},
    {2,
     "--max-iterations has no effect with --solver adam: it belongs to auto, newton, lbfgs and gd (sgd and adam count --epochs)",
     {"train", "@iris", "--solver", "adam", "--max-iterations", "9"}},
    {2, "--backend \"auto\": give native, reference, clblast or blas", {"check", "@iris", "--backend", "auto"}},
    {2, "--family: the reference backend runs on the host", {"check", "@iris", "--backend", "reference", "--family", "cpu"}},
    {2, "--nesterov needs momentum", {"train", "@iris", "--solver", "sgd", "--nesterov"}},
    {2, "--device: the reference backend", {"train", "@iris", "--backend", "reference", "--device", "0"}},
    {2,
     "--reproducible keeps to fixed kernel shapes, so --tune full",
     {"train", "@folder/nothing.csv", "--tune", "full", "--reproducible"}},
    {2, "--reproducible keeps to fixed kernel shapes, so --tune full", {"predict", "@model", "@iris", "--reproducible", "--tune=full"}},
    {2, "--test-labels without --test", {"train", "@iris", "--test-labels", "x"}},
    {2, "--diagnose goes alone", {"devices", "--diagnose", "--json"}},
    {2, "would overwrite", {"train", "@iris", "--model", "@iris"}},
    {2, "would overwrite", {"train", "@iris", "--log", "@iris"}},
    {2, "would overwrite", {"train", "@iris", "--model", "@folder/same", "--log", "@folder/same"}},
    {2, "would overwrite", {"predict", "@model", "@iris", "-o", "@model"}},
    /* explain */
    {2, "give an example", {"explain"}},
    {2, "give an example", {"explain", "@model"}},
    {2, "which row? add --row N", {"explain", "@model", "@iris"}},
    {2, "--row \"0\"", {"explain", "@model", "@iris", "--row", "0"}},
    {2, "--row 151: ", {"explain", "@model", "@iris", "--row", "151"}},
    {2, "--weights goes with --x", {"explain", "@model", "@iris", "--row", "1", "--weights", "1;2"}},
    {2, "--x needs --weights", {"explain", "--x", "1,2", "--label", "1"}},
    {2, "--x: entry 2, \"b\", is not a number", {"explain", "--x", "1,b", "--label", "1", "--weights", "1,2;3,4"}},
    {2, "--weights: only one class", {"explain", "--x", "1,2", "--label", "1", "--weights", "1,2"}},
    {2, "--weights: group 2 has 1 numbers, but --x has 2", {"explain", "--x", "1,2", "--label", "1", "--weights", "1,2;3"}},
    {2, "--weights: entry 1, \"\"", {"explain", "--x", "1,2", "--label", "1", "--weights", "1,2;;3,4"}},
    {2, "--bias: 1 numbers", {"explain", "--x", "1,2", "--label", "1", "--weights", "1,2;3,4", "--bias", "1"}},
    {2, "--classes: 3 names", {"explain", "--x", "1,2", "--label", "a", "--weights", "1,2;3,4", "--classes", "a,b,c"}},
    {2, "did you mean Setosa?", {"explain", "--x", "1,2", "--label", "Setsoa", "--weights", "1,2;3,4", "--classes", "Setosa,Other"}},
    {2, "--label \"3\" is none of the classes", {"explain", "--x", "1,2", "--label", "3", "--weights", "1,2;3,4"}},
    {2, "--row belongs to", {"explain", "--x", "1,2", "--label", "1", "--weights", "1,2;3,4", "--row", "1"}},
    {2, "and --x: give either", {"explain", "@model", "@iris", "--x", "1,2", "--label", "1", "--weights", "1,2;3,4"}},
    /* files that cannot be read */
    {3, "nothing.csv", {"train", "@folder/nothing.csv", "--backend", "reference"}},
    {3, "nothing.csv", {"train", "@iris", "--test", "@folder/nothing.csv", "--backend", "reference"}},
    {3, "nothing.safetensors", {"eval", "@folder/nothing.safetensors", "@iris"}},
    {2, "--label says how data are read, and", {"inspect", "@model", "--label", "species"}},
    {2, "--label nothing: ", {"inspect", "@iris", "--label", "nothing"}},
    {3, "nothing.csv: cannot open", {"inspect", "@folder/nothing.csv"}},
    {3, "iris.csv", {"predict", "@iris", "@iris"}},
    /* files that cannot be written, found before anything is read */
    {6, "--model: ", {"train", "@folder/nothing.csv", "--model", "@folder/none/m.safetensors"}},
    {6, "is a folder", {"train", "@folder/nothing.csv", "--model", "@folder"}},
    {6, "--log ", {"train", "@folder/nothing.csv", "--log", "@folder/none/l.jsonl"}},
    {6, "--log ", {"train", "@folder/nothing.csv", "--log", "@folder"}},
    {6, "--output: ", {"predict", "@folder/nothing", "@iris", "-o", "@folder/none/p.csv"}},
    /* devices */
    {4, "99", {"train", "@iris", "--device", "99"}},
    {4, "no-such-device", {"train", "@iris", "--device", "no-such-device"}},
};

static const char *expand(const char *argument, char *path) {
  if (strcmp(argument, "@iris") == 0) return iris;
  if (strcmp(argument, "@model") == 0) return model;
  if (strncmp(argument, "@folder", 7) != 0) return argument;
  snprintf(path, SUPPORT_PATH, "%.900s%.100s", folder, argument + 7);
  return path;
}

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(model, folder, "m.safetensors");
  Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "20", "--model", model, "-q");
  int code = run.code;
  if (code != 0) fprintf(stderr, "%s", run.err);
  run_free(&run);
  return code;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void test_bad_command_lines(void **state) {
  (void)state;
  size_t wrong = 0;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    const char *arguments[17];
    char paths[16][SUPPORT_PATH];
    size_t count = 0;
    for (; count < 16 && table[i].arguments[count] != NULL; count++) arguments[count] = expand(table[i].arguments[count], paths[count]);
    arguments[count] = NULL;
    Run run = run_setosa(arguments);
    const char *end = strchr(run.err, '\n');
    bool one_line = end != NULL && end[1] == '\0';
    if (run.code != table[i].code || strstr(run.err, table[i].message) == NULL || !one_line || run.out[0] != '\0') {
      print_error("case %zu (%s %s): exit %d, expected %d with \"%s\"\n  stderr: %s  stdout: %s\n", i, arguments[0],
                  count > 1 ? arguments[1] : "", run.code, table[i].code, table[i].message, run.err, run.out);
      wrong++;
    }
    run_free(&run);
  }
  assert_int_equal(wrong, 0);
  assert_true(sizeof table / sizeof table[0] >= 60);
}

/* Nothing is left behind by the probes for writable files. */
static void test_probes_leave_nothing(void **state) {
  (void)state;
  char path[SUPPORT_PATH], log[SUPPORT_PATH];
  support_path(path, folder, "probe.safetensors");
  support_path(log, folder, "probe.jsonl");
  Run run = RUN("train", "no-such-file.csv", "--model", path, "--log", log, "--backend", "reference");
  run_expect(&run, 3);
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(access(log, F_OK), -1);
  run_free(&run);
  /* An old log and an old model survive a command line that fails later. */
  support_write_text(path, "old model");
  support_write_text(log, "old log");
  run = RUN("train", "no-such-file.csv", "--model", path, "--log", log, "--backend", "reference");
  run_expect(&run, 3);
  char *old = support_read(path, NULL), *old_log = support_read(log, NULL);
  assert_string_equal(old, "old model");
  assert_string_equal(old_log, "old log");
  free(old);
  free(old_log);
  run_free(&run);
}

static void test_no_arguments(void **state) {
  (void)state;
  Run run = RUN(NULL);
  run_expect(&run, 2);
  assert_string_equal(run.out, "");
  run_expect_text(run.err, "setosa train");
  run_expect_text(run.err, "name a command");
  run_free(&run);
}

static void test_version(void **state) {
  (void)state;
  Run run = RUN("--version");
  run_expect(&run, 0);
  assert_string_equal(run.out, "setosa " SETOSA_VERSION "\n");
  run_free(&run);
}

/* Control characters in what a message quotes do not reach the terminal, nor break the line. */
static void test_messages_are_visible(void **state) {
  (void)state;
  Run run = RUN("train", "a.csv", "--solver", "evil\033[2J\nname");
  run_expect(&run, 2);
  assert_null(strchr(run.err, '\033'));
  assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
  run_free(&run);
}

/* "--" ends the options; options may stand before and after the data. */
static void test_order_of_arguments(void **state) {
  (void)state;
  Run run = RUN("eval", "--backend", "reference", model, "--json", iris, "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("train", "--backend", "reference", "--", "--json");
  run_expect(&run, 3);
  run_expect_text(run.err, "--json");
  run_free(&run);
}

/* Width, and that every page is there. That all options are mentioned follows from the table the pages are made from; the flags of the
 * interface are named here. */
static void test_help(void **state) {
  (void)state;
  static const char *const commands[] = {"train", "eval", "summary", "predict", "explain", "devices", "check", "inspect", "cache"};
  static const char *const train_flags[] = {
      "--test",           "--validation",    "--standardize", "--scale",     "--positive",   "--label",     "--labels",
      "--features",       "--drop",          "--header",      "--no-header", "--solver",     "--l2",        "--tolerance",
      "--max-iterations", "--learning-rate", "--momentum",    "--nesterov",  "--batch-size", "--epochs",    "--schedule",
      "--seed",           "--no-intercept",  "--history",     "--device",    "--backend",    "--family",    "--force-device",
      "--model",          "--log",           "--json",        "--quiet",     "--verbose",    "--color",     "--strict",
      "--checkpoint",     "--every",         "--resume",      "--summary",   "--robust",     "--base-level"};
  Run run = RUN("--help");
  run_expect(&run, 0);
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    char title[32];
    Run by_flag = RUN(commands[i], "--help"), by_command = RUN("help", commands[i]);
    run_expect(&by_flag, 0);
    assert_string_equal(by_flag.out, by_command.out);
    assert_string_equal(by_flag.err, "");
    snprintf(title, sizeof title, "\n  setosa %s", commands[i]);
    run_expect_text(by_flag.out, title);
    run_expect_text(by_flag.out, "Examples");
    run_expect_text(run.out, commands[i]);
    for (const char *line = by_flag.out; *line != '\0'; line += strcspn(line, "\n") + 1)
      if (strcspn(line, "\n") > 80) fail_msg("more than 80 columns: %.*s", (int)strcspn(line, "\n"), line);
    for (size_t f = 0; i == 0 && f < sizeof train_flags / sizeof train_flags[0]; f++) run_expect_text(by_flag.out, train_flags[f]);
    run_free(&by_flag);
    run_free(&by_command);
  }
  for (const char *line = run.out; *line != '\0'; line += strcspn(line, "\n") + 1) assert_true(strcspn(line, "\n") <= 80);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_command_lines),
      cmocka_unit_test(test_probes_leave_nothing),
      cmocka_unit_test(test_no_arguments),
      cmocka_unit_test(test_version),
      cmocka_unit_test(test_messages_are_visible),
      cmocka_unit_test(test_order_of_arguments),
      cmocka_unit_test(test_help),
  };
  return support_run("cli_usage", tests, create, destroy);
}
