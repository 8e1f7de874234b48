/* One thread a task, which tells a sample of 20 ms from one of 20.1: nothing is kept between samples. */
#include "bench/threads.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

typedef struct Thread {
  pthread_t handle;
  void (*run)(void *task);
  void *task;
} Thread;

static void *thread_main(void *argument) {
  Thread *thread = argument;
  thread->run(thread->task);
  return NULL;
}

Status threads_run(size_t count, void (*run)(void *task), void *tasks, size_t size, Error *error) {
  Status status = SETOSA_OK;
  Thread *threads = NULL;
  size_t started = 0;
  TRY(memory_allocate_zero((void **)&threads, count, sizeof *threads, "threads", error));
  for (; started < count; started++) {
    Thread *thread = &threads[started];
    thread->run = run;
    thread->task = (char *)tasks + started * size;
    int code = thread_start(&thread->handle, thread_main, thread);
    if (code != 0)
      TRY(error_set(error, SETOSA_ERROR_INTERNAL, "cannot start thread %zu of %zu: %s; raise the limit on processes (ulimit -u)",
                    started + 1, count, strerror(code)));
  }
cleanup:
  for (size_t i = 0; i < started; i++) pthread_join(threads[i].handle, NULL);
  free(threads);
  return status;
}
