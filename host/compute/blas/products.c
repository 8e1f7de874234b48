/* The products of matrices that OpenBLAS is asked for, and the memory it wants for them. */
#include "compute/blas/products.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/library.h"
#include "base/memory.h"
#include "base/openblas.h"
#include "base/processors.h"

/* The variables that OpenBLAS heeds, in its order. */
static size_t wanted_threads(void) {
  static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"};
  size_t usable = processors_usable();
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    const char *value = getenv(variables[i]);
    long count = value != NULL ? strtol(value, NULL, 10) : 0;
    if (count > 0) return (size_t)count < usable ? (size_t)count : usable;
  }
  return usable;
}

Status blas_products_load(BlasProducts *products, Error *error) {
  Status status = SETOSA_OK;
  void *library = NULL;
  __typeof__(openblas_get_num_procs) *cores_seen = NULL;
  TRY(openblas_load(&library, "install libopenblas0, or leave out --backend blas", error));
  TRY(LIBRARY_FUNCTION(library, products, cblas_sgemm, error));
  TRY(LIBRARY_FUNCTION(library, products, cblas_sgemv, error));
  TRY(LIBRARY_FUNCTION(library, products, cblas_dgemm, error));
  TRY(LIBRARY_FUNCTION(library, products, openblas_get_num_threads, error));
  TRY(LIBRARY_FUNCTION(library, products, openblas_set_num_threads, error));
  TRY(library_function(library, &cores_seen, "openblas_get_num_procs", error));
  /* In no header, but in every OpenBLAS so far; without them a product takes its room when it begins. */
  if (library_function(library, &products->blas_memory_alloc, "blas_memory_alloc", NULL) != SETOSA_OK ||
      library_function(library, &products->blas_memory_free, "blas_memory_free", NULL) != SETOSA_OK)
    products->blas_memory_alloc = NULL;
  products->threads = wanted_threads();
  if (cores_seen() > 1) { /* not loaded by us: a caller who works with OpenBLAS has told it how many threads it may use */
    size_t told = (size_t)products->openblas_get_num_threads();
    if (told < products->threads) products->threads = told;
  }
cleanup:
  return status;
}

/* OpenBLAS takes memory for each thread that multiplies, keeps it, and asks again and again until it gets it: better to know beforehand,
 * and to take it at once. */
static Status prepare_room(BlasProducts *products, size_t team, Error *error) {
  Status status = SETOSA_OK;
  void **rooms = NULL;
  TRY(openblas_check_room(team - products->prepared, "use another backend", error));
  TRY(memory_allocate_zero((void **)&rooms, team, sizeof *rooms, "OpenBLAS's rooms", error));
  for (size_t i = 0; i < team && products->blas_memory_alloc != NULL; i++) rooms[i] = products->blas_memory_alloc(0);
  for (size_t i = 0; i < team && products->blas_memory_alloc != NULL; i++) products->blas_memory_free(rooms[i]);
  products->prepared = team;
cleanup:
  free(rooms);
  return status;
}

Status blas_products_begin(BlasProducts *products, size_t team, int *before, Error *error) {
  Status status = SETOSA_OK;
  if (team > products->prepared) TRY(prepare_room(products, team, error));
  *before = products->openblas_get_num_threads();
  if (*before != 1) products->openblas_set_num_threads(1);
cleanup:
  return status;
}

void blas_products_end(const BlasProducts *products, int before) {
  if (before != 1) products->openblas_set_num_threads(before);
}
