/* setosa_generate: synthetic rows into a file, chunk by chunk, so that memory does not grow with the rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "data/output.h"
#include "data/reader.h"
#include "data/synthetic.h"

enum { CHUNK_NUMBERS = 1 << 18, TEXT_BLOCK = 1 << 16, NUMBER_SIZE = 48 };
static const double REPORT_SECONDS = 0.05;

typedef struct Generation {
  SyntheticSpec spec;
  Synthetic *synthetic;
  const char *path;
  char *labels_path; /* NULL for text, whose labels are its last column */
  Output *output, *labels_output;
  size_t chunk;    /* rows */
  float *values;   /* (chunk,D) */
  int32_t *labels; /* (chunk) */
  char separator;  /* of text; 0: NumPy */
  char *text;      /* (TEXT_BLOCK) */
  size_t text_length;
  const SetosaGenerateOptions *options;
  double began, reported;
} Generation;

/* ---- numbers as text -------------------------------------------------------------------------------------------- */

/* True when every reader, whether it rounds to float at once or through double, finds `value` in digits / power. */
static bool reads_back(uint64_t digits, double power, float value) {
  double read = (double)digits / power; /* both exact, so this is what strtod makes of the text */
  return (float)(read * (1 - 0x1p-50)) == value && (float)(read * (1 + 0x1p-50)) == value;
}

/* The shortest of 6 to 9 digits that reads back to the same float, as %g prints it but never with an exponent: about ten times as fast.
 * Made for what the generator makes, 0 or 2e-5 to 4; other numbers go through printf. */
static size_t format_number(char text[NUMBER_SIZE], float value) {
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
  double size = fabs((double)value);
  if (size == 0) return (size_t)snprintf(text, NUMBER_SIZE, "%s", signbit(value) ? "-0" : "0");
  int before = -4; /* size < 10^before: digits before the point */
  while (before <= 6 && size >= (before < 0 ? 1 / powers[-before] : powers[before])) before++;
  for (int precision = 6; size >= 1e-5 && before <= 6 && precision <= 9; precision++) {
    int decimals = precision - before;
    uint64_t digits = (uint64_t)(size * powers[decimals] + 0.5);
    if (!reads_back(digits, powers[decimals], (float)size)) continue;
    for (; decimals > 0 && digits % 10 == 0; decimals--) digits /= 10;
    char reversed[NUMBER_SIZE];
    size_t count = 0, length = 0;
    for (int place = 0; place <= decimals || digits > 0; place++) {
      if (place == decimals && place > 0) reversed[count++] = '.';
      reversed[count++] = (char)('0' + digits % 10);
      digits /= 10;
    }
    if (signbit(value)) text[length++] = '-';
    while (count > 0) text[length++] = reversed[--count];
    text[length] = '\0';
    return length;
  }
  int length = snprintf(text, NUMBER_SIZE, "%.9g", (double)value);
  for (char *at = text; *at != '\0'; at++)
    if (strchr("+-0123456789e", *at) == NULL) *at = '.'; /* whatever the locale writes for the point */
  return (size_t)length;
}

static Status flush_text(Generation *g, Error *error) {
  size_t length = g->text_length;
  g->text_length = 0;
  return output_write(g->output, g->text, length, error);
}

static Status make_room(Generation *g, Error *error) {
  return g->text_length + NUMBER_SIZE < TEXT_BLOCK ? SETOSA_OK : flush_text(g, error);
}

static Status write_text_header(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  for (uint64_t d = 0; d < g->spec.features; d++) {
    TRY(make_room(g, error));
    g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "x%llu%c", (unsigned long long)d + 1, g->separator);
  }
  TRY(make_room(g, error));
  g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "label\n");
cleanup:
  return status;
}

static Status write_text_rows(Generation *g, size_t rows, Error *error) {
  Status status = SETOSA_OK;
  size_t features = (size_t)g->spec.features;
  for (size_t i = 0; i < rows; i++) {
    for (size_t d = 0; d < features; d++) {
      TRY(make_room(g, error));
      g->text_length += format_number(g->text + g->text_length, g->values[i * features + d]);
      g->text[g->text_length++] = g->separator;
    }
    TRY(make_room(g, error));
    g->text_length += (size_t)snprintf(g->text + g->text_length, NUMBER_SIZE, "%d\n", (int)g->labels[i]);
  }
cleanup:
  return status;
}

/* ---- NumPy ------------------------------------------------------------------------------------------------------ */

