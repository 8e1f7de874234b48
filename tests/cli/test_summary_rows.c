/* `setosa summary` of the same model told in other ways: weights and repeated rows, another base, names and 0/1 columns, dense and sparse
 * rows, one process and three. */
#include "cli/summary_run.h"
#include "support/mpirun.h"

enum { ROWS = 500 };

static char folder[SUPPORT_PATH];

/* ---- made-up rows ---------------------------------------------------------------------------------------------------- */

/* Numbers in [0, 1) that are the same everywhere (splitmix64). */
static double next(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

typedef struct Row {
  size_t color, size, count, label;
  double year, dose;
} Row;

static const char *const colors[] = {"blue", "green", "red"}, *const sizes[] = {"L", "M"}, *const labels[] = {"ill", "mixed", "well"};

static void make_rows(Row rows[ROWS]) {
  uint64_t state = 7;
  for (size_t i = 0; i < ROWS; i++) {
    Row *row = &rows[i];
    row->color = (size_t)(3 * next(&state));
    row->size = (size_t)(2 * next(&state));
    row->year = 1990 + floor(30 * next(&state));
    row->dose = floor(1000 * next(&state)) / 250;
    row->count = 1 + (size_t)(3 * next(&state));
    double mixed = exp(0.4 * row->dose - (row->color == 2 ? 0.8 : 0)), well = exp(0.06 * (row->year - 2005) + (row->size == 1 ? 0.5 : 0));
    double at = (1 + mixed + well) * next(&state);
    row->label = at < 1 ? 0 : at < 1 + mixed ? 1 : 2;
  }
}

/* Columns of names; of 0 and 1, without those of blue and L; with weights, or as many rows; with columns that follow from others. */
static void write_rows(void) {
  Row rows[ROWS];
  FILE *names = fopen("names.csv", "w"), *flags = fopen("flags.csv", "w"), *weighted = fopen("weighted.csv", "w"),
       *repeated = fopen("repeated.csv", "w"), *collinear = fopen("collinear.csv", "w"), *gaps = fopen("gaps.csv", "w");
  assert_true(names != NULL && flags != NULL && weighted != NULL && repeated != NULL && collinear != NULL && gaps != NULL);
  make_rows(rows);
  fputs("color,size,year,dose,state\n", names);
  fputs("green,red,M,year,dose,state\n", flags);
  fputs("year,dose,weight,state\n", weighted);
  fputs("year,dose,state\n", repeated);
  fputs("year,dose,both,one,state\n", collinear);
  fputs("color,dose,state\n", gaps);
  for (size_t i = 0; i < ROWS; i++) {
    const Row *r = &rows[i];
    const char *label = labels[r->label];
    fprintf(names, "%s,%s,%g,%g,%s\n", colors[r->color], sizes[r->size], r->year, r->dose, label);
    fprintf(flags, "%d,%d,%d,%g,%g,%s\n", r->color == 1, r->color == 2, r->size == 1, r->year, r->dose, label);
    fprintf(weighted, "%g,%g,%zu,%s\n", r->year, r->dose, r->count, label);
    for (size_t n = 0; n < r->count; n++) fprintf(repeated, "%g,%g,%s\n", r->year, r->dose, label);
    fprintf(collinear, "%g,%g,%.10g,7,%s\n", r->year, r->dose, 2 * r->dose - r->year, label);
    fprintf(gaps, "%s,%g,%s\n", i % 9 == 0 ? "" : colors[r->color], r->dose, label);
  }
  FILE *files[] = {names, flags, weighted, repeated, collinear, gaps};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_int_equal(fclose(files[i]), 0);
}

#define TRAIN(data, model, ...) DO("train", data, "--backend", "reference", "-q", "-m", model, __VA_ARGS__)

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  if (chdir(folder) != 0) return 1;
  write_rows();
  TRAIN("names.csv", "names.safetensors", "--l2", "0");
  TRAIN("flags.csv", "flags.safetensors", "--l2", "0");
  TRAIN("weighted.csv", "weighted.safetensors", "--l2", "0", "--weights", "weight");
  TRAIN("repeated.csv", "repeated.safetensors", "--l2", "0");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* ---- comparing --------------------------------------------------------------------------------------------------------- */

static const char *const numbers[] = {"coefficient", "effect", "standard_error", "z", "p", "low", "high"};

/* Every estimate of a list in `a` is that of its class and term in `b`, where the term is called otherwise. */
static void compare_lists(const json_t *a, const json_t *b, const char *list, const char *const (*renamed)[2], double tolerance) {
  size_t i = 0, compared = 0;
  const json_t *entry = NULL;
  json_array_foreach(json_object_get(a, list), i, entry) {
    const char *term = json_string_value(json_object_get(entry, "term")), *other = term;
    for (size_t n = 0; renamed != NULL && renamed[n][0] != NULL; n++)
      if (strcmp(renamed[n][0], term) == 0) other = renamed[n][1];
    const json_t *same = entry_of(b, list, json_string_value(json_object_get(entry, "class")), other);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
      if (json_object_get(entry, numbers[n]) == NULL) continue;
      expect_close(term, run_number(same, numbers[n], NULL), run_number(entry, numbers[n], NULL), tolerance);
      compared++;
    }
  }
  assert_true(compared > 0);
}

