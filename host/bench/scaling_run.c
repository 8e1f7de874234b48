/* setosa_bench_scaling: one dimension of made-up data doubles, and every backend and device runs on until it meets a bound. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench/scaling.h"
#include "data/synthetic.h"

#define HELD_BYTES ((uint64_t)1 << 30) /* as setosa_dataset_load */

/* A line of the plot while it grows. */
typedef struct Line {
  Row row; /* its group changes with the size */
  SetosaBenchWhat what;
  SetosaBenchPoint *points;
  size_t count, capacity;
  bool ended;
} Line;

typedef struct Growth {
  const SetosaBenchScalingOptions *options;
  Bench bench;
  SyntheticSpec shape;       /* with the size of now */
  uint64_t from, to, *grows; /* grows: of shape */
  Line *lines;
  size_t count, capacity;
  SetosaBenchWhat what; /* of the lines that are being added */
  bool made;            /* rows are made as passes need them, at every size: a line is of one kind */
} Growth;

SetosaBenchScalingOptions setosa_bench_scaling_options_default(void) {
  return (SetosaBenchScalingOptions){.bench = setosa_bench_options_default(), .pass_seconds = 20, .memory_part = 0.6};
}

const char *setosa_bench_growth_name(SetosaBenchGrowth growth) {
  static const char *const names[] = {"rows", "features", "classes", "devices"};
  return (size_t)growth < sizeof names / sizeof *names ? names[growth] : "unknown";
}

/* ---- what grows ------------------------------------------------------------------------------------------------- */

/* Small enough that the first point is quick, large enough that the next few are not all launches. */
static const struct {
  const char *shape;
  uint64_t from;
} usual[] = {
    {"synthetic:rows=1e5,features=32,classes=4", 12500}, /* 1e5 is the fourth size */
    {"synthetic:rows=20000,features=16,classes=10", 16},
    {"synthetic:rows=8192,features=256,classes=4", 4},
};

static Status check_range(Growth *growth, const char *name, Error *error) {
  const SetosaBenchScalingOptions *options = growth->options;
  uint64_t least = options->grows == SETOSA_BENCH_CLASSES ? 2 : 1;
  growth->to = options->to > 0 ? options->to : (uint64_t)1 << 48;
  if (growth->from < least || growth->from > (uint64_t)1 << 48)
    return error_set(error, SETOSA_ERROR_USAGE, "--from %llu: give at least %llu %s", (unsigned long long)growth->from,
                     (unsigned long long)least, name);
  if (growth->from > growth->to / 2)
    return error_set(error, SETOSA_ERROR_USAGE, "--to %llu is less than twice the first size, %llu %s; raise it, or give a smaller --from",
                     (unsigned long long)growth->to, (unsigned long long)growth->from, name);
  return SETOSA_OK;
}

Status scaling_shape(SyntheticSpec *spec, const SetosaBenchScalingOptions *options, const char *usual_shape, Error *error) {
  const SetosaBenchOptions *bench = &options->bench;
  const char *shape = options->shape != NULL ? options->shape : usual_shape;
  if (bench->dataset != NULL || bench->works != NULL || bench->fashion != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "growth is of made-up data; give a shape, and neither data nor works");
  if (!(options->pass_seconds > 0) || !(options->memory_part > 0) || options->memory_part > 1)
    return error_set(error, SETOSA_ERROR_USAGE, "growth: give pass_seconds above 0 and memory_part from 0 to 1");
  if (strncmp(shape, "synthetic:", 10) != 0)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "--scaling is about made-up data that can grow, not %s; give synthetic:rows=1e5,features=100,classes=10, say", shape);
  return synthetic_parse(spec, shape, error);
}

bool scaling_too_large(const SetosaBenchScalingOptions *options, double values) {
  uint64_t most = options->generate_above_bytes > 0 ? options->generate_above_bytes : HELD_BYTES;
  return values * sizeof(float) > (double)most;
}

/* Rows that are held are read faster than rows that are made, so a line has but one kind of them: held, unless its last size is too large
 * for that. Without a last size the memory is a bound. */
static bool is_made(const Growth *growth) {
  const SyntheticSpec *s = &growth->shape;
  double values = (double)s->rows * (double)s->features;
  if (growth->options->to == 0) return false;
  for (uint64_t size = growth->from; growth->grows != &growth->shape.classes && size <= growth->to / 2; size *= 2) values *= 2;
  if (growth->grows != &growth->shape.classes) values *= (double)growth->from / (double)*growth->grows;
  return scaling_too_large(growth->options, values);
}

