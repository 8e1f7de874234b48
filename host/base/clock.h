/* Monotonic time. */
#ifndef SETOSA_BASE_CLOCK_H
#define SETOSA_BASE_CLOCK_H

/* Seconds since an arbitrary start; never goes back. */
double clock_seconds(void);
/* Seconds since *last, which becomes now: parts that are timed so add up to the whole. */
double clock_lap(double *last);

#endif
