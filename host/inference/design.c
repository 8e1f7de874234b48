/* Coordinates of rows and parameters for a summary: see design.h. */
#include "inference/design.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SAMPLES = 16, SAMPLE_ROWS = 256 };

void design_close(Design *design) {
  free(design->center);
  free(design->factor);
  free(design->mean);
  free(design->levels);
  *design = (Design){0};
}

/* ---- base levels ---------------------------------------------------------------------------------------------------- */

static Status find_levels(Design *design, const Columns *columns, Error *error) {
  Status status = SETOSA_OK;
  if (columns == NULL || !design->intercept) return SETOSA_OK;
  TRY(memory_allocate((void **)&design->levels, columns->count, sizeof *design->levels, "the levels of columns", error));
  for (size_t c = 0, first = 0; c < columns->count; c++) {
    size_t count = column_features(&columns->columns[c]);
    if (columns->columns[c].kind == COLUMN_CATEGORICAL && first + count <= design->features)
      design->levels[design->level_count++] = (DesignLevels){c, first, count, first};
    first += count;
  }
cleanup:
  return status;
}

static bool column_is(const Column *column, const char *name, size_t length) {
  char number[32];
  const char *called = column->name;
  if (called == NULL) {
    snprintf(number, sizeof number, "%zu", column->number + 1);
    called = number;
  }
  return strlen(called) == length && memcmp(called, name, length) == 0;
}

/* The column that "COLUMN=LEVEL" begins with; names may have a "=" themselves. */
static DesignLevels *column_of(Design *design, const Columns *columns, const char *text, const char **level) {
  for (const char *equal = strchr(text, '='); equal != NULL; equal = strchr(equal + 1, '='))
    for (size_t i = 0; i < design->level_count; i++)
      if (column_is(&columns->columns[design->levels[i].column], text, (size_t)(equal - text))) {
        *level = equal + 1;
        return &design->levels[i];
      }
  return NULL;
}

static Status choose_base(Design *design, const Columns *columns, const char *text, Error *error) {
  const char *level = NULL;
  if (!design->intercept)
    return error_set(error, SETOSA_ERROR_USAGE, "--base-level %s: without an intercept every level has a coefficient of its own", text);
  DesignLevels *levels = column_of(design, columns, text, &level);
  if (levels == NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "--base-level %s: write COLUMN=LEVEL, with one of the model's %zu columns of names", text,
                     design->level_count);
  const Column *column = &columns->columns[levels->column];
  for (size_t l = 0; l < column->level_count; l++)
    if (strcmp(column->levels[l], level) == 0) {
      levels->base = levels->first + l;
      return SETOSA_OK;
    }
  const char *nearest = text_nearest(level, (const char *const *)column->levels, column->level_count);
  return error_set(error, SETOSA_ERROR_USAGE, "--base-level %s: the column has no such level; %s%s", text,
                   nearest != NULL ? "did you mean " : "the first is ", nearest != NULL ? nearest : column->levels[0]);
}

static Status choose_bases(Design *design, const Columns *columns, const char *list, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  size_t count = 0;
  if (list == NULL) return SETOSA_OK;
  TRY(text_split(&parts, &count, list, ',', error));
  for (size_t i = 0; i < count; i++) TRY(choose_base(design, columns, parts[i], error));
cleanup:
  free(parts);
  return status;
}

const DesignLevels *design_base_of(const Design *design, size_t feature) {
  for (size_t i = 0; i < design->level_count; i++)
    if (design->levels[i].base == feature) return &design->levels[i];
  return NULL;
}

/* ---- units and means ------------------------------------------------------------------------------------------------ */

/* center: the means of up to SAMPLES * SAMPLE_ROWS rows. Any numbers near the means do: they change no result but its rounding. */
static Status find_center(Design *design, const Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = dataset_shape(dataset).rows, seen = 0;
  float *room = NULL;
  TRY(memory_allocate((void **)&room, SAMPLE_ROWS * design->features, sizeof *room, "rows", error));
  for (size_t s = 0; s < SAMPLES; s++) {
    RowRange range = range_part(rows, s, SAMPLES);
    if (range.count > SAMPLE_ROWS) range.count = SAMPLE_ROWS;
    if (range.count == 0) continue;
    const float *x = dataset_dense(dataset, range, room);
    for (size_t i = 0; i < range.count * design->features; i++) design->center[i % design->features] += (double)x[i];
    seen += range.count;
  }
  for (size_t d = 0; d < design->features; d++) design->center[d] /= (double)seen;
cleanup:
  free(room);
  return status;
}

