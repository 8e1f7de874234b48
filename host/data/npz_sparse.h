/* Archives of scipy.sparse.save_npz: format, shape, indptr, indices and data of a matrix in CSR or CSC. Private to host/data. */
#ifndef SETOSA_DATA_NPZ_SPARSE_H
#define SETOSA_DATA_NPZ_SPARSE_H

#include "data/archive.h"
#include "data/reader.h"

typedef struct NpzSparse NpzSparse;

/* What the archive holds, when it is such a one: else *sparse is NULL. The data set gets its rows and features. SETOSA_ERROR_DATA for a
 * matrix in another form. */
Status npz_sparse_open(NpzSparse **sparse, Dataset *dataset, Archive *archive, const char *source, Error *error);
void npz_sparse_close(NpzSparse *sparse);
/* Its rows, into the reader's sink. After the labels, where there are any: they prove that there are so many rows. */
Status npz_sparse_read(NpzSparse *sparse, const Dataset *dataset, Reader *reader, Error *error);

#endif