/* Version 1.0; columns 0: one dimension. Padded so that the data begin at a multiple of 64, as NumPy does. */
static Status write_npy_header(Output *output, char kind, uint64_t rows, uint64_t columns, Error *error) {
  enum { PREFIX = 10, ALIGNMENT = 64 };
  char header[256], shape[64];
  const uint16_t probe = 1;
  char order = *(const unsigned char *)&probe == 1 ? '<' : '>';
  if (columns > 0)
    snprintf(shape, sizeof shape, "%llu, %llu", (unsigned long long)rows, (unsigned long long)columns);
  else
    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)rows);
  int used =
      snprintf(header + PREFIX, sizeof header - PREFIX, "{'descr': '%c%c4', 'fortran_order': False, 'shape': (%s), }", order, kind, shape);
  size_t end = PREFIX + (size_t)used, total = (end + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(header + end, ' ', total - end - 1);
  header[total - 1] = '\n';
  static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  memcpy(header, magic, sizeof magic);
  header[8] = (char)((total - PREFIX) & 0xFF);
  header[9] = (char)((total - PREFIX) >> 8);
  return output_write(output, header, total, error);
}

static Status write_npy_rows(Generation *g, size_t rows, Error *error) {
  Status status = output_write(g->output, g->values, rows * (size_t)g->spec.features * sizeof *g->values, error);
  return status != SETOSA_OK ? status : output_write(g->labels_output, g->labels, rows * sizeof *g->labels, error);
}

/* ---- the call --------------------------------------------------------------------------------------------------- */

/* X.npy -> X-labels.npy, X.npy.gz -> X-labels.npy.gz */
static Status derive_labels_path(char **out, const char *path, Error *error) {
  size_t length = strlen(path), suffix = strcasecmp(path + length - 3, ".gz") == 0 ? 7 : 4;
  Text text = {0};
  Status status = text_append(&text, error, "%.*s-labels%s", (int)(length - suffix), path, path + length - suffix);
  *out = text.text;
  return status;
}

static Status choose_format(Generation *g, Error *error) {
  const char *labels = g->options->labels_path;
  g->separator = reader_has_suffix(g->path, ".csv") ? ',' : reader_has_suffix(g->path, ".tsv") ? '\t' : '\0';
  if (g->separator == '\0' && !reader_has_suffix(g->path, ".npy"))
    return error_set(error, SETOSA_ERROR_USAGE, "%s: its name does not say how to write it; end it in .npy, .csv or .tsv, each also .gz",
                     g->path);
  if (g->separator != '\0' && labels != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the labels of text are its last column; leave --labels out, or write a .npy", g->path);
  if (g->separator != '\0') return SETOSA_OK;
  if (labels == NULL) return derive_labels_path(&g->labels_path, g->path, error);
  if (!reader_has_suffix(labels, ".npy"))
    return error_set(error, SETOSA_ERROR_USAGE, "--labels %s: labels are written as .npy; end the name in .npy or .npy.gz", labels);
  return memory_copy_text(&g->labels_path, labels, error);
}

/* Both are written: through a link the labels could be the features. */
static Status check_distinct(const Generation *g, Error *error) {
  bool same = false;
  if (g->labels_path == NULL) return SETOSA_OK;
  Status status = path_same(&same, g->labels_path, g->path, error);
  if (status != SETOSA_OK || !same) return status;
  return error_set(error, SETOSA_ERROR_USAGE, "--labels %s would overwrite the features; give it another name", g->labels_path);
}

static Status parse_spec(SyntheticSpec *spec, const char *source, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0};
  if (source == NULL || *source == '\0')
    return error_set(error, SETOSA_ERROR_USAGE, "no data was asked for; give rows=1e6,features=64,classes=10");
  if (synthetic_is_source(source)) return synthetic_parse(spec, source, error);
  TRY(text_append(&text, error, "synthetic:%s", source));
  TRY(synthetic_parse(spec, text.text, error));
cleanup:
  text_free(&text);
  return status;
}

