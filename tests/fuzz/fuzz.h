/* What the harnesses share: a file of the fuzzer's bytes, and what every answer of the library has to keep to. */
#ifndef SETOSA_TESTS_FUZZ_H
#define SETOSA_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setosa.h"

enum { FUZZ_PATH = 160 };

/* Called by libFuzzer with one input after another; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the run with the line when the claim is false: libFuzzer then keeps the input. */
void fuzz_claim(bool claim, const char *line);

/* Writes a file of this name into this process's folder in memory (/dev/shm, else $TMPDIR, else /tmp); returns its path, valid until the
 * program ends (names are few). */
const char *fuzz_write(const char *name, const void *bytes, size_t size);

/* A status other than OK comes with itself and one line in the error, and with nothing made; never with "internal error" but for memory. */
void fuzz_claim_refusal(SetosaStatus status, const SetosaError *error, const void *made);

/* Loads a data set that may be refused. Of one that is not, rows, values, labels and names are looked at. */
void fuzz_load(const char *source, const SetosaDataOptions *options);

#endif