static void compare_tests(const json_t *a, const json_t *b, double tolerance) {
  static const char *const tests[] = {"log_likelihood", "log_likelihood_null", "lr", "pseudo_r2_mcfadden", "aic", "bic", "parameters"};
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
    expect_close(tests[i], run_number(a, tests[i], NULL), run_number(b, tests[i], NULL), tolerance);
}

/* Both documents go. */
static void expect_same(json_t *a, json_t *b, const char *const (*renamed)[2], double tolerance) {
  compare_tests(a, b, tolerance);
  compare_lists(a, b, "coefficients", renamed, tolerance);
  if (json_object_get(a, "effects") != NULL) compare_lists(a, b, "effects", renamed, tolerance);
  json_decref(a);
  json_decref(b);
}

/* ---- the same in other words ---------------------------------------------------------------------------------------------- */

static void test_weights_are_repeated_rows(void **state) {
  (void)state;
  expect_same(SUMMARY("weighted.safetensors", "weighted.csv", "--effects"), SUMMARY("repeated.safetensors", "repeated.csv", "--effects"),
              NULL, 1e-9);
  expect_same(SUMMARY("weighted.safetensors", "weighted.csv", "--effects", "--robust"),
              SUMMARY("repeated.safetensors", "repeated.csv", "--effects", "--robust"), NULL, 1e-9);
}

/* Weights of sampling say nothing by their size: a sandwich with s^2 is the same for all multiples, and another than that of counts. */
static void test_sampling_weights(void **state) {
  (void)state;
  FILE *file = fopen("tenfold.csv", "w");
  Row rows[ROWS];
  assert_non_null(file);
  make_rows(rows);
  fputs("year,dose,weight,state\n", file);
  for (size_t i = 0; i < ROWS; i++) fprintf(file, "%g,%g,%zu,%s\n", rows[i].year, rows[i].dose, 10 * rows[i].count, labels[rows[i].label]);
  assert_int_equal(fclose(file), 0);
  TRAIN("tenfold.csv", "tenfold.safetensors", "--l2", "0", "--weights", "weight");
  json_t *a = SUMMARY("weighted.safetensors", "weighted.csv", "--weights-are", "sampling"),
         *b = SUMMARY("tenfold.safetensors", "tenfold.csv", "--weights-are", "sampling", "--robust"),
         *counts = SUMMARY("weighted.safetensors", "weighted.csv", "--robust");
  assert_string_equal(json_string_value(json_object_get(a, "standard_errors")), "robust");
  assert_true(json_is_null(json_object_get(a, "lr_p")));
  compare_lists(a, b, "coefficients", NULL, 1e-9);
  double sampling = run_number(entry_of(a, "coefficients", "well", "dose"), "standard_error", NULL),
         counting = run_number(entry_of(counts, "coefficients", "well", "dose"), "standard_error", NULL);
  assert_true(sampling > 1.2 * counting);
  json_decref(a);
  json_decref(b);
  json_decref(counts);
}

