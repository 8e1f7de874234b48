/* A Cholesky factor of the columns' Gram matrix, made column by column: what is left of a column beside those before it is its pivot. */
#include "inference/collinear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Sums in f32 columns leave about (6e-8 * 8)^2 = 2e-13, a column being shifted when its mean is more than eight deviations from 0. */
static const double COLLINEAR = 1e-11;
static const double NAMED = 1e-6; /* of the largest part of a column that follows from others, those above are named */

typedef struct Work {
  size_t width, count;
  size_t *order;  /* (width) the intercept, then the columns */
  double *gram;   /* (width,width) scaled to a diagonal of 1; 0 for a column that is 0 */
  double *size;   /* (width) roots of the diagonal */
  double *factor; /* (width,width) of the kept ones, row i of the i-th */
  size_t *kept;   /* (width) the i-th that is kept */
  double *column; /* (width) */
} Work;

static Status open_work(Work *w, const Fit *fit, const Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  size_t width = fit->request.design->width, cells = 0;
  w->width = width;
  TRY(memory_multiply(&cells, width, width, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->gram, cells, sizeof *w->gram, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->factor, cells, sizeof *w->factor, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->size, width, sizeof *w->size, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->column, width, sizeof *w->column, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->order, width, sizeof *w->order, "the Gram matrix of the columns", error));
  TRY(memory_allocate_zero((void **)&w->kept, width, sizeof *w->kept, "the Gram matrix of the columns", error));
  size_t intercept = fit->request.design->intercept;
  for (size_t d = 0; d < width; d++) {
    w->order[d] = intercept ? (d == 0 ? width - 1 : d - 1) : d;
    w->size[d] = sqrt(sums->values[sums->squares + d * sums->line + d]);
  }
  for (size_t d = 0; d < width; d++)
    for (size_t e = 0; e <= d; e++) {
      double size = w->size[d] * w->size[e], value = sums->values[sums->squares + d * sums->line + e];
      w->gram[d * width + e] = w->gram[e * width + d] = size > 0 ? value / size : 0;
    }
cleanup:
  return status;
}

static void close_work(Work *w) {
  free(w->gram);
  free(w->factor);
  free(w->size);
  free(w->column);
  free(w->order);
  free(w->kept);
}

/* column (count) = L^-1 g_d, with which 1 - R^2 of column d on the kept ones is gram_dd - |column|^2, returned. */
static double project(Work *w, size_t d) {
  double left = w->gram[d * w->width + d];
  for (size_t i = 0; i < w->count; i++) {
    double sum = w->gram[d * w->width + w->kept[i]];
    for (size_t j = 0; j < i; j++) sum -= w->factor[i * w->width + j] * w->column[j];
    w->column[i] = sum / w->factor[i * w->width + i];
    left -= w->column[i] * w->column[i];
  }
  return left;
}

/* Column d is the sum of kept ones times L'^-1 column: into fit->follows, and its parameters onto them. */
static void leave_out(Work *w, Fit *fit, size_t d) {
  size_t width = w->width;
  for (size_t i = w->count; i-- > 0;) {
    for (size_t j = i + 1; j < w->count; j++) w->column[i] -= w->factor[j * width + i] * w->column[j];
    w->column[i] /= w->factor[i * width + i];
  }
  for (size_t i = 0; i < w->count; i++) fit->follows[d * width + w->kept[i]] = w->column[i] * w->size[d] / w->size[w->kept[i]];
  for (size_t k = 0; k < fit->request.classes; k++) {
    double *phi = fit->phi + k * width;
    for (size_t e = 0; e < width; e++) phi[e] += phi[d] * fit->follows[d * width + e];
    phi[d] = 0;
  }
  fit->kept[d] = false;
}

Status collinear_leave_out(Fit *fit, const Sums *sums, Error *error) {
  Status status = SETOSA_OK;
  Work w = {0};
  TRY(open_work(&w, fit, sums, error));
  for (size_t n = 0; n < w.width; n++) {
    size_t d = w.order[n];
    double left = project(&w, d);
    if (left < COLLINEAR) {
      leave_out(&w, fit, d);
      continue;
    }
    memcpy(w.factor + w.count * w.width, w.column, w.count * sizeof *w.column);
    w.factor[w.count * w.width + w.count] = sqrt(left);
    w.kept[w.count++] = d;
  }
cleanup:
  close_work(&w);
  return status;
}

Status collinear_reason(Text *text, const Fit *fit, size_t column, Error *error) {
  enum { NAMES_MOST = 4 };
  Status status = SETOSA_OK;
  const Design *design = fit->request.design;
  const double *follows = fit->follows + column * design->width;
  double largest = 0;
  size_t named = 0, more = 0;
  for (size_t d = 0; d < design->features; d++) largest = fmax(largest, fabs(follows[d]) * sqrt(fit->spread[d]));
  for (size_t d = 0; largest > 0 && d < design->features; d++) {
    if (fabs(follows[d]) * sqrt(fit->spread[d]) < NAMED * largest) continue;
    if (named == NAMES_MOST) {
      more++;
      continue;
    }
    TRY(text_append(text, error, named++ == 0 ? "follows from " : ", "));
    TRY(design_name(text, design, fit->model, d, error));
  }
  if (named == 0) TRY(text_append(text, error, "is constant"));
  if (more > 0) TRY(text_append(text, error, " and %zu more", more));
cleanup:
  return status;
}
