/* `setosa generate`: files that train to the weights of the synthetic data itself, and ends that leave nothing. */
#include <dirent.h>
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* Files whose name begins so. */
static size_t count_files(const char *beginning) {
  size_t count = 0;
  DIR *entries = opendir(folder);
  assert_non_null(entries);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;) count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
  closedir(entries);
  return count;
}

static void expect_weights(const char *hash, const char *data, const char *labels) {
  const char *arguments[] = {"train", data, "--json", "-q", "--reproducible", "--no-cache", labels != NULL ? "--labels" : NULL,
                             labels,  NULL};
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_string_equal(json_string_value(json_object_get(document, "weights_hash")), hash);
  if (strncmp(data, "synthetic:", 10) != 0) assert_true(json_is_null(json_object_get(document, "truth")));
  json_decref(document);
  run_free(&run);
}

static void test_same_weights(void **state) {
  (void)state;
  run_need_device();
  static const char spec[] = "rows=3000,features=9,classes=3,seed=12,noise=0.02,sparsity=0.1";
  static const char *const names[] = {"data.npy", "data.csv", "data.tsv.gz"};
  char source[256], hash[64];
  snprintf(source, sizeof source, "synthetic:%s", spec);
  Run run = RUN("train", source, "--json", "-q", "--reproducible");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  snprintf(hash, sizeof hash, "%s", json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  run_free(&run);
  for (size_t i = 0; i < 3; i++) {
    char path[SUPPORT_PATH], labels[SUPPORT_PATH];
    support_path(path, folder, names[i]);
    support_path(labels, folder, "data-labels.npy");
    run = RUN("generate", i == 1 ? source : spec, "-o", path, "--json");
    run_expect(&run, 0);
    assert_string_equal(run.err, "");
    document = run_json(&run);
    assert_string_equal(json_string_value(json_object_get(document, "command")), "generate");
    assert_int_equal(run_number(document, "data", "rows"), 3000);
    assert_int_equal(run_number(document, "data", "features"), 9);
    assert_int_equal(run_number(document, "data", "classes"), 3);
    assert_string_equal(json_string_value(json_object_get(document, "output")), path);
    if (i == 0)
      assert_string_equal(json_string_value(json_object_get(document, "labels")), labels);
    else
      assert_true(json_is_null(json_object_get(document, "labels")));
    assert_true(run_number(document, "bytes", NULL) > 1000);
    json_decref(document);
    run_free(&run);
    expect_weights(hash, path, i == 0 ? labels : NULL);
  }
}

static void test_summary_labels_and_overwriting(void **state) {
  (void)state;
  char path[SUPPORT_PATH], labels[SUPPORT_PATH], *text;
  support_path(path, folder, "twice.npy");
  support_path(labels, folder, "the labels.npy");
  for (int again = 0; again < 2; again++) {
    Run run = RUN("generate", "rows=100,features=2", "-o", path, "--labels", labels);
    run_expect(&run, 0);
    run_expect_text(run.out, "twice.npy: 100 rows, 2 features, 3 classes, labels in ");
    run_expect_text(run.err, "hint: use it: setosa train ");
    run_expect_text(run.err, " --labels '");
    run_free(&run);
  }
  size_t length = 0;
  text = support_read(path, &length);
  assert_int_equal(length, 128 + 100 * 2 * 4);
  assert_memory_equal(text, "\x93NUMPY\x01\x00", 8);
  free(text);
  assert_int_equal(count_files("twice"), 1);
  assert_int_equal(count_files("the labels"), 1);
}

/* Sparse files are one file with its labels in it, which the summary and the document say. */
static void test_sparse_forms(void **state) {
  (void)state;
  static const char *const names[] = {"sparse.svm", "sparse.svm.gz", "sparse.npz"};
  for (size_t i = 0; i < 3; i++) {
    char path[SUPPORT_PATH];
    support_path(path, folder, names[i]);
    Run run = RUN("generate", "rows=3000,features=1e5,classes=4,fields=30", "-o", path, "--json");
    run_expect(&run, 0);
    assert_string_equal(run.err, "");
    json_t *document = run_json(&run);
    assert_int_equal(run_number(document, "data", "rows"), 3000);
    assert_int_equal(run_number(document, "data", "features"), 100000);
    assert_true(json_is_null(json_object_get(document, "labels")));
    size_t length = 0;
    free(support_read(path, &length));
    assert_int_equal(run_number(document, "bytes", NULL), length);
    json_decref(document);
    run_free(&run);
    run = RUN("generate", "rows=3000,features=1e5,sparsity=0.999", "-o", path);
    run_expect(&run, 0);
    run_expect_text(run.out, ": 3000 rows, 100000 features, 3 classes: ");
    run_expect_text(run.err, "hint: use it: setosa train ");
    run_free(&run);
    assert_int_equal(count_files(names[i]), 1);
    unlink(path);
  }
  setenv("FOLDER", folder, 1);
  Run run = run_shell(
      "ln -s /dev/stdout \"$FOLDER/pipe.npz\"; \"$SETOSA_PROGRAM\" generate rows=10 -q -o \"$FOLDER/pipe.npz\" 2>\"$FOLDER/said\" | cat "
      ">/dev/null; cat \"$FOLDER/said\"");
  run_expect_text(run.out, "pipe.npz: cannot write: it is a pipe, and such a file is not written from front to back; name a file");
  run_free(&run);
  run = RUN("generate", "rows=10,features=1e6,sparsity=0.99", "-o", "wide.csv");
  run_expect(&run, 2);
  run_expect_text(run.err, "wide.csv: of 1000000 features in each row all but 10000 are 0, which .csv writes out; end the name in .svm");
  run_free(&run);
}

/* How near training came: nearer with more rows, whatever scaled the features; null where there is no truth. */
static void test_truth(void **state) {
  (void)state;
  static const char many[] = "synthetic:rows=64000,features=6,classes=3,seed=3";
  const char *const commands[][10] = {
      {"train", "synthetic:rows=1000,features=6,classes=3,seed=3", "--backend", "reference", "--l2", "0", "--json", "-q", NULL},
      {"train", many, "--backend", "reference", "--l2", "0", "--json", "-q", NULL},
      {"train", many, "--backend", "reference", "--l2", "0", "--json", "-q", "--standardize", NULL},
      {"train", many, "--backend", "reference", "--l2", "0", "--json", "-q", "--scale=0.25", NULL},
  };
  double distance[4], cosine[4];
  for (size_t i = 0; i < 4; i++) {
    Run run = run_setosa(commands[i]);
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    distance[i] = run_number(document, "truth", "distance");
    cosine[i] = run_number(document, "truth", "cosine");
    json_decref(document);
    run_free(&run);
  }
  /* Errors fall with the root of the rows: about 8 times. */
  assert_true(distance[0] > 3 * distance[1] && distance[0] < 0.5);
  assert_true(distance[1] < 0.05 && cosine[1] > 0.999 && cosine[1] <= 1);
  support_near(distance[2], distance[1], 1e-3);
  support_near(distance[3], distance[1], 1e-3);
  Run run = RUN("train", many, "--backend", "reference", "--positive", "1", "--json", "-q", "--max-iterations", "5");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_null(json_object_get(document, "truth")));
  json_decref(document);
  run_free(&run);
  run = RUN("train", "synthetic:rows=1000,features=6,classes=3", "--backend", "reference", "-q");
  run_expect(&run, 0);
  run_expect_text(run.out, "of the true ones, relative to their size; mean cosine");
  run_free(&run);
}