/* Contrasts with the first level are the coefficients of 0/1 columns without it. */
static void test_names_are_contrasts(void **state) {
  (void)state;
  static const char *const renamed[][2] = {{"color=green", "green"}, {"color=red", "red"}, {"size=M", "M"}, {NULL, NULL}};
  expect_same(SUMMARY("names.safetensors", "names.csv", "--effects"), SUMMARY("flags.safetensors", "flags.csv", "--effects"), renamed,
              1e-8);
  expect_same(SUMMARY("names.safetensors", "names.csv", "--robust"), SUMMARY("flags.safetensors", "flags.csv", "--robust"), renamed, 1e-8);
}

static void test_base_level(void **state) {
  (void)state;
  json_t *blue = SUMMARY("names.safetensors", "names.csv"),
         *red = SUMMARY("names.safetensors", "names.csv", "--base-level", "size=M", "--base-level", "color=red");
  compare_tests(blue, red, 1e-12);
  const json_t *there = entry_of(blue, "coefficients", "mixed", "color=red"), *back = entry_of(red, "coefficients", "mixed", "color=blue");
  expect_close("coefficient", run_number(back, "coefficient", NULL), -run_number(there, "coefficient", NULL), 1e-9);
  expect_close("standard_error", run_number(back, "standard_error", NULL), run_number(there, "standard_error", NULL), 1e-9);
  expect_close("green", run_number(entry_of(red, "coefficients", "well", "color=green"), "coefficient", NULL),
               run_number(entry_of(blue, "coefficients", "well", "color=green"), "coefficient", NULL) -
                   run_number(entry_of(blue, "coefficients", "well", "color=red"), "coefficient", NULL),
               1e-8);
  json_decref(blue);
  json_decref(red);
  REFUSED("--base-level color=rod: the column has no such level; did you mean red", 2, "summary", "names.safetensors", "names.csv",
          "--base-level", "color=rod");
}

static void test_base_class(void **state) {
  (void)state;
  json_t *ill = SUMMARY("names.safetensors", "names.csv"), *well = SUMMARY("names.safetensors", "names.csv", "--base", "well");
  compare_tests(ill, well, 1e-12);
  const json_t *there = entry_of(ill, "coefficients", "well", "dose"), *back = entry_of(well, "coefficients", "ill", "dose");
  expect_close("coefficient", run_number(back, "coefficient", NULL), -run_number(there, "coefficient", NULL), 1e-9);
  expect_close("z", run_number(back, "z", NULL), -run_number(there, "z", NULL), 1e-9);
  expect_close("low", run_number(back, "low", NULL), -run_number(there, "high", NULL), 1e-9);
  expect_close("odds", run_number(there, "relative_risk_ratio", NULL), exp(run_number(there, "coefficient", NULL)), 1e-14);
  json_decref(ill);
  json_decref(well);
}

/* Scaling is the model's own matter: estimates are in the units of the table. */
static void test_scaled_models(void **state) {
  (void)state;
  TRAIN("names.csv", "standardized.safetensors", "--l2", "0", "--standardize");
  TRAIN("names.csv", "scaled.safetensors", "--l2", "0", "--scale", "0.01");
  expect_same(SUMMARY("standardized.safetensors", "names.csv", "--effects"), SUMMARY("names.safetensors", "names.csv", "--effects"), NULL,
              1e-5); /* standardized columns are rounded to f32 */
  expect_same(SUMMARY("scaled.safetensors", "names.csv"), SUMMARY("names.safetensors", "names.csv"), NULL, 1e-5);
}

static void test_sparse_rows(void **state) {
  (void)state;
  TRAIN("names.csv", "sparse.safetensors", "--l2", "0", "--sparse", "always");
  expect_same(SUMMARY("sparse.safetensors", "names.csv", "--sparse", "always", "--effects", "--robust"),
              SUMMARY("names.safetensors", "names.csv", "--effects", "--robust"), NULL, 1e-9);
}

