/* How well weights do on the rows of the backend that has them. */
#ifndef SETOSA_TRAIN_SCORE_H
#define SETOSA_TRAIN_SCORE_H

#include "compute/backend.h"
#include "data/dataset.h"
#include "ranks/ranks.h"

/* Accuracy and log-loss of w on the rows of its backend, in blocks of logits. Rows count as in the data set; those of `left_out` (N; NULL:
 * none) that are not 0 do not count at all.
 * ranks: each scores its own rows, and their totals are added; NULL: this process scores all. */
Status score_rows(Backend *backend, const Vector *w, const Dataset *dataset, const float *left_out, Ranks *ranks, double *accuracy,
                  double *log_loss, Error *error);

#endif
