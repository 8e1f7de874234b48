/* The limits of this process (ulimit), for those moments when somebody else's library fails and does not say of what. */
#ifndef SETOSA_BASE_LIMITS_H
#define SETOSA_BASE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Those that are low enough to be the reason, as "the limit on open files is 5 (ulimit -n)"; "" when there is none. */
void limits_name(char *text, size_t size);
/* SETOSA_ERROR_DEVICE when the stack or the number of open files is too small for the compilers in OpenCL's drivers, which would crash. */
Status limits_check_compilers(Error *error);

#endif
