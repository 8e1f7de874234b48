/* No output lies on anything that is read, nor on another output, however the two are called or found. */
#include <limits.h>
#include <sys/stat.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], home[SUPPORT_PATH];

static void shell(const char *command) {
  Run run = run_shell(command);
  run_expect(&run, 0);
  run_free(&run);
}

/* In a folder of its own: a CSV, an .npy with its labels beside it, IDX images with theirs, a model, and other names of them. */
static int create(void **state) {
  (void)state;
  assert_non_null(getcwd(home, sizeof home));
  support_folder_create(folder);
  assert_int_equal(chdir(folder), 0);
  shell(
      "cp \"$SETOSA_SOURCE_DIR/data/iris.csv\" iris.csv && cp iris.csv test.csv"
      " && \"$SETOSA_PROGRAM\" generate rows=60,features=4,classes=3 -o d.npy -q > /dev/null"
      " && cp d.npy t.npy && cp d-labels.npy t-labels.npy && cp d-labels.npy w.npy"
      " && printf '\\000\\000\\010\\003\\000\\000\\000\\003\\000\\000\\000\\001\\000\\000\\000\\002abcdef' > x-images-idx3-ubyte"
      " && printf '\\000\\000\\010\\001\\000\\000\\000\\003\\000\\001\\002' > x-labels-idx1-ubyte"
      " && \"$SETOSA_PROGRAM\" train iris.csv --backend reference --max-iterations 1 --model m.safetensors -q > /dev/null"
      " && \"$SETOSA_PROGRAM\" train d.npy --backend reference --max-iterations 1 --model dm.safetensors -q > /dev/null"
      " && seq 150 > weights.txt && printf '{\"command\":\"bench\",\"results\":[]}' > before.json"
      " && ln -s iris.csv soft.csv && ln iris.csv hard.csv && ln -s new-one hanging && mkdir sub && ln d-labels.npy labels-again"
      " && mkdir images kernels && cp x-images-idx3-ubyte images/train-images-idx3-ubyte && cp \"$SETOSA_SOURCE_DIR\"/kernels/* kernels"
      " && md5sum iris.csv test.csv *.npy x-* m.safetensors weights.txt before.json images/* kernels/* > sums");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  assert_int_equal(chdir(home), 0);
  support_folder_remove(folder);
  return 0;
}

static void expect_refused(const char *const *arguments) {
  Run run = run_setosa(arguments);
  char line[512] = "";
  for (size_t i = 0; arguments[i] != NULL; i++) snprintf(line + strlen(line), sizeof line - strlen(line), " %s", arguments[i]);
  if (run.code != 2 || strstr(run.err, "would overwrite") == NULL || strchr(run.err, '\n') != strrchr(run.err, '\n'))
    fail_msg("setosa%s: exit %d\n%s", line, run.code, run.err);
  run_free(&run);
  run = run_shell("md5sum --quiet -c sums && ls | grep -E 'tmp$|previous$|^new' | wc -l");
  if (run.code != 0 || strcmp(run.out, "0\n") != 0) fail_msg("setosa%s changed something: %s", line, run.out);
  run_free(&run);
}

