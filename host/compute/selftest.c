/* The self-test of a device: small shapes with known answers (from the double reference), each operation of the seam, verdict cached. */
#include "compute/selftest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "data/dataset.h"

/* Shapes that touch every kernel: the fused pass and the blocked products, partial tiles in N, D and K. */
static const char *const shapes[] = {
    "synthetic:rows=61,features=19,classes=3,seed=11",
    "synthetic:rows=131,features=34,classes=37,seed=12",
};

typedef struct Failure {
  SetosaCheckRow row;
  bool found;
} Failure;

static void remember_first_failure(const SetosaCheckRow *row, void *user) {
  Failure *failure = user;
  if (row->passed || failure->found) return;
  failure->row = *row;
  failure->found = true;
}

static Status refuse(Context *context, const char *why, Error *error) {
  return error_set(error, SETOSA_ERROR_DEVICE,
                   "device %s computes wrong results in the self-test (%s); use another device, or --force-device to use it anyway",
                   context_info(context)->name, why);
}

static Status run_shapes(Context *context, Text *why, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    Failure failure = {.found = false};
    size_t failures = 0;
    TRY(setosa_dataset_load(&dataset, shapes[i], NULL, error));
    CompareSettings settings = {.family = SETOSA_FAMILY_AUTO, .l2 = 0.01, .row = remember_first_failure, .user = &failure};
    TRY(selftest_compare(dataset, context, &settings, &failures, error));
    setosa_dataset_destroy(dataset);
    dataset = NULL;
    if (!failure.found) continue;
    TRY(text_append(why, error, "%s of %zu x %zu, %zu classes: relative error %.1e, allowed %.1e", failure.row.what, failure.row.rows,
                    failure.row.features, failure.row.classes, failure.row.error, failure.row.tolerance));
    break;
  }
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

/* "passed" or "failed: why" in one small file. A file that holds anything else, or no cache folder, means the test runs. */
static bool read_verdict(const char *path, char *verdict, size_t size) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  bool known = false;
  if (file_read_all(&bytes, &length, path, size - 1, NULL) == SETOSA_OK) {
    memcpy(verdict, bytes, length + 1);
    known = strcmp(verdict, "passed\n") == 0 || (strncmp(verdict, "failed: ", 8) == 0 && verdict[length - 1] == '\n');
  }
  free(bytes);
  return known;
}

static void write_verdict(const char *path, const char *why) {
  AtomicFile file = {0};
  if (atomic_file_open(&file, path, NULL) != SETOSA_OK) return; /* without a cache the test runs again next time */
  if (why == NULL) {
    fputs("passed\n", file.stream);
  } else {
    fprintf(file.stream, "failed: %s\n", why);
  }
  if (atomic_file_commit(&file, NULL) != SETOSA_OK) atomic_file_abandon(&file);
}

Status selftest_run(Context *context, Error *error) {
  Status status = SETOSA_OK;
  char folder[PATH_MAX - 64], path[PATH_MAX] = "", fingerprint[33], verdict[512];
  Text why = {0};
  context_fingerprint(context, fingerprint);
  if (fingerprint[0] != '\0' && file_cache_folder(folder, sizeof folder, "selftest", NULL) == SETOSA_OK)
    snprintf(path, sizeof path, "%s/%s.txt", folder, fingerprint);
  if (path[0] != '\0' && read_verdict(path, verdict, sizeof verdict)) {
    if (verdict[0] == 'p') return SETOSA_OK;
    verdict[strlen(verdict) - 1] = '\0';
    return refuse(context, verdict + strlen("failed: "), error);
  }
  TRY(run_shapes(context, &why, error));
  if (path[0] != '\0') write_verdict(path, why.length > 0 ? why.text : NULL);
  if (why.length > 0) TRY(refuse(context, why.text, error));
cleanup:
  text_free(&why);
  return status;
}
