/* Growth by devices: the same work on the first of the chosen devices, then on two, ... on all. */
#include "bench/scaling.h"

Status scaling_devices(const SetosaBenchScalingOptions *options, Error *error) {
  if (options->bench.device_count < 2)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "--scaling devices needs several devices; give --device for each of two or more of `setosa devices`");
  return error_set(
      error, SETOSA_ERROR_USAGE,
      "--scaling devices: one work on several devices at a time is not part of this version yet; give rows, features or classes");
}
