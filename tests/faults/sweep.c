/* Makes every OpenCL call, or every allocation, of many command lines fail once, and looks at what becomes of each run: exit code,
 * messages, outputs, temporary files, sanitizers, time. Prints a table of outcomes, and each bad one with how to repeat it.
 *
 *   sweep opencl|allocations [--part K/N] [--case NAME] [--call NAME] [--number N] [--jobs J] [--seconds S] [--keep]
 *
 * --part: the K-th of every N failures (from 0), and one of each function at least. Exits with 0, 1 when a run was not as promised, 77 when
 * there is no device. */
#include <errno.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults/verdict.h"

enum { MOST_CASES = 128, MOST_CALLS = 64, NAME_SIZE = 48, SAMPLED_NUMBERS = 8, MOST_JOBS = 16, CHECKER_REPEATS = 10 };

typedef struct Settings {
  bool memory; /* allocations, not OpenCL */
  size_t part, parts, jobs;
  const char *case_pattern, *call_pattern;
  long number;
  double seconds;
  bool keep;
} Settings;

/* One failure: of a case, a call of a function, with a code. */
typedef struct Entry {
  int what, call, code;
  long number;
} Entry;

typedef struct Sweep {
  Settings settings;
  const char *module;
  const Case *cases;
  size_t case_count;
  char calls[MOST_CALLS][NAME_SIZE];
  int call_count;
  long counts[MOST_CASES][MOST_CALLS];
  Outcome bases[MOST_CASES];
  Entry *plan;
  size_t planned, capacity;
  Work work;
} Sweep;

/* What the processes of a sweep share. */
typedef struct Shared {
  atomic_size_t next;
  unsigned char verdicts[]; /* (planned) */
} Shared;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void give_up(const char *what) {
  fprintf(stderr, "sweep: %s\n", what);
  exit(EXIT_FAILURE);
}

/* ---- what there is to fail ------------------------------------------------------------------------------------------ */

static void read_counts(Sweep *sweep, size_t what) {
  char path[WORK_PATH], name[NAME_SIZE];
  long count = 0;
  work_path(path, &sweep->work, "counts");
  FILE *file = fopen(path, "r");
  if (file == NULL) give_up("the module wrote no counts: was it loaded?");
  for (int call = 0; call < MOST_CALLS && fscanf(file, "%47s %ld", name, &count) == 2; call++) {
    snprintf(sweep->calls[call], NAME_SIZE, "%s", name);
    sweep->counts[what][call] = count;
    if (call >= sweep->call_count) sweep->call_count = call + 1;
  }
  fclose(file);
}

static bool is_wanted(const Sweep *sweep, size_t what) {
  const Case *one = &sweep->cases[what];
  return (one->flags & (sweep->settings.memory ? FAULT_ALLOCATION : FAULT_OPENCL)) != 0 &&
         fnmatch(sweep->settings.case_pattern, one->name, 0) == 0;
}

/* Repeated where the checker of leaks died of itself (tests/cli/run.h says why). */
static void run_checked(Outcome *outcome, const Work *work, const Case *what, const Injection *injection) {
  work_run(outcome, work, what, injection);
  for (int again = 0; again < CHECKER_REPEATS && strstr(outcome->err, "LeakSanitizer has encountered a fatal error") != NULL; again++) {
    outcome_free(outcome);
    work_run(outcome, work, what, injection);
  }
}

/* Twice: what is compiled and remembered at the first time belongs to no failure. False: it cannot be done here. */
static bool run_base(Sweep *sweep, size_t what) {
  const Injection none = {.module = sweep->module};
  for (int i = 0; i < 2; i++) {
    outcome_free(&sweep->bases[what]);
    run_checked(&sweep->bases[what], &sweep->work, &sweep->cases[what], i == 0 ? NULL : &none);
  }
  const char *problem = verdict_of_base(&sweep->bases[what]);
  if (problem == NULL) {
    read_counts(sweep, what);
    return true;
  }
  printf("%s is left out, %s (%d): %s", sweep->cases[what].name, problem, sweep->bases[what].code, sweep->bases[what].err);
  return strstr(sweep->bases[what].err, "this build has no") != NULL;
}

