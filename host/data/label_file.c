/* Labels that live beside the features, as IDX, .npy, or text with one label per line: --labels FILE, or found by their name. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/labels.h"

/* The whole of a text stream, terminated. */
static Status read_text(Stream *stream, Text *text, Error *error) {
  Status status = SETOSA_OK;
  char *block = NULL;
  const size_t size = 1 << 16;
  size_t got = 0;
  TRY(memory_allocate((void **)&block, size, 1, "a block of the file", error));
  TRY(text_append_bytes(text, "", 0, error));
  do {
    TRY(stream_read(stream, block, size, &got, error));
    if (memchr(block, 0, got) != NULL)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s: is not text, IDX or .npy; give one label per line", stream_path(stream)));
    TRY(text_append_bytes(text, block, got, error));
  } while (got == size);
cleanup:
  free(block);
  return status;
}

/* The next line that is not blank, trimmed and unquoted; *line counts lines. False at the end. */
static bool next_label(const char **at, size_t *line, const char **label, size_t *length) {
  while (**at != '\0') {
    const char *start = *at, *end = start + strcspn(start, "\n");
    *at = *end == '\n' ? end + 1 : end;
    ++*line;
    while (start < end && isspace((unsigned char)*start)) start++;
    while (end > start && isspace((unsigned char)end[-1])) end--;
    if (end - start >= 2 && *start == '"' && end[-1] == '"') start++, end--;
    if (start == end) continue;
    *label = start;
    *length = (size_t)(end - start);
    return true;
  }
  return false;
}

static Status add_lines(Labels *labels, const char *path, const char *text, size_t rows, int header, Error *error) {
  Status status = SETOSA_OK;
  const char *at = text, *label = NULL;
  size_t line = 0, length = 0, lines = 0;
  if (strncmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
  const char *begin = at;
  while (next_label(&at, &line, &label, &length)) lines++;
  at = begin;
  line = 0;
  bool skip = header == 1 || (header < 0 && lines == rows + 1); /* one line too many: the first names the column */
  while (next_label(&at, &line, &label, &length)) {
    if (skip) {
      skip = false;
      continue;
    }
    if (memchr(label, ',', length) != NULL)
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%zu: more than one field on the line; give one label per line", path, line));
    status = labels_add_text(labels, label, length, error);
    if (status == SETOSA_ERROR_DATA) error_prefix(error, "%s:%zu", path, line);
    TRY(status);
  }
cleanup:
  return status;
}

Status label_file_read(Dataset *dataset, Reader *reader, const char *path, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  Stream *stream = NULL;
  Text text = {0};
  const unsigned char *bytes = NULL;
  TRY(stream_open(&stream, path, error));
  TRY(labels_create(&labels, reader->options, error));
  size_t count = stream_peek(stream, &bytes);
  if (count == 0) TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the file is empty; give one label per row", path));
  if (count >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
    TRY(npy_read_labels(labels, stream, error));
  } else if (count >= 2 && bytes[0] == 0 && bytes[1] == 0) {
    TRY(idx_read_labels(labels, stream, error));
  } else {
    TRY(read_text(stream, &text, error));
    TRY(add_lines(labels, path, text.text, rows, reader->options->header, error));
  }
  if (labels_count(labels) != rows)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: holds %zu labels, but %s has %zu rows; check that they belong together", path,
                  labels_count(labels), reader->source, rows));
  TRY(labels_finish(labels, dataset, NULL, error));
cleanup:
  text_free(&text);
  labels_destroy(labels);
  stream_close(stream);
  return status;
}

Status label_file_find(char **found, const char *path, Error *error) {
  Status status = SETOSA_OK;
  Text name = {0};
  size_t length = strlen(path), suffix = length > 3 && strcasecmp(path + length - 3, ".gz") == 0 ? strlen(".npy.gz") : strlen(".npy");
  const char *const endings[] = {path + length - suffix, ".npy", ".npy.gz"};
  *found = NULL;
  for (size_t i = 0; i < sizeof endings / sizeof *endings && *found == NULL; i++) {
    text_free(&name);
    TRY(text_append(&name, error, "%.*s-labels%s", (int)(length - suffix), path, endings[i]));
    if (file_exists(name.text)) TRY(memory_copy_text(found, name.text, error));
  }
cleanup:
  text_free(&name);
  return status;
}
