/* Scores and labels of rows. */
#ifndef SETOSA_COMPUTE_NATIVE_PREDICT_H
#define SETOSA_COMPUTE_NATIVE_PREDICT_H

#include "compute/native/native.h"

Status native_predict(Backend *backend, const Vector *w, RowRange rows, RowScores kind, float *scores, Error *error);
Status native_labels(Backend *backend, RowRange rows, int32_t *labels, Error *error);

#endif
