/* `setosa explain`: one example step by step, typed in or taken from a model and its data. */
#include "cli/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/inputs.h"

/* What is explained, typed in or taken from a model and its data. */
typedef struct Example {
  size_t features, classes, label;
  double *x, *weights, *bias; /* typed in: (D), (K,D), (K) or NULL */
  char **class_parts;         /* the block behind class_names of --classes */
  const char **class_names, **feature_names;
  SetosaModel *model;
  SetosaDataset *data;
} Example;

static void example_free(Example *example) {
  free(example->x);
  free(example->weights);
  free(example->bias);
  free(example->class_parts);
  free(example->class_names);
  free(example->feature_names);
  setosa_dataset_destroy(example->data);
  setosa_model_destroy(example->model);
}

/* "1.9,0.4" -> values (*count), owned by the caller. */
static Status parse_numbers(double **values, size_t *count, const char *option, const char *list, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  *values = NULL;
  TRY(text_split(&parts, count, list, ',', error));
  TRY(memory_allocate((void **)values, *count, sizeof **values, option, error));
  for (size_t i = 0; i < *count; i++)
    if (!text_parse_double(parts[i], strlen(parts[i]), &(*values)[i]) || !isfinite((*values)[i]))
      TRY(error_set(error, SETOSA_ERROR_USAGE, "%s: entry %zu, \"%s\", is not a number; give numbers with commas between them", option,
                    i + 1, parts[i]));
cleanup:
  free(parts);
  if (status != SETOSA_OK) {
    free(*values);
    *values = NULL;
  }
  return status;
}

/* "0.1,0.1;0.5,0.5": a group of D numbers for each class. */
static Status parse_weights(Example *example, const char *list, Error *error) {
  Status status = SETOSA_OK;
  char **groups = NULL;
  double *group = NULL;
  size_t count = 0;
  TRY(text_split(&groups, &example->classes, list, ';', error));
  if (example->classes > 1 && groups[example->classes - 1][0] == '\0') example->classes--; /* a ; at the end */
  if (example->classes < 2)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "--weights: only one class; give a group per class with ; between them, as in "
                  "\"0.1,0.1;0.5,0.5\" (quoted, so that the shell leaves the ; alone)"));
  TRY(memory_allocate((void **)&example->weights, example->classes * example->features, sizeof(double), "weights", error));
  for (size_t k = 0; k < example->classes; k++) {
    TRY(parse_numbers(&group, &count, "--weights", groups[k], error));
    if (count != example->features)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--weights: group %zu has %zu numbers, but --x has %zu; they must be as many", k + 1, count,
                    example->features));
    memcpy(example->weights + k * count, group, count * sizeof *group);
    free(group);
    group = NULL;
  }
cleanup:
  free(group);
  free(groups);
  return status;
}

/* --classes, or "1", "2", ... */
static Status name_classes(Example *example, const char *list, Error *error) {
  Status status = SETOSA_OK;
  size_t count = 0;
  Text numbers = {0};
  for (size_t k = 0; list == NULL && k < example->classes; k++) TRY(text_append(&numbers, error, "%s%zu", k == 0 ? "" : ",", k + 1));
  TRY(text_split(&example->class_parts, &count, list != NULL ? list : numbers.text, ',', error));
  if (count != example->classes)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--classes: %zu names, but --weights has %zu groups; they must be as many", count,
                  example->classes));
  TRY(memory_allocate((void **)&example->class_names, count, sizeof(char *), "class names", error));
  for (size_t k = 0; k < count; k++) {
    example->class_names[k] = example->class_parts[k];
    for (size_t other = 0; other < k; other++)
      if (strcmp(example->class_names[other], example->class_names[k]) == 0)
        TRY(error_set(error, SETOSA_ERROR_USAGE, "--classes names %s twice; give every class a name of its own", example->class_names[k]));
  }
cleanup:
  text_free(&numbers);
  return status;
}

static Status find_label(Example *example, const char *label, Error *error) {
  for (size_t k = 0; k < example->classes; k++) {
    if (strcmp(example->class_names[k], label) == 0) {
      example->label = k;
      return SETOSA_OK;
    }
  }
  uint64_t number = 0;
  if (text_parse_count(label, &number) && number >= 1 && number <= example->classes) {
    example->label = (size_t)number - 1;
    return SETOSA_OK;
  }
  const char *nearest = text_nearest(label, example->class_names, example->classes);
  return error_set(error, SETOSA_ERROR_USAGE, "--label \"%s\" is none of the classes; %s%s%s", label,
                   nearest != NULL ? "did you mean " : "give one of --classes, or its number from 1", nearest != NULL ? nearest : "",
                   nearest != NULL ? "?" : "");
}

