/* Tails of the normal and the chi-square distribution, as precise far out as in the middle. */
#ifndef SETOSA_INFERENCE_TAILS_H
#define SETOSA_INFERENCE_TAILS_H

#include <stdint.h>

/* P(|Z| >= |z|) of a standard normal Z. */
double normal_two_sided(double z);
/* z with P(|Z| <= z) = confidence, 0 < confidence < 1. */
double normal_interval(double confidence);
/* P(X >= x) of a chi-square with df degrees of freedom; NAN for df 0. */
double chi_square_tail(double x, uint64_t df);

#endif
