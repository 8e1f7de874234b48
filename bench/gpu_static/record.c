/* Preloaded (LD_PRELOAD) before a program that uses OpenCL: writes down what it has a device do, and can give a CPU device the looks of a
 * GPU, so that the program chooses the kernels, macros and sizes that it would choose there. Built by trace.py:
 *   cc -shared -fPIC -O1 -o record.so record.c -ldl
 *
 *   SETOSA_RECORD=FILE        JSON lines: programs, kernels, buffers, launches, copies in the order in which they were enqueued. Beside it
 *                             FILE.d/ with the source of each program, and contents of buffers
 *   SETOSA_RECORD_DEVICE=NAME every device answers as one of the table below; sub-buffers, alignment and extensions stay the driver's
 *   SETOSA_RECORD_DRY=1       nothing runs and nothing is copied: a launch, write, fill or copy succeeds at once, and a read gives floats
 * of 0.5 (as doubles 3e-5), which no check for finite or positive numbers refuses. A work of full size costs next to nothing, since a
 * driver for a CPU takes pages of a buffer when they are first touched SETOSA_RECORD_DATA=1      also the contents of all buffers of a
 * launch, before and after it; for small data SETOSA_RECORD_PARTS=N     recording ends with the N-th wait for a queue (clFinish) that comes
 * after launches; the program goes on
 *
 * `setosa bench` needs --force-device with DRY, since its self-test would find zeros; and it says FAILED after the first pass for the same
 * reason, which is all that is wanted: the launches of a pass stand between two waits. Kernels of limits.cl, with which it measures the
 * device, never run here; each takes a moment, so that the search for a long enough run ends at once. A device that claims to be another
 * has a fingerprint of its own, but verdicts and choices of the tuner go to a cache folder: give it one of its own (XDG_CACHE_HOME).
 * Processes that the program forks (trials of drivers) are not recorded. */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

enum { VALUE_MOST = 16 };

/* ---- devices ---------------------------------------------------------------------------------------------------------- */

typedef struct Profile {
  const char *key, *name, *vendor;
  cl_uint vendor_id, units, mhz;
  cl_ulong memory_gib, allocation_gib, local_kib;
  size_t group;
} Profile;

static const Profile profiles[] = {
    {"h100", "NVIDIA H100 80GB HBM3", "NVIDIA Corporation", 0x10de, 132, 1980, 80, 20, 48, 1024},
    {"a100", "NVIDIA A100-SXM4-40GB", "NVIDIA Corporation", 0x10de, 108, 1410, 40, 10, 48, 1024},
    {"t4", "Tesla T4", "NVIDIA Corporation", 0x10de, 40, 1590, 15, 4, 48, 1024},
    {"mi250x", "gfx90a:sramecc+:xnack-", "Advanced Micro Devices, Inc.", 0x1002, 110, 1700, 64, 54, 64, 1024},
    {"rx7900", "gfx1100", "Advanced Micro Devices, Inc.", 0x1002, 48, 2500, 24, 20, 64, 1024},
    {"a770", "Intel(R) Arc(TM) A770 Graphics", "Intel(R) Corporation", 0x8086, 512, 2400, 16, 4, 64, 1024},
    {"max1550", "Intel(R) Data Center GPU Max 1550", "Intel(R) Corporation", 0x8086, 512, 1600, 64, 64, 128, 1024},
};

/* ---- state ------------------------------------------------------------------------------------------------------------ */

typedef enum Kind { CONTEXT, QUEUE, PROGRAM, KERNEL, BUFFER } Kind;

typedef struct Argument {
  bool local, writable, buffer; /* buffer: a pointer to global or constant memory */
  size_t bytes;
  unsigned char value[VALUE_MOST];
} Argument;

/* What the program made; handles of released objects come back as those of others, so the newest one counts. */
typedef struct Object {
  struct Object *next;
  const void *handle;
  Kind kind;
  long id;
  struct Object *owner; /* of a queue, program or buffer its context, of a kernel its program, of a sub-buffer the whole buffer */
  size_t bytes, offset;
  bool limits;      /* a program that measures the device */
  uint64_t written; /* hash of the contents that were written last; 0: none were */
  char *name;
  cl_uint count;
  Argument *argument; /* (count) */
} Object;

