#include "support/device.h"

#include <stdlib.h>

static DeviceList *list;
static Context *context;
static size_t chosen;

int support_device_open(void **state) {
  (void)state;
  Error error = {0};
  if (device_list_open(&list, &error) != SETOSA_OK) {
    print_error("%s\n", error.message);
    return -1;
  }
  if (device_list_select(list, getenv("SETOSA_TEST_DEVICE"), false, &chosen, &error) != SETOSA_OK) return 0;
  if (context_open(&context, list, chosen, &error) == SETOSA_OK) return 0;
  print_error("%s\n", error.message);
  return -1;
}

int support_device_close(void **state) {
  (void)state;
  context_close(context);
  device_list_close(list);
  context = NULL;
  list = NULL;
  return 0;
}

Context *support_device(void) {
  if (context == NULL) support_skip("no usable OpenCL device");
  return context;
}

bool support_device_found(void) { return context != NULL; }
DeviceList *support_device_list(void) { return list; }
size_t support_device_index(void) { return chosen; }
