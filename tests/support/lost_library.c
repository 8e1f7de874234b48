/* Loaded before the program: libraries whose names contain $SETOSA_TEST_MISSING are not there to be loaded. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

void *dlopen(const char *name, int flags) {
  void *(*real)(const char *, int) = NULL;
  void *found = dlsym(RTLD_NEXT, "dlopen");
  const char *missing = getenv("SETOSA_TEST_MISSING");
  memcpy(&real, &found, sizeof real);
  return real(name != NULL && missing != NULL && strstr(name, missing) != NULL ? "/nowhere/lost_library" : name, flags);
}