static struct {
  pthread_mutex_t lock;
  const Profile *profile;
  const char *path;
  bool dry, data, launched;
  pid_t owner;
  long ids, parts, parts_most;
  FILE *out;
  Object *objects;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_set(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

__attribute__((noreturn)) static void give_up(const char *what, const char *name) {
  fprintf(stderr, "record: %s %s\n", what, name);
  exit(2);
}

__attribute__((constructor)) static void begin(void) {
  const char *device = getenv("SETOSA_RECORD_DEVICE");
  unsetenv("LD_PRELOAD"); /* the compilers that a driver starts are left alone */
  for (size_t i = 0; device != NULL && i < sizeof profiles / sizeof *profiles; i++)
    if (strcmp(profiles[i].key, device) == 0) state.profile = &profiles[i];
  if (device != NULL && state.profile == NULL) give_up("SETOSA_RECORD_DEVICE: no such device in the table:", device);
  state.path = getenv("SETOSA_RECORD");
  state.dry = is_set("SETOSA_RECORD_DRY");
  state.data = is_set("SETOSA_RECORD_DATA") && !state.dry;
  state.parts_most = is_set("SETOSA_RECORD_PARTS") ? strtol(getenv("SETOSA_RECORD_PARTS"), NULL, 10) : LONG_MAX;
  state.owner = getpid();
}

__attribute__((destructor)) static void end(void) {
  if (state.out != NULL && getpid() == state.owner) fclose(state.out);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(state.out, format, arguments);
  va_end(arguments);
}

static void say_text(const char *text) {
  fputc('"', state.out);
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', state.out);
    if ((unsigned char)*text < ' ')
      fprintf(state.out, "\\u%04x", (unsigned)*text);
    else
      fputc(*text, state.out);
  }
  fputc('"', state.out);
}

static void say_sizes(const char *name, cl_uint count, const size_t *sizes) {
  say(",\"%s\":[", name);
  for (cl_uint i = 0; i < count; i++) say("%s%zu", i > 0 ? "," : "", sizes != NULL ? sizes[i] : 0);
  say("]");
}

/* Locks, and opens the file at the first use. Whether to record; unlock() in any case. */
static bool lock(void) {
  char folder[PATH_MAX];
  pthread_mutex_lock(&state.lock);
  if (state.path == NULL || getpid() != state.owner || state.parts >= state.parts_most) return false;
  if (state.out != NULL) return true;
  snprintf(folder, sizeof folder, "%s.d", state.path);
  if (mkdir(folder, 0777) != 0 && errno != EEXIST) give_up("cannot make the folder", folder);
  state.out = fopen(state.path, "w");
  if (state.out == NULL) give_up("cannot write", state.path);
  say("{\"event\":\"begin\",\"dry\":%s,\"device\":", state.dry ? "true" : "false");
  say_text(state.profile != NULL ? state.profile->key : "");
  say("}\n");
  return true;
}

static void unlock(void) { pthread_mutex_unlock(&state.lock); }

static Object *find(Kind kind, const void *handle) {
  for (Object *object = state.objects; object != NULL; object = object->next)
    if (object->handle == handle && object->kind == kind) return object;
  return NULL;
}

static Object *add(Kind kind, const void *handle, Object *owner) {
  Object *object = calloc(1, sizeof *object);
  if (object == NULL) give_up("out of memory", "");
  object->next = state.objects;
  object->handle = handle;
  object->kind = kind;
  object->owner = owner;
  object->id = ++state.ids;
  state.objects = object;
  return object;
}

static long id_of(const Object *object) { return object != NULL ? object->id : 0; }

/* A multiple of 8 bytes at a time. */
static uint64_t hash_of(const unsigned char *bytes, size_t length) {
  uint64_t hash = 0x9e3779b97f4a7c15u ^ length, word;
  for (size_t i = 0; i < length; i += sizeof word) {
    word = 0;
    memcpy(&word, bytes + i, length - i < sizeof word ? length - i : sizeof word);
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash != 0 ? hash : 1;
}

/* FILE.d/HASH.SUFFIX, which is there already when the same was written before. */
static void write_file(uint64_t hash, const char *suffix, const void *bytes, size_t length) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s.d/%016" PRIx64 ".%s", state.path, hash, suffix);
  if (access(path, F_OK) == 0) return;
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) give_up("cannot write", path);
}

