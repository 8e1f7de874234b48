/* THE DATA SEAM. What everybody outside host/data knows of a data set: its shape, its rows, its targets, slices of it, its names, its hash.
 * What it is made of is in rows.h, which nobody outside includes: rows may lie in memory or in a mapped file, be gathered from there in
 * another order, or be made whenever they are asked for. */
#ifndef SETOSA_DATA_DATASET_H
#define SETOSA_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/range.h"

typedef struct SetosaDataset Dataset;

/* ---- shape ------------------------------------------------------------------------------------------------------- */

/* How a row is written down. Only readers and backends look at it. */
typedef enum DataKind {
  DATA_DENSE, /* all its values, zeros and all */
  DATA_SPARSE /* its entries, that is column and value of what is not 0 (CSR) */
} DataKind;
/* Where rows are when they are asked for. */
typedef enum DataPlace {
  DATA_HELD,     /* in memory or a mapping: the door of their kind copies nothing */
  DATA_GATHERED, /* in a mapping, in another order: it brings them together */
  DATA_MADE      /* nowhere: a generator makes them, and their labels, for every call */
} DataPlace;

typedef struct DataShape {
  size_t rows, features, classes; /* classes 0: not known */
  DataKind kind;
  DataPlace place;
  bool labelled;     /* rows have labels; of an unknown class, one may have -1 where labels are optional */
  bool weighted;     /* rows have weights */
  bool exchangeable; /* rows are independent draws: their order says nothing, and batches need no shuffle */
  uint64_t entries;  /* sparse: of all rows; else rows * features */
  bool ones;         /* sparse: every entry is 1, and no values are kept */
  float byte_scale;  /* every value is (float)q * byte_scale with a whole q in 0..255, bit for bit; 0 when that is not known */
} DataShape;

DataShape dataset_shape(const Dataset *dataset);
static inline RowRange dataset_all(const Dataset *dataset) { return (RowRange){0, dataset_shape(dataset).rows}; }

/* ---- rows and targets -------------------------------------------------------------------------------------------- */

/* THE door to X: rows (count,D), row-major, scaled as they stand, where they lie when they are dense and held (room may be NULL then), else
 * brought into room (count*D). One thread at a time where rows are made. */
const float *dataset_dense(const Dataset *dataset, RowRange rows, float *room);

/* Rows as their entries: those of row i of the rows are begin[i] to begin[i+1] - 1, and begin[0] need not be 0. */
typedef struct SparseRows {
  const uint64_t *begin;   /* (count + 1) ascending */
  const uint32_t *columns; /* below D, ascending within a row, none twice */
  const float *values;     /* finite; NULL: every entry is 1 */
} SparseRows;

/* What dataset_sparse may need; zero-initialise. */
typedef struct SparseRoom {
  uint64_t *begin;
  uint32_t *columns;
  float *values;
  size_t rows, entries; /* capacity */
} SparseRoom;

/* THE door to X of DATA_SPARSE: where the rows lie when they are held (room may be NULL then), else brought into room, until its next use.
 */
Status dataset_sparse(SparseRows *sparse, const Dataset *dataset, RowRange rows, SparseRoom *room, Error *error);
void sparse_room_free(SparseRoom *room);
/* The rows will not be looked at for a while: of a mapping, memory need not hold them meanwhile. They stay as they are. */
void dataset_let_go(const Dataset *dataset, RowRange rows);
/* Entries of the rows; of dense ones rows * D. */
uint64_t dataset_entries(const Dataset *dataset, RowRange rows);
/* Bytes of the rows in memory: of f32 values, and of sparse rows of where they begin, columns and values. */
uint64_t dataset_bytes(const Dataset *dataset, RowRange rows);
/* The sum of the squares of all values of the rows; of rows that are made its expectation, since dense ones have features of deviation 1.
 */
double dataset_square_sum(const Dataset *dataset, RowRange rows);

/* What rows are compared with. */
typedef struct Targets {
  const int32_t *labels; /* (count) in 0..K-1 or -1; NULL: none */
  const float *weights;  /* (count) 0 or more, of the rows; NULL: every row counts 1 */
} Targets;

/* What dataset_targets may need; zero-initialise. */
typedef struct TargetRoom {
  int32_t *labels;
  float *values;
  size_t capacity;
} TargetRoom;

/* The targets of rows, borrowed from the data set, or from room until its next use. room may be NULL unless rows are made. */
Status dataset_targets(Targets *targets, const Dataset *dataset, RowRange rows, TargetRoom *room, Error *error);
/* Room for count labels that come from elsewhere. */
Status target_room_reserve(TargetRoom *room, size_t count, Error *error);
void target_room_free(TargetRoom *room);
/* The sum of the weights of all rows, and their mean: exactly N and 1 when there are none. Weights that backends see are those given times
 * a power of two: only ratios count. Of a whole data set the mean is about 1, above 0 at least; of a slice it may be 0. */
