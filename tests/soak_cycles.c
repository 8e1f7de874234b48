/* soak_cycles DATA: reads, trains, predicts, saves, loads and closes everything again and again in one process, and ends with 1 and a line
 * when the process holds more memory or descriptors at the end than after its first rounds. Drivers fill caches of their own at first,
 * which is why these rounds are not counted. Part of tests/soak.sh. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "setosa.h"

enum { FIRST_ROUNDS = 30, ROUNDS = 120, MOST_GROWTH_PAGES = 1024 /* 4 MB: less than any buffer or data set of a round, 90 times */ };

static bool on_rows(size_t first_row, size_t count, const float *probabilities, void *user) {
  (void)first_row, (void)count, (void)probabilities, (void)user;
  return true;
}

static SetosaStatus train_and_predict(const char *data, SetosaComputeOptions compute, SetosaSolver solver, SetosaError *error) {
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result;
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute = compute;
  options.solver = solver;
  options.max_iterations = 3;
  options.epochs = 1;
  SetosaStatus status = setosa_dataset_load(&dataset, data, NULL, error);
  if (status == SETOSA_OK) status = setosa_train(&model, &result, dataset, &options, error);
  if (status == SETOSA_OK) status = setosa_model_scale_dataset(model, dataset, error);
  if (status == SETOSA_OK) status = setosa_predict(model, dataset, &compute, on_rows, NULL, error);
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
  return status;
}

static SetosaStatus run_round(const char *data, size_t round, SetosaError *error) {
  SetosaDevices *devices = NULL;
  SetosaDevice *device = NULL;
  size_t best = 0;
  SetosaComputeOptions compute = setosa_compute_options_default();
  compute.backend = round % 4 == 3 ? SETOSA_BACKEND_REFERENCE : SETOSA_BACKEND_NATIVE;
  SetosaStatus status = setosa_devices_open(&devices, error);
  if (status == SETOSA_OK) status = setosa_devices_select(devices, NULL, false, &best, error);
  if (status == SETOSA_OK) status = setosa_device_open(&device, devices, best, false, error);
  if (compute.backend == SETOSA_BACKEND_NATIVE) compute.device = device;
  if (status == SETOSA_OK) status = train_and_predict(data, compute, round % 2 == 0 ? SETOSA_SOLVER_LBFGS : SETOSA_SOLVER_ADAM, error);
  setosa_device_close(device);
  setosa_devices_close(devices);
  return status;
}

static long resident_pages(void) {
  long size = 0, resident = 0;
  FILE *stream = fopen("/proc/self/statm", "r");
  if (stream == NULL) return 0;
  if (fscanf(stream, "%ld %ld", &size, &resident) != 2) resident = 0;
  fclose(stream);
  return resident;
}

static size_t open_descriptors(void) {
  size_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) return 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

int main(int argc, char **argv) {
  SetosaError error = {0};
  long pages_before = 0;
  size_t descriptors_before = 0;
  if (argc != 2) {
    fprintf(stderr, "usage: soak_cycles DATA\n");
    return 2;
  }
  for (size_t round = 0; round < FIRST_ROUNDS + ROUNDS; round++) {
    if (round == FIRST_ROUNDS) {
      pages_before = resident_pages();
      descriptors_before = open_descriptors();
    }
    if (run_round(argv[1], round, &error) != SETOSA_OK) {
      printf("round %zu: %s\n", round, error.message);
      return 1;
    }
  }
  long grown = resident_pages() - pages_before;
  size_t descriptors = open_descriptors();
  printf("%d rounds: %ld pages more, %zu descriptors then and %zu now\n", ROUNDS, grown, descriptors_before, descriptors);
  return grown > MOST_GROWTH_PAGES || descriptors > descriptors_before;
}
