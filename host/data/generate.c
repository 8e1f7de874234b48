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
#include "data/generate_inside.h"
#include "data/npy_write.h"
#include "data/reader.h"

enum { CHUNK_NUMBERS = 1 << 18, DENSE_FEATURES = 1 << 16 };
static const double REPORT_SECONDS = 0.05;

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* What is not 0 of the chunk's dense rows. */
static void compress_rows(Generation *g, size_t rows) {
  size_t features = (size_t)g->spec.features;
  SparseArrays *entries = &g->entries;
  uint64_t at = 0;
  for (size_t i = 0; i < rows; i++) {
    const float *row = g->values + i * features;
    for (size_t d = 0; d < features; d++) { /* every value is written down, and kept where it is not 0: no branch to be guessed wrong */
      entries->columns[at] = (uint32_t)d;
      entries->values[at] = row[d];
      at += row[d] != 0;
    }
    entries->begin[i + 1] = at;
  }
}

void generate_entries(Generation *g, uint64_t row, size_t *rows, unsigned parts) {
  SparseArrays *entries = &g->entries;
  int32_t *labels = (parts & PART_LABELS) != 0 ? g->labels : NULL;
  *rows = g->spec.rows - row < g->chunk ? (size_t)(g->spec.rows - row) : g->chunk;
  entries->begin[0] = 0;
  if (!generate_is_sparse(g)) {
    synthetic_fill(g->synthetic, row, *rows, g->values, labels);
    compress_rows(g, *rows);
    return;
  }
  for (size_t i = 0; i < *rows; i++) entries->begin[i + 1] = (i + 1) * (uint64_t)synthetic_spec_entries(&g->spec);
  synthetic_fill_sparse(g->synthetic, row, *rows, (parts & PART_COLUMNS) != 0 ? entries->columns : NULL,
                        (parts & PART_VALUES) != 0 ? entries->values : NULL, labels);
}

static Status write_npy_rows(Generation *g, size_t rows, Error *error) {
  Status status = output_write(g->output, g->values, rows * (size_t)g->spec.features * sizeof *g->values, error);
  return status != SETOSA_OK ? status : output_write(g->labels_output, g->labels, rows * sizeof *g->labels, error);
}

/* One pass, in which each row is written when it is made. */
static Status write_rows(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  size_t rows = 0;
  for (uint64_t row = 0; row < g->spec.rows; row += rows) {
    if (g->form == FORM_SVM) {
      generate_entries(g, row, &rows, PART_COLUMNS | PART_VALUES | PART_LABELS);
      TRY(generate_svm_rows(g, rows, error));
    } else {
      rows = g->spec.rows - row < g->chunk ? (size_t)(g->spec.rows - row) : g->chunk;
      synthetic_fill(g->synthetic, row, rows, g->values, g->labels);
      TRY((g->form == FORM_TABLE ? generate_table_rows : write_npy_rows)(g, rows, error));
    }
    TRY(generate_report(g, row + rows, error));
  }
  if (g->text_length > 0) TRY(generate_text_flush(g, error));
cleanup:
  return status;
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

/* Zeros that are all written out are of use to those whose columns are few enough. */
static Status check_width(const Generation *g, const char *suffix, Error *error) {
  if (!generate_is_sparse(g) || g->spec.features <= DENSE_FEATURES || g->form == FORM_SVM || g->form == FORM_NPZ) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE,
                   "%s: of %llu features in each row all but %zu are 0, which %s writes out; end the name in .svm, .svm.gz or .npz",
                   g->path, (unsigned long long)g->spec.features, synthetic_spec_entries(&g->spec), suffix);
}

static Status choose_form(Generation *g, Error *error) {
  static const struct {
    const char *suffix;
    GenerateForm form;
    char separator;
  } forms[] = {{".csv", FORM_TABLE, ','}, {".tsv", FORM_TABLE, '\t'}, {".svm", FORM_SVM, 0},
               {".libsvm", FORM_SVM, 0},  {".npy", FORM_NPY, 0},      {".npz", FORM_NPZ, 0}};
  const size_t count = sizeof forms / sizeof *forms;
  size_t i = 0;
  while (i < count && !reader_has_suffix(g->path, forms[i].suffix)) i++;
  if (i == count)
    return error_set(error, SETOSA_ERROR_USAGE,
                     "%s: its name does not say how to write it; end it in .npy, .csv, .tsv or .svm, each also .gz, or in .npz", g->path);
  g->form = forms[i].form;
  g->separator = forms[i].separator;
  if (g->form == FORM_NPZ && strcasecmp(g->path + strlen(g->path) - 4, ".npz") != 0)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: an archive is not compressed once more; leave .gz out", g->path);
  return check_width(g, forms[i].suffix, error);
}

