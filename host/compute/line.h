/* A line search as the backends of f32 vectors share it: what is borrowed while it is open, and points for which X is read, where the
 * products X w and X s do not fit. How those are kept is each backend's own. */
#ifndef SETOSA_COMPUTE_LINE_H
#define SETOSA_COMPUTE_LINE_H

#include "compute/backend.h"

typedef struct Line {
  const Vector *w, *s;      /* borrowed while the line is open */
  Vector *point, *gradient; /* for reading X at every point; kept between lines */
} Line;

/* Makes room for points for which X is read. */
Status line_reserve_point(Line *line, Backend *backend, Error *error);
/* phi(t) and its slope by one pass over X, after line_reserve_point. */
Status line_read_point(Line *line, Backend *backend, double step, double *value, double *slope, Error *error);
void line_release_point(Line *line, Backend *backend);

#endif
