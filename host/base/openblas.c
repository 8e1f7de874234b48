/* Loading OpenBLAS, whose constructor starts threads. */
#include "base/openblas.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/library.h"

/* What it takes for each thread (BUFFER_SIZE of its common_x86_64.h, the largest there is). */
static const size_t ROOM_OF_A_THREAD = (size_t)32 << 22;

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

Status openblas_check_room(size_t threads, const char *remedy, Error *error) {
  size_t bytes = threads * ROOM_OF_A_THREAD;
  void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return error_set(error, SETOSA_ERROR_INTERNAL,
                     "out of memory: OpenBLAS takes %.1f MB of address space for %zu thread%s; raise the limit on it (ulimit -v), or %s",
                     (double)bytes / 1e6, threads, threads == 1 ? "" : "s", remedy);
  munmap(room, bytes);
  return SETOSA_OK;
}
