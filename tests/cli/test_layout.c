/* What every command prints fits the terminal, from 40 columns on: tables, summaries, help. */
#include <ctype.h>

#include "cli/terminal.h"

static const unsigned short widths[] = {40, 60, 80, 120, 200};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

static char folder[SUPPORT_PATH];

/* `rows` rows of two features; the class of row r is named by `name` with r % classes. */
static void write_data(const char *path, int rows, int classes, const char *name) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "width,height,kind\n");
  for (int r = 0; r < rows; r++) {
    fprintf(file, "%d,%d,", r * 7 % 11, r * 5 % 13);
    fprintf(file, name, r % classes);
    fputc('\n', file);
  }
  assert_int_equal(fclose(file), 0);
}

static void train(const char *data, const char *model) {
  Run run = RUN("train", data, "--backend", "reference", "--max-iterations", "3", "--model", model, "-q");
  run_expect(&run, 0);
  run_free(&run);
}

/* Everything lies in the working folder, so that no path is longer than a line. */
static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  assert_int_equal(chdir(folder), 0);
  write_data("two.csv", 20, 2, "kind-%d");
  write_data("ten.csv", 400, 10, "%d");
  write_data("thirty.csv", 60, 30, "kind-%d");
  write_data("many.csv", 2000, 1000, "kind-%d");
  write_data("long.csv", 20, 4, "a-name-without-any-blank-that-is-longer-than-many-a-terminal-is-wide-%d");
  write_data("words.csv", 20, 4, "the name of class %d has many words and goes on and on for more than one line of most terminals");
  static const char *const names[] = {"two", "ten", "thirty", "many", "long", "words"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char data[32], model[32];
    snprintf(data, sizeof data, "%s.csv", names[i]);
    snprintf(model, sizeof model, "%s.safetensors", names[i]);
    train(data, model);
  }
  return 0;
}

static int destroy(void **state) {
  (void)state;
  assert_int_equal(chdir("/"), 0);
  support_folder_remove(folder);
  return 0;
}

/* Every line that stands when the program has ended: what a carriage return wrote over is gone. */
static void expect_narrow(const char *text, unsigned short width, const char *const *arguments) {
  for (const char *line = text; *line != '\0'; line += strcspn(line, "\r\n"), line += strspn(line, "\r\n")) {
    size_t columns = 0;
    for (size_t i = 0; line[i] != '\0' && strchr("\r\n", line[i]) == NULL; i++) columns += ((unsigned char)line[i] & 0xC0) != 0x80;
    if (columns > width)
      fail_msg("`setosa %s %s ...` on %u columns has a line of %zu:\n%.*s", arguments[0], arguments[1] != NULL ? arguments[1] : "", width,
               columns, (int)strcspn(line, "\r\n"), line);
  }
}

static void expect_fits(size_t first, int code, const char *const *arguments) {
  for (size_t i = first; i < WIDTHS; i++) {
    char *text = terminal_show(arguments, widths[i], code);
    assert_true(text[0] != '\0');
    expect_narrow(text, widths[i], arguments);
    free(text);
  }
}
#define FITS(code, ...) expect_fits(0, code, (const char *const[]){__VA_ARGS__, NULL})
/* Where a device is named, whose name may be longer than 40 columns leave room for. */
#define FITS_FROM_60(code, ...) expect_fits(1, code, (const char *const[]){__VA_ARGS__, NULL})

static void test_models(void **state) {
  (void)state;
  static const char *const names[] = {"two", "ten", "thirty", "many", "long", "words"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char data[32], model[32];
    snprintf(data, sizeof data, "%s.csv", names[i]);
    snprintf(model, sizeof model, "%s.safetensors", names[i]);
    FITS(0, "inspect", model);
    FITS(0, "inspect", data);
    FITS(0, "eval", model, data, "--backend", "reference");
    if (strcmp(names[i], "many") != 0) FITS(0, "summary", model, data, "--odds"); /* 1000 classes */
    FITS(0, "explain", model, data, "--row", "3");
    FITS(0, "train", data, "--backend", "reference", "--max-iterations", "2");
  }
}

