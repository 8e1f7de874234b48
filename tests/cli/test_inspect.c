/* `setosa inspect` of data: every column on every terminal, as JSON, and what tells data from a model. */
#include "cli/terminal.h"

static char folder[SUPPORT_PATH];

static const char flowers[] =
    "length,colour,name,height,weight,who,y\n"
    "1,red,ann,10,1,u7,p\n"
    "2,blue,bob,20,2,u8,q\n"
    "NA,green,cid,30,1,u9,q\n"
    "6,red,dan,10,1,u1,p\n"
    "3,blue,eve,10,1,u2,p\n"
    "3,red,fay,20,1,u3,q\n";

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  assert_int_equal(chdir(folder), 0);
  support_write_text("flowers.csv", flowers);
  support_write_text("odd.csv", "a,b,y\n1,2,p\n2,x,q\n3,4,p\n4,5,q\n5,1,p\n6,7,q\n7,1,p\n9,1,q\n10,4,p\n13,9,q\n11,1,q\n");
  support_write_text("part-1.csv", "a,y\n1,p\n2,q\n");
  support_write_text("part-2.csv", "a,y\n3,p\n4,r\n");
  Run run = RUN("train", "part-1.csv", "--backend", "reference", "--model", "m.safetensors", "-q");
  run_expect(&run, 0);
  run_free(&run);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  assert_int_equal(chdir("/"), 0);
  support_folder_remove(folder);
  return 0;
}

static void expect_output(const char *out, const char *expected) {
  if (strcmp(out, expected) != 0) fail_msg("not as expected, but:\n%s", out);
}

static void test_text(void **state) {
  (void)state;
  Run run = RUN("inspect", "flowers.csv", "--weights", "weight", "--id", "who");
  run_expect(&run, 0);
  expect_output(run.out,
                "  column  kind         missing  values                     note\n"
                "  length  numeric            1  1 to 6, mean 3             1 feature\n"
                "  colour  categorical        0  blue 2, red 3              2 features\n"
                "  name    left out           0  ann 1, bob 1, ... (6)      identifies rows\n"
                "  height  numeric            0  10 to 20, mean 14          1 feature\n"
                "  weight  weights            0  1 to 2, mean 1.2           weights of the rows\n"
                "  who     id                 0  u1 1, u2 1, u3 1, ... (5)  carried along\n"
                "  y       label              0  p 3, q 2                   2 classes\n"
                "\n"
                "  data        flowers.csv: 6 rows, 1 left out for missing values\n"
                "  features    4, made of 3 columns\n"
                "  table       header, separator ',', decimal point '.'\n");
  assert_string_equal(run.err, "");
  run_free(&run);
  run = RUN("inspect", "flowers.csv", "--sparse", "always");
  run_expect(&run, 0);
  run_expect_text(run.out, "  features    5, made of 4 columns; kept as sparse rows\n");
  run_free(&run);
}

static void test_narrow(void **state) {
  (void)state;
  const char *const arguments[] = {"inspect", "flowers.csv", "-q", NULL};
  char *text = terminal_show(arguments, 60, 0), *end = text;
  for (const char *at = text; *at != '\0'; at++)
    if (*at != '\r') *end++ = *at;
  *end = '\0';
  expect_output(text,
                "  column  kind         missing  values         note\n"
                "  length  numeric            1  1 to 6         1 feature\n"
                "  colour  categorical        0  blue 2, red 3  2 features\n"
                "  name    left out           0  6 names        identifies...\n"
                "  height  numeric            0  10 to 20       1 feature\n"
                "  weight  numeric            0  1 to 2         1 feature\n"
                "  who     left out           0  u1 1, ... (6)  identifies...\n"
                "  y       label              0  p 3, q 2       2 classes\n"
                "\n"
                "  data        flowers.csv: 6 rows, 1 left out for missing\n"
                "              values\n"
                "  features    5, made of 4 columns\n"
                "  table       header, separator ',', decimal point '.'\n");
  free(text);
}

static void test_problem(void **state) {
  (void)state;
  Run run = RUN("inspect", "odd.csv");
  run_expect(&run, 0); /* a look is no training */
  run_expect_text(run.out, "  b       in the way");
  run_expect_text(
      run.out,
      "\n  problem     odd.csv:3:2: 'x' is not a number (column 'b'), though the other 10 values are; take such words for missing "
      "values (--na x), or the column for names (--categorical b), or leave it out (--drop b)\n");
  assert_null(strstr(run.out, "  features"));
  run_free(&run);
  run = RUN("inspect", "odd.csv", "--na", "x");
  run_expect(&run, 0);
  run_expect_text(run.out, "odd.csv: 11 rows, 1 left out for missing values");
  assert_null(strstr(run.out, "problem"));
  run_free(&run);
}

