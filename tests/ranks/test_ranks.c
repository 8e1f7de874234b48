/* What ranks say to each other: every case is a job of three processes, started by mpirun from this program. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ranks/internal.h"
#include "support/mpirun.h"

enum { RANKS = 3 };

/* ---- within a rank: a failed EXPECT ends it with a code that no case has -------------------------------------------- */

#define EXPECT(condition)                                                                      \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "%s:%d: rank %zu: %s\n", __FILE__, __LINE__, ranks_rank(r), #condition); \
      _exit(99);                                                                               \
    }                                                                                          \
  } while (0)

static void sleep_ms(long milliseconds) { nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL); }

static void expect_error(Ranks *r, Status found, const Error *error, Status status, const char *message) {
  EXPECT(found == status);
  EXPECT(error->status == status);
  if (strcmp(error->message, message) != 0) fprintf(stderr, "\"%s\" instead of \"%s\"\n", error->message, message);
  EXPECT(strcmp(error->message, message) == 0);
}

static void gather_uneven(Ranks *r) {
  Error e = {0};
  const size_t sizes[RANKS] = {5, 0, 1000}, begins[RANKS] = {0, 5, 5};
  size_t own = ranks_rank(r);
  unsigned char all[1006];
  memset(all, 0xEE, sizeof all);
  for (size_t i = 0; i < sizes[own]; i++) all[begins[own] + i] = (unsigned char)(i + 7 * own);
  EXPECT(ranks_allgather(r, all, sizes, &e) == SETOSA_OK);
  for (size_t part = 0; part < RANKS; part++)
    for (size_t i = 0; i < sizes[part]; i++) EXPECT(all[begins[part] + i] == (unsigned char)(i + 7 * part));
  EXPECT(all[1005] == 0xEE);
}

static void share_and_sum(Ranks *r) {
  Error e = {0};
  double own = (double)ranks_rank(r), shared[300], sums[300];
  for (int i = 0; i < 300; i++) shared[i] = own == 0 ? i : NAN;
  EXPECT(ranks_broadcast(r, shared, sizeof shared, &e) == SETOSA_OK);
  for (int i = 0; i < 300; i++) EXPECT(shared[i] == i);
  for (int i = 0; i < 300; i++) sums[i] = i + own * 1000;
  EXPECT(ranks_sum(r, sums, 300, &e) == SETOSA_OK);
  for (int i = 0; i < 300; i++) EXPECT(sums[i] == 3 * i + 3000);
}

static void talk(Ranks *r) {
  Error e = {0};
  bool any = true;
  EXPECT(ranks_size(r) == RANKS && ranks_rank(r) < RANKS && ranks_local(r) == ranks_rank(r));
  EXPECT(ranks_agree(r, SETOSA_OK, &e) == SETOSA_OK);
  EXPECT(ranks_any(r, false, &any, &e) == SETOSA_OK && !any);
  for (size_t who = 0; who < RANKS; who++) EXPECT(ranks_any(r, ranks_rank(r) == who, &any, &e) == SETOSA_OK && any);
  const size_t pieces[] = {(size_t)1 << 30, 1005, 1004, 64, 8};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    ranks_set_piece(r, pieces[i]);
    gather_uneven(r);
    share_and_sum(r);
  }
  EXPECT(e.status == SETOSA_OK && e.message[0] == '\0');
}

