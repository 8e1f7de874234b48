/* Choosing and sampling limits, whoever runs the kernels. */
#include "bench/limits.h"

#include <math.h>

#include "base/clock.h"
#include "bench/statistics.h"

enum { SAMPLES_OF_LIMIT = 7 };
static const double sample_seconds = 0.02, trial_seconds = 0.01;

/* Rounds of a kernel so that it runs for about `seconds`, and the rate it then had. The first run, where a driver may still compile, does
 * not count. */
static Status calibrate(Limits *limits, bool read, size_t which, double seconds, uint64_t *rounds, double *rate, Error *error) {
  Status status = SETOSA_OK;
  double work = 0, took = 0;
  *rounds = 1;
  TRY(limits->operations->run(limits, read, which, 1, &work, error));
  for (int doubling = 0; doubling < 40; doubling++) {
    double began = clock_seconds();
    TRY(limits->operations->run(limits, read, which, *rounds, &work, error));
    took = clock_seconds() - began;
    if (took >= seconds) break;
    double factor = took > 0 ? seconds * 1.2 / took : 10; /* a cautious leap: the first rounds are mostly overhead */
    *rounds = (uint64_t)ceil((double)*rounds * fmin(10, fmax(1.2, factor)));
  }
  *rate = work / took;
cleanup:
  return status;
}

Status limits_choose(Limits *limits, Error *error) {
  Status status = SETOSA_OK;
  for (int read = 0; read <= 1; read++) {
    double best = 0, rate = 0;
    uint64_t rounds = 1;
    for (size_t which = 0; which < limits->operations->count(limits, read); which++) {
      TRY(calibrate(limits, read, which, trial_seconds, &rounds, &rate, error));
      if (rate > best) {
        best = rate;
        limits->best[read] = which;
      }
    }
    TRY(calibrate(limits, read, limits->best[read], sample_seconds, &limits->rounds[read], &rate, error));
  }
cleanup:
  return status;
}

Status limits_sample(Limits *limits, double *fma_gflops, double *read_gbytes_per_s, Error *error) {
  Status status = SETOSA_OK;
  double *const rates[] = {fma_gflops, read_gbytes_per_s};
  for (int read = 0; read <= 1; read++) {
    double work = 0, began = clock_seconds();
    TRY(limits->operations->run(limits, read, limits->best[read], limits->rounds[read], &work, error));
    *rates[read] = 1e-9 * work / fmax(clock_seconds() - began, 1e-9);
  }
cleanup:
  return status;
}

Status limits_measure(Limits *limits, SetosaBenchLimits *measured, Error *error) {
  Status status = SETOSA_OK;
  Samples fma = {.count = 0}, read = {.count = 0};
  for (int i = 0; i < SAMPLES_OF_LIMIT; i++) {
    double flops = 0, bytes = 0;
    TRY(limits_sample(limits, &flops, &bytes, error));
    samples_add(&fma, flops);
    samples_add(&read, bytes);
  }
  measured->fma_gflops = samples_median(&fma);
  measured->read_gbytes_per_s = samples_median(&read);
  measured->upload_gbytes_per_s = measured->download_gbytes_per_s = measured->launch_us = NAN;
  TRY(limits->operations->transfers(limits, measured, error));
cleanup:
  return status;
}

void limits_close(Limits *limits) {
  if (limits != NULL) limits->operations->close(limits);
}