/* ---- what a device says ------------------------------------------------------------------------------------------------ */

static cl_int answer(const void *value, size_t length, size_t size, void *out, size_t *needed) {
  if (needed != NULL) *needed = length;
  if (out == NULL) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  memcpy(out, value, length);
  return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *out, size_t *needed) {
  const Profile *p = state.profile;
  const cl_uint one = 1;
  const cl_bool no = CL_FALSE;
  const cl_device_type type = CL_DEVICE_TYPE_GPU;
  const cl_device_local_mem_type local = CL_LOCAL;
  cl_ulong bytes;
#define ANSWER(value) return answer(&(value), sizeof(value), size, out, needed)
  switch (p != NULL ? what : 0) {
    case CL_DEVICE_NAME:
      return answer(p->name, strlen(p->name) + 1, size, out, needed);
    case CL_DEVICE_VENDOR:
      return answer(p->vendor, strlen(p->vendor) + 1, size, out, needed);
    case CL_DEVICE_VENDOR_ID:
      ANSWER(p->vendor_id);
    case CL_DEVICE_EXTENSIONS: {
      const char *words = p->vendor_id == 0x10de ? "cl_khr_byte_addressable_store cl_khr_fp64 cl_nv_compiler_options" : "cl_khr_byte_addressable_store";
      return answer(words, strlen(words) + 1, size, out, needed);
    }
    case CL_DEVICE_TYPE:
      ANSWER(type);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
      ANSWER(p->units);
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
      ANSWER(p->mhz);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      ANSWER(p->group);
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
      ANSWER(one);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
      ANSWER(no);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      ANSWER(local);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
      bytes = p->memory_gib << 30;
      ANSWER(bytes);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      bytes = p->allocation_gib << 30;
      ANSWER(bytes);
    case CL_DEVICE_LOCAL_MEM_SIZE:
      bytes = p->local_kib << 10;
      ANSWER(bytes);
    default:
      return REAL(clGetDeviceInfo)(device, what, size, out, needed);
  }
}

/* A kernel on tensor cores has scratch memory on PoCL, which multiplies in their place; what it takes on a card the vendor's compiler says. */
cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *out, size_t *needed) {
  cl_int code = REAL(clGetKernelWorkGroupInfo)(kernel, device, what, size, out, needed);
  if (code == CL_SUCCESS && what == CL_KERNEL_LOCAL_MEM_SIZE && state.profile != NULL && out != NULL && size >= sizeof(cl_ulong)) {
    cl_ulong there = (cl_ulong)state.profile->local_kib << 10;
    if (*(cl_ulong *)out > there) *(cl_ulong *)out = there;
  }
  return code;
}

/* ---- what is made ------------------------------------------------------------------------------------------------------ */

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user, cl_int *code) {
  cl_context made = REAL(clCreateContext)(properties, count, devices, notify, user, code);
  if (lock() && made != NULL) say("{\"event\":\"context\",\"id\":%ld}\n", add(CONTEXT, made, NULL)->id);
  unlock();
  return made;
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *code) {
  cl_command_queue made = REAL(clCreateCommandQueue)(context, device, properties, code);
  if (lock() && made != NULL) {
    Object *owner = find(CONTEXT, context);
    say("{\"event\":\"queue\",\"id\":%ld,\"context\":%ld}\n", add(QUEUE, made, owner)->id, id_of(owner));
  }
  unlock();
  return made;
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *code) {
  cl_mem made = REAL(clCreateBuffer)(context, flags, bytes, host, code);
  if (lock() && made != NULL) {
    Object *buffer = add(BUFFER, made, find(CONTEXT, context));
    buffer->bytes = bytes;
    say("{\"event\":\"buffer\",\"id\":%ld,\"context\":%ld,\"bytes\":%zu}\n", buffer->id, id_of(buffer->owner), bytes);
  }
  unlock();
  return made;
}

