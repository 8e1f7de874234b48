/* LAPACK of OpenBLAS. Fortran sees a row-major matrix transposed: its upper triangle is our lower one. */
#include "base/dense.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/library.h"
#include "base/memory.h"
#include "base/openblas.h"

/* The symbols of LAPACK, with Fortran's hidden lengths of their texts at the end. */
typedef struct Lapack {
  void (*dpotrf_)(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
  void (*dpotrs_)(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b, const int *ldb, int *info,
                  size_t);
  void (*dpotri_)(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
  void (*dtrtri_)(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info, size_t, size_t);
  void (*dgetrf_)(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
  void (*dgetri_)(const int *n, double *a, const int *lda, const int *pivots, double *work, const int *lwork, int *info);
  void (*dsyevd_)(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work, const int *lwork,
                  int *iwork, const int *liwork, int *info, size_t, size_t);
} Lapack;

/* Loaded once for the process, as the library itself is. */
static struct {
  pthread_once_t once;
  Lapack functions;
  Status status;
  Error error;
} loaded = {.once = PTHREAD_ONCE_INIT};

/* OpenBLAS takes its buffer at the first call and keeps it; later, where memory has become short, that call would never end. */
static void take_room(const Lapack *lapack) {
  enum { ORDER = 64 };
  double a[ORDER * ORDER] = {0};
  int n = ORDER, info = 0;
  for (int i = 0; i < ORDER; i++) a[i * ORDER + i] = 1;
  lapack->dpotrf_("U", &n, a, &n, &info, 1);
}

static void load_once(void) {
  void *library = NULL;
  Status status = SETOSA_OK;
  Error *error = &loaded.error;
  Lapack *lapack = &loaded.functions;
  TRY(openblas_load(&library, "install libopenblas0, or choose --preconditioner diagonal, which needs none", error));
  TRY(openblas_check_room(1, "choose --preconditioner diagonal, which needs none", error));
  TRY(LIBRARY_FUNCTION(library, lapack, dpotrf_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dpotrs_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dpotri_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dtrtri_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dgetrf_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dgetri_, error));
  TRY(LIBRARY_FUNCTION(library, lapack, dsyevd_, error));
  take_room(lapack);
cleanup:
  loaded.status = status;
}

Status dense_load(Error *error) {
  pthread_once(&loaded.once, load_once);
  if (loaded.status == SETOSA_OK) return SETOSA_OK;
  return error_set(error, loaded.status, "%s", loaded.error.message);
}

Status dense_find(bool *there, Error *error) {
  Status status = dense_load(NULL);
  *there = status == SETOSA_OK;
  return *there || status == SETOSA_ERROR_DEVICE ? SETOSA_OK : dense_load(error);
}

static Status begin(int *order, size_t n, Error *error) {
  if (n > INT_MAX) return error_set(error, SETOSA_ERROR_INTERNAL, "a matrix of order %zu is too large for LAPACK", n);
  *order = (int)n;
  return dense_load(error);
}

Status dense_cholesky(double *a, size_t n, bool *positive, Error *error) {
  int order = 0, info = 0;
  Status status = begin(&order, n, error);
  if (status != SETOSA_OK) return status;
  loaded.functions.dpotrf_("U", &order, a, &order, &info, 1);
  *positive = info == 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) a[i * n + j] = 0;
  return SETOSA_OK;
}

Status dense_solve(const double *factor, double *b, size_t n, Error *error) {
  const int one = 1;
  int order = 0, info = 0;
  Status status = begin(&order, n, error);
  if (status == SETOSA_OK) loaded.functions.dpotrs_("U", &order, &one, factor, &order, b, &order, &info, 1);
  return status;
}

Status dense_invert_factored(double *factor, size_t n, Error *error) {
  int order = 0, info = 0;
  Status status = begin(&order, n, error);
  if (status != SETOSA_OK) return status;
  loaded.functions.dpotri_("U", &order, factor, &order, &info, 1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < i; j++) factor[j * n + i] = factor[i * n + j];
  return info == 0 ? SETOSA_OK : error_set(error, SETOSA_ERROR_INTERNAL, "a triangular matrix has a 0 on its diagonal and no inverse");
}

Status dense_invert_triangle(double *factor, size_t n, Error *error) {
  int order = 0, info = 0;
  Status status = begin(&order, n, error);
  if (status != SETOSA_OK) return status;
  loaded.functions.dtrtri_("U", "N", &order, factor, &order, &info, 1, 1);
  return info == 0 ? SETOSA_OK : error_set(error, SETOSA_ERROR_INTERNAL, "a triangular matrix has a 0 on its diagonal and no inverse");
}

/* The inverse of a transposed matrix is that of the matrix, transposed. */
Status dense_invert(double *a, size_t n, bool *regular, Error *error) {
  Status status = SETOSA_OK;
  int order = 0, info = 0, *pivots = NULL;
  double *work = NULL;
  TRY(begin(&order, n, error));
  TRY(memory_allocate((void **)&pivots, n, sizeof *pivots, "the inverse of a matrix", error));
  TRY(memory_allocate((void **)&work, n, sizeof *work, "the inverse of a matrix", error));
  loaded.functions.dgetrf_(&order, &order, a, &order, pivots, &info);
  if (info == 0) loaded.functions.dgetri_(&order, a, &order, pivots, work, &order, &info);
  *regular = info == 0;
cleanup:
  free(work);
  free(pivots);
  return status;
}

Status dense_eigen(double *a, double *values, size_t n, Error *error) {
  Status status = SETOSA_OK;
  int order = 0, info = 0, work_size = -1, integer_size = -1, integers_wanted = 0;
  double work_wanted = 0, *work = NULL;
  int *integers = NULL;
  TRY(begin(&order, n, error));
  loaded.functions.dsyevd_("V", "U", &order, a, &order, values, &work_wanted, &work_size, &integers_wanted, &integer_size, &info, 1, 1);
  work_size = (int)work_wanted;
  integer_size = integers_wanted;
  TRY(memory_allocate((void **)&work, (size_t)work_size, sizeof *work, "the eigenvectors of a matrix", error));
  TRY(memory_allocate((void **)&integers, (size_t)integer_size, sizeof *integers, "the eigenvectors of a matrix", error));
  loaded.functions.dsyevd_("V", "U", &order, a, &order, values, work, &work_size, integers, &integer_size, &info, 1, 1);
  if (info != 0) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "LAPACK found no eigenvalues of a matrix of order %zu (info %d)", n, info));
cleanup:
  free(integers);
  free(work);
  return status;
}
