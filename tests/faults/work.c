/* The folders of a sweep, and one run of the program in them. */
#include "faults/work.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 48 };

static void die(const char *what, const char *path) {
  fprintf(stderr, "%s: %s: %s\n", path, what, strerror(errno));
  exit(EXIT_FAILURE);
}

void work_path(char path[WORK_PATH], const Work *work, const char *name) {
  int length = snprintf(path, WORK_PATH, "%s/%s", work->folder, name);
  if (length < 0 || length >= WORK_PATH) die("too long a path", name);
}

static void make_folder(const Work *work, const char *name) {
  char path[WORK_PATH];
  work_path(path, work, name);
  if (mkdir(path, 0700) != 0 && errno != EEXIST) die("cannot create", path);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info, (void)kind;
  return at->level > 0 ? remove(path) : 0;
}

static void empty_folder(const char *folder, const char *name) {
  char path[WORK_PATH * 2];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- one run ------------------------------------------------------------------------------------------------------- */

/* The program and what follows it. */
static void make_words(char *text, char *words[WORDS]) {
  int count = 1;
  char *rest = NULL;
  for (char *word = strtok_r(text, " ", &rest); word != NULL && count + 1 < WORDS; word = strtok_r(NULL, " ", &rest)) words[count++] = word;
  words[0] = (char *)(uintptr_t)support_program();
  words[count] = NULL;
}

static void open_as(int wanted, const Work *work, const char *name) {
  char path[WORK_PATH];
  work_path(path, work, name);
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || dup2(file, wanted) < 0) _exit(127);
  if (file != wanted) close(file);
}

static void set_environment(const Work *work, const Injection *injection) {
  char path[WORK_PATH], number[32], options[WORK_PATH];
  const char *leaks = getenv("LSAN_OPTIONS");
  setenv("XDG_CACHE_HOME", work->cache, 1);
  setenv("ASAN_OPTIONS", "verify_asan_link_order=0:allocator_may_return_null=1", 1);
  snprintf(options, sizeof options, "%s:print_suppressions=0", leaks != NULL ? leaks : "");
  setenv("LSAN_OPTIONS", options, 1);
  work_path(path, work, "counts");
  unlink(path);
  if (injection == NULL) return;
  setenv("SETOSA_FAULT_COUNTS", path, 1);
  if (injection->call != NULL) {
    setenv("SETOSA_FAULT_CALL", injection->call, 1);
    snprintf(number, sizeof number, "%ld", injection->number);
    setenv("SETOSA_FAULT_NUMBER", number, 1);
    snprintf(number, sizeof number, "%d", injection->code);
    setenv("SETOSA_FAULT_CODE", number, 1);
  }
  setenv("LD_PRELOAD", injection->module, 1);
}

static pid_t start(const Work *work, const char *folder, const char *arguments, const Injection *injection) {
  char text[1024], path[WORK_PATH], *words[WORDS];
  pid_t child = fork();
  if (child < 0) die("cannot start", "the program");
  if (child > 0) return child;
  snprintf(text, sizeof text, "%s", arguments);
  make_words(text, words);
  work_path(path, work, folder);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  int nothing = open("/dev/null", O_RDONLY);
  if (chdir(path) != 0 || dup2(nothing, 0) < 0) _exit(127);
  open_as(1, work, "stdout");
  open_as(2, work, "stderr");
  set_environment(work, injection);
  execv(words[0], words);
  _exit(127);
}

