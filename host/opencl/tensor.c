/* The trial of tensor cores: one product of small matrices. */
#include "opencl/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cl_nv_device_attribute_query */
enum { COMPUTE_CAPABILITY_MAJOR = 0x4000, LEAST_CAPABILITY = 8 };
/* Those of kernels/tensor_trial.cl. */
enum { ROWS = 16, DEPTH = 8, COLUMNS = 8, LANES = 32 };

typedef enum Wish { WISH_NONE, WISH_NEVER, WISH_ALWAYS } Wish;

static Wish wish(void) {
  const char *text = getenv("SETOSA_TENSOR_CORES");
  if (text == NULL) return WISH_NONE;
  return strcmp(text, "0") == 0 ? WISH_NEVER : strcmp(text, "1") == 0 ? WISH_ALWAYS : WISH_NONE;
}

bool tensor_promised(cl_device_id device, DeviceVendor vendor) {
  cl_uint major = 0;
  if (vendor != VENDOR_NVIDIA || wish() == WISH_NEVER) return false;
  if (wish() == WISH_ALWAYS) return true;
  return clGetDeviceInfo(device, COMPUTE_CAPABILITY_MAJOR, sizeof major, &major, NULL) == CL_SUCCESS && major >= LEAST_CAPABILITY;
}

/* Numbers with all 24 bits, so that what tf32 would leave out shows. */
static float number(size_t i) { return (float)(1 + sin(1.0 + 2.0 * (double)i) / 3); }

/* Within f32's rounding of the sum of a row times a column. */
static bool is_right(const float *a, const float *b, const float *result) {
  const double bound = 8 * 0x1p-24;
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < COLUMNS; j++) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < DEPTH; k++) {
        double product = (double)a[i * DEPTH + k] * (double)b[k * COLUMNS + j];
        sum += product;
        size += fabs(product);
      }
      if (!(fabs((double)result[i * COLUMNS + j] - sum) <= bound * size)) return false; /* nor is NaN right */
    }
  return true;
}

bool tensor_works(Context *context) {
  float a[ROWS * DEPTH], b[DEPTH * COLUMNS], result[ROWS * COLUMNS];
  Kernel *kernel = NULL;
  Buffer *buffers[3] = {NULL, NULL, NULL};
  for (size_t i = 0; i < ROWS * DEPTH; i++) a[i] = number(i);
  for (size_t i = 0; i < DEPTH * COLUMNS; i++) b[i] = number(ROWS * DEPTH + i);
  memset(result, 0xff, sizeof result); /* NaN */
  bool ran = buffer_create(&buffers[0], context, sizeof a, "a trial", NULL) == SETOSA_OK &&
             buffer_create(&buffers[1], context, sizeof b, "a trial", NULL) == SETOSA_OK &&
             buffer_create(&buffers[2], context, sizeof result, "a trial", NULL) == SETOSA_OK &&
             kernel_create(&kernel, context, "tensor_trial", "", "tensor_trial", NULL) == SETOSA_OK &&
             buffer_write(buffers[0], 0, sizeof a, a, NULL) == SETOSA_OK && buffer_write(buffers[1], 0, sizeof b, b, NULL) == SETOSA_OK &&
             buffer_write(buffers[2], 0, sizeof result, result, NULL) == SETOSA_OK &&
             kernel_launch(kernel, ((KernelRange){{LANES, 1, 1}, {LANES, 1, 1}}), NULL, ARG(buffers[0]), ARG(buffers[1]),
                           ARG(buffers[2])) == SETOSA_OK &&
             buffer_read(buffers[2], 0, sizeof result, result, NULL) == SETOSA_OK;
  kernel_destroy(kernel);
  for (size_t i = 0; i < 3; i++) buffer_destroy(buffers[i]);
  return ran && is_right(a, b, result);
}

bool tensor_usable(Context *context) {
  if (!context->device.traits.tensor_cores) return false;
  return wish() == WISH_ALWAYS || tensor_works(context);
}
