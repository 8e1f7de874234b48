/* The works of the suite: W1 to W6, shapes from small to vocabulary-sized K, and S1 to S4, sparse rows. */
#ifndef SETOSA_BENCH_SUITE_H
#define SETOSA_BENCH_SUITE_H

#include "data/dataset.h"

enum { SUITE_WORKS = 10 };

/* chosen[i]: whether work i is in a list such as "W1,s4"; NULL means all. SETOSA_ERROR_USAGE for a word that is no work. */
Status suite_choose(bool chosen[SUITE_WORKS], const char *works, Error *error);
const char *suite_name(size_t work); /* "W1", ..., "S4"; work < SUITE_WORKS */
/* The data of a work. fashion: folder or images file, or NULL for the usual folder; where W1's images are not, made-up data take their
 * place, unless fashion was given: then that is an error. */
Status suite_load(Dataset **dataset, size_t work, const char *fashion, Error *error);

#endif
