/* Other data of `setosa train`, to test on or to calibrate: another source, and the same columns. */
#include "cli/train_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool train_is_unshifted(const Options *options) { return !options->train.intercept && !options->standardize; }

Status train_check_calibration(const Options *options, Error *error) {
  bool other = options->calibrate != NULL, piped = other && strcmp(options->calibrate, "-") == 0;
  if (other && options->calibrate_validation)
    return error_set(error, SETOSA_ERROR_USAGE, "--calibrate and --calibrate-validation: one temperature is found; leave one of them out");
  if (options->calibrate_validation && isnan(options->validation))
    return error_set(error, SETOSA_ERROR_USAGE, "--calibrate-validation needs rows that are held out; add --validation 0.2");
  if (piped && (strcmp(options->argument[0], "-") == 0 || (options->test != NULL && strcmp(options->test, "-") == 0)))
    return error_set(error, SETOSA_ERROR_USAGE, "--calibrate -: standard input is read once; name a file of other data");
  return SETOSA_OK;
}

Status train_load_like(SetosaDataset **dataset, const Session *session, const SetosaDataset *like, const char *source, const char *labels,
                       Error *error) {
  Status status = SETOSA_OK;
  SetosaDataOptions data = session->options->data;
  const char **feature_names = NULL, **class_names = NULL;
  size_t features = setosa_dataset_features(like), classes = setosa_dataset_classes(like);
  TRY(input_borrow_names(&feature_names, &class_names, like, error));
  data.labels_path = labels;
  data.also = NULL; /* they belong to the training data */
  data.also_count = 0;
  data.unshifted = train_is_unshifted(session->options);
  data.expect_columns = setosa_dataset_columns(like);
  if (data.expect_columns != NULL) /* they know what the options have said of the training rows, by names where there are any */
    data.label = data.features = data.drop = data.categorical = data.numeric = data.id = NULL;
  /* A file is of the training rows. A column serves the test rows, too: by its name where there is one, else by its number. */
  bool by_number = setosa_dataset_weights(like) != NULL && setosa_dataset_weights_name(like) == NULL && access(data.weights, F_OK) != 0;
  if (!by_number) data.weights = NULL;
  data.expect_weights = setosa_dataset_weights_name(like);
  data.expect_label = setosa_dataset_label_name(like);
  data.scale = 1; /* as read: the scaling of the training data follows */
  data.expect_features = features;
  data.expect_index_base = setosa_dataset_index_base(like);
  data.expect_feature_names = feature_names;
  data.expect_shift = isnan(session->options->data.scale) || session->options->data.scale == 1 ? setosa_dataset_shift(like) : NULL;
  data.expect_classes = classes;
  data.expect_class_names = class_names;
  TRY(input_load(dataset, session, source, data, error));
cleanup:
  free(feature_names);
  free(class_names);
  return status;
}