/* Rank 1 fails while the others make other calls: all hear of it, and go on hearing it without another word. */
static void one_fails(Ranks *r) {
  Error e = {0};
  double value = 1;
  bool any = false;
  size_t sizes[RANKS] = {0};
  Status status = SETOSA_OK;
  if (ranks_rank(r) == 1) status = ranks_agree(r, error_set(&e, SETOSA_ERROR_DATA, "x.csv:3:1: bad"), &e);
  if (ranks_rank(r) == 0) status = ranks_allgather(r, &value, sizes, &e);
  if (ranks_rank(r) == 2) status = ranks_sum(r, &value, 1, &e);
  expect_error(r, status, &e, SETOSA_ERROR_DATA, "x.csv:3:1: bad (rank 1 of 3)");
  if (ranks_rank(r) == 2) EXPECT(value == 1);
  for (int again = 0; again <= (int)ranks_rank(r); again++) { /* other counts on each: nobody waits for anybody */
    Error fresh = {0};
    expect_error(r, ranks_agree(r, SETOSA_OK, &fresh), &fresh, SETOSA_ERROR_DATA, "x.csv:3:1: bad (rank 1 of 3)");
    EXPECT(ranks_any(r, true, &any, NULL) == SETOSA_ERROR_DATA);
    EXPECT(ranks_broadcast(r, &value, sizeof value, NULL) == SETOSA_ERROR_DATA);
    EXPECT(ranks_sum(r, &value, 1, NULL) == SETOSA_ERROR_DATA);
    EXPECT(ranks_allgather(r, &value, sizes, NULL) == SETOSA_ERROR_DATA);
  }
  /* What a caller has added to the message stays. */
  error_prefix(&e, "while training");
  expect_error(r, ranks_agree(r, SETOSA_ERROR_DATA, &e), &e, SETOSA_ERROR_DATA, "while training: x.csv:3:1: bad (rank 1 of 3)");
}

static void two_fail(Ranks *r) {
  Error e = {0};
  bool any;
  Status status = ranks_rank(r) == 0 ? ranks_any(r, false, &any, &e)
                                     : ranks_agree(r, error_set(&e, SETOSA_ERROR_DEVICE, "lost %zu", ranks_rank(r)), &e);
  expect_error(r, status, &e, SETOSA_ERROR_DEVICE, "lost 1 (rank 1 of 3)");
}

static void all_fail(Ranks *r) {
  Error e = {0};
  Status own = ranks_rank(r) == 0 ? SETOSA_ERROR_USAGE : SETOSA_ERROR_WRITE;
  expect_error(r, ranks_agree(r, error_set(&e, own, "wrong %zu", ranks_rank(r)), &e), &e, SETOSA_ERROR_USAGE, "wrong 0");
}

/* An end without words, as an interrupt is. */
static void wordless(Ranks *r) {
  Error e = {0};
  expect_error(r, ranks_agree(r, SETOSA_INTERRUPTED, &e), &e, SETOSA_INTERRUPTED, "");
}

/* Two ranks fail while rank 0 works for a minute. */
static void nobody_comes(Ranks *r) {
  Error e = {0};
  signal(SIGTERM, SIG_IGN);
  if (ranks_rank(r) == 0)
    sleep_ms(60000);
  else
    ranks_agree(r, error_set(&e, SETOSA_ERROR_DEVICE, "lost %zu", ranks_rank(r)), &e);
  EXPECT(!"reached");
}

/* Waiting costs next to no processor time. */
static void waits_asleep(Ranks *r) {
  if (ranks_rank(r) == 0) sleep_ms(2000);
  clock_t before = clock();
  EXPECT(ranks_agree(r, SETOSA_OK, NULL) == SETOSA_OK);
  EXPECT((double)(clock() - before) / CLOCKS_PER_SEC < 0.5);
}

static void killed(Ranks *r) {
  if (ranks_rank(r) == 2) raise(SIGKILL);
  ranks_agree(r, SETOSA_OK, NULL);
  EXPECT(!"reached");
}

static void on_waiting(const char *line, void *user) { fprintf(stderr, "%s: %s\n", (const char *)user, line); }

static bool always(void *user) { return user != NULL; }

/* Rank 1 is stopped while the others wait for it. */
static void stopped(Ranks *r) {
  Error e = {0};
  RanksWatch watch = {.limit_seconds = 2, .waiting = on_waiting, .user = (void *)(uintptr_t) "said"};
  ranks_watch(r, &watch);
  if (ranks_rank(r) == 1) raise(SIGSTOP);
  ranks_agree(r, SETOSA_OK, &e);
  EXPECT(ranks_rank(r) == 1);
}

/* And the job is asked to stop. */
static void stopped_and_asked(Ranks *r) {
  Error e = {0};
  double values[4] = {0};
  RanksWatch watch = {.should_stop = always, .user = r};
  ranks_watch(r, &watch);
  if (ranks_rank(r) == 1) raise(SIGSTOP);
  ranks_sum(r, values, 4, &e);
  EXPECT(ranks_rank(r) == 1);
}

