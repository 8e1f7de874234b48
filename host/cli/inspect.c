/* `setosa inspect`: what a model file holds, or data. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/inspect.h"
#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"
#include "cli/terminal/units.h"

enum { SHOWN = 20 };

/* Norms of the weights, in double. */
typedef struct Norms {
  double euclidean, largest;
} Norms;

static void norms_add(Norms *norms, double value) {
  norms->euclidean = hypot(norms->euclidean, value);
  norms->largest = fmax(norms->largest, fabs(value));
}

static Norms norms_of(const float *values, size_t count) {
  Norms norms = {0, 0};
  for (size_t i = 0; i < count; i++) norms_add(&norms, (double)values[i]);
  return norms;
}

static Norms norms_of_bias(const SetosaModel *model) {
  Norms norms = {0, 0};
  for (size_t k = 0; k < setosa_model_classes(model); k++) norms_add(&norms, setosa_model_bias(model)[k]);
  return norms;
}

static const char *scaling_name(const SetosaModel *model) {
  bool offset = setosa_model_offset(model) != NULL, scale = setosa_model_scale(model) != NULL;
  return offset ? "x' = (x - offset) * scale, by feature" : scale ? "x' = x * scale, by feature" : "none";
}

static void print_names(const char *title, size_t count, const char *(*name)(const SetosaModel *, size_t), const SetosaModel *model) {
  char text[SHOWN * (2 * CONSOLE_NAME + 4) + 64], shown[CONSOLE_NAME], word[2 * CONSOLE_NAME + 4];
  size_t used = 0;
  if (count == 0 || name(model, 0) == NULL) return;
  for (size_t i = 0; i < count && i < SHOWN && used < sizeof text; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : ", ",
                             units_list_word(word, sizeof word, console_short_name(shown, name(model, i))));
  if (count > SHOWN && used < sizeof text) snprintf(text + used, sizeof text - used, ", ... (%zu more; --json lists all)", count - SHOWN);
  page_explain("  %-12s%s\n", title, text);
}

static Status print_weights(const SetosaModel *model, const Session *session, Error *error) {
  static const TableColumn columns[] = {
      {"class", false, true}, {"bias", true, false}, {"|weights|", true, false}, {"largest", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  TRY(table_create(&table, 4, columns, error));
  for (size_t k = 0; k < classes && k < SHOWN; k++) {
    Norms norms = norms_of(setosa_model_weights(model) + k * features, features);
    TRY(table_cell(table, error, "%s", setosa_model_class_name(model, k)));
    TRY(table_number(table, setosa_model_bias(model)[k], 5, error));
    TRY(table_number(table, norms.euclidean, 5, error));
    TRY(table_number(table, norms.largest, 5, error));
  }
  printf("\n");
  table_print(table, console_page_width(), session->console.color_out);
  if (classes > SHOWN) page_explain("  ... and %zu more\n", classes - SHOWN);
cleanup:
  table_destroy(table);
  return status;
}

static void print_metadata(const SetosaModel *model, const Session *session) {
  const char *key, *value;
  bool color = session->console.color_out, any = false;
  for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++) {
    char text[512];
    if (!any) page_explain("\n  %sMetadata%s\n", color_code(color, COLOR_BOLD), color_code(color, COLOR_PLAIN));
    any = true;
    snprintf(text, sizeof text, "%s%s", value, strlen(value) >= sizeof text ? "..." : "");
    console_make_visible(text);
    page_explain("  %-18s %s\n", key, text);
  }
}

static json_t *names_json(size_t count, const char *(*name)(const SetosaModel *, size_t), const SetosaModel *model) {
  if (count == 0 || name(model, 0) == NULL) return json_null();
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) json_add(&list, json_text(name(model, i)));
  return list;
}

static json_t *metadata_json(const SetosaModel *model) {
  const char *key, *value;
  json_t *object = json_object();
  for (size_t i = 0; setosa_model_metadata(model, i, &key, &value); i++) json_put(&object, key, json_text(value));
  return object;
}

static Status print_json(const SetosaModel *model, Error *error) {
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  Norms weights = norms_of(setosa_model_weights(model), features * classes), bias = norms_of_bias(model);
  json_t *document =
      json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:s, s:{s:o, s:o}, s:{s:o, s:o}, s:o, s:o}", "command", "inspect", "version",
                SETOSA_VERSION, "features", (json_int_t)features, "classes", (json_int_t)classes, "feature_names",
                names_json(features, setosa_model_feature_name, model), "class_names", names_json(classes, setosa_model_class_name, model),
                "scaling", scaling_name(model), "weights", "norm", json_number(weights.euclidean), "largest", json_number(weights.largest),
                "bias", "norm", json_number(bias.euclidean), "largest", json_number(bias.largest), "metadata", metadata_json(model),
                "columns", inspect_columns_json(model));
  json_put(&document, "temperature", json_number(setosa_model_temperature(model)));
  return json_print(document, false, stdout, error);
}

