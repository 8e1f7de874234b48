/* One opened device: an OpenCL context, one in-order queue, the bytes it holds, and its programs by name and options. */
#ifndef SETOSA_OPENCL_CONTEXT_H
#define SETOSA_OPENCL_CONTEXT_H

#include "base/error.h"
#include "opencl/device.h"

typedef struct Context Context;

Status context_open(Context **context, const DeviceList *list, size_t index, Error *error);
/* Part `part` (from 0) of the device cut into `parts` sub-devices of as many compute units each; 0 of 1 is the device itself. Its name ends
 * in " part 1 of 2"; what is remembered about the device (self-test, programs) holds for its parts. */
Status context_open_part(Context **context, const DeviceList *list, size_t index, size_t part, size_t parts, Error *error);
void context_close(Context *context);
const SetosaDeviceInfo *context_info(const Context *context); /* borrowed from the context, valid after the list is closed */
const DeviceTraits *context_traits(const Context *context);
/* Waits until everything enqueued has run; reports what failed on the device. */
Status context_finish(Context *context, Error *error);
/* Returns when nothing that was enqueued runs any more, however it ended: to be called before memory of the host is freed that the device
 * may still use. Tells of no failure: its callers give up already. */
void context_drain(Context *context);
/* Sends what is enqueued to the device without waiting. */
Status context_flush(Context *context, Error *error);
/* A point in what is enqueued: *mark is passed when everything before it has run. */
typedef struct Mark Mark;
Status context_mark(Context *context, Mark **mark, Error *error);
/* Waits until it is passed; NULL is. */
Status mark_wait(const Mark *mark, Error *error);
void mark_destroy(Mark *mark);
/* Bytes of buffers alive now, and the most that ever were. Host memory used in place counts too. */
uint64_t context_bytes(const Context *context);
uint64_t context_peak_bytes(const Context *context);
/* Seconds spent building programs (compiling, or loading binaries) so far. */
double context_build_seconds(const Context *context);
/* A 128-bit hex key of platform, device, driver, Setosa's version and all embedded kernel sources: names a self-test verdict.
 * Empty while SETOSA_KERNEL_DIR is set: nothing may be remembered about sources that change. */
void context_fingerprint(const Context *context, char hex[33]);

#endif
