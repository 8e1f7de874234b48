/* One signal ends the program wherever it hangs, also where nothing of its own runs; while there is something to finish it asks first. */
#include <pty.h>
#include <sys/stat.h>

#include "cli/drivers.h"

static char folder[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void need_fakes(void) {
  if (getenv("SETOSA_FAKE_DRIVER") == NULL) support_skip("no fake drivers");
}

/* A process of the test: its outputs in files. */
typedef struct Started {
  pid_t child;
  FILE *out, *err;
} Started;

static Started start(const char *const *argv) {
  Started started = {.out = tmpfile(), .err = tmpfile()};
  int in = open("/dev/null", O_RDONLY);
  started.child = run_start(argv, in, fileno(started.out), fileno(started.err));
  close(in);
  return started;
}

/* One signal, after which the program has half a minute; with another it would be killed, and not exit with 130. */
static Run end_with(Started *started, int signal_number) {
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  kill(started->child, signal_number);
  Run run = {.code = run_wait(started->child)};
  clock_gettime(CLOCK_MONOTONIC, &after);
  run.out = run_slurp(started->out);
  run.err = run_slurp(started->err);
  if (after.tv_sec - before.tv_sec > 30) fail_msg("it took %ld s", (long)(after.tv_sec - before.tv_sec));
  return run;
}

/* Whether the process, or one that it started, runs a file of that name: looks for the driver in the maps of both. */
static bool has_loaded(pid_t process, const char *name) {
  char path[64], line[4096];
  bool found = false;
  snprintf(path, sizeof path, "/proc/%ld/maps", (long)process);
  FILE *maps = fopen(path, "r");
  while (maps != NULL && !found && fgets(line, sizeof line, maps) != NULL) found = strstr(line, name) != NULL;
  if (maps != NULL) fclose(maps);
  return found;
}

static pid_t child_of(pid_t process) {
  char path[96];
  long child = 0;
  snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)process, (long)process);
  FILE *children = fopen(path, "r");
  if (children == NULL) return 0;
  if (fscanf(children, "%ld", &child) != 1) child = 0;
  fclose(children);
  return (pid_t)child;
}

static bool is_alive(pid_t process) {
  char path[64], state = 'X';
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
  FILE *stat = fopen(path, "r");
  if (stat == NULL) return false;
  if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
  fclose(stat);
  return state != 'Z' && state != 'X';
}

/* While a driver is tried: the child that tries it goes along. */
static void test_a_driver_that_is_tried(void **state) {
  (void)state;
  static const char *const wrong[] = {"hang-load", "deaf-build"};
  need_fakes();
  for (int i = 0; i < 2; i++) {
    char vendors[SUPPORT_PATH], library[64];
    pid_t trial = 0;
    support_path(vendors, folder, wrong[i]);
    assert_int_equal(mkdir(vendors, 0700), 0);
    drivers_add(vendors, wrong[i]);
    setenv("OCL_ICD_VENDORS", vendors, 1);
    snprintf(library, sizeof library, "%s.so", wrong[i]);
    const char *argv[] = {support_program(), "train", iris, NULL};
    Started started = start(argv);
    for (int tries = 0; tries < 4000 && !(trial != 0 && has_loaded(trial, library)); tries++) {
      trial = child_of(started.child);
      run_sleep_ms(5);
    }
    if (trial == 0) {
      kill(started.child, SIGKILL);
      run_wait(started.child);
      support_skip("the children of a process are not listed here");
    }
    run_sleep_ms(100);
    Run run = end_with(&started, i == 0 ? SIGTERM : SIGINT);
    run_expect(&run, 130);
    run_free(&run);
    for (int tries = 0; tries < 1000 && is_alive(trial); tries++) run_sleep_ms(5);
    assert_false(is_alive(trial));
  }
  unsetenv("OCL_ICD_VENDORS");
}

/* After main: a library's destructor hangs when all is written. */
static void test_after_main(void **state) {
  (void)state;
  char vendors[SUPPORT_PATH];
  need_fakes();
  drivers_make(vendors, folder, "hang-unload");
  const char *argv[] = {support_program(), "devices", NULL};
  Started started = start(argv);
  for (int tries = 0; tries < 4000; tries++) { /* until the list is whole */
    char text[4096] = "";
    if (pread(fileno(started.out), text, sizeof text - 1, 0) < 0) break; /* the place where the program writes is not moved */
    if (strstr(text, "Fake platform, driver") != NULL) break;
    run_sleep_ms(5);
  }
  run_sleep_ms(300);
  assert_true(is_alive(started.child));
  Run run = end_with(&started, SIGTERM);
  run_expect(&run, 130);
  run_expect_text(run.out, "Portable Computing Language, driver");
  run_free(&run);
  unsetenv("OCL_ICD_VENDORS");
}

/* Data that do not come: a pipe that nobody fills, before its first byte and in the midst. */
static void test_data_that_do_not_come(void **state) {
  (void)state;
  for (int begun = 0; begun < 2; begun++) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[SUPPORT_PATH];
    support_path(path, folder, begun ? "begun.csv" : "empty.csv");
    assert_int_equal(mkfifo(path, 0600), 0);
    const char *argv[] = {support_program(), "train", path, "--backend", "reference", "--quiet", NULL};
    int held = open(path, O_RDWR);
    assert_true(held >= 0);
    for (int i = 0; begun && i < 200; i++) assert_int_equal(write(held, "1,2,a\n2,1,b\n", 12), 12);
    Started started = start(argv);
    run_sleep_ms(500);
    Run run = end_with(&started, SIGTERM);
    run_expect(&run, 130);
    run_free(&run);
    close(held);
    close(ends[0]);
    close(ends[1]);
  }
}

