/* What a row that is nothing special has: the means of the features over the training rows. */
#ifndef SETOSA_TRAIN_FEATURE_MEANS_H
#define SETOSA_TRAIN_FEATURE_MEANS_H

#include "data/dataset.h"
#include "model/model.h"

/* model->mean of the rows by their weights, of x as the source has it. Of data with more than 67 million entries a part of the rows is
 * looked at, the same one whoever does. Before weights of classes are applied. */
Status feature_means(Model *model, const Dataset *dataset, Error *error);

#endif
