/* Where the time of a training went: the parts add up to the total, for whatever kind of training, as JSON and as text. */
#include <math.h>

#include "cli/run.h"
#include "support/mpirun.h"

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

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* The named parts of seconds in the document. */
static double part(const json_t *document, const char *name) { return run_number(document, "seconds", name); }

/* before + "$SETOSA_PROGRAM" train + arguments, as JSON. json_decref the document. */
static json_t *train_json(const char *before, const char *arguments) {
  char command[4 * SUPPORT_PATH];
  snprintf(command, sizeof command, "cd %s && export iris=%s && exec %s \"$SETOSA_PROGRAM\" train %s --json --quiet", folder, iris, before,
           arguments);
  double began = now();
  Run run = run_shell(command);
  double took = now() - began;
  run_expect(&run, 0);
  json_t *document = run_json(&run), *value;
  run_free(&run);
  double sum = 0, total = part(document, "total");
  const char *key;
  json_object_foreach(json_object_get(document, "seconds"), key, value) {
    if (!(json_number_value(value) >= 0)) fail_msg("train %s: seconds.%s is %g", arguments, key, json_number_value(value));
    if (strcmp(key, "total") != 0) sum += json_number_value(value);
  }
  if (!(fabs(sum - total) <= 0.02 * total)) fail_msg("train %s: parts of %g s, and a total of %g s", arguments, sum, total);
  if (!(total <= took)) fail_msg("train %s: a total of %g s, and it ran for %g s", arguments, total, took);
  return document;
}

static void parts_add_up(void **state) {
  (void)state;
  run_need_device();
  static const char *const kinds[] = {
      "\"$iris\"",
      "\"$iris\" --standardize --validation 0.2 --test \"$iris\" --model m.safetensors --log l.jsonl",
      "\"$iris\" --backend reference",
      "synthetic:rows=20000,features=64,classes=8 --max-iterations 5 --device-memory 4M", /* rows stream */
      "synthetic:rows=20000,features=16,classes=4 --solver sgd --epochs 3 --checkpoint c.ckpt --every 20it",
      "synthetic:rows=20000,features=64,classes=8 --max-iterations 5 --device 0/2", /* two devices */
  };
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) json_decref(train_json("", kinds[i]));
}

static void each_part_is_where_its_work_is(void **state) {
  (void)state;
  run_need_device();
  json_t *document = train_json("", "synthetic:rows=5000,features=50,classes=5 --backend reference --max-iterations 100 --tolerance 0");
  assert_true(part(document, "train") > 0.5 * part(document, "total"));
  assert_true(part(document, "upload") == 0 && part(document, "build") == 0 && part(document, "tune") == 0);
  json_decref(document);
  document = train_json("", "synthetic:rows=400000,features=32,classes=3 --backend reference --max-iterations 0");
  assert_true(part(document, "load") > 0 && part(document, "score") > 0);
  json_decref(document);
  document = train_json("", "synthetic:rows=5000,features=16,classes=4 --solver sgd --epochs 2 --checkpoint k.ckpt --every 1it");
  assert_true(part(document, "checkpoint") > 0);
  json_decref(document);
}

/* With nothing kept from before the self-test is its own part; once its verdict is kept that part is less, for it is only read. */
static void expect_the_self_test(const char *before) {
  char set[2 * SUPPORT_PATH];
  snprintf(set, sizeof set, "env XDG_CACHE_HOME=%s/%s %s", folder, before[0] != '\0' ? "jobs" : "alone", before);
  json_t *document = train_json(set, "\"$iris\""), *again = train_json(set, "\"$iris\"");
  double test = part(document, "test"), read = part(again, "test");
  if (!(test > 2 * read)) fail_msg("the self-test took %g s, and reading its verdict %g s", test, read);
  json_decref(again);
  json_decref(document);
}

static void the_self_test_is_told(void **state) {
  (void)state;
  run_need_device();
  expect_the_self_test("");
}

static void parts_of_ranks_add_up(void **state) {
  (void)state;
  run_need_device();
  mpirun_need();
  json_decref(train_json(MPIRUN "2", "\"$iris\" --max-iterations 20"));
}

static void nightly_ranks_tell_the_self_test(void **state) {
  (void)state;
  run_need_device();
  mpirun_need();
  expect_the_self_test(MPIRUN "2");
}

static void parts_of_blas_add_up(void **state) {
  (void)state;
#ifndef SETOSA_HAVE_BLAS
  support_skip("this build has no OpenBLAS");
#endif
  json_decref(train_json("", "\"$iris\" --backend blas"));
}

/* "1.37 s: reading 0.00 s, training 1.21 s": what is printed adds up, too, but for its hundredths. */
static void expect_text(const char *first, const char *second, const char *third) {
  Run run = RUN("train", first, "--quiet", second, third);
  run_expect(&run, 0);
  char *time = strstr(run.out, "\n  time "), text[1024] = "";
  assert_non_null(time);
  for (const char *at = time + strlen("\n  time "); *at != '\0' && strlen(text) + 2 < sizeof text; at++) {
    if (at[0] == '\n' && at[1] != '\0' && strncmp(at + 1, "              ", 14) != 0) break; /* the next line of the summary */
    text[strlen(text)] = *at == '\n' ? ' ' : *at;
  }
  char *colon = strchr(text, ':');
  assert_non_null(colon);
  double total = strtod(text, NULL), sum = 0;
  int parts = 0;
  for (char *at = colon; *at != '\0'; at++) {
    if (*at < '0' || *at > '9') continue;
    sum += strtod(at, &at);
    parts++;
  }
  if (!(parts >= 2 && fabs(total - sum) <= 0.02 * total + 0.005 * (parts + 8))) fail_msg("parts of %g s in: %s", sum, text);
  run_free(&run);
}

static void text_adds_up(void **state) {
  (void)state;
  expect_text("synthetic:rows=300000,features=32,classes=3", "--backend=reference", "--max-iterations=3");
  run_need_device();
  expect_text(iris, "--max-iterations=30", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(parts_add_up),          cmocka_unit_test(each_part_is_where_its_work_is),
                                     cmocka_unit_test(the_self_test_is_told), cmocka_unit_test(parts_of_ranks_add_up),
                                     cmocka_unit_test(parts_of_blas_add_up),  cmocka_unit_test(nightly_ranks_tell_the_self_test),
                                     cmocka_unit_test(text_adds_up)};
  return support_run("cli_times", tests, create, destroy);
}
