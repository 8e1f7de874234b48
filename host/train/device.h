/* The opened device as the other files of this layer see it. */
#ifndef SETOSA_TRAIN_DEVICE_H
#define SETOSA_TRAIN_DEVICE_H

#include "opencl/context.h"

struct SetosaDevice {
  Context *context;
};

#endif
