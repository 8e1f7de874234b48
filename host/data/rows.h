/* Inside a data set: its rows, which it may share with slices, and all that is known of them. Private to host/data. */
#ifndef SETOSA_DATA_ROWS_H
#define SETOSA_DATA_ROWS_H

#include <stdatomic.h>

#include "base/mapping.h"
#include "data/columns.h"
#include "data/dataset.h"
#include "data/ids.h"
#include "data/remarks.h"
#include "data/source_rows.h"
#include "data/sparse.h"
#include "data/synthetic.h"

/* A permutation of rows, in half the room where their numbers fit. */
typedef struct RowOrder {
  uint32_t *narrow;
  uint64_t *wide;
  size_t count;
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

/* What a data set has in common with its slices, freed with the last of them. One of values, unordered, sparse and generator is there once
 * the rows are read. Nothing of it is changed while there are several users, or while it is not this process's to change: rows_own comes
 * before. */
typedef struct Rows {
  atomic_size_t users;
  bool borrowed;          /* values and labels belong to the caller of setosa_dataset_wrap */
  float *values;          /* (N,D) row-major, scaled; page-aligned when allocated; or in the mapping, read-only */
  int32_t *labels;        /* (N) in 0..K-1, or NULL when the source has none; with labels_optional a row of an unknown class has -1 */
  Mapping mapping;        /* of the file that values (and labels, perhaps) point into; zeroed: none */
  const float *unordered; /* (N,D) of the mapping: row i is its row order[i] */
  SparseArrays sparse;    /* of sparse rows; zeroed: they are dense */
  RowOrder order;         /* of `unordered` or `sparse`; zeroed: as they lie. Labels are in this order already */
  Synthetic *generator;   /* makes the rows and their labels */
  float *sample_weights;  /* (N) as given, never in the mapping; NULL: every row counts 1 */
  float *weights;         /* (N) as backends see them (weights.c), perhaps the same array; NULL: every row counts 1 */
  int weight_exponent;    /* 2^weight_exponent is what a weight of 1 among them stands for */
} Rows;

struct SetosaDataset {
  size_t rows, features, classes;
  Rows *held;
  size_t first;         /* of a slice: its row i is row first + i of those held */
  bool for_scores;      /* the labels and weights that the rows may have are not looked at */
  char **feature_names; /* (D), or NULL */
  char **class_names;   /* (K), or NULL */
  char *label_name;     /* of the label column, or NULL */
  char *weights_name;   /* of the column of weights, or NULL */
  char *source;         /* the path or spec, for messages */
  char *labels_found;   /* the file of labels that was found by its name, or NULL */
  char *positive;       /* the CLASS of --positive, or NULL */
  Columns *columns;     /* how the table was read, or NULL */
  double *shift;        /* (D) values are x - shift, x as the source has it, or as the scaling made it; NULL: 0 */
  SourceRows left_out;  /* rows of the source that were left out; of a data set whose rows are in the order of the source */
  Ids ids;              /* columns that are carried along */
  Remarks remarks;      /* of reading */
  Scaling scaling;      /* what was applied to x */
  size_t part, parts;   /* as in SetosaDataOptions; of a slice that is not the whole, parts is 0 */
  bool exchangeable;    /* as in DataShape */
  float byte_scale;     /* as in DataShape */
  int index_base;       /* what the source calls its first feature: 0 or 1; -1: features have no numbers */
  unsigned hash_bits;   /* of the hashes that features were made of; 0: they were not */
  /* Of images whose pixels, row by row, are the features; 0: they are none. */
  size_t image_height, image_width;
  bool cached;      /* the rows come from the cache of conversions */
  char *cache_note; /* why what was read could not be kept in that cache, or NULL */
};

/* ---- dataset.c --------------------------------------------------------------------------------------------------- */

/* A data set without rows: the base of every reader. */
Status dataset_create_bare(Dataset **dataset, const char *source, Error *error);
/* An empty data set (no rows yet) with the given shape and zeroed owned arrays; classes may be set later. */
Status dataset_create(Dataset **dataset, size_t rows, size_t features, bool with_labels, const char *source, Error *error);
/* The same for rows of the kind that another data set has, with its description and so many entries where they are sparse; labels and
 * weights where it has them, to be written. */
Status dataset_create_like(Dataset **dataset, const Dataset *like, size_t rows, uint64_t entries, Error *error);
/* class_names[k] = "0", "1", ...: for sources whose labels are bare integers. */
Status dataset_name_classes_by_index(Dataset *dataset, size_t classes, Error *error);
/* Everything but rows and labels. */
Status dataset_copy_description(Dataset *to, const Dataset *from, Error *error);

/* ---- rows.c ------------------------------------------------------------------------------------------------------ */

Status rows_create(Rows **rows, Error *error);
void rows_release(Rows *rows);
/* Held, or made. */
static inline bool rows_are_sparse(const Dataset *dataset) {
  const Rows *held = dataset->held;
  return held->sparse.begin != NULL || (held->generator != NULL && synthetic_spec_is_sparse(synthetic_spec(held->generator)));
}
/* (N,D), or NULL when rows are not held, or sparse; (N), or NULL when there are none or they are made. To be changed after rows_own only.
 */
float *rows_values(const Dataset *dataset);
int32_t *rows_labels(const Dataset *dataset);
/* Rows, labels and weights become this data set's alone, in memory, from row 0 on: before any change. */
Status rows_own(Dataset *dataset, Error *error);
/* Rows become of this kind, in memory, where they are of another. SETOSA_ERROR_USAGE when they are made or gathered as needed, or have more
 * features than sparse rows can. */
Status rows_become(Dataset *dataset, DataKind kind, Error *error);
/* From now on rows of a mapping are gathered in `order`, which begins as they lie; labels become the data set's own. Whoever changes the
 * order moves the labels along. The data set is the only user of its rows. */
Status rows_begin_order(Dataset *dataset, Error *error);
/* The rows that this process uses most: all, or those of its part. */
RowRange rows_of_part(const Dataset *dataset);

#endif
