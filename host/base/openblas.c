/* Loading OpenBLAS, whose constructor starts threads. */
#include "base/openblas.h"

#include <sched.h>
#include <stdbool.h>

#include "base/library.h"

static const char *const names[] = {
#ifdef SETOSA_OPENBLAS_FILE
    SETOSA_OPENBLAS_FILE, SETOSA_OPENBLAS_PATH,
#endif
    "libopenblas.so.0", "libopenblas.so", NULL};

/* While it is loaded OpenBLAS starts a thread for each core that the loading thread may run on. Ours never use them; where one cannot be
 * started, OpenBLAS ends the process by SIGINT; and where memory is short, they never end. So it sees one core. */
Status openblas_load(void **library, const char *remedy, Error *error) {
  cpu_set_t before, one;
  bool known = sched_getaffinity(0, sizeof before, &before) == 0;
  if (known) {
    int core = 0;
    while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &before)) core++;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    known = sched_setaffinity(0, sizeof one, &one) == 0;
  }
  Status status = library_load(library, names, remedy, error);
  if (known) sched_setaffinity(0, sizeof before, &before);
  return status;
}
