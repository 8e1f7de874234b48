/* From DATA as the user typed it to a data set: which reader, and what all of them have in common afterwards. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/memory.h"
#include "data/cache.h"
#include "data/labels.h"
#include "data/libsvm.h"
#include "data/npz.h"
#include "data/reader.h"
#include "data/sources.h"

/* Formats that are recognised only to say what to do about them. magic NULL: by name alone. */
typedef struct UnreadFormat {
  const char *suffix, *magic;
  size_t magic_length;
  const char *what;
} UnreadFormat;

static const UnreadFormat UNREAD[] = {
    {".safetensors", NULL, 0, "this is a model, not data; give the data file"},
    {".arff", NULL, 0, "ARFF is not read; convert it to CSV"},
    {".json", NULL, 0, "JSON is not read; convert it to CSV"},
    {".jsonl", NULL, 0, "JSON is not read; convert it to CSV"},
    {".parquet", "PAR1", 4, "Parquet is not read; convert it to CSV or .npy"},
    {".xlsx", "PK\x03\x04", 4, "spreadsheets and zip archives are not read; save the sheet as CSV, or unpack the archive"},
    {".xls", "\xD0\xCF\x11\xE0", 4, "spreadsheets are not read; save the sheet as CSV"},
    {".h5", "\x89HDF", 4, "HDF5 is not read; convert it to .npy or CSV"},
    {".mat", "MATLAB", 6, "MATLAB files are not read; convert them to .npy or CSV"},
    {".xz",
     "\xFD"
     "7zXZ",
     5, "xz compression is not read; unpack it, or compress with gzip"},
    {".zst", "\x28\xB5\x2F\xFD", 4, "zstd compression is not read; unpack it, or compress with gzip"},
    {".bz2", "BZh", 3, "bzip2 compression is not read; unpack it, or compress with gzip"},
    {NULL, "\x89PNG", 4, "this is a picture; give a table of numbers (CSV, IDX, .npy)"},
    {NULL, "%PDF", 4, "this is a PDF; give a table of numbers (CSV, IDX, .npy)"},
};

static Status refuse_unread(const Reader *reader, const unsigned char *bytes, size_t count, Error *error) {
  for (size_t i = 0; i < sizeof UNREAD / sizeof *UNREAD; i++) {
    const UnreadFormat *format = &UNREAD[i];
    bool by_name = format->suffix != NULL && reader_has_suffix(reader->source, format->suffix);
    bool by_bytes = format->magic != NULL && count >= format->magic_length && memcmp(bytes, format->magic, format->magic_length) == 0;
    if (by_name || by_bytes) return error_set(error, SETOSA_ERROR_DATA, "%s: %s", reader->source, format->what);
  }
  return SETOSA_OK;
}

/* What says how a table is to be read, where a text could be LIBSVM text as well. */
static bool asks_for_table(const DataOptions *options) {
  return options->label != NULL || options->features != NULL || options->drop != NULL || options->categorical != NULL ||
         options->numeric != NULL || options->id != NULL || options->separator != NULL || options->decimal != NULL ||
         options->header >= 0 || options->expect_columns != NULL;
}