/* Who is asked to stop while the others work waits for them. */
static void asked_at_work(Ranks *r) {
  Error e = {0};
  RanksWatch watch = {.should_stop = always, .user = r};
  ranks_watch(r, &watch);
  if (ranks_rank(r) == 1) sleep_ms(2000);
  EXPECT(ranks_agree(r, SETOSA_OK, &e) == SETOSA_OK);
}

/* Rank 2 comes too late: it is at work, so that it is named by what the others told each other. */
static void too_long(Ranks *r) {
  Error e = {0};
  RanksWatch watch = {.limit_seconds = 7, .waiting = on_waiting, .user = (void *)(uintptr_t) "said"};
  ranks_watch(r, &watch);
  if (ranks_rank(r) == 2) sleep_ms(30000);
  ranks_agree(r, SETOSA_OK, &e);
  EXPECT(ranks_rank(r) == 2);
}

static const struct Case {
  const char *name;
  void (*run)(Ranks *r);
} cases[] = {{"talk", talk},
             {"one_fails", one_fails},
             {"two_fail", two_fail},
             {"all_fail", all_fail},
             {"wordless", wordless},
             {"nobody_comes", nobody_comes},
             {"waits_asleep", waits_asleep},
             {"killed", killed},
             {"stopped", stopped},
             {"stopped_and_asked", stopped_and_asked},
             {"asked_at_work", asked_at_work},
             {"too_long", too_long}};

static void on_abandon(const Error *error, void *user) { fprintf(stderr, "%s: %s\n", (const char *)user, error->message); }

static int run_rank(const char *name) {
  Ranks *r = NULL;
  Error e = {0};
  if (ranks_open(&r, &e) != SETOSA_OK) {
    fprintf(stderr, "%s\n", e.message);
    return 98;
  }
  ranks_on_abandon(r, on_abandon, (void *)(uintptr_t) "abandoned");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (strcmp(cases[i].name, name) == 0) cases[i].run(r);
  ranks_close(r);
  return 0;
}

/* ---- outside ---------------------------------------------------------------------------------------------------------- */

static char self[SUPPORT_PATH];

typedef struct Job {
  int code;
  double seconds;
  char text[16384]; /* stdout and stderr together */
} Job;

static void start(Job *job, const char *name) {
  char command[2 * SUPPORT_PATH];
  double began = clock_seconds();
  mpirun_need();
  snprintf(command, sizeof command, "exec " MPIRUN "%d '%s' %s 2>&1 < /dev/null", RANKS, self, name);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  job->text[fread(job->text, 1, sizeof job->text - 1, pipe)] = '\0';
  int status = pclose(pipe);
  job->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  job->seconds = clock_seconds() - began;
}

static void expect_code(const Job *job, int code) {
  if (job->code != code) fail_msg("exit code %d, not %d, after %.1f s:\n%s", job->code, code, job->seconds, job->text);
}

static void run_case(void **state) {
  Job job;
  start(&job, *state);
  expect_code(&job, 0);
}

static void test_nobody_comes(void **state) {
  (void)state;
  Job job;
  start(&job, "nobody_comes");
  expect_code(&job, SETOSA_ERROR_DEVICE);
  const char *line = strstr(job.text, "abandoned: lost 1 (rank 1 of 3)\n");
  if (line == NULL || strstr(line + 1, "abandoned: ") != NULL || strstr(job.text, "lost 2") != NULL) fail_msg("%s", job.text);
  assert_true(job.seconds > 2 && job.seconds < 10);
}

static void test_killed(void **state) {
  (void)state;
  Job job;
  start(&job, "killed");
  expect_code(&job, 128 + SIGKILL);
  assert_true(job.seconds < 10);
}