static Status example_from_options(Example *example, const Options *options, Error *error) {
  Status status = SETOSA_OK;
  size_t biases = 0;
  if (options->argument_count > 0)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "\"%s\" and --x: give either an example by --x or MODEL DATA --row N", options->argument[0]));
  for (size_t i = 0; i < options_row_count(); i++) {
    const char *flag = option_flag(options_row(i));
    bool theirs = strcmp(flag, "row") == 0 || (options_row(i)->home == OPTION_OF_DATA && strcmp(flag, "label") != 0);
    if (options->given[i] && theirs)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s belongs to `setosa explain MODEL DATA --row N`; leave it out with --x", flag));
  }
  if (options->weights == NULL)
    TRY(error_set(error, SETOSA_ERROR_USAGE, "--x needs --weights, one group per class, as in --weights \"0.1,0.1;0.5,0.5\""));
  TRY(parse_numbers(&example->x, &example->features, "--x", options->x, error));
  TRY(parse_weights(example, options->weights, error));
  if (options->bias != NULL) {
    TRY(parse_numbers(&example->bias, &biases, "--bias", options->bias, error));
    if (biases != example->classes)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--bias: %zu numbers, but --weights has %zu groups; they must be as many", biases,
                    example->classes));
  }
  TRY(name_classes(example, options->classes, error));
  example->label = SETOSA_NO_LABEL;
  if (options->data.label != NULL) TRY(find_label(example, options->data.label, error));
cleanup:
  return status;
}

/* Finds the row of the data set that row `wanted` of the source is, from 0; false: it was left out, or there is none. */
static bool find_row(size_t *row, const SetosaDataset *data, uint64_t wanted) {
  size_t first = 0, end = setosa_dataset_rows(data);
  while (first < end) {
    size_t middle = first + (end - first) / 2;
    if (setosa_dataset_source_row(data, middle) < wanted)
      first = middle + 1;
    else
      end = middle;
  }
  *row = first;
  return first < setosa_dataset_rows(data) && setosa_dataset_source_row(data, first) == wanted;
}

/* Probabilities need no label: data without, or with one that the model does not know, are read as for a prediction. So they are for a row
 * that lacks its label alone. */
static Status load_data(Example *example, const Session *given, Error *error) {
  Session muted = *given; /* what there is to say of the other rows is beside the point */
  muted.console.quiet = true;
  muted.console.verbose = false;
  const Session *session = &muted;
  const char *source = session->options->argument[1];
  SetosaDataOptions how = input_model_options(example->model, session->options);
  Error refused = {0};
  size_t row = 0;
  bool once = strcmp(source, "-") == 0; /* what comes through a pipe is not read twice */
  if (once) how.labels_optional = true;
  Status status = input_load(&example->data, session, source, how, &refused);
  if (once) return status == SETOSA_OK ? SETOSA_OK : error_set(error, status, "%s", refused.message);
  if (status == SETOSA_OK && find_row(&row, example->data, session->options->row - 1)) return SETOSA_OK;
  if (status != SETOSA_OK && status != SETOSA_ERROR_DATA && status != SETOSA_ERROR_USAGE)
    return error_set(error, status, "%s", refused.message);
  if (status == SETOSA_OK && setosa_dataset_source_rows(example->data) == setosa_dataset_rows(example->data)) return SETOSA_OK;
  setosa_dataset_destroy(example->data);
  how.labels_optional = true; /* what is wrong even then is no label's fault */
  return input_load(&example->data, session, source, how, error);
}

/* Which row of the data set is meant. */
static Status choose_row(size_t *row, const Example *example, uint64_t wanted, const char *source, Error *error) {
  Status status = SETOSA_OK;
  unsigned long long rows = setosa_dataset_source_rows(example->data), number = wanted + 1;
  if (wanted >= rows) TRY(error_set(error, SETOSA_ERROR_USAGE, "--row %llu: %s has %llu rows", number, source, rows));
  if (!find_row(row, example->data, wanted))
    TRY(error_set(
        error, SETOSA_ERROR_DATA,
        "%s: row %llu lacks a value that the model needs; --missing mean puts in the mean of the training rows, or name another row",
        source, number));
cleanup:
  return status;
}

