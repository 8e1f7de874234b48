/* The self-test of a device: small shapes with known answers (from the double reference), each operation of the seam, in parts whose
 * verdicts are cached. */
#include "judge/selftest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/text.h"
#include "judge/trial_rows.h"

/* What is tested together under one verdict. */
typedef struct Part {
  const char *name;
  size_t rows, features, classes;
  CompareOperations operations;
  bool small, sparse, ones;
  SetosaStorage storage;
} Part;

/* Partial tiles in N, D and K. */
#define DENSE(name, rows, features, classes) \
  { name, rows, features, classes, 0, false, false, false, SETOSA_STORAGE_AUTO }
static const Part few_part = DENSE("few", 61, 19, 3);
static const Part panel_part = DENSE("few", 61, 19, 20);                       /* some of them in panels */
static const Part many_part = DENSE("many", 131, 34, 37);                      /* blocks of logits, by panels */
static const Part most_part = DENSE("most", 131, 34, 103);                     /* and predictions made of them */
static const Part vast_part = DENSE("vast", 131, 34, CLASSES_PANELS_MOST + 1); /* without panels */

/* Columns with so many entries that their sums are made in segments, and columns with none, several items of either family, rows without an
 * entry. Classes in one vector, in vectors of several widths, all that are worked on at a time, and several times that. */
#define SPARSE(classes, ones) \
  { "sparse", TRIAL_SPARSE_ROWS, TRIAL_SPARSE_FEATURES, classes, 0, false, true, ones, SETOSA_STORAGE_AUTO }
static const Part sparse_part = SPARSE(5, false);
static const Part sparse_two_part = SPARSE(2, false);
static const Part sparse_ones_part = SPARSE(30, true);
static const Part sparse_tile_part = SPARSE(64, false);
static const Part sparse_tiles_part = SPARSE(103, false);

enum { SHAPE_LIMIT = 1 << 16 }; /* weights beyond which the reference would take longer than building a program of another shape */
enum { SPARSE_CLASSES = 1001 }; /* more are worked on in equal parts that are as many at a time */

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
  TrialRows trial = {0};
  Failure failure = {.found = false};
  size_t failures = 0;
  CompareSettings settings = {.family = family,
                              .operations = part->operations,
                              .small = part->small,
                              .storage = part->storage,
                              .l2 = 0.01,
                              .row = remember_first_failure,
                              .user = &failure};
  const TrialShape shape = {part->rows, part->features, part->classes, part->sparse, part->ones};
  TRY(trial_rows_make(&trial, &shape, error));
  TRY(judge_compare(trial.dataset, context, &settings, &failures, error));
  if (!failure.found) { /* the same kernels once more, with weights of rows */
    TRY(trial_rows_weigh(&trial, error));
    TRY(judge_compare(trial.dataset, context, &settings, &failures, error));
  }
  if (failure.found)
    TRY(text_append(why, error, "%s of %zu x %zu%s, %zu classes: relative error %.1e, allowed %.1e", failure.row.what, failure.row.rows,
                    failure.row.features, part->sparse ? " sparse" : "", failure.row.classes, failure.row.error, failure.row.tolerance));
cleanup:
  trial_rows_free(&trial);
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
    snprintf(path, sizeof path, "%s/%s-%s-%s%s%s%s-%02x-%zux%zu.txt", folder, fingerprint, setosa_family_name(family), part->name,
             part->ones ? "-ones" : "", part->storage == SETOSA_STORAGE_F16 ? "-f16" : "", part->small ? "-small" : "",
             (unsigned)part->operations, part->features, part->classes);
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

/* Programs of sparse rows depend on the classes, and on how values are held. */
static Part choose_sparse(const SelftestWork *work) {
  Part part = sparse_part;
  part.classes = work->classes < SPARSE_CLASSES ? work->classes : SPARSE_CLASSES;
  part.ones = work->ones;
  part.storage = work->storage == SETOSA_STORAGE_F16 && !work->ones ? SETOSA_STORAGE_F16 : SETOSA_STORAGE_AUTO;
  return part;
}

static Part choose_dense(const SelftestWork *work) {
  size_t features = work->features, classes = work->classes;
  Part part = classes > CLASSES_PANELS_MOST     ? vast_part
              : classes > CLASSES_ACCURATE_MOST ? most_part
              : classes > CLASSES_FUSED_MOST    ? many_part
                                                : few_part;
  if (classes <= CLASSES_FUSED_MOST) {
    size_t most = SHAPE_LIMIT / classes; /* so many take the kernels that more of them take */
    part.classes = classes;
    part.features = features < most ? features : most;
  }
  return part;
}

Status selftest_require(Context *context, SetosaFamily family, const SelftestWork *work, Error *error) {
  Part part = work->sparse ? choose_sparse(work) : choose_dense(work);
  part.operations = work->operations;
  part.small = work->small;
  return require_part(context, family, &part, error);
}

Status selftest_require_all(const BackendSettings *settings, const DataShape *shape, CompareOperations operations, Error *error) {
  Status status = SETOSA_OK;
  const SelftestWork work = {shape->features, shape->classes,   operations, settings->small, shape->kind == DATA_SPARSE,
                             shape->ones,     settings->storage};
  if (!backend_needs_device(settings->kind) || settings->context == NULL) return SETOSA_OK;
  TRY(selftest_require(settings->context, settings->family, &work, error));
  for (size_t i = 1; i < settings->context_count; i++) TRY(selftest_require(settings->contexts[i], settings->family, &work, error));
cleanup:
  return status;
}

Status selftest_run(Context *context, Error *error) {
  static const Part *const all[] = {&few_part,    &panel_part,      &many_part,        &most_part,        &vast_part,
                                    &sparse_part, &sparse_two_part, &sparse_ones_part, &sparse_tile_part, &sparse_tiles_part};
  Status status = SETOSA_OK;
  for (size_t i = 0; i < sizeof all / sizeof *all && status == SETOSA_OK; i++)
    status = require_part(context, SETOSA_FAMILY_AUTO, all[i], error);
  return status;
}
