/* Rows that are read as those of a training were: test data and a model's data need no option again, whatever is beside their columns. */
#include "cli/run.h"

static char home[SUPPORT_PATH], folder[SUPPORT_PATH];

static void write_here(const char *name, const char *text) {
  char path[SUPPORT_PATH];
  support_path(path, folder, name);
  support_write_text(path, text);
}

/* The same rows: with all columns; some of them, the other way round, and one more; and without names. */
static int create(void **state) {
  (void)state;
  assert_non_null(getcwd(home, sizeof home));
  support_folder_create(folder);
  assert_int_equal(chdir(folder), 0);
  write_here("all.csv", "who,kind,code,size,site\na,p,1,0.5,x\nb,q,2,1.5,y\nc,p,1,,x\nd,q,1,2.5,y\ne,p,2,1.25,x\n");
  write_here("some.csv", "code,note,size,kind\n1,hm,0.5,p\n2,,1.5,q\n1,?,,p\n1,ok,2.5,q\n2,ok,1.25,p\n");
  write_here("bare.csv", "p,1,0.5\nq,2,1.5\np,1,0.75\nq,1,2.5\np,2,1.25\n");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  assert_int_equal(chdir(home), 0);
  support_folder_remove(folder);
  return 0;
}

static json_t *document_of(Run run) {
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  run_free(&run);
  return document;
}

/* Test data of these rows score as the training rows do, and so does the model. */
static void expect_alike(const char *test, json_t *trained) {
  json_t *scored = document_of(RUN("eval", "m.safetensors", test, "--backend", "reference", "--json", "-q"));
  double loss = run_number(trained, "train", "log_loss");
  support_near(run_number(trained, "test", "log_loss"), loss, 1e-6);
  support_near(run_number(scored, "log_loss", NULL), loss, 1e-6);
  assert_true(run_number(scored, "data", "rows") == run_number(trained, "data", "rows"));
  json_decref(scored);
  json_decref(trained);
}
#define TRAIN(...) document_of(RUN("train", "--backend", "reference", "--json", "-q", "--model", "m.safetensors", __VA_ARGS__))

static void options_need_no_column_of_the_test_data(void **state) {
  (void)state;
  expect_alike("some.csv",
               TRAIN("all.csv", "--label", "kind", "--categorical", "code", "--drop", "site", "--id", "who", "--test", "some.csv"));
  expect_alike("some.csv", TRAIN("all.csv", "--label", "2", "--features", "size,code", "--test", "some.csv"));
}

/* The order of --features is that of the weights. */
static void columns_without_names_keep_their_order(void **state) {
  (void)state;
  expect_alike("bare.csv", TRAIN("bare.csv", "--label", "1", "--features", "3,2", "--test", "bare.csv"));
}

/* What there is to say of other rows is not said of the one that is asked for. */
static void explain_speaks_of_its_row_alone(void **state) {
  (void)state;
  json_decref(TRAIN("all.csv", "--label", "kind", "--drop", "who"));
  Run run = RUN("explain", "m.safetensors", "all.csv", "--row", "4");
  run_expect(&run, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
  run = RUN("explain", "m.safetensors", "all.csv", "--row", "3");
  run_expect(&run, 3);
  run_expect_text(run.err, "all.csv: row 3 lacks a value");
  assert_null(strstr(run.err, "warning"));
  run_free(&run);
  run = RUN("explain", "--x", "1,2", "--weights", "1,2;3,4", "--na", "x");
  run_expect(&run, 2);
  run_expect_text(run.err, "--na belongs to `setosa explain MODEL DATA --row N`");
  run_free(&run);
}

static void help_says_whose_the_default_is(void **state) {
  (void)state;
  static const char *const commands[] = {"eval", "predict", "explain"};
  Run run = RUN("help", "train");
  run_expect_text(run.out, "(default drop)");
  run_free(&run);
  for (size_t i = 0; i < 3; i++) {
    run = RUN("help", commands[i]);
    run_expect_text(run.out, "as in the training)");
    if (strstr(run.out, "(default drop)") != NULL || strstr(run.out, "(default zero)") != NULL) fail_msg("%s", run.out);
    run_free(&run);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(options_need_no_column_of_the_test_data),
      cmocka_unit_test(columns_without_names_keep_their_order),
      cmocka_unit_test(explain_speaks_of_its_row_alone),
      cmocka_unit_test(help_says_whose_the_default_is),
  };
  return support_run("cli_read_alike", tests, create, destroy);
}
