/* Areas under ROC curves by ranks (Mann and Whitney), exact by sorting or bounded by counting. */
#include "model/auc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LEAST_BINS = 1 << 10, MOST_BINS = 1 << 20, DIGIT_BITS = 11, DIGITS = 3, BUCKETS = 1 << DIGIT_BITS };

/* A score and its row, for sorting. */
typedef struct Ranked {
  uint32_t key, row;
} Ranked;

/* Weights of the rows of a class, and of the others, that share a score. */
typedef struct Tie {
  double own, others;
} Tie;

struct AucAccumulator {
  size_t classes;
  uint64_t rows, capacity;
  uint32_t *keys; /* (K,capacity) in the order of the scores; NULL: bins */
  int32_t *labels;
  float *weights;
  size_t bins;
  Tie *counts; /* (K,bins) */
};

static uint64_t exact_bytes(uint64_t rows, size_t classes) {
  double bytes = (double)rows * (4.0 * (double)classes + sizeof(int32_t) + sizeof(float) + 2 * sizeof(Ranked));
  return bytes < 0x1p62 ? (uint64_t)bytes : UINT64_MAX;
}

Status auc_create(AucAccumulator **auc, uint64_t rows, size_t classes, uint64_t bytes, Error *error) {
  Status status = SETOSA_OK;
  AucAccumulator *made = NULL;
  const char *what = "the scores of all rows";
  size_t bins = MOST_BINS;
  *auc = NULL;
  bool exact = rows <= UINT32_MAX && exact_bytes(rows, classes) <= bytes;
  while (!exact && bins >= LEAST_BINS && (double)bins * (double)classes * sizeof(Tie) > (double)bytes) bins /= 2;
  if (bins < LEAST_BINS) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, what, error));
  made->classes = classes;
  made->capacity = rows;
  if (exact) {
    TRY(memory_allocate((void **)&made->keys, (size_t)rows, classes * sizeof *made->keys, what, error));
    TRY(memory_allocate((void **)&made->labels, (size_t)rows, sizeof *made->labels, what, error));
    TRY(memory_allocate((void **)&made->weights, (size_t)rows, sizeof *made->weights, what, error));
  } else {
    made->bins = bins;
    TRY(memory_allocate_zero((void **)&made->counts, bins, classes * sizeof *made->counts, what, error));
  }
  *auc = made;
  made = NULL;
cleanup:
  auc_destroy(made);
  return status;
}

