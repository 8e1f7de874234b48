/* The table of the library's options. */
#include "options/table.h"

#include <math.h>
#include <string.h>

#include "base/names.h"

#define REAL_FROM(low) .least = low, .most = INFINITY
#define COUNT_FROM(low) .least = low, .most = INFINITY

static const OptionRow rows[] = {
    /* data */
    {"label", 0, "COLUMN", "label column of a CSV: its name or its number from 1 (default: the last)", DATA_OPTION(OPTION_TEXT, label),
     .commands = (FOR_DATA & ~FOR_EXPLAIN) | FOR_INSPECT, .heading = HEADING_DATA},
    {"labels", 0, "FILE", "file with the labels of IDX or NPY data (default: found by its usual name, X-labels.npy beside X.npy)",
     DATA_OPTION(OPTION_TEXT, labels_path), .class = OPTION_AROUND, .path = PATH_READ, .commands = FOR_DATA | FOR_INSPECT,
     .heading = HEADING_DATA},
    {"features", 0, "A,B,...", "use these columns only, in this order: names or numbers from 1", DATA_OPTION(OPTION_TEXT, features),
     .joins = true, .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"drop", 0, "A,B,...", "leave these columns out", DATA_OPTION(OPTION_TEXT, drop), .joins = true, .commands = FOR_DATA | FOR_INSPECT,
     .heading = HEADING_DATA},
    {"categorical", 0, "A,B,...", "values of these columns are names, though they may be numbers", DATA_OPTION(OPTION_TEXT, categorical),
     .joins = true, .commands = FOR_TABLE, .heading = HEADING_DATA},
    {"numeric", 0, "A,B,...", "values of these columns must be numbers", DATA_OPTION(OPTION_TEXT, numeric), .joins = true,
     .commands = FOR_TABLE, .heading = HEADING_DATA},
    {"id", 0, "A,B,...", "these columns are no features; predict writes them beside each row", DATA_OPTION(OPTION_TEXT, id), .joins = true,
     .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"missing", 0, "HOW",
     "rows that lack a value: drop leaves them out, mean puts in the mean of the training rows (of names: none), error stops",
     DATA_OPTION(OPTION_CHOICE, missing), .choices = missing_names, .commands = FOR_TABLE, .heading = HEADING_DATA, .show_default = true},
    {"unseen", 0, "HOW", "a name that the training rows did not have: zero (none of the names), or error",
     DATA_OPTION(OPTION_CHOICE, unseen), .choices = unseen_names, .commands = FOR_TABLE & ~FOR_INSPECT, .heading = HEADING_DATA,
     .show_default = true},
    {"na", 0, "WORD,...", "more words for a missing value, beside nothing, NA, N/A, NaN, nan, null, NULL, None, ?, #N/A and a lone point",
     DATA_OPTION(OPTION_TEXT, na), .joins = true, .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"separator", 0, "C", "what is between two fields: a character, tab or blank (default: found)", DATA_OPTION(OPTION_TEXT, separator),
     .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"decimal", 0, "C", "the decimal point: . or , (default: found)", DATA_OPTION(OPTION_TEXT, decimal), .commands = FOR_DATA | FOR_INSPECT,
     .heading = HEADING_DATA},
    {"hash-features", 0, "BITS",
     "of LIBSVM text: features are any names, each hashed into one of 2^BITS columns with a sign (0: they are numbers)",
     DATA_OPTION(OPTION_COUNT, hash_features), .least = 0, .most = 30, .off_by_default = true, .commands = FOR_TABLE,
     .heading = HEADING_DATA},
    {"positive", 0, "CLASS", "make the task CLASS against all the rest (two classes: CLASS and non-CLASS)",
     DATA_OPTION(OPTION_TEXT, positive), .commands = FOR_FIT | FOR_CHECK | FOR_BENCH, .heading = HEADING_DATA},
    {"weights", 0, "COLUMN|FILE", "weights of the rows: a column of a CSV, which is no feature then, or a file of one number a row",
     DATA_OPTION(OPTION_TEXT, weights), .class = OPTION_AROUND, .path = PATH_OR_COLUMN,
     .commands = FOR_FIT | FOR_EVAL | FOR_SUMMARY | FOR_INSPECT, .heading = HEADING_DATA},
    {"header", 0, NULL, "the first line of a CSV holds the column names (default: detected)", DATA_OPTION(OPTION_SET, header), .least = 1,
     .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"no-header", 0, NULL, "the first line of a CSV is data already", DATA_OPTION(OPTION_SET, header), .least = 0,
     .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA},
    {"cache", 0, "DIR",
     "keep what is converted from a large CSV or .gz here, to be mapped the next time (default: see `setosa cache path`)",
     DATA_OPTION(OPTION_TEXT, cache), .class = OPTION_AROUND, .path = PATH_FOLDER, .commands = FOR_DATA, .heading = HEADING_DATA},
    {"no-cache", 0, NULL, "read the data themselves, and keep no conversion of them", DATA_OPTION(OPTION_FLAG, no_cache),
     .class = OPTION_AROUND, .commands = FOR_DATA, .heading = HEADING_DATA},
    {"scale", 0, "X", "multiply every feature by X (default: 1/255 for u8 images, else 1)", DATA_OPTION(OPTION_REAL, scale),
     .least = -INFINITY, .most = INFINITY, .not_zero = true, .may_be_unset = true, .commands = FOR_FIT | FOR_CHECK | FOR_BENCH,
     .heading = HEADING_DATA},
    {"sparse", 0, "WHEN",
     "keep rows as their entries, without the zeros: auto (tables whose words make very many features), always or never",
     DATA_OPTION(OPTION_CHOICE, sparse), .choices = sparse_names, .commands = FOR_DATA | FOR_INSPECT, .heading = HEADING_DATA,
     .show_default = true},
    /* training */
    {"solver", 0, "NAME", "auto (newton or lbfgs, by the shape of the data), newton, lbfgs, gd, sgd or adam",
     TRAIN_OPTION(OPTION_CHOICE, solver), .choices = solver_names, .commands = FOR_FIT, .heading = HEADING_TRAINING, .show_default = true},
    {"l2", 0, "LAMBDA", "strength of the L2 penalty: adds LAMBDA/2 times the sum of the squared weights to the mean loss; the bias is free",
     TRAIN_OPTION(OPTION_REAL, l2), .least = 0, .most = 1e30, .commands = FOR_TRAIN | FOR_CHECK, .heading = HEADING_TRAINING,
     .show_default = true},
    {"l1", 0, "LAMBDA", "strength of the L1 penalty: adds LAMBDA times the sum of |weights|, which makes many of them exactly 0",
     TRAIN_OPTION(OPTION_REAL, l1), .least = 0, .most = 1e30, .commands = FOR_TRAIN, .heading = HEADING_TRAINING, .show_default = true},
    {"preconditioner", 0, "NAME", "lbfgs: first guess of the curvature: auto (by the shape of the data), none, diagonal, kron or blocks",
     TRAIN_OPTION(OPTION_CHOICE, preconditioner), .choices = preconditioner_names, .solvers = WITH_LBFGS, .off_by_default = true,
     .commands = FOR_FIT, .heading = HEADING_TRAINING, .show_default = true},
    {"class-weight", 0, "W", "balanced, or NAME=W,NAME=W,...: rows of a class count W times (default: 1 each)",
     TRAIN_OPTION(OPTION_TEXT, class_weight), .commands = FOR_FIT | FOR_EVAL, .heading = HEADING_DATA},
    {"label-smoothing", 0, "E", "train towards 1 - E + E/K for the true class and E/K for the others",
     TRAIN_OPTION(OPTION_REAL, label_smoothing), .least = 0, .most = 1, .open_most = true, .commands = FOR_FIT, .heading = HEADING_TRAINING,
     .show_default = true},
    {"max-iterations", 0, "N", "newton, lbfgs, gd: stop after N iterations", TRAIN_OPTION(OPTION_COUNT, max_iterations), COUNT_FROM(0),
     .class = OPTION_STOPS, .solvers = WITH_CURVATURE | WITH_GD, .instead = "sgd and adam count --epochs", .commands = FOR_FIT | FOR_BENCH,
     .heading = HEADING_TRAINING, .show_default = true},
    {"tolerance", 0, "T", "converged when no component of the gradient is larger than T; 0: never, every iteration is run",
     TRAIN_OPTION(OPTION_REAL, tolerance), REAL_FROM(0), .class = OPTION_STOPS, .commands = FOR_FIT | FOR_BENCH,
     .heading = HEADING_TRAINING, .show_default = true},
    {"gap", 0, "E", "newton, lbfgs: converged only when F is at most E times itself above the optimum, too; 0: whatever it is",
     TRAIN_OPTION(OPTION_REAL, gap), REAL_FROM(0), .class = OPTION_STOPS, .solvers = WITH_CURVATURE, .off_by_default = true,
     .commands = FOR_TRAIN, .heading = HEADING_TRAINING, .show_default = true},
    {"history", 0, "N", "lbfgs: past steps remembered", TRAIN_OPTION(OPTION_SIZE, history), .least = 1, .most = 1000, .solvers = WITH_LBFGS,
     .commands = FOR_FIT, .heading = HEADING_TRAINING, .show_default = true},
    {"learning-rate", 0, "X", "gd: fixed step (default: found by backtracking); sgd, adam: initial rate",
     TRAIN_OPTION(OPTION_REAL, learning_rate), REAL_FROM(0), .open_least = true, .may_be_unset = true, .off_by_default = true,
     .solvers = WITH_GD | WITH_BATCHES, .instead = "the others find their steps", .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"momentum", 0, "X", "sgd: part of the last step that is kept", TRAIN_OPTION(OPTION_REAL, momentum), .least = 0, .most = 1,
     .open_most = true, .off_by_default = true, .solvers = WITH_SGD, .commands = FOR_TRAIN, .heading = HEADING_TRAINING,
     .show_default = true},
    {"nesterov", 0, NULL, "sgd: look ahead along the momentum", TRAIN_OPTION(OPTION_FLAG, nesterov), .off_by_default = true,
     .solvers = WITH_SGD, .commands = FOR_TRAIN, .heading = HEADING_TRAINING},
    {"batch-size", 0, "N", "sgd, adam: rows in a mini-batch", TRAIN_OPTION(OPTION_SIZE, batch_size), COUNT_FROM(1), .solvers = WITH_BATCHES,
     .commands = FOR_TRAIN, .heading = HEADING_TRAINING, .show_default = true},
    {"schedule", 0, "NAME", "sgd, adam: how the learning rate falls: constant, inverse, cosine or step",
     TRAIN_OPTION(OPTION_CHOICE, schedule), .choices = schedule_names, .solvers = WITH_BATCHES, .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING, .show_default = true},
    {"epochs", 0, "N", "sgd, adam: passes over the data", TRAIN_OPTION(OPTION_COUNT, epochs), COUNT_FROM(1), .stops_at_constant_rate = true,
     .solvers = WITH_BATCHES, .instead = "the others count --max-iterations", .commands = FOR_TRAIN, .heading = HEADING_TRAINING,
     .show_default = true},
    {"patience", 0, "N", "sgd, adam: stop when the validation loss has not fallen for N epochs, and keep the best weights",
     TRAIN_OPTION(OPTION_COUNT, patience), COUNT_FROM(0), .off_by_default = true, .solvers = WITH_BATCHES, .commands = FOR_TRAIN,
     .heading = HEADING_TRAINING},
    {"seed", 0, "N", "order of rows and batches, and which rows are sampled; the same seed gives the same model",
     TRAIN_OPTION(OPTION_COUNT, seed), COUNT_FROM(0), .any_word = true, .commands = FOR_FIT, .heading = HEADING_TRAINING,
     .show_default = true},
    {"intercept", 0, NULL, "fit weights only, no bias", TRAIN_OPTION(OPTION_NOT, intercept), .flag = "no-intercept", .commands = FOR_FIT,
     .heading = HEADING_TRAINING},
    {"checkpoint", 0, "FILE", "keep the state of the training here, so that nothing is lost; the one before it stays as FILE.previous",
     TRAIN_OPTION(OPTION_TEXT, checkpoint), .class = OPTION_RUN, .path = PATH_WRITTEN, .beside = ".previous", .continues = "resume",
     .commands = FOR_FIT, .heading = HEADING_RESULT},
    {"overwrite", 0, NULL, "begin afresh where --checkpoint FILE is there already, which becomes FILE.previous (default: go on from it)",
     TRAIN_OPTION(OPTION_FLAG, overwrite), .class = OPTION_RUN, .alike = true, .commands = FOR_FIT, .heading = HEADING_RESULT},
    /* where */
    {"backend", 0, "NAME",
     "native (our OpenCL kernels), clblast (products of matrices by CLBlast), blas (OpenBLAS on the host) or reference (plain C, double, "
     "slow)",
     COMPUTE_OPTION(OPTION_CHOICE, backend), .choices = backend_names, .resolved = true, .commands = FOR_COMPUTE, .heading = HEADING_DEVICE,
     .show_default = true},
    {"family", 0, "NAME", "kernels to use: auto (by device), cpu or gpu", COMPUTE_OPTION(OPTION_CHOICE, family), .choices = family_names,
     .resolved = true, .backends = WITH_DEVICE, .commands = FOR_COMPUTE | FOR_CHECK | FOR_BENCH, .heading = HEADING_DEVICE,
     .show_default = true},
    {"storage", 0, "TYPE",
     "how the device holds the features: f32, f16 or u8 (default: f32; on a device with its own memory u8 for images of bytes)",
     COMPUTE_OPTION(OPTION_CHOICE, storage), .choices = storage_names, .resolved = true, .backends = WITH_NATIVE,
     .commands = FOR_COMPUTE | FOR_CHECK, .heading = HEADING_DEVICE},
    {"device-memory", 0, "SIZE",
     "use at most so much of the device's memory, as in 512M or 4G; data beyond it streams in chunks (default: what the device has)",
     COMPUTE_OPTION(OPTION_BYTES, device_memory_bytes), .class = OPTION_AROUND, .backends = WITH_DEVICE, .commands = FOR_COMPUTE,
     .heading = HEADING_DEVICE},
    {"tune", 0, "HOW", "search for the fastest kernel shapes at first use: quick (about 2 s), off or full",
     COMPUTE_OPTION(OPTION_CHOICE, tuning), .choices = tuning_names, .backends = WITH_NATIVE, .commands = FOR_COMPUTE | FOR_BENCH,
     .heading = HEADING_DEVICE, .show_default = true},
    {"reproducible", 0, NULL, "fixed kernel shapes, so that results do not depend on what tuning found",
     COMPUTE_OPTION(OPTION_FLAG, reproducible), .backends = WITH_NATIVE, .commands = FOR_COMPUTE | FOR_BENCH, .heading = HEADING_DEVICE},
    {"fast-reduce", 0, NULL,
     "with mpirun: add up by MPI_Allreduce, quicker over a network, but with other last digits for another number of processes",
     COMPUTE_OPTION(OPTION_FLAG, fast_reduce), .class = OPTION_RUN, .alike = true, .commands = FOR_FIT, .heading = HEADING_DEVICE},
};
enum { ROWS = sizeof rows / sizeof *rows };

