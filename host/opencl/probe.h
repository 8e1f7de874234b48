/* Trying a driver where it can do no harm: in a child process with a time limit. */
#ifndef SETOSA_OPENCL_PROBE_H
#define SETOSA_OPENCL_PROBE_H

#include "opencl/verdict.h"

/* Whether it can be tried here: not where some driver is in use already, since it would not survive the fork, nor where the program has an
 * OpenCL of its own in place of the loader. */
bool probe_possible(const Vendors *vendors);
/* Loads the driver, asks it for platforms and devices, and builds and runs a kernel on each device. What it does instead of answering
 * within the seconds from one step to the next is the verdict (zero-initialised), not an error. */
Status probe_vendor(Verdict *verdict, const Vendor *vendor, double seconds, Error *error);
/* Loads several libraries into one child, in this order. The first that it does not survive beside those before it is `lost`, under its own
 * name as that of the platform. `together` stands for all in the verdict. */
Status probe_together(Verdict *verdict, const char *const *libraries, size_t count, double seconds, Error *error);

#endif
