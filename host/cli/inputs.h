/* What commands work on: data sets, models and the device, as the options name them. */
#ifndef SETOSA_CLI_INPUTS_H
#define SETOSA_CLI_INPUTS_H

#include "cli/command.h"

/* The data options that a model brings, with what the command line adds to them. Borrows from both. */
SetosaDataOptions input_model_options(const SetosaModel *model, const Options *options);

/* DATA is a description of synthetic rows, not a file. */
bool input_is_made(const char *source);
/* Reads DATA with a progress line. */
Status input_load(SetosaDataset **dataset, const Session *session, const char *source, SetosaDataOptions data, Error *error);

enum { INPUT_WORDS = 64 };
/* "11 left out for missing values", or "" for none. */
const char *input_left_out(char text[INPUT_WORDS], uint64_t rows);
/* Rows of the source that are no rows of the data set; while it is as it was read. */
uint64_t input_count_left_out(const SetosaDataset *dataset);

/* The names of a data set as arrays, for the expect_ fields of SetosaDataOptions: borrowed texts in arrays to free().
 * feature_names is NULL when the set has none. */
Status input_borrow_names(const char ***feature_names, const char ***class_names, const SetosaDataset *dataset, Error *error);

/* Says which drivers were left out, and why. */
void input_warn_of_drivers(const Session *session, const SetosaDevices *devices);

/* The devices of --device and --backend. Zero-initialise, and do not copy: options points into it. */
typedef struct Compute {
  SetosaDevices *devices;
  SetosaDeviceChoices chosen;                /* none for a backend on the host */
  SetosaDevice *opened[SETOSA_CHOICES_MOST]; /* (chosen.count) */
  SetosaComputeOptions options;
} Compute;

/* Chooses, without opening: fast, so that a misspelt name is found before a long load. */
Status compute_choose(Compute *compute, const Session *session, Error *error);
/* The same for a command that works on one device: several are refused. */
Status compute_choose_one(Compute *compute, const Session *session, Error *error);
/* Between choosing and opening: only the device `which` (modulo their number) of those chosen, as a rank of several does. */
void compute_keep(Compute *compute, size_t which);
/* Opens what was chosen. The first time builds and tests the kernels. */
Status compute_open(Compute *compute, const Session *session, Error *error);
void compute_close(Compute *compute);
/* The first, and each of chosen.count devices; NULL for a backend on the host. */
const SetosaDeviceInfo *compute_device(const Compute *compute);
const SetosaDeviceInfo *compute_device_at(const Compute *compute, size_t which);
const char *input_device_type_name(SetosaDeviceType type); /* "CPU", ... */

#endif
