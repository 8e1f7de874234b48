/* Handlers for signals that come of something broken. They may come on any thread, those of drivers among them, and in the midst of
 * anything: so they call nothing but what POSIX allows in them, keep no state but the text below, and end the process. What was being
 * written stays a temporary file, which the next run sweeps. */
#include "cli/terminal/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"

enum { PATH_BYTES = 4096, LIMITS_BYTES = 512 };

/* Written before any handler can run, since a handler cannot ask for them: the limits that may be the reason, and the timer for that on CPU
 * time. */
static char limits[LIMITS_BYTES];
static timer_t cpu_timer;
static bool has_cpu_timer;

/* Appends to line (size), which stays terminated. */
static void append(char *line, size_t size, const char *text) {
  size_t used = strlen(line), length = strlen(text);
  if (length > size - 1 - used) length = size - 1 - used;
  memcpy(line + used, text, length);
  line[used + length] = '\0';
}

static void say(const char *line) {
  size_t length = strlen(line);
  while (length > 0) {
    ssize_t written = write(STDERR_FILENO, line, length);
    if (written <= 0) return;
    line += written;
    length -= (size_t)written;
  }
}

/* One line, and the end, of however many threads that come here at once. */
static void end_with(const char *line, int code) {
  static atomic_flag ending = ATOMIC_FLAG_INIT;
  while (atomic_flag_test_and_set(&ending)) pause();
  say(line);
  _exit(code);
}

/* ---- which file lies at an address: /proc/self/maps, a character at a time ------------------------------------------ */

typedef struct MapsLine {
  uintptr_t begin, end;
  char path[PATH_BYTES]; /* from the first slash on; "" for none */
} MapsLine;

typedef struct MapsFile {
  int descriptor;
  char block[1024];
  ssize_t filled, at;
} MapsFile;

static int next_character(MapsFile *maps) {
  if (maps->at == maps->filled) {
    maps->at = 0;
    maps->filled = read(maps->descriptor, maps->block, sizeof maps->block);
    if (maps->filled <= 0) return -1;
  }
  return (unsigned char)maps->block[maps->at++];
}

static int read_address(MapsFile *maps, uintptr_t *address) {
  int c;
  *address = 0;
  for (c = next_character(maps); (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); c = next_character(maps))
    *address = *address * 16 + (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
  return c;
}

/* "7f0a-7f0c r--p 0000 fd:01 1234   /a/file" */
static bool read_line(MapsFile *maps, MapsLine *line) {
  size_t length = 0;
  if (read_address(maps, &line->begin) != '-') return false;
  int c = read_address(maps, &line->end);
  while (c != '/' && c != '\n' && c != -1) c = next_character(maps);
  for (; c != '\n' && c != -1; c = next_character(maps))
    if (length + 1 < PATH_BYTES) line->path[length++] = (char)(c < ' ' || c == 127 ? '?' : c);
  line->path[length] = '\0';
  return true;
}

static bool find_file(MapsLine *line, const void *address) {
  MapsFile maps = {.descriptor = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
  bool found = false;
  while (!found && maps.descriptor >= 0 && read_line(&maps, line))
    found = (uintptr_t)address >= line->begin && (uintptr_t)address < line->end;
  if (maps.descriptor >= 0) close(maps.descriptor);
  return found && line->path[0] != '\0';
}

/* ---- the signals --------------------------------------------------------------------------------------------------- */

/* The system's own way, with its exit code and its core: the signal comes again when the handler returns, or at once. */
static void leave_to_system(int number) {
  signal(number, SIG_DFL);
  raise(number);
}

/* The pages of a mapping that lie beyond the end of its file cannot be read. */
static void on_bus_error(int number, siginfo_t *info, void *context) {
  MapsLine line;
  char text[PATH_BYTES + 128] = "";
  (void)context;
  if (info->si_code != BUS_ADRERR || !find_file(&line, info->si_addr)) {
    leave_to_system(number);
    return;
  }
  append(text, sizeof text, line.path);
  append(text, sizeof text, ": was shortened while it was read; leave it alone until the work is done, or read a copy of it\n");
  end_with(text, SETOSA_ERROR_DATA);
}

static void on_broken_library(int number) {
  char text[LIMITS_BYTES + 256] = "setosa: a library ";
  append(text, sizeof text, number == SIGABRT ? "ended the process (SIGABRT)" : "crashed (SIGSEGV)");
  append(text, sizeof text, ", most likely the OpenCL driver");
  if (limits[0] != '\0') {
    append(text, sizeof text, ": ");
    append(text, sizeof text, limits);
    append(text, sizeof text, "; raise it, or use --backend blas or reference\n");
  } else {
    append(text, sizeof text, "; use another --device, or --backend blas or reference\n");
  }
  end_with(text, SETOSA_ERROR_INTERNAL);
}

/* ---- CPU time ------------------------------------------------------------------------------------------------------ */

static void on_cpu_time(int number) {
  const struct itimerspec never = {0};
  signal(number, SIG_IGN); /* it comes again every second */
  if (has_cpu_timer) timer_settime(cpu_timer, 0, &never, NULL);
  say("setosa: the limit on CPU time is used up (ulimit -t): what follows is as after Ctrl-C\n");
  raise(SIGTERM);
}

/* The system sends SIGXCPU at the soft limit and kills at the hard one, which most often is the same: then a timer comes first. */
static void watch_cpu_time(void) {
  struct rlimit limit;
  struct sigaction action = {.sa_handler = on_cpu_time, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU};
  sigemptyset(&action.sa_mask);
  sigaction(SIGXCPU, &action, NULL);
  if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY || limit.rlim_cur + 1 <= limit.rlim_max) return;
  has_cpu_timer = timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &cpu_timer) == 0;
  if (!has_cpu_timer) return;
  time_t most = limit.rlim_max < INT32_MAX ? (time_t)limit.rlim_max : INT32_MAX;
  time_t kept = most / 8 < 1 ? 1 : most / 8 > 10 ? 10 : most / 8; /* to end an iteration, and to write what is to be kept */
  time_t seconds = most - kept;
  /* Again and again: the first may go to a compiler's handler (crash.h), which takes itself away. */
  struct itimerspec when = {.it_value = {.tv_sec = seconds, .tv_nsec = seconds > 0 ? 0 : 500000000}, .it_interval = {.tv_nsec = 200000000}};
  timer_settime(cpu_timer, 0, &when, NULL);
}

void crash_install(void) {
  limits_name(limits, sizeof limits);
  watch_cpu_time();
  crash_install_again();
}

void crash_install_again(void) {
  struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
  action = (struct sigaction){.sa_handler = on_broken_library};
  sigemptyset(&action.sa_mask);
  sigaction(SIGABRT, &action, NULL);
  if (limits[0] != '\0') sigaction(SIGSEGV, &action, NULL); /* else a crash is one, and its core tells more than a line */
}
