/* What the line searches of the native and the blas backend share. */
#include "compute/line.h"

Status line_reserve_point(Line *line, Backend *backend, Error *error) {
  Status status = SETOSA_OK;
  if (line->point == NULL) TRY(vector_create(backend, &line->point, error));
  if (line->gradient == NULL) TRY(vector_create(backend, &line->gradient, error));
cleanup:
  return status;
}

Status line_read_point(Line *line, Backend *backend, double step, double *value, double *slope, Error *error) {
  Status status = SETOSA_OK;
  const VectorPair pair = {.a = line->gradient, .b = line->s};
  DataTerm at = {.pairs = &pair, .pair_count = 1};
  TRY(vector_combine(backend, line->point, 2, (double[]){1, step}, (const Vector *[]){line->w, line->s}, error));
  TRY(backend_evaluate(backend, line->point, backend_all_rows(backend), NULL, line->gradient, &at, error));
  *value = at.loss;
  *slope = at.products[0];
cleanup:
  return status;
}

void line_release_point(Line *line, Backend *backend) {
  vector_destroy(backend, line->point);
  vector_destroy(backend, line->gradient);
  line->point = line->gradient = NULL;
}
