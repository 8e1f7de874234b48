/*
 * Setosa: softmax regression (multinomial logistic regression) on any OpenCL device.
 * The public C API. Everything the program `setosa` does, a C caller can do; measuring, which few do, is in setosa_bench.h.
 *
 * Mathematics: N rows, D features, K classes. X (N,D) row-major f32, labels y (N) in 0..K-1, weights of rows s (N),
 * weights W (K,D) row-major (row k is the weight vector of class k), bias b (K).
 *   F(W,b) = sum_i s_i l_i / sum_i s_i + (l2/2) * ||W||^2,   l_i = logsumexp(z_i) - z_i[y_i],   z_i = W x_i + b
 * Without weights of rows every s_i is 1, and the first term is the mean loss. The derivations are in kernels/README.md, of the sources and
 * beside the README.md that is installed.
 *
 * Every function that can fail returns SETOSA_OK or an error status and then fills *error (which may be NULL).
 * Pointers must not be NULL unless it is said here that they may: SETOSA_ERROR_USAGE names the function and the argument, as it does for a
 * choice, size or number that makes no sense. `user` may always be NULL, and is handed to the callback. What would have been made is NULL
 * after a failure. Functions that cannot fail answer NULL in place of an object with 0, false or NULL, and so they do for an index past the
 * last.
 * Pairs: create/destroy (memory), open/close (outside resource), load/save (files); each destroy and close accepts NULL.
 * No function prints or exits. Objects are not thread-safe; different objects may be used from different threads.
 */
#ifndef SETOSA_H
#define SETOSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SETOSA_VERSION "0.2.0"
/* SETOSA_VERSION of the library that is in use; static. A caller that was built with another header can so know. */
const char *setosa_version(void);

/* ---- status and errors ------------------------------------------------------------------------------------------ */

/* What happened; the values are the program's exit codes. */
typedef enum SetosaStatus {
  SETOSA_OK = 0,
  SETOSA_ERROR_INTERNAL = 1,      /* a defect, or the host is out of memory */
  SETOSA_ERROR_USAGE = 2,         /* an argument or option that makes no sense */
  SETOSA_ERROR_DATA = 3,          /* bad data or model file; the message begins FILE:LINE:COLUMN where that is known */
  SETOSA_ERROR_DEVICE = 4,        /* no usable device, or it failed */
  SETOSA_ERROR_NOT_CONVERGED = 5, /* only when the caller asked to be strict */
  SETOSA_ERROR_WRITE = 6,         /* a file could not be written */
  SETOSA_INTERRUPTED = 130        /* a callback asked to stop */
} SetosaStatus;

/* Filled by the first failure. message: one line that says where, what, and what to do next. */
typedef struct SetosaError {
  SetosaStatus status;
  int opencl_code; /* the OpenCL error code behind it, 0 if none */
  char message[1024];
} SetosaError;

/* ---- progress --------------------------------------------------------------------------------------------------- */

typedef enum SetosaPhase { SETOSA_PHASE_LOAD, SETOSA_PHASE_TRAIN, SETOSA_PHASE_PREDICT, SETOSA_PHASE_GENERATE } SetosaPhase;

/* A moment of a long operation. Numbers that do not apply to the phase are 0 (NAN for objective, loss, gradient_norm). */
typedef struct SetosaProgress {
  SetosaPhase phase;
  uint64_t iteration, max_iterations; /* TRAIN: iterations, or epochs for mini-batch solvers */
  double objective, loss, gradient_norm, step;
  double validation_loss; /* NAN without validation rows */
  double seconds;         /* since the phase began */
  double rows_per_second;
  double passes;                    /* SETOSA_PHASE_TRAIN: so far, as in SetosaTrainResult */
  uint64_t rows_done, rows_total;   /* total 0: unknown */
  uint64_t bytes_done, bytes_total; /* LOAD: of the file as stored; GENERATE: done alone */
  uint64_t bytes_unpacked;          /* LOAD: decompressed so far; 0 where nothing is compressed */
} SetosaProgress;

/* Return false to stop: training ends after the current iteration with what it has (SETOSA_OK, stop reason
 * "interrupted"); loading and predicting return SETOSA_INTERRUPTED. */
typedef bool (*SetosaProgressCallback)(const SetosaProgress *progress, void *user);

/* ---- devices ---------------------------------------------------------------------------------------------------- */

typedef enum SetosaDeviceType { SETOSA_DEVICE_CPU, SETOSA_DEVICE_GPU, SETOSA_DEVICE_OTHER } SetosaDeviceType;
typedef enum SetosaFamily { SETOSA_FAMILY_AUTO, SETOSA_FAMILY_CPU, SETOSA_FAMILY_GPU } SetosaFamily; /* of kernels */
/* "cpu", "gpu", "other", "auto"; static. "unknown" for a value that is none. */
const char *setosa_device_type_name(SetosaDeviceType type);
const char *setosa_family_name(SetosaFamily family);

typedef struct SetosaDeviceInfo {
  size_t index; /* as `setosa devices` prints it */
  SetosaDeviceType type;
  const char *name, *vendor, *driver, *version; /* driver: driver version; version: "OpenCL 1.2 ..." */
  const char *platform, *platform_version;
  uint64_t memory_bytes, max_allocation_bytes, local_memory_bytes;
  uint32_t compute_units, clock_mhz;
  bool usable;
  const char *refusal; /* why it is refused, with what to do; "" when usable */
  const char *note;    /* e.g. "the same physical device as 0"; "" if none */
  bool tensor_cores;   /* products of many classes may run on its tensor cores: NVIDIA, compute capability 8.0 or later. SETOSA_TENSOR_CORES
                          in the environment decides otherwise: 0 never, 1 on any device of NVIDIA and untried */
} SetosaDeviceInfo;

typedef struct SetosaDevices SetosaDevices; /* every platform and device found */
typedef struct SetosaDevice SetosaDevice;   /* one opened device: context, queue, compiled kernels */

/* Finds every platform and device. Succeeds with an empty list when there is none. The list outlives no device opened from it:
 * close the devices first. With PoCL and no POCL_CACHE_DIR in the environment, or one that another user could change, this
 * sets that variable to a folder of this process's own, since processes must not share one; and where setosa_cache_path fails it turns
 * off the caches of Mesa's and NVIDIA's drivers. Call it before starting threads that read the environment. When the process ends by exit
 * or by returning from main, a mark in that folder is removed.
 * A driver that is new here, or was changed, is first tried in a child process: it is loaded, lists its devices, and each of them runs a
 * kernel. One that ends the child, or is silent for 20 s ($SETOSA_DRIVER_SECONDS), is left out, and a device that does so is refused;
 * setosa_devices_warning tells of both. Verdicts are kept in the cache. While the OpenCL loader starts, OCL_ICD_VENDORS may be another. In
 * a process that uses OpenCL already nothing is tried. */
SetosaStatus setosa_devices_open(SetosaDevices **devices, SetosaError *error);
void setosa_devices_close(SetosaDevices *devices);
size_t setosa_devices_count(const SetosaDevices *devices);
/* Borrowed from the list; NULL from index count on. */
const SetosaDeviceInfo *setosa_devices_get(const SetosaDevices *devices, size_t index);
/* Drivers that were left out and devices that were refused because they do not survive being tried, a line each that says what to do;
 * NULL after the last. Borrowed from the list. Where no driver is left, the list is empty, and setosa_devices_select says it, too. */
const char *setosa_devices_warning(const SetosaDevices *devices, size_t index);
/* selector: an index, a part of the name (any case), "cpu", "gpu", or NULL for the best usable (GPU before CPU).
 * force: take a refused device too. */
SetosaStatus setosa_devices_select(const SetosaDevices *devices, const char *selector, bool force, size_t *index, SetosaError *error);

enum { SETOSA_CHOICES_MOST = 64 };

/* A device of the list, or part `part` (from 0) of it cut into `parts` sub-devices of as many compute units each; 0 of 1: the device. */
typedef struct SetosaDeviceChoice {
  size_t index, part, parts;
} SetosaDeviceChoice;

typedef struct SetosaDeviceChoices {
  SetosaDeviceChoice choice[SETOSA_CHOICES_MOST];
  size_t count;
  char left_out[512]; /* "1 NAME (why), ...": what "all" does not mean; "" if nothing */
} SetosaDeviceChoices;

/* Several devices for one training. A selector is as above, SEL/N for the N parts of it, "all" for every usable device that is no duplicate
 * of another and has the same kernels as the best one (any kernels with a family), or a list as in "0,2/2"; none: the best device alone.
 * SETOSA_ERROR_USAGE: a device is named twice, or they have different kernels and family is AUTO. */
SetosaStatus setosa_devices_choose(SetosaDeviceChoices *choices, const SetosaDevices *devices, size_t selector_count,
                                   const char *const *selectors, SetosaFamily family, bool force, SetosaError *error);
/* Explains what the OpenCL loader sees: ICD files, whether each library loads, environment overrides, one remedy each. */
typedef void (*SetosaTextCallback)(const char *line, void *user);
SetosaStatus setosa_devices_diagnose(SetosaTextCallback print, void *user, SetosaError *error);

/* Opens a device. When kernels are first used on this device and driver for data of some shape, a self-test of known answers runs (a
 * second or two with the compiling; the verdict is cached), and the call that would use them is refused with SETOSA_ERROR_DEVICE if the
 * device computes wrong results; with force set there is no test. */
SetosaStatus setosa_device_open(SetosaDevice **device, const SetosaDevices *devices, size_t index, bool force, SetosaError *error);
/* The same for a part of a device (parts 1: the whole); SETOSA_ERROR_DEVICE when its driver does not cut it so. */
SetosaStatus setosa_device_open_part(SetosaDevice **device, const SetosaDevices *devices, size_t index, size_t part, size_t parts,
                                     bool force, SetosaError *error);
