/* One axis: which values go where, and which of them are written beside it. */
#ifndef SETOSA_REPORT_SCALE_H
#define SETOSA_REPORT_SCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { SCALE_TICKS = 16, SCALE_LABEL = 32 };

typedef struct Scale {
  bool log;
  double least, most;       /* at the ends, least < most */
  double tick[SCALE_TICKS]; /* (ticks) ascending, within the ends */
  size_t ticks;
  int decimals; /* of the labels of a linear one */
} Scale;

/* From the least to the most of what is to be shown, ends rounded outwards where `loose`; at most `wanted` ticks or so. On a log scale what
 * is not above 0 has no place. Ends that are not finite, or the same, are made into some. */
Scale scale_make(double least, double most, bool log, bool loose, size_t wanted);
/* 0 at the least end, 1 at the most; NAN for what has no place. */
double scale_place(const Scale *scale, double value);
/* The label of a tick: "0.25", "1e-6", "20k". */
void scale_label(char text[SCALE_LABEL], const Scale *scale, double tick);

#endif
