/* A few threads that wait for work: the blas backend calls a single-threaded product in each, on rows of its own. */
#ifndef SETOSA_COMPUTE_BLAS_THREADS_H
#define SETOSA_COMPUTE_BLAS_THREADS_H

#include <stddef.h>

#include "base/error.h"

typedef struct BlasThreads BlasThreads;

/* The work of participant `index` of `count`; they run at the same time and must write to different places. */
typedef void (*BlasWork)(void *task, size_t index, size_t count);

/* `count` participants, the caller's thread among them, so that count - 1 threads are started; fewer where the system has no more of them
 * to give. count >= 1. */
Status blas_threads_create(BlasThreads **threads, size_t count, Error *error);
void blas_threads_destroy(BlasThreads *threads);
size_t blas_threads_count(const BlasThreads *threads);
/* Calls work(task, 0 .. count-1, count) and returns when all have: count is at most blas_threads_count. Not from inside work. */
void blas_threads_run(BlasThreads *threads, size_t count, BlasWork work, void *task);

#endif
