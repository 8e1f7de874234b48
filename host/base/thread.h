/* Threads that leave signals to the caller's. */
#ifndef SETOSA_BASE_THREAD_H
#define SETOSA_BASE_THREAD_H

#include <pthread.h>

/* pthread_create; the new thread takes no signal but those of its own faults. Returns a code of errno, 0 for success. */
int thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
