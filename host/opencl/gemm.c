/* Products by CLBlast. Its kernels take offsets and indices as 32-bit int, so that every matrix goes to it as a buffer of its own (a
 * sub-buffer), whose elements can be counted in 31 bits; an offset would also make it copy the matrix. It adds "-cl-std=CL1.1" to its build
 * and no relaxed mathematics (src/utilities/utilities.cpp, SetOpenCLKernelStandard); only a user's CLBLAST_BUILD_OPTIONS could. */
#include "opencl/gemm.h"

#include <clblast_c.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/library.h"
#include "base/memory.h"
#include "opencl/internal.h"

/* The functions that are used, under CLBlast's own names. */
typedef struct GemmLibrary {
  __typeof__(CLBlastOverrideParameters) *CLBlastOverrideParameters;
  __typeof__(CLBlastSGemmTempBufferSize) *CLBlastSGemmTempBufferSize;
  __typeof__(CLBlastSgemmWithTempBuffer) *CLBlastSgemmWithTempBuffer;
  __typeof__(CLBlastClearCache) *CLBlastClearCache;
} GemmLibrary;

/* CLBlast's own codes; those of OpenCL have their names already. */
static const char *status_name(CLBlastStatusCode code) {
  switch (code) {
    case CLBlastNotImplemented:
      return "CLBlastNotImplemented";
    case CLBlastInvalidMatrixA:
    case CLBlastInvalidMatrixB:
    case CLBlastInvalidMatrixC:
      return "CLBlastInvalidMatrix";
    case CLBlastInvalidDimension:
      return "CLBlastInvalidDimension";
    case CLBlastInvalidLeadDimA:
    case CLBlastInvalidLeadDimB:
    case CLBlastInvalidLeadDimC:
      return "CLBlastInvalidLeadDim";
    case CLBlastInsufficientMemoryA:
    case CLBlastInsufficientMemoryB:
    case CLBlastInsufficientMemoryC:
      return "CLBlastInsufficientMemory";
    case CLBlastInsufficientMemoryTemp:
      return "CLBlastInsufficientMemoryTemp";
    case CLBlastInvalidOverrideKernel:
      return "CLBlastInvalidOverrideKernel";
    case CLBlastMissingOverrideParameter:
      return "CLBlastMissingOverrideParameter";
    case CLBlastInvalidLocalMemUsage:
      return "CLBlastInvalidLocalMemUsage";
    case CLBlastDatabaseError:
      return "CLBlastDatabaseError";
    case CLBlastUnknownError:
      return "CLBlastUnknownError";
    case CLBlastUnexpectedError:
      return "CLBlastUnexpectedError";
    default:
      return "an unknown code";
  }
}

static Status check(CLBlastStatusCode code, const Context *context, const char *doing, Error *error) {
  enum { LAST_OPENCL_CODE = -1000 };
  if (code == CLBlastSuccess) return SETOSA_OK;
  if ((int)code > LAST_OPENCL_CODE) {
    opencl_fail(error, (cl_int)code, "%s: CLBlast cannot %s", context->device.info.name, doing);
    return SETOSA_ERROR_DEVICE;
  }
  return error_set_opencl(error, SETOSA_ERROR_DEVICE, (int)code, "%s: CLBlast cannot %s: %s (%d); use --backend native",
                          context->device.info.name, doing, status_name(code), (int)code);
}

/* ---- loading ------------------------------------------------------------------------------------------------------- */

/* CLBlast keeps the programs of a context, and with them the context, for the life of the process, unless it is told. */
static void release_library(Context *context) {
  context->gemm->CLBlastClearCache();
  free(context->gemm);
  context->gemm = NULL;
}

Status gemm_load(Context *context, Error *error) {
  static const char *const names[] = {SETOSA_CLBLAST_FILE, SETOSA_CLBLAST_PATH, "libclblast.so.1", "libclblast.so", NULL};
  Status status = SETOSA_OK;
  void *library = NULL;
  GemmLibrary *gemm = NULL;
  if (context->gemm != NULL) return SETOSA_OK;
  TRY(library_load(&library, names, "install libclblast1, or leave out --backend clblast", error));
  TRY(memory_allocate_zero((void **)&gemm, 1, sizeof *gemm, "the functions of CLBlast", error));
  TRY(LIBRARY_FUNCTION(library, gemm, CLBlastOverrideParameters, error));
  TRY(LIBRARY_FUNCTION(library, gemm, CLBlastSGemmTempBufferSize, error));
  TRY(LIBRARY_FUNCTION(library, gemm, CLBlastSgemmWithTempBuffer, error));
  TRY(LIBRARY_FUNCTION(library, gemm, CLBlastClearCache, error));
  context->gemm = gemm;
  context->release_gemm = release_library;
  gemm = NULL;
cleanup:
  free(gemm);
  return status;
}

