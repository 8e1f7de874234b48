/* Moments in double. A part is summed about its first number, which takes the size of a column far from 0 out of the sums, and parts are
 * put together as T. F. Chan, G. H. Golub and R. J. LeVeque do ("Algorithms for computing the sample variance", 1983). */
#include "data/moments.h"

#include <math.h>

void moments_add(Moments *moments, const double *values, size_t count) {
  if (count == 0) return;
  double sum = 0, squares = 0, first = values[0];
  Moments part = {.count = count, .least = first, .most = first};
  for (size_t i = 0; i < count; i++) {
    double x = values[i], apart = x - first;
    sum += apart;
    if (x < part.least) part.least = x;
    if (x > part.most) part.most = x;
  }
  double mean = sum / (double)count, rest = 0;
  for (size_t i = 0; i < count; i++) {
    double deviation = (values[i] - first) - mean;
    rest += deviation;
    squares += deviation * deviation;
  }
  part.mean = first + (mean + rest / (double)count);
  part.squares = fmax(squares - rest * rest / (double)count, 0);
  if (isnan(squares)) part.squares = squares; /* fmax would hide it */
  moments_merge(moments, &part);
}

/* In one pass, which the compiler makes of several columns at a time. That the first number may be far from the others costs digits, of a
 * spread that it makes as wide itself. */
void moments_add_rows(Moments *moments, size_t columns, const double *values, size_t rows, double *room) {
  double *sum = room, *squares = room + columns, *least = room + 2 * columns, *most = room + 3 * columns;
  if (rows == 0) return;
  for (size_t d = 0; d < columns; d++) sum[d] = squares[d] = 0, least[d] = most[d] = values[d];
  for (size_t i = 1; i < rows; i++) {
    const double *row = values + i * columns;
    for (size_t d = 0; d < columns; d++) {
      double x = row[d], apart = x - values[d];
      sum[d] += apart;
      squares[d] += apart * apart;
      least[d] = x < least[d] ? x : least[d];
      most[d] = x > most[d] ? x : most[d];
    }
  }
  for (size_t d = 0; d < columns; d++) {
    double mean = sum[d] / (double)rows, rest = squares[d] - sum[d] * mean;
    Moments part = {.count = rows, .mean = values[d] + mean, .squares = rest < 0 ? 0 : rest, .least = least[d], .most = most[d]};
    moments_merge(&moments[d], &part);
  }
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
