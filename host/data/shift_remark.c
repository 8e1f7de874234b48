/* Remarks on columns, one line for all of a kind: the first five of them by name, and how many there are. */
#include "data/shift_remark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/reader.h"

static const double SCALES_APART = 1e4; /* the worst that solvers were seen to take in their stride */

enum { SHOWN = 5, LIST_SIZE = SHOWN * QUOTE_SIZE + 64, NUMBER_SIZE = 32 };

/* Columns of a kind, as they are found. */
typedef struct Found {
  size_t columns[SHOWN], count;
} Found;

static void found_add(Found *found, size_t column) {
  if (found->count < SHOWN) found->columns[found->count] = column;
  found->count++;
}

/* As it is called, or by its number from 1. */
static const char *name_of(char number[NUMBER_SIZE], const Dataset *dataset, size_t column) {
  if (dataset->feature_names != NULL) return dataset->feature_names[column];
  snprintf(number, NUMBER_SIZE, "%zu", column + 1);
  return number;
}

static const char *list(char out[LIST_SIZE], const Dataset *dataset, const Found *found) {
  char numbers[SHOWN][NUMBER_SIZE];
  size_t shown = found->count < SHOWN ? found->count : SHOWN, at = 0;
  out[0] = '\0';
  for (size_t i = 0; i < shown; i++) {
    char quoted[QUOTE_SIZE];
    const char *name = name_of(numbers[i], dataset, found->columns[i]);
    at += (size_t)snprintf(out + at, LIST_SIZE - at, "%s%s", i > 0 ? ", " : "", reader_quote(quoted, name, strlen(name)));
  }
  if (found->count > shown) snprintf(out + at, LIST_SIZE - at, ", ... (%zu in all)", found->count);
  return out;
}

static Status remark_scales(Dataset *dataset, const Moments *moments, Error *error) {
  size_t features = dataset->features, narrow = features, wide = features;
  for (size_t d = 0; d < features; d++) {
    double deviation = moments_deviation(&moments[d]);
    if (!(deviation > 0)) continue;
    if (narrow == features || deviation < moments_deviation(&moments[narrow])) narrow = d;
    if (wide == features || deviation > moments_deviation(&moments[wide])) wide = d;
  }
  if (narrow == features) return SETOSA_OK;
  double least = moments_deviation(&moments[narrow]), most = moments_deviation(&moments[wide]);
  if (!(most > SCALES_APART * least)) return SETOSA_OK;
  const Found ends[] = {{{narrow}, 1}, {{wide}, 1}};
  char names[2][LIST_SIZE];
  return remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error,
                     "columns have scales far apart, which makes training slow: %s has a deviation of %.2g and %s of %.2g; --standardize "
                     "brings them to one",
                     list(names[0], dataset, &ends[0]), least, list(names[1], dataset, &ends[1]), most);
}

Status shift_remark(Dataset *dataset, const Moments *moments, Error *error) {
  Status status = SETOSA_OK;
  Found shifted = {.count = 0}, constant = {.count = 0};
  char names[LIST_SIZE];
  for (size_t d = 0; d < dataset->features; d++) {
    if (dataset->shift != NULL && dataset->shift[d] != 0) found_add(&shifted, d);
    if (moments != NULL && moments[d].count > 1 && moments[d].least == moments[d].most) found_add(&constant, d);
  }
  if (shifted.count > 0)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error,
                    "far from 0 beside their spread, and so shifted before they are rounded to f32, which the bias makes up for: %s",
                    list(names, dataset, &shifted)));
  if (constant.count > 0)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error, "constant, and so of no use to tell rows apart: %s",
                    list(names, dataset, &constant)));
  if (moments != NULL) TRY(remark_scales(dataset, moments, error));
cleanup:
  return status;
}