static int wait_for(pid_t child, double timeout_seconds) {
  int status = 0;
  const struct timespec pause = {0, 1000000};
  for (double waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += 1e-3) {
    nanosleep(&pause, NULL);
    if (waited < timeout_seconds) continue;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WORK_HUNG;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what it left -------------------------------------------------------------------------------------------------- */

static uint64_t hash_bytes(const char *bytes, size_t length) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001B3u;
  return hash;
}

static bool ends_with(const char *name, const char *end) {
  size_t length = strlen(name), wanted = strlen(end);
  return length >= wanted && strcmp(name + length - wanted, end) == 0;
}

/* A log that was cut short ends after a line; other files are compared by their hash, except checkpoints, which are of any moment: they
 * have a header as long as they say, and what it counts behind it. */
static bool is_whole(const char *name, const char *bytes, size_t length) {
  uint64_t header = 0;
  if (ends_with(name, ".jsonl")) return length == 0 || bytes[length - 1] == '\n';
  if (!ends_with(name, ".checkpoint")) return true;
  memcpy(&header, bytes, length < sizeof header ? 0 : sizeof header);
  return header > 2 && header + sizeof header <= length && bytes[sizeof header] == '{';
}

static void note_file(Outcome *outcome, const char *path, const char *name) {
  size_t length = 0;
  char *bytes = support_read(path, &length);
  if (outcome->file_count < WORK_OUTPUTS) {
    OutputFile *file = &outcome->files[outcome->file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->hash = hash_bytes(bytes, length);
    file->whole = is_whole(name, bytes, length);
  }
  free(bytes);
}

static Outcome *looking; /* nftw knows no user */

static int look_at_output(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info;
  if (kind == FTW_F && ends_with(path, ".tmp")) looking->temporary_left = true;
  if (kind == FTW_F && at->level == 1) note_file(looking, path, path + at->base);
  return 0;
}

static int look_for_temporary(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info;
  if (kind == FTW_F && ends_with(path, ".tmp")) looking->temporary_left = true;
  return kind == FTW_D && strcmp(path + at->base, "pocl") == 0 ? FTW_SKIP_SUBTREE : FTW_CONTINUE; /* it has its own */
}

static int by_name(const void *a, const void *b) { return strcmp(((const OutputFile *)a)->name, ((const OutputFile *)b)->name); }

static void collect(Outcome *outcome, const Work *work) {
  char path[WORK_PATH];
  looking = outcome;
  work_path(path, work, "run");
  nftw(path, look_at_output, 16, FTW_PHYS);
  work_path(path, work, "in");
  nftw(path, look_for_temporary, 16, FTW_PHYS | FTW_ACTIONRETVAL);
  nftw(work->cache, look_for_temporary, 16, FTW_PHYS | FTW_ACTIONRETVAL);
  qsort(outcome->files, (size_t)outcome->file_count, sizeof *outcome->files, by_name);
  work_path(path, work, "stdout");
  outcome->out = support_read(path, NULL);
  work_path(path, work, "stderr");
  outcome->err = support_read(path, NULL);
}

void work_run(Outcome *outcome, const Work *work, const Case *what, const Injection *injection) {
  *outcome = (Outcome){.code = 0};
  empty_folder(work->folder, "run");
  if (what->flags & CASE_COLD) {
    empty_folder(work->cache, "setosa/selftest");
    empty_folder(work->cache, "setosa/tuning");
  }
  outcome->code = wait_for(start(work, "run", what->arguments, injection), work->timeout_seconds);
  collect(outcome, work);
}

void outcome_free(Outcome *outcome) {
  free(outcome->out);
  free(outcome->err);
  *outcome = (Outcome){0};
}

void work_print_command(const Work *work, const Case *what, const Injection *injection) {
  printf("cd %s/run && XDG_CACHE_HOME=../cache ", work->folder);
  if (injection->call != NULL)
    printf("SETOSA_FAULT_CALL=%s SETOSA_FAULT_NUMBER=%ld SETOSA_FAULT_CODE=%d ", injection->call, injection->number, injection->code);
  printf("LD_PRELOAD=%s %s %s", injection->module, support_program(), what->arguments);
}

/* ---- folders ------------------------------------------------------------------------------------------------------- */

/* A .npy of small integers as bytes. */
static void write_bytes(const Work *work, const char *name, const char *shape, int count, int step, int below) {
  enum { HEADER = 128, MOST = 240 };
  char path[WORK_PATH], array[HEADER + MOST];
  int length = snprintf(array, sizeof array, "%cNUMPY%c%c%c%c{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", 0x93, 1, 0,
                        HEADER - 10, 0, shape);
  memset(array + length, ' ', HEADER - (size_t)length);
  array[HEADER - 1] = '\n';
  for (int i = 0; i < count; i++) array[HEADER + i] = (char)(i * step % below);
  work_path(path, work, name);
  support_write(path, array, HEADER + (size_t)count);
}

static void make_inputs(const Work *work) {
  static const char *const copied[][2] = {
      {"data/iris.csv", "in/iris.csv"}, {"data/heart_scale.svm", "in/heart.svm"}, {"tests/exchange/sklearn/three.npz", "in/three.npz"}};
  char path[WORK_PATH], source[SUPPORT_PATH], numbers[150 * 2 + 1] = "";
  size_t count = 0, length = 0;
  const char *const *commands = fault_inputs(&count);
  for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
    support_source_path(source, copied[i][0]);
    char *bytes = support_read(source, &length);
    work_path(path, work, copied[i][1]);
    support_write(path, bytes, length);
    free(bytes);
  }
  for (int i = 0; i < 150; i++) memcpy(numbers + 2 * i, (const char[]){(char)('1' + i % 3), '\n'}, 2);
  work_path(path, work, "in/weights.txt");
  support_write_text(path, numbers);
  write_bytes(work, "in/bytes.npy", "60, 4", 240, 7, 11);
  write_bytes(work, "in/bytes-labels.npy", "60,", 60, 1, 3);
  for (size_t i = 0; i < count; i++) {
    int code = wait_for(start(work, "in", commands[i], NULL), 120);
    if (code == 0) continue;
    work_path(path, work, "stderr");
    fprintf(stderr, "%s: exit code %d\n%s", commands[i], code, support_read(path, NULL));
    exit(SUPPORT_SKIPPED); /* without a device there is nothing to inject into */
  }
}

static void make_folders(Work *work) {
  static const char *const names[] = {"in", "run", "cache"};
  support_folder_create(work->folder);
  work_path(work->cache, work, "cache");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) make_folder(work, names[i]);
}

static void copy_below(const char *from, const char *to) {
  pid_t child = fork();
  if (child == 0) {
    execlp("cp", "cp", "-rT", from, to, (char *)NULL);
    _exit(127);
  }
  if (wait_for(child, 300) != 0) die("cannot copy", from);
}

void work_create(Work *work, const char *kind) {
  const char *cache = getenv("XDG_CACHE_HOME");
  make_folders(work);
  if (cache != NULL) { /* kernels stay compiled from one sweep to the next */
    mkdir(cache, 0700);
    snprintf(work->cache, sizeof work->cache, "%s/faults-%s", cache, kind);
    if (mkdir(work->cache, 0700) != 0 && errno != EEXIST) die("cannot create", work->cache);
  }
  make_inputs(work);
}

void work_copy(Work *copy, const Work *work) {
  char from[WORK_PATH], to[WORK_PATH];
  *copy = (Work){.timeout_seconds = work->timeout_seconds};
  make_folders(copy);
  copy_below(work->cache, copy->cache);
  work_path(from, work, "in");
  work_path(to, copy, "in");
  copy_below(from, to);
}

void work_remove(const Work *work) { support_folder_remove(work->folder); }
