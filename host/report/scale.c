/* Ticks at 1, 2 and 5 times powers of ten. */
#include "report/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The power of ten at or below a value above 0. log10 of 1e-3 may be a digit less than -3. */
static double decade_below(double value) { return floor(log10(value) + 1e-9); }

static double nice_step(double span, size_t wanted) {
  double rough = span / (double)wanted, power = pow(10, decade_below(rough)), part = rough / power;
  return power * (part <= 1.0001 ? 1 : part <= 2.0001 ? 2 : part <= 5.0001 ? 5 : 10);
}

static Scale make_linear(double least, double most, bool loose, size_t wanted) {
  Scale scale = {.least = least, .most = most};
  double step = nice_step(most - least, wanted), first = ceil(least / step - 1e-6), last = floor(most / step + 1e-6);
  if (loose) {
    first = floor(least / step + 1e-6);
    last = ceil(most / step - 1e-6);
    scale.least = fmin(least, first * step);
    scale.most = fmax(most, last * step);
  }
  scale.decimals = (int)fmax(0, fmin(12, -decade_below(step)));
  if (last - first < 1) return make_linear(least, most, loose, 2 * wanted); /* ticks lie badly: closer ones */
  for (int i = 0; i < SCALE_TICKS && first + i <= last; i++) scale.tick[scale.ticks++] = (first + i) * step;
  return scale;
}

/* Powers of ten, as many apart as there is room for; where they are few, 2 and 5 times them, too. */
static Scale make_log(double least, double most, bool loose, size_t wanted) {
  static const double parts[] = {1, 2, 5};
  Scale scale = {.log = true, .least = least, .most = most};
  int first = (int)decade_below(least), last = (int)ceil(log10(most) - 1e-9), stride = (int)ceil((last - first) / (double)wanted);
  bool fine = last - first <= 2;
  if (loose && !fine) {
    scale.least = fmin(least, pow(10, first));
    scale.most = fmax(most, pow(10, last));
  }
  if (stride < 1) stride = 1;
  for (int power = first; power <= last; power++)
    for (size_t i = 0; i < (fine ? 3 : 1) && scale.ticks < SCALE_TICKS && power % stride == 0; i++) {
      double tick = parts[i] * pow(10, power);
      if (tick >= scale.least * (1 - 1e-9) && tick <= scale.most * (1 + 1e-9)) scale.tick[scale.ticks++] = tick;
    }
  if (scale.ticks >= 2) return scale;
  Scale linear = make_linear(least, most, false, wanted); /* less than a decade: its ticks */
  linear.log = true;
  return linear;
}

Scale scale_make(double least, double most, bool log, bool loose, size_t wanted) {
  bool known = isfinite(least) && isfinite(most) && (!log || (least > 0 && most > 0));
  if (!known) least = log ? 0.1 : 0, most = 1;
  if (!(most > least) && log) least /= 2, most *= 2;
  if (!(most > least) || most - least <= 4e-16 * fmax(fabs(least), fabs(most))) {
    double room = fmax(fabs(most) / 2, most == 0 ? 1 : 0);
    least -= room;
    most += room;
  }
  return log ? make_log(least, most, loose, wanted) : make_linear(least, most, loose, wanted);
}

double scale_place(const Scale *scale, double value) {
  if (!isfinite(value) || (scale->log && value <= 0)) return NAN;
  if (scale->log) return (log(value) - log(scale->least)) / (log(scale->most) - log(scale->least));
  return (value - scale->least) / (scale->most - scale->least);
}

/* "1e-06" is how C writes it. */
static void short_exponent(char *text) {
  char *at = strchr(text, 'e');
  if (at == NULL) return;
  at++;
  if (*at == '+') memmove(at, at + 1, strlen(at));
  if (*at == '-') at++;
  while (at[0] == '0' && at[1] != '\0') memmove(at, at + 1, strlen(at));
}

void scale_label(char text[SCALE_LABEL], const Scale *scale, double tick) {
  static const struct {
    double size;
    char letter;
  } units[] = {{1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}};
  if (!scale->log && fabs(tick) < 1e-9 * (scale->most - scale->least)) tick = 0;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (fabs(tick) < 1e4 || fabs(tick) < units[i].size || fabs(tick) >= 1e13) continue;
    snprintf(text, SCALE_LABEL, "%.7g", tick / units[i].size);
    if (fabs(strtod(text, NULL) * units[i].size - tick) > 1e-9 * fabs(tick) || strchr(text, 'e') != NULL) break;
    snprintf(text + strlen(text), 2, "%c", units[i].letter);
    return;
  }
  bool plain = !scale->log && fabs(tick) < 1e7 && scale->most - scale->least >= 1e-3;
  snprintf(text, SCALE_LABEL, plain ? "%.*f" : "%.*g", plain ? scale->decimals : 12, tick);
  short_exponent(text);
}
