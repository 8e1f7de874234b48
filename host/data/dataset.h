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

/* A permutation of rows, in half the room where their numbers fit. */
typedef struct RowOrder {
  uint32_t *narrow;
  uint64_t *wide;
} RowOrder;
static inline size_t row_order_at(const RowOrder *order, size_t i) {
  return order->narrow != NULL ? order->narrow[i] : (size_t)order->wide[i];
}
static inline void row_order_set(RowOrder *order, size_t i, size_t row) {
  if (order->narrow != NULL)
    order->narrow[i] = (uint32_t)row;
  else
    order->wide[i] = row;
}
void row_order_free(RowOrder *order);

/* Arrays and mapping are owned unless `borrowed`; names may be NULL. */
struct SetosaDataset {
  size_t rows, features, classes;
  float *values;               /* (N,D) row-major, scaled; page-aligned when allocated; NULL: rows come by dataset_fetch alone */
  int32_t *labels;             /* (N) in 0..K-1, or NULL when the source has none; with labels_optional a row of an unknown class has -1 */
  bool borrowed;               /* values, labels and mapping belong to the caller: copy before changing */
  Mapping mapping;             /* of the file that values (and labels, perhaps) point into: read-only, copy before changing; zeroed: none */
  char **feature_names;        /* (D), or NULL */
  char **class_names;          /* (K) */
  char *label_name;            /* of the label column, or NULL */
  char *source;                /* the path or spec, for messages */
  char *labels_found;          /* the file of labels that was found by its name, or NULL */
  char *positive;              /* the CLASS of --positive, or NULL */
  Scaling scaling;             /* what was applied to the values as read */
  struct Synthetic *generator; /* owned; rows that are made whenever they are needed: then values and labels are NULL */
  const float *unordered;      /* (N,D) of the mapping, when values is NULL and rows are gathered: row i is its row order[i] */
  RowOrder order;              /* zeroed: none; labels are in this order already */
  size_t part, parts;          /* as in SetosaDataOptions */
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
/* The rows that this process uses most: all, or those of its part. */
void dataset_own_part(const Dataset *dataset, size_t *begin, size_t *count);
/* Owned copies of values and labels where they are borrowed, mapped or gathered: before any change. */
Status dataset_own(Dataset *dataset, Error *error);
/* generated.c: rows [begin, begin + count) into values (count,D) and labels (count; untouched when there are none; may be NULL
 * when rows are not made). */
void dataset_fetch(const Dataset *dataset, size_t begin, size_t count, float *values, int32_t *labels);
/* Room that dataset_labels may need; zero-initialise. */
typedef struct LabelScratch {
  int32_t *labels;
  float *values;
  size_t capacity;
} LabelScratch;
/* *labels (count) of rows from begin on, NULL when there are none: borrowed from the data set or from scratch, until its next use. */
Status dataset_labels(const int32_t **labels, const Dataset *dataset, size_t begin, size_t count, LabelScratch *scratch, Error *error);
/* Room for count labels. */
Status label_scratch_reserve(LabelScratch *scratch, size_t count, Error *error);
void label_scratch_free(LabelScratch *scratch);
/* From now on rows of a mapping are gathered in `order`, which begins as they lie; labels become the data set's own. Whoever changes the
 * order moves the labels along. */
Status dataset_begin_order(Dataset *dataset, Error *error);
/* Makes or gathers every row and keeps it; nothing to do for a data set whose values are held. */
Status dataset_materialize(Dataset *dataset, Error *error);
/* SETOSA_ERROR_USAGE when rows are made or gathered as needed, which `what` cannot do with. */
Status dataset_check_held(const Dataset *dataset, const char *what, Error *error);
/* x' = (x - offset) * scale on values as read; composes with nothing: SETOSA_ERROR_USAGE when a scaling was already applied
 * and differs. offset NULL means 0. */
Status dataset_apply_scaling(Dataset *dataset, const float *offset, const float *scale, Error *error);

#endif