void setosa_device_close(SetosaDevice *device);
/* The whole self-test, whether or not the device was forced: SETOSA_ERROR_DEVICE names the first wrong quantity. */
SetosaStatus setosa_device_test(SetosaDevice *device, SetosaError *error);
const SetosaDeviceInfo *setosa_device_info(const SetosaDevice *device);

/* ---- data ------------------------------------------------------------------------------------------------------- */

/* What becomes of a row of a table that lacks a value in a column that is used. */
typedef enum SetosaMissing {
  SETOSA_MISSING_DROP, /* it is left out; setosa_predict then has no line for it (setosa_dataset_source_row) */
  SETOSA_MISSING_MEAN, /* the mean of the column over the training rows (numeric), or none of its levels */
  SETOSA_MISSING_ERROR /* SETOSA_ERROR_DATA at the first */
} SetosaMissing;
/* What becomes of a value of a categorical column that the training rows did not have. */
typedef enum SetosaUnseen { SETOSA_UNSEEN_ZERO, SETOSA_UNSEEN_ERROR } SetosaUnseen; /* none of the levels; SETOSA_ERROR_DATA */
/* How rows are kept: all their values, or sparse, that is their entries, column and value of what is not 0. */
typedef enum SetosaSparse {
  SETOSA_SPARSE_AUTO,   /* a table by what its columns are: sparse where a row has few of very many features; other sources as they are */
  SETOSA_SPARSE_ALWAYS, /* sparse, whatever they are */
  SETOSA_SPARSE_NEVER   /* dense */
} SetosaSparse;
/* "drop", "mean", "error"; "zero", "error"; "auto", "always", "never"; static. "unknown" for a value that is none. */
const char *setosa_missing_name(SetosaMissing missing);
const char *setosa_unseen_name(SetosaUnseen unseen);
const char *setosa_sparse_name(SetosaSparse sparse);

/* What the columns of a table were when it was read: their kinds, levels, means. Of a data set, or of a model. */
typedef struct SetosaColumns SetosaColumns;

/* How to read a data set. Start from setosa_data_options_default(). Strings and arrays are borrowed for the call. */
typedef struct SetosaDataOptions {
  int header;        /* -1 detect, 0 none, 1 the first line is a header */
  const char *label; /* label column of a CSV: name or 1-based index; NULL: the last column */
  /* --labels FILE for IDX and NPY: .npy, IDX, or one label a line. As in a CSV the classes are the distinct values, and are called by them.
   * NULL: found by its usual name, X-labels.npy beside X.npy. */
  const char *labels_path;
  /* Weights of rows, finite, 0 or more, not all 0: a column of a CSV (name or 1-based index), which is no feature then, or an array of an
   * .npz, else a file (.npy, IDX, or one number per line). NULL: every row counts 1. */
  const char *weights;
  const char *features; /* comma-separated names or 1-based indices to keep, in this order; NULL: all */
  const char *drop;     /* comma-separated names or 1-based indices to leave out; NULL: none */
  /* Of a table. Lists are comma-separated names or 1-based indices; NULL: none. What a column is, is found by looking at all of it. */
  const char *categorical; /* columns whose values are names, though they are numbers, or nearly all different */
  const char *numeric;     /* columns whose values must be numbers */
  const char *id;          /* columns that are no features, and are kept as text beside the rows: setosa_dataset_id */
  SetosaMissing missing;
  SetosaUnseen unseen;
  const char *na; /* further words for a missing value, comma-separated, beside "", NA, N/A, NaN, nan, null, NULL, None, ?, #N/A, . */
  const char *separator; /* one character, or "tab", "blank" (any number of blanks and tabs); NULL: found */
  const char *decimal;   /* "." or ","; NULL: found */
  /* Columns whose digits f32 would lose (|mean| large beside their spread) are shifted before they are rounded: with a free bias that is
   * the same model. true: never, as a training without an intercept needs it. */
  bool unshifted;
  /* (also_count) further files with the same columns, tables or LIBSVM text like the first, whose rows follow; NULL and 0: none. */
  const char *const *also;
  size_t also_count;
  /* LIBSVM text alone: its features are names, any texts, of which each becomes one of 2^hash_features columns by its hash, with the sign
   * that another bit of the hash says (1 to 30; 0: features are numbers, and columns of their own). */
  uint64_t hash_features;
  const char *positive; /* CLASS: makes the task CLASS against the rest, classes {CLASS, "non-CLASS"}; NULL: off */
  double scale;         /* multiplies every feature; NAN: 1/255 for u8 images, else 1 */
  SetosaSparse sparse;  /* how rows are kept, whatever they are read from */
  /* A CSV, LIBSVM text, a .gz, an .npz, or an .npy of doubles above 8 MB is converted once into a checksummed file, which is mapped the
   * next time; an .npz of a sparse matrix is not. */
  const char *cache;    /* folder of these files, created when missing; NULL: "data" in the folder of setosa_cache_path */
  bool no_cache;        /* neither read nor write such files */
  bool labels_optional; /* predict: a file without labels is fine, unknown labels are ignored */
  /* What an existing model expects (setosa_model_data_options fills these); 0 and NULL when there is no model. */
  size_t expect_features;                  /* D of the model; another count of features is an error */
  const char *const *expect_feature_names; /* (D): a header with all of these names is read in this order; NULL: by position */
  const SetosaColumns *expect_columns;     /* of a table, instead of the names: every column is read as it was for the model */
  const double
      *expect_shift;     /* (D): what is taken off columns as they are read, as of the training rows; NULL: found (unshifted: nothing) */
  int expect_index_base; /* what LIBSVM text calls its first feature, 0 or 1; -1: 0 where it stands anywhere in the text, else 1 */
  const char *expect_weights; /* name of its column of weights: no feature; read as weights if it is there, unless labels_optional */
  const char *expect_label;   /* name of the label column when --label is not given and the header has it */
  size_t expect_classes;      /* K of the model */
  const char *const *expect_class_names; /* (K): a label that is none of these is an error at its line */
  uint64_t generate_above_bytes;         /* synthetic rows of more bytes (sparse: 8 an entry) are made as needed, not held; 0: 1 GiB */
  /* One of several processes that work on the same data together: every one sees all rows, but reads, checks and copies what it can do
   * without as little as it can. This process mostly uses the rows of part `part` of `parts` (equal, in order). parts 0 or 1: alone. */
  size_t part, parts;
  SetosaProgressCallback progress; /* may be NULL; at most about 20 calls a second */
  void *progress_user;
} SetosaDataOptions;

SetosaDataOptions setosa_data_options_default(void);

typedef struct SetosaDataset SetosaDataset;

/* Reads DATA: a path (a table as .csv, .tsv, .txt, .dat; LIBSVM text; IDX, .npy, .npz; each also .gz), a pattern of paths as "part-*.csv",
 * "-" (standard input), or "synthetic:rows=1e6,features=64,classes=10,...". options may be NULL for the defaults. */
SetosaStatus setosa_dataset_load(SetosaDataset **dataset, const char *source, const SetosaDataOptions *options, SetosaError *error);
/* Wraps arrays the caller keeps alive and unchanged: values (rows,features) row-major f32, labels (rows) in 0..classes-1 or NULL.
 * Every value must be finite and every label in range (checked). Operations that change rows make a copy first. */
SetosaStatus setosa_dataset_wrap(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const float *values,
                                 const int32_t *labels, SetosaError *error);
/* The same of sparse rows (CSR): the entries of row i are row_begin[i] to row_begin[i+1] - 1 of columns and values, row_begin (rows + 1)
 * ascending from 0, columns 0..features-1 and ascending within a row, values finite; values NULL: every entry is 1. Both are checked. */
SetosaStatus setosa_dataset_wrap_sparse(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const uint64_t *row_begin,
                                        const uint32_t *columns, const float *values, const int32_t *labels, SetosaError *error);
/* A data set of its own from numbers in double (copied): number d of row i is values[i * row_stride + d * feature_stride], so any array of
 * doubles will do, in either order; labels (rows) in 0..classes-1 (copied), or NULL. Values are rounded to f32, and columns that would lose
 * their digits so (|mean| large beside their spread) are shifted before, as those of a file are: setosa_dataset_shift. Of options (NULL:
 * the defaults) `unshifted` and `expect_shift` are heeded; with setosa_model_data_options rows are made as the model expects them.
 * SETOSA_ERROR_DATA for a value that is not finite or beyond f32, and for a column that f32 would make 0. */
SetosaStatus setosa_dataset_copy(SetosaDataset **dataset, size_t rows, size_t features, size_t classes, const double *values,
                                 ptrdiff_t row_stride, ptrdiff_t feature_stride, const int32_t *labels, const SetosaDataOptions *options,
                                 SetosaError *error);
/* Names (copied) of the features (D) and of the classes (K), which a model that is trained on the rows keeps; NULL: as they are called now.
 * Wrapped and copied arrays have no names of features, and their classes are "0", "1", ... */
SetosaStatus setosa_dataset_set_names(SetosaDataset *dataset, const char *const *features, const char *const *classes, SetosaError *error);
/* Whether the rows are sparse: kept as their entries, that is column and value of what is not 0. */
bool setosa_dataset_is_sparse(const SetosaDataset *dataset);
/* Entries of all rows; of dense ones rows * features. */
uint64_t setosa_dataset_entries(const SetosaDataset *dataset);
/* Whether every entry of sparse rows is 1: then no values are kept. false of dense rows. */
bool setosa_dataset_is_binary(const SetosaDataset *dataset);
/* Whether the features are the pixels of grey images, row by row, as an IDX file with three dimensions holds them; height and width (which
 * may be NULL) are then those of an image, with height * width features, else 0. */
