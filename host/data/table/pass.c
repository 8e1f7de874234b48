/* The caller's thread reads parts and takes what was made of them; others do the work. Parts wait in a ring: read, then worked on by
 * whoever is free, then taken in their order. */
#include "data/table/pass.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/processors.h"
#include "base/thread.h"

typedef struct Slot {
  TextPart part;
  void *result;
  bool done;
  Status status;
  Error failure;
} Slot;

typedef struct Pass {
  TableText *text;
  const PassWork *work;
  pthread_t *threads; /* (started) */
  size_t thread_limit, started;
  Slot *slots; /* part i is in slot i % slot_count */
  size_t slot_count;
  size_t read, taken;    /* parts; the caller's */
  pthread_mutex_t mutex; /* of what follows, and of Slot.done */
  pthread_cond_t given, finished;
  size_t ready, begun; /* parts that may be worked on, and that somebody works on or has */
  bool ending;
} Pass;

static Slot *slot_of(const Pass *pass, size_t part) { return &pass->slots[part % pass->slot_count]; }

static void work_on(const Pass *pass, Slot *slot) {
  slot->status = pass->work->work(pass->work->user, slot->result, &slot->part, &slot->failure);
}

static void *run_worker(void *argument) {
  Pass *pass = argument;
  pthread_mutex_lock(&pass->mutex);
  for (;;) {
    while (pass->begun == pass->ready && !pass->ending) pthread_cond_wait(&pass->given, &pass->mutex);
    if (pass->ending) break;
    Slot *slot = slot_of(pass, pass->begun++);
    pthread_mutex_unlock(&pass->mutex);
    work_on(pass, slot);
    pthread_mutex_lock(&pass->mutex);
    slot->done = true;
    pthread_cond_signal(&pass->finished);
  }
  pthread_mutex_unlock(&pass->mutex);
  return NULL;
}

/* A part by itself needs no thread. Where no more can be started, those that there are do the work, or the caller. */
static void start_workers(Pass *pass) {
  if (pass->read < 2) return;
  while (pass->started < pass->thread_limit && pass->started < pass->read - pass->taken) {
    if (thread_start(&pass->threads[pass->started], run_worker, pass) != 0) {
      pass->thread_limit = pass->started;
      return;
    }
    pass->started++;
  }
}

static Status read_part(Pass *pass, bool *more, Error *error) {
  Status status = SETOSA_OK;
  Slot *slot = slot_of(pass, pass->read);
  if (slot->result == NULL) TRY(pass->work->create(pass->work->user, &slot->result, error));
  TRY(table_text_next(pass->text, &slot->part, more, error));
  if (!*more) return SETOSA_OK;
  slot->done = false;
  slot->failure = (Error){0};
  pass->read++;
  pthread_mutex_lock(&pass->mutex);
  pass->ready = pass->read;
  pthread_cond_signal(&pass->given);
  pthread_mutex_unlock(&pass->mutex);
  start_workers(pass);
cleanup:
  return status;
}

/* The first part that was not taken yet, as soon as it is done. */
static Status take_part(Pass *pass, Error *error) {
  Slot *slot = slot_of(pass, pass->taken);
  if (pass->started == 0) {
    work_on(pass, slot);
  } else {
    pthread_mutex_lock(&pass->mutex);
    while (!slot->done) pthread_cond_wait(&pass->finished, &pass->mutex);
    pthread_mutex_unlock(&pass->mutex);
  }
  Status status = slot->status;
  if (status == SETOSA_OK)
    status = pass->work->take(pass->work->user, slot->result, &slot->part, error);
  else
    error_set(error, status, "%s", slot->failure.message);
  pass->taken++;
  table_text_let_go(pass->text, &slot->part);
  return status;
}

static Status run_pass(Pass *pass, Reader *reader, Error *error) {
  Status status = SETOSA_OK, reading = SETOSA_OK;
  Error unread = {0}; /* why no more can be read: told after what comes before it in the text */
  bool more = true;
  TRY(table_text_rewind(pass->text, error));
  while (more || pass->taken < pass->read) {
    if (more && pass->read - pass->taken < pass->slot_count) {
      reading = read_part(pass, &more, &unread);
      more = more && reading == SETOSA_OK;
    } else {
      TRY(take_part(pass, error));
      TRY(reader_report(reader, pass->work->rows(pass->work->user), false, error));
    }
  }
  if (reading != SETOSA_OK) status = error_set(error, reading, "%s", unread.message);
cleanup:
  return status;
}

static void end_pass(Pass *pass) {
  pthread_mutex_lock(&pass->mutex);
  pass->ending = true;
  pthread_cond_broadcast(&pass->given);
  pthread_mutex_unlock(&pass->mutex);
  for (size_t i = 0; i < pass->started; i++) pthread_join(pass->threads[i], NULL);
  for (; pass->taken < pass->read; pass->taken++) table_text_let_go(pass->text, &slot_of(pass, pass->taken)->part);
  for (size_t i = 0; pass->slots != NULL && i < pass->slot_count; i++)
    if (pass->slots[i].result != NULL) pass->work->destroy(pass->work->user, pass->slots[i].result);
  pthread_cond_destroy(&pass->given);
  pthread_cond_destroy(&pass->finished);
  pthread_mutex_destroy(&pass->mutex);
  free(pass->slots);
  free(pass->threads);
}

Status table_pass(TableText *text, Reader *reader, const PassWork *work, Error *error) {
  return table_pass_on(text, reader, work, processors_usable(), error);
}

Status table_pass_on(TableText *text, Reader *reader, const PassWork *work, size_t threads, Error *error) {
  Status status = SETOSA_OK;
  Pass pass = {.text = text, .work = work, .thread_limit = threads > 1 ? threads : 0, .slot_count = threads > 1 ? threads + 2 : 1};
  pthread_mutex_init(&pass.mutex, NULL);
  pthread_cond_init(&pass.given, NULL);
  pthread_cond_init(&pass.finished, NULL);
  TRY(memory_allocate_zero((void **)&pass.slots, pass.slot_count, sizeof *pass.slots, "parts of the text", error));
  TRY(memory_allocate_zero((void **)&pass.threads, threads + 1, sizeof *pass.threads, "threads", error));
  TRY(run_pass(&pass, reader, error));
cleanup:
  end_pass(&pass);
  return status;
}