cl_mem clCreateSubBuffer(cl_mem whole, cl_mem_flags flags, cl_buffer_create_type type, const void *region, cl_int *code) {
  cl_mem made = REAL(clCreateSubBuffer)(whole, flags, type, region, code);
  if (lock() && made != NULL && type == CL_BUFFER_CREATE_TYPE_REGION) {
    const cl_buffer_region *part = region;
    Object *buffer = add(BUFFER, made, find(BUFFER, whole));
    buffer->bytes = part->size;
    buffer->offset = part->origin;
    say("{\"event\":\"buffer\",\"id\":%ld,\"parent\":%ld,\"offset\":%zu,\"bytes\":%zu}\n", buffer->id, id_of(buffer->owner), buffer->offset,
        buffer->bytes);
  }
  unlock();
  return made;
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  size_t bytes = 0;
  char *text = NULL;
  cl_context context = NULL;
  clGetProgramInfo(program, CL_PROGRAM_CONTEXT, sizeof context, &context, NULL);
  clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &bytes);
  if (bytes > 0) text = calloc(bytes, 1);
  if (text != NULL) clGetProgramInfo(program, CL_PROGRAM_SOURCE, bytes, text, NULL);
  if (lock()) {
    Object *made = add(PROGRAM, program, find(CONTEXT, context));
    uint64_t hash = text != NULL ? hash_of((unsigned char *)text, strlen(text)) : 0;
    if (text != NULL) write_file(hash, "cl", text, strlen(text));
    made->limits = text != NULL && strstr(text, "\"kernels/limits.cl\"") != NULL;
    say("{\"event\":\"program\",\"id\":%ld,\"context\":%ld,\"source\":\"%016" PRIx64 ".cl\",\"options\":", made->id, id_of(made->owner),
        hash);
    say_text(options != NULL ? options : "");
    say("}\n");
  }
  unlock();
  free(text);
  /* What NVIDIA's compiler alone understands is recorded, but not handed to the driver that plays its part. */
  char known[1024];
  const char *bound = state.profile != NULL && options != NULL ? strstr(options, "-cl-nv-maxrregcount=") : NULL;
  if (bound != NULL && strlen(options) < sizeof known) {
    snprintf(known, sizeof known, "%.*s%s", (int)(bound - options), options, bound + strcspn(bound, " "));
    options = known;
  }
  return REAL(clBuildProgram)(program, count, devices, options, notify, user);
}

/* One argument as the kernel declares it. */
static void describe_argument(cl_kernel kernel, cl_uint index, Argument *argument) {
  char name[64] = "", type[64] = "";
  cl_kernel_arg_address_qualifier space = CL_KERNEL_ARG_ADDRESS_PRIVATE;
  cl_kernel_arg_type_qualifier qualifier = CL_KERNEL_ARG_TYPE_NONE;
  clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_NAME, sizeof name, name, NULL);
  clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_TYPE_NAME, sizeof type, type, NULL);
  clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space, NULL);
  clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof qualifier, &qualifier, NULL);
  argument->local = space == CL_KERNEL_ARG_ADDRESS_LOCAL;
  argument->buffer = space == CL_KERNEL_ARG_ADDRESS_GLOBAL || space == CL_KERNEL_ARG_ADDRESS_CONSTANT;
  argument->writable = space == CL_KERNEL_ARG_ADDRESS_GLOBAL && (qualifier & CL_KERNEL_ARG_TYPE_CONST) == 0;
  say("%s{\"name\":\"%s\",\"type\":\"%s\",\"space\":\"%s\",\"writable\":%s}", index > 0 ? "," : "", name, type,
      argument->local    ? "local"
      : argument->buffer ? "global"
                         : "private",
      argument->writable ? "true" : "false");
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
  cl_kernel made = REAL(clCreateKernel)(program, name, code);
  if (lock() && made != NULL) {
    Object *kernel = add(KERNEL, made, find(PROGRAM, program));
    kernel->name = strdup(name);
    clGetKernelInfo(made, CL_KERNEL_NUM_ARGS, sizeof kernel->count, &kernel->count, NULL);
    kernel->argument = calloc(kernel->count + 1, sizeof *kernel->argument);
    if (kernel->argument == NULL) give_up("out of memory", "");
    say("{\"event\":\"kernel\",\"id\":%ld,\"program\":%ld,\"name\":\"%s\",\"arguments\":[", kernel->id, id_of(kernel->owner), name);
    for (cl_uint i = 0; i < kernel->count; i++) describe_argument(made, i, &kernel->argument[i]);
    say("]}\n");
  }
  unlock();
  return made;
}

