/* What a model computes, of the numbers as the source has them: scaling and temperature T are folded into coefficients and intercepts, in
 * double. */
#ifndef SETOSA_EXCHANGE_LINEAR_H
#define SETOSA_EXCHANGE_LINEAR_H

#include "model/model.h"

/* P(y = k | x) = softmax(A (x - m) + c)_k. */
typedef struct LinearForm {
  double *coefficients; /* A (K,D) row-major: W_kd scale_d / T */
  double *intercepts;   /* c (K): b_k / T - sum_d A_kd (offset_d - m_d) */
  double *centres;      /* m (D); NULL: 0 */
} LinearForm;

/* SETOSA_ERROR_USAGE for one that is not finite. Free it, also after a failure. */
Status linear_form_make(LinearForm *linear, const Model *model, Error *error);
/* Takes centres off x, for sums in f32: none where folding them into the intercepts adds less than 1e-7 to the error of any score, else the
 * offsets of the scaling or the shift of the columns. A model with a shift always has centres: f32 would round x itself. */
Status linear_form_centre(LinearForm *linear, const Model *model, Error *error);
void linear_form_free(LinearForm *linear);

#endif
