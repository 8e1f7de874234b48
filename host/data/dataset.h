/* The data set as every layer above sees it: dense f32 rows, integer labels, names, and the scaling that was applied. */
#ifndef SETOSA_DATA_DATASET_H
#define SETOSA_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* x' = (x - offset[d]) * scale[d]. Both arrays (D), or both NULL for the identity. */
typedef struct Scaling {
  float *offset, *scale;
} Scaling;

/* Arrays are owned unless `borrowed`; names may be NULL. */
struct SetosaDataset {
  size_t rows, features, classes;
  float *values;        /* (N,D) row-major, scaled; page-aligned when owned */
  int32_t *labels;      /* (N) in 0..K-1, or NULL when the source has none; with labels_optional a row of an unknown class has -1 */
  bool borrowed;        /* values and labels belong to the caller: copy before changing */
  char **feature_names; /* (D), or NULL */
  char **class_names;   /* (K) */
  char *label_name;     /* of the label column, or NULL */
  char *source;         /* the path or spec, for messages */
  char *positive;       /* the CLASS of --positive, or NULL */
  Scaling scaling;      /* what was applied to the values as read */
  float byte_scale;     /* every value is (float)q * byte_scale with a whole q in 0..255, bit for bit; 0 when that is not known */
};
typedef struct SetosaDataset Dataset;

/* An empty data set (no rows yet) with the given shape and zeroed owned arrays; classes may be set later. The base of every reader. */
Status dataset_create(Dataset **dataset, size_t rows, size_t features, bool with_labels, const char *source, Error *error);
/* class_names[k] = "0", "1", ...: for sources whose labels are bare integers. */
Status dataset_name_classes_by_index(Dataset *dataset, size_t classes, Error *error);
/* Owned copies of values and labels when they are borrowed. */
Status dataset_own(Dataset *dataset, Error *error);
/* x' = (x - offset) * scale on values as read; composes with nothing: SETOSA_ERROR_USAGE when a scaling was already applied
 * and differs. offset NULL means 0. */
Status dataset_apply_scaling(Dataset *dataset, const float *offset, const float *scale, Error *error);

#endif