const OptionRow *option_table(size_t *count) {
  *count = ROWS;
  return rows;
}

const void *option_of_training(const OptionRow *row, const SetosaTrainOptions *options) {
  return row->home == OPTION_OF_TRAINING ? (const void *)options : row->home == OPTION_OF_COMPUTE ? &options->compute : NULL;
}

const OptionRow *option_find(const char *name) {
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].home != OPTION_OF_DATA && strcmp(rows[i].name, name) == 0) return &rows[i];
  return NULL;
}

bool option_means_something(const OptionRow *row, const SetosaTrainOptions *options) {
  return (row->solvers == 0 || (row->solvers & 1U << options->solver) != 0) &&
         (row->backends == 0 || (row->backends & 1U << options->compute.backend) != 0);
}

bool option_may_differ(const OptionRow *row, const SetosaTrainOptions *options) {
  /* How long a schedule is bends the rate from the first update on; a constant rate has no length. */
  if (row->stops_at_constant_rate && options->schedule == SETOSA_SCHEDULE_CONSTANT) return true;
  return row->class != OPTION_RESULT || !option_means_something(row, options);
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

SetosaComputeOptions setosa_compute_options_default(void) {
  return (SetosaComputeOptions){.backend = SETOSA_BACKEND_NATIVE, .family = SETOSA_FAMILY_AUTO, .device = NULL};
}

/* tolerance: with 1e-5, F on the digits (64 features, l2 0.001) ends 1.3e-6 (double) to 2.5e-6 (f32) of itself above the optimum; with
 * 3e-6, below 1e-7. f32 gradients of ordinary data can go that low: they stop falling at 1e-7 on raw iris, 1e-8 on scaled data.
 * history: 20 pairs need 20 to 40 % fewer passes than 10 on iris, digits and breast cancer, for 20 more vectors.
 * max_iterations: the hardest of the well-scaled sets tried needs 150; data that needs more than 1000 wants standardizing. */
SetosaTrainOptions setosa_train_options_default(void) {
  return (SetosaTrainOptions){
      .compute = setosa_compute_options_default(),
      .solver = SETOSA_SOLVER_AUTO,
      .l2 = 1e-4,
      .intercept = true,
      .max_iterations = 1000,
      .tolerance = 3e-6,
      .gap = 1e-7,
      .history = 20,
      .learning_rate = NAN,
      .momentum = 0.0,
      .nesterov = false,
      .batch_size = 256,
      .epochs = 20,
      .schedule = SETOSA_SCHEDULE_COSINE,
      .seed = 1,
      .checkpoint_seconds = 60.0,
  };
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

Status options_check_training(const SetosaTrainOptions *options, const SetosaTrainOptions *usual, Error *error) {
  Status status = SETOSA_OK;
  const SetosaTrainOptions defaults = setosa_train_options_default();
  for (size_t i = 0; i < ROWS; i++) {
    const OptionRow *row = &rows[i];
    if (row->home != OPTION_OF_TRAINING) continue;
    bool heeded = row->solvers == 0 || (row->solvers & 1U << options->solver) != 0;
    if (heeded || row->kind == OPTION_CHOICE) /* a choice that is none is a defect of whoever made it */
      TRY(option_check(row, options, error));
    else if (row->off_by_default && !option_same(row, options, &defaults) && (usual == NULL || !option_same(row, options, usual)))
      TRY(option_check_solver(row, options->solver, error));
  }
  if (options->nesterov && options->momentum == 0.0)
    return error_set(error, SETOSA_ERROR_USAGE, "--nesterov needs momentum to look ahead along; add --momentum 0.9");
cleanup:
  return status;
}

Status options_check_tuning(SetosaTuning tuning, bool reproducible, Error *error) {
  const SetosaComputeOptions options = {.tuning = tuning, .reproducible = reproducible};
  Status status = option_check(option_find("tune"), &options, error);
  if (status != SETOSA_OK || !reproducible || tuning != SETOSA_TUNING_FULL) return status;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "--reproducible keeps to fixed kernel shapes, so --tune full would search for nothing; leave one of the two out");
}

Status options_check_compute(const SetosaComputeOptions *options, Error *error) {
  Status status = SETOSA_OK;
  for (size_t i = 0; i < ROWS; i++)
    if (rows[i].home == OPTION_OF_COMPUTE) TRY(option_check(&rows[i], options, error));
  /* f32 is what every backend holds. */
  if (options->storage > SETOSA_STORAGE_F32) TRY(option_check_backend(option_find("storage"), options->backend, error));
  TRY(options_check_tuning(options->tuning, options->reproducible, error));
  if (options->ranks != NULL && (WITH_NATIVE & 1U << options->backend) == 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--backend: several processes share the rows with the native backend alone; leave it out, or start without mpirun"));
  if (options->fast_reduce && options->ranks == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--fast-reduce is about how several processes add up; start them with mpirun -n N, or leave it out"));
cleanup:
  return status;
}