cl_int clSetKernelArg(cl_kernel handle, cl_uint index, size_t size, const void *value) {
  cl_int code = REAL(clSetKernelArg)(handle, index, size, value);
  Object *kernel;
  if (lock() && code == CL_SUCCESS && (kernel = find(KERNEL, handle)) != NULL && index < kernel->count) {
    Argument *argument = &kernel->argument[index];
    argument->bytes = size;
    memset(argument->value, 0, sizeof argument->value);
    if (value != NULL && size <= VALUE_MOST) memcpy(argument->value, value, size);
  }
  unlock();
  return code;
}

/* ---- what is enqueued -------------------------------------------------------------------------------------------------- */

static Object *buffer_of(const Argument *argument) {
  cl_mem handle = NULL;
  if (!argument->buffer) return NULL;
  memcpy(&handle, argument->value, sizeof handle);
  return handle != NULL ? find(BUFFER, handle) : NULL;
}

static void say_argument(const Argument *argument) {
  const Object *buffer = buffer_of(argument);
  if (argument->local) {
    say("{\"local\":%zu}", argument->bytes);
  } else if (argument->buffer) {
    say("{\"buffer\":%ld}", id_of(buffer));
  } else {
    say("{\"value\":\"");
    for (size_t i = 0; i < argument->bytes && i < VALUE_MOST; i++) say("%02x", argument->value[i]);
    say("\"}");
  }
}

/* The contents of all whole buffers that arguments are or lie in (those that may be written, afterwards), each once. */
static void say_contents(const char *name, cl_command_queue queue, const Object *kernel, bool written_only) {
  bool first = true;
  say(",\"%s\":{", name);
  for (cl_uint i = 0; i < kernel->count; i++) {
    const Argument *argument = &kernel->argument[i];
    Object *buffer = buffer_of(argument);
    if (buffer == NULL || (written_only && !argument->writable)) continue;
    if (buffer->owner != NULL && buffer->owner->kind == BUFFER) buffer = buffer->owner;
    unsigned char *bytes = malloc(buffer->bytes);
    if (bytes == NULL ||
        REAL(clEnqueueReadBuffer)(queue, (cl_mem)buffer->handle, CL_TRUE, 0, buffer->bytes, bytes, 0, NULL, NULL) != CL_SUCCESS)
      give_up("cannot read a buffer of", kernel->name);
    uint64_t hash = hash_of(bytes, buffer->bytes);
    if (hash != buffer->written) write_file(hash, "bin", bytes, buffer->bytes);
    buffer->written = hash;
    say("%s\"%ld\":\"%016" PRIx64 ".bin\"", first ? "" : ",", buffer->id, hash);
    first = false;
    free(bytes);
  }
  say("}");
}

/* A command that is left out still gives the event that is asked for. */
static cl_int skip(cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event) {
  return event != NULL ? REAL(clEnqueueMarkerWithWaitList)(queue, count, events, event) : CL_SUCCESS;
}

