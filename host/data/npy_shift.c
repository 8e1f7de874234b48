/* Moments of the columns of a NumPy file, part by part in the order of the file. */
#include "data/npy_shift.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/shift.h"

enum { BLOCK = 1 << 17 }; /* numbers read at a time */

/* What f32 holds as it is has no digits to lose, and halves and bytes even less. */
static bool is_wide(ElementType type) { return type.size == 8 || (type.size == 4 && type.kind != 'f'); }

typedef struct Survey {
  NpyHeader header;
  size_t rows, features;
  Moments *moments;     /* (D) */
  unsigned char *bytes; /* (BLOCK elements) */
  double *values;       /* (BLOCK) */
  double *room;         /* (4,D), or of a block if that is less */
} Survey;

/* count numbers, of which the first is number `at` of the array. */
static void add_numbers(Survey *survey, size_t at, size_t count) {
  size_t features = survey->features, rows = survey->rows;
  const double *values = survey->values;
  if (survey->header.fortran) /* a block ends with its column */
    moments_add(&survey->moments[at / rows], values, count);
  else if (features <= BLOCK) /* whole rows */
    moments_add_rows(survey->moments, features, values, count / features, survey->room);
  else
    moments_add_rows(&survey->moments[at % features], count, values, 1, survey->room);
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
    TRY(stream_read(reader->stream, survey->bytes, count * type.size, &got, error));
    if (got < count * type.size) return SETOSA_OK;
    elements_to_double(type, survey->bytes, count, survey->values);
    add_numbers(survey, at, count);
    TRY(reader_report(reader, 0, false, error));
  }
  *whole = true;
cleanup:
  return status;
}

static Status look_at_file(Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  bool whole = false;
  Survey survey = {.header = *header, .rows = dataset->rows, .features = dataset->features};
  TRY(memory_allocate_zero((void **)&survey.moments, survey.features, sizeof *survey.moments, "column statistics", error));
  TRY(memory_allocate((void **)&survey.bytes, BLOCK, header->type.size, "a block of the file", error));
  TRY(memory_allocate((void **)&survey.values, BLOCK, sizeof *survey.values, "a block of the file", error));
  TRY(memory_allocate((void **)&survey.room, survey.features < BLOCK ? survey.features : BLOCK, 4 * sizeof *survey.room,
                      "column statistics", error));
  TRY(look(&whole, &survey, reader, error));
  if (whole) TRY(shift_take(dataset, survey.moments, error));
cleanup:
  free(survey.room);
  free(survey.values);
  free(survey.bytes);
  free(survey.moments);
  return status;
}

/* To the first number again. */
static Status go_back(const NpyHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  NpyHeader again;
  TRY(stream_rewind(reader->stream, error));
  TRY(npy_read_header(&again, reader->stream, &(NpyUse){.as_plain = "leave the file alone"}, error));
  if (again.data_offset != header->data_offset || memcmp(again.shape, header->shape, header->dimensions * sizeof *header->shape) != 0)
    TRY(error_set(error, SETOSA_ERROR_DATA,
                  "%s: was written to while it was read, so that nobody knows what was; leave it alone and start again", reader->source));
cleanup:
  return status;
}

static Status take_expected(Dataset *dataset, const double *shift, Error *error) {
  Status status = shift_copy(&dataset->shift, shift, dataset->features, error);
  dataset->byte_scale = 0; /* bytes about a shift are none */
  return status;
}

Status npy_choose_shift(Dataset *dataset, const NpyHeader *header, Reader *reader, Error *error) {
  Status status = SETOSA_OK;
  Error own = {0};
  const DataOptions *options = reader->options;
  if (options->unshifted || dataset->rows == 0 || dataset->features == 0) return SETOSA_OK;
  if (options->expect_shift != NULL && options->expect_features == dataset->features)
    return take_expected(dataset, options->expect_shift, error);
  if (!is_wide(header->type)) return SETOSA_OK;
  if (!stream_can_rewind(reader->stream))
    return remarks_add(&dataset->remarks, SETOSA_REMARK_DETAIL, error,
                       "the numbers come through a pipe, so that they are rounded to f32 before it is known whether some columns are far "
                       "from 0; of a file such columns keep their digits");
  status = look_at_file(dataset, header, reader, &own);
  /* What is wrong with the data shows again, where it is told in full. */
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA) return error_set(error, status, "%s", own.message);
  return go_back(header, reader, error);
}
