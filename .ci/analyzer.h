/* Included before every file that clang-tidy reads (see run). The analyzer does not look from one file into another, so it would think that
 * error_set may return SETOSA_OK and follow paths that do not exist; this tells it that the status comes back as given. */
#include "base/error.h"

#define error_set(error, status, ...) (error_set(error, status, __VA_ARGS__), (status))
#define error_set_opencl(error, status, code, ...) (error_set_opencl(error, status, code, __VA_ARGS__), (status))
