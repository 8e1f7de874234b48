/* The device of a test program that sees setosa.h alone: the one that $SETOSA_TEST_DEVICE names, or the best. */
#ifndef SETOSA_TESTS_SUPPORT_PUBLIC_DEVICE_H
#define SETOSA_TESTS_SUPPORT_PUBLIC_DEVICE_H

#include "support/support.h"

/* Set-up and tear-down of a group, as in support/device.h. */
int support_public_device_open(void **state);
int support_public_device_close(void **state);

/* The open device; without one the case is skipped. */
SetosaDevice *support_public_device(void);

#endif