static void test_train(void **state) {
  (void)state;
  const char *made = "synthetic:rows=300,features=5,classes=3,noise=0.1,seed=17";
  FITS(0, "train", made, "--backend", "reference");
  FITS(0, "train", "two.csv", "--backend", "reference", "--validation", "0.2", "--test", "two.csv", "--standardize", "--verbose");
  FITS(0, "train", "two.csv", "--backend", "reference", "--class-weight", "kind-0=2.5,kind-1=0.125", "--label-smoothing", "0.1");
  FITS(0, "train", "two.csv", "--backend", "reference", "--tolerance", "0", "--max-iterations", "1");
  FITS(0, "generate", "rows=10,features=3,classes=2", "-o", "made.npy");
  FITS(0, "export", "two.safetensors", "-o", "exported.csv");
  FITS(0, "export", "two.safetensors", "-o", "exported.h", "--quantize", "int8");
  FITS(2, "export", "two.safetensors", "-o", "exported.csv", "--quantize", "int8");
  FITS(0, "export", "two.safetensors", "-o", "exported.json");
  FITS(0, "import", "exported.json", "-o", "imported.safetensors");
  FITS(0, "cv", "two.csv", "--backend", "reference", "--l2-path", "0.01:1:3", "--folds", "3");
  FITS(0, "cv", "ten.csv", "--backend", "reference", "--l2-path", "1", "--folds", "2", "--standardize", "--strict");
  FITS(2, "cv", "two.csv", "--l2-path", "much");
  FITS(0, "check", "two.csv", "--backend", "reference");
  FITS(3, "train", "missing.csv");
  FITS(2, "train", "two.csv", "--l2", "much");
}

static void test_devices(void **state) {
  (void)state;
  run_need_device();
  FITS_FROM_60(0, "devices");
  FITS_FROM_60(0, "devices", "--diagnose");
  FITS_FROM_60(0, "train", "ten.csv");
  FITS_FROM_60(0, "train", "ten.csv", "--dry-run");
  const char *const bench[] = {"bench", "two.csv", "--backends", "native,reference", "--repeat", "1", "--tune", "off", NULL};
  char *text = terminal_show(bench, 60, 0); /* it takes a second or two */
  expect_narrow(text, 60, bench);
  free(text);
}

static void test_help(void **state) {
  (void)state;
  static const char *const commands[] = {"train", "cv", "eval", "summary", "predict", "explain", "devices", "inspect", "import", "cache"};
  static const char *const long_words[] = {"check", "generate", "bench", "export"}; /* their examples must stay what can be pasted */
  FITS(0, "help");
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) FITS(0, "help", commands[i]);
  for (size_t i = 0; i < sizeof long_words / sizeof long_words[0]; i++) FITS_FROM_60(0, "help", long_words[i]);
  FITS(0, "explain", "--x", "1.9,0.4", "--classes", "Setosa,Non-Setosa", "--label", "Setosa", "--weights", "0.1,0.1;0.5,0.5");
}

static size_t count(const char *text, const char *part) {
  size_t found = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) found++;
  return found;
}

/* Ten classes with names of one letter need 52 columns or so: one table from 60 on; on 40, two, each with the names of the rows. */
static void test_confusion_is_whole_where_it_fits(void **state) {
  (void)state;
  const char *const arguments[] = {"eval", "ten.safetensors", "ten.csv", "--backend", "reference", NULL};
  for (size_t i = 0; i < WIDTHS; i++) {
    char *text = terminal_show(arguments, widths[i], 0);
    assert_int_equal(count(text, "true class "), widths[i] >= 60 ? 1 : 2);
    free(text);
  }
}

/* A number keeps its unit, and no word is lost or cut where lines are broken. */
static void test_nothing_is_lost(void **state) {
  (void)state;
  const char *const arguments[] = {"train", "words.csv", "--backend", "reference", "--max-iterations", "3", "-q", NULL};
  char *wide = terminal_show(arguments, 200, 0), *narrow = terminal_show(arguments, 40, 0);
  char *a = wide, *b = narrow, *times[] = {strstr(wide, "\n  time "), strstr(narrow, "\n  time ")};
  for (int i = 0; i < 2; i++) { /* which parts of it show depends on how long they took */
    assert_non_null(times[i]);
    *times[i] = '\0';
  }
  while (true) {
    while (isspace((unsigned char)*a)) a++;
    while (isspace((unsigned char)*b)) b++;
    if (isdigit((unsigned char)*a) || isdigit((unsigned char)*b)) { /* times differ */
      a += strspn(a, "0123456789.");
      b += strspn(b, "0123456789.");
      continue;
    }
    assert_int_equal(*a, *b);
    if (*a == '\0') break;
    a++, b++;
  }
  for (const char *line = narrow; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
    if (strncmp(line + strspn(line, " "), "s,", 2) == 0) fail_msg("a unit alone: %.40s", line);
  free(wide);
  free(narrow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_train),
      cmocka_unit_test(test_devices),
      cmocka_unit_test(test_help),
      cmocka_unit_test(test_confusion_is_whole_where_it_fits),
      cmocka_unit_test(test_nothing_is_lost),
  };
  return support_run("cli_layout", tests, create, destroy);
}