bool setosa_dataset_image(const SetosaDataset *dataset, size_t *height, size_t *width);
/* What the source calls its first feature: 0 or 1 of LIBSVM text, -1 where features have no numbers. For expect_index_base. */
int setosa_dataset_index_base(const SetosaDataset *dataset);
/* The bits of the hashes that features were made of; 0: they were not. For hash_features. */
uint64_t setosa_dataset_hash_features(const SetosaDataset *dataset);
/* Weights of the rows (copied), finite, 0 or more, not all 0; NULL: every row counts 1. The mean loss becomes sum(s_i l_i) / sum(s_i), so
 * only their ratios count. Weights go along when rows are shuffled or split. SETOSA_ERROR_DATA names the first that cannot be. */
SetosaStatus setosa_dataset_set_weights(SetosaDataset *dataset, const float *weights, SetosaError *error);
/* Multiplies every row's weight with that of its class: "NAME=W,NAME=W" (W finite, 0 or more; classes that are not named: 1), or
 * "balanced", sum(s) / (K * sum of s of the class) with the weights s that were given, so that all classes weigh the same. It replaces what
 * was set before; NULL: classes count alike again. Metrics of this data set are then weighted so, too. */
SetosaStatus setosa_dataset_set_class_weights(SetosaDataset *dataset, const char *text, SetosaError *error);
/* The column that the labels came from; NULL: none did, or it has no name. */
const char *setosa_dataset_label_name(const SetosaDataset *dataset);
/* The column that the weights came from; NULL: none did. */
const char *setosa_dataset_weights_name(const SetosaDataset *dataset);
void setosa_dataset_destroy(SetosaDataset *dataset);
size_t setosa_dataset_rows(const SetosaDataset *dataset);
size_t setosa_dataset_features(const SetosaDataset *dataset);
size_t setosa_dataset_classes(const SetosaDataset *dataset);
/* (N,D) row-major, scaled as it stands now, less setosa_dataset_shift; borrowed; NULL: sparse, or made or gathered as needed. An .npy of
 * f32 is mapped, not read: leave the file as it is meanwhile. One that was written to is SETOSA_ERROR_DATA when the work on it is done; one
 * that is shortened ends the process with SIGBUS when the missing rows are touched, on whichever thread: a program may have a handler that
 * says so, as `setosa` does. */
const float *setosa_dataset_values(const SetosaDataset *dataset);
const int32_t *setosa_dataset_labels(const SetosaDataset *dataset); /* (N), or NULL; borrowed */
const float *setosa_dataset_weights(const SetosaDataset *dataset);  /* (N) as given, or NULL; borrowed until rows change */
const char *setosa_dataset_feature_name(const SetosaDataset *dataset, size_t feature); /* NULL when the source has no names */
const char *setosa_dataset_class_name(const SetosaDataset *dataset, size_t class_index);
/* The labels file that setosa_dataset_load finds by its usual name for DATA, unless labels_path names another: written to path (size
 * bytes), "" when there is none. Whoever writes files can so keep off it. */
SetosaStatus setosa_labels_find(char *path, size_t size, const char *source, SetosaError *error);
/* Calls `file` with each file that DATA stands for: those that fit a pattern, else itself; none for rows that are made and for standard
 * input. SETOSA_ERROR_DATA for a pattern that no name fits. */
SetosaStatus setosa_data_files(const char *source, SetosaTextCallback file, void *user, SetosaError *error);
/* The labels file that was found so; NULL: none was. */
const char *setosa_dataset_labels_found(const SetosaDataset *dataset);
/* How the columns of its table were read; NULL: it was none. Borrowed: for expect_columns, to read other rows alike. */
const SetosaColumns *setosa_dataset_columns(const SetosaDataset *dataset);
/* (D) rows hold x - shift, x scaled as it stands now; NULL: they hold x. Borrowed until rows change. */
const double *setosa_dataset_shift(const SetosaDataset *dataset);
/* Rows of the source, of which the data set has setosa_dataset_rows; the others lacked a value or a label. */
uint64_t setosa_dataset_source_rows(const SetosaDataset *dataset);
/* The row of the source, from 0, that a row of the data set is, as long as the rows are in their order. */
uint64_t setosa_dataset_source_row(const SetosaDataset *dataset, size_t row);
/* Columns that are carried along (--id), and their texts, of rows of the source. NULL past the last. Borrowed. */
size_t setosa_dataset_ids(const SetosaDataset *dataset);
const char *setosa_dataset_id_name(const SetosaDataset *dataset, size_t id);
const char *setosa_dataset_id(const SetosaDataset *dataset, size_t id, uint64_t source_row);
/* What was found out while the data were read, a line each; NULL after the last. Borrowed. */
typedef enum SetosaRemark {
  SETOSA_REMARK_WARNING, /* something was left out or taken for something, and may be meant otherwise */
  SETOSA_REMARK_DETAIL   /* worth knowing for whoever asks */
} SetosaRemark;
const char *setosa_dataset_remark(const SetosaDataset *dataset, size_t index, SetosaRemark *kind);
bool setosa_dataset_cached(const SetosaDataset *dataset);            /* read from a file converted earlier, not from the source itself */
const char *setosa_dataset_cache_note(const SetosaDataset *dataset); /* why the conversion was not kept; NULL: it was, or need not be */
/* Shifts and scales every feature to mean 0 and population standard deviation 1 (a constant feature becomes 0), of rows as they are:
 * weights do not count here. The scaling is remembered, kept in the model, and applied again at prediction. */
SetosaStatus setosa_dataset_standardize(SetosaDataset *dataset, SetosaError *error);
/* Permutes the rows in place, reproducibly (Fisher-Yates on Philox counters). */
SetosaStatus setosa_dataset_shuffle(SetosaDataset *dataset, uint64_t seed, SetosaError *error);
/* Moves round(fraction * N) rows, chosen at random by seed, into a new data set. 0 < fraction < 1; neither part may be empty. */
SetosaStatus setosa_dataset_split(SetosaDataset *dataset, double fraction, uint64_t seed, SetosaDataset **held_out, SetosaError *error);
/* Applies another data set's scaling (mean, deviation, factor) to this one, which must still be as read. */
SetosaStatus setosa_dataset_scale_like(SetosaDataset *dataset, const SetosaDataset *like, SetosaError *error);

/* ---- columns of a table ----------------------------------------------------------------------------------------- */

/* One of the columns that features are made of. */
typedef struct SetosaColumn {
  const char *name;          /* NULL where the table had no header */
  size_t number;             /* from 1, in the table that was read first */
  bool categorical;          /* a feature for each of `levels`; else one, the value */
  const char *const *levels; /* (level_count) in byte order */
  size_t level_count;
  double shift; /* of a number: rows of a data set hold x - shift */
  double mean;  /* of a number: what SETOSA_MISSING_MEAN puts in; NAN: not known */
} SetosaColumn;
/* The columns in the order of their features, i from 0: false past the last. Borrowed. column may be NULL. What becomes of values that are
 * missing or new is said by setosa_model_data_options. */
bool setosa_columns_get(const SetosaColumns *columns, size_t i, SetosaColumn *column);
/* The names of those that are carried along, or their numbers from 1; NULL past the last. Borrowed. */
const char *setosa_columns_id(const SetosaColumns *columns, size_t i);

typedef enum SetosaColumnUse {
  SETOSA_COLUMN_FEATURE,
  SETOSA_COLUMN_LABEL,
  SETOSA_COLUMN_WEIGHTS,
  SETOSA_COLUMN_ID,
  SETOSA_COLUMN_LEFT_OUT,  /* asked for, or because it counts or identifies rows, or has no value */
  SETOSA_COLUMN_IN_THE_WAY /* it cannot be used as it is: `note` says why, and training on the table is an error */
} SetosaColumnUse;

typedef struct SetosaColumnReport {
  const char *name; /* or its number from 1, where there is no header */
  SetosaColumnUse use;
  bool categorical;                    /* its values are names; else numbers */
  uint64_t present, missing;           /* values, of all rows; the rest is of the rows that are used */
  uint64_t levels;                     /* different values, of a categorical column and of the label; 0: not counted */
  const char *const *level_names;      /* (levels_named) in byte order, */
  const uint64_t *level_counts;        /* and how many rows have each; both NULL when levels_named is 0 */
  size_t levels_named;                 /* levels, or 0 where there are too many to be kept */
  double least, most, mean, deviation; /* of the numbers (population deviation); NAN: there are none */
  double shift;                        /* taken off its numbers, so that f32 keeps their digits: the model is the same; 0: nothing */
  uint64_t features;                   /* that it makes */
  const char *note;                    /* what was found, and what becomes of it; "" when nothing is special */
} SetosaColumnReport;

/* All of it belongs to the report. */
typedef struct SetosaTableReport {
  uint64_t rows;          /* of the table */
  uint64_t rows_left_out; /* of these, for a missing value, as the option `missing` says; not counted (0) where there is a problem */
  uint64_t features;
  bool sparse; /* its rows are kept as their entries: the option `sparse` */
  bool header;
  char separator[8], decimal[2]; /* as found: ",", "tab", "blank", ...; "." or "," */
  size_t column_count;
  SetosaColumnReport *columns; /* (column_count) in the order of the table */
  char *problem;               /* what training on it would fail with; NULL: nothing */
} SetosaTableReport;

/* Looks at a table as setosa_dataset_load would with these options (NULL: the defaults), and says what its columns are. All of it is read;
 * nothing is kept. A table that could not be trained on is told of, too, and `problem` says why; SETOSA_ERROR_DATA is for what cannot be
 * read as one. *report is NULL, with SETOSA_OK, where source is no table but arrays (.npy, .npz, IDX) or synthetic. */
