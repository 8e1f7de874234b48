/* Growth by devices: the same work on the first of the chosen devices, then on two, ... on all (strong scaling). Time should fall as
 * 1/devices; what remains above that is what they share: memory, the host, the joining of their parts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench/scaling.h"
#include "data/synthetic.h"

/* About 0.1 s a pass on one core: rows are shared, so there must be many. */
static const char usual_shape[] = "synthetic:rows=400000,features=100,classes=10";

/* One operation with one storage. */
typedef struct Line {
  Row row; /* its devices change */
  SetosaBenchWhat what;
  SetosaBenchPoint points[SETOSA_CHOICES_MOST];
  size_t count;
} Line;

typedef struct Growth {
  const SetosaBenchScalingOptions *options;
  SetosaBenchOptions bench; /* those of options, for the native backend alone */
  Place place;              /* the first device: its launches and limits */
  Dataset *dataset;
  bool made;
  uint64_t from, to;
  Line *lines;
  size_t count;
} Growth;

bool scaling_next_devices(uint64_t *size, uint64_t to) {
  enum { BY_ONE = 8 };
  if (*size >= to) return false;
  *size = *size < BY_ONE ? *size + 1 : *size > to / 2 ? to : 2 * *size;
  return true;
}

void scaling_speed_up(SetosaBenchPoint *points, size_t count) {
  const SetosaBenchPoint *first = NULL;
  for (size_t i = 0; i < count; i++) {
    SetosaBenchPoint *point = &points[i];
    point->speed_up = point->efficiency = NAN;
    if (point->result.status != SETOSA_BENCH_OK) continue;
    if (first == NULL) first = point;
    point->speed_up = first->result.median_ms / point->result.median_ms;
    point->efficiency = point->speed_up * (double)first->size / (double)point->size;
  }
}

static Status check(Growth *growth, Error *error) {
  const SetosaBenchScalingOptions *o = growth->options;
  if (o->device_count < 2)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "--scaling devices needs several devices; name two or more of `setosa devices`, or cut one as in --device 0/2");
  if (o->device_count > SETOSA_CHOICES_MOST)
    return error_set(error, SETOSA_ERROR_USAGE, "--scaling devices: give at most %d", SETOSA_CHOICES_MOST);
  for (size_t i = 0; i < o->bench.backend_count; i++)
    if (o->bench.backends[i] != SETOSA_BACKEND_NATIVE)
      return error_set(error, SETOSA_ERROR_USAGE, "--scaling devices: only the native backend shares rows; leave --backends out");
  for (size_t i = 0; i < o->device_count; i++)
    if (o->bench.devices == NULL || o->devices[i].index >= setosa_devices_count(o->bench.devices))
      return error_set(error, SETOSA_ERROR_USAGE, "there is no device %zu; see `setosa devices`", o->devices[i].index);
  growth->from = o->from > 0 ? o->from : 1;
  growth->to = o->to > 0 ? o->to : o->device_count;
  if (growth->from >= growth->to || growth->to > o->device_count)
    return error_set(error, SETOSA_ERROR_USAGE, "--from %llu --to %llu: of %zu devices give a smaller and a larger number",
                     (unsigned long long)growth->from, (unsigned long long)growth->to, o->device_count);
  return SETOSA_OK;
}

/* Every operation with every storage. */
static Status add_lines(Growth *growth, Error *error) {
  const SetosaBenchOptions *o = &growth->bench;
  size_t whats = o->what_count > 0 ? o->what_count : 1, storages = o->storage_count > 0 ? o->storage_count : 1;
  Status status = memory_allocate_zero((void **)&growth->lines, whats * storages, sizeof *growth->lines, "the lines of growth", error);
  for (size_t i = 0; status == SETOSA_OK && i < whats * storages; i++) {
    Line *line = &growth->lines[growth->count++];
    line->what = o->what_count > 0 ? o->whats[i / storages] : SETOSA_BENCH_STEP;
    line->row = (Row){.place = &growth->place,
                      .backend = SETOSA_BACKEND_NATIVE,
                      .storage = o->storage_count > 0 ? o->storages[i % storages] : SETOSA_STORAGE_F32,
                      .choices = growth->options->devices};
  }
  return status;
}

static Status add_point(const Growth *growth, Line *line, size_t size, Error *error) {
  Status status = SETOSA_OK;
  const SetosaBenchOptions *o = &growth->bench;
  SetosaBenchPoint *point = &line->points[line->count];
  TRY(bench_go_on(o, error));
  line->row.choice_count = size;
  *point = (SetosaBenchPoint){.size = size};
  TRY(row_measure(&line->row, &point->result, error));
  if (size > 1) /* one device was looked at */
    point->result.limit_ms = point->result.part_of_limit = point->result.fma_gflops = point->result.read_gbytes_per_s = NAN;
  line->count++;
  if (o->result != NULL) o->result(&point->result, o->user);
cleanup:
  return status;
}

