/* Coefficients of another program on their way into a model. */
#ifndef SETOSA_EXCHANGE_COEFFICIENTS_H
#define SETOSA_EXCHANGE_COEFFICIENTS_H

#include "model/model.h"

/* As scikit-learn names and shapes them. Zero-initialise. */
typedef struct Coefficients {
  size_t rows, features;
  double *coef;      /* (rows, features) row-major */
  size_t intercepts; /* 1 may stand for all of them, when it is 0 */
  double *intercept; /* (intercepts) */
  size_t class_count;
  char **classes; /* (class_count) */
  size_t name_count;
  char **names; /* (name_count) of the features, or NULL */
} Coefficients;

void coefficients_free(Coefficients *coefficients);
/* Names move into the model. SETOSA_ERROR_DATA, beginning with `path`, for shapes that do not belong together, two classes of one name, and
 * what f32 cannot hold. */
Status coefficients_to_model(Model **model, Coefficients *coefficients, const char *path, Error *error);

/* The files that they come in: an archive of NumPy; JSON, which may also be a model of ours. */
Status import_npz(Model **model, const char *path, Error *error);
Status import_json(Model **model, const char *path, Error *error);

#endif
