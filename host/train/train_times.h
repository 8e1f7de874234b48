/* Where the time of a training goes: every moment of it belongs to one part, so that the parts add up to the whole. */
#ifndef SETOSA_TRAIN_TRAIN_TIMES_H
#define SETOSA_TRAIN_TRAIN_TIMES_H

#include "compute/backend.h"

typedef struct TrainTimes {
  double lap;   /* clock when the last part ended */
  double built; /* seconds of building kernels that are told already */
} TrainTimes;

void train_times_begin(TrainTimes *times);
/* Each ends a part and adds the time since the last one to the seconds of *result. */
void train_times_prepared(TrainTimes *times, SetosaTrainResult *result);
/* The backend is open: what it says of uploads, kernels and tuning, and test, the seconds of the self-test, are apart. */
void train_times_opened(TrainTimes *times, SetosaTrainResult *result, const Backend *backend, double test);
/* The optimizer has ended: kernels that it was the first to use, and the seconds of writing checkpoints, are apart. */
void train_times_trained(TrainTimes *times, SetosaTrainResult *result, const Backend *backend, double checkpoints);
void train_times_scored(TrainTimes *times, SetosaTrainResult *result, const Backend *backend);
void train_times_closed(TrainTimes *times, SetosaTrainResult *result);

#endif