/* One operation on `size` devices: its lines share the reference's answer, which the others then have, too. */
static Status run_operation(Growth *growth, SetosaBenchWhat what, Error *error) {
  Status status = SETOSA_OK;
  Group group = {
      .options = &growth->bench, .dataset = growth->dataset, .shape = dataset_shape(growth->dataset), .what = what, .made = growth->made};
  uint64_t size = growth->from;
  do {
    snprintf(group.name, sizeof group.name, "devices=%llu", (unsigned long long)size);
    for (size_t i = 0; i < growth->count; i++) {
      if (growth->lines[i].what != what) continue;
      growth->lines[i].row.group = &group;
      TRY(add_point(growth, &growth->lines[i], (size_t)size, error));
    }
  } while (scaling_next_devices(&size, growth->to));
cleanup:
  truth_destroy(group.truth);
  return status;
}

/* "0 in 2 parts, 1". */
static void describe_devices(char *text, size_t size, const SetosaDeviceChoice *choices, size_t count) {
  size_t used = 0, parts = 0;
  text[0] = '\0';
  for (size_t i = 0; i < count && used < size; i += parts) {
    for (parts = 1; i + parts < count && choices[i + parts].index == choices[i].index;) parts++;
    int length = snprintf(text + used, size - used, "%s%zu", i > 0 ? ", " : "", choices[i].index);
    used += length > 0 ? (size_t)length : 0;
    if (choices[i].parts < 2 || used >= size) continue;
    length = snprintf(text + used, size - used, " in %zu parts", choices[i].parts);
    used += length > 0 ? (size_t)length : 0;
  }
}

static void report_line(const Growth *growth, Line *line) {
  const SetosaBenchScalingOptions *options = growth->options;
  if (line->count == 0 || options->line == NULL) return;
  const SetosaBenchResult *first = &line->points[0].result;
  SetosaBenchScaling report = {.grows = SETOSA_BENCH_DEVICES,
                               .what = line->what,
                               .backend = first->backend,
                               .device_index = first->device_index,
                               .storage = first->storage,
                               .made = growth->made,
                               .least_ms = scaling_least_ms(growth->place.launch_us)};
  memcpy(report.device, first->device, sizeof report.device);
  describe_devices(report.devices, sizeof report.devices, options->devices, (size_t)growth->to);
  scaling_finish(&report, line->points, line->count);
  scaling_speed_up(line->points, line->count);
  options->line(&report, options->bench.user);
}

Status scaling_devices(const SetosaBenchScalingOptions *options, Error *error) {
  static const SetosaBackend native[] = {SETOSA_BACKEND_NATIVE};
  Status status = SETOSA_OK;
  Bench bench = {.options = &options->bench};
  SyntheticSpec spec;
  Growth growth = {.options = options, .bench = options->bench};
  growth.bench.backends = native;
  growth.bench.backend_count = 1;
  growth.bench.device_count = 0; /* its places are not the devices of this growth */
  TRY(scaling_shape(&spec, options, usual_shape, error));
  TRY(check(&growth, error));
  TRY(bench_open(&bench, &growth.bench, error));
  growth.place = (Place){
      .index = (int)options->devices[0].index, .part = options->devices[0].part, .parts = options->devices[0].parts, .launch_us = NAN};
  snprintf(growth.place.name, sizeof growth.place.name, "%s", setosa_devices_get(growth.bench.devices, options->devices[0].index)->name);
  TRY(bench_open_place(&growth.place, &growth.bench, error));
  growth.made = scaling_too_large(options, (double)spec.rows * (double)spec.features);
  bench_say(&growth.bench, "making the data for %s", growth.place.name);
  TRY(scaling_load(&growth.dataset, &spec, growth.made, error));
  TRY(add_lines(&growth, error));
  for (int what = SETOSA_BENCH_STEP; what <= SETOSA_BENCH_PREDICT; what++) {
    bool wanted = false;
    for (size_t i = 0; i < growth.count; i++) wanted |= growth.lines[i].what == (SetosaBenchWhat)what;
    if (wanted) TRY(run_operation(&growth, (SetosaBenchWhat)what, error));
  }
cleanup:
  for (size_t i = 0; i < growth.count; i++) report_line(&growth, &growth.lines[i]); /* when interrupted too */
  free(growth.lines);
  setosa_dataset_destroy(growth.dataset);
  bench_close_place(&growth.place);
  bench_close(&bench);
  return status;
}
