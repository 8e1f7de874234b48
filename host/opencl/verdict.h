/* What is known about a driver that was tried, and the file that remembers it: <cache>/drivers/<hash>.txt. */
#ifndef SETOSA_OPENCL_VERDICT_H
#define SETOSA_OPENCL_VERDICT_H

#include "opencl/vendors.h"

/* A device that its driver does not survive. Names as a terminal can show them (text_make_visible). */
typedef struct LostDevice {
  char *platform, *name;
  char *why; /* "aborted while it built a kernel" */
} LostDevice;

typedef struct Verdict {
  bool known;    /* else the driver could not be tried, or that told nothing */
  char *failure; /* why the whole driver cannot be used, "aborted while it was loaded"; NULL when it can */
  LostDevice *lost;
  size_t lost_count, lost_capacity;
  char *library;      /* the file that the dynamic linker took; NULL when it loaded none */
  bool crashed, hung; /* something in it did */
  double seconds;     /* how long it had to answer */
} Verdict;

/* Zero-initialise *verdict. False when the driver has to be tried: nothing is remembered of this library, or its file or the dynamic
 * linker's cache is another now. Crashes are tried every time: that is quick, and what was short may be there again. One that hung, which
 * is slow, is remembered for an hour and for no more than these seconds. With `final` it cannot be tried, and what is remembered stands. */
bool verdict_recall(Verdict *verdict, const Vendor *vendor, double seconds, bool final);
/* Without a cache it is not remembered. */
void verdict_remember(const Verdict *verdict, const Vendor *vendor);
Status verdict_add_lost(Verdict *verdict, const char *platform, const char *name, const char *why, Error *error);
void verdict_free(Verdict *verdict);

#endif
