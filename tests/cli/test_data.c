/* Data as the program reads them: the cache of conversions and its options. */
#include <math.h>
#include <sys/stat.h>

#include "cli/run.h"

enum { ROWS = 60000 };

static char folder[SUPPORT_PATH], table[SUPPORT_PATH];
static const char *source = table; /* what is trained on */

/* 9 MB of a noisy line between two classes. */
static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(table, folder, "table.csv");
  FILE *file = fopen(table, "w");
  if (file == NULL) return 1;
  fprintf(file, "a,b,c,d,e,f,g,kind\n");
  for (int i = 0; i < ROWS; i++) {
    double x = sin(i * 0.731), y = cos(i * 1.913);
    fprintf(file, "%.16f,%.16f,%.16f,%.16f,%.16f,%.16f,%.16f,%s\n", x, y, x * y, x - y, x + y, x * x, sin(i * 0.01),
            x + 0.2 * y > 0 ? "in" : "out");
  }
  if (fclose(file) != 0) return 1;
  run_sleep_ms(150); /* until then it counts as just written */
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* The hash of the weights; whether the rows came from the cache. */
static void train(char hash[64], bool from_cache, const char *const *more) {
  const char *arguments[RUN_ARGUMENTS] = {"train", source, "--backend", "reference", "--max-iterations", "2", "--json"};
  for (size_t i = 0; more[i] != NULL; i++) arguments[7 + i] = more[i];
  Run run = run_setosa(arguments);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const json_t *cached = json_object_get(json_object_get(document, "data"), "cached");
  assert_true(json_is_boolean(cached));
  assert_int_equal(json_is_true(cached), from_cache);
  snprintf(hash, 64, "%s", json_string_value(json_object_get(document, "weights_hash")));
  json_decref(document);
  run_free(&run);
}
#define TRAIN(hash, cached, ...) train(hash, cached, (const char *const[]){__VA_ARGS__, NULL})

static void the_cache_changes_no_bit(void **state) {
  (void)state;
  char kept[SUPPORT_PATH], plain[64], first[64], second[64];
  support_path(kept, folder, "made/on/the/way");
  TRAIN(plain, false, "--no-cache", "--cache", kept);
  assert_int_equal(access(kept, F_OK), -1);
  TRAIN(first, false, "--cache", kept);
  TRAIN(second, true, "--cache", kept);
  assert_string_equal(first, plain);
  assert_string_equal(second, plain);
  TRAIN(second, false, "--cache", kept, "--no-cache");
  assert_string_equal(second, plain);
  /* A factor is applied to what the cache holds; scaling of any kind works on a copy. */
  TRAIN(plain, false, "--scale", "0.5", "--no-cache");
  TRAIN(second, true, "--scale", "0.5", "--cache", kept);
  assert_string_equal(second, plain);
  TRAIN(plain, false, "--standardize", "--validation", "0.1", "--no-cache");
  TRAIN(second, true, "--standardize", "--validation", "0.1", "--cache", kept);
  assert_string_equal(second, plain);
}

static void verbose_says_where_rows_come_from(void **state) {
  (void)state;
  char kept[SUPPORT_PATH];
  support_path(kept, folder, "told");
  for (int again = 0; again < 2; again++) {
    Run run = RUN("train", table, "--backend", "reference", "--max-iterations", "0", "--cache", kept, "--verbose");
    run_expect(&run, 0);
    assert_int_equal(strstr(run.err, "from the cache of an earlier conversion") != NULL, again == 1);
    run_free(&run);
  }
}

static void a_cache_that_fails_is_a_warning(void **state) {
  (void)state;
  char blocked[SUPPORT_PATH], below[SUPPORT_PATH];
  support_path(blocked, folder, "blocked");
  support_path(below, blocked, "below");
  support_write_text(blocked, "a file");
  Run run = RUN("train", table, "--backend", "reference", "--max-iterations", "0", "--cache", below);
  run_expect(&run, 0);
  run_expect_text(run.err, "warning: nothing is kept in --cache");
  run_expect_text(run.err, blocked);
  run_free(&run);
}

