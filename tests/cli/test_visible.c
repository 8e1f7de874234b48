/* What a file or an argument holds never acts on a terminal: nothing but text comes out, whatever names are in the data. A pipe gets them
 * as they are. */
#include <pty.h>
#include <sys/stat.h>
#include <termios.h>

#include "cli/run.h"

/* ESC sequences, BEL, backspace, DEL, C1 as UTF-8, marks of direction, bytes that are no UTF-8 (only where those are accepted). */
#define HOSTILE                          \
  "\033]0;owned\a\033[31m\b\177\xC2\x9B" \
  "2J\xE2\x80\xAE\xE2\x81\xA6\xEF\xBB\xBF"

static char folder[SUPPORT_PATH], data[SUPPORT_PATH], model[SUPPORT_PATH], missing[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(data, folder, "da" HOSTILE "ta.csv");
  support_path(model, folder, "mo" HOSTILE "del.safetensors");
  support_path(missing, folder, "mi" HOSTILE "\x9B\xFFssing.csv");
  FILE *file = fopen(data, "w");
  if (file == NULL) return 1;
  fprintf(file, "le" HOSTILE "ngth,wi" HOSTILE "dth,ki" HOSTILE "nd\n");
  for (int i = 0; i < 60; i++) fprintf(file, "%d.5,%d.25,%c" HOSTILE "%c\n", i * 7 % 11, i * 5 % 13, "abc"[i % 3], "xyz"[i % 3]);
  return fclose(file);
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* Runs on a terminal of its own; what came out, and the exit code. */
static char *on_terminal(const char *const *arguments, int *code) {
  const char *argv[RUN_ARGUMENTS] = {support_program()};
  struct winsize size = {.ws_row = 24, .ws_col = 100};
  enum { ROOM = 1 << 18 };
  char *text = calloc(ROOM, 1);
  int master = -1, slave = -1;
  size_t count = 1, length = 0;
  assert_non_null(text);
  for (; arguments[count - 1] != NULL; count++) argv[count] = arguments[count - 1];
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  pid_t child = run_start(argv, slave, slave, slave);
  close(slave);
  for (ssize_t got; length + 1 < ROOM && (got = read(master, text + length, ROOM - 1 - length)) > 0;) length += (size_t)got;
  close(master);
  *code = run_wait(child);
  return text;
}

/* Letters, marks, line ends: nothing else, once the progress line's carriage returns are left out. */
static void expect_plain(const char *text, const char *const *arguments) {
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    bool control = (*c < 0x20 && *c != '\n' && *c != '\r') || *c == 0x7F;
    bool c1 = *c == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F;
    bool bidi = *c == 0xE2 && ((c[1] == 0x80 && c[2] >= 0xAA && c[2] <= 0xAE) || (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9));
    bool mark = *c == 0xEF && c[1] == 0xBB && c[2] == 0xBF;
    if (control || c1 || bidi || mark || *c == 0x9B || *c == 0xFF)
      fail_msg("byte %02x at %zu reaches the terminal from `setosa %s`: ...%.60s", *c, (size_t)(c - (const unsigned char *)text),
               arguments[0], text + (c - (const unsigned char *)text > 30 ? c - (const unsigned char *)text - 30 : 0));
  }
}

static void shows(int expected, const char *word, const char *const *arguments) {
  int code = 0;
  char *text = on_terminal(arguments, &code);
  if (code != expected) fail_msg("`setosa %s` exits with %d, not %d: %s", arguments[0], code, expected, text);
  if (word != NULL && strstr(text, word) == NULL) fail_msg("\"%s\" is not in: %s", word, text);
  expect_plain(text, arguments);
  free(text);
}
#define SHOWS(code, word, ...) shows(code, word, (const char *const[]){__VA_ARGS__, NULL})
#define HOST "--backend", "reference"

static void train(void) {
  Run run = RUN("train", data, HOST, "--model", model, "-q");
  run_expect(&run, 0);
  run_free(&run);
}

static void names_in_results(void **state) {
  (void)state;
  SHOWS(0, "da?", "train", data, HOST, "--max-iterations", "3", "-v");
  SHOWS(0, NULL, "train", data, HOST, "--model", model, "--json");
  SHOWS(0, "class", "eval", model, data, HOST);
  SHOWS(0, "\\u202E", "eval", model, data, HOST, "--json");
  SHOWS(0, "a?]0;owned", "predict", model, data, HOST);
  SHOWS(0, "a?]0;owned", "predict", model, data, HOST, "--top-k", "2");
  SHOWS(0, "a?]0;owned", "explain", model, data, "--row", "2");
  SHOWS(0, NULL, "explain", model, data, "--row", "2", "--json");
  SHOWS(0, "a?]0;owned", "inspect", model);
  SHOWS(0, NULL, "inspect", model, "--json");
  SHOWS(0, NULL, "check", data, HOST);
  SHOWS(0, NULL, "train", data, HOST, "--class-weight", "a" HOSTILE "x=2,b" HOSTILE "y=1,c" HOSTILE "z=1", "--model", model);
  SHOWS(0, NULL, "train", data, HOST, "--positive", "a" HOSTILE "x", "-v");
  SHOWS(0, NULL, "bench", data, "--backends", "reference", "--what", "step", "--seconds", "0.01");
  train();
}