/* Two codes that a driver says of such a call; the second of some says that there is nothing, which is an answer, too. */
static void codes_of(const char *call, int codes[2]) {
  static const struct {
    const char *call;
    int codes[2];
  } others[] = {{"clGetPlatformIDs", {-1001, -6}},
                {"clGetDeviceIDs", {-1, -6}},
                {"clCreateBuffer", {-4, -5}},
                {"clBuildProgram", {-11, -6}},
                {"clCreateProgramWithBinary", {-42, -5}},
                {"clCreateSubDevices", {-18, -6}},
                {"clEnqueueNDRangeKernel", {-5, -4}},
                {"clFinish", {-5, -36}},
                {"clWaitForEvents", {-14, -5}}};
  codes[0] = -5;
  codes[1] = -6;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(call, others[i].call) == 0) memcpy(codes, others[i].codes, sizeof others[i].codes);
}

static void add_entry(Sweep *sweep, Entry entry) {
  if (sweep->planned == sweep->capacity) {
    sweep->capacity = sweep->capacity == 0 ? 1024 : 2 * sweep->capacity;
    sweep->plan = realloc(sweep->plan, sweep->capacity * sizeof *sweep->plan);
    if (sweep->plan == NULL) give_up("out of memory");
  }
  sweep->plan[sweep->planned++] = entry;
}

/* Every number of every function, or the asked part of them. */
static void make_plan(Sweep *sweep) {
  const Settings *settings = &sweep->settings;
  size_t index = 0;
  for (int call = 0; call < sweep->call_count; call++) {
    bool met = false;
    if (fnmatch(settings->call_pattern, sweep->calls[call], 0) != 0) continue;
    for (size_t what = 0; what < sweep->case_count; what++) {
      long count = sweep->counts[what][call], step = 1;
      bool alike = strcmp(sweep->calls[call], "fdopendir") == 0; /* one for each folder of a driver's cache */
      if (((sweep->cases[what].flags & CASE_SAMPLED) || alike) && count > SAMPLED_NUMBERS) step = count / SAMPLED_NUMBERS;
      for (long number = 1; number <= count; number += step) {
        int codes[2] = {0, 0};
        if (settings->number > 0 && number != settings->number) continue;
        if (!settings->memory) codes_of(sweep->calls[call], codes);
        for (int i = 0; i < (settings->memory ? 1 : 2); i++, index++) {
          if (index % settings->parts != settings->part && met) continue;
          met = true;
          add_entry(sweep, (Entry){(int)what, call, codes[i], number});
        }
      }
    }
  }
}

/* ---- doing it ------------------------------------------------------------------------------------------------------ */

static Verdict run_entry(const Sweep *sweep, const Work *work, const Entry *entry) {
  const Case *what = &sweep->cases[entry->what];
  const Injection injection = {sweep->module, sweep->calls[entry->call], entry->number, entry->code};
  Outcome outcome;
  run_checked(&outcome, work, what, &injection);
  Verdict verdict = verdict_of(&outcome, &sweep->bases[entry->what], what, sweep->settings.memory);
  if (!verdict_is_good(verdict)) {
    printf("\n%s: %s, call %ld of %s fails (%d): exit code %d\n%.1200s\n  ", verdict_names[verdict], what->name, entry->number,
           sweep->calls[entry->call], entry->code, outcome.code, outcome.err);
    work_print_command(work, what, &injection);
    putchar('\n');
    fflush(stdout);
  }
  outcome_free(&outcome);
  return verdict;
}

/* One of the processes that take the next entry until there is none. */
static void work_through(const Sweep *sweep, Shared *shared, const Work *work, double until) {
  for (;;) {
    size_t index = atomic_fetch_add(&shared->next, 1);
    if (index >= sweep->planned || now() > until) return;
    shared->verdicts[index] = (unsigned char)run_entry(sweep, work, &sweep->plan[index]);
  }
}

static void run_plan(const Sweep *sweep, Shared *shared) {
  double until = sweep->settings.seconds > 0 ? now() + sweep->settings.seconds : 1e300;
  pid_t children[MOST_JOBS];
  Work works[MOST_JOBS];
  for (size_t i = 0; i < sweep->settings.jobs; i++) {
    work_copy(&works[i], &sweep->work);
    fflush(stdout);
    children[i] = fork();
    if (children[i] < 0) give_up("cannot start a process");
    if (children[i] > 0) continue;
    work_through(sweep, shared, &works[i], until);
    fflush(stdout);
    _exit(0);
  }
  for (size_t i = 0; i < sweep->settings.jobs; i++) {
    int status = 0;
    if (waitpid(children[i], &status, 0) < 0 || status != 0) give_up("a process of the sweep ended early");
    if (!sweep->settings.keep) work_remove(&works[i]);
  }
}

/* ---- telling it ---------------------------------------------------------------------------------------------------- */

