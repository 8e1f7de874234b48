/* Labels that live beside the features, as IDX, .npy, or text with one label per line: --labels FILE, or found by their name. */
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/column_file.h"
#include "data/labels.h"

static Status take_text(void *labels, const char *text, size_t length, Error *error) {
  return labels_add_text(labels, text, length, error);
}

static Status take_element(void *labels, ElementType type, const unsigned char *element, Error *error) {
  return labels_add_element(labels, type, element, error);
}

static ColumnTaker take_labels(Labels *labels, const char *source, size_t rows) {
  return (ColumnTaker){.one = "label",
                       .many = "labels",
                       .as_plain = "save labels.astype('U')",
                       .take_text = take_text,
                       .take_element = take_element,
                       .values = labels,
                       .source = source,
                       .rows = rows};
}

Status label_file_read(Dataset *dataset, Reader *reader, const char *path, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  TRY(labels_create(&labels, reader->options, error));
  const ColumnTaker taker = take_labels(labels, reader->source, rows);
  TRY(column_file_read(&taker, path, reader->options->header, error));
  TRY(labels_finish(labels, dataset, NULL, error));
cleanup:
  labels_destroy(labels);
  return status;
}

Status label_array_read(Dataset *dataset, const Reader *reader, Stream *array, const char *source, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  TRY(labels_create(&labels, reader->options, error));
  const ColumnTaker taker = take_labels(labels, source, dataset->rows);
  TRY(npy_read_column(&taker, array, error));
  TRY(labels_finish(labels, dataset, NULL, error));
cleanup:
  labels_destroy(labels);
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
