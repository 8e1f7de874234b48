/* One opened device, or a part of one: context, in-order queue, accounts. */
#include "opencl/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "opencl/internal.h"
#include "opencl/tensor.h"

static Status make_fingerprint(Context *context, Error *error) {
  Hash *hash = NULL;
  const SetosaDeviceInfo *info = &context->device.info;
  if (source_folder() != NULL) return SETOSA_OK; /* sources under development have no lasting name */
  const char *texts[] = {info->platform, info->platform_version, context_kind(context), info->version, info->driver, SETOSA_VERSION};
  Status status = hash_create(&hash, error);
  if (status != SETOSA_OK) return status;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) hash_add_text(hash, texts[i]);
  source_add_all(hash);
  hash_hex(hash, context->fingerprint);
  hash_destroy(hash);
  return SETOSA_OK;
}

/* Turns the record of a device into that of one of its sub-devices. */
static Status take_part(Context *context, const DeviceRecord *whole, size_t part, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  cl_uint units = 0;
  DeviceRecord *device = &context->device;
  char name[512];
  TRY(device_part(&device->id, whole, part, parts, error));
  if (clGetDeviceInfo(device->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL) != CL_SUCCESS || units == 0)
    units = (cl_uint)(whole->info.compute_units / parts);
  device->info.compute_units = device->traits.compute_units = units;
  context->part_of = (char *)device->info.name;
  device->info.name = NULL;
  snprintf(name, sizeof name, "%s part %zu of %zu", whole->info.name, part + 1, parts);
  TRY(memory_copy_text((char **)&device->info.name, name, error));
cleanup:
  return status;
}

Status context_open(Context **out, const DeviceList *list, size_t index, Error *error) {
  return context_open_part(out, list, index, 0, 1, error);
}

Status context_open_part(Context **out, const DeviceList *list, size_t index, size_t part, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  Context *context = NULL;
  cl_int code = CL_SUCCESS;
  *out = NULL;
  if (index >= list->count)
    return error_set(error, SETOSA_ERROR_DEVICE, "there is no device %zu, only %zu; see `setosa devices`", index, list->count);
  TRY(memory_allocate_zero((void **)&context, 1, sizeof *context, "a device context", error));
  TRY(device_record_copy(&context->device, &list->devices[index], error));
  if (parts != 1 || part != 0) TRY(take_part(context, &list->devices[index], part, parts, error));

  const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)context->device.platform, 0};
  context->handle = clCreateContext(properties, 1, &context->device.id, NULL, NULL, &code);
  TRY_CL(code, "%s: cannot create a context", context->device.info.name);
  context->queue = clCreateCommandQueue(context->handle, context->device.id, 0, &code);
  TRY_CL(code, "%s: cannot create a command queue", context->device.info.name);
  TRY(make_fingerprint(context, error));
  context->device.traits.tensor_cores = context->device.info.tensor_cores = tensor_usable(context);
  *out = context;
  context = NULL;
cleanup:
  context_close(context);
  return status;
}

void context_close(Context *context) {
  if (context == NULL) return;
  context_drain(context);
  if (context->release_gemm != NULL) context->release_gemm(context);
  program_free_all(context);
  if (context->queue != NULL) clReleaseCommandQueue(context->queue);
  if (context->upload_queue != NULL) clReleaseCommandQueue(context->upload_queue);
  if (context->handle != NULL) clReleaseContext(context->handle);
  free(context->part_of);
  device_record_free(&context->device);
  free(context);
}

/* Kernels may still run when a driver fails to wait for them once, so it is asked again, and in another way. The queue is in order: its
 * last event is after all others, and one that ended in an error has ended, too. A driver that refuses every time has lost the device. */
static void drain_queue(cl_command_queue queue) {
  enum { TRIES = 4 };
  for (int i = 0; queue != NULL && i < TRIES; i++) {
    cl_event last = NULL;
    if (clFinish(queue) == CL_SUCCESS) return;
    if (clEnqueueMarkerWithWaitList(queue, 0, NULL, &last) != CL_SUCCESS) continue;
    cl_int code = clWaitForEvents(1, &last);
    clReleaseEvent(last);
    if (code == CL_SUCCESS || code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) return;
  }
}

void context_drain(Context *context) {
  drain_queue(context->queue);
  drain_queue(context->upload_queue);
}

const SetosaDeviceInfo *context_info(const Context *context) { return &context->device.info; }

const DeviceTraits *context_traits(const Context *context) { return &context->device.traits; }

Status context_finish(Context *context, Error *error) {
  Status status = SETOSA_OK;
  TRY_CL(clFinish(context->queue), "%s: work on the device failed", context->device.info.name);
cleanup:
  return status;
}

Status context_flush(Context *context, Error *error) {
  Status status = SETOSA_OK;
  TRY_CL(clFlush(context->queue), "%s: cannot send work to the device", context->device.info.name);
cleanup:
  return status;
}

struct Mark {
  Context *context;
  cl_event event;
};

Status context_mark(Context *context, Mark **mark, Error *error) {
  Status status = SETOSA_OK;
  Mark *made = NULL;
  *mark = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a mark", error));
  made->context = context;
  TRY_CL(clEnqueueMarkerWithWaitList(context->queue, 0, NULL, &made->event), "%s: cannot mark the queue", context->device.info.name);
  TRY(context_flush(context, error));
  *mark = made;
  made = NULL;
cleanup:
  mark_destroy(made);
  return status;
}

Status mark_wait(const Mark *mark, Error *error) {
  Status status = SETOSA_OK;
  if (mark == NULL) return SETOSA_OK;
  TRY_CL(clWaitForEvents(1, &mark->event), "%s: work on the device failed", mark->context->device.info.name);
cleanup:
  return status;
}

void mark_destroy(Mark *mark) {
  if (mark == NULL) return;
  if (mark->event != NULL) clReleaseEvent(mark->event);
  free(mark);
}

uint64_t context_bytes(const Context *context) { return context->bytes; }

uint64_t context_peak_bytes(const Context *context) { return context->peak_bytes; }

double context_build_seconds(const Context *context) { return context->build_seconds; }

void context_fingerprint(const Context *context, char hex[33]) { memcpy(hex, context->fingerprint, 33); }
