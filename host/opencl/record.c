/* One device: what its driver says about it, and whether Setosa can use it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "opencl/internal.h"
#include "opencl/tensor.h"

/* Drivers pad names with blanks ("Intel(R) Xeon(R)   "), so both ends are trimmed; and what they say is shown on terminals. */
static void tidy(char *text) {
  size_t begin = 0, end = strlen(text);
  while (end > 0 && isspace((unsigned char)text[end - 1])) text[--end] = '\0';
  while (isspace((unsigned char)text[begin])) begin++;
  memmove(text, text + begin, end - begin + 1);
  text_make_visible(text, '?');
}

Status platform_text(char **text, cl_platform_id platform, cl_platform_info what, Error *error) {
  size_t bytes = 0;
  if (clGetPlatformInfo(platform, what, 0, NULL, &bytes) != CL_SUCCESS) bytes = 0;
  Status status = memory_allocate_zero((void **)text, bytes + 1, 1, "a platform's name", error);
  if (status == SETOSA_OK && bytes > 0 && clGetPlatformInfo(platform, what, bytes, *text, NULL) != CL_SUCCESS) (*text)[0] = '\0';
  if (status == SETOSA_OK) tidy(*text);
  return status;
}

/* *answers becomes false when the driver does not. */
static Status device_text(const char **out, bool *answers, cl_device_id device, cl_device_info what, Error *error) {
  size_t bytes = 0;
  char *text = NULL;
  if (clGetDeviceInfo(device, what, 0, NULL, &bytes) != CL_SUCCESS) bytes = 0;
  Status status = memory_allocate_zero((void **)&text, bytes + 1, 1, "a device's name", error);
  if (status != SETOSA_OK) return status;
  if (bytes == 0 || clGetDeviceInfo(device, what, bytes, text, NULL) != CL_SUCCESS) {
    text[0] = '\0';
    *answers = false;
  }
  tidy(text);
  *out = text;
  return SETOSA_OK;
}

/* A fixed-size property, or what it had before when the driver does not answer. */
#define DEVICE_VALUE(device, what, value) clGetDeviceInfo((device), (what), sizeof *(value), (value), NULL)

/* False when the driver does not answer to all. What would come of a guess is another path through the kernels, or another device's name.
 */
static bool fill_numbers(DeviceRecord *record, cl_device_id id) {
  cl_device_type type = 0;
  cl_device_local_mem_type local_type = CL_LOCAL;
  cl_ulong memory = 0, allocation = 0, local = 0;
  cl_uint units = 0, clock = 0, alignment_bits = 0, float_width = 1, vendor = 0;
  cl_bool unified = CL_FALSE;
  size_t group = 1;
  char extensions[8192] = ""; /* stays empty where there are more of them */
  bool answers = true;
  const struct {
    cl_device_info what;
    size_t size;
    void *value;
  } properties[] = {{CL_DEVICE_TYPE, sizeof type, &type},
                    {CL_DEVICE_LOCAL_MEM_TYPE, sizeof local_type, &local_type},
                    {CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory},
                    {CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof allocation, &allocation},
                    {CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local},
                    {CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units},
                    {CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment_bits, &alignment_bits},
                    {CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, sizeof float_width, &float_width},
                    {CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof group, &group}};
  for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
    answers = clGetDeviceInfo(id, properties[i].what, properties[i].size, properties[i].value, NULL) == CL_SUCCESS && answers;
  /* Nothing but speed depends on these, and newer drivers need not know them. */
  DEVICE_VALUE(id, CL_DEVICE_MAX_CLOCK_FREQUENCY, &clock);
  DEVICE_VALUE(id, CL_DEVICE_VENDOR_ID, &vendor);
  DEVICE_VALUE(id, CL_DEVICE_HOST_UNIFIED_MEMORY, &unified);
  DEVICE_VALUE(id, CL_DEVICE_EXTENSIONS, &extensions);

  bool cpu = (type & CL_DEVICE_TYPE_CPU) != 0; /* before GPU: oclgrind claims to be every type at once */
  record->info.type = cpu ? SETOSA_DEVICE_CPU : (type & CL_DEVICE_TYPE_GPU) != 0 ? SETOSA_DEVICE_GPU : SETOSA_DEVICE_OTHER;
  record->info.memory_bytes = memory;
  record->info.max_allocation_bytes = allocation;
  record->info.local_memory_bytes = local;
  record->info.compute_units = units;
  record->info.clock_mhz = clock;
  record->host_alignment_bytes = alignment_bits >= 8 ? alignment_bits / 8 : 1;
  record->traits = (DeviceTraits){.family = cpu || local_type == CL_GLOBAL ? SETOSA_FAMILY_CPU : SETOSA_FAMILY_GPU,
                                  .max_group_size = group,
                                  .local_memory_bytes = (size_t)local,
                                  .unified_memory = cpu || unified == CL_TRUE,
                                  .compute_units = units,
                                  .max_allocation_bytes = allocation,
                                  .memory_bytes = memory,
                                  .preferred_float_width = float_width,
                                  .vendor = cpu ? VENDOR_OTHER : quirks_vendor(vendor),
                                  .bounds_registers = strstr(extensions, "cl_nv_compiler_options") != NULL};
  record->traits.tensor_cores = record->info.tensor_cores = tensor_promised(id, record->traits.vendor);
  return answers;
}

