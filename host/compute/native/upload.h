/* The rows of X, labels and weights on the device: all at once, or chunks in turn. */
#ifndef SETOSA_COMPUTE_NATIVE_UPLOAD_H
#define SETOSA_COMPUTE_NATIVE_UPLOAD_H

#include "compute/native/native.h"

/* Brings X, labels and weights to the device as settings->storage asks: fills plan, rounding, buffers, labelled and seconds_upload. */
Status native_upload(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error);
void native_release_upload(Native *native);
/* Fills source, place, plan, labelled and weighted. */
Status native_choose_storage(Native *native, const Dataset *dataset, const BackendSettings *settings, Error *error);
/* Whether views of the data set's own array serve the device. */
bool native_reads_in_place(const Native *native);
/* What would stay on the device and what would stream, for native->plan of storage. SETOSA_ERROR_DEVICE when the budget holds nothing. */
Status native_plan(NativePlan *plan, const Native *native, const BackendSettings *settings, Error *error);
void row_buffers_release(RowBuffers *buffers);
/* Buffers that hold row rows.begin, and in *range (rows counted from their first) as many of rows as they hold: all, or a multiple of
 * unit. They stay until two more calls have been made; kernels enqueued by then have their rows. */
Status native_rows(Native *native, const RowBuffers **buffers, RowRange rows, size_t unit, RowRange *range, Error *error);
Status native_reweigh(Backend *backend, const float *factors, Error *error);
/* Bytes of what a row is compared with: its label and its weight. */
static inline size_t native_target_bytes(const Native *native) {
  return (native->labelled ? sizeof(int32_t) : 0) + (native->weighted ? sizeof(float) : 0);
}
/* Whether the window lies in buffers[0]. */
static inline bool native_is_whole(const Native *native) { return native->residence.resident && native->buffer_count == 1; }
/* Appends what storage.clh needs to know to the options (size bytes) of a program that reads X; nothing for f32. */
void native_append_storage(const Native *native, char *options, size_t size);
/* Bytes of a row of X as it is stored. */
static inline uint64_t native_row_bytes(const Native *native) { return native->head.features * storage_element_bytes(&native->plan); }

#endif
