/* The area under the ROC curve of each class against the rest, from the scores of all rows: the probability that a row of the class has a
 * higher score than a row of another class, ties counting half, rows by their weights. */
#ifndef SETOSA_MODEL_AUC_H
#define SETOSA_MODEL_AUC_H

#include "base/error.h"

typedef struct AucAccumulator AucAccumulator;

/* For so many rows. Their scores are kept and sorted, which is exact, where that takes at most `bytes`; else they are counted in as many
 * bins a class as fit there, and a row ties with those of its bin. *auc is NULL where not even 1024 bins a class fit. */
Status auc_create(AucAccumulator **auc, uint64_t rows, size_t classes, uint64_t bytes, Error *error);
void auc_destroy(AucAccumulator *auc);
/* One more row: its logits z (K), divided by the temperature of the model. A class is scored by its log-odds, ln p_k / (1 - p_k), which
 * rise with p_k and do not stop at 1 as a rounded p_k does. They are rounded to f32, as logits are. */
void auc_add(AucAccumulator *auc, const double *z, size_t label, double weight);
/* areas (K); NAN for a class that has no row, or every row. *error_bound: no area is further from the exact one; 0: all are exact. */
Status auc_finish(const AucAccumulator *auc, double *areas, double *error_bound, Error *error);

#endif
