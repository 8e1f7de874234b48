/* Arrays of an .npz by their names. */
#include "data/array_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/column_file.h"
#include "data/npy.h"
#include "data/npy_names.h"
#include "data/npz.h"

struct ArrayFile {
  const char *path;
  Stream *stream;
  Archive *archive;
};

Status array_file_open(ArrayFile **file, const char *path, Error *error) {
  Status status = SETOSA_OK;
  ArrayFile *opened = NULL;
  *file = NULL;
  TRY(memory_allocate_zero((void **)&opened, 1, sizeof *opened, "an archive", error));
  opened->path = path;
  TRY(stream_open(&opened->stream, path, error));
  if (!stream_is_regular(opened->stream) || stream_is_compressed(opened->stream))
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the contents of an archive stand at its end, so it must be a plain file; %s",
                  stream_path(opened->stream), stream_is_regular(opened->stream) ? "unpack the .gz" : "write it to one"));
  TRY(archive_open(&opened->archive, opened->stream, error));
  *file = opened;
  opened = NULL;
cleanup:
  array_file_close(opened);
  return status;
}

void array_file_close(ArrayFile *file) {
  if (file == NULL) return;
  archive_close(file->archive);
  stream_close(file->stream);
  free(file);
}

bool array_file_has(const ArrayFile *file, const char *name) { return npz_find_array(file->archive, name, &(size_t){0}); }

Status array_file_list(char **list, const ArrayFile *file, Error *error) {
  Text text = {0};
  Status status = npz_list_arrays(&text, file->archive, error);
  *list = text.text;
  return status;
}

static Status open_array(Stream **member, ArrayFile *file, const char *name, Error *error) {
  size_t index = 0;
  *member = NULL;
  if (!npz_find_array(file->archive, name, &index))
    return error_set(error, SETOSA_ERROR_DATA, "%s: holds no array '%s'; add it", file->path, name);
  return archive_open_member(member, file->archive, index, error);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* Elements on their way to their places. Without a shape there is one. */
typedef struct Numbers {
  const NpyHeader *header;
  const char *path;
  double *values;
  size_t rows, columns;
} Numbers;

static Status take_numbers(void *user, ElementType type, const unsigned char *elements, size_t count, size_t first, Error *error) {
  const Numbers *numbers = user;
  for (size_t i = 0; i < count; i++) {
    size_t at = first + i;
    double value = element_to_double(type, elements + i * type.size);
    if (!isfinite(value))
      return error_set(error, SETOSA_ERROR_DATA, "%s: number %zu of the array is %s; only finite numbers make a model", numbers->path,
                       at + 1, isnan(value) ? "nan" : "infinite");
    if (numbers->header->fortran) at = at % numbers->rows * numbers->columns + at / numbers->rows;
    numbers->values[at] = value;
  }
  return SETOSA_OK;
}

Status array_file_numbers(NumberArray *array, ArrayFile *file, const char *name, Error *error) {
  Status status = SETOSA_OK;
  Stream *member = NULL;
  NpyHeader header;
  *array = (NumberArray){.shape = {1, 1}};
  TRY(open_array(&member, file, name, error));
  TRY(npy_read_header(&header, member, &(NpyUse){.as_plain = "save it with .astype('float64')"}, error));
  if (header.dimensions > 2)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: the array has %zu dimensions, 2 at most are read; reshape it", stream_path(member),
                  header.dimensions));
  array->dimensions = header.dimensions;
  for (size_t i = 0; i < header.dimensions; i++) array->shape[i] = header.shape[i];
  size_t count = array->shape[0] * array->shape[1]; /* checked with the header */
  TRY(memory_allocate((void **)&array->values, count, sizeof *array->values, "numbers", error));
  Numbers numbers = {&header, stream_path(member), array->values, array->shape[0], array->shape[1]};
  TRY(npy_read_elements(&header, member, &(ElementTaker){"numbers", take_numbers, &numbers}, error));
cleanup:
  stream_close(member);
  if (status != SETOSA_OK) {
    free(array->values);
    array->values = NULL;
  }
  return status;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

Status array_file_texts(char ***names, size_t *count, ArrayFile *file, const char *name, const char *as_plain, Error *error) {
  Status status = SETOSA_OK;
  Stream *member = NULL;
  NpyHeader header;
  NpyNames taken = {0};
  TRY(open_array(&member, file, name, error));
  TRY(npy_read_header(&header, member, &(NpyUse){.text = true, .as_plain = as_plain}, error));
  if (header.dimensions != 1)
    TRY(error_set(error, SETOSA_ERROR_DATA, "%s: names must be in one dimension, and this array has %zu; save it with .ravel()",
                  stream_path(member), header.dimensions));
  ColumnTaker taker = {.one = "name",
                       .many = "names",
                       .as_plain = as_plain,
                       .take_element = npy_take_name,
                       .values = &taken,
                       .source = file->path,
                       .rows = header.shape[0]};
  TRY(stream_rewind(member, error));
  TRY(npy_read_column(&taker, member, error));
cleanup:
  stream_close(member);
  *names = taken.names;
  *count = taken.count;
  text_free(&taken.room);
  return status;
}
