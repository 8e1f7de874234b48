/* `setosa export` and `setosa import`: models for others, and those of others. */
#include <limits.h>
#include <math.h>

#include "cli/command.h"
#include "cli/inputs.h"
#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/units.h"

/* Names in it come from files. */
static const char *shown_path(char shown[PATH_MAX], const char *path) {
  snprintf(shown, PATH_MAX, "%s", path);
  console_make_visible(shown);
  return shown;
}

/* Labels that are there make it possible to tell accuracies; none are needed. */
static Status load_data(SetosaDataset **data, const SetosaModel *model, const Session *session, Error *error) {
  SetosaDataOptions how = setosa_model_data_options(model);
  Error unlabelled = {0};
  if (setosa_dataset_load(data, session->options->sample, &how, &unlabelled) == SETOSA_OK) return SETOSA_OK;
  how.labels_optional = true;
  return input_load(data, session, session->options->sample, how, error);
}

static Status print_export_json(const SetosaExportResult *result, const Options *options, Error *error) {
  json_t *document =
      json_pack("{s:s, s:s, s:o, s:o, s:s, s:I}", "command", "export", "version", SETOSA_VERSION, "model", json_text(options->argument[0]),
                "output", json_text(options->output), "form", setosa_export_form_name(result->form), "bytes", (json_int_t)result->bytes);
  if (result->form == SETOSA_EXPORT_C) json_put(&document, "vectors", json_integer((json_int_t)result->vectors));
  if (options->quantize != SETOSA_QUANTIZE_NONE)
    json_put(&document, "quantize",
             json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "how", setosa_quantize_name(options->quantize), "rows", (json_int_t)result->rows,
                       "agreement", json_number(result->agreement), "largest_difference", json_number(result->largest_difference),
                       "accuracy", json_number(result->accuracy), "accuracy_int8", json_number(result->accuracy_int8)));
  return json_print(document, false, stdout, error);
}

static void print_export(const SetosaExportResult *result, const SetosaModel *model, const Options *options) {
  char shown[PATH_MAX], bytes[UNITS_SIZE];
  page_print("%s: %zu features, %zu classes, %s\n", shown_path(shown, options->output), setosa_model_features(model),
             setosa_model_classes(model), units_bytes(bytes, (double)result->bytes));
  if (options->quantize == SETOSA_QUANTIZE_NONE) return;
  page_print("  int8        %.2f %% of %llu %s have the same class, probabilities are at most %.2g off\n", 100 * result->agreement,
             (unsigned long long)result->rows, options->sample != NULL ? "rows" : "test vectors (--data measures it on yours)",
             result->largest_difference);
  if (isfinite(result->accuracy))
    page_print("  accuracy    %.2f %% of the rows right, %.2f %% before\n", 100 * result->accuracy_int8, 100 * result->accuracy);
}

static Status run_export(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaModel *model = NULL;
  SetosaDataset *data = NULL;
  SetosaExportOptions how = setosa_export_options_default();
  SetosaExportResult result;
  if (options->output == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "name the file to write: add -o FILE.onnx, FILE.h, FILE.json or FILE.csv"));
  TRY(setosa_model_load(&model, options->argument[0], error));
  if (options->sample != NULL) TRY(load_data(&data, model, session, error));
  how.single = options->single;
  how.quantize = options->quantize;
  how.name = options->name;
  how.data = data;
  TRY(setosa_model_export(model, options->output, &how, &result, error));
  if (options->json)
    TRY(print_export_json(&result, options, error));
  else
    print_export(&result, model, options);
cleanup:
  setosa_dataset_destroy(data);
  setosa_model_destroy(model);
  return status;
}

static Status run_import(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  SetosaModel *model = NULL;
  char shown[PATH_MAX], word[512];
  if (options->output == NULL) TRY(error_set(error, SETOSA_ERROR_USAGE, "name the model to write: add -o FILE.safetensors"));
  TRY(setosa_model_import(&model, options->argument[0], error));
  TRY(setosa_model_save(model, options->output, error));
  if (options->json) {
    TRY(json_print(json_pack("{s:s, s:s, s:o, s:o, s:I, s:I}", "command", "import", "version", SETOSA_VERSION, "source",
                             json_text(options->argument[0]), "output", json_text(options->output), "features",
                             (json_int_t)setosa_model_features(model), "classes", (json_int_t)setosa_model_classes(model)),
                   false, stdout, error));
  } else {
    page_print("%s: %zu features, %zu classes\n", shown_path(shown, options->output), setosa_model_features(model),
               setosa_model_classes(model));
    console_hint(&session->console, "use it: setosa eval %s DATA", units_shell_word(word, sizeof word, options->output));
  }
cleanup:
  setosa_model_destroy(model);
  return status;
}

const Command command_export = {
    .name = "export",
    .arguments = "MODEL",
    .summary = "write a model for other programs",
    .description =
        "The name of FILE chooses the form. .onnx takes rows as the data has them: one tensor X of all columns, or, where a column is of "
        "words, one tensor (N,1) for each column by its name, words as strings; f64 in place of f32 where the model was trained on "
        "shifted columns. It gives label and probabilities. Words are to come without blanks around; one that is new counts as none of "
        "the levels. .h is C99 without a library or an allocation: NAME_predict, names and levels, and test vectors with a main that "
        "checks them. .json has coef_, intercept_, classes_ and feature_names_in_ as scikit-learn calls them, of "
        "columns as the data has them: probabilities are the softmax of coef_ x + intercept_, with one row for each class, also of two. "
        "Its \"model\" is what `setosa import` makes the very same model of again. .csv is a table of class, feature, coefficient (of the "
        "column as the data has it) and weight (as the model keeps it, of scaled columns); (intercept) stands last in each class.",
    .examples =
        "  setosa export iris.safetensors -o iris.onnx\n"
        "  setosa export iris.safetensors -o iris.json\n"
        "  setosa export iris.safetensors -o iris.csv\n"
        "  setosa export iris.safetensors -o iris.h --quantize int8 --data iris.csv\n",
    .details =
        "In Python:\n"
        "  s = onnxruntime.InferenceSession('iris.onnx')\n"
        "  label, probabilities = s.run(None, {'X': rows.astype('float32')})\n",
    .id = FOR_EXPORT,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_export,
};

const Command command_import = {
    .name = "import",
    .arguments = "FILE",
    .summary = "make a model of scikit-learn's coefficients",
    .description =
        "FILE is an .npz or a JSON object with coef_, intercept_, classes_ and, where columns have names, feature_names_in_, all as a "
        "fitted LogisticRegression has them; or a .json of `setosa export`. A classifier of two classes has one row of coef_, which "
        "becomes two. Names that are Python objects are refused, since reading them would run what is in the file: save them with "
        ".astype(str). Every row of coef_ is taken as that of a class of one softmax, as scikit-learn's solvers but liblinear fit it.",
    .details =
        "In Python, m being the fitted classifier:\n"
        "  numpy.savez('m.npz', coef_=m.coef_, intercept_=m.intercept_,\n"
        "              classes_=m.classes_)\n",
    .examples =
        "  setosa import m.npz -o m.safetensors\n"
        "  setosa eval m.safetensors test.csv\n",
    .id = FOR_IMPORT,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_import,
};
