/* A child process with a time limit. It is forked, not started anew: a library does not know the program that it is in. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Lines are the child's words. These two begin with a byte that no word has, and say how it ended. */
#define CAME_BACK "\001back"
#define LEFT_BY_EXIT "\001exit "

enum { WORD_SIZE = 4096, SLICE_MS = 100 };

struct Child {
  int words;
};

/* ---- in the child ---------------------------------------------------------------------------------------------------- */

/* As _exit: the handlers of exit belong to the parent. */
__attribute__((noreturn)) static void end_child(int code) {
  for (;;) syscall(SYS_exit_group, code);
}

static void write_all(int descriptor, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t done = write(descriptor, bytes, length);
    if (done < 0 && errno != EINTR) return;
    if (done > 0) bytes += done, length -= (size_t)done;
  }
}

void child_say(Child *child, const char *format, ...) {
  char line[WORD_SIZE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  strcat(line, "\n");
  write_all(child->words, line, strlen(line));
}

/* Something that body called has called exit. Registered last, this runs first: what else is registered is the parent's, whose buffers
 * would be written a second time. */
static void on_child_exit(int code, void *words) {
  Child child = {(int)(intptr_t)words};
  child_say(&child, LEFT_BY_EXIT "%d", code);
  end_child(code);
}

static void limit_cores(void) {
  struct rlimit none = {1, 1}; /* 0 would still start a program that collects cores */
  setrlimit(RLIMIT_CORE, &none);
}

/* As for a program that is started: what is ignored stays ignored, since a file that may not grow, say, is no reason to die. */
static void reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN) signal(number, SIG_DFL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void run_child(pid_t parent, int words, int output, ChildFunction body, const void *argument) {
  Child child = {words};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) end_child(1); /* it ended before the line above */
  setpgid(0, 0);                         /* what body starts can be ended together with it */
  reset_signals();
  limit_cores();
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  on_exit(on_child_exit, (void *)(intptr_t)words);
  body(&child, argument);
  child_say(&child, CAME_BACK);
  end_child(0);
}

/* ---- in the parent --------------------------------------------------------------------------------------------------- */

static const char *signal_name(char *room, size_t size, int number) {
  static const struct {
    int number;
    const char *name;
  } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGILL, "SIGILL"}, {SIGBUS, "SIGBUS"},  {SIGFPE, "SIGFPE"},
               {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"}, {SIGKILL, "SIGKILL"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == number) return names[i].name;
  snprintf(room, size, "signal %d", number);
  return room;
}

