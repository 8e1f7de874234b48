/* Sparse rows as a user meets them: what is said of them, that every option means what it means to the same rows with their zeros, that
 * models go from one kind to the other, and what is refused with which words. */
#include <math.h>

#include "cli/run.h"
#include "support/mpirun.h"

static char folder[SUPPORT_PATH], heart[SUPPORT_PATH], iris[SUPPORT_PATH], weights[SUPPORT_PATH], model[SUPPORT_PATH], other[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  char text[270 * 2 + 1];
  support_folder_create(folder);
  support_source_path(heart, "data/heart_scale.svm");
  support_source_path(iris, "data/iris.csv");
  support_path(weights, folder, "weights.txt");
  support_path(model, folder, "model.safetensors");
  support_path(other, folder, "other.safetensors");
  for (int i = 0; i < 270; i++) snprintf(text + 2 * i, 3, "%d\n", 1 + i % 3);
  support_write_text(weights, text);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void write_file(char path[SUPPORT_PATH], const char *name, const char *text) {
  support_path(path, folder, name);
  support_write_text(path, text);
}

/* `setosa COMMAND $heart ...`, a line of sh in which $heart, $iris, $weights, $model, $other and $folder stand for files. */
static Run run_line(const char *line) {
  char command[8 * SUPPORT_PATH];
  snprintf(command, sizeof command, "heart='%s' iris='%s' weights='%s' model='%s' other='%s' folder='%s'; \"$SETOSA_PROGRAM\" %s", heart,
           iris, weights, model, other, folder, line);
  return run_shell(command);
}

static json_t *document_of(const char *line) {
  Run run = run_line(line);
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  run_free(&run);
  return document;
}

/* The line ends with the code, and what it says holds the part. */
static void expect_said(const char *line, int code, const char *part) {
  Run run = run_line(line);
  run_expect(&run, code);
  run_expect_text(code == 0 ? run.out : run.err, part);
  run_free(&run);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static void expect_kind(const char *line, bool sparse, double non_zeros, double base) {
  json_t *document = document_of(line);
  const json_t *data = json_object_get(document, "data");
  assert_true(json_is_boolean(json_object_get(data, "sparse")));
  assert_int_equal(json_is_true(json_object_get(data, "sparse")), sparse);
  if (sparse)
    assert_true(run_number(data, "non_zeros", NULL) == non_zeros);
  else
    assert_true(json_is_null(json_object_get(data, "non_zeros")));
  if (base >= 0)
    assert_true(run_number(data, "index_base", NULL) == base);
  else
    assert_true(json_is_null(json_object_get(data, "index_base")));
  json_decref(document);
}

static void summaries_say_what_the_rows_are(void **state) {
  (void)state;
  char zero[SUPPORT_PATH];
  write_file(zero, "zero.svm", "a 0:1 7:1\nb 3:1\na 0:1 3:1\nb 7:1\n");
  expect_said("train $heart --backend reference", 0, "270 rows, 13 features (indices from 1), 2 classes");
  expect_said("train $heart --backend reference", 0, "\n  storage     3.38k non-zeros, 96.2 %, values f32; the training held ");
  expect_said("train $folder/zero.svm --backend reference", 0, "8 features (indices from 0)");
  expect_said("train $folder/zero.svm --backend reference", 0, "6 non-zeros, 18.8 %, all 1;");
  expect_said("train $heart --hash-features 10 --backend reference", 0, "1024 features (hashes of names)");
  expect_said("inspect $heart", 0, "270 rows, 13 features (indices from 1)\n  storage     3.38k non-zeros, 96.2 %, values f32\n");
  expect_said("cv $heart --backend reference --folds 2 --l2-path 0.1", 0, "\n  storage     3.38k non-zeros, 96.2 %, values f32\n");
  expect_said("train $heart --backend reference --dry-run", 0, "\n  sparse rows: 3.38k non-zeros, 96.2 %, values f32\n");
  expect_said("train $heart --backend reference --dry-run", 0, "  entries of sparse rows\n");

  expect_kind("train $heart --backend reference --json", true, 3378, 1);
  expect_kind("train $folder/zero.svm --backend reference --json --model $model", true, 6, 0);
  expect_kind("inspect $heart --json", true, 3378, 1);
  expect_kind("inspect $folder/zero.svm --json", true, 6, 0);
  expect_kind("eval $model $folder/zero.svm --backend reference --json", true, 6, 0);
  expect_kind("cv $heart --backend reference --folds 2 --l2-path 0.1 --json", true, 3378, 1);
  expect_kind("train $iris --backend reference --json", false, 0, -1);
  expect_kind("train $iris --sparse always --backend reference --json", true, 600, -1);
  expect_kind("train $heart --sparse never --backend reference --json", false, 0, 1);

  Run run = run_line("train $iris --backend reference");
  run_expect(&run, 0);
  assert_null(strstr(run.out, "storage"));
  run_free(&run);
  json_t *plan = document_of("train $heart --backend reference --dry-run --json");
  assert_true(json_is_true(json_object_get(plan, "sparse")));
  assert_true(run_number(plan, "non_zeros", NULL) == 3378);
  json_decref(plan);
}

/* SciPy's archives, as `generate` writes them. */
static void archives_are_inspected(void **state) {
  (void)state;
  expect_said("generate rows=50,features=400,classes=3,sparsity=0.98 -o $folder/scipy.npz", 0, "scipy.npz");
  expect_said("inspect $folder/scipy.npz", 0, "50 rows, 400 features\n  storage     400 non-zeros, 2 %, values f32\n");
  expect_kind("inspect $folder/scipy.npz --json", true, 400, -1);
  expect_kind("train $folder/scipy.npz --backend reference --json", true, 400, -1);
}

static void a_row_is_explained_by_its_entries(void **state) {
  (void)state;
  char data[SUPPORT_PATH];
  write_file(data, "explained.svm", "a 1:1 8:2\nb 4:1\na 1:1 4:1\nb 8:1\nb\n");
  expect_said("train $folder/explained.svm --backend reference --model $model --standardize", 0, "8 features (indices from 1)");
  expect_said("explain $model $folder/explained.svm --row 1", 0, "x has 8 features, and 2 entries; all else is 0\n  x: 1:");
  expect_said("explain $model $folder/explained.svm --row 1", 0, "x as given * scale");
  expect_said("explain $model $folder/explained.svm --row 1", 0, "\n  1 \"a\"  8        2.000000");
  expect_said("explain $model $folder/explained.svm --row 5", 0, "0 entries; all else is 0");
  expect_said("explain $model $folder/explained.svm --row 5", 0, "0 everywhere, since x is");

  json_t *document = document_of("explain $model $folder/explained.svm --row 1 --json");
  Run predicted = run_line("predict $model $folder/explained.svm --backend reference");
  double p[2];
  run_expect(&predicted, 0);
  assert_int_equal(sscanf(strstr(predicted.out, "\n1,"), "\n1,a,%lf,%lf", &p[0], &p[1]), 2);
  assert_true(run_number(document, "features", NULL) == 8);
  assert_true(run_number(document, "entries", NULL) == 2);
  static const char *const lists[] = {"columns", "x", "x_given"};
  for (size_t i = 0; i < 3; i++) assert_int_equal(json_array_size(json_object_get(document, lists[i])), 2);
  assert_int_equal(json_integer_value(json_array_get(json_object_get(document, "columns"), 1)), 7);
  for (size_t k = 0; k < 2; k++) {
    support_near(json_number_value(json_array_get(json_object_get(document, "probabilities"), k)), p[k], 1e-6);
    assert_int_equal(json_array_size(json_array_get(json_object_get(document, "dweights"), k)), 2);
  }
  assert_true(run_number(document, "largest_difference", NULL) < 1e-11);
  json_decref(document);
  run_free(&predicted);
}

/* ---- the same as with zeros --------------------------------------------------------------------------------------- */

static void expect_equal(const char *options, const char *data) {
  char line[1024];
  json_t *documents[2];
  for (int dense = 0; dense < 2; dense++) {
    snprintf(line, sizeof line, "train %s --backend reference --l2 0.001 --json %s %s", data, options, dense ? "--sparse never" : "");
    documents[dense] = document_of(line);
  }
  static const char *const numbers[][2] = {{"objective", NULL}, {"loss", NULL}, {"train", "accuracy"}, {"train", "log_loss"}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    double sparse = run_number(documents[0], numbers[i][0], numbers[i][1]), dense = run_number(documents[1], numbers[i][0], numbers[i][1]);
    if (!(fabs(sparse - dense) <= 1e-7 * fabs(dense)))
      fail_msg("%s: %s %s is %.12g of sparse rows and %.12g of dense ones", options, numbers[i][0], numbers[i][1], sparse, dense);
  }
  json_decref(documents[0]);
  json_decref(documents[1]);
}

static void options_mean_the_same(void **state) {
  (void)state;
  static const char *const options[] = {"",
                                        "--standardize",
                                        "--scale 0.5",
                                        "--l1 0.01",
                                        "--weights $weights",
                                        "--class-weight balanced",
                                        "--label-smoothing 0.1",
                                        "--no-intercept",
                                        "--validation 0.2 --seed 3",
                                        "--test $heart",
                                        "--positive -1",
                                        "--solver gd --max-iterations 50",
                                        "--solver sgd --epochs 3 --batch-size 32 --seed 7",
                                        "--solver adam --epochs 3 --batch-size 50 --validation 0.2 --patience 2",
                                        "--solver lbfgs --preconditioner none",
                                        "--solver lbfgs --preconditioner diagonal",
                                        "--solver lbfgs --preconditioner kron",
                                        "--solver lbfgs --preconditioner blocks"};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) expect_equal(options[i], "$heart");
}

static double evaluated(const char *line) {
  json_t *document = document_of(line);
  double loss = run_number(document, "log_loss", NULL);
  json_decref(document);
  return loss;
}

/* A model does not know what kind of rows it is of. */
static void models_go_both_ways(void **state) {
  (void)state;
  expect_said("train $heart --standardize --backend reference --model $model", 0, "converged");
  expect_said("train $heart --standardize --backend reference --model $other --sparse never", 0, "converged");
  double sparse = evaluated("eval $model $heart --backend reference --json");
  support_near(evaluated("eval $model $heart --backend reference --json --sparse never"), sparse, 1e-6);
  support_near(evaluated("eval $other $heart --backend reference --json"), sparse, 1e-6);
  support_near(evaluated("eval $other $heart --backend reference --json --sparse never"), sparse, 1e-6);
  expect_said("train $heart --start $other --backend reference --l2 0.001", 0, "which knows all 13 features and all 2 classes");
}

static void a_training_goes_on_to_the_same_bits(void **state) {
  (void)state;
  static const char *const solvers[] = {"--solver lbfgs --max-iterations 9", "--solver sgd --epochs 4 --schedule constant"};
  static const char *const cut[] = {"--solver lbfgs --max-iterations 4", "--solver sgd --epochs 2 --schedule constant"};
  static const char *const on[] = {"--max-iterations 9", "--epochs 4"};
  for (size_t i = 0; i < 2; i++) {
    char line[512];
    snprintf(line, sizeof line, "train $heart --backend reference --json %s", solvers[i]);
    json_t *whole = document_of(line);
    snprintf(line, sizeof line, "train $heart --backend reference --json %s --checkpoint $folder/%zu.checkpoint", cut[i], i);
    json_decref(document_of(line));
    snprintf(line, sizeof line, "train $heart --backend reference --json %s --resume $folder/%zu.checkpoint", on[i], i);
    json_t *resumed = document_of(line);
    assert_string_equal(json_string_value(json_object_get(whole, "weights_hash")),
                        json_string_value(json_object_get(resumed, "weights_hash")));
    json_decref(whole);
    json_decref(resumed);
  }
}

/* ---- tables, and rows of other features ---------------------------------------------------------------------------- */

/* 600 words in a column make sparse rows of it. */
static void wide_tables_are_sparse_by_themselves(void **state) {
  (void)state;
  char table[SUPPORT_PATH], rows[SUPPORT_PATH];
  support_path(table, folder, "wide.csv");
  FILE *file = fopen(table, "w");
  assert_non_null(file);
  fprintf(file, "word,size,class\n");
  for (int i = 0; i < 3000; i++) fprintf(file, "w%d,%d,%c\n", i * 7 % 600, i % 11, "ab"[i * 7 % 600 % 2]);
  assert_int_equal(fclose(file), 0);
  write_file(rows, "rows.csv", "size,word\n3,w17\n4,never\n");
  expect_kind("train $folder/wide.csv --backend reference --json --model $model", true, 5727, -1);
  expect_said("inspect $folder/wide.csv", 0, "601, made of 2 columns; kept as sparse rows");
  expect_said("predict $model $folder/rows.csv --backend reference", 0, "\n1,b,");
  expect_said("predict $model $folder/rows.csv --backend reference", 0, "\n2,");
  expect_said("explain $model $folder/wide.csv --row 2", 0, "and 2 entries; all else is 0\n  x: ");
  expect_said("explain $model $folder/wide.csv --row 2", 0, "word=w7");
}

static void other_features_are_said(void **state) {
  (void)state;
  char more[SUPPORT_PATH], zero[SUPPORT_PATH], few[SUPPORT_PATH];
  write_file(more, "more.svm", "1 1:0.5 20:1\n-1 2:1\n");
  write_file(zero, "from_zero.svm", "1 0:0.5 2:1\n");
  write_file(few, "few.csv", "a,y\n0.5,1\n0.1,2\n");
  expect_said("train $heart --backend reference --model $model", 0, "converged");
  Run run = run_line("predict $model $folder/more.svm --backend reference");
  run_expect(&run, 0);
  run_expect_text(run.err, "1 entry is left out, of features that the model does not have (it has 13, and the first such index is 20)");
  run_free(&run);
  expect_said("predict $model $folder/from_zero.svm --backend reference", 3, "the first feature of the model is called 1");
  expect_said("predict $model $folder/few.csv --backend reference", 3, "but the model has 13");
  expect_said("train $heart --no-intercept --standardize --backend reference", 2, "sparse rows cannot have a mean taken off");
}

/* ---- devices ------------------------------------------------------------------------------------------------------ */

static void devices_take_sparse_rows(void **state) {
  (void)state;
  run_need_device();
  static const char *const ways[] = {"", "--family gpu", "--storage f16", "--device 0/2"};
  json_t *truth = document_of("train $heart --l2 0.001 --backend reference --json");
  double objective = run_number(truth, "objective", NULL);
  json_decref(truth);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    char line[256];
    snprintf(line, sizeof line, "train $heart --l2 0.001 --json %s", ways[i]);
    json_t *document = document_of(line);
    double found = run_number(document, "objective", NULL), most = strstr(ways[i], "f16") != NULL ? 1e-4 : 1e-6;
    if (!(fabs(found - objective) <= most)) fail_msg("%s: the objective is %.9f, and not %.9f", ways[i], found, objective);
    json_decref(document);
  }
  expect_said("train $heart --storage u8", 2, "the entries of sparse rows are held as f32 or f16");
  expect_said("check $heart --family cpu", 0, "checks passed");
  expect_said("check $heart --family cpu", 0, "cpu, sparse");
}