static void test_nothing_that_is_read(void **state) {
  (void)state;
  static const char *const cases[][12] = {
      {"train", "iris.csv", "--model", "iris.csv"},
      {"train", "iris.csv", "--model", "./sub/../iris.csv"},
      {"train", "iris.csv", "--model", "soft.csv"},
      {"train", "iris.csv", "--log", "hard.csv"},
      {"train", "soft.csv", "--log", "hard.csv"},
      {"train", "iris.csv", "--checkpoint", "hard.csv"},
      {"train", "iris.csv", "--test", "test.csv", "--model", "test.csv"},
      {"train", "iris.csv", "--test", "test.csv", "--log", "test.csv"},
      {"train", "iris.csv", "--weights", "weights.txt", "--model", "weights.txt"},
      {"train", "d.npy", "--labels", "w.npy", "--log", "w.npy"},
      {"train", "d.npy", "--test", "t.npy", "--test-labels", "w.npy", "--model", "w.npy"},
      {"predict", "m.safetensors", "iris.csv", "-o", "m.safetensors"},
      {"predict", "m.safetensors", "soft.csv", "-o", "hard.csv"},
      {"predict", "dm.safetensors", "d.npy", "--labels", "w.npy", "-o", "w.npy"},
      {"train", "iris.csv", "test.csv", "--model", "test.csv"},
      {"train", "tes?.csv", "--model", "test.csv"},
      {"train", "iris.csv", "[st]*.csv", "--log", "hard.csv"},
      {"train", "iris.csv", "--test", "tes*.csv", "--model", "test.csv"},
      {"predict", "m.safetensors", "test.csv", "soft.csv", "-o", "hard.csv"},
      {"bench", "iris.csv", "--csv", "hard.csv"},
      {"bench", "iris.csv", "--compare", "before.json", "--csv", "before.json"},
      {"bench", "--work", "W1", "--fashion", "images", "--csv", "images/train-images-idx3-ubyte"},
      {"bench", "--work", "W1", "--fashion", "x-images-idx3-ubyte", "--csv", "x-images-idx3-ubyte"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_refused(cases[i]);
}

/* Labels that nobody named. */
static void test_nothing_that_is_found(void **state) {
  (void)state;
  static const char *const cases[][12] = {
      {"train", "d.npy", "--model", "d-labels.npy"},
      {"train", "d.npy", "--log", "d-labels.npy"},
      {"train", "d.npy", "--checkpoint", "d-labels.npy"},
      {"train", "d.npy", "--model", "labels-again"},
      {"train", "iris.csv", "--test", "t.npy", "--model", "t-labels.npy"},
      {"train", "x-images-idx3-ubyte", "--log", "x-labels-idx1-ubyte"},
      {"predict", "dm.safetensors", "d.npy", "-o", "d-labels.npy"},
      {"predict", "dm.safetensors", "d.npy", "-o", "labels-again"},
      {"predict", "dm.safetensors", "x-images-idx3-ubyte", "-o", "x-labels-idx1-ubyte"},
      {"bench", "d.npy", "--csv", "d-labels.npy"},
      {"bench", "--work", "W1", "--fashion", "x-images-idx3-ubyte", "--csv", "x-labels-idx1-ubyte"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_refused(cases[i]);
  setenv("SETOSA_KERNEL_DIR", "kernels", 1);
  expect_refused((const char *const[]){"train", "iris.csv", "--model", "kernels/softmax.clh", NULL});
  unsetenv("SETOSA_KERNEL_DIR");
}

/* What a checkpoint remembers is read and written, too. */
static void test_nothing_that_is_remembered(void **state) {
  (void)state;
  static const char *const cases[][12] = {
      {"train", "--resume", "kept", "--model", "d.npy"},      {"train", "--resume", "kept", "--model", "labels-again"},
      {"train", "--resume", "kept", "--log", "weights.txt"},  {"train", "--resume", "kept", "--log", "t-labels.npy"},
      {"train", "--resume", "kept", "--model", "kept"},       {"train", "--resume", "kept", "--log", "kept.model"},
      {"train", "--resume", "kept", "--checkpoint", "d.npy"}, {"train", "--resume", "kept", "--checkpoint", "kept.model"},
  };
  shell(
      "seq 60 > weights.txt && md5sum $(cut -c 35- sums) > sums.new && mv sums.new sums && \"$SETOSA_PROGRAM\" train d.npy --weights "
      "weights.txt "
      "--test t.npy --backend reference --max-iterations 1 --checkpoint kept --model kept.model -q > /dev/null");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_refused(cases[i]);
  shell("rm kept kept.model");
}

/* Files that are still to be made, too. */
static void test_no_other_output(void **state) {
  (void)state;
  static const char *const cases[][12] = {
      {"train", "iris.csv", "--model", "new", "--log", "new"},
      {"train", "iris.csv", "--model", "new", "--log", "./sub/../new"},
      {"train", "iris.csv", "--model", "hanging", "--log", "new-one"},
      {"train", "iris.csv", "--checkpoint", "new", "--model", "new"},
      {"train", "iris.csv", "--checkpoint", "new", "--log", "new"},
      {"train", "iris.csv", "--checkpoint", "new", "--model", "new.previous"},
      {"train", "iris.csv", "--checkpoint", "new", "--log", "./new.previous"},
      {"train", "iris.csv", "--checkpoint", "hanging", "--log", "new-one.previous"},
      {"train", "iris.csv", "--cache", "new", "--model", "new"},
      {"generate", "rows=10", "-o", "new.npy", "--labels", "./new.npy"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_refused(cases[i]);
}

/* The labels that generate writes have a name of its own making. */
static void test_generate_over_its_labels(void **state) {
  (void)state;
  shell("\"$SETOSA_PROGRAM\" generate rows=10 -o g.npy -q > /dev/null && ln -f g.npy g-labels.npy");
  expect_refused((const char *const[]){"generate", "rows=10", "-o", "g.npy", NULL});
  shell("rm g.npy && ln -sf g.npy g-labels.npy");
  expect_refused((const char *const[]){"generate", "rows=10", "-o", "g.npy", NULL});
  shell("rm g-labels.npy");
}

static void test_standard_output(void **state) {
  (void)state;
  Run run = run_shell("\"$SETOSA_PROGRAM\" predict m.safetensors test.csv >> test.csv");
  run_expect(&run, 2);
  run_expect_text(run.err, "standard output would overwrite test.csv");
  run_free(&run);
  run = run_shell("\"$SETOSA_PROGRAM\" inspect m.safetensors 1<> m.safetensors");
  run_expect(&run, 2);
  run_free(&run);
  run = run_shell("\"$SETOSA_PROGRAM\" eval m.safetensors iris.csv --backend reference > evaluation && md5sum --quiet -c sums");
  run_expect(&run, 0);
  run_free(&run);
}

/* What is no file is everybody's. */
static void test_devices_and_pipes(void **state) {
  (void)state;
  shell("\"$SETOSA_PROGRAM\" train iris.csv --backend reference --model /dev/null --log /dev/null -q");
  shell("\"$SETOSA_PROGRAM\" train iris.csv --backend reference --log /dev/stdout -q | grep -q gradient_norm");
  shell("\"$SETOSA_PROGRAM\" predict m.safetensors iris.csv --backend reference -o /dev/stdout | tail -n 1 | grep -q ^150,");
  shell("mkfifo pipe && (\"$SETOSA_PROGRAM\" predict m.safetensors iris.csv --backend reference -o pipe & tail -n 1 pipe | grep -q ^150,)");
}

/* A folder is no file to write, and says so before the work. */
static void test_folders(void **state) {
  (void)state;
  static const char *const cases[][12] = {
      {"train", "iris.csv", "--model", "sub"},      {"train", "iris.csv", "--model", "sub/"},
      {"train", "iris.csv", "--model", "nowhere/"}, {"train", "iris.csv", "--log", "sub"},
      {"train", "iris.csv", "--checkpoint", "sub"}, {"predict", "m.safetensors", "iris.csv", "-o", "sub"},
      {"bench", "iris.csv", "--csv", "sub"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Run run = run_setosa(cases[i]);
    run_expect(&run, 6);
    assert_string_equal(run.out, "");
    assert_ptr_equal(strchr(run.err, '\n'), strrchr(run.err, '\n'));
    run_free(&run);
  }
}

/* A run that was killed leaves a temporary; the next one of the same output takes it away, and no other. */
static void test_killed_runs(void **state) {
  (void)state;
  const char *const argv[] = {support_program(), "generate", "rows=20000000", "-o", "big.npy", "-q", NULL};
  int nowhere = open("/dev/null", O_RDWR);
  pid_t child = run_start(argv, nowhere, nowhere, nowhere);
  Run run = run_shell("while test $(ls | grep -c '^big.*tmp$') != 2; do sleep 0.01; done");
  run_expect(&run, 0);
  run_free(&run);
  /* While it lives its files stay, whoever writes the same name. */
  shell("\"$SETOSA_PROGRAM\" generate rows=10 -o big.npy -q > /dev/null && test $(ls | grep -c '^big.*tmp$') = 2");
  kill(child, SIGKILL);
  assert_int_equal(run_wait(child), 128 + SIGKILL);
  shell("\"$SETOSA_PROGRAM\" generate rows=10 -o other.npy -q > /dev/null && test $(ls | grep -c '^big.*tmp$') = 2");
  shell("\"$SETOSA_PROGRAM\" generate rows=10 -o big.npy -q > /dev/null && test $(ls | grep -c 'tmp$') = 0");
  shell("rm big* other*");
  close(nowhere);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_that_is_read),
      cmocka_unit_test(test_nothing_that_is_found),
      cmocka_unit_test(test_nothing_that_is_remembered),
      cmocka_unit_test(test_no_other_output),
      cmocka_unit_test(test_generate_over_its_labels),
      cmocka_unit_test(test_standard_output),
      cmocka_unit_test(test_devices_and_pipes),
      cmocka_unit_test(test_folders),
      cmocka_unit_test(test_killed_runs),
  };
  return support_run("cli_outputs", tests, create, destroy);
}