SetosaStatus setosa_table_inspect(SetosaTableReport **report, const char *source, const SetosaDataOptions *options, SetosaError *error);
void setosa_table_report_destroy(SetosaTableReport *report);

/* ---- generate --------------------------------------------------------------------------------------------------- */

/* Start from setosa_generate_options_default(). */
typedef struct SetosaGenerateOptions {
  const char *labels_path;         /* .npy alone: where the labels go; NULL: X.npy -> X-labels.npy */
  SetosaProgressCallback progress; /* false stops with SETOSA_INTERRUPTED; may be NULL */
  void *progress_user;
} SetosaGenerateOptions;

typedef struct SetosaGenerateResult {
  uint64_t rows, features, classes;
  uint64_t bytes; /* of all that was written, as stored */
  double seconds;
  char labels_path[4096]; /* "" when the labels are in the same file */
} SetosaGenerateResult;

SetosaGenerateOptions setosa_generate_options_default(void);
/* Writes synthetic data ("rows=1e6,features=64,classes=10", "synthetic:" before it or not) to path, in bounded memory. Its name chooses the
 * form: .npy (f32; labels int32 in a second .npy), .csv or .tsv (x1..xD, label), .svm or .libsvm (LIBSVM text), each also .gz, or .npz (CSR
 * as scipy.sparse.save_npz has it, and labels int32 as y). Text reads back to the same f32. What is read back equals
 * setosa_dataset_load("synthetic:...") bit for bit, except that a file knows only of classes, and text without a head of columns, that
 * occur in it. Files are whole or absent. result may be NULL. */
SetosaStatus setosa_generate(const char *spec, const char *path, const SetosaGenerateOptions *options, SetosaGenerateResult *result,
                             SetosaError *error);

/* ---- model ------------------------------------------------------------------------------------------------------ */

typedef struct SetosaModel SetosaModel;

/* A safetensors file, written beside its target, synced, renamed. Its tensors are "weights" (K,D) and "bias" (K) in f32 and, when features
 * are scaled, "feature_offset" and "feature_scale" (D) in f64: z = W ((x - offset) * scale) + b. x are the numbers of the source, whether
 * or not a data set holds them shifted (setosa_dataset_shift). The bias of a model that was trained on shifted columns is f64, and there is
 * "feature_shift" (D), f64: what is best taken off x before anything is rounded to f32. "feature_mean" (D) are the means of the training
 * rows. The metadata hold "class_names" and, when there are
 * any, "feature_names", both JSON lists, and what made the model. A file of another program needs "weights" alone. */
SetosaStatus setosa_model_load(SetosaModel **model, const char *path, SetosaError *error);
SetosaStatus setosa_model_save(const SetosaModel *model, const char *path, SetosaError *error);
/* A model from arrays (copied): weights (classes,features) row-major, bias (classes) or NULL for none. */
SetosaStatus setosa_model_create(SetosaModel **model, size_t features, size_t classes, const float *weights, const float *bias,
                                 SetosaError *error);
void setosa_model_destroy(SetosaModel *model);
size_t setosa_model_features(const SetosaModel *model);
size_t setosa_model_classes(const SetosaModel *model);
const float *setosa_model_weights(const SetosaModel *model); /* (K,D) row-major; borrowed */
const double *setosa_model_bias(const SetosaModel *model);   /* (K), of x and not of x - shift; borrowed */
const double *setosa_model_offset(const SetosaModel *model); /* (D): x' = (x - offset) * scale; NULL: none; borrowed */
const double *setosa_model_scale(const SetosaModel *model);  /* (D), NULL: none; borrowed */
/* (D) means of the training rows by their weights, of x as the source has it (before any scaling); NULL: the model does not know them.
 * Borrowed. Of data with more than 67 million entries they are those of a part of the rows, spread evenly. */
const double *setosa_model_mean(const SetosaModel *model);
/* How the columns of the table were read that it was trained on; NULL: it was none. Borrowed. */
const SetosaColumns *setosa_model_columns(const SetosaModel *model);
const char *setosa_model_class_name(const SetosaModel *model, size_t class_index);
const char *setosa_model_feature_name(const SetosaModel *model, size_t feature); /* NULL when the model has no names */
/* The metadata of the file, as text pairs: i from 0; false past the last. key and value may be NULL. */
bool setosa_model_metadata(const SetosaModel *model, size_t i, const char **key, const char **value);
/* How near the weights of a model come to the true ones W* of the synthetic data it was trained on; scaling is undone, and of both the mean
 * over the classes is taken off, which softmax does not see. distance: ||W - W*|| / ||W*||; cosine: between the vectors of a class, mean of
 * the classes. NAN where there is nothing to compare (W* or W is 0). SETOSA_ERROR_USAGE: source is not synthetic or of another shape. */
SetosaStatus setosa_model_truth(const SetosaModel *model, const char *source, double *distance, double *cosine, SetosaError *error);
/* Options that read data as the model expects it (names, classes, unscaled). Borrows from the model; NULL: the defaults. */
SetosaDataOptions setosa_model_data_options(const SetosaModel *model);
/* Probabilities of the model are softmax(z / temperature): 1 unless it was calibrated. 0 of NULL. A file keeps it as "temperature" in the
 * metadata; one without is at 1. */
double setosa_model_temperature(const SetosaModel *model);
/* Finite and above 0. Which class is the most probable does not depend on it. */
SetosaStatus setosa_model_set_temperature(SetosaModel *model, double temperature, SetosaError *error);
/* Applies the model's scaling to a data set that is still as read. */
SetosaStatus setosa_model_scale_dataset(const SetosaModel *model, SetosaDataset *dataset, SetosaError *error);

/* ---- models of others, and for others ---------------------------------------------------------------------------- */

/* How a model is written for others. All of them compute P(y = k | x) = softmax(A x + c)_k of x as the source has it, before any scaling:
 * A_kd = W_kd scale_d / T, c_k = b_k / T - sum_d A_kd offset_d, T being the temperature. */
typedef enum SetosaExportForm {
  SETOSA_EXPORT_BY_NAME, /* as the path ends: .onnx, .h, .json, .csv */
  SETOSA_EXPORT_ONNX,    /* a graph of opset 21. Input: X (N,D) f32, or, when a column has levels, (N,1) for each column by its name, f32 or
                          * string; f64 in place of f32 where the model has a shift. Outputs: label (N), int64 where all classes are whole
                          * numbers, else string; probabilities (N,K) f32. A level that is new adds nothing, NaN becomes the mean where the
                          * model has --missing mean, and is NaN in every probability else */
  SETOSA_EXPORT_C,    /* a header of C99 without a library or an allocation: tables, NAME_predict, and test vectors with a main that checks
                       * them under NAME_SELF_CHECK. Numbers are f32, f64 where the model has a shift; categories come as indices of levels */
  SETOSA_EXPORT_JSON, /* one object with coef_ (K,D), intercept_ (K), classes_ (K), feature_names_in_ (D), which are A, c and names as
                       * scikit-learn calls them, and "model", from which setosa_model_import makes the same model again */
  SETOSA_EXPORT_CSV   /* a line for each class and feature: class, feature, coefficient A_kd, weight W_kd; (intercept): c_k and b_k */
} SetosaExportForm;
/* "auto", "json", ...; "unknown" past the last. */
const char *setosa_export_form_name(SetosaExportForm form);

typedef enum SetosaQuantize {
  SETOSA_QUANTIZE_NONE, /* f32 */
  SETOSA_QUANTIZE_INT8  /* 8 bits a weight and a step for each column */
} SetosaQuantize;
/* "none", "int8"; "unknown" past the last. */
const char *setosa_quantize_name(SetosaQuantize quantize);

typedef struct SetosaExportOptions {
  SetosaExportForm form;
  bool single; /* ONNX: sums in f32, for runtimes without f64: half the size, and 4e-6 off for 784 features (else 1e-6 at most) */
  SetosaQuantize quantize;   /* C */
  const char *name;          /* C: what its names begin with; letters, digits and _ are kept; NULL: the name of the file */
  const SetosaDataset *data; /* C: where test vectors come from, and what quantizing is measured on; as setosa_model_data_options reads it,
                              * and not scaled. NULL: made-up rows */
} SetosaExportOptions;
SetosaExportOptions setosa_export_options_default(void);

typedef struct SetosaExportResult {
  SetosaExportForm form;
  uint64_t bytes;                 /* of the file */
  uint64_t vectors;               /* C: test vectors in it */
  uint64_t rows;                  /* C, quantized: what the rest was measured on: the rows of data, or the test vectors */
  double agreement;               /* part of the rows with the same class as by all digits */
  double largest_difference;      /* of a probability from that by all digits */
  double accuracy, accuracy_int8; /* of rows with a label: by all digits, and as written; NAN without labels */
} SetosaExportResult;

/* Writes a model for others, beside path and then renamed. options NULL: the defaults; result may be NULL. SETOSA_ERROR_USAGE for a name
 * that says no form and for what a form cannot hold, SETOSA_ERROR_WRITE for a file that could not be written. */
SetosaStatus setosa_model_export(const SetosaModel *model, const char *path, const SetosaExportOptions *options, SetosaExportResult *result,
                                 SetosaError *error);
/* A model from the coefficients of scikit-learn's linear classifiers: an .npz or a JSON object with coef_ (K,D), intercept_ (K), classes_
 * (K) and, where columns have names, feature_names_in_ (D). One row of coef_ beside two classes is the difference of the second class from
 * the first, as scikit-learn keeps it: it becomes the rows -w/2 and w/2. Numbers are finite, coefficients are rounded to f32, intercepts
 * are not. The JSON of setosa_model_export gives the very model that was exported. SETOSA_ERROR_DATA for anything else, with one line. */
