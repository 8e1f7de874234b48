/* Coefficients in 8 bits, and what that costs. */
#ifndef SETOSA_EXCHANGE_QUANTIZE_H
#define SETOSA_EXCHANGE_QUANTIZE_H

#include "exchange/linear.h"

/* A_kd is about middle_d + q_kd step_d with whole q_kd in -127..127. The middle of a column is the same for all classes, which softmax does
 * not see, so it is left out; with two classes nothing is lost then. */
typedef struct Quantized {
  int8_t *weights; /* q (K,D) */
  double *steps;   /* (D) as f32 holds them */
} Quantized;

Status quantize(Quantized *quantized, const LinearForm *linear, const Model *model, Error *error);
void quantized_free(Quantized *quantized);

/* p (K) of a row x (D) in double, by the coefficients as they are (quantized NULL) or in 8 bits. */
void linear_predict(double *p, const double *x, const LinearForm *linear, const Quantized *quantized, const Model *model);
/* Fills what a result says of 8 bits: over the rows of data, as its model reads them and not scaled, or of rows (count,D). */
Status quantized_measure(SetosaExportResult *result, const Quantized *quantized, const LinearForm *linear, const Model *model,
                         const Dataset *data, const double *rows, size_t count, Error *error);

#endif