static void models_read_by_way_of_the_cache(void **state) {
  (void)state;
  char kept[SUPPORT_PATH], model[SUPPORT_PATH];
  support_path(kept, folder, "models");
  support_path(model, folder, "model.safetensors");
  Run run =
      RUN("train", table, "--backend", "reference", "--max-iterations", "3", "--standardize", "--model", model, "--cache", kept, "-q");
  run_expect(&run, 0);
  run_free(&run);
  char *out[3];
  for (int i = 0; i < 3; i++) {
    run = RUN("predict", model, table, "--backend", "reference", "--verbose", "--cache", kept, i == 0 ? "--no-cache" : "--header");
    run_expect(&run, 0);
    assert_int_equal(strstr(run.err, "from the cache") != NULL, i == 2);
    out[i] = run.out;
    run.out = NULL;
    run_free(&run);
  }
  assert_string_equal(out[0], out[1]);
  assert_string_equal(out[0], out[2]);
  for (int i = 0; i < 3; i++) free(out[i]);
}

/* LIBSVM text: its rows in memory, written into the cache, and mapped from there are the same. */
static void sparse_rows_come_from_the_cache(void **state) {
  (void)state;
  char text[SUPPORT_PATH], kept[SUPPORT_PATH], plain[64], hash[64], command[6 * SUPPORT_PATH];
  support_path(text, folder, "rows.svm");
  support_path(kept, folder, "sparse");
  FILE *file = fopen(text, "w");
  assert_non_null(file);
  for (unsigned i = 0; i < 20000; i++) {
    fprintf(file, "%d", i % 7 < 3);
    for (unsigned d = 0; d < 50; d++) fprintf(file, " %u:%u.5", 1 + 90 * d + i * (d + 3) % 89, (i + d) % 4);
    fputc('\n', file);
  }
  assert_int_equal(fclose(file), 0);
  run_sleep_ms(150);
  source = text;
  TRAIN(plain, false, "--no-cache");
  for (int again = 0; again < 2; again++) {
    TRAIN(hash, again == 1, "--cache", kept);
    assert_string_equal(hash, plain);
  }
  TRAIN(plain, false, "--standardize", "--validation", "0.1", "--no-cache");
  TRAIN(hash, true, "--standardize", "--validation", "0.1", "--cache", kept);
  assert_string_equal(hash, plain);
  source = table;
  snprintf(
      command, sizeof command,
      "export XDG_CACHE_HOME='%s/xdg-sparse'; T=\"$SETOSA_PROGRAM train %s --backend reference --max-iterations 0 -v\"; "
      "$T 2>&1 | grep -c 'from the cache'; $T 2>&1 | grep -c 'from the cache'; P=$($SETOSA_PROGRAM cache path); ls \"$P/data\" | wc -l; "
      "$SETOSA_PROGRAM cache clear | grep -c freed; test ! -e \"$P/data\" && echo gone",
      folder, text);
  Run run = run_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.out, "0\n1\n1\n1\ngone\n");
  run_free(&run);
}

/* The default place lies in the cache folder, which `setosa cache` prints and empties. */
static void cache_clear_removes_conversions(void **state) {
  (void)state;
  char command[4 * SUPPORT_PATH];
  snprintf(command, sizeof command,
           "export XDG_CACHE_HOME='%s/xdg'; T=\"$SETOSA_PROGRAM train %s --backend reference --max-iterations 0 -q\"; "
           "$T >/dev/null && P=$($SETOSA_PROGRAM cache path) && test \"$P\" = \"$XDG_CACHE_HOME/setosa\" && ls \"$P/data\" | grep -c "
           "'[.]data$' && "
           "$SETOSA_PROGRAM cache clear >/dev/null && test ! -e \"$P/data\" && $T >/dev/null && ls \"$P/data\" | wc -l",
           folder, table);
  Run run = run_shell(command);
  run_expect(&run, 0);
  assert_string_equal(run.out, "1\n1\n");
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_cache_changes_no_bit),        cmocka_unit_test(verbose_says_where_rows_come_from),
      cmocka_unit_test(a_cache_that_fails_is_a_warning), cmocka_unit_test(models_read_by_way_of_the_cache),
      cmocka_unit_test(sparse_rows_come_from_the_cache), cmocka_unit_test(cache_clear_removes_conversions),
  };
  return support_run("cli_data", tests, create, destroy);
}
