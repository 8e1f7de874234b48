#include "support/public_device.h"

#include <stdlib.h>

static SetosaDevices *devices;
static SetosaDevice *device;

int support_public_device_open(void **state) {
  (void)state;
  SetosaError error = {0};
  size_t index = 0;
  if (setosa_devices_open(&devices, &error) != SETOSA_OK) {
    print_error("%s\n", error.message);
    return -1;
  }
  if (setosa_devices_select(devices, getenv("SETOSA_TEST_DEVICE"), false, &index, &error) != SETOSA_OK) return 0;
  if (setosa_device_open(&device, devices, index, false, &error) == SETOSA_OK) return 0;
  print_error("%s\n", error.message);
  return -1;
}

int support_public_device_close(void **state) {
  (void)state;
  setosa_device_close(device);
  setosa_devices_close(devices);
  device = NULL;
  devices = NULL;
  return 0;
}

SetosaDevice *support_public_device(void) {
  if (device == NULL) support_skip("no usable OpenCL device");
  return device;
}
