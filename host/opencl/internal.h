/* What the files of this folder share, and the one header of Setosa that includes OpenCL. */
#ifndef SETOSA_OPENCL_INTERNAL_H
#define SETOSA_OPENCL_INTERNAL_H

#include <CL/cl.h>

#include "base/text.h"
#include "opencl/context.h"
#include "opencl/drivers.h"
#include "opencl/kernel.h"

/* ---- errors (fail.c) ---------------------------------------------------------------------------------------------- */

/* "CL_OUT_OF_RESOURCES"; "an unknown code" for one that is not in the table. */
const char *opencl_code_name(cl_int code);
/* Fills *error with "<format>: CL_NAME (code); <what to do>", SETOSA_ERROR_DEVICE. */
void opencl_fail(Error *error, cl_int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Runs an OpenCL call; on failure leaves through cleanup with a message made of the remaining arguments (format first). */
#define TRY_CL(call, ...)                     \
  do {                                        \
    cl_int code_ = (call);                    \
    if (code_ != CL_SUCCESS) {                \
      opencl_fail(error, code_, __VA_ARGS__); \
      status = SETOSA_ERROR_DEVICE;           \
      goto cleanup;                           \
    }                                         \
  } while (0)

/* ---- devices (device.c, record.c, parts.c, select.c) --------------------------------------------------------------- */

/* One device of one platform. The strings that info points to are owned by the record. */
typedef struct DeviceRecord {
  SetosaDeviceInfo info;
  DeviceTraits traits;
  cl_platform_id platform;
  cl_device_id id;
  size_t host_alignment_bytes; /* of host memory that can be used in place */
  bool shadow;                 /* shown by an earlier platform too */
} DeviceRecord;

typedef struct PlatformRecord {
  char *name, *version;
  char *problem; /* why it shows no device; NULL when it shows some */
  size_t device_count;
} PlatformRecord;

struct SetosaDevices {
  DeviceRecord *devices;
  size_t count, capacity;
  PlatformRecord *platforms;
  size_t platform_count;
  char *problem; /* why there is no platform; NULL when there is one */
  Drivers drivers;
};

/* Platforms and devices as the loader shows them: device_list_open without what goes before and after. */
Status device_list_read(DeviceList *list, Error *error);

/* Asks the driver about a device and judges it. A driver that does not answer makes a refused device, not an error. */
Status device_record_fill(DeviceRecord *record, cl_platform_id platform, const PlatformRecord *names, cl_device_id id, Error *error);
Status device_record_copy(DeviceRecord *to, const DeviceRecord *from, Error *error);
void device_record_free(DeviceRecord *record);
/* SETOSA_ERROR_DEVICE, or _USAGE below 2 parts, when a device cannot be cut into so many equal parts. */
Status device_check_parts(const DeviceRecord *record, size_t parts, Error *error);
/* Sub-device `part` of `parts` equal ones of a device (parts.c): the same one each time, never released. As device_check_parts. */
Status device_part(cl_device_id *piece, const DeviceRecord *whole, size_t part, size_t parts, Error *error);
/* A text property, blanks trimmed; "" when the driver does not answer. free(*text). */
Status platform_text(char **text, cl_platform_id platform, cl_platform_info what, Error *error);
/* "0 NAME (PLATFORM), 1 ..." for messages. */
Status device_list_describe(const DeviceList *list, Text *text, Error *error);

/* ---- quirks (quirks.c) --------------------------------------------------------------------------------------------- */

/* Tells other drivers to keep nothing and to believe nothing: the user's folder for caches is not to be trusted. Before the first OpenCL
 * call. */
void quirks_go_without_caches(void);
/* Whose PCI vendor number CL_DEVICE_VENDOR_ID is. */
DeviceVendor quirks_vendor(uint32_t vendor_id);
/* Whether a platform of this name is the driver that compiles into the folder of pocl_cache.c. */
bool quirks_is_pocl(const char *platform);
/* To be called before the first OpenCL call of the process. PoCL counts the cores of the machine; it gets as many threads as this process
 * has cores to run on and CPU time for, unless the user has said how many. */
void quirks_share_processors(void);
/* False where asking the driver for a program's binary costs more than it saves. */
bool quirks_binaries_useful(const DeviceRecord *device);
/* What a device's compiler is told beside the options of a program; "" or with a blank before it. */
const char *quirks_build_options(const DeviceRecord *device);

/* ---- PoCL's folders (pocl_cache.c, pocl_slot.c) ---------------------------------------------------------------------- */

/* Gives PoCL a folder of this process's own. To be called before the first OpenCL call of the process. */
void pocl_cache_prepare(void);
/* After pocl_cache_prepare: what it could not arrange ("finds no folder ..."), or NULL. */
const char *pocl_cache_warning(void);
/* What errno says about writing to PoCL's folder, whose path it gives; 0: that works. Not thoroughly: where there seems to be room nothing
 * is tried. */
int pocl_cache_failure(const char **path, bool thoroughly);

/* A slot is a folder that one process at a time hands to PoCL. Makes or takes over `path`: its lock (as file_lock_folder, held until the
 * process ends) and *usable, false when nothing can be written there. What is in it is as the last process left it, or gone. */
int pocl_slot_take(const char *path, bool *usable);
/* The process ends as it should: what is in the slot may be used by the next. */
void pocl_slot_leave(const char *path);

/* ---- context (context.c) ------------------------------------------------------------------------------------------- */

typedef struct Program {
  char *key; /* source and options */
  cl_program handle;
  struct Program *next;
} Program;

struct Context {
  DeviceRecord device;
  cl_context handle;
  cl_command_queue queue;
  cl_command_queue upload_queue; /* of buffer_upload, made at its first use */
  Program *programs;
  uint64_t bytes, peak_bytes;
  double build_seconds;
  const struct GemmParameters *products; /* gemm.c; NULL: CLBlast's own database */
  struct GemmLibrary *gemm;              /* CLBlast (gemm.c); NULL: not loaded */
  void (*release_gemm)(Context *);       /* with what it keeps for this context; NULL: nothing */
  char fingerprint[33];
  bool remembers_nothing; /* its programs are not kept in the cache */
  char *part_of;          /* the driver's name of the device that it is a part of */
};

/* The name by which things are remembered: a part's programs and verdicts are those of its device. */
static inline const char *context_kind(const Context *context) {
  return context->part_of != NULL ? context->part_of : context->device.info.name;
}

struct Buffer {
  Context *context;
  cl_mem handle;
  size_t bytes;
  bool in_place; /* the caller's own memory: never written to */
  char *what;
};

/* ---- sources and programs (source.c, program.c, binary.c) ----------------------------------------------------------- */

/* The folder of SETOSA_KERNEL_DIR, or NULL. */
const char *source_folder(void);
/* The text of kernels/<name> with its includes resolved and #line directives; *text is zeroed before. Free with text_free. */
Status source_load(Text *text, const char *name, Error *error);
/* Adds every source that programs can be made of to a fingerprint, as source_load sees them. */
struct XXH3_state_s;
void source_add_all(struct XXH3_state_s *hash);

/* The program of kernels/<source>.cl with options: borrowed from the context. */
Status program_get(cl_program *program, Context *context, const char *source, const char *options, Error *error);
void program_free_all(Context *context);

/* The file of a program's binary, or false when there is no cache to use. */
bool binary_path(char *path, size_t size, const Context *context, const char *text, const char *options);
/* A built program from that file; NULL when it is absent, damaged or refused by the driver. Never an error: the source is there. */
cl_program binary_load(const Context *context, const char *path, const char *options);
void binary_save(const char *path, cl_program program);

#endif
