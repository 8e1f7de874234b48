/* Moments in double. A part is summed about its first number, which takes the size of a column far from 0 out of the sums, and parts are
 * put together as T. F. Chan, G. H. Golub and R. J. LeVeque do ("Algorithms for computing the sample variance", 1983). */
#include "data/moments.h"

#include <math.h>

void moments_add(Moments *moments, const double *values, size_t count, size_t stride) {
  if (count == 0) return;
  double sum = 0, squares = 0, first = values[0];
  Moments part = {.count = count, .least = first, .most = first};
  for (size_t i = 0; i < count; i++) {
    double x = values[i * stride], apart = x - first;
    sum += apart;
    if (x < part.least) part.least = x;
    if (x > part.most) part.most = x;
  }
  double mean = sum / (double)count, rest = 0;
  for (size_t i = 0; i < count; i++) {
    double deviation = (values[i * stride] - first) - mean;
    rest += deviation;
    squares += deviation * deviation;
  }
  part.mean = first + (mean + rest / (double)count);
  part.squares = fmax(squares - rest * rest / (double)count, 0);
  if (isnan(squares)) part.squares = squares; /* fmax would hide it */
  moments_merge(moments, &part);
}

void moments_merge(Moments *moments, const Moments *next) {
  if (next->count == 0) return;
  if (moments->count == 0) {
    *moments = *next;
    return;
  }
  double before = (double)moments->count, after = (double)next->count, all = before + after, apart = next->mean - moments->mean;
  moments->mean += apart * (after / all);
  moments->squares += next->squares + apart * apart * (before * (after / all));
  moments->count += next->count;
  if (next->least < moments->least) moments->least = next->least;
  if (next->most > moments->most) moments->most = next->most;
}

double moments_deviation(const Moments *moments) { return moments->count > 0 ? sqrt(moments->squares / (double)moments->count) : 0; }
