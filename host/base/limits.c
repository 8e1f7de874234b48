/* getrlimit. */
#include "base/limits.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const rlim_t LEAST_STACK_BYTES = (rlim_t)192 << 10; /* PoCL's compiler has crashed with 64 KB and worked with 128 */
static const rlim_t LEAST_FILES = 16;                      /* and its linker found no library with 14 */

void limits_name(char *text, size_t size) {
  static const struct {
    __rlimit_resource_t resource;
    rlim_t low; /* from here on it is no reason */
    rlim_t unit;
    const char *unit_name, *what, *flag;
  } limits[] = {
      {RLIMIT_AS, (rlim_t)4 << 30, 1 << 20, " MB", "address space", "-v"},
      {RLIMIT_DATA, (rlim_t)4 << 30, 1 << 20, " MB", "data", "-d"},
      {RLIMIT_FSIZE, (rlim_t)64 << 20, 1 << 10, " KB", "file sizes", "-f"},
      {RLIMIT_NOFILE, 64, 1, "", "open files", "-n"},
      {RLIMIT_NPROC, 512, 1, "", "processes and threads", "-u"},
      {RLIMIT_STACK, (rlim_t)1 << 20, 1 << 10, " KB", "the stack", "-s"},
  };
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit limit;
    char one[96];
    if (getrlimit(limits[i].resource, &limit) != 0 || limit.rlim_cur >= limits[i].low) continue;
    snprintf(one, sizeof one, "%sthe limit on %s is %llu%s (ulimit %s)", used > 0 ? ", " : "", limits[i].what,
             (unsigned long long)(limit.rlim_cur / limits[i].unit), limits[i].unit_name, limits[i].flag);
    if (used + strlen(one) >= size) return;
    memcpy(text + used, one, strlen(one) + 1);
    used += strlen(one);
  }
}

Status limits_check_compilers(Error *error) {
  struct rlimit limit;
  char text[64] = "";
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < LEAST_STACK_BYTES)
    snprintf(text, sizeof text, "the stack is %llu KB (ulimit -s)", (unsigned long long)(limit.rlim_cur >> 10));
  else if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < LEAST_FILES)
    snprintf(text, sizeof text, "open files is %llu (ulimit -n)", (unsigned long long)limit.rlim_cur);
  if (text[0] == '\0') return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DEVICE,
                   "the limit on %s, too little for OpenCL's compilers; raise it, or compute without OpenCL: --backend blas or reference",
                   text);
}
