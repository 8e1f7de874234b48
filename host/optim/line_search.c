/* A bracketing line search: grow the step until it is too long, then shrink the bracket by safeguarded cubic interpolation
 * (Nocedal and Wright, "Numerical Optimization", algorithms 3.5 and 3.6; the sides of the bracket as in Hager and Zhang 2005: the low
 * end descends, the high end ascends or lies too high. Slopes choose the side, since values drown in rounding first). */
#include "optim/line_search.h"

#include <math.h>

static const double DECREASE = 1e-4;   /* c1: part of the decrease that the slope promises */
static const double CURVATURE = 0.9;   /* c2: part of the first slope that may be left */
static const double APPROXIMATE = 0.1; /* delta of the approximate Wolfe conditions */
enum { MAX_POINTS = 40 };              /* of one search: 40 bisections exhaust a float */

static bool is_finite(LinePoint p) { return isfinite(p.value) && isfinite(p.slope); }

static bool above_noise(LinePoint start, LinePoint p) { return !(p.value <= start.value + LINE_NOISE * fabs(start.value)); }

static bool decreases_enough(LinePoint start, LinePoint p) { return p.value <= start.value + DECREASE * p.step * start.slope; }

bool line_accepts(LinePoint start, LinePoint p) {
  if (!is_finite(p)) return false;
  if (decreases_enough(start, p) && fabs(p.slope) <= -CURVATURE * start.slope) return true;
  return !above_noise(start, p) && p.slope >= CURVATURE * start.slope && p.slope <= (2.0 * APPROXIMATE - 1.0) * start.slope;
}

/* The step is past the minimum: F rises there, or is higher than it may be. */
static bool is_too_long(LinePoint start, LinePoint p) {
  return !is_finite(p) || p.slope >= 0.0 || (!decreases_enough(start, p) && above_noise(start, p));
}

/* Minimiser of the cubic through both points and slopes; where the values say nothing, the zero of the slope's secant. */
static double interpolate(LinePoint low, LinePoint high) {
  double width = high.step - low.step;
  double d1 = low.slope + high.slope - 3.0 * (high.value - low.value) / width;
  double root = d1 * d1 - low.slope * high.slope;
  if (fabs(high.value - low.value) > LINE_NOISE * fabs(low.value) && root >= 0.0) {
    double d2 = sqrt(root);
    return high.step - width * (high.slope + d2 - d1) / (high.slope - low.slope + 2.0 * d2);
  }
  return low.step - low.slope * width / (high.slope - low.slope);
}

/* The next step inside the bracket, away from both ends; halves it when the last point shrank it little. */
static double step_inside(LinePoint low, LinePoint high, bool bisect) {
  double width = high.step - low.step, step = low.step + 0.5 * width;
  if (!is_finite(high)) return low.step + 0.1 * width; /* an overflow says nothing of where the minimum is, except: far below */
  if (!bisect) step = interpolate(low, high);
  if (!isfinite(step)) step = low.step + 0.5 * width;
  return fmin(fmax(step, low.step + 0.1 * width), high.step - 0.1 * width);
}

/* The next step beyond `last`, guessed from the slopes of the last two points, 2 to 10 times as far. */
static double step_beyond(LinePoint before, LinePoint last) {
  double step = last.step - last.slope * (last.step - before.step) / (last.slope - before.slope);
  if (!isfinite(step) || step <= last.step) step = 10.0 * last.step;
  return fmin(fmax(step, 2.0 * last.step), 10.0 * last.step);
}

static Status search_open_line(Objective *objective, LinePoint start, LinePoint p, LinePoint *found, bool *success, Error *error) {
  LinePoint low = start, high = {0};
  bool bracketed = false, bisect = false;
  for (int points = 0; points < MAX_POINTS; points++) {
    double width = bracketed ? high.step - low.step : 0.0;
    if (is_too_long(start, p)) {
      high = p;
      p.step = step_inside(low, high, bisect);
      bracketed = true;
    } else {
      LinePoint before = low;
      low = p;
      p.step = bracketed ? step_inside(low, high, bisect) : step_beyond(before, low);
    }
    bisect = width > 0.0 && high.step - low.step > 0.66 * width;
    if (!isfinite(p.step) || p.step == low.step) break;
    Status status = objective_line_evaluate(objective, p.step, &p.value, &p.slope, error);
    if (status != SETOSA_OK) return status;
    if (line_accepts(start, p)) {
      low = p;
      break;
    }
  }
  *found = low; /* without an acceptable point the last that descends will do, if F is lower there beyond doubt */
  *success = low.step > 0.0 && (line_accepts(start, low) || decreases_enough(start, low));
  return SETOSA_OK;
}

Status line_search(Objective *objective, const Vector *w, const Vector *s, LinePoint start, LinePoint rejected, LinePoint *found,
                   bool *success, Error *error) {
  *success = false;
  *found = start;
  Status status = objective_line_open(objective, w, s, error);
  if (status != SETOSA_OK) return status;
  /* The start again, from the cached products: rounded in the same way as the points to be compared with it. */
  TRY(objective_line_evaluate(objective, 0.0, &start.value, &start.slope, error));
  if (!is_finite(start) || start.slope >= 0.0) goto cleanup;
  TRY(search_open_line(objective, start, rejected, found, success, error));
cleanup:
  objective_line_close(objective);
  return status;
}
