/* The numbers of setosa_bench_scaling: exponents, which points count for them, and where growth ends. */
#include "bench/scaling.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

ScalingFit scaling_fit(size_t count, const double *sizes, const double *values) {
  ScalingFit fit = {.exponent = NAN, .error = NAN};
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0, residuals = 0;
  for (size_t i = 0; i < count; i++) {
    mean_x += log(sizes[i]) / (double)count;
    mean_y += log(values[i]) / (double)count;
  }
  for (size_t i = 0; i < count; i++) {
    double x = log(sizes[i]) - mean_x;
    xx += x * x;
    xy += x * (log(values[i]) - mean_y);
  }
  if (count < 2 || !(xx > 1e-12)) return fit; /* one size says nothing about growth */
  fit.exponent = xy / xx;
  for (size_t i = 0; i < count; i++) {
    double off = log(values[i]) - mean_y - fit.exponent * (log(sizes[i]) - mean_x);
    residuals += off * off;
  }
  if (count > 2) fit.error = sqrt(residuals / (double)(count - 2) / xx);
  return fit;
}

double scaling_least_ms(double launch_us) { return 1e-3 * SCALING_LAUNCHES * (isnan(launch_us) ? SCALING_HOST_LAUNCH_US : launch_us); }

void scaling_finish(SetosaBenchScaling *line, SetosaBenchPoint *points, size_t count) {
  enum { MOST = 64 }; /* doublings of 64 bits */
  double sizes[MOST], times[MOST], best[MOST], bytes[MOST];
  size_t used = 0;
  line->points = points;
  line->point_count = count;
  line->used_from = line->used_to = 0;
  for (size_t i = 0; i < count && used < MOST; i++) {
    const SetosaBenchResult *result = &points[i].result;
    points[i].used = result->status == SETOSA_BENCH_OK && result->median_ms >= line->least_ms && result->median_ms > 0;
    if (!points[i].used) continue;
    if (used == 0) line->used_from = points[i].size;
    line->used_to = points[i].size;
    sizes[used] = (double)points[i].size;
    times[used] = result->median_ms;
    best[used] = fmax(1e-9, result->min_ms);
    bytes[used++] = fmax(1, (double)result->device_bytes);
  }
  ScalingFit time = scaling_fit(used, sizes, times), quickest = scaling_fit(used, sizes, best), memory = scaling_fit(used, sizes, bytes);
  line->used_count = used;
  line->exponent = time.exponent;
  line->exponent_error = time.error;
  line->best_exponent = quickest.exponent;
  line->best_exponent_error = quickest.error;
  line->memory_exponent = memory.exponent;
  line->memory_exponent_error = memory.error;
}

/* ---- where growth ends ------------------------------------------------------------------------------------------ */

ScalingNeed scaling_need(const SetosaBenchResult *last, double data_bytes, double parameters, bool on_host) {
  const double reference_vectors = 3 * sizeof(double); /* weights, direction, answer: truth.h */
  ScalingNeed need = {.host_bytes = data_bytes + reference_vectors * parameters};
  if (last == NULL) return need;
  double runs = last->what == SETOSA_BENCH_TRAIN && last->iterations > 0 ? (double)last->iterations : 1;
  need.pass_seconds = 2 * 1e-3 * last->median_ms * runs;
  /* A backend on the host reads X in place and counts it as held, so it is not counted twice. */
  if (on_host) need.host_bytes += fmax(0, 2 * (double)last->device_bytes - data_bytes);
  return need;
}

bool scaling_stops(char reason[256], const ScalingBounds *bounds, const ScalingNeed *need) {
  double most = bounds->memory_part * bounds->free_bytes;
  if (need->pass_seconds > bounds->pass_seconds) {
    snprintf(reason, 256, "would take about %.3g s a pass, more than %.3g s; give --to to go on", need->pass_seconds, bounds->pass_seconds);
    return true;
  }
  if (need->host_bytes > most) {
    snprintf(reason, 256,
             "needs about %.3g GB of the host's memory, more than %.0f %% of the %.3g GB that are free; make another size smaller",
             1e-9 * need->host_bytes, 100 * bounds->memory_part, 1e-9 * bounds->free_bytes);
    return true;
  }
  return false;
}

bool scaling_next(uint64_t *size, uint64_t to) {
  if (*size > to / 2) return false;
  *size *= 2;
  return true;
}

/* The number in a file of one number; INFINITY for "max" and for a file that is not there. */
static double read_bytes(const char *path) {
  double bytes = INFINITY;
  FILE *file = fopen(path, "r");
  if (file == NULL) return INFINITY;
  if (fscanf(file, "%lf", &bytes) != 1) bytes = INFINITY;
  fclose(file);
  return bytes;
}

static double available_bytes(void) {
  char line[256];
  uint64_t kilobytes = 0;
  double bytes = INFINITY;
  FILE *file = fopen("/proc/meminfo", "r");
  if (file == NULL) return INFINITY;
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "MemAvailable: %" SCNu64, &kilobytes) == 1) bytes = 1024.0 * (double)kilobytes;
  fclose(file);
  return bytes;
}

double scaling_free_bytes(void) {
  double most = read_bytes("/sys/fs/cgroup/memory.max"), held = read_bytes("/sys/fs/cgroup/memory.current");
  double group = isfinite(most) && isfinite(held) ? fmax(0, most - held) : INFINITY; /* less than is free: caches count as held */
  return fmin(available_bytes(), group);
}
