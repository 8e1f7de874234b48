/* From a CSV file to predictions in one page of C, with setosa.h alone:
 *   train_iris data/iris.csv iris.safetensors
 * trains on the best device found (on plain C when there is none), saves the model, loads it again, and names the class of every row. */
#include <setosa.h>
#include <stdio.h>

/* Called once per iteration. Returning false would stop the training there and keep what it has. */
static bool show_progress(const SetosaProgress *progress, void *user) {
  const double *enough = user;
  if (progress->iteration % 10 == 0)
    printf("iteration %llu: objective %.6f\n", (unsigned long long)progress->iteration, progress->objective);
  return progress->objective > *enough;
}

/* Called with blocks of rows in order: probabilities is (count,K) row-major. */
static bool show_rows(size_t first_row, size_t count, const float *probabilities, void *user) {
  const SetosaModel *model = user;
  size_t classes = setosa_model_classes(model);
  for (size_t i = 0; i < count; i++) {
    const float *row = probabilities + i * classes;
    size_t best = 0;
    for (size_t k = 1; k < classes; k++)
      if (row[k] > row[best]) best = k;
    if ((first_row + i + 1) % 50 == 0)
      printf("row %zu: %s (%.3f)\n", first_row + i + 1, setosa_model_class_name(model, best), (double)row[best]);
  }
  return true;
}

/* The best device, or the reference backend, which needs none. */
static SetosaStatus choose_device(SetosaDevices *devices, SetosaDevice **device, SetosaComputeOptions *compute, SetosaError *error) {
  size_t index = 0;
  *compute = setosa_compute_options_default();
  if (setosa_devices_select(devices, NULL, false, &index, error) != SETOSA_OK) {
    printf("no OpenCL device (%s); computing in plain C\n", error->message);
    compute->backend = SETOSA_BACKEND_REFERENCE;
    return SETOSA_OK;
  }
  SetosaStatus status = setosa_device_open(device, devices, index, false, error);
  if (status != SETOSA_OK) return status;
  compute->device = *device;
  printf("device: %s\n", setosa_device_info(*device)->name);
  return SETOSA_OK;
}

/* Trains on DATA and writes the model to `path`. */
static SetosaStatus train(const char *data, const char *path, const SetosaComputeOptions *compute, SetosaError *error) {
  double enough = 0; /* an objective below which we would stop early */
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaTrainResult result;
  SetosaTrainOptions options = setosa_train_options_default();
  options.compute = *compute;
  options.l2 = 0.01;
  options.progress = show_progress;
  options.progress_user = &enough;

  SetosaStatus status = setosa_dataset_load(&dataset, data, NULL, error);
  if (status == SETOSA_OK) status = setosa_train(&model, &result, dataset, &options, error);
  if (status == SETOSA_OK) {
    printf("%zu rows: %s after %llu iterations, objective %.7f, accuracy %.4f\n", setosa_dataset_rows(dataset), result.stop_reason,
           (unsigned long long)result.iterations, result.objective, result.train_accuracy);
    status = setosa_model_save(model, path, error);
  }
  setosa_model_destroy(model);
  setosa_dataset_destroy(dataset);
  return status;
}

/* Reads DATA as the model expects it, and predicts every row. */
static SetosaStatus predict(const char *data, const char *path, const SetosaComputeOptions *compute, SetosaError *error) {
  SetosaDataset *dataset = NULL;
  SetosaModel *model = NULL;
  SetosaStatus status = setosa_model_load(&model, path, error);
  if (status == SETOSA_OK) {
    SetosaDataOptions options = setosa_model_data_options(model);
    options.labels_optional = true;
    status = setosa_dataset_load(&dataset, data, &options, error);
  }
  if (status == SETOSA_OK) status = setosa_model_scale_dataset(model, dataset, error);
  if (status == SETOSA_OK) status = setosa_predict(model, dataset, compute, show_rows, model, error);
  setosa_dataset_destroy(dataset);
  setosa_model_destroy(model);
  return status;
}

int main(int argc, char **argv) {
  const char *data = argc > 1 ? argv[1] : "data/iris.csv", *path = argc > 2 ? argv[2] : "iris.safetensors";
  SetosaDevices *devices = NULL;
  SetosaDevice *device = NULL;
  SetosaComputeOptions compute;
  SetosaError error = {0};

  SetosaStatus status = setosa_devices_open(&devices, &error);
  if (status == SETOSA_OK) status = choose_device(devices, &device, &compute, &error);
  if (status == SETOSA_OK) status = train(data, path, &compute, &error);
  if (status == SETOSA_OK) status = predict(data, path, &compute, &error);
  if (status != SETOSA_OK) fprintf(stderr, "train_iris: %s\n", error.message);

  setosa_device_close(device);
  setosa_devices_close(devices);
  return (int)status; /* the statuses are exit codes */
}
