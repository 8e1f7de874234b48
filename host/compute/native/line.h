/* Line searches of the native backend. */
#ifndef SETOSA_COMPUTE_NATIVE_LINE_H
#define SETOSA_COMPUTE_NATIVE_LINE_H

#include "compute/native/native.h"

/* The same in two steps, for a part of the rows: X w and X s of the window; then `pairs` partial sums each of losses and of slopes at
 * w + step s, enqueued from the beginning of native->sums and of native->partials on. */
bool native_line_fits(const Native *native);
Status native_enqueue_line(Native *native, const Vector *w, const Vector *s, Error *error);
Status native_enqueue_line_point(Native *native, double step, size_t *pairs, Error *error);
Status native_line_open(Backend *backend, const Vector *w, const Vector *s, Error *error);
Status native_line_evaluate(Backend *backend, double step, double *value, double *slope, Error *error);
void native_line_close(Backend *backend);
/* Bytes of the products that a line keeps of the window; 0 when it reads X instead. */
size_t native_line_bytes(const Native *native);
/* Frees what lines keep between them. */
void native_line_release(Native *native);

#endif