static void print_row(const char *name, const size_t counts[VERDICTS]) {
  size_t all = 0;
  for (int v = VERDICT_NONE + 1; v < VERDICTS; v++) all += counts[v];
  printf("%-30s %9zu %9zu %9zu ", name, all, counts[VERDICT_SAME], counts[VERDICT_TOLD]);
  for (int v = VERDICT_TOLD + 1; v < VERDICTS; v++)
    if (counts[v] > 0) printf(" %s: %zu", verdict_names[v], counts[v]);
  putchar('\n');
}

/* By function, or by case. Returns the bad ones. */
static size_t print_table(const Sweep *sweep, const Shared *shared, bool by_case) {
  size_t totals[VERDICTS] = {0}, bad = 0;
  printf("\n%-30s %9s %9s %9s  not as promised\n", by_case ? "case" : "function", "failed", verdict_names[VERDICT_SAME],
         sweep->settings.memory ? "exit 1" : "exit 4");
  for (int row = 0; row < (by_case ? (int)sweep->case_count : sweep->call_count); row++) {
    size_t counts[VERDICTS] = {0}, all = 0;
    for (size_t i = 0; i < sweep->planned; i++)
      if ((by_case ? sweep->plan[i].what : sweep->plan[i].call) == row) counts[shared->verdicts[i]]++, all++;
    for (int v = 0; v < VERDICTS; v++) totals[v] += counts[v];
    if (all > 0) print_row(by_case ? sweep->cases[row].name : sweep->calls[row], counts);
  }
  print_row("all", totals);
  if (totals[VERDICT_NONE] > 0) printf("%zu of %zu were not run: the time was up\n", totals[VERDICT_NONE], sweep->planned);
  for (int v = VERDICT_TOLD + 1; v < VERDICTS; v++) bad += totals[v];
  return bad;
}

static void read_arguments(Settings *settings, int argc, char **argv) {
  *settings = (Settings){.parts = 1, .jobs = 2, .case_pattern = "*", .call_pattern = "*"};
  if (argc < 2) give_up("say what fails: opencl or allocations");
  settings->memory = strcmp(argv[1], "allocations") == 0;
  for (int i = 2; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--keep") == 0) {
      settings->keep = true;
      continue;
    }
    if (strcmp(argv[i], "--part") == 0 && sscanf(value, "%zu/%zu", &settings->part, &settings->parts) == 2 && settings->parts > 0)
      i++;
    else if (strcmp(argv[i], "--case") == 0)
      settings->case_pattern = value, i++;
    else if (strcmp(argv[i], "--call") == 0)
      settings->call_pattern = value, i++;
    else if (strcmp(argv[i], "--number") == 0)
      settings->number = strtol(value, NULL, 10), i++;
    else if (strcmp(argv[i], "--jobs") == 0)
      settings->jobs = (size_t)strtol(value, NULL, 10), i++;
    else if (strcmp(argv[i], "--seconds") == 0)
      settings->seconds = strtod(value, NULL), i++;
    else
      give_up("an argument is wrong");
  }
  if (settings->jobs < 1 || settings->jobs > MOST_JOBS) give_up("--jobs is wrong");
}

int main(int argc, char **argv) {
  static Sweep sweep;
  read_arguments(&sweep.settings, argc, argv);
  const char *timeout = getenv("SETOSA_FAULT_TIMEOUT");
  sweep.module = getenv(sweep.settings.memory ? "SETOSA_ALLOCATION_FAULTS" : "SETOSA_OPENCL_FAULTS");
  if (sweep.module == NULL) give_up("run it through ctest, which names the modules");
  sweep.cases = fault_cases(&sweep.case_count);
  if (sweep.case_count > MOST_CASES) give_up("too many cases");
  sweep.work.timeout_seconds = timeout != NULL ? strtod(timeout, NULL) : 60;
  work_create(&sweep.work, sweep.settings.memory ? "allocations" : "opencl");
  bool bases = true;
  for (size_t i = 0; i < sweep.case_count; i++)
    if (is_wanted(&sweep, i)) bases = run_base(&sweep, i) && bases;
  make_plan(&sweep);
  Shared *shared = mmap(NULL, sizeof *shared + sweep.planned, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) give_up("out of memory");
  double began = now();
  run_plan(&sweep, shared);
  print_table(&sweep, shared, true);
  size_t bad = print_table(&sweep, shared, false);
  printf("%.0f s\n", now() - began);
  if (!sweep.settings.keep) work_remove(&sweep.work);
  return bases && bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
