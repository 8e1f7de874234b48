/* Threads that wait for work under one mutex: a round is announced, each takes its part, the last to finish wakes the caller. */
#include "compute/blas/threads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread.h"

typedef struct Member {
  BlasThreads *threads;
  pthread_t handle;
  size_t index; /* 1 .. count-1; 0 is the caller's own thread */
} Member;

struct BlasThreads {
  pthread_mutex_t mutex;
  pthread_cond_t announced, finished;
  unsigned long round; /* changes when there is work, or the end */
  size_t participants, running;
  bool ending;
  BlasWork work;
  void *task;
  size_t count, started;
  Member members[];
};

static void *wait_for_work(void *argument) {
  const Member *member = argument;
  BlasThreads *threads = member->threads;
  unsigned long seen = 0;
  pthread_mutex_lock(&threads->mutex);
  for (;;) {
    while (threads->round == seen) pthread_cond_wait(&threads->announced, &threads->mutex);
    seen = threads->round;
    if (threads->ending) break;
    if (member->index >= threads->participants) continue;
    BlasWork work = threads->work;
    void *task = threads->task;
    size_t participants = threads->participants;
    pthread_mutex_unlock(&threads->mutex);
    work(task, member->index, participants);
    pthread_mutex_lock(&threads->mutex);
    if (--threads->running == 0) pthread_cond_signal(&threads->finished);
  }
  pthread_mutex_unlock(&threads->mutex);
  return NULL;
}

Status blas_threads_create(BlasThreads **out, size_t count, Error *error) {
  Status status = SETOSA_OK;
  BlasThreads *threads = NULL;
  *out = NULL;
  if (count == 0) return error_set(error, SETOSA_ERROR_INTERNAL, "a team of 0 threads was asked for; please report this");
  TRY(memory_allocate_zero((void **)&threads, 1, sizeof *threads + count * sizeof(Member), "threads", error));
  threads->count = count;
  pthread_mutex_init(&threads->mutex, NULL);
  pthread_cond_init(&threads->announced, NULL);
  pthread_cond_init(&threads->finished, NULL);
  int code = 0;
  for (threads->started = 1; threads->started < count && code == 0; threads->started += code == 0) {
    Member *member = &threads->members[threads->started];
    *member = (Member){.threads = threads, .index = threads->started};
    code = thread_start(&member->handle, wait_for_work, member);
  }
  threads->count = threads->started; /* where no more can be started, these do the work of all */
  *out = threads;
  threads = NULL;
cleanup:
  blas_threads_destroy(threads);
  return status;
}

void blas_threads_destroy(BlasThreads *threads) {
  if (threads == NULL) return;
  pthread_mutex_lock(&threads->mutex);
  threads->ending = true;
  threads->round++;
  pthread_cond_broadcast(&threads->announced);
  pthread_mutex_unlock(&threads->mutex);
  for (size_t i = 1; i < threads->started; i++) pthread_join(threads->members[i].handle, NULL);
  pthread_cond_destroy(&threads->announced);
  pthread_cond_destroy(&threads->finished);
  pthread_mutex_destroy(&threads->mutex);
  free(threads);
}

size_t blas_threads_count(const BlasThreads *threads) { return threads->count; }

void blas_threads_run(BlasThreads *threads, size_t count, BlasWork work, void *task) {
  if (count > 1) {
    pthread_mutex_lock(&threads->mutex);
    threads->work = work;
    threads->task = task;
    threads->participants = count;
    threads->running = count - 1;
    threads->round++;
    pthread_cond_broadcast(&threads->announced);
    pthread_mutex_unlock(&threads->mutex);
  }
  work(task, 0, count);
  if (count <= 1) return;
  pthread_mutex_lock(&threads->mutex);
  while (threads->running > 0) pthread_cond_wait(&threads->finished, &threads->mutex);
  pthread_mutex_unlock(&threads->mutex);
}
