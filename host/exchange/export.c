/* Which form, and a file that is whole or absent. */
#include "exchange/export.h"

#include <string.h>
#include <strings.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/names.h"
#include "base/path.h"

typedef struct Form {
  const char *suffix;
  Status (*write)(const Export *job, Error *error);
} Form;

#ifndef SETOSA_HAVE_ONNX
Status export_onnx(const Export *job, Error *error) {
  return error_set(
      error, SETOSA_ERROR_USAGE,
      "%s: this build of Setosa has no ONNX; install libprotobuf-c-dev and protobuf-c-compiler and build it again, or export to "
      ".json or .csv",
      job->path);
}
#endif

static const Form forms[] = {[SETOSA_EXPORT_ONNX] = {".onnx", export_onnx},
                             [SETOSA_EXPORT_C] = {".h", export_header},
                             [SETOSA_EXPORT_JSON] = {".json", export_json},
                             [SETOSA_EXPORT_CSV] = {".csv", export_csv}};
enum { FORMS = sizeof forms / sizeof *forms };

SetosaExportOptions setosa_export_options_default(void) { return (SetosaExportOptions){.form = SETOSA_EXPORT_BY_NAME}; }

static Status check_options(SetosaExportForm form, const SetosaExportOptions *options, const char *path, Error *error) {
  const char *idle = form != SETOSA_EXPORT_ONNX && options->single                          ? "single"
                     : form != SETOSA_EXPORT_C && options->quantize != SETOSA_QUANTIZE_NONE ? "quantize"
                     : form != SETOSA_EXPORT_C && options->name != NULL                     ? "name"
                     : form != SETOSA_EXPORT_C && options->data != NULL                     ? "data"
                                                                                            : NULL;
  if ((unsigned)options->quantize > SETOSA_QUANTIZE_INT8)
    return error_set(error, SETOSA_ERROR_USAGE, "setosa_model_export: there is no quantization %d", (int)options->quantize);
  if (idle == NULL) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "%s: --%s means nothing to this form, but to %s; leave it out", path, idle,
                   strcmp(idle, "single") == 0 ? ".onnx" : ".h");
}

static Status choose(SetosaExportForm *form, const SetosaExportOptions *options, const char *path, Error *error) {
  const char *name = path_last(path);
  size_t length = strlen(name);
  *form = options->form;
  if ((unsigned)*form >= FORMS) return error_set(error, SETOSA_ERROR_USAGE, "setosa_model_export: there is no form %d", (int)*form);
  for (unsigned i = SETOSA_EXPORT_BY_NAME + 1; i < FORMS && *form == SETOSA_EXPORT_BY_NAME; i++) {
    size_t suffix = strlen(forms[i].suffix);
    if (length > suffix && strcasecmp(name + length - suffix, forms[i].suffix) == 0) *form = (SetosaExportForm)i;
  }
  if (*form != SETOSA_EXPORT_BY_NAME) return check_options(*form, options, path, error);
  return error_set(error, SETOSA_ERROR_USAGE, "%s: its name says no form to export to; let it end in .onnx, .h, .json or .csv", path);
}

static Status check_data(const Model *model, const Dataset *data, Error *error) {
  DataShape shape = dataset_shape(data);
  if (shape.features != model->features)
    return error_set(error, SETOSA_ERROR_USAGE, "the data has %zu features but the model expects %zu; use data with the model's columns",
                     shape.features, model->features);
  if (dataset_scaling(data)->scale != NULL || shape.place != DATA_HELD)
    return error_set(error, SETOSA_ERROR_USAGE, "%s: the data must be as setosa_model_data_options reads it, held and not scaled",
                     dataset_source(data));
  return SETOSA_OK;
}

SetosaStatus setosa_model_export(const SetosaModel *model, const char *path, const SetosaExportOptions *options, SetosaExportResult *result,
                                 SetosaError *error) {
  Status status = SETOSA_OK;
  const SetosaExportOptions defaults = setosa_export_options_default();
  SetosaExportResult unasked;
  AtomicFile file = {0};
  Export job = {
      .model = model, .options = options != NULL ? options : &defaults, .result = result != NULL ? result : &unasked, .path = path};
  *job.result = (SetosaExportResult){0};
  TRY(arguments_check(error, GIVEN(model), GIVEN(path)));
  TRY(choose(&job.result->form, job.options, path, error));
  if (job.options->data != NULL) TRY(check_data(model, job.options->data, error));
  TRY(linear_form_make(&job.linear, model, error));
  TRY(atomic_file_open(&file, path, error));
  job.stream = file.stream;
  TRY(forms[job.result->form].write(&job, error));
  long bytes = ftell(file.stream);
  job.result->bytes = bytes > 0 ? (uint64_t)bytes : 0;
  TRY(atomic_file_commit(&file, error));
cleanup:
  atomic_file_abandon(&file);
  linear_form_free(&job.linear);
  return status;
}
