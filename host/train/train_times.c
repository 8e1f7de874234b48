/* The parts of a training's time. Clocks of the backend may overlap, as those of two devices do: none gets more than there is. */
#include "train/train_times.h"

#include <math.h>

#include "base/clock.h"

void train_times_begin(TrainTimes *times) { *times = (TrainTimes){.lap = clock_seconds()}; }

/* Moves up to `seconds` of *left to *part. */
static void move(double *left, double *part, double seconds) {
  double moved = fmin(fmax(seconds, 0), *left);
  *left -= moved;
  *part += moved;
}

/* What of the last lap was not the building of kernels, which goes to its own part. */
static double lap_without_building(TrainTimes *times, SetosaTrainResult *result, const Backend *backend) {
  double left = clock_lap(&times->lap);
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  move(&left, &result->seconds_build, facts.seconds_build - times->built);
  times->built = facts.seconds_build;
  return left;
}

void train_times_prepared(TrainTimes *times, SetosaTrainResult *result) { result->seconds_prepare += clock_lap(&times->lap); }

void train_times_opened(TrainTimes *times, SetosaTrainResult *result, const Backend *backend, double test) {
  double left = clock_lap(&times->lap);
  BackendFacts facts = {0};
  backend_facts(backend, &facts);
  move(&left, &result->seconds_test, test);
  move(&left, &result->seconds_tune, facts.seconds_tune);
  move(&left, &result->seconds_upload, facts.seconds_upload);
  move(&left, &result->seconds_build, facts.seconds_build);
  times->built = facts.seconds_build;
  result->seconds_open += left;
}

void train_times_trained(TrainTimes *times, SetosaTrainResult *result, const Backend *backend, double checkpoints) {
  double left = lap_without_building(times, result, backend);
  move(&left, &result->seconds_checkpoint, checkpoints);
  result->seconds_train += left;
}

void train_times_scored(TrainTimes *times, SetosaTrainResult *result, const Backend *backend) {
  result->seconds_score += lap_without_building(times, result, backend);
}

void train_times_closed(TrainTimes *times, SetosaTrainResult *result) { result->seconds_open += clock_lap(&times->lap); }