static void sleep_ms(long milliseconds) {
  struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

/* True when the child has ended; *status is -1 when somebody else has reaped it (a handler of SIGCHLD). */
static bool reap(pid_t child, int *status) {
  pid_t got = waitpid(child, status, WNOHANG);
  if (got < 0 && errno != EINTR) *status = -1;
  return got == child || (got < 0 && errno != EINTR);
}

/* Adds what there is to read; false at its end. */
static bool take_words(int descriptor, Text *words) {
  char block[WORD_SIZE];
  ssize_t got = read(descriptor, block, sizeof block);
  if (got > 0) text_append_bytes(words, block, (size_t)got, NULL); /* without memory for a word it counts as not said */
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/* How long the child has been silent, and what it did meanwhile. */
typedef struct Patience {
  double seconds;          /* that it has */
  double since, cpu_since; /* of its last word, and what it had computed by then */
  double looked, cpu_looked;
  bool idle; /* between the last two looks */
} Patience;

/* Seconds that the child has computed; 0 where the system does not tell. */
static double computed(pid_t child) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(child, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void begin_patience(Patience *patience, double seconds, pid_t child) {
  double now = clock_seconds(), cpu = computed(child);
  *patience = (Patience){seconds, now, cpu, now, cpu, true};
}

/* Its time is over when it does nothing. On a busy machine one that computes may have waited for its turn: it may compute for as long. */
static bool lose_patience(Patience *patience, pid_t child) {
  enum { MOST_TIMES = 10 };
  const double between = 1, least = 0.01;
  double now = clock_seconds(), cpu = computed(child);
  if (now - patience->looked >= between) {
    patience->idle = cpu - patience->cpu_looked < least * (now - patience->looked);
    patience->looked = now;
    patience->cpu_looked = cpu;
  }
  if (now - patience->since < patience->seconds) return false;
  return patience->idle || cpu - patience->cpu_since >= patience->seconds || now - patience->since >= MOST_TIMES * patience->seconds;
}

/* Until the child has ended or has been silent for too long, which is the false. */
static bool attend(pid_t child, int words, Text *text, double seconds, int *status) {
  Patience patience;
  bool open = true;
  begin_patience(&patience, seconds, child);
  for (;;) {
    struct pollfd watch = {.fd = open ? words : -1, .events = POLLIN};
    /* Something that the child started may hold the pipe when the child is gone, so its end is looked for now and then. */
    if (poll(&watch, 1, open ? SLICE_MS : 1) > 0) {
      open = take_words(words, text);
      if (open) begin_patience(&patience, seconds, child);
      continue;
    }
    if (reap(child, status)) break;
    if (lose_patience(&patience, child)) return false;
  }
  while (open && poll(&(struct pollfd){.fd = words, .events = POLLIN}, 1, 0) > 0) open = take_words(words, text);
  return true;
}

/* Ends a child that still runs. One that hangs inside the kernel cannot be ended and is left behind after a second. */
static void end_running(pid_t child) {
  int status;
  kill(child, SIGKILL);
  for (int waited = 0; waited < 1000 && !reap(child, &status); waited += 5) sleep_ms(5);
}

/* The first line that was printed. */
static void read_output(int descriptor, char *line, size_t size) {
  ssize_t got = read(descriptor, line, size - 1);
  line[got > 0 ? got : 0] = '\0';
  size_t blank = strspn(line, " \t\r\n");
  memmove(line, line + blank, strlen(line + blank) + 1);
  line[strcspn(line, "\r\n")] = '\0';
  text_make_visible(line, '?');
}

/* Cuts `mark` and what follows off the words, and returns what follows; NULL when it was not said. */
static char *cut_mark(Text *words, const char *mark) {
  char *at = words->text != NULL ? strstr(words->text, mark) : NULL;
  if (at == NULL) return NULL;
  *at = '\0';
  words->length = (size_t)(at - words->text);
  return at + strlen(mark);
}

static void judge(ChildReport *report, int status) {
  char room[32];
  const char *code;
  if (cut_mark(&report->words, CAME_BACK) != NULL)
    report->finished = true;
  else if ((code = cut_mark(&report->words, LEFT_BY_EXIT)) != NULL)
    snprintf(report->fate, sizeof report->fate, "left with exit code %d", atoi(code));
  else if (status == -1)
    snprintf(report->fate, sizeof report->fate, "ended without an answer");
  else if (WIFEXITED(status))
    snprintf(report->fate, sizeof report->fate, "left with exit code %d", WEXITSTATUS(status));
  else if (WTERMSIG(status) == SIGABRT)
    snprintf(report->fate, sizeof report->fate, "aborted");
  else
    snprintf(report->fate, sizeof report->fate, "was stopped by %s", signal_name(room, sizeof room, WTERMSIG(status)));
}

Status child_run(ChildReport *report, ChildFunction body, const void *argument, double seconds, Error *error) {
  Status status = SETOSA_OK;
  int words[2] = {-1, -1}, output[2] = {-1, -1}, ended = 0;
  pid_t parent = getpid(), child = -1;
  *report = (ChildReport){.finished = false};
  /* A printer that nobody reads must not wait: its pipe refuses what it has no room for. */
  if (pipe2(words, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC | O_NONBLOCK) == 0) child = fork();
  if (child == 0) run_child(parent, words[1], output[1], body, argument);
  if (child < 0)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "cannot start a process: %s; %s", strerror(errno), file_remedy(errno, "end some others")));
  close(words[1]);
  words[1] = -1;
  if (attend(child, words[0], &report->words, seconds, &ended)) {
    judge(report, ended);
  } else {
    report->timed_out = true;
    snprintf(report->fate, sizeof report->fate, "did not answer within %g s", seconds);
    end_running(child);
  }
  if (!report->finished) kill(-child, SIGKILL); /* what it has started */
  read_output(output[0], report->output, sizeof report->output);
cleanup:
  for (int i = 0; i < 2; i++) {
    if (words[i] >= 0) close(words[i]);
    if (output[i] >= 0) close(output[i]);
  }
  return status;
}

void child_report_free(ChildReport *report) {
  text_free(&report->words);
  *report = (ChildReport){.finished = false};
}
