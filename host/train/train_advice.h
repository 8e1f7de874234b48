/* What a caller should know of how a training ended, and do about it. */
#ifndef SETOSA_TRAIN_TRAIN_ADVICE_H
#define SETOSA_TRAIN_TRAIN_ADVICE_H

#include "data/dataset.h"
#include "optim/optimizer.h"

/* Fills separable and advice of a result whose scores are known. */
void train_advise(SetosaTrainResult *result, const OptimizerReport *report, const SetosaTrainOptions *options, const Dataset *dataset);

#endif