static Status choose_labels(Generation *g, Error *error) {
  const char *labels = g->options->labels_path;
  if (g->form != FORM_NPY && labels != NULL)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the labels %s; leave --labels out, or write a .npy", g->path,
                     g->form == FORM_NPZ   ? "are the array y of the archive"
                     : g->form == FORM_SVM ? "of LIBSVM text begin its lines"
                                           : "of text are its last column");
  if (g->form != FORM_NPY) return SETOSA_OK;
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

/* Room for a chunk of rows, dense or as entries, and of text. */
static Status reserve_chunk(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  size_t features = (size_t)g->spec.features, numbers = 0;
  bool as_entries = g->form == FORM_SVM || g->form == FORM_NPZ, dense = !as_entries || !generate_is_sparse(g);
  size_t width = dense ? features : synthetic_spec_entries(&g->spec);
  g->chunk = CHUNK_NUMBERS / width / 16 * 16 + 16;
  TRY(memory_multiply(&numbers, g->chunk, width, "a chunk of rows", error));
  if (dense) TRY(memory_allocate((void **)&g->values, numbers, sizeof *g->values, "a chunk of rows", error));
  if (as_entries) TRY(sparse_allocate(&g->entries, g->chunk, numbers, false, error));
  TRY(memory_allocate((void **)&g->labels, g->chunk, sizeof *g->labels, "a chunk of labels", error));
  TRY(memory_allocate((void **)&g->text, TEXT_BLOCK, 1, "a block of text", error));
cleanup:
  return status;
}

static Status write_npy_heads(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  char head[NPY_HEAD_SIZE];
  const uint64_t shape[2] = {g->spec.rows, g->spec.features};
  TRY(output_write(g->output, head, npy_head(head, "f4", shape, 2), error));
  TRY(output_write(g->labels_output, head, npy_head(head, "i4", shape, 1), error));
cleanup:
  return status;
}

static Status open_files(Generation *g, Error *error) {
  Status status = SETOSA_OK;
  TRY(choose_form(g, error));
  TRY(choose_labels(g, error));
  TRY(check_distinct(g, error));
  TRY(synthetic_create(&g->synthetic, &g->spec, error));
  TRY(reserve_chunk(g, error));
  TRY(output_open(&g->output, g->path, error));
  if (g->form == FORM_TABLE) TRY(generate_table_header(g, error));
  if (g->form != FORM_NPY) goto cleanup;
  double bytes = (double)g->spec.rows * ((double)g->spec.features * sizeof(float) + sizeof(int32_t));
  TRY(output_check_room(g->output, bytes < 0x1p63 ? (uint64_t)bytes : UINT64_MAX, error));
  TRY(output_open(&g->labels_output, g->labels_path, error));
  TRY(write_npy_heads(g, error));
cleanup:
  return status;
}

static uint64_t bytes_written(const Generation *g) {
  return output_bytes(g->output) + (g->labels_output != NULL ? output_bytes(g->labels_output) : 0);
}

/* Several passes count as one, slower. */
Status generate_report(Generation *g, uint64_t rows_done, Error *error) {
  double now = clock_seconds();
  if (g->passes > 1) rows_done = g->spec.rows / g->passes * g->pass + rows_done / g->passes;
  if (g->passes > 1 && g->pass == g->passes) rows_done = g->spec.rows;
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
  if (*path == '\0') return error_set(error, SETOSA_ERROR_USAGE, "no file was named; give one that ends in .npy, .csv, .tsv, .svm or .npz");
  TRY(parse_spec(&g.spec, spec, error));
  TRY(open_files(&g, error));
  TRY((g.form == FORM_NPZ ? generate_npz : write_rows)(&g, error));
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
  sparse_free(&g.entries, NULL);
  free(g.labels);
  free(g.text);
  free(g.labels_path);
  return status;
}
