/* Included before every file that clang-tidy reads (see run). The analyzer does not look from one file into another, so it would think that
 * error_set may return SETOSA_OK and follow paths that do not exist; this tells it that the status comes back as given. */
#include "base/arguments.h"

#define error_set(error, status, ...) (error_set(error, status, __VA_ARGS__), (status))
#define error_set_opencl(error, status, code, ...) (error_set_opencl(error, status, code, __VA_ARGS__), (status))

/* And that arguments_check is SETOSA_OK only where nothing is NULL. */
#undef GIVEN
#undef arguments_check
#define GIVEN(argument) (argument) != NULL
#define arguments_check(error, ...) (error_clear(error), ALL_GIVEN(__VA_ARGS__) ? SETOSA_OK : SETOSA_ERROR_USAGE)
#define ALL_GIVEN(...) CHOOSE_GIVEN(__VA_ARGS__, GIVEN_7, GIVEN_6, GIVEN_5, GIVEN_4, GIVEN_3, GIVEN_2, GIVEN_1, none)(__VA_ARGS__)
#define CHOOSE_GIVEN(a, b, c, d, e, f, g, chosen, ...) chosen
#define GIVEN_1(a) (a)
#define GIVEN_2(a, ...) (a) && GIVEN_1(__VA_ARGS__)
#define GIVEN_3(a, ...) (a) && GIVEN_2(__VA_ARGS__)
#define GIVEN_4(a, ...) (a) && GIVEN_3(__VA_ARGS__)
#define GIVEN_5(a, ...) (a) && GIVEN_4(__VA_ARGS__)
#define GIVEN_6(a, ...) (a) && GIVEN_5(__VA_ARGS__)
#define GIVEN_7(a, ...) (a) && GIVEN_6(__VA_ARGS__)