#define WAITS cl_uint count, const cl_event *events, cl_event *event

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel handle, cl_uint dimensions, const size_t *offset, const size_t *global,
                              const size_t *local, WAITS) {
  const Object *kernel = NULL;
  cl_int code = CL_SUCCESS;
  bool recorded = lock() && (kernel = find(KERNEL, handle)) != NULL,
       limits = kernel != NULL && kernel->owner != NULL && kernel->owner->limits;
  if (recorded && !limits) {
    state.launched = true;
    say("{\"event\":\"launch\",\"kernel\":%ld,\"context\":%ld", kernel->id, id_of(kernel->owner != NULL ? kernel->owner->owner : NULL));
    if (offset != NULL) say_sizes("offset", dimensions, offset);
    say_sizes("global", dimensions, global);
    if (local != NULL) say_sizes("local", dimensions, local);
    say(",\"arguments\":[");
    for (cl_uint i = 0; i < kernel->count; i++) {
      if (i > 0) say(",");
      say_argument(&kernel->argument[i]);
    }
    say("]");
    if (state.data) say_contents("before", queue, kernel, false);
  }
  if (limits) {
    const struct timespec moment = {.tv_nsec = 22000000};
    unlock();
    if (strcmp(kernel->name, "launch_empty") != 0) nanosleep(&moment, NULL);
    return skip(queue, count, events, event);
  }
  code = state.dry ? skip(queue, count, events, event)
                   : REAL(clEnqueueNDRangeKernel)(queue, handle, dimensions, offset, global, local, count, events, event);
  if (recorded) {
    if (state.data && code == CL_SUCCESS) say_contents("after", queue, kernel, true);
    say("}\n");
  }
  unlock();
  return code;
}

/* A copy between a buffer and the host, or a fill. */
static void say_access(const char *event, cl_command_queue queue, cl_mem buffer, size_t offset, size_t bytes, bool waits) {
  if (lock()) {
    const Object *from = find(QUEUE, queue);
    say("{\"event\":\"%s\",\"context\":%ld,\"buffer\":%ld,\"offset\":%zu,\"bytes\":%zu,\"waits\":%s}\n", event,
        id_of(from != NULL ? from->owner : NULL), id_of(find(BUFFER, buffer)), offset, bytes, waits ? "true" : "false");
  }
  unlock();
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, void *host, WAITS) {
  const float half = 0.5f;
  say_access("read", queue, buffer, offset, bytes, blocking);
  if (!state.dry) return REAL(clEnqueueReadBuffer)(queue, buffer, blocking, offset, bytes, host, count, events, event);
  for (size_t i = 0; i < bytes; i++) ((unsigned char *)host)[i] = ((const unsigned char *)&half)[i % sizeof half];
  return skip(queue, count, events, event);
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes, const void *host, WAITS) {
  say_access("write", queue, buffer, offset, bytes, blocking);
  if (state.dry) return skip(queue, count, events, event);
  return REAL(clEnqueueWriteBuffer)(queue, buffer, blocking, offset, bytes, host, count, events, event);
}

/* Fresh pages of much memory are zero, and only the memory that limits.cl reads is so large and cleared whole. */
cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_bytes, size_t offset, size_t bytes,
                           WAITS) {
  const size_t much = (size_t)256 << 20;
  say_access("fill", queue, buffer, offset, bytes, false);
  if (state.dry || (bytes >= much && *(const unsigned char *)pattern == 0)) return skip(queue, count, events, event);
  return REAL(clEnqueueFillBuffer)(queue, buffer, pattern, pattern_bytes, offset, bytes, count, events, event);
}

cl_int clEnqueueCopyBuffer(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t bytes, WAITS) {
  if (lock()) {
    const Object *at = find(QUEUE, queue);
    say("{\"event\":\"copy\",\"context\":%ld,\"from\":%ld,\"from_offset\":%zu,\"buffer\":%ld,\"offset\":%zu,\"bytes\":%zu}\n",
        id_of(at != NULL ? at->owner : NULL), id_of(find(BUFFER, from)), from_offset, id_of(find(BUFFER, to)), to_offset, bytes);
  }
  unlock();
  if (state.dry) return skip(queue, count, events, event);
  return REAL(clEnqueueCopyBuffer)(queue, from, to, from_offset, to_offset, bytes, count, events, event);
}

cl_int clFinish(cl_command_queue queue) {
  if (lock()) {
    const Object *at = find(QUEUE, queue);
    say("{\"event\":\"finish\",\"context\":%ld}\n", id_of(at != NULL ? at->owner : NULL));
    state.parts += state.launched;
    state.launched = false;
    fflush(state.out);
  }
  unlock();
  return REAL(clFinish)(queue);
}