/* The disk fills up (a limit on file sizes ends a write in the same way, with another reason) at once or in the middle. */
static void test_disk_full(void **state) {
  (void)state;
  static const char *const names[] = {"full.npy", "full.csv", "full.csv.gz", "full.svm", "full.npz"};
  setenv("FOLDER", folder, 1);
  for (size_t i = 0; i < 5; i++) {
    char command[512];
    snprintf(command, sizeof command, "ulimit -f 200; exec \"$SETOSA_PROGRAM\" generate rows=1e5,features=20 -q -o \"$FOLDER/%s\"",
             names[i]);
    Run run = run_shell(command);
    run_expect(&run, 6);
    run_expect_text(run.err, names[i]);
    run_expect_text(run.err, "cannot write: File too large; raise the limit");
    assert_int_equal(count_files("full"), 0);
    run_free(&run);
    if (access("/dev/full", W_OK) != 0) continue;
    snprintf(command, sizeof command,
             "ln -sf /dev/full \"$FOLDER/%s\"; exec \"$SETOSA_PROGRAM\" generate rows=1e5,features=20 -q -o \"$FOLDER/%s\"", names[i],
             names[i]);
    run = run_shell(command);
    run_expect(&run, 6);
    run_expect_text(run.err, "cannot write: No space left on device; free some space");
    run_free(&run);
    char path[SUPPORT_PATH];
    support_path(path, folder, names[i]);
    unlink(path);
  }
  Run run = run_shell("exec \"$SETOSA_PROGRAM\" generate rows=1e14,features=1000 -o \"$FOLDER/full.npy\"");
  run_expect(&run, 6);
  run_expect_text(run.err, "and the disk has");
  run_free(&run);
  assert_int_equal(count_files("full"), 0);
}

static void test_interrupt(void **state) {
  (void)state;
  static const char *const names[] = {"stop.npy.gz", "stop.csv", "stop.npz", "stop.svm.gz"};
  for (size_t i = 0; i < 4; i++) {
    char path[SUPPORT_PATH];
    support_path(path, folder, names[i]);
    FILE *err = tmpfile();
    int null = open("/dev/null", O_RDWR);
    const char *argv[] = {support_program(), "generate", i == 2 ? "rows=1e7,features=10" : "rows=1e9,features=10", "-o", path, NULL};
    pid_t child = run_start(argv, null, null, fileno(err));
    for (int waited = 0; count_files("stop") == 0 && waited < 20000; waited += 5) run_sleep_ms(5);
    run_sleep_ms(50);
    kill(child, i % 2 == 0 ? SIGINT : SIGTERM);
    int code = run_wait(child);
    close(null);
    char *text = run_slurp(err);
    if (code != 130) fail_msg("exit code %d: %s", code, text);
    run_expect_text(text, "; nothing was written");
    free(text);
    assert_int_equal(count_files("stop"), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_weights), cmocka_unit_test(test_summary_labels_and_overwriting),
      cmocka_unit_test(test_sparse_forms), cmocka_unit_test(test_truth),
      cmocka_unit_test(test_disk_full),    cmocka_unit_test(test_interrupt),
  };
  return support_run("cli_generate", tests, create, destroy);
}
