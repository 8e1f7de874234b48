/* A file without a name where the system makes such, else one whose name is gone before anything is in it. */
#include "data/table/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

struct KeptText {
  int descriptor;
  uint64_t size;
  char *folder, *what;
};

static Status cannot_keep(const KeptText *text, int code, Error *error) {
  bool full = code == ENOSPC || code == EDQUOT;
  return error_set(error, file_failure(code, SETOSA_ERROR_WRITE), "%s: cannot keep %s, which comes but once and is read twice: %s; %s",
                   text->folder, text->what, strerror(code),
                   full ? "free some space, name another folder in TMPDIR, or give the table as a file"
                        : file_remedy(code, "name another folder in TMPDIR, or give the table as a file"));
}

static int open_nameless(const char *folder) {
  char path[PATH_MAX];
  int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return descriptor;
  int length = snprintf(path, sizeof path, "%s/setosa-XXXXXX", folder);
  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  descriptor = mkostemp(path, O_CLOEXEC);
  if (descriptor >= 0) unlink(path);
  return descriptor;
}

Status kept_text_create(KeptText **out, const char *what, Error *error) {
  Status status = SETOSA_OK;
  KeptText *text = NULL;
  const char *folder = getenv("TMPDIR");
  *out = NULL;
  TRY(memory_allocate_zero((void **)&text, 1, sizeof *text, "a text", error));
  text->descriptor = -1;
  TRY(memory_copy_text(&text->folder, folder != NULL && folder[0] != '\0' ? folder : "/tmp", error));
  TRY(memory_copy_text(&text->what, what, error));
  text->descriptor = open_nameless(text->folder);
  if (text->descriptor < 0) TRY(cannot_keep(text, errno, error));
  *out = text;
  text = NULL;
cleanup:
  kept_text_destroy(text);
  return status;
}

void kept_text_destroy(KeptText *text) {
  if (text == NULL) return;
  if (text->descriptor >= 0) close(text->descriptor);
  free(text->folder);
  free(text->what);
  free(text);
}

Status kept_text_append(KeptText *text, const char *bytes, size_t length, Error *error) {
  for (size_t done = 0; done < length;) {
    ssize_t written = pwrite(text->descriptor, bytes + done, length - done, (off_t)(text->size + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return cannot_keep(text, written == 0 ? ENOSPC : errno, error);
    done += (size_t)written;
  }
  text->size += length;
  return SETOSA_OK;
}

uint64_t kept_text_size(const KeptText *text) { return text->size; }

Status kept_text_read(const KeptText *text, uint64_t at, char *to, size_t length, Error *error) {
  for (size_t done = 0; done < length;) {
    ssize_t got = pread(text->descriptor, to + done, length - done, (off_t)(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return error_set(error, SETOSA_ERROR_DATA, "%s: cannot read again what was kept of %s: %s; check the disk", text->folder, text->what,
                       got == 0 ? "it is cut short" : strerror(errno));
    done += (size_t)got;
  }
  return SETOSA_OK;
}