/* A .safetensors begins with the length of its header, below 2^32, and a brace. Else it goes by the name: a file that was cut or is gone.
 */
static bool is_model(const char *path) {
  static const char suffix[] = ".safetensors";
  size_t length = strlen(path);
  unsigned char start[9] = {0};
  struct stat info;
  if (length >= sizeof suffix && strcmp(path + length - (sizeof suffix - 1), suffix) == 0) return true;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return false; /* nothing is taken from a pipe */
  FILE *file = fopen(path, "rb");
  size_t got = file != NULL ? fread(start, 1, sizeof start, file) : 0;
  if (file != NULL) fclose(file);
  return got == sizeof start && start[8] == '{' && start[4] == 0 && start[5] == 0 && start[6] == 0 && start[7] == 0;
}

/* What says how data are read has nothing to say of a model. */
static Status check_options(const Options *options, const char *model, Error *error) {
  if (options->argument_count > 1)
    return error_set(error, SETOSA_ERROR_USAGE, "%s is a model, and models are inspected one at a time; leave out \"%s\"", model,
                     options->argument[options->argument[0] == model ? 1 : 0]);
  for (size_t i = 0; i < options_row_count(); i++)
    if (options->given[i] && options_row(i)->home == OPTION_OF_DATA)
      return error_set(error, SETOSA_ERROR_USAGE, "--%s says how data are read, and %s is a model; leave it out",
                       option_flag(options_row(i)), model);
  return SETOSA_OK;
}

static Status inspect_model(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  SetosaModel *model = NULL;
  TRY(setosa_model_load(&model, session->options->argument[0], error));
  if (session->options->json) {
    TRY(print_json(model, error));
    goto cleanup;
  }
  size_t features = setosa_model_features(model), classes = setosa_model_classes(model);
  page_explain("  %-12s%zu feature%s, %zu classes: %zu weights and %zu biases\n", "model", features, features == 1 ? "" : "s", classes,
               features * classes, classes);
  print_names("classes", classes, setosa_model_class_name, model);
  print_names("features", features, setosa_model_feature_name, model);
  inspect_print_columns(model);
  page_explain("  %-12s%s\n", "scaling", scaling_name(model));
  if (setosa_model_temperature(model) != 1)
    page_explain("  %-12s%.6g: probabilities are softmax(z / temperature)\n", "temperature", setosa_model_temperature(model));
  TRY(print_weights(model, session, error));
  print_metadata(model, session);
cleanup:
  setosa_model_destroy(model);
  return status;
}

static Status run(const Session *session, Error *error) {
  const Options *options = session->options;
  for (size_t i = 0; i < options->argument_count; i++) {
    if (!is_model(options->argument[i])) continue;
    Status status = check_options(options, options->argument[i], error);
    return status == SETOSA_OK ? inspect_model(session, error) : status;
  }
  return inspect_data(session, error);
}

const Command command_inspect = {
    .name = "inspect",
    .arguments = "MODEL|DATA...",
    .summary = "what a model file holds, or the columns of a table",
    .description =
        "Of data: a line a column, with its kind (numeric, categorical, label, ..., left out), missing values, range and mean or the rows "
        "of each name, and what becomes of it: a numeric column is one feature, a categorical one a feature of 0 and 1 for each name. "
        "Then rows, features, and how the table is written; and, last, the problem that a training would end with, if there is one (the "
        "exit code is 0 all the same). Options say how the table is to be read. Nothing is trained or written. Of arrays "
        "(.npy, .npz, IDX) and LIBSVM text: rows, features, classes, and of sparse rows how many values are not 0.\n"
        "Of a model: its shape, names, scaling, norms and provenance. The file is a plain .safetensors: any reader of that "
        "format opens it. Tensors: \"weights\" (classes, features), \"bias\" (classes), and, when features are scaled, \"feature_offset\" "
        "and "
        "\"feature_scale\" (features), applied as (x - offset) * scale.",
    .examples =
        "  setosa inspect penguins.csv\n"
        "  setosa inspect part-*.csv --label species --missing mean\n"
        "  setosa inspect iris.safetensors\n"
        "  setosa inspect iris.safetensors --json\n",
    .id = FOR_INSPECT,
    .least_arguments = 1,
    .most_arguments = 1,
    .several = true,
    .run = run,
};
