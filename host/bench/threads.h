/* Work on all cores at once, one thread for each part. */
#ifndef SETOSA_BENCH_THREADS_H
#define SETOSA_BENCH_THREADS_H

#include <stddef.h>

#include "base/error.h"

/* Runs each of `count` tasks, `size` bytes apart, in a thread of its own, and waits for all. */
Status threads_run(size_t count, void (*run)(void *task), void *tasks, size_t size, Error *error);

#endif
