/* Whether a run in which a call failed ended as it is promised. */
#ifndef SETOSA_TESTS_FAULTS_VERDICT_H
#define SETOSA_TESTS_FAULTS_VERDICT_H

#include "faults/work.h"

typedef enum Verdict {
  VERDICT_NONE,      /* did not run */
  VERDICT_SAME,      /* exit 0, and all that came out is what comes out without the failure */
  VERDICT_TOLD,      /* the promised exit code, one line, outputs whole or absent */
  VERDICT_OTHER,     /* exit 0 with another result */
  VERDICT_CODE,      /* another exit code */
  VERDICT_WORDS,     /* no line, or several; or one that does not name memory where that was short */
  VERDICT_OUTPUT,    /* an output that is neither whole nor absent */
  VERDICT_TEMPORARY, /* a temporary file was left */
  VERDICT_SANITIZER,
  VERDICT_CRASH,
  VERDICT_HANG,
  VERDICTS
} Verdict;

extern const char *const verdict_names[VERDICTS];
static inline bool verdict_is_good(Verdict verdict) { return verdict == VERDICT_SAME || verdict == VERDICT_TOLD; }
/* base: of the same case without a failure. */
Verdict verdict_of(const Outcome *outcome, const Outcome *base, const Case *what, bool memory);
/* Why a run cannot serve as base; NULL when it can. */
const char *verdict_of_base(const Outcome *base);

#endif