SetosaStatus setosa_model_import(SetosaModel **model, const char *path, SetosaError *error);

/* ---- training --------------------------------------------------------------------------------------------------- */

typedef enum SetosaBackend {
  SETOSA_BACKEND_NATIVE,    /* our kernels */
  SETOSA_BACKEND_REFERENCE, /* plain C in double precision, one thread: the truth */
  SETOSA_BACKEND_CLBLAST,   /* matrix products by CLBlast on an OpenCL device, the rest as native */
  SETOSA_BACKEND_BLAS       /* f32 on the host with OpenBLAS, all cores */
} SetosaBackend;
/* How X is held on the device; arithmetic is f32 always. AUTO: f32 in place on devices that share the host's memory; on others u8
 * where that is exact (images of bytes), else f32. */
typedef enum SetosaStorage { SETOSA_STORAGE_AUTO, SETOSA_STORAGE_F32, SETOSA_STORAGE_F16, SETOSA_STORAGE_U8 } SetosaStorage;
/* The search for the fastest tile sizes when training first meets a shape class on a device, and then from the cache: about 2 s; none, and
 * nothing from the cache; or all candidates at length. Work below 4e8 flops a pass is never tuned. */
typedef enum SetosaTuning { SETOSA_TUNING_QUICK, SETOSA_TUNING_OFF, SETOSA_TUNING_FULL } SetosaTuning;
typedef enum SetosaSolver {
  SETOSA_SOLVER_AUTO,   /* Newton or L-BFGS, by the shape of the data: see SetosaTrainResult.solver */
  SETOSA_SOLVER_NEWTON, /* with the exact Hessian: for some hundreds of parameters and few rows */
  SETOSA_SOLVER_LBFGS,
  SETOSA_SOLVER_GD,
  SETOSA_SOLVER_SGD,
  SETOSA_SOLVER_ADAM
} SetosaSolver;
/* The first guess of the inverse Hessian in L-BFGS, made from rows that are sampled with the seed. */
typedef enum SetosaPreconditioner {
  SETOSA_PRECONDITIONER_AUTO,     /* by the shape of the data: see SetosaTrainResult.preconditioner */
  SETOSA_PRECONDITIONER_NONE,     /* a multiple of the identity */
  SETOSA_PRECONDITIONER_DIAGONAL, /* one number a parameter; needs no LAPACK */
  SETOSA_PRECONDITIONER_KRON,     /* a matrix of the classes times one of the features */
  SETOSA_PRECONDITIONER_BLOCKS    /* KRON at first, then a matrix of the features for every class */
} SetosaPreconditioner;
typedef enum SetosaSchedule {
  SETOSA_SCHEDULE_CONSTANT,
  SETOSA_SCHEDULE_INVERSE,
  SETOSA_SCHEDULE_COSINE,
  SETOSA_SCHEDULE_STEP
} SetosaSchedule;
/* "native", "f16", "quick", "lbfgs", "cosine", ... as the program's flags spell them; static. "unknown" for a value that is none. */
const char *setosa_backend_name(SetosaBackend backend);
const char *setosa_storage_name(SetosaStorage storage);
const char *setosa_tuning_name(SetosaTuning tuning);
const char *setosa_solver_name(SetosaSolver solver);
const char *setosa_preconditioner_name(SetosaPreconditioner preconditioner);
const char *setosa_schedule_name(SetosaSchedule schedule);

/* The processes of one MPI job. Every rank makes the same calls with the same options on the same data; each works on its own part of the
 * rows, and all return the same model. Only rank 0 writes checkpoints. */
typedef struct SetosaRanks SetosaRanks;
/* Joins the job that mpirun or the like started this process for; *ranks is NULL when it runs alone. MPI is initialised unless the caller
 * has done so. abandoned (may be NULL) is called when this rank must end the job by itself, just before MPI_Abort: the others did not join
 * it within some seconds of its error. */
SetosaStatus setosa_ranks_open(SetosaRanks **ranks, void (*abandoned)(const SetosaError *error, void *user), void *user,
                               SetosaError *error);
void setosa_ranks_close(SetosaRanks *ranks);
/* How a rank waits for others that do not come: because they are stopped, their machine is gone, or their work takes longer. */
typedef struct SetosaRanksWatch {
  /* Seconds after which the job is ended (abandoned is called, then MPI_Abort). 0: 60 where a rank of the same machine is stopped, else as
   * long as it takes. */
  double limit_seconds;
  void (*waiting)(const char *line, void *user); /* gets a line that names them, on one of the ranks that wait: after 10 s where a rank is
                                                  * stopped, else after a minute and then less and less often; NULL: no word */
  bool (*should_stop)(
      void *user); /* asked twice a second; true ends the job at once where one is stopped, else after a minute; NULL: never */
  void *user;
} SetosaRanksWatch;
/* Without it, or with watch NULL: the defaults above, without a word. */
void setosa_ranks_watch(SetosaRanks *ranks, const SetosaRanksWatch *watch);
/* NULL is a job of one, in every function of ranks. local: number among the ranks of the same machine, to choose a device by. */
size_t setosa_ranks_size(const SetosaRanks *ranks);
size_t setosa_ranks_rank(const SetosaRanks *ranks);
size_t setosa_ranks_local(const SetosaRanks *ranks);
/* All ranks call this with how they fare; all get SETOSA_OK, or the status and message of the lowest rank that failed. */
SetosaStatus setosa_ranks_agree(SetosaRanks *ranks, SetosaStatus own, SetosaError *error);

/* Where and how the objective is computed. Start from setosa_compute_options_default(). */
typedef struct SetosaComputeOptions {
  SetosaBackend backend; /* NATIVE and CLBLAST need a device */
  SetosaFamily family;   /* NATIVE, CLBLAST: which kernels; AUTO: by what the device reports */
  SetosaDevice *device;  /* borrowed; NULL for REFERENCE and BLAS */
  /* NATIVE: several devices share the rows. NULL and 0: `device` alone; else device is devices[0]. Borrowed. With devices of one type the
   * model has the same bits as with one of them. */
  SetosaDevice *const *devices;
  size_t device_count;
  SetosaRanks *ranks;    /* NATIVE: borrowed; NULL: this process alone */
  bool fast_reduce;      /* with ranks: partial gradients are added by MPI_Allreduce, quicker, but other last digits with another count */
  SetosaStorage storage; /* NATIVE */
  SetosaTuning tuning;   /* NATIVE */
  uint64_t device_memory_bytes; /* NATIVE, CLBLAST: budget for data, vectors and workspace, beyond which rows stream in chunks; 0: what the
                                   device reports, less a tenth */
  bool reproducible;            /* NATIVE: fixed tile sizes, so that the result does not depend on what tuning found; a full
                                   tuning is then refused */
} SetosaComputeOptions;

SetosaComputeOptions setosa_compute_options_default(void);

typedef struct SetosaCheckpoint SetosaCheckpoint; /* a training that can go on: setosa_checkpoint_load */

/* A name and a text beside it. */
typedef struct SetosaNote {
  const char *name, *value;
} SetosaNote;

typedef struct SetosaTrainOptions {
  SetosaComputeOptions compute;
  SetosaSolver solver;
  SetosaPreconditioner preconditioner; /* lbfgs */
  double l1, l2;                       /* >= 0; the bias is not penalised */
  const char *class_weight;            /* "balanced" or "NAME=W,NAME=W", see setosa_dataset_set_class_weights; NULL: classes count alike */
  double label_smoothing;              /* e in [0,1): targets are (1 - e) onehot + e/K */
  bool intercept;                      /* false: the bias stays 0 */
  uint64_t max_iterations;             /* lbfgs, gd; at most 1e15, as all counts; 0: evaluate the starting point only */
  double tolerance;                    /* stop when the largest |gradient| component is at most this; 0: all iterations are run */
  /* newton, lbfgs: stop when F - F*, by a certificate or (see SetosaTrainResult.gap_kind) by estimate, is at most gap * F and the gradient
   * within the tolerance; 0: the gradient alone counts. */
  double gap;
  size_t history;          /* lbfgs: pairs kept */
  double learning_rate;    /* above 0. gd: fixed step; sgd, adam: initial rate; NAN: the solver's default, gd's: backtracking */
  double momentum;         /* sgd: in [0,1) */
  bool nesterov;           /* sgd */
  size_t batch_size;       /* sgd, adam: rows in a mini-batch */
  uint64_t epochs;         /* sgd, adam */
  SetosaSchedule schedule; /* sgd, adam */
  /* sgd, adam: stop when the loss of `validation` has not fallen for so many epochs, and return the weights after the epoch where it was
   * lowest, however the training ends; 0: never, and the last weights. */
  uint64_t patience;
  uint64_t seed;                   /* order of rows and batches, and which rows a preconditioner samples */
  const SetosaDataset *validation; /* held-out rows, scaled like the training rows; NULL: none */
  /* Start from these weights; NULL: zeros. Features and classes are found by their names, where model and data have some, and what the
   * model does not know starts at 0; without names there must be as many. However either is scaled or shifted, the scores of a row are the
   * model's. SETOSA_ERROR_USAGE when nothing fits. */
  const SetosaModel *initial;
  SetosaProgressCallback progress; /* once per iteration or epoch; may be NULL */
  void *progress_user;
  /* Asked between iterations and between mini-batches: true ends the training as progress returning false does, but within an epoch, too.
   * May be NULL. */
  bool (*stop)(void *progress_user);
  /* Nothing lost: the state of the training, kept in a file while it runs and at its end. */
  /* The file; NULL: none. When it is there already (or FILE.previous is), the training goes on from it if data and options are its own, and
   * is refused if not: nothing that was kept is lost for want of a word. */
  const char *checkpoint;
  /* Begin afresh all the same (with `resume` from another file: go on from that one); what is there becomes FILE.previous. Nothing but a
   * checkpoint is ever overwritten. */
  bool overwrite;
  double checkpoint_seconds;          /* written when so many have passed since the last time, */
  uint64_t checkpoint_iterations;     /* or, above 0, every so many iterations (lbfgs, gd) or mini-batches (sgd, adam) */
  const SetosaNote *checkpoint_notes; /* (checkpoint_note_count) kept with it, for the caller's own use; or NULL */
  size_t checkpoint_note_count;
  const SetosaCheckpoint *resume; /* go on from here, to the bits of an unbroken training; NULL: begin, or go on from `checkpoint` */
  /* Once, before the first iteration: whether the training goes on, and how many iterations were done before. May be NULL. */
  void (*begins)(bool resumed, uint64_t iterations, void *progress_user);
  /* When a checkpoint could not be written (once), or the one before it had to be taken; may be NULL. */
  void (*warn)(const char *line, void *progress_user);
} SetosaTrainOptions;

