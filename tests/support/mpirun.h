/* Starting MPI jobs on this machine, whoever the user is and however few cores it has. */
#ifndef SETOSA_TESTS_MPIRUN_H
#define SETOSA_TESTS_MPIRUN_H

#include <stdio.h>
#include <stdlib.h>

#include "support/support.h"

/* What follows "exec", for sh: then the number of ranks and the command. */
#define MPIRUN "mpirun --oversubscribe --bind-to none -n "

/* Skips the test where there is no mpirun. MPI's messages go through shared memory alone, without what containers forbid. With sanitizers
 * its jobs look for no leaks: Open MPI leaves many, in plug-ins that are gone before they can be told by name. */
static inline void mpirun_need(void) {
#ifndef SETOSA_HAVE_MPI
  support_skip("this build has no MPI");
#endif
  if (system("command -v mpirun > /dev/null 2>&1") != 0) support_skip("no mpirun");
  setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
  setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  setenv("OMPI_MCA_btl", "self,vader", 1);
  setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
  setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
  char options[SUPPORT_PATH];
  const char *before = getenv("ASAN_OPTIONS");
  snprintf(options, sizeof options, "%s%sdetect_leaks=0", before != NULL ? before : "", before != NULL ? ":" : "");
  setenv("ASAN_OPTIONS", options, 1);
}

#endif
