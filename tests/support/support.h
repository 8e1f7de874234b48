/* What tests of every layer share: cmocka, skips, paths, temporary folders, files, poison. Failures end the test through cmocka. */
#ifndef SETOSA_TESTS_SUPPORT_H
#define SETOSA_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* after its four */
#include <cmocka.h>

#include "setosa.h"

/* Ends the case as skipped, saying why. cmocka's skip() would let the program exit with 0, which CTest prints as Passed. */
#undef skip
#define support_skip(...) support_skip_at(__FILE__, __LINE__, __VA_ARGS__)
__attribute__((noreturn, format(printf, 3, 4))) void support_skip_at(const char *file, int line, const char *format, ...);

/* The end of main: runs the cases (an array) between set-up and tear-down (NULL: none). The exit code is 0, 1 when one
 * failed, SUPPORT_SKIPPED when none failed and at least one was skipped. $SETOSA_TEST_CASE, a pattern as of a shell (fnmatch), picks among
 * the cases, and after '!' those that it does not match; with $SETOSA_TEST_LIST they are only named, a line each (list_cases.cmake). */
enum { SUPPORT_SKIPPED = 77 };
#undef cmocka_run_group_tests
#undef cmocka_run_group_tests_name
#define support_run(name, tests, setup, teardown) support_run_cases(name, tests, sizeof(tests) / sizeof *(tests), setup, teardown)
int support_run_cases(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup, CMFixtureFunction teardown);

enum { SUPPORT_PATH = 1024 };

/* SETOSA_SOURCE_DIR/relative, and $SETOSA_PROGRAM; the test fails when the environment lacks them (run through ctest). */
void support_source_path(char path[SUPPORT_PATH], const char *relative);
const char *support_program(void);

/* A new empty folder, and its removal with all below it. */
void support_folder_create(char folder[SUPPORT_PATH]);
void support_folder_remove(const char *folder);
void support_path(char path[SUPPORT_PATH], const char *folder, const char *name);

void support_write(const char *path, const void *bytes, size_t length);
void support_write_text(const char *path, const char *text);
/* The whole file, terminated; free() it. length may be NULL. */
char *support_read(const char *path, size_t *length);

/* NaN, and a label that no data set has, so that what was not written shows. */
void support_poison(float *values, size_t count);
void support_poison_double(double *values, size_t count);
enum { SUPPORT_POISON_LABEL = -77777 };
void support_poison_labels(int32_t *labels, size_t count);

/* status is SETOSA_OK; else the test fails with the message. */
void support_ok(SetosaStatus status, const SetosaError *error);
/* status and error->status are `expected`, and the message begins with `beginning`. */
void support_fails(SetosaStatus status, const SetosaError *error, SetosaStatus expected, const char *beginning);
/* |actual - expected| <= tolerance * max(1, |expected|), neither NaN. */
void support_near(double actual, double expected, double tolerance);

#endif
