/* Folders of OpenCL drivers, good and bad, for programs that run the program with them. */
#ifndef SETOSA_TESTS_CLI_DRIVERS_H
#define SETOSA_TESTS_CLI_DRIVERS_H

#include <sys/stat.h>

#include "cli/run.h"

#define DRIVERS_POCL "/etc/OpenCL/vendors/pocl.icd"

/* The driver of tests/opencl/drivers that does what `wrong` says (hang-build), as folder/wrong.icd. */
static inline void drivers_add(const char *folder, const char *wrong) {
  char command[4 * SUPPORT_PATH];
  snprintf(command, sizeof command, "cp \"%s\" '%s/%s.so' && echo '%s/%s.so' > '%s/%s.icd'",
           getenv(strcmp(wrong, "missing-symbol") == 0 ? "SETOSA_NO_SYMBOL" : "SETOSA_FAKE_DRIVER"), folder, wrong, folder, wrong, folder,
           wrong);
  assert_int_equal(system(command), 0);
}

static inline void drivers_add_pocl(const char *folder) {
  char command[2 * SUPPORT_PATH];
  if (access(DRIVERS_POCL, R_OK) != 0) support_skip("no " DRIVERS_POCL);
  snprintf(command, sizeof command, "cp " DRIVERS_POCL " '%s/pocl.icd'", folder);
  assert_int_equal(system(command), 0);
}

/* A new folder with that driver and PoCL, which OCL_ICD_VENDORS names from here on. */
static inline void drivers_make(char path[SUPPORT_PATH], const char *below, const char *wrong) {
  support_path(path, below, wrong);
  assert_int_equal(mkdir(path, 0700), 0);
  drivers_add(path, wrong);
  drivers_add_pocl(path);
  setenv("OCL_ICD_VENDORS", path, 1);
}

#endif