static Status choose_shape(Growth *growth, Error *error) {
  Status status = SETOSA_OK;
  const SetosaBenchScalingOptions *options = growth->options;
  TRY(scaling_shape(&growth->shape, options, usual[options->grows].shape, error));
  uint64_t *const sizes[] = {&growth->shape.rows, &growth->shape.features, &growth->shape.classes};
  growth->grows = sizes[options->grows];
  growth->from = options->from > 0 ? options->from : options->shape != NULL ? *growth->grows : usual[options->grows].from;
  TRY(check_range(growth, setosa_bench_growth_name(options->grows), error));
  growth->made = is_made(growth);
cleanup:
  return status;
}

Status scaling_load(Dataset **dataset, const SyntheticSpec *s, bool made, Error *error) {
  char source[512];
  SetosaDataOptions options = setosa_data_options_default();
  options.generate_above_bytes = made ? 1 : UINT64_MAX;
  snprintf(source, sizeof source, "synthetic:rows=%llu,features=%llu,classes=%llu,seed=%llu,noise=%.17g,separation=%.17g,sparsity=%.17g",
           (unsigned long long)s->rows, (unsigned long long)s->features, (unsigned long long)s->classes, (unsigned long long)s->seed,
           s->noise, s->separation, s->sparsity);
  return setosa_dataset_load(dataset, source, &options, error);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static Status add_line(const Row *row, void *user, Error *error) {
  Growth *growth = user;
  Status status =
      memory_grow((void **)&growth->lines, &growth->capacity, growth->count + 1, sizeof *growth->lines, "the lines of growth", error);
  if (status == SETOSA_OK) growth->lines[growth->count++] = (Line){.row = *row, .what = growth->what};
  return status;
}

/* The reference is never among them unasked: its growth is known. */
static Status add_lines(Growth *growth, Error *error) {
  static const SetosaBackend backends[] = {SETOSA_BACKEND_NATIVE, SETOSA_BACKEND_CLBLAST, SETOSA_BACKEND_BLAS};
  static const SetosaBenchWhat step[] = {SETOSA_BENCH_STEP};
  Status status = SETOSA_OK;
  const SetosaBenchOptions *o = &growth->options->bench;
  for (size_t w = 0; w < (o->what_count > 0 ? o->what_count : 1); w++) {
    growth->what = o->what_count > 0 ? o->whats[w] : step[0];
    for (size_t b = 0; b < (o->backend_count > 0 ? o->backend_count : 3); b++)
      TRY(bench_each_row(&growth->bench, o->backend_count > 0 ? o->backends[b] : backends[b], add_line, growth, error));
  }
cleanup:
  return status;
}

/* A place whose memory is the host's. */
static bool on_host(const Growth *growth, const Line *line) {
  if (line->row.place == NULL || line->row.place->index == SETOSA_BENCH_HOST) return true;
  return setosa_devices_get(growth->bench.options->devices, (size_t)line->row.place->index)->type == SETOSA_DEVICE_CPU;
}

static Status add_point(const Growth *growth, Line *line, const SetosaBenchResult *result, Error *error) {
  const SetosaBenchOptions *options = growth->bench.options;
  Status status =
      memory_grow((void **)&line->points, &line->capacity, line->count + 1, sizeof *line->points, "the points of a line", error);
  if (status != SETOSA_OK) return status;
  line->points[line->count++] = (SetosaBenchPoint){.size = *growth->grows, .speed_up = NAN, .efficiency = NAN, .result = *result};
  line->ended = result->status != SETOSA_BENCH_OK; /* what does not fit now will not fit later */
  if (options->result != NULL) options->result(result, options->user);
  return SETOSA_OK;
}

/* Ends the lines whose next size is out of bounds: with a point that says why, unless it is the end that the caller gave. *left: lines that
 * go on. */
static Status end_lines(Growth *growth, size_t *left, Error *error) {
  Status status = SETOSA_OK;
  const SyntheticSpec *s = &growth->shape;
  ScalingBounds bounds = {.pass_seconds = growth->options->to > 0 ? INFINITY : growth->options->pass_seconds,
                          .memory_part = growth->options->memory_part,
                          .free_bytes = scaling_free_bytes()};
  double data_bytes = growth->made ? 0 : (double)s->rows * ((double)s->features * sizeof(float) + sizeof(int32_t));
  double parameters = ((double)s->features + 1) * (double)s->classes;
  Group group = {.options = growth->bench.options,
                 .shape = {.rows = (size_t)s->rows, .features = (size_t)s->features, .classes = (size_t)s->classes}};
  *left = 0;
  snprintf(group.name, sizeof group.name, "%s=%llu", setosa_bench_growth_name(growth->options->grows), (unsigned long long)*growth->grows);
  for (size_t i = 0; i < growth->count; i++) {
    Line *line = &growth->lines[i];
    SetosaBenchResult skipped;
    char reason[256];
    if (line->ended) continue;
    const SetosaBenchResult *last = line->count > 0 ? &line->points[line->count - 1].result : NULL;
    ScalingNeed need = scaling_need(last, data_bytes, parameters, on_host(growth, line));
    if (!scaling_stops(reason, &bounds, &need)) {
      ++*left;
      continue;
    }
    Row row = line->row;
    group.what = line->what;
    row.group = &group;
    row_skip(&row, reason, &skipped);
    TRY(add_point(growth, line, &skipped, error));
  }
cleanup:
  return status;
}

/* All lines of one operation at one size share the reference's answer. */
static Status run_operation(Growth *growth, Group *group, Error *error) {
  Status status = SETOSA_OK;
  SetosaBenchResult result;
  for (size_t i = 0; i < growth->count; i++) {
    Line *line = &growth->lines[i];
    if (line->ended || line->what != group->what) continue;
    line->row.group = group;
    TRY(bench_go_on(group->options, error));
    TRY(row_measure(&line->row, &result, error));
    TRY(add_point(growth, line, &result, error));
  }
cleanup:
  truth_destroy(group->truth);
  group->truth = NULL;
  return status;
}

static Status run_size(Growth *growth, Error *error) {
  Status status = SETOSA_OK;
  Dataset *dataset = NULL;
  Group group = {.options = growth->bench.options, .made = growth->made};
  snprintf(group.name, sizeof group.name, "%s=%llu", setosa_bench_growth_name(growth->options->grows), (unsigned long long)*growth->grows);
  TRY(bench_go_on(group.options, error));
  bench_say(group.options, "making the data of %s", group.name);
  TRY(scaling_load(&dataset, &growth->shape, growth->made, error));
  group.dataset = dataset;
  group.shape = dataset_shape(dataset);
  for (int what = SETOSA_BENCH_STEP; what <= SETOSA_BENCH_PREDICT; what++) {
    group.what = (SetosaBenchWhat)what;
    TRY(run_operation(growth, &group, error));
  }
cleanup:
  setosa_dataset_destroy(dataset);
  return status;
}

static void report_line(const Growth *growth, Line *line) {
  const SetosaBenchScalingOptions *options = growth->options;
  if (line->count == 0 || options->line == NULL) return;
  const SetosaBenchResult *first = &line->points[0].result;
  SetosaBenchScaling report = {.grows = options->grows,
                               .what = line->what,
                               .backend = first->backend,
                               .device_index = first->device_index,
                               .storage = first->storage,
                               .made = growth->made,
                               .least_ms = scaling_least_ms(line->row.place != NULL ? line->row.place->launch_us : NAN)};
  memcpy(report.device, first->device, sizeof report.device);
  scaling_finish(&report, line->points, line->count);
  options->line(&report, options->bench.user);
}

static Status grow(Growth *growth, Error *error) {
  Status status = SETOSA_OK;
  size_t left = 0;
  *growth->grows = growth->from;
  do {
    TRY(end_lines(growth, &left, error));
    if (left == 0) break;
    TRY(run_size(growth, error));
  } while (scaling_next(growth->grows, growth->to));
cleanup:
  return status;
}

SetosaStatus setosa_bench_scaling(const SetosaBenchScalingOptions *options, SetosaError *error) {
  Status status = SETOSA_OK;
  Growth growth = {.options = options};
  error_clear(error);
  if ((unsigned)options->grows > SETOSA_BENCH_DEVICES)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--scaling: choose rows, features, classes or devices"));
  if (options->grows == SETOSA_BENCH_DEVICES) return scaling_devices(options, error);
  TRY(choose_shape(&growth, error));
  TRY(bench_open(&growth.bench, &options->bench, error));
  TRY(add_lines(&growth, error));
  TRY(grow(&growth, error));
cleanup:
  for (size_t i = 0; i < growth.count; i++) { /* when interrupted too: what was measured stands */
    report_line(&growth, &growth.lines[i]);
    free(growth.lines[i].points);
  }
  free(growth.lines);
  bench_close(&growth.bench);
  return status;
}