static void test_collinear_columns(void **state) {
  (void)state;
  Run trained =
      RUN("train", "collinear.csv", "--backend", "reference", "--l2", "0", "-q", "-m", "collinear.safetensors", "--solver", "lbfgs");
  run_expect(&trained, 0);
  run_free(&trained);
  json_t *document = SUMMARY("collinear.safetensors", "collinear.csv");
  const json_t *both = json_array_get(json_object_get(document, "left_out"), 0),
               *one = json_array_get(json_object_get(document, "left_out"), 1);
  assert_int_equal(json_array_size(json_object_get(document, "left_out")), 2);
  assert_string_equal(json_string_value(json_object_get(both, "term")), "both");
  assert_string_equal(json_string_value(json_object_get(both, "why")), "follows from year, dose");
  assert_string_equal(json_string_value(json_object_get(one, "term")), "one");
  assert_string_equal(json_string_value(json_object_get(one, "why")), "is constant");
  DO("train", "collinear.csv", "--drop", "both,one", "--backend", "reference", "--l2", "0", "-q", "-m", "plain.safetensors");
  expect_same(document, SUMMARY("plain.safetensors", "collinear.csv"), NULL, 1e-8);
}

/* Rows without a level are a level of their own, named so; where every row has one it is no term. */
static void test_rows_without_a_level(void **state) {
  (void)state;
  TRAIN("gaps.csv", "gaps.safetensors", "--l2", "0", "--missing", "mean");
  json_t *document = SUMMARY("gaps.safetensors", "gaps.csv");
  assert_true(isfinite(run_number(entry_of(document, "coefficients", "well", "color=(none)"), "standard_error", NULL)));
  assert_true(run_number(document, "parameters", NULL) == 10); /* intercept, dose, green, red, none */
  json_decref(document);
}

static void test_no_intercept(void **state) {
  (void)state;
  TRAIN("repeated.csv", "no-intercept.safetensors", "--l2", "0", "--no-intercept");
  json_t *document = SUMMARY("no-intercept.safetensors", "repeated.csv", "--effects");
  assert_true(run_number(document, "parameters", NULL) == 4);
  assert_true(run_number(document, "lr_df", NULL) == 4);
  expect_close("null", run_number(document, "log_likelihood_null", NULL),
               -run_number(json_object_get(document, "data"), "rows", NULL) * log(3), 1e-12);
  assert_true(run_number(document, "distance", NULL) < 0.01);
  json_decref(document);
  REFUSED("without an intercept", 2, "summary", "no-intercept.safetensors", "repeated.csv", "--base-level", "year=1");
}

/* Weights of classes are those of the training: balanced classes of weights that add up to the rows'. */
static void test_class_weights(void **state) {
  (void)state;
  TRAIN("repeated.csv", "balanced.safetensors", "--l2", "0", "--class-weight", "balanced");
  json_t *document = SUMMARY("balanced.safetensors", "repeated.csv");
  double rows = run_number(json_object_get(document, "data"), "rows", NULL);
  expect_close("null", run_number(document, "log_likelihood_null", NULL), -rows * log(3), 1e-6);
  assert_true(run_number(document, "distance", NULL) < 0.01);
  assert_int_equal(json_array_size(json_object_get(document, "remarks")), 1);
  json_decref(document);
}

/* ---- no estimate ---------------------------------------------------------------------------------------------------------- */

/* No column alone separates, but a sum of two does. */
static void test_separated_by_a_combination(void **state) {
  (void)state;
  uint64_t random = 11;
  FILE *file = fopen("diagonal.csv", "w");
  assert_non_null(file);
  fputs("x,y,noise,class\n", file);
  for (size_t i = 0; i < 300; i++) {
    double x = next(&random), y = next(&random), noise = next(&random);
    if (fabs(x + y - 1) > 0.05) fprintf(file, "%.3f,%.3f,%.3f,%s\n", x, y, noise, x + y > 1 ? "above" : i % 2 == 0 ? "below" : "beneath");
  }
  assert_int_equal(fclose(file), 0);
  TRAIN("diagonal.csv", "diagonal.safetensors", "--l2", "0", "--max-iterations", "5");
  REFUSED("diagonal.csv: above is separated by a combination of x, y: no finite estimate; use --l2", 3, "summary", "diagonal.safetensors",
          "diagonal.csv");
}

