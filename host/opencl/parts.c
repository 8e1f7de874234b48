/* Sub-devices. A device is cut into a number of parts once in a process, and the parts stay until the process ends: PoCL's worker threads
 * still look at a command's device after the command, its queue and its context have been finished with, and PoCL 3.1's contexts do not
 * hold their sub-devices. One that was released then is memory of somebody else. */
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "opencl/internal.h"

typedef struct Partition {
  struct Partition *next;
  cl_device_id whole;
  size_t parts;
  cl_device_id pieces[]; /* [parts] */
} Partition;

/* Of the whole process, as the driver's devices are. */
static struct {
  pthread_mutex_t mutex;
  Partition *first;
} partitions = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static Status partition_create(Partition **out, const DeviceRecord *whole, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  Partition *partition = NULL;
  cl_device_id *pieces = NULL;
  cl_uint count = 0;
  const char *name = whole->info.name;
  const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY,
                                                  (cl_device_partition_property)(whole->info.compute_units / parts), 0};
  TRY_CL(clCreateSubDevices(whole->id, equally, 0, NULL, &count), "%s: cannot be cut into %zu parts", name, parts);
  if (count < parts) TRY(error_set(error, SETOSA_ERROR_DEVICE, "%s gave %u parts instead of %zu", name, count, parts));
  TRY(memory_allocate_zero((void **)&pieces, count, sizeof *pieces, "the parts of a device", error));
  TRY(memory_allocate_zero((void **)&partition, 1, sizeof *partition + parts * sizeof *partition->pieces, "the parts of a device", error));
  TRY_CL(clCreateSubDevices(whole->id, equally, count, pieces, NULL), "%s: cannot be cut into %zu parts", name, parts);
  partition->whole = whole->id;
  partition->parts = parts;
  for (size_t i = 0; i < parts; i++) partition->pieces[i] = pieces[i];
  for (size_t i = parts; i < count; i++) clReleaseDevice(pieces[i]); /* no command was ever given to these */
  *out = partition;
  partition = NULL;
cleanup:
  free(pieces);
  free(partition);
  return status;
}

Status device_part(cl_device_id *piece, const DeviceRecord *whole, size_t part, size_t parts, Error *error) {
  Status status = SETOSA_OK;
  Partition *partition = NULL;
  pthread_mutex_lock(&partitions.mutex);
  TRY(device_check_parts(whole, parts, error));
  if (part >= parts) TRY(error_set(error, SETOSA_ERROR_USAGE, "%s has no part %zu of %zu", whole->info.name, part + 1, parts));
  partition = partitions.first;
  while (partition != NULL && (partition->whole != whole->id || partition->parts != parts)) partition = partition->next;
  if (partition == NULL) {
    TRY(partition_create(&partition, whole, parts, error));
    partition->next = partitions.first;
    partitions.first = partition;
  }
  *piece = partition->pieces[part];
cleanup:
  pthread_mutex_unlock(&partitions.mutex);
  return status;
}
