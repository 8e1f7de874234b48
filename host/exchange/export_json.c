/* Coefficients as one JSON object. What scikit-learn has goes by its names; "model" holds the tensors and the metadata of the model file,
 * so that the same model can be made again. A row of a matrix stands on a line. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/number.h"
#include "exchange/export.h"

/* Texts are those of a model file, and so UTF-8. */
static Status write_text(FILE *stream, const char *text, Error *error) {
  char *quoted = NULL;
  json_t *value = json_string(text);
  Status status = json_write(&quoted, value, JSON_ENCODE_ANY, error);
  if (status == SETOSA_OK) fputs(quoted, stream);
  json_decref(value);
  free(quoted);
  return status;
}

static Status write_texts(FILE *stream, char *const *texts, size_t count, Error *error) {
  Status status = SETOSA_OK;
  fputc('[', stream);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) fputs(", ", stream);
    TRY(write_text(stream, texts[i], error));
  }
  fputc(']', stream);
cleanup:
  return status;
}

/* Who reads JSON takes -0 for a whole number, which has no sign. */
static void write_number(FILE *stream, const char *text) { fputs(strcmp(text, "-0") == 0 ? "-0.0" : text, stream); }

/* From one of two arrays. */
static void write_numbers(FILE *stream, const double *doubles, const float *floats, size_t count) {
  char number[NUMBER_TEXT];
  fputc('[', stream);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) fputs(", ", stream);
    if (doubles != NULL) write_number(stream, number_print(number, doubles[i]));
    if (floats != NULL) write_number(stream, number_print_float(number, floats[i]));
  }
  fputc(']', stream);
}

static void write_matrix(FILE *stream, const double *doubles, const float *floats, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; i++) {
    fputs(i > 0 ? ",\n  " : "[\n  ", stream);
    write_numbers(stream, doubles != NULL ? doubles + i * columns : NULL, floats != NULL ? floats + i * columns : NULL, columns);
  }
  fputc(']', stream);
}

static Status write_description(FILE *stream, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  ModelDescription description = {0};
  TRY(model_describe(&description, model, error));
  for (size_t i = 0; i < description.count; i++) {
    fputs(i > 0 ? ",\n    " : "{\n    ", stream);
    TRY(write_text(stream, description.pairs[i].key, error));
    fputs(": ", stream);
    TRY(write_text(stream, description.pairs[i].value, error));
  }
  fputc('}', stream);
cleanup:
  model_description_free(&description);
  return status;
}

static Status write_model(FILE *stream, const Model *model, Error *error) {
  Status status = SETOSA_OK;
  size_t features = model->features, classes = model->classes;
  const struct {
    const char *name;
    const double *values;
  } vectors[] = {{"feature_offset", model->scaling.offset},
                 {"feature_scale", model->scaling.scale},
                 {"feature_shift", model->shift},
                 {"feature_mean", model->mean}};
  fputs("{\n  \"weights\": ", stream);
  write_matrix(stream, NULL, model->weights, classes, features);
  fputs(",\n  \"bias\": ", stream);
  write_numbers(stream, model->bias, NULL, classes);
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    if (vectors[i].values == NULL) continue;
    fprintf(stream, ",\n  \"%s\": ", vectors[i].name);
    write_numbers(stream, vectors[i].values, NULL, features);
  }
  fputs(",\n  \"metadata\": ", stream);
  TRY(write_description(stream, model, error));
  fputc('}', stream);
cleanup:
  return status;
}

Status export_json(const Export *job, Error *error) {
  Status status = SETOSA_OK;
  FILE *stream = job->stream;
  const Model *model = job->model;
  fputs("{\n\"format\": \"setosa-coefficients\",\n\"schema\": 1,\n\"classes_\": ", stream);
  TRY(write_texts(stream, model->class_names, model->classes, error));
  if (model->feature_names != NULL) {
    fputs(",\n\"feature_names_in_\": ", stream);
    TRY(write_texts(stream, model->feature_names, model->features, error));
  }
  fputs(",\n\"coef_\": ", stream);
  write_matrix(stream, job->linear.coefficients, NULL, model->classes, model->features);
  fputs(",\n\"intercept_\": ", stream);
  write_numbers(stream, job->linear.intercepts, NULL, model->classes);
  fputs(",\n\"model\": ", stream);
  TRY(write_model(stream, model, error));
  fputs("\n}\n", stream);
cleanup:
  return status;
}
