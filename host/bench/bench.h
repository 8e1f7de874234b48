/* The places and backends of one call of setosa_bench or setosa_bench_scaling. */
#ifndef SETOSA_BENCH_BENCH_H
#define SETOSA_BENCH_BENCH_H

#include "bench/row.h"

typedef struct Bench {
  const SetosaBenchOptions *options;
  Place host, *devices; /* (options->device_count) */
} Bench;

/* Checks the options (borrowed until close), opens every place that the backends need and reports its limits. */
Status bench_open(Bench *bench, const SetosaBenchOptions *options, Error *error);
void bench_close(Bench *bench); /* a zeroed one too */

/* Opens a place (its index, part and name are set) and reports its limits. One that cannot be used remembers the reason, for its rows. */
Status bench_open_place(Place *place, const SetosaBenchOptions *options, Error *error);
void bench_close_place(Place *place);

/* Calls visit for one backend at every place and in every storage that make a difference to it; row->group is NULL. */
typedef Status (*BenchVisit)(const Row *row, void *user, Error *error);
Status bench_each_row(const Bench *bench, SetosaBackend backend, BenchVisit visit, void *user, Error *error);

/* Puts name in format and tells the caller what goes on. */
void bench_say(const SetosaBenchOptions *options, const char *format, const char *name);
/* SETOSA_INTERRUPTED when the caller says so. */
Status bench_go_on(const SetosaBenchOptions *options, Error *error);

#endif