static Status open_files(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  size_t numbers = 0;
  TRY(choose_format(g, error));
  TRY(check_distinct(g, error));
  TRY(synthetic_create(&g->synthetic, &g->spec, error));
  g->chunk = CHUNK_NUMBERS / (size_t)g->spec.features / 16 * 16 + 16;
  TRY(memory_multiply(&numbers, g->chunk, (size_t)g->spec.features, "a chunk of rows", error));
  TRY(memory_allocate((void **)&g->values, numbers, sizeof *g->values, "a chunk of rows", error));
  TRY(memory_allocate((void **)&g->labels, g->chunk, sizeof *g->labels, "a chunk of labels", error));
  TRY(memory_allocate((void **)&g->text, TEXT_BLOCK, 1, "a block of text", error));
  TRY(output_open(&g->output, g->path, error));
  if (g->separator != '\0') {
    TRY(write_text_header(g, error));
    goto cleanup;
  }
  double bytes = (double)g->spec.rows * ((double)g->spec.features * sizeof(float) + sizeof(int32_t));
  TRY(output_check_room(g->output, bytes < 0x1p63 ? (uint64_t)bytes : UINT64_MAX, error));
  TRY(output_open(&g->labels_output, g->labels_path, error));
  TRY(write_npy_header(g->output, 'f', g->spec.rows, g->spec.features, error));
  TRY(write_npy_header(g->labels_output, 'i', g->spec.rows, 0, error));
cleanup:
  return status;
}

static uint64_t bytes_written(const Generation *g) {
  return output_bytes(g->output) + (g->labels_output != NULL ? output_bytes(g->labels_output) : 0);
}

static Status report(Generation *g, uint64_t rows_done, Error *error) {
  double now = clock_seconds();
  if (g->options->progress == NULL || (rows_done < g->spec.rows && now - g->reported < REPORT_SECONDS)) return SETOSA_OK;
  g->reported = now;
  SetosaProgress progress = {.phase = SETOSA_PHASE_GENERATE,
                             .objective = NAN,
                             .loss = NAN,
                             .gradient_norm = NAN,
                             .validation_loss = NAN,
                             .seconds = now - g->began,
                             .rows_per_second = now > g->began ? (double)rows_done / (now - g->began) : 0,
                             .rows_done = rows_done,
                             .rows_total = g->spec.rows,
                             .bytes_done = bytes_written(g)};
  if (g->options->progress(&progress, g->options->progress_user)) return SETOSA_OK;
  return error_set(error, SETOSA_INTERRUPTED, "%s: stopped after %llu rows; nothing was written", g->path, (unsigned long long)rows_done);
}

static Status write_rows(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  for (uint64_t row = 0; row < g->spec.rows; row += g->chunk) {
    size_t rows = g->spec.rows - row < g->chunk ? (size_t)(g->spec.rows - row) : g->chunk;
    synthetic_fill(g->synthetic, row, rows, g->values, g->labels);
    TRY((g->separator != '\0' ? write_text_rows : write_npy_rows)(g, rows, error));
    TRY(report(g, row + rows, error));
  }
  if (g->text_length > 0) TRY(flush_text(g, error));
cleanup:
  return status;
}

/* Everything that can fail for want of room is done before the first rename. */
static Status finish_files(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  TRY(output_finish(g->output, error));
  if (g->labels_output != NULL) TRY(output_finish(g->labels_output, error));
  if (g->labels_output != NULL) TRY(output_commit(g->labels_output, error));
  TRY(output_commit(g->output, error));
cleanup:
  return status;
}

SetosaGenerateOptions setosa_generate_options_default(void) { return (SetosaGenerateOptions){0}; }

SetosaStatus setosa_generate(const char *spec, const char *path, const SetosaGenerateOptions *options, SetosaGenerateResult *result,
                             SetosaError *error) {
  Status status = SETOSA_OK;
  const SetosaGenerateOptions defaults = setosa_generate_options_default();
  Generation g = {.path = path, .options = options != NULL ? options : &defaults, .began = clock_seconds()};
  TRY(arguments_check(error, GIVEN(spec), GIVEN(path)));
  if (*path == '\0') return error_set(error, SETOSA_ERROR_USAGE, "no file was named; give one that ends in .npy, .csv or .tsv");
  TRY(parse_spec(&g.spec, spec, error));
  TRY(open_files(&g, error));
  TRY(write_rows(&g, error));
  TRY(finish_files(&g, error));
  if (result != NULL) {
    *result = (SetosaGenerateResult){.rows = g.spec.rows,
                                     .features = g.spec.features,
                                     .classes = g.spec.classes,
                                     .bytes = bytes_written(&g),
                                     .seconds = clock_seconds() - g.began};
    snprintf(result->labels_path, sizeof result->labels_path, "%s", g.labels_path != NULL ? g.labels_path : "");
  }
cleanup:
  output_close(g.output);
  output_close(g.labels_output);
  synthetic_destroy(g.synthetic);
  free(g.values);
  free(g.labels);
  free(g.text);
  free(g.labels_path);
  return status;
}
