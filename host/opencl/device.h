/* Platforms and devices as OpenCL reports them, and the choice among them. No OpenCL type leaves this folder. */
#ifndef SETOSA_OPENCL_DEVICE_H
#define SETOSA_OPENCL_DEVICE_H

#include "base/error.h"

typedef struct SetosaDevices DeviceList;

/* As setosa_devices_open, _close, _count, _get, _warning, _select, _choose, _diagnose in setosa.h, which are thin faces on these. */
Status device_list_open(DeviceList **list, Error *error);
void device_list_close(DeviceList *list);
size_t device_list_count(const DeviceList *list);
const SetosaDeviceInfo *device_list_get(const DeviceList *list, size_t index);
const char *device_list_warning(const DeviceList *list, size_t index);
Status device_list_select(const DeviceList *list, const char *selector, bool force, size_t *index, Error *error);
Status device_list_choose(const DeviceList *list, size_t selector_count, const char *const *selectors, SetosaFamily family, bool force,
                          SetosaDeviceChoices *choices, Error *error);
Status device_diagnose(SetosaTextCallback print, void *user, Error *error);

/* Who made a GPU: kernels are right everywhere, but their default sizes differ. Of CPU devices always OTHER. */
typedef enum DeviceVendor { VENDOR_OTHER, VENDOR_NVIDIA, VENDOR_AMD, VENDOR_INTEL } DeviceVendor;

/* What the choice of kernels and launches needs to know beyond SetosaDeviceInfo. */
typedef struct DeviceTraits {
  SetosaFamily family;   /* CPU when the type is CPU or local memory is ordinary memory; never AUTO */
  size_t max_group_size; /* work-items */
  size_t local_memory_bytes;
  bool unified_memory; /* host memory can be used in place */
  uint32_t compute_units;
  uint64_t max_allocation_bytes, memory_bytes;
  uint32_t preferred_float_width;
  DeviceVendor vendor;
  bool bounds_registers; /* NVIDIA's compiler options: how many registers a work-item may have can be said */
  bool tensor_cores; /* matrices of f32 may be multiplied on tensor cores: in a list, as the driver says; of a context, tried (tensor.h) */
} DeviceTraits;

/* Whether an OpenCL code (SetosaError.opencl_code) says that there was no memory left to allocate. */
bool device_memory_refused(int opencl_code);

/* Whether a folder that the user chose for PoCL (POCL_CACHE_DIR) may be believed: else it is not used. To be asked before devices are
 * opened. */
Status pocl_cache_check(Error *error);

#endif