static void ranks_share_sparse_rows(void **state) {
  (void)state;
  mpirun_need();
  run_need_device();
  char *hashes[2];
  for (int i = 0; i < 2; i++) {
    char command[4 * SUPPORT_PATH];
    snprintf(command, sizeof command, "exec " MPIRUN "%d \"$SETOSA_PROGRAM\" train '%s' --l2 0.001 --json", 2 + i, heart);
    Run run = run_shell(command);
    run_expect(&run, 0);
    json_t *document = run_json(&run);
    support_near(run_number(document, "objective", NULL), 0.335726875756, 1e-6);
    hashes[i] = strdup(json_string_value(json_object_get(document, "weights_hash")));
    json_decref(document);
    run_free(&run);
  }
  assert_string_equal(hashes[0], hashes[1]);
  free(hashes[0]);
  free(hashes[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(summaries_say_what_the_rows_are),
      cmocka_unit_test(archives_are_inspected),
      cmocka_unit_test(a_row_is_explained_by_its_entries),
      cmocka_unit_test(options_mean_the_same),
      cmocka_unit_test(models_go_both_ways),
      cmocka_unit_test(a_training_goes_on_to_the_same_bits),
      cmocka_unit_test(wide_tables_are_sparse_by_themselves),
      cmocka_unit_test(other_features_are_said),
      cmocka_unit_test(devices_take_sparse_rows),
      cmocka_unit_test(ranks_share_sparse_rows),
  };
  return support_run("sparse rows", tests, create, destroy);
}
