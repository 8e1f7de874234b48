/* What is said of a training beside its numbers is true and of use: streamed rows, names of classes, separable classes, what to do about
 * fields that are no numbers, how long it would take. */
#include <math.h>

#include "cli/run.h"

static char folder[SUPPORT_PATH], file[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(file, folder, "data.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static Run train(const char *text, const char *option, const char *value) {
  support_write_text(file, text);
  return RUN("train", file, "--backend", "reference", option, value);
}

static void fields_that_are_no_numbers_get_a_remedy_that_helps(void **state) {
  (void)state;
  static const struct {
    int code;
    const char *text, *says;
  } cases[] = {
      {3, "a,y\n1,p\n2,q\n3,p\n4,q\n5,p\n6,q\n7,p\n8,q\n9x,p\n10,q\n", "data.csv:10:1: '9x' is not a number"},
      {3, "a,y\n1,p\n2,q\n3,p\n4,q\n5,p\n6,q\n7,p\n8,q\n9x,p\n10,q\n", "--na 9x"},
      {0, "a,b,y\n1,x,a\n2,3,b\n", "the column 'b' is left out: it identifies rows"},
      {0, "a;b;y\n1.234,5;2;p\n3;4;q\n", "its values, as '1.234,5', are no numbers: points between thousands are not read: write 1234.5"},
      {0, "a,b,y\n\"1,5\",2,p\n\"3,25\",4,q\n", "its values, as '1,5', are no numbers: --decimal , reads it as 1.5"},
      {0, "a;b;y\n1,234,567;2;p\n3;4;q\n", "commas in numbers are not read: write 1234567"},
      {3, "a,b,y\n1,5,2,5,p\n2,5,3,5,q\n", "quote fields that hold commas, and write decimals with a point"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Run run = train(cases[i].text, NULL, NULL);
    run_expect(&run, cases[i].code);
    run_expect_text(run.err, cases[i].says);
    run_free(&run);
  }
  Run run = train(cases[1].text, "--na", "9x"); /* the remedies help */
  run_expect(&run, 0);
  run_expect_text(run.out, "9 rows (1 left out for missing values), 1 feature, 2 classes");
  run_free(&run);
  run = train(cases[4].text, "--decimal", ",");
  run_expect(&run, 0);
  run_expect_text(run.out, "2 rows, 2 features");
  run_free(&run);
  run = train("a;w;y\n1;0,5;p\n2;1;q\n", "--weights", "w");
  run_expect(&run, 0);
  run_expect_text(run.out, "weights     of rows from column w");
  run_free(&run);
}

static void separable_classes_are_no_optimum(void **state) {
  (void)state;
  static const char apart[] = "a,y\n1,p\n2,p\n3,q\n4,q\n", mixed[] = "a,y\n1,p\n2,q\n3,p\n4,q\n";
  Run run = train(apart, "--l2", "0");
  run_expect(&run, 0);
  run_expect_text(run.err, "not converged (separable): the classes are separable");
  run_expect_text(run.err, "use --l2 above 0");
  run_expect_text(run.out, "the classes are separable, without --l2 there is no optimum");
  assert_null(strstr(run.out, "converged"));
  run_free(&run);
  run = train(apart, "--l2=0", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_true(json_object_get(document, "separable")));
  json_decref(document);
  run_free(&run);
  static const char *const fine[][2] = {{apart, "--l2=0.01"}, {apart, "--label-smoothing=0.1"}, {mixed, "--l2=0"}};
  for (size_t i = 0; i < 3; i++) {
    run = train(fine[i][0], fine[i][1], i == 1 ? "--l2=0" : NULL);
    run_expect(&run, 0);
    run_expect_text(run.out, "converged");
    assert_null(strstr(run.err, "separable"));
    run_free(&run);
  }
}

static void no_progress_offers_double(void **state) {
  (void)state;
  run_need_device();
  char iris[SUPPORT_PATH];
  support_source_path(iris, "data/iris.csv");
  Run run = RUN("train", iris, "--tolerance", "1e-14", "--solver", "lbfgs", "--preconditioner", "none");
  run_expect(&run, 0);
  run_expect_text(run.err, "not converged (no-progress)");
  run_expect_text(run.err, "compute in double with --backend reference");
  run_free(&run);
}

static void names_with_commas_are_quoted(void **state) {
  (void)state;
  char model[SUPPORT_PATH];
  support_path(model, folder, "m.safetensors");
  Run run = train("\"x, of it\",b,y\n1,2,\"p, q\"\n3,4,\"say \"\"r\"\"\"\n5,6,s t\n", "--model", model);
  run_expect(&run, 0);
  run_expect_text(run.out, "(\"p, q\", s t, ");
  run_expect_text(run.out, "\"say \"\"r\"\"\")");
  run_free(&run);
  run = RUN("inspect", model);
  run_expect(&run, 0);
  run_expect_text(run.out, "\"p, q\", s t, \"say \"\"r\"\"\"\n");
  run_expect_text(run.out, "\"x, of it\", b\n");
  run_free(&run);
}

static void streaming_is_in_the_summary(void **state) {
  (void)state;
  run_need_device();
  const char *data = "synthetic:rows=20000,features=64,classes=8";
  Run run = RUN("train", data, "--max-iterations", "2", "--device-memory", "4M", "-q");
  run_expect(&run, 0);
  run_expect_text(run.out, "\n  rows        streamed through the device in every pass, ");
  run_expect_text(run.out, ": making ");
  run_free(&run);
  run = RUN("train", data, "--max-iterations", "2", "-q");
  run_expect(&run, 0);
  assert_null(strstr(run.out, "streamed"));
  run_free(&run);
}

static void a_plan_says_what_is_usual_and_what_takes_the_time(void **state) {
  (void)state;
  run_need_device();
  const char *made = "synthetic:rows=1e8,features=8,classes=3";
  Run run = RUN("train", made, "--dry-run", "--device-memory", "100M", "--json");
  run_expect(&run, 0);
  json_t *plan = run_json(&run);
  double pass = run_number(plan, "seconds_pass", NULL), make = run_number(plan, "seconds_make", NULL);
  assert_true(run_number(plan, "passes_typical", NULL) == 151 && run_number(plan, "passes_estimate", NULL) == 1001);
  assert_true(json_is_false(json_object_get(plan, "resident")));
  assert_true(make > 0 && make + run_number(plan, "seconds_upload", NULL) < pass);
  support_near(run_number(plan, "seconds_typical", NULL), 151 * pass, 1e-9 * 151 * pass);
  json_decref(plan);
  run_free(&run);
  run = RUN("train", made, "--dry-run", "--device-memory", "100M");
  run_expect(&run, 0);
  run_expect_text(run.out, "(of that, making rows");
  run_expect_text(run.out, "most data need");
  run_free(&run);
}

/* A column of numbers as numpy.save writes it. */
static void write_npy(const char *path, const char *type, const char *shape, const void *values, size_t bytes) {
  char file_bytes[512] = "\x93NUMPY\1", *header = file_bytes + 10;
  int length = snprintf(header, 256, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
  file_bytes[8] = (char)length;
  memcpy(header + length, values, bytes);
  support_write(path, file_bytes, 10 + (size_t)length + bytes);
}

/* y * 10 of an .npy: three classes, through training, test data, evaluation and prediction. */
static void labels_with_gaps_are_the_classes(void **state) {
  (void)state;
  char x[SUPPORT_PATH], y[SUPPORT_PATH], model[SUPPORT_PATH];
  static const float values[6] = {0, 1, 5, 6, 10, 11};
  static const int64_t labels[6] = {10, 10, 20, 20, 40, 40}, other[6] = {10, 10, 20, 30, 40, 40};
  support_path(x, folder, "x.npy");
  support_path(y, folder, "x-labels.npy");
  support_path(model, folder, "gaps.safetensors");
  write_npy(x, "<f4", "(6, 1)", values, sizeof values);
  write_npy(y, "<i8", "(6,)", labels, sizeof labels);
  Run run = RUN("train", x, "--backend", "reference", "--model", model, "--test", x);
  run_expect(&run, 0);
  assert_null(strstr(run.out, "4 classes"));
  run_expect_text(run.out, "3 classes");
  run_expect_text(run.out, "test        100.00 % of 6");
  run_free(&run);
  run = RUN("eval", model, x, "--backend", "reference", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_int_equal(json_array_size(json_object_get(document, "per_class")), 3);
  support_near(run_number(document, "macro_recall", NULL), 1, 0);
  json_decref(document);
  run_free(&run);
  run = RUN("predict", model, x, "--backend", "reference");
  run_expect(&run, 0);
  run_expect_text(run.out, "row,predicted,10,20,40\n1,10,");
  run_free(&run);
  write_npy(y, "<i8", "(6,)", other, sizeof other);
  run = RUN("eval", model, x, "--backend", "reference");
  run_expect(&run, 3);
  run_expect_text(run.err, "x-labels.npy:4: the label '30' is not a class of the model");
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_that_are_no_numbers_get_a_remedy_that_helps),
      cmocka_unit_test(separable_classes_are_no_optimum),
      cmocka_unit_test(no_progress_offers_double),
      cmocka_unit_test(names_with_commas_are_quoted),
      cmocka_unit_test(streaming_is_in_the_summary),
      cmocka_unit_test(labels_with_gaps_are_the_classes),
      cmocka_unit_test(a_plan_says_what_is_usual_and_what_takes_the_time),
  };
  return support_run("cli_said", tests, create, destroy);
}