SetosaTrainOptions setosa_train_options_default(void);

typedef struct SetosaTrainResult {
  double objective, loss, gradient_norm; /* at the returned weights */
  uint64_t iterations, evaluations;      /* evaluations: passes over X, in units of one loss+gradient of all rows */
  double passes;                         /* arithmetic of the optimizer in units of one loss+gradient of all rows (4 K flops an entry) */
  const char *solver;                    /* that was used: "newton", "lbfgs", ...; static */
  const char *preconditioner;            /* of lbfgs: "blocks", ...; "none" with other solvers; static */
  char choice[160];                      /* why AUTO chose them, a few words; "" when it had no choice */
  double gap;                            /* (F - F*) / F at most, or about; NAN: not known */
  const char *gap_kind; /* "certificate": F is proved to be no further above the optimum; "estimate": as far as a quadratic model
                           sees; "": gap is not known */
  uint64_t nonzeros;    /* weights that are not 0 */
  uint64_t best_epoch;  /* with patience: the weights are those after this epoch; 0: the start */
  uint64_t start_features, start_classes; /* of this data that `initial` knew; 0 without one */
  bool converged;
  const char *stop_reason; /* "gradient-tolerance", "precision-limit", "max-iterations", "epochs-done", "patience", "no-progress",
                              "interrupted", "non-finite", ...; static */
  char advice[256];        /* what to do about not having converged, or about separable classes; "" when all is well, or with tolerance 0 at
                              the end that was asked for */
  bool separable;          /* every training row is right and nothing is penalised: the loss falls for ever, and there is no optimum */
  double train_accuracy, train_log_loss;
  double validation_accuracy, validation_log_loss; /* NAN without validation rows */
  /* Where the time of the call went. The parts exclude each other and add up to all of it; with ranks they are those of this one, waiting
   * for the others included. */
  double seconds_prepare;         /* checks, weights of classes, shuffling, the fingerprint for a checkpoint */
  double seconds_test;            /* the self-test, or reading its verdict */
  double seconds_tune;            /* searching tile sizes, or reading what was found before */
  double seconds_upload;          /* bringing rows to the device before the training; rows that stream go up during it */
  double seconds_build;           /* building kernels, whenever one was first needed */
  double seconds_open;            /* the rest of opening and closing the backend */
  double seconds_train;           /* the optimizer */
  double seconds_checkpoint;      /* writing checkpoints */
  double seconds_score;           /* accuracy and log-loss at the end, and reading the weights */
  char tuning[384];               /* what tuning did, one line; "": nothing */
  const char *backend;            /* that computed: "native", "clblast", ...; static */
  uint64_t device_bytes;          /* most bytes held on the device */
  uint64_t chunk_rows;            /* rows of a chunk when they streamed; 0: all of X stayed on the device */
  bool fell_back;                 /* to streaming, because the device had less memory than it reports */
  char weights_hash[33];          /* XXH3-128 of weights and bias as they lie in the model file (little endian), hex */
  const char *storage;            /* how X was held: "f32", "f16" or "u8"; static */
  double storage_rms_error;       /* what f16 did to X: ||X' - X|| / ||X||, */
  double storage_largest_error;   /* and the largest |x' - x| / |x|; both 0 for f32 and u8, which are exact */
  uint64_t resumed_iterations;    /* how many of `iterations` were done before this call */
  uint64_t checkpoints;           /* times that options.checkpoint was written */
  char checkpoint_error[512];     /* why the last attempt to write it failed: what is there is older; "" when it is well */
  SetosaStatus checkpoint_status; /* of that attempt: SETOSA_ERROR_WRITE, or SETOSA_ERROR_INTERNAL when memory was short */
} SetosaTrainResult;

/* Trains on dataset and returns a model (caller destroys). Weights of rows and of classes count in objective, loss, train_accuracy and
 * train_log_loss; afterwards the data set has its own weights alone. Mini-batch solvers permute the rows of dataset in place; without an
 * intercept, rows that hold x - shift become x. A non-finite
 * loss returns SETOSA_OK with the best weights before it, converged=false and stop_reason "non-finite". result may be NULL. */
SetosaStatus setosa_train(SetosaModel **model, SetosaTrainResult *result, SetosaDataset *dataset, const SetosaTrainOptions *options,
                          SetosaError *error);

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

/* Reads what a training with options.checkpoint has written. The file is written beside, synced, renamed and checksummed; the one before it
 * stays as FILE.previous and is taken when FILE is missing or damaged (setosa_checkpoint_warning then says so). SETOSA_ERROR_DATA when
 * neither is whole. To go on: load the data as before, setosa_checkpoint_options, options.resume, setosa_train. That refuses other data
 * (SETOSA_ERROR_DATA) and options that change the result (SETOSA_ERROR_USAGE); max_iterations, tolerance and, with a constant schedule,
 * epochs may be others. Mini-batch solvers want the rows in the order as loaded, not as the first training has left them. */
SetosaStatus setosa_checkpoint_load(SetosaCheckpoint **checkpoint, const char *path, SetosaError *error);
void setosa_checkpoint_destroy(SetosaCheckpoint *checkpoint);
const char *setosa_checkpoint_warning(const SetosaCheckpoint *checkpoint); /* one line, or "" */
uint64_t setosa_checkpoint_iterations(const SetosaCheckpoint *checkpoint); /* done: iterations, or whole epochs */
/* The caller's notes, i from 0: false past the last. Borrowed. note may be NULL. */
bool setosa_checkpoint_note(const SetosaCheckpoint *checkpoint, size_t i, SetosaNote *note);
/* Sets the options that define the training as they were: solver to seed, and of computing tuning and reproducible. */
void setosa_checkpoint_options(const SetosaCheckpoint *checkpoint, SetosaTrainOptions *options);

/* ---- cross-validation ------------------------------------------------------------------------------------------- */

/* Which lambda is chosen: that of the least mean loss, or the largest whose mean loss is at most one standard error above it. */
typedef enum SetosaCvChoice { SETOSA_CV_MIN, SETOSA_CV_1SE } SetosaCvChoice;

/* A model of a cross-validation, after an iteration, or when it is done. */
typedef struct SetosaCvProgress {
  uint64_t fit, fits; /* models that are done, of so many: for each lambda one of all rows and one for each fold */
  size_t fold, folds; /* from 1, whose rows this model does not see; 0: it sees all */
  double lambda;
  uint64_t iteration; /* of this model */
  double objective, gradient_norm;
  bool fitted;           /* it is done, and counted in `fit` */
  double loss, accuracy; /* then: of the rows of its fold; else, and of all rows, NAN */
  double seconds;        /* since the first model began */
} SetosaCvProgress;
/* Return false to stop; user is train.progress_user. */
typedef bool (*SetosaCvCallback)(const SetosaCvProgress *progress, void *user);

/* Start from setosa_cv_options_default(). */
typedef struct SetosaCvOptions {
  /* How every model is trained: a solver that converges (not sgd, adam), and no validation, initial, progress of its own. l1 and l2 are
   * those of the path. stop, begins, warn and what concerns a checkpoint is about the whole: it is written between models (every
   * checkpoint_iterations models), and setosa_cv goes on from it to the same bits. */
  SetosaTrainOptions train;
  size_t folds; /* 2 or more */
  /* (N) from 0: the fold of each row; NULL: chosen by train.seed so that each has its share of every class. Borrowed. */
  const int32_t *fold;
  /* lambda, both above 0; NAN: 1e-6 to 1, and with an L1 penalty, as glmnet has it, from where all weights are 0 to 1e-4 of that (1e-2
   * where there are not more rows than features). */
  double path_least, path_most;
  size_t path_count;         /* so many, evenly spaced by their logarithms; 1: least and most are the same */
  double l1_ratio;           /* from 0 to 1: l1 = ratio * lambda, l2 = (1 - ratio) * lambda */
  SetosaCvChoice choice;     /* of the model that is returned */
  SetosaCvCallback progress; /* may be NULL */
} SetosaCvOptions;

SetosaCvOptions setosa_cv_options_default(void);

typedef struct SetosaCvPoint {
  double lambda, l1, l2;
  double loss;           /* log-loss of rows that a model has not seen: mean over the folds, each counting by the weight of its rows */
  double standard_error; /* of that: square root of the weighted variance of the losses of the folds / (folds - 1), as glmnet has it */
  double accuracy;       /* of the same rows */
  double objective;      /* of the model of all rows */
  uint64_t nonzeros;     /* its weights that are not 0 */
  uint64_t iterations;   /* of all models with this lambda */
  uint64_t unconverged;  /* of these models */
} SetosaCvPoint;

