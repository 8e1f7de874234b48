/* Tuning as a user meets it: said with --verbose, kept in the cache and cleared with it, and of no effect on --reproducible. */
#include <glob.h>

#include "cli/run.h"

/* Just worth tuning: 4.3e8 flops a pass. */
#define WORK "synthetic:rows=60000,features=200,classes=9,seed=3"

static char cache[SUPPORT_PATH];

static size_t count_verdicts(void) {
  char pattern[SUPPORT_PATH];
  glob_t found;
  support_path(pattern, cache, "setosa/tuning/*.txt");
  if (glob(pattern, 0, NULL, &found) != 0) return 0;
  size_t count = found.gl_pathc;
  globfree(&found);
  return count;
}

static Run train(const char *data, const char *how, const char *value) {
  const char *const arguments[] = {"train", data, "--max-iterations", "3", "--json", "-v", how, value, NULL};
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  return run;
}

static void tuning_is_told_kept_and_cleared(void **state) {
  (void)state;
  run_need_device();
  char iris[SUPPORT_PATH];
  support_source_path(iris, "data/iris.csv");
  Run run = train(iris, NULL, NULL);
  assert_null(strstr(run.err, "tuning:"));
  run_free(&run);
  assert_int_equal(count_verdicts(), 0);

  run = train(WORK, NULL, NULL);
  run_expect_text(run.err, "tuning: fused pass, 9 classes, up to 256 features as f32: best of ");
  json_t *document = run_json(&run);
  double first = run_number(document, "seconds", "tune");
  assert_true(first > 0);
  assert_string_equal(json_string_value(json_object_get(document, "backend")), "native");
  json_decref(document);
  run_free(&run);
  assert_int_equal(count_verdicts(), 1);

  run = train(WORK, "--backend", "native");
  run_expect_text(run.err, "known from before");
  run_free(&run);

  run = RUN("cache", "clear");
  run_expect(&run, 0);
  run_free(&run);
  assert_int_equal(count_verdicts(), 0);
}

static void hash_of(char hash[40], const char *how, const char *value) {
  Run run = train(WORK, how, value);
  json_t *document = run_json(&run);
  snprintf(hash, 40, "%s", json_string_value(json_object_get(document, "weights_hash")));
  assert_null(strstr(run.err, "tuning:"));
  json_decref(document);
  run_free(&run);
}

static void reproducible_is_the_default_shape(void **state) {
  (void)state;
  run_need_device();
  char reproducible[40], off[40];
  hash_of(reproducible, "--reproducible", NULL);
  hash_of(off, "--tune", "off");
  assert_string_equal(reproducible, off);
  assert_int_equal(count_verdicts(), 0);
}

static int begin(void **state) {
  (void)state;
  support_folder_create(cache);
  setenv("XDG_CACHE_HOME", cache, 1);
  unsetenv("SETOSA_KERNEL_DIR");
  return 0;
}

static int end(void **state) {
  (void)state;
  support_folder_remove(cache);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tuning_is_told_kept_and_cleared),
      cmocka_unit_test(reproducible_is_the_default_shape),
  };
  return support_run("tuning of the program", tests, begin, end);
}
