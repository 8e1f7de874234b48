/* Scores of a data set under a model, in blocks: what setosa_predict and setosa_evaluate share. */
#ifndef SETOSA_TRAIN_PREDICT_H
#define SETOSA_TRAIN_PREDICT_H

#include "compute/backend.h"
#include "model/model.h"

enum { PREDICT_BLOCK_BYTES = 16 << 20 }; /* of scores held on the host */

/* A block of rows first..first+count-1, scores (count,K) row-major. Anything but SETOSA_OK ends the run with it. */
typedef Status (*ScoreVisitor)(size_t first, size_t count, const float *scores, void *user, Error *error);

/* Visits every row in order. Needs no labels. SETOSA_ERROR_USAGE when the shapes of model and data differ. */
Status predict_scores(const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, RowScores kind, ScoreVisitor visit,
                      void *user, Error *error);

#endif
