/* Device memory. Every size and range is checked here, so that no driver sees a wrong one (PoCL aborts on some). */
#include "opencl/buffer.h"

#include <stdlib.h>

#include "base/memory.h"
#include "opencl/internal.h"

static Status check_size(const Context *context, size_t bytes, const char *what, Error *error) {
  const SetosaDeviceInfo *info = &context->device.info;
  const double mb = 1e6;
  if (bytes == 0) return error_set(error, SETOSA_ERROR_INTERNAL, "%s: a buffer of 0 bytes was asked for; please report this", what);
  if (bytes > info->max_allocation_bytes)
    return error_set(error, SETOSA_ERROR_DEVICE,
                     "%s: %.1f MB are needed in one piece, but %s allows at most %.1f MB; use fewer rows or choose another --device", what,
                     (double)bytes / mb, info->name, (double)info->max_allocation_bytes / mb);
  if (bytes > info->memory_bytes || context->bytes > info->memory_bytes - bytes)
    return error_set(error, SETOSA_ERROR_DEVICE,
                     "%s: %.1f MB are needed beside %.1f MB in use, but %s has %.1f MB; use fewer rows or choose another --device", what,
                     (double)bytes / mb, (double)context->bytes / mb, info->name, (double)info->memory_bytes / mb);
  return SETOSA_OK;
}

static Status create(Buffer **out, Context *context, cl_mem_flags flags, void *host, size_t bytes, const char *what, Error *error) {
  Status status = SETOSA_OK;
  Buffer *buffer = NULL;
  cl_int code = CL_SUCCESS;
  *out = NULL;
  TRY(check_size(context, bytes, what, error));
  TRY(memory_allocate_zero((void **)&buffer, 1, sizeof *buffer, what, error));
  TRY(memory_copy_text(&buffer->what, what, error));
  buffer->handle = clCreateBuffer(context->handle, flags, bytes, host, &code);
  TRY_CL(code, "%s: cannot allocate %.1f MB on %s", what, (double)bytes / 1e6, context->device.info.name);
  buffer->context = context;
  buffer->bytes = bytes;
  context->bytes += bytes;
  if (context->bytes > context->peak_bytes) context->peak_bytes = context->bytes;
  *out = buffer;
  buffer = NULL;
cleanup:
  buffer_destroy(buffer);
  return status;
}

Status buffer_create(Buffer **buffer, Context *context, size_t bytes, const char *what, Error *error) {
  return create(buffer, context, CL_MEM_READ_WRITE, NULL, bytes, what, error);
}

Status buffer_create_from(Buffer **buffer, Context *context, const void *host, size_t bytes, const char *what, Error *error) {
  bool in_place = context->device.traits.unified_memory && (uintptr_t)host % context->device.host_alignment_bytes == 0;
  /* A driver may decline memory that it cannot lock for writing, such as a file mapped read-only: copied, then. */
  if (in_place &&
      create(buffer, context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, (void *)(uintptr_t)host, bytes, what, NULL) == SETOSA_OK) {
    (*buffer)->in_place = true;
    return SETOSA_OK;
  }
  Status status = create(buffer, context, CL_MEM_READ_ONLY, NULL, bytes, what, error);
  if (status == SETOSA_OK) status = buffer_write(*buffer, 0, bytes, host, error);
  if (status != SETOSA_OK) {
    buffer_destroy(*buffer);
    *buffer = NULL;
  }
  return status;
}

void buffer_destroy(Buffer *buffer) {
  if (buffer == NULL) return;
  if (buffer->handle != NULL) clReleaseMemObject(buffer->handle);
  if (buffer->context != NULL) buffer->context->bytes -= buffer->bytes;
  free(buffer->what);
  free(buffer);
}

size_t buffer_bytes(const Buffer *buffer) { return buffer->bytes; }

/* Memory used in place is the caller's and const. */
static Status check_writable(const Buffer *buffer, Error *error) {
  if (!buffer->in_place) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_INTERNAL, "%s: read-only host memory used in place cannot be written to; please report this",
                   buffer->what);
}

static Status check_range(const Buffer *buffer, size_t offset, size_t bytes, const char *doing, Error *error) {
  if (offset <= buffer->bytes && bytes <= buffer->bytes - offset) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_INTERNAL, "%s: cannot %s %zu bytes at %zu of a buffer of %zu bytes; please report this",
                   buffer->what, doing, bytes, offset, buffer->bytes);
}

