/* The columns that a summary is about, as standard errors need them: in the units of the source, with a mean near 0, and each categorical
 * column against a base level.
 *
 * A model has one 0/1 feature for each level of a categorical column, and a bias: of these only contrasts can be estimated. So the feature
 * of the base level B gives way to "none of the levels", n = 1 - sum of all levels: sum_L v_L x_L + b = sum over L other than B of (v_L -
 * v_B) x_L + (-v_B) n + (b + v_B) is the same model in other coordinates. Where every row has a level n is 0 and drops out, and all that is
 * left can be estimated. Without an intercept features stay as they are. */
#ifndef SETOSA_INFERENCE_DESIGN_H
#define SETOSA_INFERENCE_DESIGN_H

#include "model/model.h"

/* Features [first, first + count) are the levels of a categorical column. */
typedef struct DesignLevels {
  size_t column, first, count, base; /* column: number in the model's; base: the feature that stands for "none" */
} DesignLevels;

/* Coordinates of a row r of the data set: u_d = (r_d - center_d) * factor_d, with n in place of a base level, and a last 1, which is
 * the intercept's column when there is one. */
typedef struct Design {
  size_t features, width; /* D; D + 1 with an intercept */
  bool intercept;
  double *center, *factor; /* (D) */
  double *mean;            /* (D) what the centre is in the units of the source */
  DesignLevels *levels;    /* (level_count) */
  size_t level_count;
} Design;

/* base_levels: "COLUMN=LEVEL,..." or NULL, the first level of each. SETOSA_ERROR_USAGE names a column or level that is none. */
Status design_open(Design *design, const Model *model, const Dataset *dataset, bool intercept, const char *base_levels, Error *error);
void design_close(Design *design);

/* u (count, line) of rows x (count,D); line is at least D + 1, and what is more is 0. */
void design_rows(const Design *design, const float *x, size_t count, double *u, size_t line);
/* phi (K,width): what the model's weights are in these coordinates, less those of the class `base`. */
Status design_parameters(const Design *design, const Model *model, const Dataset *dataset, size_t base, double *phi, Error *error);
/* out (width,width): the second derivatives of |w|^2 / 2 in these coordinates, w the weights as the model has them. */
void design_penalty(const Design *design, double *out);
/* Appends the name of a term, d < width. */
Status design_name(Text *name, const Design *design, const Model *model, size_t term, Error *error);
/* The levels whose base a feature is; NULL: it is none. */
const DesignLevels *design_base_of(const Design *design, size_t feature);

#endif