double dataset_total_weight(const Dataset *dataset);
double dataset_mean_weight(const Dataset *dataset);
/* That power of two: what a weight of 1 that backends see is in weights as given. */
double dataset_weight_unit(const Dataset *dataset);
/* The first row whose label is none of 0..classes-1; N when every row has one. Without labels: 0. */
size_t dataset_first_unlabelled(const Dataset *dataset, size_t classes);

/* ---- weights of classes ------------------------------------------------------------------------------------------ */

/* The weight of a row becomes its sample weight times factors[label]; factors (K), finite and not negative, NULL: 1 each. From the sample
 * weights as they were given, whatever factors were applied before. SETOSA_ERROR_USAGE without labels, or for rows that are made as needed;
 * SETOSA_ERROR_DATA when every weight would be 0. */
Status dataset_apply_class_weights(Dataset *dataset, const double *factors, Error *error);
/* factors (K): sum(s) / (K * sum of s of the class), s the sample weights as given: every class then weighs the same. SETOSA_ERROR_DATA
 * names a class without any weight. */
Status dataset_balanced_class_weights(const Dataset *dataset, double *factors, Error *error);

/* ---- other views of the same rows -------------------------------------------------------------------------------- */

/* The rows of a range as a data set of their own, with all names, by sharing and not by copying: what is changed in one of the two is
 * copied before. Destroy both, in any order. SETOSA_ERROR_INTERNAL for rows that there are not. */
Status dataset_slice(Dataset **slice, const Dataset *dataset, RowRange rows, Error *error);
/* About `part` (0 to 1) of the rows, chosen by the seed in runs of neighbours, as a copy: the same ones however the rows are held. */
Status dataset_sample(Dataset **sample, const Dataset *dataset, double part, uint64_t seed, Error *error);
/* All rows as a model of so many classes sees them to score them: without labels (made rows bring theirs along), weights or class names. */
Status dataset_for_scores(Dataset **view, const Dataset *dataset, size_t classes, Error *error);
/* Makes or gathers every row and keeps it; nothing to do when rows are held. */
Status dataset_hold(Dataset *dataset, Error *error);
/* SETOSA_ERROR_USAGE when rows are made or gathered as needed, which `what` cannot do with. */
Status dataset_check_held(const Dataset *dataset, const char *what, Error *error);
/* Who makes the rows, row i of the data set being its row *first + i; NULL: they are not made. */
const struct Synthetic *dataset_generator(const Dataset *dataset, uint64_t *first);

/* ---- description ------------------------------------------------------------------------------------------------- */

/* x' = (x - offset[d]) * scale[d], in double, of values as the source has them: what a shift took off does not count. Both arrays (D), or
 * both NULL for the identity. */
typedef struct Scaling {
  double *offset, *scale;
} Scaling;

Status scaling_copy(Scaling *out, size_t features, const double *offset, const double *scale, Error *error); /* offset NULL means 0 */
void scaling_free(Scaling *scaling);

/* The path or spec that the rows come from, for messages: "data" when they come from no file. */
/* SETOSA_ERROR_DATA when the file that rows are mapped from was written to since: asked when the work is done. */
Status dataset_check_unchanged(const Dataset *dataset, Error *error);
const char *dataset_source(const Dataset *dataset);
const char *dataset_positive(const Dataset *dataset);   /* the CLASS of --positive, or NULL */
const Scaling *dataset_scaling(const Dataset *dataset); /* what was applied to the values as read */
/* x' = (x - offset) * scale on values as read; composes with nothing: SETOSA_ERROR_USAGE when a scaling was already applied
 * and differs. offset NULL means 0. Of a data set with a shift, an offset takes its place, and a factor alone scales it. */
Status dataset_apply_scaling(Dataset *dataset, const double *offset, const double *scale, Error *error);
/* Rows become x, rounded to f32, in place of x - shift: for a model without a bias, which no shift leaves as it is. Rows that are shared or
 * mapped are copied; nothing is done without a shift. */
Status dataset_unshift(Dataset *dataset, Error *error);

/* ---- fingerprint ------------------------------------------------------------------------------------------------- */

/* A few rows and all targets: tells other files apart without reading all of this one. */
uint64_t dataset_glance(const Dataset *dataset);
/* All values as they are trained on, and all targets, in so many blocks that several processes can share the reading. Rows of a generator
 * are known by a sample of them: its numbers decide on every value. */
size_t dataset_fingerprint_blocks(const Dataset *dataset);
Status dataset_fingerprint_block(char hex[HASH_HEX_SIZE], const Dataset *dataset, size_t block, Error *error);

#endif