/* A level that never goes with a class: its coefficient would be minus infinity. */
static void test_empty_cell(void **state) {
  (void)state;
  Row rows[ROWS];
  FILE *file = fopen("cell.csv", "w");
  assert_non_null(file);
  make_rows(rows);
  fputs("color,dose,state\n", file);
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].color != 1 || rows[i].label != 2) fprintf(file, "%s,%g,%s\n", colors[rows[i].color], rows[i].dose, labels[rows[i].label]);
  assert_int_equal(fclose(file), 0);
  TRAIN("cell.csv", "cell.safetensors", "--l2", "0");
  REFUSED("cell.csv: well is separated by color=green: no finite estimate; use --l2", 3, "summary", "cell.safetensors", "cell.csv");
}

/* A model that has not come to its optimum is told of; the estimates are there. Other rows than those of the training look the same. */
static void test_unfinished_model(void **state) {
  (void)state;
  TRAIN("names.csv", "unfinished.safetensors", "--l2", "0", "--max-iterations", "1", "--solver", "gd");
  json_t *document = SUMMARY("unfinished.safetensors", "names.csv");
  assert_true(run_number(document, "distance", NULL) > 1);
  run_expect_text(json_string_value(json_array_get(json_object_get(document, "remarks"), 0)), "has it converged");
  expect_same(document, SUMMARY("names.safetensors", "names.csv"), NULL, 1e-8);
}

static void test_other_data(void **state) {
  (void)state;
  REFUSED("flags.csv", 3, "summary", "names.safetensors", "flags.csv");
  FILE *file = fopen("one-class.csv", "w");
  assert_non_null(file);
  fputs("year,dose,state\n1999,1,ill\n2000,2,ill\n2001,3,well\n2002,1,well\n", file);
  assert_int_equal(fclose(file), 0);
  REFUSED("no row of weight is of class mixed", 3, "summary", "repeated.safetensors", "one-class.csv");
}

/* ---- several processes ---------------------------------------------------------------------------------------------------- */

static void test_ranks_give_the_same_bits(void **state) {
  (void)state;
  mpirun_need();
  const char *command = "\"$SETOSA_PROGRAM\" summary names.safetensors names.csv --effects --robust --json -q";
  char line[512];
  Run alone = run_shell(command);
  run_expect(&alone, 0);
  snprintf(line, sizeof line, MPIRUN "3 %s", command);
  Run three = run_shell(line);
  run_expect(&three, 0);
  assert_string_equal(three.out, alone.out);
  run_free(&three);
  run_free(&alone);
  Run refused = run_shell(MPIRUN "2 \"$SETOSA_PROGRAM\" summary names.safetensors names.csv --base nobody");
  run_expect(&refused, 2);
  run_expect_text(refused.err, "--base nobody");
  run_free(&refused);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_weights_are_repeated_rows),
      cmocka_unit_test(test_sampling_weights),
      cmocka_unit_test(test_names_are_contrasts),
      cmocka_unit_test(test_base_level),
      cmocka_unit_test(test_base_class),
      cmocka_unit_test(test_scaled_models),
      cmocka_unit_test(test_sparse_rows),
      cmocka_unit_test(test_collinear_columns),
      cmocka_unit_test(test_rows_without_a_level),
      cmocka_unit_test(test_no_intercept),
      cmocka_unit_test(test_class_weights),
      cmocka_unit_test(test_separated_by_a_combination),
      cmocka_unit_test(test_empty_cell),
      cmocka_unit_test(test_unfinished_model),
      cmocka_unit_test(test_other_data),
      cmocka_unit_test(test_ranks_give_the_same_bits),
  };
  return support_run("cli_summary_rows", tests, create, destroy);
}