/* In the midst of the training, where the first signal only asks: a log that nobody reads holds it up, as a driver might. It takes the 20 s
 * that an answer may take. */
static void nightly_work_that_does_not_answer(void **state) {
  (void)state;
  char path[SUPPORT_PATH];
  support_path(path, folder, "log.fifo");
  assert_int_equal(mkfifo(path, 0600), 0);
  int held = open(path, O_RDWR);
  assert_true(held >= 0);
  const char *argv[] = {support_program(),
                        "train",
                        "synthetic:rows=200,features=4,classes=3,seed=1",
                        "--backend",
                        "reference",
                        "--solver",
                        "gd",
                        "--learning-rate",
                        "1e-6",
                        "--max-iterations",
                        "1000000",
                        "--tolerance",
                        "1e-30",
                        "--quiet",
                        "--log",
                        path,
                        NULL};
  Started started = start(argv);
  run_sleep_ms(2000);
  Run run = end_with(&started, SIGTERM);
  run_expect(&run, 130);
  run_expect_text(run.err, "the work does not answer the signal, and is ended");
  run_free(&run);
  close(held);
}

/* ---- what the terminal shows -------------------------------------------------------------------------------------- */

/* A line of the terminal, as it stands after carriage returns and blanks: cells[column]. The last 64 lines. */
typedef struct Screen {
  char line[64][256];
  size_t row, column, width;
} Screen;

static void screen_write(Screen *screen, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\r') {
      screen->column = 0;
    } else if (text[i] == '\n' || screen->column >= screen->width) {
      if (screen->row + 1 < 64) screen->row++;
      screen->column = 0;
      if (text[i] != '\n') i--;
    } else {
      screen->line[screen->row][screen->column++] = text[i];
    }
  }
}

static void screen_finish(Screen *screen) {
  for (size_t row = 0; row <= screen->row; row++) {
    char *line = screen->line[row];
    size_t end = 0;
    for (size_t column = 0; column < screen->width; column++) {
      if (line[column] == '\0') line[column] = ' ';
      if (line[column] != ' ') end = column + 1;
    }
    line[end] = '\0';
  }
}

/* Trains without end on a terminal of that width, types Ctrl-C, and gives what the screen shows then. */
static void interrupt_on_terminal(Screen *screen, size_t width, const char *extra) {
  struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)width};
  int master = -1, slave = -1;
  char block[4096], seen[1 << 14] = "";
  const char *argv[] = {support_program(),
                        "train",
                        "synthetic:rows=20000,features=20,classes=5,seed=1",
                        "--backend",
                        "reference",
                        "--solver",
                        "gd",
                        "--learning-rate",
                        "1e-6",
                        "--max-iterations",
                        "1000000",
                        "--tolerance",
                        "1e-30",
                        extra,
                        NULL};
  bool typed = false;
  *screen = (Screen){.width = width};
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  pid_t child = run_start(argv, slave, slave, slave);
  close(slave);
  for (int slices = 0; slices < 600; slices++) {
    struct pollfd watch = {.fd = master, .events = POLLIN};
    if (poll(&watch, 1, 100) > 0) {
      ssize_t got = read(master, block, sizeof block);
      if (got <= 0) break;
      screen_write(screen, block, (size_t)got);
      if (strlen(seen) + (size_t)got < sizeof seen) strncat(seen, block, (size_t)got);
    }
    if (!typed && (strstr(seen, "iter ") != NULL || (extra != NULL && slices > 15))) {
      assert_int_equal(write(master, "\003", 1), 1);
      typed = true;
    }
  }
  close(master);
  assert_true(typed);
  assert_int_equal(run_wait(child), 130);
  screen_finish(screen);
}

static void test_what_ctrl_c_leaves(void **state) {
  (void)state;
  static const size_t widths[] = {80, 100, 40, 57};
  Screen screen;
  for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
    interrupt_on_terminal(&screen, widths[i], NULL);
    assert_string_equal(screen.line[0], "Trained softmax regression");
    for (size_t row = 0; row <= screen.row; row++) {
      if (strstr(screen.line[row], "^C") != NULL || strstr(screen.line[row], "iter ") != NULL)
        fail_msg("%zu columns, line %zu: %s", widths[i], row, screen.line[row]);
    }
  }
  interrupt_on_terminal(&screen, 80, "--quiet"); /* no line to clear: the ^C has one of its own */
  assert_string_equal(screen.line[0], "^C");
  assert_string_equal(screen.line[1], "Trained softmax regression");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_driver_that_is_tried), cmocka_unit_test(test_after_main),
      cmocka_unit_test(test_data_that_do_not_come),  cmocka_unit_test(nightly_work_that_does_not_answer),
      cmocka_unit_test(test_what_ctrl_c_leaves),
  };
  return support_run("cli_signals", tests, create, destroy);
}
