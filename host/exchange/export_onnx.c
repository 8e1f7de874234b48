/* A model as a graph of ONNX: raw rows in, label and probabilities out.
 *
 *   numbers -> (missing: the mean) -> (- centre) -> Gemm --.
 *   a category -> LabelEncoder -> Gather in its table ------+-> Sum -> Softmax -> probabilities
 *                                                                         '-> ArgMax -> Gather in the names -> label
 *
 * Scales, offsets and temperature are in the weights. A category adds one row of a table, which is its one-hot column times the weights;
 * what is none of its levels adds the last row, of zeros. Sums are in double: in f32 those of 784 pixels are 4e-6 off. Where they are to be
 * in f32, centres are taken off the numbers by a node of its own if folding them would cost digits (linear_form_centre). Numbers that f32
 * could not even hold, those of a model with a shift, come in as double. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "exchange/export.h"
#include "exchange/onnx_graph.h"

typedef struct OnnxJob {
  OnnxGraph *graph;
  const Model *model;
  LinearForm linear;    /* of numbers less their centres */
  OnnxType input, sums; /* as which numbers come in, and scores are added up */
  NameTable *names;     /* of inputs and outputs */
  size_t *numeric;      /* (numeric_count) the features that are numbers */
  size_t numeric_count;
  double *room;      /* enough for any constant */
  char terms[2][32]; /* what is added up: the last two, of which the first is their sum so far */
  size_t term_count;
} OnnxJob;

#define NODE(job, operator, output, ...) onnx_add_node((job)->graph, NULL, operator,(const char *const[]){__VA_ARGS__, NULL}, output, error)

/* ---- names and inputs -------------------------------------------------------------------------------------------- */

/* A name that no other value of the graph has: ours begin with a slash. */
static Status choose_name(Text *name, OnnxJob *job, const char *wanted, Error *error) {
  Status status = SETOSA_OK;
  name->length = 0;
  TRY(text_append(name, error, "%s%s", wanted[0] == '/' ? "_" : "", wanted));
  for (size_t index = 0, count = name_table_count(job->names);; count = name_table_count(job->names)) {
    TRY(name_table_add(job->names, name->text, name->length, &index, error));
    if (index == count) break; /* it is new */
    TRY(text_append(name, error, "_"));
  }
cleanup:
  return status;
}

static Status column_name(Text *name, OnnxJob *job, const Column *column, Error *error) {
  char numbered[32];
  snprintf(numbered, sizeof numbered, "column%zu", column->number + 1);
  return choose_name(name, job, column->name != NULL ? column->name : numbered, error);
}

static bool has_categories(const Model *model) {
  bool any = false;
  for (size_t c = 0; model->columns != NULL && c < model->columns->count; c++)
    any = any || model->columns->columns[c].kind == COLUMN_CATEGORICAL;
  return any;
}

/* An input for each column of numbers, joined to one tensor; *joined names it. */
static Status add_columns_of_numbers(OnnxJob *job, Error *error) {
  Status status = SETOSA_OK;
  const Columns *columns = job->model->columns;
  Text name = {0};
  const char **names = NULL;
  size_t count = 0, feature = 0;
  TRY(memory_allocate_zero((void **)&names, columns->count + 1, sizeof *names, "names of inputs", error));
  for (size_t c = 0; c < columns->count; c++) {
    const Column *column = &columns->columns[c];
    if (column->kind == COLUMN_NUMERIC) {
      TRY(column_name(&name, job, column, error));
      TRY(onnx_add_input(job->graph, name.text, job->input, 1, error));
      TRY(memory_copy_text((char **)&names[count], name.text, error));
      count++;
      job->numeric[job->numeric_count++] = feature;
    }
    feature += column_features(column);
  }
  if (count == 0) goto cleanup;
  TRY(onnx_add_node(job->graph, NULL, "Concat", names, "/numbers", error));
  TRY(onnx_set_integer(job->graph, "axis", 1, error));
cleanup:
  for (size_t i = 0; names != NULL && i < count; i++) free((char *)names[i]);
  free(names);
  text_free(&name);
  return status;
}

/* ---- terms of the scores ----------------------------------------------------------------------------------------- */

/* Adds a value to the scores so far. */
static Status add_term(OnnxJob *job, const char *value, Error *error) {
  Status status = SETOSA_OK;
  if (job->term_count++ == 0) {
    snprintf(job->terms[0], sizeof job->terms[0], "%s", value);
    return SETOSA_OK;
  }
  snprintf(job->terms[1], sizeof job->terms[1], "/sum_%zu", job->term_count - 1);
  TRY(NODE(job, "Add", job->terms[1], job->terms[0], value));
  memcpy(job->terms[0], job->terms[1], sizeof job->terms[0]);
cleanup:
  return status;
}