/* ---- products --------------------------------------------------------------------------------------------------- */

/* A matrix as CLBlast sees it: a buffer that begins at most an alignment before it. */
typedef struct Window {
  cl_mem handle;
  size_t offset; /* elements */
} Window;

static size_t alignment_bytes(const Context *context) {
  cl_uint bits = 0;
  if (clGetDeviceInfo(context->device.id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL) != CL_SUCCESS || bits < 8) return 4096;
  return bits / 8;
}

/* rows x columns elements at matrix->offset. Release the handle when the product is enqueued: the queue holds it as long as it needs. */
static Status open_window(Window *window, const Context *context, const GemmMatrix *matrix, size_t rows, size_t columns, Error *error) {
  Status status = SETOSA_OK;
  cl_int code = CL_SUCCESS;
  size_t elements = matrix->buffer->bytes / sizeof(float), needed = 0;
  if (columns > matrix->stride || rows - 1 > (SIZE_MAX / sizeof(float) - columns) / matrix->stride)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: %zu rows of %zu do not fit a stride of %zu; please report this",
                     matrix->buffer->what, rows, columns, matrix->stride);
  needed = (rows - 1) * matrix->stride + columns;
  if (matrix->offset > elements || needed > elements - matrix->offset)
    return error_set(error, SETOSA_ERROR_INTERNAL, "%s: %zu elements at %zu of %zu were asked for; please report this",
                     matrix->buffer->what, needed, matrix->offset, elements);
  size_t alignment = alignment_bytes(context), begin = matrix->offset * sizeof(float) / alignment * alignment;
  window->offset = matrix->offset - begin / sizeof(float);
  if (needed > INT32_MAX - window->offset)
    return error_set(error, SETOSA_ERROR_DEVICE, "%s: %zu elements are more than CLBlast can count; use --backend native",
                     matrix->buffer->what, needed);
  if (begin == 0) {
    TRY_CL(clRetainMemObject(matrix->buffer->handle), "%s: cannot use the buffer", matrix->buffer->what);
    window->handle = matrix->buffer->handle; /* from here on there is something to release */
  } else {
    cl_buffer_region region = {begin, (window->offset + needed) * sizeof(float)};
    window->handle = clCreateSubBuffer(matrix->buffer->handle, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    TRY_CL(code, "%s: cannot take a part of the buffer", matrix->buffer->what);
  }
cleanup:
  return status;
}

static void close_window(Window *window) {
  if (window->handle != NULL) clReleaseMemObject(window->handle);
}

static CLBlastTranspose transpose_of(const GemmMatrix *matrix) { return matrix->transposed ? CLBlastTransposeYes : CLBlastTransposeNo; }

static Status grow_temporary(Buffer **temporary, Context *context, size_t bytes, Error *error) {
  if (*temporary != NULL && (*temporary)->bytes >= bytes) return SETOSA_OK;
  Status status = context_finish(context, error); /* nothing enqueued may still use the old one */
  if (status != SETOSA_OK) return status;
  buffer_destroy(*temporary);
  *temporary = NULL;
  return buffer_create(temporary, context, bytes > 0 ? bytes : sizeof(float), "CLBlast's copies of factors", error);
}

static const char *const tile_names[GEMM_TILE_COUNT] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                                        "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};

static Status set_tiles(const Context *context, const size_t tiles[GEMM_TILE_COUNT], Error *error) {
  const char *names[GEMM_TILE_COUNT];
  memcpy(names, tile_names, sizeof tile_names);
  return check(context->gemm->CLBlastOverrideParameters(context->device.id, "Xgemm", CLBlastPrecisionSingle, GEMM_TILE_COUNT, names, tiles),
               context, "take the parameters of Xgemm", error);
}

/* Whether the left factor is better taken in rows, as GEMMK=1 does. Sets the tiles of that choice: they belong to the process, and another
 * context may have set others meanwhile. A program is built once for each set. */
static Status choose_tiles(bool *in_rows, const Context *context, const GemmProduct *p, Error *error) {
  const GemmParameters *parameters = context->products;
  *in_rows = false;
  if (parameters == NULL || parameters->row_columns == 0) return SETOSA_OK;
  size_t depth = parameters->row_tiles[GEMM_KWG] * parameters->row_tiles[GEMM_KREG];
  *in_rows = !p->a.transposed && p->n <= parameters->row_columns && p->a.stride == p->k && p->k % depth == 0;
  return set_tiles(context, *in_rows ? parameters->row_tiles : parameters->tiles, error);
}

