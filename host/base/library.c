/* dlopen and dlsym. */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* The loader tells why in words alone. */
static int code_of(const char *reason) {
  if (strstr(reason, strerror(EMFILE)) != NULL) return EMFILE;
  bool memory = strstr(reason, strerror(ENOMEM)) != NULL || strstr(reason, "failed to map segment") != NULL;
  return memory ? ENOMEM : 0;
}

Status library_load(void **library, const char *const *names, const char *remedy, Error *error) {
  char why[512] = "it has no name";
  for (size_t i = 0; names[i] != NULL; i++) {
    /* Kept for good: it may have started threads and registered what runs at the end of the process. */
    *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (*library != NULL) return SETOSA_OK;
    const char *reason = dlerror();
    if (i == 0 && reason != NULL) {
      size_t length = strlen(names[0]);
      bool repeats = strncmp(reason, names[0], length) == 0 && strncmp(reason + length, ": ", 2) == 0;
      snprintf(why, sizeof why, "%s", repeats ? reason + length + 2 : reason);
    }
  }
  int code = code_of(why);
  return error_set(error, file_failure(code, SETOSA_ERROR_DEVICE), "%s cannot be loaded: %s; %s", names[0], why, file_remedy(code, remedy));
}

Status library_function(void *library, void *function, const char *name, Error *error) {
  void *found = dlsym(library, name);
  if (found == NULL)
    return error_set(error, SETOSA_ERROR_DEVICE, "the library that was found has no %s; install the version that Setosa was built with",
                     name);
  memcpy(function, &found, sizeof found); /* ISO C has no conversion from a pointer to data */
  return SETOSA_OK;
}
