/* Named arrays of an archive of NumPy (.npz), for those who are no reader of rows: numbers in double, and names. */
#ifndef SETOSA_DATA_ARRAY_FILE_H
#define SETOSA_DATA_ARRAY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct ArrayFile ArrayFile;

/* SETOSA_ERROR_DATA for what is no such archive. path is borrowed. */
Status array_file_open(ArrayFile **file, const char *path, Error *error);
void array_file_close(ArrayFile *file);
bool array_file_has(const ArrayFile *file, const char *name);
/* "'a', 'b'": the arrays that there are, the first few of many; free(*list). */
Status array_file_list(char **list, const ArrayFile *file, Error *error);

/* An array of numbers, row-major whatever its order in the file. */
typedef struct NumberArray {
  size_t dimensions, shape[2]; /* 0, 1 or 2 dimensions; sizes are 1 past the last */
  double *values;              /* (shape[0], shape[1]) */
} NumberArray;

/* SETOSA_ERROR_DATA for an array of anything else, as of Python objects, for more than two dimensions and for a number that is not finite.
 * free(array->values), which is NULL after a failure. */
Status array_file_numbers(NumberArray *array, ArrayFile *file, const char *name, Error *error);
/* An array in one dimension as texts: texts as they are, numbers in the fewest digits that read back to them. as_plain: what to do about an
 * array of anything else. names (count), each and all to be freed, both also after a failure. */
Status array_file_texts(char ***names, size_t *count, ArrayFile *file, const char *name, const char *as_plain, Error *error);

#endif
