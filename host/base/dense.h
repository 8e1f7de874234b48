/* Dense linear algebra of small matrices on the host, in double: LAPACK, of OpenBLAS, which is loaded at the first use. Matrices are square
 * and row-major. Results depend on the machine's kind of processor, not on how many threads there are. */
#ifndef SETOSA_BASE_DENSE_H
#define SETOSA_BASE_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Is LAPACK there? SETOSA_ERROR_DEVICE, with what to install, when it is not. */
Status dense_load(Error *error);
/* The same for those that can do without: *there false where it is not installed. A lack of memory stays an error, for the same command
 * shall give the same answer on a machine that is short of it, or none. */
Status dense_find(bool *there, Error *error);

/* The lower triangle of a (n,n), symmetric, is replaced by L of a = L L', all above it by zeros. *positive false: a is not positive
 * definite, and holds nothing of use. Only the lower triangle is read. */
Status dense_cholesky(double *a, size_t n, bool *positive, Error *error);
/* x (n) = the solution of L L' x = b, in place of b; factor as from dense_cholesky. */
Status dense_solve(const double *factor, double *b, size_t n, Error *error);
/* The factor L of a = L L', as from dense_cholesky, is replaced by the inverse of a, all of it. */
Status dense_invert_factored(double *factor, size_t n, Error *error);
/* L (n,n), lower triangular, is replaced by its inverse. */
Status dense_invert_triangle(double *factor, size_t n, Error *error);
/* a (n,n) is replaced by its inverse; *regular false: it has none. */
Status dense_invert(double *a, size_t n, bool *regular, Error *error);
/* a (n,n), symmetric, is replaced by its eigenvectors, one a row, values (n) by its eigenvalues, ascending. */
Status dense_eigen(double *a, double *values, size_t n, Error *error);

#endif
