/* What a pass over sparse rows takes at least, whoever makes it. */
#ifndef SETOSA_BENCH_LIMITS_SPARSE_H
#define SETOSA_BENCH_LIMITS_SPARSE_H

#include "bench/limits_gather.h"
#include "data/dataset.h"

/* Rows of a table that are read at random, by the size of the table. */
typedef struct SparseGathers {
  double rows[GATHER_SIZES];
} SparseGathers;

/* What is counted in a data set, once. Its entries are N rows', n_c of them in column c. */
typedef struct SparseTally {
  size_t rows, classes;
  double entries, stride; /* floats of a row of weights, gradient or residuals */
  double lines;           /* cache lines that such a row touches */
  double weights_bytes;   /* of the columns that have entries */
  bool ones;
  SparseGathers logits; /* rows of weights, one for each entry */
  double next;          /* of a column's entries those that are in the row after its last one: sum of n_c^2 / N */
  struct {
    double bytes;      /* of the residuals of a block */
    double blocks;     /* of rows */
    double columns;    /* that have entries in a block, of all blocks together */
  } cut[GATHER_SIZES]; /* the ways to cut the rows into blocks */
} SparseTally;

Status sparse_tally_make(SparseTally *tally, const Dataset *dataset, Error *error);
/* The same of columns with so many entries each: counts (columns), which are sorted. */
void sparse_tally_count(SparseTally *tally, size_t rows, size_t classes, bool ones, uint64_t *counts, size_t columns);

/* What one pass must do. */
typedef struct SparsePass {
  const SparseTally *tally;
  double logits, gradients; /* products of either kind, each 2 flops an entry and class */
  double value_bytes;       /* of the value of an entry */
  size_t cut;               /* the way of cutting with which it takes least */
} SparsePass;

double sparse_pass_bytes(const SparsePass *pass);
/* Seconds of its gathers with these times of lines; times NULL: cache lines over the bandwidth. */
double sparse_pass_gathers(const SparsePass *pass, const GatherTimes *times, double gbytes_per_s);
/* Sets pass->cut: the limit is the least over all ways of cutting. */
void sparse_pass_cut(SparsePass *pass, const GatherTimes *times, double gbytes_per_s);

#endif