/* What Setosa needs of a device; "" when it has it all. */
static const char *judge(const DeviceRecord *record, cl_device_id id, const char *profile, bool answers) {
  cl_bool available = CL_FALSE, compiler = CL_FALSE, little = CL_FALSE;
  int major = 0, minor = 0;
  if (!answers || DEVICE_VALUE(id, CL_DEVICE_AVAILABLE, &available) != CL_SUCCESS)
    return "its driver does not answer; restart the machine or reinstall the driver";
  if (!available) return "its driver says it is not available; close programs that hold it, then check the driver";
  if (DEVICE_VALUE(id, CL_DEVICE_COMPILER_AVAILABLE, &compiler) != CL_SUCCESS || !compiler)
    return "its driver has no OpenCL C compiler; install the vendor's full OpenCL runtime";
  if (strcmp(profile, "FULL_PROFILE") != 0) return "it has only the embedded profile of OpenCL; choose another device";
  if (DEVICE_VALUE(id, CL_DEVICE_ENDIAN_LITTLE, &little) != CL_SUCCESS || !little)
    return "it is not little-endian, which Setosa needs; choose another device";
  if (sscanf(record->info.version, "OpenCL %d.%d", &major, &minor) != 2 || major < 1 || (major == 1 && minor < 2))
    return "it has OpenCL older than 1.2; update its driver";
  if (record->info.memory_bytes == 0 || record->info.max_allocation_bytes == 0)
    return "its driver reports no memory; restart the machine or reinstall the driver";
  return "";
}

Status device_record_fill(DeviceRecord *record, cl_platform_id platform, const PlatformRecord *names, cl_device_id id, Error *error) {
  Status status = SETOSA_OK;
  const char *profile = NULL, *refusal;
  SetosaDeviceInfo *info = &record->info;
  bool answers = names->name[0] != '\0';
  *record = (DeviceRecord){.platform = platform, .id = id};
  TRY(device_text(&info->name, &answers, id, CL_DEVICE_NAME, error));
  TRY(device_text(&info->vendor, &answers, id, CL_DEVICE_VENDOR, error));
  TRY(device_text(&info->driver, &answers, id, CL_DRIVER_VERSION, error));
  TRY(device_text(&info->version, &answers, id, CL_DEVICE_VERSION, error));
  TRY(device_text(&profile, &answers, id, CL_DEVICE_PROFILE, error));
  TRY(memory_copy_text((char **)&info->platform, names->name, error));
  TRY(memory_copy_text((char **)&info->platform_version, names->version, error));
  answers = fill_numbers(record, id) && answers;
  refusal = judge(record, id, profile, answers);
  info->usable = refusal[0] == '\0';
  TRY(memory_copy_text((char **)&info->refusal, refusal, error));
  TRY(memory_copy_text((char **)&info->note, "", error));
cleanup:
  free((char *)profile);
  if (status != SETOSA_OK) device_record_free(record);
  return status;
}

Status device_record_copy(DeviceRecord *to, const DeviceRecord *from, Error *error) {
  Status status = SETOSA_OK;
  const SetosaDeviceInfo *in = &from->info;
  SetosaDeviceInfo *out = &to->info;
  *to = *from;
  out->name = out->vendor = out->driver = out->version = out->platform = out->platform_version = out->refusal = out->note = NULL;
  TRY(memory_copy_text((char **)&out->name, in->name, error));
  TRY(memory_copy_text((char **)&out->vendor, in->vendor, error));
  TRY(memory_copy_text((char **)&out->driver, in->driver, error));
  TRY(memory_copy_text((char **)&out->version, in->version, error));
  TRY(memory_copy_text((char **)&out->platform, in->platform, error));
  TRY(memory_copy_text((char **)&out->platform_version, in->platform_version, error));
  TRY(memory_copy_text((char **)&out->refusal, in->refusal, error));
  TRY(memory_copy_text((char **)&out->note, in->note, error));
cleanup:
  if (status != SETOSA_OK) device_record_free(to);
  return status;
}

/* Whether the driver cuts it into sub-devices of equal size at all. */
static bool can_be_cut(cl_device_id id) {
  cl_device_partition_property ways[16] = {0};
  size_t bytes = 0;
  if (clGetDeviceInfo(id, CL_DEVICE_PARTITION_PROPERTIES, sizeof ways, ways, &bytes) != CL_SUCCESS) return false;
  for (size_t i = 0; i < bytes / sizeof *ways && i < sizeof ways / sizeof *ways; i++)
    if (ways[i] == CL_DEVICE_PARTITION_EQUALLY) return true;
  return false;
}

Status device_check_parts(const DeviceRecord *record, size_t parts, Error *error) {
  const SetosaDeviceInfo *info = &record->info;
  if (parts < 2)
    return error_set(error, SETOSA_ERROR_USAGE, "device %zu cut into %zu part%s makes no sense; give 2 parts or more", info->index, parts,
                     parts == 1 ? "" : "s");
  if (!can_be_cut(record->id))
    return error_set(error, SETOSA_ERROR_DEVICE, "device %zu (%s) cannot be cut into parts: its driver offers none; use it whole",
                     info->index, info->name);
  if (parts > info->compute_units)
    return error_set(error, SETOSA_ERROR_DEVICE, "device %zu (%s) has %u compute unit%s, too few for %zu parts; give a smaller number",
                     info->index, info->name, info->compute_units, info->compute_units == 1 ? "" : "s", parts);
  return SETOSA_OK;
}

void device_record_free(DeviceRecord *record) {
  SetosaDeviceInfo *info = &record->info;
  const char *owned[] = {info->name,     info->vendor,           info->driver,  info->version,
                         info->platform, info->platform_version, info->refusal, info->note};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free((char *)owned[i]);
  *record = (DeviceRecord){0};
}
