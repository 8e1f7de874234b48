/* Every function that gives memory, or what is made of it, when it is called by the program or a library that works for it alone; drivers
 * and the C library itself are left alone. fault.h says how a call fails: as it does when memory is short. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include "fault.h"

#define FUNCTIONS(X) \
  X(malloc)          \
  X(calloc)          \
  X(realloc)         \
  X(aligned_alloc)   \
  X(posix_memalign)  \
  X(strdup) X(strndup) X(vasprintf) X(getline) X(fopen) X(fdopen) X(opendir) X(fdopendir) X(realpath) X(newlocale) X(mmap) X(pthread_create)

#define NUMBER(name) CALL_##name,
#define NAME(name) #name,
enum { FUNCTIONS(NUMBER) CALLS, MOST_RANGES = 32 };
static const char *const names[] = {FUNCTIONS(NAME)};
static atomic_long counts[CALLS];
static Fault fault;

/* ---- whose calls they are ----------------------------------------------------------------------------------------- */

static const char *const watched[] = {"libsetosa", "libjansson", "libpopt", "libzip", "libz.so", "libxxhash"};
static struct { uintptr_t begin, end; } ranges[MOST_RANGES];
static int range_count;

/* The code of one library; the first that is shown is the program. */
static int look_at_library(struct dl_phdr_info *info, size_t size, void *first) {
  bool wanted = *(bool *)first;
  (void)size;
  *(bool *)first = false;
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) wanted = wanted || strstr(info->dlpi_name, watched[i]) != NULL;
  for (int i = 0; i < info->dlpi_phnum && wanted && range_count < MOST_RANGES; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
    ranges[range_count].begin = info->dlpi_addr + part->p_vaddr;
    ranges[range_count++].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
  }
  return 0;
}

__attribute__((constructor)) static void begin(void) {
  bool first = true;
  free(calloc(1, 1)); /* found before there are threads */
  dl_iterate_phdr(look_at_library, &first);
  fault = fault_read(names, CALLS);
}

__attribute__((destructor)) static void end(void) {
  fault.ready = false;
  fault_write_counts(names, counts, CALLS);
}

static bool fails(int call, const void *caller) {
  bool ours = false;
  for (int i = 0; i < range_count && fault.ready; i++)
    ours = ours || ((uintptr_t)caller >= ranges[i].begin && (uintptr_t)caller < ranges[i].end);
  if (!ours || !fault_due(&fault, counts, call)) return false;
  errno = call == CALL_pthread_create ? EAGAIN : ENOMEM;
  return true;
}

/* ---- the functions ------------------------------------------------------------------------------------------------ */

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, parameters, arguments, failed)                 \
  type name parameters {                                                \
    static __typeof__(&name) real = NULL;                               \
    if (fails(CALL_##name, __builtin_return_address(0))) return failed; \
    if (real == NULL) real = REAL(name);                                \
    return real arguments;                                              \
  }

WRAP(void *, malloc, (size_t bytes), (bytes), NULL)
WRAP(void *, realloc, (void *old, size_t bytes), (old, bytes), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t bytes), (alignment, bytes), NULL)
WRAP(int, posix_memalign, (void **out, size_t alignment, size_t bytes), (out, alignment, bytes), ENOMEM)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t length), (text, length), NULL)
WRAP(int, vasprintf, (char **out, const char *format, va_list arguments), (out, format, arguments), -1)
WRAP(ssize_t, getline, (char **line, size_t *size, FILE *stream), (line, size, stream), -1)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
WRAP(FILE *, fdopen, (int descriptor, const char *mode), (descriptor, mode), NULL)
WRAP(DIR *, opendir, (const char *path), (path), NULL)
WRAP(DIR *, fdopendir, (int descriptor), (descriptor), NULL)
WRAP(char *, realpath, (const char *path, char *resolved), (path, resolved), NULL)
WRAP(locale_t, newlocale, (int mask, const char *name, locale_t base), (mask, name, base), (locale_t)0)
WRAP(void *, mmap, (void *at, size_t bytes, int protection, int flags, int descriptor, off_t offset),
     (at, bytes, protection, flags, descriptor, offset), MAP_FAILED)
WRAP(int, pthread_create, (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *argument),
     (thread, how, run, argument), EAGAIN)

/* dlsym itself may ask for zeroed memory, the first time. */
void *calloc(size_t count, size_t bytes) {
  static void *(*real)(size_t, size_t) = NULL;
  static bool looking = false;
  static _Alignas(16) char first[4096];
  static size_t used = 0;
  if (looking) {
    size_t wanted = (count * bytes + 15) / 16 * 16;
    void *given = wanted <= sizeof first - used ? first + used : NULL;
    if (given != NULL) used += wanted;
    return given;
  }
  if (fails(CALL_calloc, __builtin_return_address(0))) return NULL;
  if (real == NULL) {
    looking = true;
    real = REAL(calloc);
    looking = false;
  }
  return real(count, bytes);
}
