/* What a public function was called with: refused before anything is done with it. */
#ifndef SETOSA_BASE_ARGUMENTS_H
#define SETOSA_BASE_ARGUMENTS_H

#include "base/error.h"

/* An argument that must not be NULL, under the name that it has in setosa.h. */
typedef struct Argument {
  const char *name;
  bool given;
} Argument;
#define GIVEN(argument) \
  { #argument, (argument) != NULL }

/* The first thing in a public function that fills an Error: empties *error (NULL is fine), then SETOSA_ERROR_USAGE names the function and
 * the first argument that is NULL. */
#define arguments_check(error, ...) \
  arguments_check_list(__func__, (const Argument[]){__VA_ARGS__}, sizeof((const Argument[]){__VA_ARGS__}) / sizeof(Argument), error)
Status arguments_check_list(const char *function, const Argument *arguments, size_t count, Error *error);

#endif
