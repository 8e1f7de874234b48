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
                             [SETOSA_EXPORT_JSON] = {".json", export_json},
                             [SETOSA_EXPORT_CSV] = {".csv", export_csv}};
enum { FORMS = sizeof forms / sizeof *forms };

SetosaExportOptions setosa_export_options_default(void) { return (SetosaExportOptions){.form = SETOSA_EXPORT_BY_NAME}; }

static Status choose(SetosaExportForm *form, const SetosaExportOptions *options, const char *path, Error *error) {
  const char *name = path_last(path);
  size_t length = strlen(name);
  *form = options->form;
  if ((unsigned)*form >= FORMS) return error_set(error, SETOSA_ERROR_USAGE, "setosa_model_export: there is no form %d", (int)*form);
  for (unsigned i = SETOSA_EXPORT_BY_NAME + 1; i < FORMS && *form == SETOSA_EXPORT_BY_NAME; i++) {
    size_t suffix = strlen(forms[i].suffix);
    if (length > suffix && strcasecmp(name + length - suffix, forms[i].suffix) == 0) *form = (SetosaExportForm)i;
  }
  if (*form != SETOSA_EXPORT_BY_NAME) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_USAGE, "%s: its name says no form to export to; let it end in .onnx, .json or .csv", path);
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
