/* Synthetic rows made on a device (kernels/synthetic.cl), bit for bit those of synthetic_fill. */
#ifndef SETOSA_COMPUTE_SYNTHESIZE_H
#define SETOSA_COMPUTE_SYNTHESIZE_H

#include "data/synthetic.h"
#include "opencl/kernel.h"

typedef struct Synthesizer Synthesizer;

/* Builds the kernel and uploads the true model, which is not needed afterwards. family AUTO: by the device. */
Status synthesize_create(Synthesizer **synthesizer, Context *context, const Synthetic *synthetic, SetosaFamily family, Error *error);
void synthesize_destroy(Synthesizer *synthesizer);
/* Enqueues rows begin..begin+count-1 into x (count,D) f32 and labels (count) int32, from the start of both buffers. Not waited for; the
 * queue is in order, so what is enqueued next reads them. Calls share scratch space, which the order protects, too. */
Status synthesize_rows(Synthesizer *synthesizer, uint64_t begin, size_t count, Buffer *x, Buffer *labels, Error *error);

#endif
