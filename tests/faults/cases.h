/* The command lines whose calls are made to fail. */
#ifndef SETOSA_TESTS_FAULTS_CASES_H
#define SETOSA_TESTS_FAULTS_CASES_H

#include <stddef.h>

enum {
  FAULT_OPENCL = 1 << 0,     /* every OpenCL call of it fails once */
  FAULT_ALLOCATION = 1 << 1, /* every allocation */
  CASE_COLD = 1 << 2,        /* nothing is remembered of self-tests and tuning */
  CASE_SAMPLED = 1 << 3,     /* thousands of calls that are all alike, or a number that depends on the clock: some fail, spread over all */
  CASE_ROUNDED = 1 << 4,     /* with fewer threads it rounds elsewhere: an output must be there and may differ */
};

/* What must be the same where a run says that it did its work. */
typedef enum CaseOutput {
  OUTPUT_BYTES, /* stdout as it is */
  OUTPUT_JSON,  /* the document without times and sizes */
  OUTPUT_SHAPE, /* its fields alone: what is in them is measured, or said of a device that answers less */
} CaseOutput;

typedef struct Case {
  const char *name;
  unsigned flags;
  CaseOutput output;
  const char *arguments; /* apart by blanks; inputs lie in ../in, what is written begins with "out" */
} Case;

const Case *fault_cases(size_t *count);
/* How the inputs are made: command lines of the program, in the folder of the inputs. */
const char *const *fault_inputs(size_t *count);

#endif
