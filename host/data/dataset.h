/* The data set as every layer above sees it: dense f32 rows, integer labels, names, and the scaling that was applied. */
#ifndef SETOSA_DATA_DATASET_H
#define SETOSA_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mapping.h"

/* x' = (x - offset[d]) * scale[d]. Both arrays (D), or both NULL for the identity. */
typedef struct Scaling {
  float *offset, *scale;
} Scaling;

/* Arrays and mapping are owned unless `borrowed`; names may be NULL. */
struct SetosaDataset {
  size_t rows, features, classes;
  float *values;               /* (N,D) row-major, scaled; page-aligned when allocated */
  int32_t *labels;             /* (N) in 0..K-1, or NULL when the source has none; with labels_optional a row of an unknown class has -1 */
  bool borrowed;               /* values, labels and mapping belong to the caller: copy before changing */
  Mapping mapping;             /* of the file that values (and labels, perhaps) point into: read-only, copy before changing; zeroed: none */
  char **feature_names;        /* (D), or NULL */
  char **class_names;          /* (K) */
  char *label_name;            /* of the label column, or NULL */
  char *source;                /* the path or spec, for messages */
  char *positive;              /* the CLASS of --positive, or NULL */
  Scaling scaling;             /* what was applied to the values as read */
  struct Synthetic *generator; /* owned; rows that are made whenever they are needed: then values and labels are NULL */
  bool exchangeable;           /* rows are independent draws: their order says nothing, and batches need no shuffle */
  bool cached;                 /* values, labels and names come from the cache of conversions */
  char *cache_note;            /* why what was read could not be kept in that cache, or NULL */
  float byte_scale;            /* every value is (float)q * byte_scale with a whole q in 0..255, bit for bit; 0 when that is not known */
};
typedef struct SetosaDataset Dataset;

/* An empty data set (no rows yet) with the given shape and zeroed owned arrays; classes may be set later. The base of every reader. */
Status dataset_create(Dataset **dataset, size_t rows, size_t features, bool with_labels, const char *source, Error *error);
/* class_names[k] = "0", "1", ...: for sources whose labels are bare integers. */
Status dataset_name_classes_by_index(Dataset *dataset, size_t classes, Error *error);
/* Owned copies of values and labels where they are borrowed or mapped: before any change. */
Status dataset_own(Dataset *dataset, Error *error);
/* generated.c: rows [begin, begin + count) into values (count,D) and labels (count; untouched when there are none). */
void dataset_fetch(const Dataset *dataset, size_t begin, size_t count, float *values, int32_t *labels);
/* Room that dataset_labels may need; zero-initialise. */
typedef struct LabelScratch {
  int32_t *labels;
  float *values;
  size_t capacity;
} LabelScratch;
/* *labels (count) of rows from begin on, NULL when there are none: borrowed from the data set or from scratch, until its next use. */
Status dataset_labels(const int32_t **labels, const Dataset *dataset, size_t begin, size_t count, LabelScratch *scratch, Error *error);
void label_scratch_free(LabelScratch *scratch);
/* Makes every row and keeps it; nothing to do for a data set without a generator. */
Status dataset_materialize(Dataset *dataset, Error *error);
/* SETOSA_ERROR_USAGE when rows are made as needed, which `what` cannot do with. */
Status dataset_check_held(const Dataset *dataset, const char *what, Error *error);
/* x' = (x - offset) * scale on values as read; composes with nothing: SETOSA_ERROR_USAGE when a scaling was already applied
 * and differs. offset NULL means 0. */
Status dataset_apply_scaling(Dataset *dataset, const float *offset, const float *scale, Error *error);

#endif
