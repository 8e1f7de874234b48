/* setosa train --start: a model of before as the beginning, by the names of its columns. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH], checkpoint[SUPPORT_PATH];

static int prepare(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_path(model, folder, "model.safetensors");
  support_path(checkpoint, folder, "iris.checkpoint");
  Run run = RUN("train", iris, "--backend", "reference", "--model", model, "--checkpoint", checkpoint);
  run_expect(&run, 0);
  run_free(&run);
  return 0;
}

static int clean(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void test_says_what_it_knows(void **state) {
  (void)state;
  Run run = RUN("train", iris, "--backend", "reference", "--start", model, "--drop", "sepal_width", "--max-iterations", "0");
  run_expect(&run, 0);
  run_expect_text(run.out, "which knows all 3 features and all 3 classes");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--start", model, "--json", "--quiet");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_int_equal(run_number(document, "start", "features"), 4);
  assert_int_equal(run_number(document, "start", "classes"), 3);
  assert_int_equal(run_number(document, "iterations", NULL), 0);
  json_decref(document);
  run_free(&run);
}

/* It was read before it is written. */
static void test_the_model_may_take_its_place(void **state) {
  (void)state;
  char copy[SUPPORT_PATH];
  size_t length = 0;
  char *bytes = support_read(model, &length);
  support_path(copy, folder, "copy.safetensors");
  support_write(copy, bytes, length);
  free(bytes);
  Run run = RUN("train", iris, "--backend", "reference", "--start", copy, "--model", copy, "--quiet");
  run_expect(&run, 0);
  run_free(&run);
}

static void test_refusals(void **state) {
  (void)state;
  char wine[SUPPORT_PATH];
  support_path(wine, folder, "wine.csv");
  support_write_text(wine, "alcohol,acid,kind\n1,2,red\n2,1,white\n3,1,red\n");
  Run run = RUN("train", wine, "--backend", "reference", "--start", model);
  run_expect(&run, 2);
  run_expect_text(run.err, "--start: none of the 4 features of the initial model (\"sepal_length\", ...)");
  assert_ptr_equal(strchr(run.err, '\n'), run.err + strlen(run.err) - 1);
  run_free(&run);
  run = RUN("train", "--resume", checkpoint, "--start", model);
  run_expect(&run, 2);
  run_expect_text(run.err, "--start begins a training, and --resume goes on with one");
  run_free(&run);
  run = RUN("train", iris, "--backend", "reference", "--start", iris);
  run_expect(&run, 3);
  run_free(&run);
}

/* A checkpoint has the weights: where they once began does not matter to who goes on, and the file may be gone. */
static void test_resume_needs_no_start(void **state) {
  (void)state;
  char own[SUPPORT_PATH], copy[SUPPORT_PATH];
  size_t length = 0;
  char *bytes = support_read(model, &length);
  support_path(own, folder, "own.checkpoint");
  support_path(copy, folder, "gone.safetensors");
  support_write(copy, bytes, length);
  free(bytes);
  Run run = RUN("train", iris, "--backend", "reference", "--start", copy, "--l2", "0.5", "--checkpoint", own, "--max-iterations", "1");
  run_expect(&run, 0);
  run_free(&run);
  assert_int_equal(remove(copy), 0);
  run = RUN("train", "--resume", own, "--max-iterations", "100");
  run_expect(&run, 0);
  run_expect_text(run.out, "converged");
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_says_what_it_knows),
      cmocka_unit_test(test_the_model_may_take_its_place),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_resume_needs_no_start),
  };
  return support_run("start", tests, prepare, clean);
}