void auc_destroy(AucAccumulator *auc) {
  if (auc == NULL) return;
  free(auc->keys);
  free(auc->labels);
  free(auc->weights);
  free(auc->counts);
  free(auc);
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* A key in the order of the numbers; -0 is 0. */
static uint32_t key_of(float score) {
  uint32_t bits = 0;
  score += 0.0F;
  memcpy(&bits, &score, sizeof bits);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/* Bins are even in s / (8 + |s|): fine where probabilities are neither 0 nor 1, and without an end. */
static size_t bin_of(float score, size_t bins) {
  double s = (double)score, place = isinf(s) ? copysign(1, s) : s / (8 + fabs(s));
  size_t bin = (size_t)((place + 1) / 2 * (double)bins);
  return bin < bins ? bin : bins - 1;
}

static void put(AucAccumulator *auc, size_t k, float score, bool own, double weight) {
  if (auc->keys != NULL) {
    auc->keys[k * auc->capacity + auc->rows] = key_of(score);
    return;
  }
  Tie *tie = &auc->counts[k * auc->bins + bin_of(score, auc->bins)];
  *(own ? &tie->own : &tie->others) += weight;
}

/* ln p_k / (1 - p_k) = z_k - ln of the sum of e^z over the others: relative to the largest of these, so that nothing is lost to
 * cancellation. */
void auc_add(AucAccumulator *auc, const double *z, size_t label, double weight) {
  size_t classes = auc->classes, top = 0, second = 1;
  double sum = 0, rest = 0;
  if (auc->rows == auc->capacity) return; /* more than were announced */
  for (size_t k = 1; k < classes; k++)
    if (z[k] > z[top]) top = k;
  if (top == 1) second = 0;
  for (size_t k = 0; k < classes; k++)
    if (k != top && z[k] > z[second]) second = k;
  for (size_t k = 0; k < classes; k++) {
    sum += exp(z[k] - z[top]);
    if (k != top) rest += exp(z[k] - z[second]);
  }
  for (size_t k = 0; k < classes; k++) {
    double above = z[k] - z[top];
    double odds = k == top ? z[top] - z[second] - log(rest) : above - log(fmax(sum - exp(above), 1));
    put(auc, k, (float)odds, k == label, weight);
  }
  if (auc->keys != NULL) {
    auc->labels[auc->rows] = (int32_t)label;
    auc->weights[auc->rows] = (float)weight;
  }
  auc->rows++;
}

/* ---- areas ------------------------------------------------------------------------------------------------------- */

/* Pairs of a row of the class with one of the others, that are in this order so far. */
typedef struct Curve {
  double pairs, tied, own, others;
} Curve;

static void curve_add(Curve *curve, Tie tie) {
  curve->pairs += tie.own * (curve->others + tie.others / 2);
  curve->tied += tie.own * tie.others;
  curve->own += tie.own;
  curve->others += tie.others;
}

/* By digits, least first: rows of one key stay in their order. */
static Ranked *sort(Ranked *from, Ranked *to, size_t count) {
  for (int digit = 0; digit < DIGITS; digit++) {
    size_t begins[BUCKETS] = {0}, at = 0;
    int shift = digit * DIGIT_BITS;
    for (size_t i = 0; i < count; i++) begins[from[i].key >> shift & (BUCKETS - 1)]++;
    for (size_t b = 0; b < BUCKETS; b++) {
      size_t here = begins[b];
      begins[b] = at;
      at += here;
    }
    for (size_t i = 0; i < count; i++) to[begins[from[i].key >> shift & (BUCKETS - 1)]++] = from[i];
    Ranked *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

static Curve curve_of_keys(const AucAccumulator *auc, size_t k, Ranked *room) {
  Curve curve = {0};
  size_t rows = (size_t)auc->rows;
  for (size_t i = 0; i < rows; i++) room[i] = (Ranked){auc->keys[k * auc->capacity + i], (uint32_t)i};
  const Ranked *sorted = sort(room, room + rows, rows);
  for (size_t i = 0; i < rows;) {
    Tie tie = {0};
    uint32_t key = sorted[i].key;
    for (; i < rows && sorted[i].key == key; i++) {
      uint32_t row = sorted[i].row;
      *((size_t)auc->labels[row] == k ? &tie.own : &tie.others) += (double)auc->weights[row];
    }
    curve_add(&curve, tie);
  }
  return curve;
}

static Curve curve_of_bins(const AucAccumulator *auc, size_t k) {
  Curve curve = {0};
  for (size_t b = 0; b < auc->bins; b++) curve_add(&curve, auc->counts[k * auc->bins + b]);
  return curve;
}

Status auc_finish(const AucAccumulator *auc, double *areas, double *error_bound, Error *error) {
  Status status = SETOSA_OK;
  Ranked *room = NULL;
  *error_bound = 0;
  if (auc->keys != NULL) TRY(memory_allocate((void **)&room, (size_t)auc->rows, 2 * sizeof *room, "the ranks of all rows", error));
  for (size_t k = 0; k < auc->classes; k++) {
    Curve curve = auc->keys != NULL ? curve_of_keys(auc, k, room) : curve_of_bins(auc, k);
    areas[k] = curve.pairs / (curve.own * curve.others); /* 0/0 where one of the two has no rows */
    /* Of the pairs that share a bin the exact area counts somewhere between none and all, and this one half. */
    if (auc->keys == NULL) *error_bound = fmax(*error_bound, curve.tied / 2 / (curve.own * curve.others));
  }
cleanup:
  free(room);
  return status;
}
