#include "fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/sparse.h"

void fuzz_claim(bool claim, const char *line) {
  if (claim) return;
  fprintf(stderr, "NOT TRUE: %s\n", line);
  abort();
}

static char folder[FUZZ_PATH / 2];
static char paths[8][FUZZ_PATH];

static void remove_folder(void) {
  for (size_t i = 0; i < sizeof paths / sizeof *paths && paths[i][0] != '\0'; i++) unlink(paths[i]);
  rmdir(folder);
}

static void create_folder(void) {
  const char *temporary = getenv("TMPDIR");
  const char *parents[] = {"/dev/shm", temporary != NULL ? temporary : "/tmp", "/tmp"};
  for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
    snprintf(folder, sizeof folder, "%s/setosa-fuzz-XXXXXX", parents[i]);
    if (mkdtemp(folder) == NULL) continue;
    atexit(remove_folder);
    return;
  }
  fuzz_claim(false, "there is a folder for temporary files");
}

const char *fuzz_write(const char *name, const void *bytes, size_t size) {
  char path[FUZZ_PATH];
  size_t place = 0;
  if (folder[0] == '\0') create_folder();
  snprintf(path, sizeof path, "%s/%s", folder, name);
  while (place + 1 < sizeof paths / sizeof *paths && paths[place][0] != '\0' && strcmp(paths[place], path) != 0) place++;
  memcpy(paths[place], path, sizeof path);
  FILE *file = fopen(path, "wb");
  fuzz_claim(file != NULL, "the temporary file can be written");
  fuzz_claim(size == 0 || fwrite(bytes, 1, size, file) == size, "the temporary file takes all bytes");
  fclose(file);
  return paths[place];
}

void fuzz_claim_refusal(SetosaStatus status, const SetosaError *error, const void *made) {
  fuzz_claim(made == NULL, "nothing is made when a call fails");
  fuzz_claim(error->status == status, "the error has the status");
  fuzz_claim(error->message[0] != '\0' && strchr(error->message, '\n') == NULL, "the message is one line");
  fuzz_claim(status != SETOSA_ERROR_INTERNAL || strstr(error->message, "memory") != NULL, "no input is an internal error");
}

/* Entries ascend in their rows, and are numbers. */
static void claim_sparse(const SetosaDataset *data) {
  SparseRows rows;
  SetosaError error = {0};
  fuzz_claim(dataset_sparse(&rows, data, dataset_all(data), NULL, &error) == SETOSA_OK, "sparse rows lie where they are");
  fuzz_claim(rows.begin[0] == 0 && rows.begin[setosa_dataset_rows(data)] == setosa_dataset_entries(data), "rows have all entries");
  fuzz_claim(sparse_check(&rows, setosa_dataset_rows(data), setosa_dataset_features(data), "rows", &error) == SETOSA_OK,
             "entries are sorted, and none is beyond the features");
}

void fuzz_load(const char *source, const SetosaDataOptions *options) {
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  SetosaStatus status = setosa_dataset_load(&data, source, options, &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, data);
    return;
  }
  size_t rows = setosa_dataset_rows(data), features = setosa_dataset_features(data), classes = setosa_dataset_classes(data);
  const float *values = setosa_dataset_values(data);
  const int32_t *labels = setosa_dataset_labels(data);
  fuzz_claim((rows > 0 || options->labels_optional) && features > 0, "a data set has rows and features, or all of them lacked a value");
  for (size_t i = 0; values != NULL && i < rows * features; i++) fuzz_claim(isfinite(values[i]), "every value is finite");
  const double *shift = setosa_dataset_shift(data);
  for (size_t d = 0; shift != NULL && d < features; d++) fuzz_claim(isfinite(shift[d]), "every shift is finite");
  for (size_t i = 0; labels != NULL && i < rows; i++)
    fuzz_claim(labels[i] < (int64_t)classes && (labels[i] >= 0 || options->labels_optional), "every label is a class");
  size_t length = 0;
  for (size_t k = 0; k < classes; k++) {
    const char *name = setosa_dataset_class_name(data, k);
    fuzz_claim(name != NULL, "every class has a name");
    length += strlen(name);
  }
  if (setosa_dataset_is_sparse(data)) claim_sparse(data);
  /* Of sparse rows there may be features by the billion, which have no names. */
  for (size_t d = 0; d < features && setosa_dataset_feature_name(data, 0) != NULL; d++) {
    const char *name = setosa_dataset_feature_name(data, d);
    if (name != NULL) length += strlen(name);
  }
  fuzz_claim(length < SIZE_MAX / 2, "names end");
  setosa_dataset_destroy(data);
}