/* All of it belongs to the result. */
typedef struct SetosaCvResult {
  size_t count, folds, rows;
  SetosaCvPoint *points;               /* (count) from the largest lambda to the least; NAN where models are missing */
  double *fold_loss, *fold_accuracy;   /* (folds,count), likewise */
  double *fold_weight;                 /* (folds) sums of the weights of their rows, as given */
  int32_t *fold;                       /* (rows) from 0 */
  bool complete;                       /* else it was stopped: what follows is not known */
  size_t best, within_error, chosen;   /* points: lambda_min, lambda_1se, that of the model */
  uint64_t fits, fits_done;            /* models, and those that are done, */
  uint64_t fits_before;                /* so many of these before this call */
  uint64_t iterations, unconverged;    /* of all models */
  double passes;                       /* of this call, in units of one loss+gradient of all rows */
  const char *solver, *preconditioner; /* that were used; static */
  const char *backend, *storage;       /* static */
  uint64_t device_bytes, chunk_rows;   /* as in SetosaTrainResult */
  double seconds_prepare, seconds_test, seconds_build, seconds_open, seconds_fit, seconds_score, seconds_checkpoint;
  uint64_t checkpoints;
  char checkpoint_error[512];
  SetosaStatus checkpoint_status;
} SetosaCvResult;

/* Cross-validation along a path of penalties, warm-started from the largest to the least: a model of all rows for each lambda, and one for
 * each lambda and fold. X is brought to the device once; folds are weights of its rows. Rows are as they are: what was standardized was so
 * with all of them. model (may be NULL): that of all rows with the chosen lambda; NULL when it was stopped. Caller destroys both.
 * Afterwards the data set has its own weights alone; without an intercept, rows that hold x - shift become x. SETOSA_ERROR_USAGE for a
 * path, folds or a solver that make no sense, SETOSA_ERROR_DATA for rows that are made as needed, or a fold whose rows weigh nothing. */
SetosaStatus setosa_cv(SetosaModel **model, SetosaCvResult **result, SetosaDataset *dataset, const SetosaCvOptions *options,
                       SetosaError *error);
void setosa_cv_result_destroy(SetosaCvResult *result);

typedef enum SetosaPlanWork { SETOSA_PLAN_TRAIN, SETOSA_PLAN_PREDICT } SetosaPlanWork;

typedef struct SetosaPlanBuffer {
  const char *name; /* static */
  uint64_t bytes;
} SetosaPlanBuffer;

enum { SETOSA_PLAN_BUFFERS = 8 };

/* What the work would take. Sizes are of the device (of one of them, when several share the rows), or of the host for its backends. */
typedef struct SetosaPlan {
  uint64_t rows, features, classes;
  uint64_t devices;    /* that share the rows, of all ranks; 0 for backends of the host */
  const char *storage; /* "f32", ...; static */
  SetosaPlanBuffer buffers[SETOSA_PLAN_BUFFERS];
  size_t buffer_count;
  bool resident;                /* all of X stays on the device; else chunks of chunk_rows stream through it in every pass */
  bool in_place;                /* X is read where it lies in the host's memory, and takes none of the device's own */
  uint64_t chunk_rows;          /* 0 when resident */
  uint64_t device_budget_bytes; /* 0 for backends of the host */
  uint64_t passes_estimate;     /* over X, at most */
  uint64_t passes_typical;      /* so many are enough for most data */
  double seconds_pass; /* measured on a sample of at most 16 MB of rows, times the rows; ranks share it, each on a device of its own */
  double seconds_make,
      seconds_upload;      /* of that: making synthetic rows, and bringing rows to the device. Once for all passes when resident */
  double seconds_estimate; /* for all passes; building kernels is not in it */
  double seconds_typical;  /* for passes_typical */
} SetosaPlan;

/* The plan of training (options: all of them) or of scores (classes: of the model; options->compute alone is read). A sample of the rows is
 * worked on, nothing is kept. */
SetosaStatus setosa_plan(SetosaPlan *plan, SetosaPlanWork work, const SetosaDataset *dataset, size_t classes,
                         const SetosaTrainOptions *options, SetosaError *error);

/* ---- use -------------------------------------------------------------------------------------------------------- */

/* A block of predictions: rows first_row..first_row+count-1, probabilities (count,K) row-major. Return false to stop. */
typedef bool (*SetosaPredictCallback)(size_t first_row, size_t count, const float *probabilities, void *user);

/* Predicts every row, block by block in row order. dataset must be scaled as the model expects. */
SetosaStatus setosa_predict(const SetosaModel *model, const SetosaDataset *dataset, const SetosaComputeOptions *compute,
                            SetosaPredictCallback rows, void *user, SetosaError *error);

typedef struct SetosaClassMetrics {
  double precision, recall, f1; /* NAN where undefined: precision without predictions, recall without rows */
  double support, predicted;    /* rows of the class and rows predicted to be: sums of their weights */
  double auc; /* area under the ROC curve of the class against the rest, ties counting half; NAN where it has no row, or every row */
} SetosaClassMetrics;

enum { SETOSA_CALIBRATION_BINS = 15 };

/* With sample weights every mean is weighted and every count a sum of weights. */
typedef struct SetosaMetrics {
  uint64_t rows;
  double weight; /* the sum of the rows' weights: rows, when they have none */
  size_t classes;
  double accuracy, log_loss;
  size_t top_k; /* k used for top_k_accuracy: min(K-1, 5), at least 1 */
  double top_k_accuracy;
  double macro_precision, macro_recall, macro_f1; /* over classes with support; an undefined one counts 0 */
  double ece;                                     /* expected calibration error of the predicted class, 15 equal bins */
  double bin_confidence[SETOSA_CALIBRATION_BINS], bin_accuracy[SETOSA_CALIBRATION_BINS];
  double bin_weight[SETOSA_CALIBRATION_BINS];
  double brier;     /* mean of sum_k (p_k - P_k)^2 with P one-hot, from 0 to 2; with two classes twice what is meant by it there */
  double macro_auc; /* mean of the classes that have one; NAN: none has, or there are too many classes for the memory that it may take */
  /* AUCs are exact, by ranks, where the scores of all rows fit into 512 MB (N (4 K + 24) bytes). Beyond it scores are counted in bins of
   * log-odds, and no AUC is further than this from the exact one; 0: exact. */
  double auc_error;
  double temperature; /* of the model. The rest is of its probabilities softmax(z / temperature), and this of softmax(z): */
  double uncalibrated_log_loss, uncalibrated_brier, uncalibrated_ece;
  SetosaClassMetrics *per_class; /* (K) */
  double *confusion;             /* (K,K) row-major, row = true class; NULL when K > 1000 */
} SetosaMetrics;

SetosaStatus setosa_evaluate(SetosaMetrics **metrics, const SetosaModel *model, const SetosaDataset *dataset,
                             const SetosaComputeOptions *compute, SetosaError *error);
void setosa_metrics_destroy(SetosaMetrics *metrics);

/* What setosa_calibrate did. */
typedef struct SetosaCalibration {
  uint64_t rows; /* it is judged by */
  double weight; /* the sum of their weights */
  double temperature;
  double log_loss_before, log_loss; /* of the rows, at temperature 1 and at this one */
  uint64_t passes;                  /* over the rows */
  bool found;
  char note[160]; /* why there is no temperature, and what to do; "" when it was found */
} SetosaCalibration;

/* Sets the temperature of the model so that the mean log-loss of the rows, weighted as they are, is least: temperature scaling
 * (arXiv:1706.04599). Rows must not have been trained on, and are scaled as the model expects. It is found in double to about 1e-10 of
 * itself, in some passes over the rows, block by block. Where no finite one is best, because every row is right or the model is no better
 * than chance, the temperature is 1, `found` false, and the note says so (SETOSA_OK). What was done is in the metadata of the model, too.
 * compute->ranks must be NULL: one process does it. result may be NULL. */
SetosaStatus setosa_calibrate(SetosaModel *model, SetosaCalibration *result, const SetosaDataset *dataset,
                              const SetosaComputeOptions *compute, SetosaError *error);

/* ---- inference -------------------------------------------------------------------------------------------------- */

/* What the weights of rows mean for standard errors. */
typedef enum SetosaWeightsAre {
  SETOSA_WEIGHTS_COUNT,   /* a row of weight 3 is three equal rows: every statistic is that of the repeated rows */
  SETOSA_WEIGHTS_SAMPLING /* the row stands for others that were not drawn: standard errors are robust, with s_i^2, whatever is asked for */
} SetosaWeightsAre;
const char *setosa_weights_are_name(SetosaWeightsAre weights_are); /* "count", "sampling"; static; else "unknown" */

/* Start from setosa_summary_options_default(). Strings are borrowed for the call. */
typedef struct SetosaSummaryOptions {
  const char *base;        /* the class that others are compared with; NULL: the first */
  const char *base_levels; /* "COLUMN=LEVEL,...": what the other levels of a categorical column are compared with; NULL: its first level */
  double confidence;       /* of the intervals, between 0 and 1 */
  bool robust;             /* standard errors that hold when the model is wrong (HC0), in place of those of the information */
  bool effects;            /* average marginal effects, too: a read of the rows more */
  SetosaWeightsAre weights_are;
  SetosaRanks *ranks; /* borrowed; share the rows; NULL: this process alone */
} SetosaSummaryOptions;

SetosaSummaryOptions setosa_summary_options_default(void);