/* room (numeric_count) = one number of each numeric feature. */
static void gather_numeric(OnnxJob *job, const double *from) {
  for (size_t i = 0; i < job->numeric_count; i++) job->room[i] = from[job->numeric[i]];
}

/* What is put in where a value is missing: the mean of the training rows, kept in the columns. */
static Status fill_missing(OnnxJob *job, const char **value, Error *error) {
  Status status = SETOSA_OK;
  const Columns *columns = job->model->columns;
  size_t i = 0;
  if (columns == NULL || columns->missing != SETOSA_MISSING_MEAN) return SETOSA_OK;
  for (size_t c = 0; c < columns->count; c++)
    if (columns->columns[c].kind == COLUMN_NUMERIC) job->room[i++] = isfinite(columns->columns[c].mean) ? columns->columns[c].mean : 0;
  TRY(onnx_add_numbers(job->graph, "/means", job->input, job->room, 1, i, error));
  TRY(NODE(job, "IsNaN", "/missing", *value));
  TRY(NODE(job, "Where", "/filled", "/missing", "/means", *value));
  *value = "/filled";
cleanup:
  return status;
}

static Status add_numbers(OnnxJob *job, const char *value, Error *error) {
  Status status = SETOSA_OK;
  size_t count = job->numeric_count, features = job->model->features, classes = job->model->classes;
  TRY(fill_missing(job, &value, error));
  if (job->linear.centres != NULL) {
    gather_numeric(job, job->linear.centres);
    TRY(onnx_add_numbers(job->graph, "/centres", job->input, job->room, 1, count, error));
    TRY(NODE(job, "Sub", "/centred", value, "/centres"));
    value = "/centred";
  }
  if (job->input != job->sums) {
    TRY(NODE(job, "Cast", "/cast", value));
    TRY(onnx_set_type(job->graph, "to", job->sums, error));
    value = "/cast";
  }
  for (size_t k = 0; k < classes; k++)
    for (size_t i = 0; i < count; i++) job->room[k * count + i] = job->linear.coefficients[k * features + job->numeric[i]];
  TRY(onnx_add_numbers(job->graph, "/weights", job->sums, job->room, classes, count, error));
  TRY(onnx_add_numbers(job->graph, "/bias", job->sums, job->linear.intercepts, classes, 0, error));
  TRY(NODE(job, "Gemm", "/products", value, "/weights", "/bias"));
  TRY(onnx_set_integer(job->graph, "transB", 1, error));
  TRY(add_term(job, "/products", error));
cleanup:
  return status;
}

/* A table (levels + 1, K): the coefficients of each level, and zeros. */
static Status add_category(OnnxJob *job, const Column *column, size_t c, size_t feature, Error *error) {
  Status status = SETOSA_OK;
  size_t levels = column->level_count, features = job->model->features, classes = job->model->classes;
  char index[32], flat[32], table[32], term[32];
  Text name = {0};
  int64_t *numbers = NULL;
  snprintf(index, sizeof index, "/index_%zu", c);
  snprintf(flat, sizeof flat, "/level_%zu", c);
  snprintf(table, sizeof table, "/table_%zu", c);
  snprintf(term, sizeof term, "/term_%zu", c);
  TRY(column_name(&name, job, column, error));
  TRY(onnx_add_input(job->graph, name.text, ONNX_STRING, 1, error));
  TRY(memory_allocate((void **)&numbers, levels, sizeof *numbers, "numbers of levels", error));
  for (size_t l = 0; l < levels; l++) numbers[l] = (int64_t)l;
  TRY(onnx_add_node(job->graph, "ai.onnx.ml", "LabelEncoder", (const char *const[]){name.text, NULL}, index, error));
  TRY(onnx_set_texts(job->graph, "keys_strings", column->levels, levels, error));
  TRY(onnx_set_integers(job->graph, "values_int64s", numbers, levels, error));
  TRY(onnx_set_integer(job->graph, "default_int64", (int64_t)levels, error));
  TRY(NODE(job, "Squeeze", flat, index, "/one"));
  for (size_t l = 0; l <= levels; l++)
    for (size_t k = 0; k < classes; k++) job->room[l * classes + k] = l < levels ? job->linear.coefficients[k * features + feature + l] : 0;
  TRY(onnx_add_numbers(job->graph, table, job->sums, job->room, levels + 1, classes, error));
  TRY(NODE(job, "Gather", term, table, flat));
  TRY(add_term(job, term, error));
cleanup:
  free(numbers);
  text_free(&name);
  return status;
}

