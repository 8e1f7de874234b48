/* Every operation of the seam on a backend against the double reference: the body of the self-test, of `setosa check` and of the kernel
 * tests. */
#ifndef SETOSA_JUDGE_COMPARE_H
#define SETOSA_JUDGE_COMPARE_H

#include "compute/settings.h"

/* The operations of the seam; sums of them are sets, and 0 is all of them. */
typedef enum CompareOperations {
  COMPARE_STEP = 1,          /* loss and gradient of all rows and of a mini-batch */
  COMPARE_HESSIAN = 2,       /* Hessian times v */
  COMPARE_LOGITS = 4,        /* of rows, */
  COMPARE_PROBABILITIES = 8, /* and what becomes of them */
  COMPARE_LINE = 16,         /* a line search */
  COMPARE_VECTORS = 32,      /* inner products, linear combinations */
  COMPARE_ELEMENTS = 64,     /* products and quotients element by element */
  COMPARE_METRIC = 128,      /* a metric times v */
  COMPARE_GRAM = 256         /* Gram matrices of rows, and the estimates that these are weighted by */
} CompareOperations;

/* How to compare a device with the reference. */
typedef struct CompareSettings {
  SetosaBackend backend; /* which is compared with the reference; for BLAS the context is NULL */
  /* How it is opened; NULL: by backend_open. A test of the judge opens one that lies. */
  Status (*open)(Backend **backend, const Dataset *dataset, const BackendSettings *settings, Error *error);
  SetosaFamily family;   /* AUTO: by the device */
  bool small;            /* as the setting of a backend */
  SetosaStorage storage; /* F16: the reference computes on the rounded values, and their rounding is a row of its own */
  CompareOperations operations;
  double l2;
  size_t workspace_bytes, x_buffer_bytes; /* as in BackendSettings */
  double logit_size;                      /* typical |z| of the weights tried; 0: 3 */
  bool finite_differences;                /* also against central differences of the reference in double, along a random direction */
  SetosaCheckCallback row;                /* called for each quantity; may be NULL */
  void *user;
} CompareSettings;

/* Compares every operation of a device with the reference on one data set (with labels): the body of the self-test, of `setosa check` and
 * of the kernel tests. *failures is increased by the quantities out of tolerance. */
Status judge_compare(const Dataset *dataset, Context *context, const CompareSettings *settings, size_t *failures, Error *error);

#endif
