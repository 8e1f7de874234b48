/* The folders of a sweep, and one run of the program in them. */
#ifndef SETOSA_TESTS_FAULTS_WORK_H
#define SETOSA_TESTS_FAULTS_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "faults/cases.h"
#include "support/support.h"

enum { WORK_PATH = SUPPORT_PATH, WORK_OUTPUTS = 8 };

/* A folder with in/ (the inputs), run/ (where the program runs), a cache, and what a run leaves: stdout, stderr, counts. */
typedef struct Work {
  char folder[WORK_PATH], cache[WORK_PATH]; /* cache: in the folder, or one that stays */
  double timeout_seconds;
} Work;

/* What fails; call NULL: nothing. */
typedef struct Injection {
  const char *module; /* the library that counts and fails */
  const char *call;
  long number;
  int code;
} Injection;

typedef struct OutputFile {
  char name[64];
  uint64_t hash;
  bool whole; /* as far as its form says */
} OutputFile;

typedef struct Outcome {
  int code; /* exit code, or 128 + the signal that ended it, or WORK_HUNG */
  char *out, *err;
  OutputFile files[WORK_OUTPUTS]; /* in run/ */
  int file_count;
  bool temporary_left; /* below run/, in/ or cache/ */
} Outcome;
enum { WORK_HUNG = -1 };

/* A new folder with inputs, made by the program; exits when that fails. Its cache is one that stays for the next sweep of this kind. */
void work_create(Work *work, const char *kind);
/* Another one with the same inputs and a copy of the cache. */
void work_copy(Work *copy, const Work *work);
void work_remove(const Work *work);
void work_run(Outcome *outcome, const Work *work, const Case *what, const Injection *injection);
void outcome_free(Outcome *outcome);
/* The line by which a person repeats it, without a line end. */
void work_print_command(const Work *work, const Case *what, const Injection *injection);
void work_path(char path[WORK_PATH], const Work *work, const char *name);

#endif