static void names_in_the_environment(void **state) {
  (void)state;
  char vendors[SUPPORT_PATH], driver[2 * SUPPORT_PATH];
  support_path(vendors, folder, "ven" HOSTILE "dors");
  assert_int_equal(mkdir(vendors, 0700), 0);
  support_path(driver, vendors, "a" HOSTILE ".icd");
  support_write_text(driver, "lib" HOSTILE ".so\n");
  setenv("OCL_ICD_VENDORS", vendors, 1);
  SHOWS(0, "ven?", "devices", "--diagnose");
  unsetenv("OCL_ICD_VENDORS");
}

static void names_in_messages(void **state) {
  (void)state;
  char bad[SUPPORT_PATH], label[SUPPORT_PATH], output[SUPPORT_PATH];
  train();
  SHOWS(3, "mi?", "train", missing, HOST);
  SHOWS(3, NULL, "eval", missing, data, HOST);
  SHOWS(2, NULL, "train", data, HOST, "--label", "no" HOSTILE);
  SHOWS(2, NULL, "train", data, HOST, "--drop", "no" HOSTILE);
  SHOWS(2, NULL, "train", data, HOST, "--" HOSTILE);
  SHOWS(2, NULL, "tr" HOSTILE);
  SHOWS(2, NULL, "train", data, HOST, "--positive", "no" HOSTILE);
  SHOWS(2, NULL, "train", data, HOST, "--max-iterations", "no" HOSTILE);
  SHOWS(2, NULL, "train", "synthetic:ro" HOSTILE "=3", HOST);
  SHOWS(2, NULL, "cache", "no" HOSTILE);
  SHOWS(4, NULL, "train", data, "--device", "no" HOSTILE);
  support_path(bad, folder, "bad" HOSTILE ".csv");
  support_write_text(bad, "a,y\n1" HOSTILE ",p\n2,q\n");
  SHOWS(3, NULL, "train", bad, HOST, "--header");
  support_path(label, folder, "label" HOSTILE ".csv");
  support_write_text(label, "length,width,kind\n1,2,un" HOSTILE "known\n");
  SHOWS(3, NULL, "eval", model, label, HOST);
  support_path(output, folder, "no" HOSTILE "ne/out.npy");
  SHOWS(6, NULL, "generate", "synthetic:rows=10", "-o", output);
  support_path(output, folder, "out" HOSTILE ".npy");
  SHOWS(0, "out?", "generate", "synthetic:rows=10", "-o", output);
  SHOWS(0, NULL, "generate", "synthetic:rows=10", "-o", output, "--json");
}

static void the_folder_of_the_cache(void **state) {
  (void)state;
  char cache[SUPPORT_PATH], kept[SUPPORT_PATH];
  snprintf(kept, sizeof kept, "%s", getenv("XDG_CACHE_HOME") != NULL ? getenv("XDG_CACHE_HOME") : "/tmp");
  support_path(cache, folder,
               "ca" HOSTILE
               "\x9B\xFF"
               "che");
  setenv("XDG_CACHE_HOME", cache, 1);
  SHOWS(0, "ca?", "cache", "path");
  SHOWS(0, "ca?", "cache", "clear");
  assert_int_equal(chmod(cache, 0777), 0);
  SHOWS(0, "warning", "train", data, HOST, "--max-iterations", "1", "--tolerance", "0");
  SHOWS(6, "ca?", "cache", "path");
  setenv("XDG_CACHE_HOME", kept, 1);
}

static void pipes_get_names_as_they_are(void **state) {
  (void)state;
  train();
  Run run = RUN("predict", model, data, HOST);
  run_expect(&run, 0);
  run_expect_text(run.out, "row,predicted,a" HOSTILE "x,b" HOSTILE "y,c" HOSTILE "z\n");
  run_free(&run);
  run = RUN("eval", model, data, HOST, "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run);
  const char *name = json_string_value(json_object_get(json_array_get(json_object_get(document, "per_class"), 0), "class"));
  assert_string_equal(name, "a" HOSTILE "x");
  json_decref(document);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_in_results),        cmocka_unit_test(names_in_messages),           cmocka_unit_test(names_in_the_environment),
      cmocka_unit_test(the_folder_of_the_cache), cmocka_unit_test(pipes_get_names_as_they_are),
  };
  return support_run("cli_visible", tests, create, destroy);
}