/* Of the classes, and of the features that are explained. */
static Status name_model(Example *example, const SetosaExplanation *of, Error *error) {
  Status status = SETOSA_OK;
  const SetosaModel *model = example->model;
  TRY(memory_allocate((void **)&example->class_names, of->classes, sizeof(char *), "class names", error));
  for (size_t k = 0; k < of->classes; k++) example->class_names[k] = setosa_model_class_name(model, k);
  if (setosa_model_feature_name(model, 0) == NULL) goto cleanup;
  TRY(memory_allocate((void **)&example->feature_names, of->entries + 1, sizeof(char *), "feature names", error));
  for (size_t i = 0; i < of->entries; i++)
    example->feature_names[i] = setosa_model_feature_name(model, of->columns != NULL ? of->columns[i] : i);
cleanup:
  return status;
}

static Status explain_model(SetosaExplanation **explanation, SetosaContributions **contributions, Example *example, const Session *session,
                            Error *error) {
  Status status = SETOSA_OK;
  size_t row = 0;
  const Options *options = session->options;
  static const char *const theirs[] = {"classes", "weights", "bias"};
  for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
    if (options_given(options, theirs[i]))
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--%s goes with --x; a model brings its own", theirs[i]));
  if (options->argument_count < 2)
    TRY(error_set(error, SETOSA_ERROR_USAGE,
                  "give an example (--x --classes --label --weights) or MODEL DATA --row N; see "
                  "`setosa help explain`"));
  if (options->row == 0) TRY(error_set(error, SETOSA_ERROR_USAGE, "which row? add --row N, counted from 1"));
  TRY(setosa_model_load(&example->model, options->argument[0], error));
  TRY(load_data(example, session, error));
  TRY(choose_row(&row, example, options->row - 1, options->argument[1], error));
  TRY(setosa_explain_row(explanation, example->model, example->data, row, error));
  if (setosa_model_mean(example->model) != NULL) TRY(setosa_contributions(contributions, example->model, example->data, row, error));
  TRY(name_model(example, *explanation, error));
cleanup:
  return status;
}

static Status explain_typed(SetosaExplanation **explanation, Example *example, const Options *options, Error *error) {
  Status status = example_from_options(example, options, error);
  if (status != SETOSA_OK) return status;
  return setosa_explain(explanation, example->features, example->classes, example->x, example->weights, example->bias, example->label,
                        error);
}

static Status run(const Session *session, Error *error) {
  Status status = SETOSA_OK;
  const Options *options = session->options;
  Example example = {0};
  SetosaExplanation *explanation = NULL;
  SetosaContributions *contributions = NULL;
  if (options->x != NULL)
    TRY(explain_typed(&explanation, &example, options, error));
  else
    TRY(explain_model(&explanation, &contributions, &example, session, error));
  int base = example.model != NULL ? setosa_model_data_options(example.model).expect_index_base : 1;
  ExplainNames names = {example.class_names, example.feature_names, base == 0 ? 0 : 1};
  if (options->json) {
    TRY(explain_print_json(explanation, names, explain_contributions_json(contributions, example.model, names), error));
    goto cleanup;
  }
  TRY(explain_print_steps(explanation, names, session, error));
  if (example.model != NULL) TRY(explain_print_contributions(contributions, example.model, names, session, error));
cleanup:
  setosa_contributions_destroy(contributions);
  setosa_explanation_destroy(explanation);
  example_free(&example);
  return status;
}

const Command command_explain = {
    .name = "explain",
    .arguments = "[MODEL DATA...]",
    .summary = "one example step by step: z, a, P, loss, gradient",
    .description =
        "Works one example through in double precision: logits z, softmax a, target P, loss H, dH/dz, dH/dW for every class, beside "
        "finite differences and beside the tempting formula that keeps only the diagonal of the softmax Jacobian. The example "
        "is typed in with --x, or is a row of DATA seen by MODEL. Without a label it ends at the probabilities. Of a sparse row its "
        "entries "
        "alone are told: all else is 0, and so is the gradient there. Of a model it is then told why the predicted class and not the "
        "runner-up: what each feature adds to their log-odds, against the means of the training rows; a column of words counts as a whole.",
    .examples =
        "  setosa explain --x 1.9,0.4 --classes Setosa,Non-Setosa --label Setosa "
        "--weights \"0.1,0.1;0.5,0.5\"\n"
        "  setosa explain iris.safetensors iris.csv --row 51\n",
    .id = FOR_EXPLAIN,
    .least_arguments = 0,
    .most_arguments = 2,
    .several = true,
    .run = run,
};
