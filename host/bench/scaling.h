/* How time and memory grow with the work: the numbers. What runs is in scaling_run.c. */
#ifndef SETOSA_BENCH_SCALING_H
#define SETOSA_BENCH_SCALING_H

#include "bench/bench.h"

/* A size counts for the exponent when its time is at least this many launches of an empty kernel: below, it is launches that are timed. */
enum { SCALING_LAUNCHES = 10 };
/* What the backends of the host have in place of a launch: waking their threads. */
#define SCALING_HOST_LAUNCH_US 20.0

/* value ~ size^exponent. */
typedef struct ScalingFit {
  double exponent, error; /* NAN with less than 2 (error: 3) different sizes */
} ScalingFit;

/* Least squares of log(value) over log(size) for count positive pairs; error: the standard error of the slope,
 * sqrt(sum of squared residuals / (count - 2) / sum of squared deviations of log(size)). */
ScalingFit scaling_fit(size_t count, const double *sizes, const double *values);

/* Milliseconds that a time needs to count. launch_us NAN: the host. */
double scaling_least_ms(double launch_us);
/* Marks the points that count, and fills exponents and the used_... fields of the line from them. */
void scaling_finish(SetosaBenchScaling *line, SetosaBenchPoint *points, size_t count);

/* What the next size of a line must keep to. */
typedef struct ScalingBounds {
  double pass_seconds; /* most for one pass (TRAIN: one run); INFINITY: any */
  double memory_part;  /* of the free memory */
  double free_bytes;   /* of the host */
} ScalingBounds;

/* What the next size of a line is expected to take: twice what the last one took, since neither time nor memory grows faster. */
typedef struct ScalingNeed {
  double pass_seconds; /* 0: nothing is known */
  double host_bytes;   /* data, the reference's vectors, and what the backend holds on the host */
} ScalingNeed;

/* last: the point before, or NULL. data_bytes, parameters: of the next size. on_host: the line's memory is the host's. */
ScalingNeed scaling_need(const SetosaBenchResult *last, double data_bytes, double parameters, bool on_host);
/* True when the need is out of bounds, with the reason and what to do about it. */
bool scaling_stops(char reason[256], const ScalingBounds *bounds, const ScalingNeed *need);
/* *size * 2 when that is at most `to`. */
bool scaling_next(uint64_t *size, uint64_t to);

/* Bytes that can be allocated without swapping, by the kernel's count and the limit of the control group; INFINITY when unknown. */
double scaling_free_bytes(void);

struct SyntheticSpec;
/* The data of a spec, held or (made) made as passes need them. */
Status scaling_load(Dataset **dataset, const struct SyntheticSpec *spec, bool made, Error *error);
/* The spec of options->shape, else of `usual`; SETOSA_ERROR_USAGE for options that leave no sense to growth. */
Status scaling_shape(struct SyntheticSpec *spec, const SetosaBenchScalingOptions *options, const char *usual, Error *error);
/* Whether `values` numbers are too many to be held. */
bool scaling_too_large(const SetosaBenchScalingOptions *options, double values);

/* scaling_devices.c: the same work on 1..n of the chosen devices. */
Status scaling_devices(const SetosaBenchScalingOptions *options, Error *error);
/* The number of devices after `size`: one more up to 8, then twice as many, and `to` at last; false past it. */
bool scaling_next_devices(uint64_t *size, uint64_t to);
/* speed_up and efficiency of the points that were measured, against the first of them. */
void scaling_speed_up(SetosaBenchPoint *points, size_t count);

#endif
