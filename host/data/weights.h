/* Weights of rows on their way into a data set. What they mean: F = sum of s_i l_i / sum of s_i + penalty, so only their ratios count, and
 * a row of weight 0 is as if it were not there. Private to host/data. */
#ifndef SETOSA_DATA_WEIGHTS_H
#define SETOSA_DATA_WEIGHTS_H

#include "data/reader.h"

/* Zero-initialise. */
typedef struct WeightList {
  float *values;
  size_t count, capacity;
} WeightList;

/* One row each. Errors (SETOSA_ERROR_DATA) say what, the caller puts where before it. */
Status weight_list_add(WeightList *list, double weight, Error *error);
Status weight_list_add_text(WeightList *list, const char *text, size_t length, Error *error);
void weight_list_free(WeightList *list);
/* Moves the list, one weight a row, into a data set whose rows no other shares. SETOSA_ERROR_DATA when all are 0; where: what holds them.
 */
Status weights_take(Dataset *dataset, WeightList *list, const char *where, Error *error);
/* Reads a file of weights (IDX, .npy, or one number per line; .gz too) into the data set. */
Status weights_read_file(Dataset *dataset, const Reader *reader, const char *path, Error *error);
/* The same of a NumPy array. source: what holds the rows, for messages. */
Status weights_read_array(Dataset *dataset, Stream *array, const char *source, Error *error);

/* (N) as backends see them, or NULL when every row counts 1; and as they were given. To be moved with the rows after rows_own only. */
float *rows_weights(const Dataset *dataset);
float *rows_sample_weights(const Dataset *dataset);
/* Copies of both from `first` on, into rows without any. */
Status weights_copy(Rows *to, const Rows *from, size_t first, size_t rows, Error *error);
/* Multiplies what backends see by a power of two so that its mean is about 1 again, after rows went away. Rounds
 * as weights.c says. Some row has a weight above 0. */
Status weights_level(Dataset *dataset, Error *error);

#endif