/* By its name, by what its features are said to be, or else by its lines. */
static bool is_libsvm(const Reader *reader, const unsigned char *bytes, size_t count) {
  const DataOptions *options = reader->options;
  static const char *const names[] = {".svm", ".libsvm", ".svmlight"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (reader_has_suffix(reader->source, names[i])) return true;
  if (reader_has_suffix(reader->source, ".csv") || reader_has_suffix(reader->source, ".tsv")) return false;
  if (options != NULL && (options->hash_features > 0 || options->expect_index_base >= 0)) return true;
  return (options == NULL || !asks_for_table(options)) && libsvm_looks_so(bytes, count);
}

static Status choose_reader(ReadFunction *read, const Reader *reader, Error *error) {
  const unsigned char *bytes = NULL;
  size_t count = stream_peek(reader->stream, &bytes);
  if (count == 0)
    return error_set(error, SETOSA_ERROR_DATA, "%s: %s; give a file with rows of data", stream_path(reader->stream),
                     stream_is_regular(reader->stream) ? "the file is empty" : "nothing comes from it, which can be read once");
  bool npy = count >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
  bool npz = npz_looks_so(bytes, count);
  bool idx = count >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E;
  if (!npy && !idx && !npz) { /* a name that promises a format gets its reader, which says what is wrong */
    npy = reader_has_suffix(reader->source, ".npy");
    npz = reader_has_suffix(reader->source, ".npz");
    idx = reader_has_suffix(reader->source, "-ubyte") || reader_has_suffix(reader->source, ".idx");
  }
  *read = npy ? npy_read : npz ? npz_read : idx ? idx_read : table_read;
  if (*read != table_read) return SETOSA_OK;
  Status status = refuse_unread(reader, bytes, count, error);
  if (status == SETOSA_OK) status = stream_check_name(reader->stream, error);
  if (is_libsvm(reader, bytes, count)) *read = libsvm_read;
  return status;
}

/* Options that another kind of source understands. */
static Status check_options(const Reader *reader, ReadFunction read, Error *error) {
  const DataOptions *options = reader->options;
  if (read == table_read && options->labels_path != NULL)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: the labels of a CSV are one of its columns; name it with --label, --labels is for IDX, .npy and .npz",
                     reader->source);
  if (read == libsvm_read && options->labels_path != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the lines of LIBSVM text begin with their labels; leave --labels out", reader->source);
  if (options->hash_features > LIBSVM_HASH_BITS)
    return error_set(error, SETOSA_ERROR_USAGE, "--hash-features %llu makes too many features; give 1 to %d bits",
                     (unsigned long long)options->hash_features, LIBSVM_HASH_BITS);
  if (read != libsvm_read && options->hash_features > 0 && options->expect_features == 0)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: --hash-features is for LIBSVM text, and this is none; leave it out", reader->source);
  if (read == synthetic_read && options->labels_path != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: synthetic data has its own labels; leave --labels out", reader->source);
  const char *column_option = options->label != NULL         ? "--label"
                              : options->features != NULL    ? "--features"
                              : options->drop != NULL        ? "--drop"
                              : options->categorical != NULL ? "--categorical"
                              : options->numeric != NULL     ? "--numeric"
                              : options->id != NULL          ? "--id"
                                                             : NULL;
  if (read != table_read && column_option != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: %s chooses columns of a CSV, and this is none; leave it out", reader->source,
                     column_option);
  if (read != table_read && read != libsvm_read && options->also != NULL && options->also_count > 0)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: %s, so %s cannot follow it; several files are one data set for tables and LIBSVM text alone (join arrays with "
                     "numpy.concatenate)",
                     reader->source, read == synthetic_read ? "these rows are made" : "this is no table", options->also[0]);
  if (read == synthetic_read && options->weights != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: --weights: synthetic rows have no weights; write them to a file with generate",
                     reader->source);
  if (!isnan(options->scale) && (!isfinite(options->scale) || !isfinite((float)options->scale) || (float)options->scale == 0))
    return error_set(error, SETOSA_ERROR_USAGE, "--scale %g makes no sense; give a number other than 0 such as 0.00392157", options->scale);
  return SETOSA_OK;
}

static Status check_names(const char *function, const char *const *names, size_t count, const char *what, Error *error) {
  for (size_t i = 0; names != NULL && i < count; i++)
    if (names[i] == NULL)
      return error_set(error, SETOSA_ERROR_USAGE, "%s: options.%s[%zu] is NULL; give a name for each", function, what, i);
  return SETOSA_OK;
}

/* What only a C caller can get wrong. */
static Status check_call(const char *function, const char *source, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  if (*source == '\0') TRY(error_set(error, SETOSA_ERROR_USAGE, "no data was named; give a file or synthetic:rows=1000"));
  if (options->header < -1 || options->header > 1)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.header is %d; give -1, 0 or 1", function, options->header));
  if (options->expect_index_base < -1 || options->expect_index_base > 1)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.expect_index_base is %d; give -1, 0 or 1", function, options->expect_index_base));
  if ((unsigned)options->missing > SETOSA_MISSING_ERROR)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.missing is %d, which is none of the choices", function, (int)options->missing));
  if ((unsigned)options->unseen > SETOSA_UNSEEN_ERROR)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.unseen is %d, which is none of the choices", function, (int)options->unseen));
  if ((unsigned)options->sparse > SETOSA_SPARSE_NEVER)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.sparse is %d, which is none of the choices", function, (int)options->sparse));
  if (options->also == NULL && options->also_count > 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: options.also is NULL, and also_count is %zu; give the names", function,
                  options->also_count));
  TRY(check_names(function, options->also, options->also_count, "also", error));
  TRY(check_names(function, options->expect_feature_names, options->expect_features, "expect_feature_names", error));
  TRY(check_names(function, options->expect_class_names, options->expect_classes, "expect_class_names", error));
  if (options->parts == 0 || options->part < options->parts) return SETOSA_OK;
  status = error_set(error, SETOSA_ERROR_USAGE, "part %zu of %zu parts of the data does not exist; number parts from 0", options->part,
                     options->parts);
cleanup:
  return status;
}

static Status apply_scale(Dataset *dataset, double factor, Error *error) {
  Status status = SETOSA_OK;
  double *scale = NULL;
  if (factor == 1) return SETOSA_OK;
  TRY(memory_allocate((void **)&scale, dataset->features, sizeof *scale, "a scaling", error));
  for (size_t d = 0; d < dataset->features; d++)
    scale[d] = (float)factor; /* rounded: bytes times such a factor stay what the devices know how to hold as bytes */
  TRY(dataset_apply_scaling(dataset, NULL, scale, error));
cleanup:
  free(scale);
  return status;
}

/* Of a file by its kind: NULL when it has none, or is no file that can be read. */
static Status find_labels(char **found, const char *path, Error *error) {
  char tried[1];
  ReadFunction read = NULL;
  struct stat info;
  Reader reader = {.source = path};
  *found = NULL;
  /* What comes through a pipe must not be taken from it. */
  if (stream_is_standard_input(path) || stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return SETOSA_OK;
  if (stream_open(&reader.stream, path, NULL) != SETOSA_OK) return SETOSA_OK; /* loading it says why */
  Status status = choose_reader(&read, &reader, NULL);
  stream_close(reader.stream);
  if (status != SETOSA_OK) return SETOSA_OK;
  if (read == idx_read) return idx_labels_find(found, tried, sizeof tried, path, error);
  return read == npy_read && reader_has_suffix(path, ".npy") ? label_file_find(found, path, error) : SETOSA_OK;
}

SetosaStatus setosa_labels_find(char *path, size_t size, const char *source, SetosaError *error) {
  Status status = SETOSA_OK;
  const DataOptions defaults = setosa_data_options_default();
  Sources sources = {0};
  char *found = NULL;
  TRY(arguments_check(error, GIVEN(path), GIVEN(source)));
  if (size == 0) TRY(error_set(error, SETOSA_ERROR_USAGE, "setosa_labels_find: `size` is 0; give room for a path"));
  path[0] = '\0';
  if (sources_find(&sources, source, &defaults, NULL) == SETOSA_OK && sources.count == 1) TRY(find_labels(&found, sources.paths[0], error));
  if (found != NULL && strlen(found) >= size)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: the path of its labels is too long; move the data nearer to /", source));
  if (found != NULL) strcpy(path, found);
cleanup:
  free(found);
  sources_free(&sources);
  return status;
}

static bool is_made(const char *source) { return strncmp(source, "synthetic:", 10) == 0 || strcmp(source, "synthetic") == 0; }

SetosaStatus setosa_data_files(const char *source, SetosaTextCallback file, void *user, SetosaError *error) {
  Status status = SETOSA_OK;
  const DataOptions defaults = setosa_data_options_default();
  Sources sources = {0};
  TRY(arguments_check(error, GIVEN(source), GIVEN(file)));
  if (is_made(source) || stream_is_standard_input(source)) return SETOSA_OK;
  TRY(sources_find(&sources, source, &defaults, error));
  for (size_t i = 0; i < sources.count; i++) file(sources.paths[i], user);
cleanup:
  sources_free(&sources);
  return status;
}

/* A source while it is loaded. */
typedef struct Loading {
  Reader reader;
  DataOptions options; /* the caller's, and what follows from the source */
  Sources sources;
  ReadFunction read;
  char *labels_found;
} Loading;

/* Files that follow the first, which are of its kind. What is no regular file is left for the reader. */
static Status check_further(const char *path, const DataOptions *options, ReadFunction first, Error *error) {
  Status status = SETOSA_OK;
  struct stat info;
  ReadFunction read = table_read;
  Reader reader = {.source = path, .options = options};
  if (!stream_is_standard_input(path) && stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return SETOSA_OK;
  if (stream_is_standard_input(path))
    TRY(error_set(error, SETOSA_ERROR_USAGE, "-: standard input cannot follow other files; name it alone"));
  TRY(stream_open(&reader.stream, path, error));
  TRY(choose_reader(&read, &reader, error));
  if (read != first && first == libsvm_read)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: is no LIBSVM text, so it cannot follow one; call it .svm if it is", path));
  if (read != first)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: is no table, so it cannot follow one; join arrays with numpy.concatenate", path));
cleanup:
  stream_close(reader.stream);
  return status;
}

/* Opens the first file and tells its kind. */
static Status open_source(Loading *loading, Error *error) {
  Status status = SETOSA_OK;
  Reader *reader = &loading->reader;
  Sources *sources = &loading->sources;
  if (is_made(reader->source)) return SETOSA_OK;
  TRY(sources_find(sources, reader->source, reader->options, error));
  TRY(stream_open(&reader->stream, sources->paths[0], error));
  loading->options.also = (const char *const *)sources->paths + 1;
  loading->options.also_count = sources->count - 1;
  /* A conversion is of files that are still there the next time, and keeps no text that is carried along. */
  const DataOptions *options = reader->options;
  bool ids = options->id != NULL || (options->expect_columns != NULL && options->expect_columns->id_count > 0);
  if (ids || stream_is_standard_input(sources->paths[0])) loading->options.no_cache = true;
  if (sources->count == 1) reader->source = stream_is_standard_input(sources->paths[0]) ? stream_path(reader->stream) : sources->paths[0];
  TRY(choose_reader(&loading->read, reader, error));
cleanup:
  return status;
}

/* The reader points into loading, which stays where it is. call: for messages. */
static Status begin_loading(Loading *loading, const char *call, const char *source, const DataOptions *options, Error *error) {
  *loading = (Loading){.options = options != NULL ? *options : setosa_data_options_default(),
                       .reader = {.source = source, .default_scale = 1, .started = clock_seconds()},
                       .read = synthetic_read};
  loading->reader.options = &loading->options;
  Status status = check_call(call, source, &loading->options, error);
  return status == SETOSA_OK ? open_source(loading, error) : status;
}

/* Whether options and further files go with what the first file is. */
static Status check_loading(const Loading *loading, Error *error) {
  Status status = check_options(&loading->reader, loading->read, error);
  for (size_t i = 0; status == SETOSA_OK && i < loading->options.also_count; i++)
    status = check_further(loading->options.also[i], &loading->options, loading->read, error);
  return status;
}

/* What is found beside a .npy is known before the cache is asked: an entry is of both files. */
static Status find_labels_of_array(Loading *loading, Error *error) {
  const Reader *reader = &loading->reader;
  if (loading->read != npy_read || loading->options.labels_path != NULL || loading->options.labels_optional) return SETOSA_OK;
  if (!reader_has_suffix(reader->source, ".npy")) return SETOSA_OK;
  Status status = label_file_find(&loading->labels_found, reader->source, error);
  loading->options.labels_path = loading->labels_found;
  return status;
}

static Status read_source(Dataset **dataset, Loading *loading, Error *error) {
  Status status = SETOSA_OK;
  Reader *reader = &loading->reader;
  char note[CACHE_NOTE_SIZE] = "";
  TRY(reader_create_dataset(dataset, reader, error));
  if (loading->read != idx_read && loading->read != synthetic_read) /* bytes instead of floats; nothing */
    TRY(cache_read(dataset, reader, loading->read, note, error));
  else
    TRY(reader_run_in_memory(*dataset, reader, loading->read, error));
  if (note[0] != '\0') TRY(memory_copy_text(&(*dataset)->cache_note, note, error));
  size_t features = (*dataset)->features, expected = reader->options->expect_features;
  if (expected > 0 && features != expected)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: %zu features, but the model has %zu; give data of the same shape", reader->source,
                  features, expected));
  if (reader->options->sparse != SETOSA_SPARSE_AUTO)
    TRY(rows_become(*dataset, reader->options->sparse == SETOSA_SPARSE_ALWAYS ? DATA_SPARSE : DATA_DENSE, error));
  TRY(apply_scale(*dataset, isnan(reader->options->scale) ? reader->default_scale : reader->options->scale, error));
  TRY(reader_report(reader, (*dataset)->rows, true, error));
cleanup:
  return status;
}

SetosaStatus setosa_dataset_load(SetosaDataset **dataset, const char *source, const SetosaDataOptions *options, SetosaError *error) {
  Status status = SETOSA_OK;
  Loading loading = {0};
  Dataset *loaded = NULL;
  if (dataset != NULL) *dataset = NULL;
  TRY(arguments_check(error, GIVEN(dataset), GIVEN(source)));
  TRY(begin_loading(&loading, "setosa_dataset_load", source, options, error));
  TRY(check_loading(&loading, error));
  TRY(find_labels_of_array(&loading, error));
  TRY(read_source(&loaded, &loading, error));
  loaded->labels_found = loading.labels_found != NULL ? loading.labels_found : loaded->labels_found;
  loading.labels_found = NULL;
  *dataset = loaded;
  loaded = NULL;
cleanup:
  free(loading.labels_found);
  stream_close(loading.reader.stream);
  setosa_dataset_destroy(loaded);
  sources_free(&loading.sources);
  return status;
}

SetosaStatus setosa_table_inspect(SetosaTableReport **report, const char *source, const SetosaDataOptions *options, SetosaError *error) {
  Status status = SETOSA_OK;
  Loading loading = {0};
  if (report != NULL) *report = NULL;
  TRY(arguments_check(error, GIVEN(report), GIVEN(source)));
  TRY(begin_loading(&loading, "setosa_table_inspect", source, options, error));
  if (loading.read != table_read) goto cleanup; /* no table: no report, and no error */
  TRY(check_loading(&loading, error));
  TRY(table_inspect(report, &loading.reader, error));
cleanup:
  stream_close(loading.reader.stream);
  sources_free(&loading.sources);
  return status;
}