/* NAN all over for what is not estimated. */
typedef struct SetosaEstimate {
  double value, standard_error;
  double z, p;      /* value / standard_error, and the probability of a standard normal beyond it, on both sides */
  double low, high; /* value -+ standard_error times the quantile of the confidence */
} SetosaEstimate;

typedef struct SetosaSummaryTerm {
  const char *name; /* that of the feature; COLUMN=LEVEL against the base level; COLUMN=(none) for rows with none of the levels */
  bool intercept;   /* the last, "(intercept)" */
  bool estimated;
  const char *note; /* why it is not: "follows from A, B", "is constant"; "" when it is */
} SetosaSummaryTerm;

/* All of it belongs to the summary. Terms T: the features that vary and the intercept; a base level is none. Of each, in the units of the
 * source: how the logarithm of P(class) / P(base) changes with it. */
typedef struct SetosaSummary {
  uint64_t rows;
  double weight; /* the sum of the rows' weights, as given */
  size_t classes, features, base;
  const char *const *class_names; /* (K) */
  size_t term_count;
  const SetosaSummaryTerm *terms;     /* (T) */
  const SetosaEstimate *coefficients; /* (K,T) row-major; the row of the base is NAN */
  const SetosaEstimate
      *effects;             /* (K,T) mean over the rows of dP(class)/dx, by the delta method; the intercept has none. NULL: not asked for */
  const double *covariance; /* ((K-1) T, (K-1) T) of the coefficients, the classes other than the base in their order */
  double confidence;
  bool robust; /* standard errors are */
  double l2;   /* of the penalty; 0: maximum likelihood. Else: penalised information I + N l2 E, E of the weights without the bias */
  SetosaWeightsAre weights_are;
  double log_likelihood, log_likelihood_null; /* null: of the shares of the classes alone; without an intercept of equal shares */
  double lr, lr_p;                            /* twice their difference, and its chi-square tail with */
  uint64_t lr_df;                             /* degrees of freedom; lr_p is NAN with a penalty or weights of sampling */
  double parameters;                          /* that are estimated; with a penalty the effective number, trace of (I + N l2 E)^-1 I */
  double pseudo_r2;                           /* McFadden: 1 - log_likelihood / log_likelihood_null */
  double aic, bic;                            /* -2 log_likelihood + parameters * 2, or * ln N, N the weight of counts, else the rows */
  /* The model's largest distance from the maximum, in standard errors of a coefficient, and of which; infinite where the model fits worse
   * than the shares of the classes. The estimates are at the maximum wherever the model was. */
  double distance;
  size_t distance_class, distance_term;
  uint64_t steps, reads; /* Newton steps, and reads of the rows */
  size_t remark_count;
  const char *const *remarks; /* what a reader should know, a line each */
} SetosaSummary;

/* Standard errors, tests and intervals of a model's coefficients, from the observed information at the maximum of the likelihood of the
 * rows, to which Newton steps go from the model's weights. dataset: the rows that the model was trained on, scaled as it expects; of
 * another it is the fit that is described, and the distance is large. All is summed in double on the host's processors, whatever trained
 * the model. Weights of classes that the model was trained with count; afterwards the data set has its own weights alone.
 * SETOSA_ERROR_DATA where there is no estimate: a class is separated, or has no rows. SETOSA_ERROR_USAGE for a model with an L1 penalty or
 * label smoothing, and for a base that is none. Formulas: information sum s (diag(a) - a a') (x) x x' over the classes other than the base;
 * robust I^-1 (sum s g g') I^-1, g the gradient of a row (McFadden 1974; White 1982). */
SetosaStatus setosa_summary(SetosaSummary **summary, const SetosaModel *model, SetosaDataset *dataset, const SetosaSummaryOptions *options,
                            SetosaError *error);
void setosa_summary_destroy(SetosaSummary *summary);

/* One line of a check: a quantity of a backend against the double reference or finite differences. */
typedef struct SetosaCheckRow {
  const char *what;    /* "loss", "gradient", ... ; static */
  const char *against; /* "reference" or "finite differences"; static */
  size_t rows, features, classes;
  bool sparse; /* the rows */
  SetosaFamily family;
  double error, tolerance; /* relative, both */
  bool passed;
} SetosaCheckRow;
typedef void (*SetosaCheckCallback)(const SetosaCheckRow *row, void *user);

/* Checks loss, gradient, Hessian*V, probabilities and the line search of a backend, the reference against finite differences
 * alone. dataset NULL: a table of shapes of synthetic data. family AUTO checks both families of kernels. l2 is 0 or more. *failures counts
 * rows not passed. row and failures may be NULL. */
SetosaStatus setosa_check(const SetosaDataset *dataset, const SetosaComputeOptions *compute, double l2, SetosaCheckCallback row, void *user,
                          size_t *failures, SetosaError *error);

/* Of an example whose class is not known. */
#define SETOSA_NO_LABEL SIZE_MAX

/* One example worked through in double precision. Arrays are owned by the explanation. With SETOSA_NO_LABEL what needs a target is NAN. Of
 * a sparse row there are its entries alone, E of them: all else is 0, and the gradient, too. */
typedef struct SetosaExplanation {
  size_t features, classes, label;
  size_t entries;            /* E; of a row that is not sparse D */
  uint32_t *columns;         /* (E) the features that the entries are of, ascending, from 0; NULL: all of them */
  double *given;             /* (E) x before the model's scaling; NULL: the same as x */
  double *x;                 /* (E), as the model sees it (scaled); of a sparse row nothing is taken off it, for that is in the bias */
  double *weights;           /* (K,E) */
  double *bias;              /* (K) */
  double *logits;            /* (K)   z_k = w_k . x + b_k */
  double temperature;        /* T of the model; 1: not calibrated */
  double *probabilities;     /* (K)   a = softmax(z / T) */
  double *target;            /* (K)   one-hot P */
  double *dlogits;           /* (K)   dH/dz = (a - P) / T */
  double *dweights;          /* (K,E) dH/dw_k = (a_k - P_k) x / T */
  double *dweights_diagonal; /* (K,E) -P_k (1 - a_k) x / T: what keeping only the diagonal of the softmax Jacobian gives */
  double *dweights_finite;   /* (K,E) central finite differences */
  double *dbias;             /* (K)   (a - P) / T */
  double loss;               /* H = -sum_k P_k ln a_k */
  double largest_difference; /* max |dweights - dweights_finite| */
} SetosaExplanation;

/* x (D), weights (K,D), bias (K) or NULL, label in 0..K-1 or SETOSA_NO_LABEL. */
SetosaStatus setosa_explain(SetosaExplanation **explanation, size_t features, size_t classes, const double *x, const double *weights,
                            const double *bias, size_t label, SetosaError *error);
/* Row `row` (from 0) of a data set as a model sees it; the data set is still as read (setosa_model_data_options), and stays so. Its label
 * is that of the row, or SETOSA_NO_LABEL where that has none that the model knows. */
SetosaStatus setosa_explain_row(SetosaExplanation **explanation, const SetosaModel *model, const SetosaDataset *dataset, size_t row,
                                SetosaError *error);
void setosa_explanation_destroy(SetosaExplanation *explanation);

/* What a feature, or all levels of a categorical column together, adds to the log-odds of the predicted class against the runner-up. */
typedef struct SetosaContribution {
  size_t column;  /* i of setosa_columns_get; where the model knows no columns, the feature */
  size_t feature; /* of a categorical column that of the row's level; SETOSA_NO_FEATURE: it has none of the levels */
  bool categorical;
  double value, mean; /* x_j and its mean, as given, before any scaling; NAN of a categorical column */
  double amount;      /* sum over its features of (w_pj - w_rj) (x_j - mean_j) / T, as the model scales them */
} SetosaContribution;
#define SETOSA_NO_FEATURE SIZE_MAX

/* ln(a_p / a_r) of a row, taken apart: baseline + the sum of all amounts. */
typedef struct SetosaContributions {
  size_t predicted, runner_up; /* classes p and r: the most probable, and the next */
  double log_odds;
  double baseline; /* the log-odds of a row that has the means of the training rows */
  size_t count;
  SetosaContribution *items; /* (count) by the size of their amounts, the largest first */
} SetosaContributions;

/* Row `row` (from 0) of a data set as setosa_explain_row takes it. What a sparse row does not have is 0, and counts by its mean. All of a
 * categorical column counts as one: only their sum does not depend on how the weights of its levels are written. SETOSA_ERROR_USAGE where
 * setosa_model_mean is NULL. */
SetosaStatus setosa_contributions(SetosaContributions **contributions, const SetosaModel *model, const SetosaDataset *dataset, size_t row,
                                  SetosaError *error);
void setosa_contributions_destroy(SetosaContributions *contributions);

/* ---- cache ------------------------------------------------------------------------------------------------------ */

/* The folder of compiled kernels, tuning results, self-test verdicts and converted data ($XDG_CACHE_HOME/setosa, else ~/.cache/setosa).
 * Written to path (size bytes). SETOSA_ERROR_WRITE when there is none, or another user could change what is in it: then nothing of it is
 * used. */
SetosaStatus setosa_cache_path(char *path, size_t size, SetosaError *error);
/* Why what is worth keeping is not kept, or SETOSA_OK: there is no folder (SETOSA_ERROR_WRITE says why: no HOME, say), its disk is full, or
 * another user could change what is in it. All calls work without it; kernels are then compiled anew in each process. To be asked before
 * setosa_devices_open. */
SetosaStatus setosa_cache_check(SetosaError *error);
/* Removes every file in it that no running process has locked; *bytes_freed may be NULL. */
SetosaStatus setosa_cache_clear(uint64_t *bytes_freed, SetosaError *error);

#ifdef __cplusplus
}
#endif
#endif
