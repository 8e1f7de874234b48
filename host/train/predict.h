/* Scores of a data set under a model, in blocks: what setosa_predict and setosa_evaluate share. */
#ifndef SETOSA_TRAIN_PREDICT_H
#define SETOSA_TRAIN_PREDICT_H

#include "compute/backend.h"
#include "model/model.h"

enum { PREDICT_BLOCK_BYTES = 16 << 20 }; /* of scores held on the host */

/* Rows whose scores are held at a time: of a stream no more than a chunk, so that the rest of it is still there to be asked about. */
size_t predict_block_rows(const Backend *backend);
/* Targets of rows that were just scored, as dataset_targets gives them: their labels from the backend where it made the rows. */
Status predict_targets(Targets *targets, Backend *backend, const Dataset *dataset, RowRange rows, TargetRoom *room, Error *error);

/* A block of rows, scores (count,K) row-major, and the backend that they come from. Anything but SETOSA_OK ends the run with it. */
typedef Status (*ScoreVisitor)(Backend *backend, RowRange rows, const float *scores, void *user, Error *error);

/* A model and a data set on a backend, for as many visits as are wanted. */
typedef struct Scorer {
  const Model *model;
  const Dataset *dataset;
  RowScores kind;
  Backend *backend;
  Vector *w;
  Dataset *view;
  float *scores;
  size_t block;
} Scorer;

/* The errors are those of predict_scores. Model and data set are borrowed. To be closed after a failure, too. */
Status scorer_open(Scorer *scorer, const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, RowScores kind,
                   Error *error);
/* Visits every row in order. */
Status scorer_visit(Scorer *scorer, ScoreVisitor visit, void *user, Error *error);
void scorer_close(Scorer *scorer);

/* Visits every row in order. Needs no labels. SETOSA_ERROR_USAGE when the shapes of model and data differ. */
Status predict_scores(const Model *model, const Dataset *dataset, const SetosaComputeOptions *compute, RowScores kind, ScoreVisitor visit,
                      void *user, Error *error);

#endif
