/* Was this process started by a launcher of MPI jobs, together with others? Asked of the environment: MPI_Init would cost 0.1 s or more. */
#include <stdlib.h>

#include "ranks/ranks.h"

static bool above_one(const char *name) {
  const char *value = getenv(name);
  return value != NULL && strtol(value, NULL, 10) > 1;
}

bool ranks_launched(void) {
  /* Open MPI's mpirun; the launchers of MPICH and Intel MPI, and Slurm's pmi2. */
  if (above_one("OMPI_COMM_WORLD_SIZE") || above_one("PMI_SIZE")) return true;
  /* Slurm's pmix says no size of its own. Its variables alone mean nothing: a batch script has them, too. */
  if (getenv("PMIX_RANK") == NULL) return false;
  return getenv("SLURM_STEP_NUM_TASKS") != NULL ? above_one("SLURM_STEP_NUM_TASKS") : above_one("SLURM_NTASKS");
}
