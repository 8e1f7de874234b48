/* Monotonic time. */
#ifndef SETOSA_BASE_CLOCK_H
#define SETOSA_BASE_CLOCK_H

/* Seconds since an arbitrary start; never goes back. */
double clock_seconds(void);

#endif