static void expect_end(const char *name, int code, double seconds, const char *who, const char *what) {
  Job job;
  start(&job, name);
  expect_code(&job, code);
  const char *line = strstr(job.text, "abandoned: ");
  if (line == NULL || strstr(line + 1, "abandoned: ") != NULL || strstr(line, who) == NULL || strstr(line, what) == NULL)
    fail_msg("\"%s\" and \"%s\" are not once in:\n%s", who, what, job.text);
  assert_true(job.seconds < seconds);
}

static void test_stopped(void **state) {
  (void)state;
  expect_end("stopped", SETOSA_ERROR_INTERNAL, 12, "waited 2 s: rank 1 of 3 (process ", ") is stopped; start the job again");
}

static void test_stopped_and_asked(void **state) {
  (void)state;
  expect_end("stopped_and_asked", SETOSA_INTERRUPTED, 10, "interrupted while it waited: rank 1 of 3 (process ", ") is stopped; ");
}

static void nightly_too_long(void **state) {
  (void)state;
  expect_end("too_long", SETOSA_ERROR_INTERNAL, 20, "waited 7 s: rank 2 of 3 (process ", ") does not come; start the job again");
}

/* Started without mpirun: no MPI, and all calls are those of one process. */
static void test_alone(void **state) {
  (void)state;
  Ranks *r = (Ranks *)(uintptr_t)1;
  Error e = {0};
  double value = 5;
  bool any = false;
  unsetenv("OMPI_COMM_WORLD_SIZE");
  unsetenv("PMI_SIZE");
  unsetenv("PMIX_RANK");
  assert_false(ranks_launched());
  setenv("SLURM_NTASKS", "4", 1); /* a batch script */
  assert_false(ranks_launched());
  setenv("PMIX_RANK", "0", 1);
  assert_true(ranks_launched());
  setenv("SLURM_STEP_NUM_TASKS", "1", 1);
  assert_false(ranks_launched());
  setenv("PMI_SIZE", "2", 1);
  assert_true(ranks_launched());
  setenv("PMI_SIZE", "1", 1);
  setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  assert_false(ranks_launched());
  support_ok(ranks_open(&r, &e), &e);
  assert_null(r);
  assert_int_equal(ranks_size(r), 1);
  assert_int_equal(ranks_rank(r), 0);
  assert_int_equal(ranks_local(r), 0);
  support_ok(ranks_broadcast(r, &value, sizeof value, &e), &e);
  support_ok(ranks_sum(r, &value, 1, &e), &e);
  support_ok(ranks_allgather(r, &value, (size_t[]){sizeof value}, &e), &e);
  assert_true(value == 5);
  support_ok(ranks_any(r, true, &any, &e), &e);
  assert_true(any);
  error_set(&e, SETOSA_ERROR_DATA, "mine");
  support_fails(ranks_agree(r, SETOSA_ERROR_DATA, &e), &e, SETOSA_ERROR_DATA, "mine");
  ranks_close(r);
}

#ifndef SETOSA_HAVE_MPI
static void test_without_mpi(void **state) {
  (void)state;
  Ranks *r = NULL;
  Error e = {0};
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  support_fails(ranks_open(&r, &e), &e, SETOSA_ERROR_USAGE, "started as one of several processes, but this build has no MPI");
  assert_null(r);
  unsetenv("OMPI_COMM_WORLD_SIZE");
}
#endif

int main(int argc, char **argv) {
  if (argc == 2) return run_rank(argv[1]);
  snprintf(self, sizeof self, "%s", argv[0]);
#define CASE(name) \
  { #name, run_case, NULL, NULL, (void *)(uintptr_t) #name }
  const struct CMUnitTest tests[] = {
      CASE(talk),
      CASE(one_fails),
      CASE(two_fail),
      CASE(all_fail),
      CASE(wordless),
      CASE(waits_asleep),
      cmocka_unit_test(test_nobody_comes),
      cmocka_unit_test(test_killed),
      CASE(asked_at_work),
      cmocka_unit_test(test_stopped),
      cmocka_unit_test(test_stopped_and_asked),
      cmocka_unit_test(nightly_too_long),
      cmocka_unit_test(test_alone),
#ifndef SETOSA_HAVE_MPI
      cmocka_unit_test(test_without_mpi),
#endif
  };
  return support_run("ranks_ranks", tests, NULL, NULL);
}