/* Rows hold r = scale * (x - offset) - shift. A scale of 0, of a column that does not vary, stays. */
static void find_units(Design *design, const Dataset *dataset) {
  const Scaling *scaling = dataset_scaling(dataset);
  const double *shift = setosa_dataset_shift(dataset);
  for (size_t d = 0; d < design->features; d++) {
    double scale = scaling->scale != NULL ? scaling->scale[d] : 1, offset = scaling->scale != NULL ? scaling->offset[d] : 0;
    if (scale == 0) scale = 1;
    design->factor[d] = 1 / scale;
    design->mean[d] = offset + (design->center[d] + (shift != NULL ? shift[d] : 0)) / scale;
  }
  for (size_t i = 0; i < design->level_count; i++) { /* the mean of "none" */
    const DesignLevels *levels = &design->levels[i];
    double none = 1;
    for (size_t d = levels->first; d < levels->first + levels->count; d++) none -= design->mean[d];
    design->mean[levels->base] = fabs(none) < 1e-9 ? 0 : none;
  }
}

Status design_open(Design *design, const Model *model, const Dataset *dataset, bool intercept, const char *base_levels, Error *error) {
  Status status = SETOSA_OK;
  size_t features = model->features;
  *design = (Design){.features = features, .width = features + intercept, .intercept = intercept};
  TRY(memory_allocate_zero((void **)&design->center, features, sizeof *design->center, "the means of columns", error));
  TRY(memory_allocate_zero((void **)&design->factor, features, sizeof *design->factor, "the means of columns", error));
  TRY(memory_allocate_zero((void **)&design->mean, features, sizeof *design->mean, "the means of columns", error));
  TRY(find_levels(design, model->columns, error));
  TRY(choose_bases(design, model->columns, base_levels, error));
  if (intercept) TRY(find_center(design, dataset, error));
  find_units(design, dataset);
cleanup:
  return status;
}

/* ---- rows and parameters -------------------------------------------------------------------------------------------- */

void design_rows(const Design *design, const float *x, size_t count, double *u, size_t line) {
  size_t features = design->features;
  for (size_t i = 0; i < count; i++) {
    double *row = u + i * line;
    for (size_t d = 0; d < features; d++) row[d] = ((double)x[i * features + d] - design->center[d]) * design->factor[d];
    for (size_t c = 0; c < design->level_count; c++) {
      const DesignLevels *levels = &design->levels[c];
      double none = 0;
      for (size_t d = levels->first; d < levels->first + levels->count; d++) none -= row[d];
      row[levels->base] = fabs(none) < 1e-6 ? 0 : none; /* scaled columns are rounded */
    }
    row[features] = 1;
    for (size_t d = features + 1; d < line; d++) row[d] = 0;
  }
}

Status design_parameters(const Design *design, const Model *model, const Dataset *dataset, size_t base, double *phi, Error *error) {
  Status status = SETOSA_OK;
  size_t features = design->features, classes = model->classes, width = design->width;
  double *bias = NULL;
  TRY(memory_allocate((void **)&bias, classes, sizeof *bias, "the bias", error));
  model_bias_for(bias, model, dataset);
  for (size_t k = 0; k < classes; k++) {
    double *to = phi + k * width, at_center = bias[k];
    for (size_t d = 0; d < features; d++) {
      double w = (double)model->weights[k * features + d];
      at_center += w * design->center[d];
      to[d] = w / design->factor[d];
    }
    for (size_t c = 0; c < design->level_count; c++) {
      const DesignLevels *levels = &design->levels[c];
      double v = to[levels->base];
      for (size_t d = levels->first; d < levels->first + levels->count; d++) to[d] -= v;
      to[levels->base] = -v;
    }
    if (design->intercept) to[features] = at_center;
  }
  for (size_t k = 0; k < classes; k++)
    for (size_t d = 0; k != base && d < width; d++) phi[k * width + d] -= phi[base * width + d];
  memset(phi + base * width, 0, width * sizeof *phi);
cleanup:
  free(bias);
  return status;
}

/* w_d = factor_d phi_d, of a level factor_d (phi_d - phi_n), of a base level -factor_d phi_n with n its own place. */
void design_penalty(const Design *design, double *out) {
  size_t width = design->width;
  memset(out, 0, width * width * sizeof *out);
  for (size_t d = 0; d < design->features; d++) out[d * width + d] = design->factor[d] * design->factor[d];
  for (size_t c = 0; c < design->level_count; c++) {
    const DesignLevels *levels = &design->levels[c];
    size_t n = levels->base;
    for (size_t d = levels->first; d < levels->first + levels->count; d++) {
      double square = design->factor[d] * design->factor[d];
      if (d == n) continue;
      out[n * width + n] += square;
      out[n * width + d] = out[d * width + n] = -square;
    }
  }
}

Status design_name(Text *name, const Design *design, const Model *model, size_t term, Error *error) {
  if (term == design->features) return text_append(name, error, "(intercept)");
  const DesignLevels *levels = design_base_of(design, term);
  if (levels != NULL) {
    const Column *column = &model->columns->columns[levels->column];
    return column->name != NULL ? text_append(name, error, "%s=(none)", column->name)
                                : text_append(name, error, "%zu=(none)", column->number + 1);
  }
  if (model->feature_names != NULL) return text_append(name, error, "%s", model->feature_names[term]);
  return text_append(name, error, "x%zu", term + 1);
}
