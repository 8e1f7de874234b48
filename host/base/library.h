/* Libraries that are loaded where they are needed and not before: most runs need none of them, and what is not loaded cannot start threads,
 * take memory, or hold up the end of the process. */
#ifndef SETOSA_BASE_LIBRARY_H
#define SETOSA_BASE_LIBRARY_H

#include "base/error.h"

/* Loads the first of the names (NULL ends them) that there is. The library stays until the process ends. remedy ends the message
 * (SETOSA_ERROR_DEVICE; SETOSA_ERROR_INTERNAL where memory is short), as "install libopenblas0". */
Status library_load(void **library, const char *const *names, const char *remedy, Error *error);
/* *function, a pointer to a function, is the one of that name. */
Status library_function(void *library, void *function, const char *name, Error *error);
/* The same, with the name of the member for that of the function. */
#define LIBRARY_FUNCTION(library, functions, name, error) library_function(library, &(functions)->name, #name, error)

#endif
