/* planted CASE: a kernel with one mistake, to see that run.sh's settings of oclgrind report it.
 * race: two work-items write one place; uninitialized: a value that nobody wrote decides; bounds: a write past the end. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <string.h>

static const char *source =
    "kernel void race(global float *x) { x[0] = (float)get_global_id(0); }\n"
    "kernel void uninitialized(global float *x) { if (x[1] > 0.0f) x[0] = 1.0f; }\n"
    "kernel void bounds(global float *x) { x[100] = 1.0f; }\n"
    "kernel void clean(global float *x) { x[get_global_id(0)] = 1.0f; }\n";

int main(int argc, char **argv) {
  cl_platform_id platform;
  cl_device_id device;
  cl_int code = CL_SUCCESS;
  size_t items = 2;
  if (argc != 2 || clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS) return 2;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS) return 2;
  cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
  cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &code);
  if (clBuildProgram(program, 1, &device, "", NULL, NULL) != CL_SUCCESS) return 2;
  cl_kernel kernel = clCreateKernel(program, argv[1], &code);
  cl_mem x = clCreateBuffer(context, CL_MEM_READ_WRITE, 2 * sizeof(float), NULL, &code);
  if (kernel == NULL || clSetKernelArg(kernel, 0, sizeof x, &x) != CL_SUCCESS) return 2;
  if (clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL) != CL_SUCCESS) return 2;
  clFinish(queue);
  clReleaseMemObject(x);
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  clReleaseCommandQueue(queue);
  clReleaseContext(context);
  return 0;
}
