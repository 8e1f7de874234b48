/* Separation (Albert and Anderson, Biometrika 71, 1984): a direction d is a proof of it when (d_y - d_k) u >= 0 for every row, y its class,
 * and every other class k, and not 0 for all. */
#include "inference/separation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NAMES_MOST = 4 };

typedef struct Range {
  double least, most;
  size_t class;
} Range;

static int compare_ranges(const void *a, const void *b) {
  const Range *x = a, *y = b;
  if (x->least != y->least) return x->least < y->least ? -1 : 1;
  if (x->most != y->most) return x->most < y->most ? -1 : 1;
  return x->class < y->class ? -1 : 1;
}

/* How many of the sorted classes lie below the others: 1 to K-1, and 0 where there is no cut. A cut through the rows of all classes at one
 * value says nothing. Without an intercept only a cut at 0 counts. */
static size_t find_cut(const Range *ranges, size_t classes, bool intercept) {
  double most = ranges[0].most, last = ranges[0].most;
  for (size_t k = 0; k < classes; k++) last = fmax(last, ranges[k].most);
  if (ranges[0].least == last) return 0;
  for (size_t below = 1; below < classes; below++) {
    double least = ranges[below].least;
    if (most <= least && (intercept || (most <= 0 && least >= 0))) return below;
    most = fmax(most, ranges[below].most);
  }
  return 0;
}

/* "setosa" or "setosa, versicolor". */
static Status append_classes(Text *text, const Fit *fit, const bool *chosen, Error *error) {
  Status status = SETOSA_OK;
  size_t named = 0;
  for (size_t k = 0; k < fit->request.classes; k++)
    if (chosen[k] && named < NAMES_MOST) TRY(text_append(text, error, "%s%s", named++ > 0 ? ", " : "", fit->model->class_names[k]));
cleanup:
  return status;
}

static Status append_columns(Text *text, const Fit *fit, const bool *chosen, Error *error) {
  Status status = SETOSA_OK;
  size_t named = 0;
  for (size_t d = 0; d < fit->request.design->features; d++) {
    if (!chosen[d] || named == NAMES_MOST) continue;
    if (named++ > 0) TRY(text_append(text, error, ", "));
    TRY(design_name(text, fit->request.design, fit->model, d, error));
  }
cleanup:
  return status;
}

static Status refuse(const Fit *fit, const bool *classes, const bool *columns, const char *how, Error *error) {
  Status status = SETOSA_OK;
  Text who = {0}, by = {0};
  size_t count = 0;
  for (size_t k = 0; k < fit->request.classes; k++) count += classes[k];
  TRY(append_classes(&who, fit, classes, error));
  TRY(append_columns(&by, fit, columns, error));
  status = error_set(error, SETOSA_ERROR_DATA, "%s: %s %s separated by %s%s: no finite estimate; use --l2",
                     dataset_source(fit->request.dataset), who.text, count == 1 ? "is" : "are", how, by.text);
cleanup:
  text_free(&who);
  text_free(&by);
  return status;
}

/* The smaller side of a cut; of two of the same size the one without the base. */
static void choose_side(bool *chosen, const Fit *fit, const Range *ranges, size_t below) {
  size_t classes = fit->request.classes;
  bool base_below = false;
  for (size_t k = 0; k < below; k++) base_below = base_below || ranges[k].class == fit->request.base;
  bool take_below = 2 * below < classes || (2 * below == classes && !base_below);
  memset(chosen, 0, classes * sizeof *chosen);
  for (size_t k = 0; k < classes; k++) chosen[ranges[k].class] = (k < below) == take_below;
}

/* All columns that make the same cut as the first are named. */
Status separation_by_columns(const Fit *fit, const Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = fit->request.classes, features = fit->request.design->features;
  Range *ranges = NULL;
  bool *chosen = NULL, *side = NULL, *columns = NULL, found = false;
  TRY(memory_allocate((void **)&ranges, classes, sizeof *ranges, "ranges", error));
  TRY(memory_allocate_zero((void **)&chosen, classes, sizeof *chosen, "ranges", error));
  TRY(memory_allocate_zero((void **)&side, classes, sizeof *side, "ranges", error));
  TRY(memory_allocate_zero((void **)&columns, features, sizeof *columns, "ranges", error));
  for (size_t d = 0; d < features; d++) {
    for (size_t k = 0; k < classes; k++)
      ranges[k] = (Range){sums->values[sums->least + k * sums->line + d], -sums->values[sums->most + k * sums->line + d], k};
    qsort(ranges, classes, sizeof *ranges, compare_ranges);
    size_t below = find_cut(ranges, classes, fit->request.design->intercept);
    if (below == 0) continue;
    choose_side(side, fit, ranges, below);
    if (!found) memcpy(chosen, side, classes * sizeof *chosen);
    columns[d] = memcmp(chosen, side, classes * sizeof *chosen) == 0;
    found = true;
  }
  if (found) status = refuse(fit, chosen, columns, "", error);
cleanup:
  free(ranges);
  free(chosen);
  free(side);
  free(columns);
  return status;
}

/* The classes whose rows all win along the direction; where there is none, that with the largest coefficients. And the columns with a
 * tenth of the largest part in it. */
static Status name_direction(const Fit *fit, const Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  size_t classes = fit->request.classes, features = fit->request.design->features, width = fit->request.design->width, top = 0, any = 0;
  bool *chosen = NULL, *columns = NULL;
  double largest = 0;
  TRY(memory_allocate_zero((void **)&chosen, classes, sizeof *chosen, "ranges", error));
  TRY(memory_allocate_zero((void **)&columns, features, sizeof *columns, "ranges", error));
  for (size_t k = 0; k < classes; k++) any += chosen[k] = sums->values[sums->margin + k] > 0;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++) {
      double part = fabs(fit->direction[k * width + d]) * sqrt(fit->spread[d]);
      if (part > largest) largest = part, top = k;
    }
  if (any == classes && classes > 1) chosen[fit->request.base] = false;
  if (any == 0) chosen[top] = true;
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; d < features; d++)
      if (fabs(fit->direction[k * width + d]) * sqrt(fit->spread[d]) >= largest / 10) columns[d] = true;
  status = refuse(fit, chosen, columns, "a combination of ", error);
cleanup:
  free(chosen);
  free(columns);
  return status;
}

Status separation_by_direction(Fit *fit, Error *error) {
  const double rounding = 1e-6; /* of the largest margin: what a step has beside the direction that it turns to */
  SumsRequest request = fit->request;
  Sums sums = {0};
  double least = INFINITY, most = 0;
  for (size_t i = 0; i < request.classes * request.design->width; i++)
    if (!isfinite(fit->direction[i])) return SETOSA_OK;
  request.phi = fit->direction;
  request.margins = true;
  fit->reads++;
  Status status = sums_make(&sums, &request, error);
  for (size_t k = 0; status == SETOSA_OK && k < request.classes; k++) {
    least = fmin(least, sums.values[sums.margin + k]);
    most = fmax(most, -sums.values[sums.margin_most + k]);
  }
  if (status == SETOSA_OK && most > 0 && least >= -rounding * most) status = name_direction(fit, &sums, error);
  sums_free(&sums);
  return status;
}
