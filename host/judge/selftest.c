/* The self-test of a device: small shapes with known answers (from the double reference), each operation of the seam, in parts whose
 * verdicts are cached. */
#include "judge/selftest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/text.h"
#include "data/dataset.h"

/* What is tested together under one verdict. */
typedef struct Part {
  const char *name;
  size_t rows, features, classes;
  CompareOperations operations;
  bool small;
} Part;

/* Partial tiles in N, D and K. */
static const Part few_part = {"few", 61, 19, 3, 0, false};
static const Part panel_part = {"few", 61, 19, 20, 0, false};                       /* some of them in panels */
static const Part many_part = {"many", 131, 34, 37, 0, false};                      /* blocks of logits, by panels */
static const Part most_part = {"most", 131, 34, 103, 0, false};                     /* and predictions made of them */
static const Part vast_part = {"vast", 131, 34, CLASSES_PANELS_MOST + 1, 0, false}; /* without panels */

enum { MOST_ROWS = 131 };       /* of all parts */
enum { SHAPE_LIMIT = 1 << 16 }; /* weights beyond which the reference would take longer than building a program of another shape */

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

static Status run_part(Context *context, SetosaFamily family, const Part *part, Text *why, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  Failure failure = {.found = false};
  size_t failures = 0;
  char shape[96];
  float weights[MOST_ROWS];
  CompareSettings settings = {
      .family = family, .operations = part->operations, .small = part->small, .l2 = 0.01, .row = remember_first_failure, .user = &failure};
  snprintf(shape, sizeof shape, "synthetic:rows=%zu,features=%zu,classes=%zu,seed=11", part->rows, part->features, part->classes);
  TRY(setosa_dataset_load(&dataset, shape, NULL, error));
  TRY(judge_compare(dataset, context, &settings, &failures, error));
  if (!failure.found) { /* the same kernels once more, with weights of rows */
    for (size_t i = 0; i < part->rows; i++) weights[i] = 0.5f * (float)(i * 7 % 5);
    TRY(setosa_dataset_set_weights(dataset, weights, error));
    TRY(judge_compare(dataset, context, &settings, &failures, error));
  }
  if (failure.found)
    TRY(text_append(why, error, "%s of %zu x %zu, %zu classes: relative error %.1e, allowed %.1e", failure.row.what, failure.row.rows,
                    failure.row.features, failure.row.classes, failure.row.error, failure.row.tolerance));
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

/* "passed" or "failed: why" in one small file. A file that holds anything else, or no cache folder, means the test runs. */
static bool read_verdict(const char *path, char *verdict, size_t size) {
  unsigned char *bytes = NULL;
  size_t length = 0;
  bool known = false;
  if (cache_file_read(&bytes, &length, path, size - 1, NULL) == SETOSA_OK) {
    memcpy(verdict, bytes, length + 1);
    known = strcmp(verdict, "passed\n") == 0 || (strncmp(verdict, "failed: ", 8) == 0 && verdict[length - 1] == '\n');
  }
  free(bytes);
  return known;
}

static void write_verdict(const char *path, const char *why) {
  AtomicFile file = {0};
  if (cache_file_begin(&file, path, NULL) != SETOSA_OK) return; /* without a cache the test runs again next time */
  if (why == NULL) {
    fputs("passed\n", file.stream);
  } else {
    fprintf(file.stream, "failed: %s\n", why);
  }
  if (atomic_file_commit(&file, NULL) != SETOSA_OK) atomic_file_abandon(&file);
}

static Status require_part(Context *context, SetosaFamily family, const Part *part, Error *error) {
  Status status = SETOSA_OK;
  char folder[PATH_MAX - 128], path[PATH_MAX] = "", fingerprint[33], verdict[512];
  Text why = {0};
  if (family == SETOSA_FAMILY_AUTO) family = context_traits(context)->family;
  context_fingerprint(context, fingerprint);
  if (fingerprint[0] != '\0' && cache_folder_find(folder, sizeof folder, "selftest", NULL) == SETOSA_OK)
    snprintf(path, sizeof path, "%s/%s-%s-%s%s-%02x-%zux%zu.txt", folder, fingerprint, setosa_family_name(family), part->name,
             part->small ? "-small" : "", (unsigned)part->operations, part->features, part->classes);
  if (path[0] != '\0' && read_verdict(path, verdict, sizeof verdict)) {
    if (verdict[0] == 'p') return SETOSA_OK;
    verdict[strlen(verdict) - 1] = '\0';
    return refuse(context, verdict + strlen("failed: "), error);
  }
  TRY(run_part(context, family, part, &why, error));
  if (path[0] != '\0') write_verdict(path, why.length > 0 ? why.text : NULL);
  if (why.length > 0) TRY(refuse(context, why.text, error));
cleanup:
  text_free(&why);
  return status;
}

Status selftest_require(Context *context, SetosaFamily family, const SelftestWork *work, Error *error) {
  size_t features = work->features, classes = work->classes;
  Part part = classes > CLASSES_PANELS_MOST     ? vast_part
              : classes > CLASSES_ACCURATE_MOST ? most_part
              : classes > CLASSES_FUSED_MOST    ? many_part
                                                : few_part;
  part.operations = work->operations;
  part.small = work->small;
  if (classes <= CLASSES_FUSED_MOST) {
    part.classes = classes;
    if (features <= SHAPE_LIMIT / classes) part.features = features;
  }
  return require_part(context, family, &part, error);
}

Status selftest_require_all(const BackendSettings *settings, size_t features, size_t classes, CompareOperations operations, Error *error) {
  Status status = SETOSA_OK;
  const SelftestWork work = {features, classes, operations, settings->small};
  if (!backend_needs_device(settings->kind) || settings->context == NULL) return SETOSA_OK;
  TRY(selftest_require(settings->context, settings->family, &work, error));
  for (size_t i = 1; i < settings->context_count; i++) TRY(selftest_require(settings->contexts[i], settings->family, &work, error));
cleanup:
  return status;
}

Status selftest_run(Context *context, Error *error) {
  static const Part *const all[] = {&few_part, &panel_part, &many_part, &most_part, &vast_part};
  Status status = SETOSA_OK;
  for (size_t i = 0; i < sizeof all / sizeof *all && status == SETOSA_OK; i++)
    status = require_part(context, SETOSA_FAMILY_AUTO, all[i], error);
  return status;
}