/* Both ways to say C = A B to CLBlast. As column-major C' = B' A' its kernel 0 writes C where it lies, and takes X as it is in R' X; as
 * row-major its kernel 1 takes a left factor in rows. */
Status gemm_multiply(Context *context, const GemmProduct *p, Buffer **temporary, Error *error) {
  Status status = SETOSA_OK;
  Window a = {0}, b = {0}, c = {0};
  size_t bytes = 0;
  bool in_rows = false;
  const GemmMatrix *left = &p->a, *right = &p->b;
  TRY(gemm_load(context, error));
  TRY(open_window(&a, context, left, left->transposed ? p->k : p->m, left->transposed ? p->m : p->k, error));
  TRY(open_window(&b, context, right, right->transposed ? p->n : p->k, right->transposed ? p->k : p->n, error));
  TRY(open_window(&c, context, &p->c, p->m, p->n, error));
  TRY(choose_tiles(&in_rows, context, p, error));
  CLBlastLayout layout = in_rows ? CLBlastLayoutRowMajor : CLBlastLayoutColMajor;
  const GemmMatrix *first = in_rows ? left : right, *second = in_rows ? right : left;
  const Window *one = in_rows ? &a : &b, *two = in_rows ? &b : &a;
  size_t m = in_rows ? p->m : p->n, n = in_rows ? p->n : p->m;
  TRY(check(
      context->gemm->CLBlastSGemmTempBufferSize(layout, transpose_of(first), transpose_of(second), m, n, p->k, one->offset, first->stride,
                                                two->offset, second->stride, c.offset, p->c.stride, &context->queue, &bytes),
      context, "plan a product", error));
  TRY(grow_temporary(temporary, context, bytes, error));
  double start = clock_seconds();
  TRY(check(context->gemm->CLBlastSgemmWithTempBuffer(layout, transpose_of(first), transpose_of(second), m, n, p->k, 1.0f, one->handle,
                                                      one->offset, first->stride, two->handle, two->offset, second->stride, p->beta,
                                                      c.handle, c.offset, p->c.stride, &context->queue, NULL, (*temporary)->handle),
            context, "multiply matrices", error));
  /* Enqueuing takes microseconds; what takes longer is its compiler, at the first product with these parameters. */
  double seconds = clock_seconds() - start;
  if (seconds > 0.05) context->build_seconds += seconds;
cleanup:
  close_window(&a);
  close_window(&b);
  close_window(&c);
  return status;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static const char *const direct_tile_names[GEMM_DIRECT_TILE_COUNT] = {"KWID", "MDIMAD", "MDIMCD", "NDIMBD", "NDIMCD",
                                                                      "PADA", "PADB",   "VWMD",   "VWND",   "WGD"};

/* What Setosa was built with. */
static unsigned built_version(void) { return CLBLAST_VERSION_MAJOR * 10000 + CLBLAST_VERSION_MINOR * 100 + CLBLAST_VERSION_PATCH; }

static bool divides(size_t divisor, size_t value) { return divisor != 0 && value % divisor == 0; }

/* The rules of CLBlast's own tuners (src/tuning/kernels/xgemm.hpp, xgemm_direct.hpp), which the library does not check: a set that breaks
 * one computes wrong numbers without a word, or reads past the end of its buffers. */
static const char *tiles_problem(const size_t t[GEMM_TILE_COUNT], unsigned version) {
  for (int i = 0; i < GEMM_TILE_COUNT; i++)
    if (t[i] == 0 && i != GEMM_GEMMK && i != GEMM_SA && i != GEMM_SB && i != GEMM_STRM && i != GEMM_STRN) return "a tile size is 0";
  if (t[GEMM_GEMMK] > 1) return "GEMMK is neither 0 nor 1";
  if (t[GEMM_GEMMK] == 1 && t[GEMM_MWG] != t[GEMM_NWG] && version < 10603)
    return "GEMMK=1 with MWG != NWG computes wrong results below CLBlast 1.6.3";
  if (!divides(t[GEMM_KWI], t[GEMM_KWG])) return "KWG is no multiple of KWI";
  if (!divides(t[GEMM_MDIMC] * t[GEMM_VWM], t[GEMM_MWG])) return "MWG is no multiple of MDIMC * VWM";
  if (!divides(t[GEMM_NDIMC] * t[GEMM_VWN], t[GEMM_NWG])) return "NWG is no multiple of NDIMC * VWN";
  if (!divides(t[GEMM_MDIMA] * t[GEMM_VWM], t[GEMM_MWG])) return "MWG is no multiple of MDIMA * VWM";
  if (!divides(t[GEMM_NDIMB] * t[GEMM_VWN], t[GEMM_NWG])) return "NWG is no multiple of NDIMB * VWN";
  if (t[GEMM_GEMMK] == 1) {
    if (!divides(t[GEMM_VWN], t[GEMM_KREG])) return "KREG is no multiple of VWN, so that GEMMK=1 adds nothing up";
    if (t[GEMM_SA] != 0 || t[GEMM_SB] != 0) return "GEMMK=1 has no local memory (SA, SB)";
    if (t[GEMM_MDIMA] != t[GEMM_MDIMC] || t[GEMM_NDIMB] != t[GEMM_NDIMC]) return "GEMMK=1 needs MDIMA = MDIMC and NDIMB = NDIMC";
    return NULL;
  }
  size_t items = t[GEMM_MDIMC] * t[GEMM_NDIMC];
  if (t[GEMM_KREG] != 1) return "GEMMK=0 needs KREG=1";
  if (!divides(t[GEMM_MDIMA], items) || !divides(items / t[GEMM_MDIMA], t[GEMM_KWG])) return "KWG is no multiple of MDIMC * NDIMC / MDIMA";
  if (!divides(t[GEMM_NDIMB], items) || !divides(items / t[GEMM_NDIMB], t[GEMM_KWG])) return "KWG is no multiple of MDIMC * NDIMC / NDIMB";
  return NULL;
}

static const char *direct_tiles_problem(const size_t d[GEMM_DIRECT_TILE_COUNT]) {
  for (int i = 0; i < GEMM_DIRECT_TILE_COUNT; i++)
    if (d[i] == 0 && i != GEMM_PADA && i != GEMM_PADB) return "a tile size of XgemmDirect is 0";
  size_t items = d[GEMM_MDIMCD] * d[GEMM_NDIMCD];
  if (!divides(d[GEMM_KWID], d[GEMM_WGD])) return "WGD is no multiple of KWID";
  if (!divides(d[GEMM_MDIMCD] * d[GEMM_VWMD], d[GEMM_WGD])) return "WGD is no multiple of MDIMCD * VWMD";
  if (!divides(d[GEMM_NDIMCD] * d[GEMM_VWND], d[GEMM_WGD])) return "WGD is no multiple of NDIMCD * VWND";
  if (!divides(d[GEMM_MDIMAD] * d[GEMM_VWMD], d[GEMM_WGD])) return "WGD is no multiple of MDIMAD * VWMD";
  if (!divides(d[GEMM_NDIMBD] * d[GEMM_VWND], d[GEMM_WGD])) return "WGD is no multiple of NDIMBD * VWND";
  if (!divides(d[GEMM_MDIMAD], items) || !divides(items / d[GEMM_MDIMAD], d[GEMM_WGD]))
    return "WGD is no multiple of MDIMCD * NDIMCD / MDIMAD";
  if (!divides(d[GEMM_NDIMBD], items) || !divides(items / d[GEMM_NDIMBD], d[GEMM_WGD]))
    return "WGD is no multiple of MDIMCD * NDIMCD / NDIMBD";
  return NULL;
}

const char *gemm_parameters_problem(const GemmParameters *parameters, unsigned version) {
  const char *problem = tiles_problem(parameters->tiles, version);
  if (problem == NULL) problem = direct_tiles_problem(parameters->direct_tiles);
  if (problem == NULL && parameters->row_columns > 0) {
    problem = tiles_problem(parameters->row_tiles, version);
    if (problem == NULL && parameters->row_tiles[GEMM_GEMMK] != 1) problem = "the tiles for rows are not of GEMMK=1";
  }
  return problem;
}

Status gemm_set_parameters(Context *context, const GemmParameters *parameters, Error *error) {
  Status status = SETOSA_OK;
  const char *problem = gemm_parameters_problem(parameters, built_version());
  const char *names[GEMM_DIRECT_TILE_COUNT], *min_indirect_size = "XGEMM_MIN_INDIRECT_SIZE";
  if (problem != NULL) return error_set(error, SETOSA_ERROR_USAGE, "CLBlast's parameters are refused: %s; choose others", problem);
  TRY(gemm_load(context, error));
  TRY(set_tiles(context, parameters->tiles, error));
  memcpy(names, direct_tile_names, sizeof direct_tile_names);
  TRY(check(context->gemm->CLBlastOverrideParameters(context->device.id, "XgemmDirect", CLBlastPrecisionSingle, GEMM_DIRECT_TILE_COUNT,
                                                     names, parameters->direct_tiles),
            context, "take the parameters of XgemmDirect", error));
  TRY(check(context->gemm->CLBlastOverrideParameters(context->device.id, "GemmRoutine", CLBlastPrecisionSingle, 1, &min_indirect_size,
                                                     &parameters->min_indirect_size),
            context, "take the parameters of GemmRoutine", error));
  context->products = parameters;
cleanup:
  return status;
}
