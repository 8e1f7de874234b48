/* The check of training options, apart from the training. */
#ifndef SETOSA_TRAIN_TRAIN_OPTIONS_H
#define SETOSA_TRAIN_TRAIN_OPTIONS_H

#include "data/dataset.h"
#include "judge/compare.h"
#include "optim/optimizer.h"

/* SETOSA_ERROR_USAGE with one line for the first option out of its range, without effect, or at odds with the data; SETOSA_ERROR_DATA for
 * data that cannot be trained on. usual: as in options_check_training. */
Status train_options_check(const SetosaTrainOptions *options, const SetosaTrainOptions *usual, const Dataset *dataset, Error *error);

/* How its backend is opened; trains: many passes follow, which the ranks share, else some scores of this process alone. */
BackendSettings train_backend_settings(const SetosaTrainOptions *options, const Dataset *dataset, bool trains);
/* Those that its optimizer takes from the options; what it calls back is left out. */
OptimizerSettings train_optimizer_settings(const SetosaTrainOptions *options);
/* Vectors of P numbers that a training holds at a time, the solver's history included. */
size_t train_solver_vectors(const SetosaTrainOptions *options);
/* Whether building kernels takes longer than all passes of a training (BackendSettings.small). The shape alone decides, so that all ranks
 * and devices decide alike. */
bool train_is_small(DataShape shape);
/* What a training with this solver asks of its backend, scores of the rows at the end included. */
CompareOperations train_solver_operations(const SetosaTrainOptions *options, DataShape shape);
/* What the metrics and Gram matrices of the solver that will be chosen take. */
void train_foresee_matrices(BackendSettings *settings, const SetosaTrainOptions *options, DataShape shape);

#endif
