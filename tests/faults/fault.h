/* What the modules of this folder share. They are loaded before the program (LD_PRELOAD), count the calls of each function that they stand
 * for, and let one of them fail:
 *   SETOSA_FAULT_CALL=NAME SETOSA_FAULT_NUMBER=N [SETOSA_FAULT_CODE=C]   the N-th call of NAME fails (with the OpenCL code C)
 *   SETOSA_FAULT_COUNTS=FILE                                             a line "NAME COUNT" for each function, written at the end */
#ifndef SETOSA_TESTS_FAULTS_FAULT_H
#define SETOSA_TESTS_FAULTS_FAULT_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Fault {
  bool ready;
  int call, code; /* call: index of the function; -1: none fails */
  long number;
} Fault;

static inline Fault fault_read(const char *const *names, int count) {
  const char *call = getenv("SETOSA_FAULT_CALL"), *number = getenv("SETOSA_FAULT_NUMBER"), *code = getenv("SETOSA_FAULT_CODE");
  Fault fault = {.ready = true, .call = -1};
  for (int i = 0; i < count && call != NULL; i++)
    if (strcmp(names[i], call) == 0) fault.call = i;
  unsetenv("LD_PRELOAD"); /* the compilers that a driver starts are left alone */
  fault.number = number != NULL ? strtol(number, NULL, 10) : 0;
  fault.code = code != NULL ? (int)strtol(code, NULL, 10) : 0;
  return fault;
}

/* Counts a call; whether it is the one. */
static inline bool fault_due(const Fault *fault, atomic_long *counts, int call) {
  return atomic_fetch_add(&counts[call], 1) + 1 == fault->number && call == fault->call;
}

/* Without stdio, whose buffers are allocated. */
static inline void fault_write_counts(const char *const *names, atomic_long *counts, int count) {
  const char *path = getenv("SETOSA_FAULT_COUNTS");
  int file = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
  for (int i = 0; i < count && file >= 0; i++) {
    char line[96];
    int length = snprintf(line, sizeof line, "%s %ld\n", names[i], atomic_load(&counts[i]));
    if (length > 0 && write(file, line, (size_t)length) != length) break;
  }
  if (file >= 0) close(file);
}

#endif