static Status add_categories(OnnxJob *job, Error *error) {
  Status status = SETOSA_OK;
  const int64_t one = 1;
  TRY(onnx_add_integers(job->graph, "/one", &one, 1, error));
  if (job->numeric_count == 0) {
    TRY(onnx_add_numbers(job->graph, "/bias", job->sums, job->linear.intercepts, 1, job->model->classes, error));
    TRY(add_term(job, "/bias", error));
  }
  for (size_t c = 0, feature = 0; c < job->model->columns->count; c++) {
    const Column *column = &job->model->columns->columns[c];
    if (column->kind == COLUMN_CATEGORICAL) TRY(add_category(job, column, c, feature, error));
    feature += column_features(column);
  }
cleanup:
  return status;
}

/* ---- outputs ----------------------------------------------------------------------------------------------------- */

/* Names that are whole numbers, spelled as numbers are, become numbers, as scikit-learn's classes would be. */
static bool is_integer(const char *name, int64_t *value) {
  char spelled[32];
  if (!text_parse_int64(name, strlen(name), value)) return false;
  snprintf(spelled, sizeof spelled, "%" PRId64, *value);
  return strcmp(spelled, name) == 0;
}

static Status add_outputs(OnnxJob *job, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = job->model;
  int64_t *numbers = NULL;
  bool integers = true;
  TRY(memory_allocate((void **)&numbers, model->classes, sizeof *numbers, "classes", error));
  for (size_t k = 0; k < model->classes; k++) integers = integers && is_integer(model->class_names[k], &numbers[k]);
  bool cast = job->sums != ONNX_FLOAT;
  TRY(NODE(job, "Softmax", cast ? "/softmax" : "probabilities", job->terms[0]));
  TRY(onnx_set_integer(job->graph, "axis", 1, error));
  if (cast) {
    TRY(NODE(job, "Cast", "probabilities", "/softmax"));
    TRY(onnx_set_type(job->graph, "to", ONNX_FLOAT, error));
  }
  TRY(NODE(job, "ArgMax", "/class", "probabilities"));
  TRY(onnx_set_integer(job->graph, "axis", 1, error));
  TRY(onnx_set_integer(job->graph, "keepdims", 0, error));
  if (integers)
    TRY(onnx_add_integers(job->graph, "/classes", numbers, model->classes, error));
  else
    TRY(onnx_add_texts(job->graph, "/classes", model->class_names, model->classes, error));
  TRY(NODE(job, "Gather", "label", "/classes", "/class"));
  TRY(onnx_add_output(job->graph, "label", integers ? ONNX_INT64 : ONNX_STRING, 0, error));
  TRY(onnx_add_output(job->graph, "probabilities", ONNX_FLOAT, model->classes, error));
cleanup:
  free(numbers);
  return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static Status prepare(OnnxJob *job, const Export *export, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = export->model;
  size_t most = model->features + 1, index = 0;
  TRY(memory_multiply(&most, most, model->classes + 1, "an ONNX graph", error));
  TRY(memory_allocate((void **)&job->room, most, sizeof *job->room, "an ONNX graph", error));
  TRY(memory_allocate((void **)&job->numeric, model->features, sizeof *job->numeric, "an ONNX graph", error));
  TRY(name_table_create(&job->names, error));
  TRY(name_table_add(job->names, "label", 5, &index, error));
  TRY(name_table_add(job->names, "probabilities", 13, &index, error));
  TRY(onnx_graph_create(&job->graph, "softmax_regression", error));
  TRY(linear_form_make(&job->linear, model, error));
  job->input = model->shift != NULL ? ONNX_DOUBLE : ONNX_FLOAT;
  job->sums = export->options->single ? ONNX_FLOAT : ONNX_DOUBLE;
  if (job->input == ONNX_DOUBLE || job->sums == ONNX_FLOAT) TRY(linear_form_centre(&job->linear, model, error));
cleanup:
  return status;
}

static Status build(OnnxJob *job, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = job->model;
  bool categories = has_categories(model);
  if (categories) {
    TRY(add_columns_of_numbers(job, error));
  } else {
    TRY(onnx_add_input(job->graph, "X", job->input, model->features, error));
    for (size_t d = 0; d < model->features; d++) job->numeric[job->numeric_count++] = d;
  }
  if (job->numeric_count > 0) TRY(add_numbers(job, categories ? "/numbers" : "X", error));
  if (categories) TRY(add_categories(job, error));
  TRY(add_outputs(job, error));
cleanup:
  return status;
}

Status export_onnx(const Export *export, Error *error) {
  Status status = SETOSA_OK;
  OnnxJob job = {.model = export->model};
  ModelDescription description = {0};
  TRY(prepare(&job, export, error));
  TRY(build(&job, error));
  TRY(model_describe(&description, export->model, error));
  TRY(onnx_graph_write(job.graph, export->stream, export->path, description.pairs, description.count, error));
cleanup:
  model_description_free(&description);
  onnx_graph_destroy(job.graph);
  linear_form_free(&job.linear);
  name_table_destroy(job.names);
  free(job.numeric);
  free(job.room);
  return status;
}
