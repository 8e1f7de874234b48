/* One process converts, the others wait: the ranks of a job open the same file at the same moment. The lock is a file beside the entry,
 * locked by the process that is at work; the system frees it when that process dies, whatever it dies of. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "data/cache.h"

static const double LIFELESS_SECONDS = 60; /* who holds the lock so long without a sign (stopped, say) is not waited for */
static const long POLL_NS = 20000000;
static const char GAVE_UP = 'x'; /* left in the file by a process that made no entry: who waited for it shall not try the same */

/* "<key>.lock" beside "<key>.data". */
static bool name_lock(Cache *cache) {
  Text path = {0};
  size_t length = strlen(cache->path) - strlen(".data");
  if (cache->lock_path != NULL) return true;
  if (text_append(&path, NULL, "%.*s.lock", (int)length, cache->path) != SETOSA_OK) text_free(&path);
  cache->lock_path = path.text;
  return cache->lock_path != NULL;
}

static int open_lock(const Cache *cache) { return cache_file_open(cache->lock_path, O_RDWR | O_CREAT); }

typedef enum Try { TRY_HELD, TRY_BUSY, TRY_GONE, TRY_IMPOSSIBLE } Try;

static Try try_lock(int descriptor, struct stat *info) {
  bool locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK && errno != EINTR) return TRY_IMPOSSIBLE; /* a file system without locks */
  if (fstat(descriptor, info) != 0) return TRY_IMPOSSIBLE;
  if (!locked) return TRY_BUSY;
  return info->st_nlink > 0 ? TRY_HELD : TRY_GONE; /* gone: its last holder removed it when the entry was made */
}

/* Whether there is an entry now that cache_load did not see. Only its page is looked at: loading verifies the rest. */
static bool find_new_entry(const Cache *cache) {
  CachePage page;
  FileIdentity identity;
  int descriptor = cache_file_open(cache->path, O_RDONLY);
  bool found = descriptor >= 0 && file_identify(&identity, descriptor) && memcmp(&identity, &cache->tried, sizeof identity) != 0 &&
               cache_read_page(&page, cache, descriptor);
  if (descriptor >= 0) close(descriptor);
  return found;
}

/* The lock is ours. */
static void take(bool *turn, Cache *cache, bool waited) {
  char left = 0;
  bool others_gave_up = waited && pread(cache->lock, &left, 1, 0) == 1 && left == GAVE_UP;
  cache->appeared = find_new_entry(cache);
  *turn = !cache->appeared && !others_gave_up;
  if (cache->appeared) {
    cache_end_turn(cache, true);
  } else if (others_gave_up) {
    close(cache->lock); /* with what was left in it, for the next who waits */
    cache->lock = -1;
  } else if (ftruncate(cache->lock, 0) != 0) {
    unlink(cache->lock_path); /* an old note must not mislead those who will wait: they make a lock of their own */
  }
}

Status cache_take_turn(bool *turn, Cache *cache, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  struct timespec changed = {0}, pause = {0, POLL_NS};
  double alive = clock_seconds();
  bool waited = false;
  *turn = true;
  if (!name_lock(cache)) return SETOSA_OK;
  while (clock_seconds() - alive < LIFELESS_SECONDS) {
    if (cache->lock < 0) cache->lock = open_lock(cache);
    if (cache->lock < 0) return SETOSA_OK; /* beginning the entry says why nothing can be written there */
    Try tried = try_lock(cache->lock, &info);
    if (tried == TRY_HELD) {
      take(turn, cache, waited);
      return SETOSA_OK;
    }
    if (tried == TRY_BUSY) {
      if (info.st_mtim.tv_sec != changed.tv_sec || info.st_mtim.tv_nsec != changed.tv_nsec) alive = clock_seconds();
      changed = info.st_mtim;
      waited = true;
      TRY(reader_report(reader, 0, false, error));
      nanosleep(&pause, NULL);
      continue;
    }
    close(cache->lock);
    cache->lock = -1;
    if (tried == TRY_IMPOSSIBLE) return SETOSA_OK;
  }
cleanup:
  if (cache->lock >= 0) close(cache->lock); /* it was never ours */
  cache->lock = -1;
  return status;
}

void cache_show_life(const Cache *cache) {
  if (cache->lock >= 0) (void)futimens(cache->lock, NULL);
}

void cache_end_turn(Cache *cache, bool made) {
  if (cache->lock < 0) return;
  bool told = !made && pwrite(cache->lock, &GAVE_UP, 1, 0) == 1; /* else nobody is told, and each tries for itself */
  if (!told) unlink(cache->lock_path);
  close(cache->lock);
  cache->lock = -1;
}