static void test_json(void **state) {
  (void)state;
  Run run = RUN("inspect", "part-*.csv", "--json");
  run_expect(&run, 0);
  expect_output(run.out,
                "{\n"
                "  \"command\": \"inspect\",\n"
                "  \"version\": \"" SETOSA_VERSION
                "\",\n"
                "  \"sources\": [\n"
                "    \"part-*.csv\"\n"
                "  ],\n"
                "  \"data\": {\n"
                "    \"rows\": 4,\n"
                "    \"source_rows\": 4,\n"
                "    \"left_out\": 0,\n"
                "    \"features\": 1,\n"
                "    \"sparse\": false\n"
                "  },\n"
                "  \"table\": {\n"
                "    \"header\": true,\n"
                "    \"separator\": \",\",\n"
                "    \"decimal\": \".\"\n"
                "  },\n"
                "  \"columns\": [\n"
                "    {\n"
                "      \"name\": \"a\",\n"
                "      \"use\": \"feature\",\n"
                "      \"kind\": \"numeric\",\n"
                "      \"present\": 4,\n"
                "      \"missing\": 0,\n"
                "      \"levels\": null,\n"
                "      \"names\": null,\n"
                "      \"least\": 1.0,\n"
                "      \"most\": 4.0,\n"
                "      \"mean\": 2.5,\n"
                "      \"deviation\": 1.11803398874989,\n"
                "      \"shift\": 0.0,\n"
                "      \"features\": 1,\n"
                "      \"note\": \"\"\n"
                "    },\n"
                "    {\n"
                "      \"name\": \"y\",\n"
                "      \"use\": \"label\",\n"
                "      \"kind\": \"categorical\",\n"
                "      \"present\": 4,\n"
                "      \"missing\": 0,\n"
                "      \"levels\": 3,\n"
                "      \"names\": [\n"
                "        {\n"
                "          \"name\": \"p\",\n"
                "          \"rows\": 2\n"
                "        },\n"
                "        {\n"
                "          \"name\": \"q\",\n"
                "          \"rows\": 1\n"
                "        },\n"
                "        {\n"
                "          \"name\": \"r\",\n"
                "          \"rows\": 1\n"
                "        }\n"
                "      ],\n"
                "      \"least\": null,\n"
                "      \"most\": null,\n"
                "      \"mean\": null,\n"
                "      \"deviation\": null,\n"
                "      \"shift\": 0.0,\n"
                "      \"features\": 0,\n"
                "      \"note\": \"3 classes\"\n"
                "    }\n"
                "  ],\n"
                "  \"problem\": null\n"
                "}\n");
  run_free(&run);
  run = RUN("inspect", "odd.csv", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(json_is_string(json_object_get(document, "problem")));
  const json_t *column = json_array_get(json_object_get(document, "columns"), 1);
  assert_string_equal(json_string_value(json_object_get(column, "use")), "in the way");
  json_decref(document);
  run_free(&run);
}

static void test_several_files(void **state) {
  (void)state;
  static const char *const lines[] = {"inspect part-1.csv part-2.csv", "inspect 'part-*.csv'", "inspect - <flowers.csv"};
  static const char *const said[] = {"  data        part-1.csv and 1 more: 4 rows\n", "  data        part-*.csv: 4 rows\n",
                                     "  data        standard input: 6 rows"};
  for (size_t i = 0; i < 3; i++) {
    char command[256];
    snprintf(command, sizeof command, "\"$SETOSA_PROGRAM\" %s", lines[i]);
    Run run = run_shell(command);
    run_expect(&run, 0);
    run_expect_text(run.out, said[i]);
    if (i < 2) run_expect_text(run.out, "p 2, q 1, r 1");
    run_free(&run);
  }
}

/* A model is one by what it holds, whatever it is called. */
static void test_models(void **state) {
  (void)state;
  static const struct {
    const char *line, *said;
    int code;
  } cases[] = {
      {"cp m.safetensors m.csv && \"$SETOSA_PROGRAM\" inspect m.csv", "1 feature, 2 classes: 2 weights and 2 biases", 0},
      {"\"$SETOSA_PROGRAM\" inspect m.safetensors", "1 feature, 2 classes", 0},
      {"cp part-1.csv t && \"$SETOSA_PROGRAM\" inspect t", "t: 2 rows", 0},
      {"\"$SETOSA_PROGRAM\" inspect gone.safetensors", "gone.safetensors: cannot open: No such file", 3},
      {"\"$SETOSA_PROGRAM\" inspect gone.csv", "gone.csv: cannot open: No such file", 3},
      {"head -c 5 m.safetensors >cut.safetensors; \"$SETOSA_PROGRAM\" inspect cut.safetensors", "cut.safetensors:", 3},
      {"\"$SETOSA_PROGRAM\" inspect m.csv --label y", "--label says how data are read, and m.csv is a model; leave it out", 2},
      {"\"$SETOSA_PROGRAM\" inspect m.csv --no-header", "--no-header says how data are read, and m.csv is a model", 2},
      {"\"$SETOSA_PROGRAM\" inspect m.csv flowers.csv",
       "m.csv is a model, and models are inspected one at a time; leave out \"flowers.csv\"", 2},
      {"\"$SETOSA_PROGRAM\" inspect flowers.csv m.csv",
       "m.csv is a model, and models are inspected one at a time; leave out \"flowers.csv\"", 2},
      {"\"$SETOSA_PROGRAM\" inspect flowers.csv --label nothing", "--label nothing: flowers.csv has no such column", 2},
      {"\"$SETOSA_PROGRAM\" inspect flowers.csv --solver gd", "--solver is not an option of `setosa inspect`", 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Run run = run_shell(cases[i].line);
    run_expect(&run, cases[i].code);
    run_expect_text(cases[i].code == 0 ? run.out : run.err, cases[i].said);
    run_free(&run);
  }
}

static void test_arrays(void **state) {
  (void)state;
  Run run = RUN("generate", "rows=30,features=3,classes=3,seed=4", "-o", "x.npy", "-q");
  run_expect(&run, 0);
  run_free(&run);
  run = RUN("inspect", "x.npy");
  run_expect(&run, 0);
  run_expect_text(run.out, "  data        x.npy: 30 rows, 3 features\n  labels      x-labels.npy\n  classes     3: 0 ");
  run_free(&run);
  run = RUN("inspect", "x.npy", "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  assert_true(run_number(document, "data", "rows") == 30 && run_number(document, "data", "classes") == 3);
  double rows = 0;
  for (size_t k = 0; k < 3; k++) rows += run_number(json_array_get(json_object_get(document, "names"), k), "rows", NULL);
  assert_true(rows == 30);
  json_decref(document);
  run_free(&run);
  run = run_shell("mv x.npy alone.npy && \"$SETOSA_PROGRAM\" inspect alone.npy");
  run_expect(&run, 0);
  run_expect_text(run.out, "  data        alone.npy: 30 rows, 3 features\n  labels      none; --labels names a file of them\n");
  run_free(&run);
  run = run_shell("\"$SETOSA_PROGRAM\" inspect - <alone.npy");
  run_expect(&run, 3);
  run_expect_text(run.err, "-: is no table (CSV, TSV, ...); arrays are inspected in a file");
  run_free(&run);
}

/* Names from a file do not act on the terminal, and none is lost among many columns. */
static void test_names(void **state) {
  (void)state;
  FILE *file = fopen("wide.csv", "w");
  assert_non_null(file);
  for (int c = 0; c < 300; c++) fprintf(file, "x%d,", c);
  fprintf(file, "\"b\033[31m\",y\n");
  for (int r = 0; r < 4; r++) {
    for (int c = 0; c < 300; c++) fprintf(file, "%d,", r * c % 7);
    fprintf(file, "\"l\033[2J, %d\",%s\n", r / 2, r % 2 ? "p" : "q");
  }
  assert_int_equal(fclose(file), 0);
  Run run = RUN("inspect", "wide.csv");
  run_expect(&run, 0);
  assert_null(strchr(run.out, '\033'));
  run_expect_text(run.out, "\n  x299 ");
  run_expect_text(run.out, "\n  b?[31m ");
  run_expect_text(run.out, "\"l?[2J, 0\" 2");
  size_t lines = 0;
  for (const char *at = run.out; (at = strchr(at, '\n')) != NULL; at++) lines++;
  assert_int_equal(lines, 1 + 302 + 4);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),          cmocka_unit_test(test_narrow), cmocka_unit_test(test_problem), cmocka_unit_test(test_json),
      cmocka_unit_test(test_several_files), cmocka_unit_test(test_models), cmocka_unit_test(test_arrays),  cmocka_unit_test(test_names),
  };
  return support_run("cli_inspect", tests, create, destroy);
}
