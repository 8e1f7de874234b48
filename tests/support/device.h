/* The OpenCL device of a test program: the one that $SETOSA_TEST_DEVICE names, or the best. */
#ifndef SETOSA_TESTS_SUPPORT_DEVICE_H
#define SETOSA_TESTS_SUPPORT_DEVICE_H

#include "opencl/context.h"
#include "support/support.h"

/* Set-up and tear-down of a group. Having no usable device is no failure yet: the cases that ask for it are skipped. One that cannot be
 * opened is. A program that opens a device several times, or several after one another, calls both with NULL. */
int support_device_open(void **state);
int support_device_close(void **state);

/* The open device; without one the case is skipped. _found: whether there is one. */
Context *support_device(void);
bool support_device_found(void);
/* The list it came from, and its place there. */
DeviceList *support_device_list(void);
size_t support_device_index(void);

#endif