static Status enqueue_read(const Buffer *buffer, cl_bool waits, size_t offset, size_t bytes, void *host, Error *error) {
  Status status = SETOSA_OK;
  TRY(check_range(buffer, offset, bytes, "read", error));
  if (bytes == 0) return SETOSA_OK;
  TRY_CL(clEnqueueReadBuffer(buffer->context->queue, buffer->handle, waits, offset, bytes, host, 0, NULL, NULL), "%s: cannot read from %s",
         buffer->what, buffer->context->device.info.name);
cleanup:
  if (status != SETOSA_OK) context_drain(buffer->context); /* the caller's memory is the caller's again, also when only the wait failed */
  return status;
}

Status buffer_read(const Buffer *buffer, size_t offset, size_t bytes, void *host, Error *error) {
  return enqueue_read(buffer, CL_TRUE, offset, bytes, host, error);
}

Status buffer_read_later(const Buffer *buffer, size_t offset, size_t bytes, void *host, Error *error) {
  return enqueue_read(buffer, CL_FALSE, offset, bytes, host, error);
}

static Status write_through(cl_command_queue queue, Buffer *buffer, size_t offset, size_t bytes, const void *host, Error *error) {
  Status status = SETOSA_OK;
  TRY(check_writable(buffer, error));
  TRY(check_range(buffer, offset, bytes, "write", error));
  if (bytes == 0) return SETOSA_OK;
  TRY_CL(clEnqueueWriteBuffer(queue, buffer->handle, CL_TRUE, offset, bytes, host, 0, NULL, NULL), "%s: cannot write to %s", buffer->what,
         buffer->context->device.info.name);
cleanup:
  if (status != SETOSA_OK) context_drain(buffer->context);
  return status;
}

Status buffer_write(Buffer *buffer, size_t offset, size_t bytes, const void *host, Error *error) {
  return write_through(buffer->context->queue, buffer, offset, bytes, host, error);
}

Status buffer_upload(Buffer *buffer, size_t offset, size_t bytes, const void *host, Error *error) {
  Status status = SETOSA_OK;
  Context *context = buffer->context;
  if (context->upload_queue == NULL) {
    cl_int code = CL_SUCCESS;
    context->upload_queue = clCreateCommandQueue(context->handle, context->device.id, 0, &code);
    TRY_CL(code, "%s: cannot create a second command queue", context->device.info.name);
  }
  TRY(write_through(context->upload_queue, buffer, offset, bytes, host, error));
  /* A write that blocks has ended, but Intel's runtime for CPUs (2026.2) does not yet show it to a kernel of another queue: without this
   * one gradient of sparse rows in four was wrong. */
  TRY_CL(clFinish(context->upload_queue), "%s: cannot write to %s", buffer->what, context->device.info.name);
cleanup:
  return status;
}

Status buffer_copy(Buffer *to, size_t to_offset, const Buffer *from, size_t from_offset, size_t bytes, Error *error) {
  Status status = SETOSA_OK;
  TRY(check_writable(to, error));
  TRY(check_range(to, to_offset, bytes, "copy to", error));
  TRY(check_range(from, from_offset, bytes, "copy from", error));
  if (to == from && to_offset < from_offset + bytes && from_offset < to_offset + bytes)
    TRY(error_set(error, SETOSA_ERROR_INTERNAL, "%s: a copy onto itself overlaps; please report this", to->what));
  if (bytes == 0) return SETOSA_OK;
  TRY_CL(clEnqueueCopyBuffer(to->context->queue, from->handle, to->handle, from_offset, to_offset, bytes, 0, NULL, NULL),
         "%s: cannot copy to %s", from->what, to->what);
cleanup:
  return status;
}

Status buffer_fill_zero(Buffer *buffer, size_t offset, size_t bytes, Error *error) {
  Status status = SETOSA_OK;
  const cl_uchar zero = 0;
  const cl_uint zero_word = 0;
  TRY(check_writable(buffer, error));
  TRY(check_range(buffer, offset, bytes, "clear", error));
  if (bytes == 0) return SETOSA_OK;
  bool words = offset % sizeof zero_word == 0 && bytes % sizeof zero_word == 0; /* a driver may fill pattern by pattern */
  TRY_CL(clEnqueueFillBuffer(buffer->context->queue, buffer->handle, words ? (const void *)&zero_word : &zero,
                             words ? sizeof zero_word : sizeof zero, offset, bytes, 0, NULL, NULL),
         "%s: cannot clear", buffer->what);
cleanup:
  return status;
}
