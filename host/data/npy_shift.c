/* Moments of the columns of a NumPy file, part by part in the order of the file. */
#include "data/npy_shift.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/shift.h"
#include "data/shift_remark.h"

enum { BLOCK = 1 << 17 }; /* numbers read at a time */

/* What f32 holds as it is has no digits to lose, and halves and bytes even less. */
static bool is_wide(ElementType type) { return type.size == 8 || (type.size == 4 && type.kind != 'f'); }

typedef struct Survey {
  Stream *stream;
  NpyHeader header;
  size_t rows, features;
  Moments *moments;     /* (D) */
  unsigned char *bytes; /* (BLOCK elements) */
  double *values;       /* (BLOCK) */
} Survey;

/* count numbers, of which the first is number `at` of the array. */
static void add_numbers(Survey *survey, size_t at, size_t count) {
  size_t features = survey->features, rows = survey->rows;
  const double *values = survey->values;
  if (survey->header.fortran) /* a block ends with its column */
    moments_add(&survey->moments[at / rows], values, count, 1);
  else if (features <= BLOCK) /* whole rows */
    for (size_t d = 0; d < features; d++) moments_add(&survey->moments[d], values + d, count / features, features);
  else
    for (size_t i = 0; i < count; i++) moments_add(&survey->moments[at % features + i], &values[i], 1, 1);
}

/* So many numbers from `at` on as add_numbers takes at a time. */
static size_t next_count(const Survey *survey, size_t at) {
  size_t features = survey->features, line = survey->header.fortran ? survey->rows : features, left = line - at % line;
  if (survey->header.fortran || features > BLOCK) return left < BLOCK ? left : BLOCK;
  size_t whole = BLOCK / features * features, rest = survey->rows * features - at;
  return rest < whole ? rest : whole;
}

static Status look(bool *whole, Survey *survey, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  size_t total = survey->rows * survey->features, got = 0;
  ElementType type = survey->header.type;
  for (size_t at = 0, count = 0; at < total; at += count) {
    count = next_count(survey, at);
    TRY(stream_read(survey->stream, survey->bytes, count * type.size, &got, error));
    if (got < count * type.size) return SETOSA_OK;
    elements_to_double(type, survey->bytes, count, survey->values);
    add_numbers(survey, at, count);
    TRY(reader_report(reader, 0, false, error));
  }
  *whole = true;
cleanup:
  return status;
}

static Status take_shift(Dataset *dataset, const Moments *moments, Error *error) {
  Status status = SETOSA_OK;
  bool any = false;
  double *shift = NULL;
  TRY(memory_allocate((void **)&shift, dataset->features, sizeof *shift, "the shift of the columns", error));
  for (size_t d = 0; d < dataset->features; d++) {
    shift[d] = shift_choose(moments[d].mean, moments_deviation(&moments[d]), moments[d].least, moments[d].most);
    any = any || shift[d] != 0;
  }
  if (any) {
    dataset->shift = shift;
    shift = NULL;
  }
  TRY(shift_remark(dataset, moments, error));
cleanup:
  free(shift);
  return status;
}

static bool is_alike(const NpyHeader *a, const NpyHeader *b) {
  return a->type.kind == b->type.kind && a->type.size == b->type.size && a->type.big_endian == b->type.big_endian &&
         a->fortran == b->fortran && b->dimensions == 2 && a->shape[0] == b->shape[0] && a->shape[1] == b->shape[1];
}

static Status survey_file(Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  bool whole = false;
  Survey survey = {.rows = dataset->rows, .features = dataset->features};
  TRY(memory_allocate_zero((void **)&survey.moments, survey.features, sizeof *survey.moments, "column statistics", error));
  TRY(memory_allocate((void **)&survey.bytes, BLOCK, header->type.size, "a block of the file", error));
  TRY(memory_allocate((void **)&survey.values, BLOCK, sizeof *survey.values, "a block of the file", error));
  TRY(stream_reopen(&survey.stream, reader->stream, error));
  TRY(npy_read_header(&survey.header, survey.stream, &(NpyUse){.as_plain = ""}, error));
  if (!is_alike(header, &survey.header)) goto cleanup;
  TRY(look(&whole, &survey, reader, error));
  if (whole) TRY(take_shift(dataset, survey.moments, error));
cleanup:
  stream_close(survey.stream);
  free(survey.values);
  free(survey.bytes);
  free(survey.moments);
  return status;
}

static Status take_expected(Dataset *dataset, const double *shift, Error *error) {
  Status status = shift_copy(&dataset->shift, shift, dataset->features, error);
  dataset->byte_scale = 0; /* bytes about a shift are none */
  return status;
}

Status npy_choose_shift(Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error) {
  Error own = {0};
  const DataOptions *options = reader->options;
  if (options->unshifted || dataset->rows == 0 || dataset->features == 0) return SETOSA_OK;
  if (options->expect_shift != NULL && options->expect_features == dataset->features)
    return take_expected(dataset, options->expect_shift, error);
  if (!is_wide(header->type)) return SETOSA_OK;
  if (!stream_can_reopen(reader->stream))
    return remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error,
                       "the numbers come through a pipe, so that they are rounded to f32 before it is known whether some columns are far "
                       "from 0; of a file such columns keep their digits");
  Status status = survey_file(dataset, header, reader, &own);
  if (status == SETOSA_OK || status == SETOSA_ERROR_DATA) return SETOSA_OK; /* what is wrong shows again, where it is said */
  return error_set(error, status, "%s", own.message);
}
