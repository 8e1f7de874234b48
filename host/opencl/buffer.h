/* Device memory. */
#ifndef SETOSA_OPENCL_BUFFER_H
#define SETOSA_OPENCL_BUFFER_H

#include "opencl/context.h"

typedef struct Buffer Buffer;

/* Uninitialised device memory of bytes (at least 1). `what` names it in errors ("partial gradients"). Fails with SETOSA_ERROR_DEVICE and
 * the sizes when it is over the device's largest allocation or memory. */
Status buffer_create(Buffer **buffer, Context *context, size_t bytes, const char *what, Error *error);
/* Read-only device view of host memory: in place on devices with unified memory (the caller keeps it alive and unchanged until
 * destroy), else a copy. */
Status buffer_create_from(Buffer **buffer, Context *context, const void *host, size_t bytes, const char *what, Error *error);
void buffer_destroy(Buffer *buffer);
size_t buffer_bytes(const Buffer *buffer);
/* Blocking transfers of bytes at offset (bytes); range-checked. */
Status buffer_read(const Buffer *buffer, size_t offset, size_t bytes, void *host, Error *error);
/* As buffer_read, but filled only when the next buffer_read of the device returns, so that both cost one wait. Who gives up before that
 * calls context_drain. */
Status buffer_read_later(const Buffer *buffer, size_t offset, size_t bytes, void *host, Error *error);
Status buffer_write(Buffer *buffer, size_t offset, size_t bytes, const void *host, Error *error);
/* As buffer_write, but beside what is enqueued, which goes on meanwhile: nothing enqueued may use the buffer. */
Status buffer_upload(Buffer *buffer, size_t offset, size_t bytes, const void *host, Error *error);
/* Enqueued, not waited for. */
Status buffer_copy(Buffer *to, size_t to_offset, const Buffer *from, size_t from_offset, size_t bytes, Error *error);
Status buffer_fill_zero(Buffer *buffer, size_t offset, size_t bytes, Error *error);

#endif
