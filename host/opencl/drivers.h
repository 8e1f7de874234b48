/* The drivers of this machine: which of them are used, and what is said of those that are not. */
#ifndef SETOSA_OPENCL_DRIVERS_H
#define SETOSA_OPENCL_DRIVERS_H

#include "base/text.h"
#include "opencl/vendors.h"
#include "opencl/verdict.h"

typedef struct Drivers {
  Vendors vendors;
  Verdict *verdicts; /* (vendors.count) */
  char **warnings;   /* one line each, NULL-ended */
  char *used;        /* the value of OCL_ICD_VENDORS that leaves out those that fail; NULL: the loader may load them all */
  char *advised;     /* one that leaves out those with a lost device, too; NULL when nothing is lost, or nothing would be left */
  char *temporary;   /* a folder that goes with this; NULL */
  bool none_left;    /* some fail, and nothing else is there */
  bool untried;      /* one of those that fail, since no process could be started to try it */
} Drivers;

/* Finds the drivers, and tries those in a child process that nothing is known about. To be called before the first OpenCL call of the
 * process; zero-initialise *drivers. A driver that fails is no error. */
Status drivers_open(Drivers *drivers, Error *error);
void drivers_close(Drivers *drivers);
/* Around the first OpenCL call: the loader leaves out those that fail. */
Status drivers_enter(const Drivers *drivers, VendorsChange *change, Error *error);
/* "DRIVER (LIBRARY) aborted while it was loaded", with what to do about it. */
Status drivers_describe(const Drivers *drivers, size_t index, Text *text, Error *error);
/* Why a device must not be used, "its OpenCL driver DRIVER (LIBRARY) aborted while it built a kernel"; nothing when it may. */
Status drivers_explain_lost(const Drivers *drivers, const char *platform, const char *name, Text *why, Error *error);

#endif
