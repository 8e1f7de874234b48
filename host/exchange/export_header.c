/* A model as a C99 header: tables, a function, test vectors and a main that checks them, without a library or an allocation.
 *
 * Sums are compensated (Kahan), so that f32 keeps probabilities to 1e-6 whatever the number of columns. exp is the polynomial of Cephes'
 * expf (Moshier, netlib.org/cephes), 2 units in the last place. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/path.h"
#include "base/text.h"
#include "exchange/export.h"
#include "exchange/quantize.h"
#include "exchange/rows.h"

enum { VECTORS = 8, NAME_MOST = 64 };

typedef struct Header {
  FILE *stream;
  const Export *export;
  const Model *model;
  LinearForm linear;
  Quantized quantized;
  bool int8, wide; /* wide: numbers come in as double */
  char name[NAME_MOST], macro[NAME_MOST];
  size_t numbers, categories; /* columns of each kind */
  size_t vectors;
  double *rows; /* (vectors,D) */
} Header;

/* ---- names ------------------------------------------------------------------------------------------------------- */

static void choose_name(Header *header, const char *wanted) {
  const char *last = path_last(header->export->path), *text = wanted != NULL ? wanted : last;
  size_t length = wanted != NULL ? strlen(wanted) : strcspn(last, "."), at = 0;
  if (length == 0 || isdigit((unsigned char)text[0])) at = (size_t)snprintf(header->name, NAME_MOST, "model_");
  for (size_t i = 0; i < length && at + 1 < NAME_MOST; i++)
    header->name[at++] = isalnum((unsigned char)text[i]) ? (char)tolower((unsigned char)text[i]) : '_';
  header->name[at] = '\0';
  for (size_t i = 0; i <= at; i++) header->macro[i] = (char)toupper((unsigned char)header->name[i]);
}

/* A text as a literal, in which nothing but plain characters stands as it is. */
static void write_literal(FILE *stream, const char *text) {
  fputc('"', stream);
  for (; *text != '\0'; text++)
    if (isalnum((unsigned char)*text) || strchr(" _-+.,;:=()/<>!*#%&'[]", *text) != NULL)
      fputc(*text, stream);
    else
      fprintf(stream, "\\%03o", (unsigned)(unsigned char)*text);
  fputc('"', stream);
}

static void write_texts(const Header *header, const char *what, char *const *texts, size_t count) {
  fprintf(header->stream, "static const char *const %s_%s[%zu] = {", header->name, what, count);
  for (size_t i = 0; i < count; i++) {
    fputs(i > 0 ? ",\n  " : "\n  ", header->stream);
    write_literal(header->stream, texts[i]);
  }
  fputs("};\n", header->stream);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

typedef enum Kind { KIND_FLOAT, KIND_NUMBER, KIND_INT8, KIND_INT } Kind;

/* A literal of its kind, after a comma and on a line of its own now and then. */
static void write_value(const Header *header, Kind kind, double value, size_t i) {
  char text[NUMBER_TEXT];
  bool single = kind == KIND_FLOAT || (kind == KIND_NUMBER && !header->wide);
  fputs(i == 0 ? "" : i % 12 == 0 ? ",\n   " : ", ", header->stream);
  if (kind == KIND_INT8 || kind == KIND_INT) {
    fprintf(header->stream, "%d", (int)value);
    return;
  }
  if (single)
    number_print_float(text, (float)value);
  else
    number_print(text, value);
  fprintf(header->stream, "%s%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "", single ? "f" : "");
}

static const char *type_of(const Header *header, Kind kind) {
  return kind == KIND_INT8 ? "int8_t" : kind == KIND_INT ? "int" : kind == KIND_NUMBER && header->wide ? "double" : "float";
}

static void begin_array(const Header *header, Kind kind, const char *what, size_t rows, size_t columns) {
  fprintf(header->stream, "static const %s %s_%s", type_of(header, kind), header->name, what);
  if (rows > 0) fprintf(header->stream, "[%zu]", rows);
  fprintf(header->stream, "[%zu] = {", columns);
}

static bool is_number(const Model *model, size_t c) { return model->columns == NULL || model->columns->columns[c].kind == COLUMN_NUMERIC; }
static size_t column_count(const Model *model) { return model->columns != NULL ? model->columns->count : model->features; }
static size_t features_of(const Model *model, size_t c) {
  return model->columns != NULL ? column_features(&model->columns->columns[c]) : 1;
}

/* What stands at the features of numeric columns of a vector (D). */
static void write_numeric(const Header *header, Kind kind, const double *values) {
  for (size_t c = 0, d = 0, i = 0; c < column_count(header->model); d += features_of(header->model, c++))
    if (is_number(header->model, c)) write_value(header, kind, values[d], i++);
}

static double weight_at(const Header *header, size_t k, size_t d) {
  size_t at = k * header->model->features + d;
  return header->int8 ? header->quantized.weights[at] : header->linear.coefficients[at];
}

static void write_weights(const Header *header) {
  const Kind kind = header->int8 ? KIND_INT8 : KIND_FLOAT;
  const Model *model = header->model;
  if (header->numbers == 0) return;
  begin_array(header, kind, "weights", model->classes, header->numbers);
  for (size_t k = 0; k < model->classes; k++) {
    fputs(k > 0 ? "},\n  {" : "\n  {", header->stream);
    for (size_t c = 0, d = 0, i = 0; c < column_count(model); d += features_of(model, c++))
      if (is_number(model, c)) write_value(header, kind, weight_at(header, k, d), i++);
  }
  fputs("}};\n", header->stream);
}

/* Of all categories one below the other: a row for each level. */
static void write_table(const Header *header) {
  const Kind kind = header->int8 ? KIND_INT8 : KIND_FLOAT;
  const Model *model = header->model;
  size_t levels = 0, row = 0;
  for (size_t c = 0; c < column_count(model); c++) levels += is_number(model, c) ? 0 : features_of(model, c);
  if (levels == 0) return;
  begin_array(header, kind, "table", levels, model->classes);
  for (size_t c = 0, d = 0; c < column_count(model); d += features_of(model, c++))
    for (size_t l = 0; !is_number(model, c) && l < features_of(model, c); l++) {
      fputs(row++ > 0 ? "},\n  {" : "\n  {", header->stream);
      for (size_t k = 0; k < model->classes; k++) write_value(header, kind, weight_at(header, k, d + l), k);
    }
  fputs("}};\n", header->stream);
  if (!header->int8) return;
  begin_array(header, KIND_FLOAT, "table_steps", 0, levels);
  row = 0;
  for (size_t c = 0, d = 0; c < column_count(model); d += features_of(model, c++))
    for (size_t l = 0; !is_number(model, c) && l < features_of(model, c); l++)
      write_value(header, KIND_FLOAT, header->quantized.steps[d + l], row++);
  fputs("};\n", header->stream);
}

static void write_vector(const Header *header, Kind kind, const char *what, const double *values) {
  if (header->numbers == 0) return;
  begin_array(header, kind, what, 0, header->numbers);
  write_numeric(header, kind, values);
  fputs("};\n", header->stream);
}

static bool puts_means_in(const Header *header) {
  const Columns *columns = header->model->columns;
  return columns != NULL && columns->missing == SETOSA_MISSING_MEAN && header->numbers > 0;
}

static Status write_constants(const Header *header, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = header->model;
  double *means = NULL;
  write_weights(header);
  write_table(header);
  if (header->int8) write_vector(header, KIND_FLOAT, "steps", header->quantized.steps);
  if (header->linear.centres != NULL) write_vector(header, KIND_NUMBER, "centres", header->linear.centres);
  begin_array(header, KIND_FLOAT, "bias", 0, model->classes);
  for (size_t k = 0; k < model->classes; k++) write_value(header, KIND_FLOAT, header->linear.intercepts[k], k);
  fputs("};\n", header->stream);
  if (!puts_means_in(header)) goto cleanup;
  TRY(memory_allocate_zero((void **)&means, model->features, sizeof *means, "means", error));
  for (size_t c = 0, d = 0; c < column_count(model); d += features_of(model, c++))
    if (is_number(model, c) && isfinite(model->columns->columns[c].mean)) means[d] = model->columns->columns[c].mean;
  write_vector(header, KIND_NUMBER, "means", means);
cleanup:
  free(means);
  return status;
}

static Status write_names(const Header *header, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = header->model;
  char **names[2] = {NULL, NULL}, what[64];
  size_t counts[2] = {0, 0}, count = column_count(model);
  for (int i = 0; i < 2; i++) TRY(memory_allocate_zero((void **)&names[i], count, sizeof **names, "names of columns", error));
  for (size_t c = 0; c < count; c++) {
    int which = is_number(model, c) ? 0 : 1;
    Text name = {0};
    const char *own = model->columns != NULL         ? model->columns->columns[c].name
                      : model->feature_names != NULL ? model->feature_names[c]
                                                     : NULL;
    status = own != NULL ? text_append(&name, error, "%s", own)
                         : text_append(&name, error, "x%zu", model->columns != NULL ? model->columns->columns[c].number + 1 : c + 1);
    names[which][counts[which]++] = name.text;
    TRY(status);
  }
  write_texts(header, "classes", model->class_names, model->classes);
  if (counts[0] > 0) write_texts(header, "numbers", names[0], counts[0]);
  if (counts[1] > 0) write_texts(header, "categories", names[1], counts[1]);
  for (size_t c = 0, i = 0; c < count; c++) {
    if (is_number(model, c)) continue;
    snprintf(what, sizeof what, "levels_%zu", i++);
    write_texts(header, what, model->columns->columns[c].levels, model->columns->columns[c].level_count);
  }
  if (counts[1] == 0) goto cleanup;
  fprintf(header->stream, "static const char *const *const %s_levels[%zu] = {", header->name, counts[1]);
  for (size_t i = 0; i < counts[1]; i++) fprintf(header->stream, "%s%s_levels_%zu", i > 0 ? ", " : "", header->name, i);
  fputs("};\n", header->stream);
  begin_array(header, KIND_INT, "level_counts", 0, counts[1]);
  for (size_t c = 0, i = 0; c < count; c++)
    if (!is_number(model, c)) write_value(header, KIND_INT, (double)features_of(model, c), i++);
  fputs("};\n", header->stream);
cleanup:
  for (int i = 0; i < 2; i++) {
    for (size_t c = 0; names[i] != NULL && c < counts[i]; c++) free(names[i][c]);
    free(names[i]);
  }
  return status;
}

/* ---- code -------------------------------------------------------------------------------------------------------- */

/* Writes lines in which @ stands for the name and $ for that of macros. */
static void write_code(const Header *header, const char *lines) {
  for (; *lines != '\0'; lines++)
    if (*lines == '@')
      fputs(header->name, header->stream);
    else if (*lines == '$')
      fputs(header->macro, header->stream);
    else
      fputc(*lines, header->stream);
}

static void write_opening(const Header *header) {
  const SetosaExportResult *result = header->export->result;
  write_code(header, "/* Softmax regression, written by Setosa " SETOSA_VERSION
                     ". C99 without a library and without allocation.\n"
                     " *\n"
                     " * @_predict says the class of a row, an index into @_classes, and the probability of each.\n");
  if (header->numbers > 0) write_code(header, " * numbers: the columns in @_numbers, as the data has them: nothing is to be scaled.\n");
  if (puts_means_in(header)) write_code(header, " * A number that is NaN is missing: the mean of the training rows is put in.\n");
  if (header->categories > 0)
    write_code(header, " * levels: of each column in @_categories the index of its level, as @_find_level tells; -1: none of them.\n");
  if (header->int8) {
    fprintf(header->stream,
            " * Weights have 8 bits. Over %llu %s: the same class in %.2f %%, and probabilities at most %.2g from those of all digits",
            (unsigned long long)result->rows, header->export->options->data != NULL ? "rows" : "test vectors", 100 * result->agreement,
            result->largest_difference);
    if (isfinite(result->accuracy))
      fprintf(header->stream, ";\n * %.2f %% of the rows right, and %.2f %% with all digits", 100 * result->accuracy_int8,
              100 * result->accuracy);
    fputs(".\n", header->stream);
  } else {
    write_code(header, " * Probabilities are within 1e-6 of Setosa's.\n");
  }
  write_code(header,
             " * Check: cc -std=c99 -x c -D$_SELF_CHECK FILE -o check && ./check */\n"
             "#ifndef $_H\n#define $_H\n\n#include <stdint.h>\n\n");
  fprintf(header->stream, "enum { %s_CLASS_COUNT = %zu, %s_NUMBER_COUNT = %zu, %s_CATEGORY_COUNT = %zu };\n", header->macro,
          header->model->classes, header->macro, header->numbers, header->macro, header->categories);
}

static void write_functions(const Header *header) {
  bool numbers = header->numbers > 0, categories = header->categories > 0;
  const char *type = type_of(header, KIND_NUMBER);
  write_code(header,
             "\n/* e^x of x <= 0. */\n"
             "static inline float @_exp(float x) {\n"
             "  union { uint32_t bits; float value; } power;\n"
             "  if (x < -87.0f) return 0.0f;\n"
             "  const int n = (int)(x * 1.44269504f - 0.5f);\n"
             "  const float r = (x - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;\n"
             "  float p = 1.9875691500e-4f;\n"
             "  p = p * r + 1.3981999507e-3f;\n"
             "  p = p * r + 8.3334519073e-3f;\n"
             "  p = p * r + 4.1665795894e-2f;\n"
             "  p = p * r + 1.6666665459e-1f;\n"
             "  p = p * r + 5.0000001201e-1f;\n"
             "  power.bits = (uint32_t)(n + 127) << 23;\n"
             "  return (p * r * r + r + 1.0f) * power.value;\n"
             "}\n");
  if (categories)
    write_code(header,
               "\n/* The level of a category that is called so, or -1. */\n"
               "static inline int @_find_level(int category, const char *text) {\n"
               "  for (int level = 0; level < @_level_counts[category]; level++) {\n"
               "    const char *name = @_levels[category][level], *at = text;\n"
               "    while (*name != '\\0' && *name == *at) name++, at++;\n"
               "    if (*name == *at) return level;\n"
               "  }\n"
               "  return -1;\n"
               "}\n");
  write_code(header,
             "\n/* probabilities (classes) may be 0: the class alone is wanted then. */\n"
             "static inline int @_predict(");
  if (numbers) fprintf(header->stream, "const %s *numbers, ", type);
  if (categories) fputs("const int *levels, ", header->stream);
  write_code(header,
             "float *probabilities) {\n"
             "  float scores[$_CLASS_COUNT], total = 0.0f;\n"
             "  int best = 0;\n"
             "  for (int k = 0; k < $_CLASS_COUNT; k++) scores[k] = @_bias[k];\n");
  if (numbers) write_code(header, "  float carries[$_CLASS_COUNT] = {0.0f}; /* of Kahan's sums */\n");
  if (numbers) {
    write_code(header, "  for (int d = 0; d < $_NUMBER_COUNT; d++) {\n");
    fprintf(header->stream, "    %s number = numbers[d];\n", type);
    if (puts_means_in(header)) write_code(header, "    if (number != number) number = @_means[d];\n");
    if (header->linear.centres != NULL) write_code(header, "    number -= @_centres[d];\n");
    write_code(header, header->int8 ? "    const float x = (float)number * @_steps[d];\n" : "    const float x = (float)number;\n");
    write_code(header, "    for (int k = 0; k < $_CLASS_COUNT; k++) {\n");
    write_code(header, header->int8 ? "      const float term = (float)@_weights[k][d] * x - carries[k], sum = scores[k] + term;\n"
                                    : "      const float term = @_weights[k][d] * x - carries[k], sum = scores[k] + term;\n");
    write_code(header,
               "      carries[k] = (sum - scores[k]) - term;\n"
               "      scores[k] = sum;\n"
               "    }\n"
               "  }\n");
  }
  if (categories) {
    write_code(header,
               "  for (int c = 0, row = 0; c < $_CATEGORY_COUNT; row += @_level_counts[c++]) {\n"
               "    if (levels[c] < 0 || levels[c] >= @_level_counts[c]) continue;\n");
    write_code(header, header->int8 ? "    for (int k = 0; k < $_CLASS_COUNT; k++) scores[k] += (float)@_table[row + levels[c]][k] * "
                                      "@_table_steps[row + levels[c]];\n"
                                    : "    for (int k = 0; k < $_CLASS_COUNT; k++) scores[k] += @_table[row + levels[c]][k];\n");
    write_code(header, "  }\n");
  }
  write_code(header,
             "  for (int k = 1; k < $_CLASS_COUNT; k++)\n"
             "    if (scores[k] > scores[best]) best = k;\n"
             "  if (probabilities == 0) return best;\n"
             "  for (int k = 0; k < $_CLASS_COUNT; k++) total += probabilities[k] = @_exp(scores[k] - scores[best]);\n"
             "  for (int k = 0; k < $_CLASS_COUNT; k++) probabilities[k] /= total;\n"
             "  return best;\n"
             "}\n");
}

/* ---- self-check -------------------------------------------------------------------------------------------------- */

static int level_of(const double *x, size_t levels) {
  for (size_t l = 0; l < levels; l++)
    if (x[l] == 1) return (int)l;
  return -1;
}

static Status write_vectors(const Header *header, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = header->model;
  double *p = NULL;
  TRY(memory_allocate((void **)&p, model->classes, sizeof *p, "probabilities", error));
  if (header->numbers > 0) {
    begin_array(header, KIND_NUMBER, "check_numbers", header->vectors, header->numbers);
    for (size_t i = 0; i < header->vectors; i++) {
      fputs(i > 0 ? "},\n  {" : "\n  {", header->stream);
      write_numeric(header, KIND_NUMBER, header->rows + i * model->features);
    }
    fputs("}};\n", header->stream);
  }
  if (header->categories > 0) {
    begin_array(header, KIND_INT, "check_levels", header->vectors, header->categories);
    for (size_t i = 0; i < header->vectors; i++) {
      fputs(i > 0 ? "},\n  {" : "\n  {", header->stream);
      for (size_t c = 0, d = 0, n = 0; c < column_count(model); d += features_of(model, c++))
        if (!is_number(model, c))
          write_value(header, KIND_INT, level_of(header->rows + i * model->features + d, features_of(model, c)), n++);
    }
    fputs("}};\n", header->stream);
  }
  begin_array(header, KIND_FLOAT, "check_probabilities", header->vectors, model->classes);
  for (size_t i = 0; i < header->vectors; i++) {
    linear_predict(p, header->rows + i * model->features, &header->linear, NULL, model);
    fputs(i > 0 ? "},\n  {" : "\n  {", header->stream);
    for (size_t k = 0; k < model->classes; k++) write_value(header, KIND_FLOAT, p[k], k);
  }
  fputs("}};\n", header->stream);
cleanup:
  free(p);
  return status;
}

static Status write_check(const Header *header, double tolerance, Error *error) {
  Status status = SETOSA_OK;
  write_code(header, "\n#ifdef $_SELF_CHECK\n#include <stdio.h>\n");
  TRY(write_vectors(header, error));
  write_code(header,
             "int main(void) {\n"
             "  float worst = 0.0f, probabilities[$_CLASS_COUNT];\n"
             "  int wrong = 0;\n");
  if (header->numbers > 0) write_code(header, "  for (int d = 0; d < $_NUMBER_COUNT; d++) wrong += @_numbers[d][0] == '\\0';\n");
  if (header->categories > 0)
    write_code(header,
               "  for (int c = 0; c < $_CATEGORY_COUNT; c++) {\n"
               "    wrong += @_categories[c][0] == '\\0';\n"
               "    for (int l = 0; l < @_level_counts[c]; l++) wrong += @_find_level(c, @_levels[c][l]) != l;\n"
               "  }\n");
  fprintf(header->stream, "  for (int i = 0; i < %zu; i++) {\n    const int best = ", header->vectors);
  write_code(header, "@_predict(");
  if (header->numbers > 0) write_code(header, "@_check_numbers[i], ");
  if (header->categories > 0) write_code(header, "@_check_levels[i], ");
  write_code(header,
             "probabilities);\n"
             "    for (int k = 0; k < $_CLASS_COUNT; k++) {\n"
             "      const float apart = probabilities[k] - @_check_probabilities[i][k];\n"
             "      if (!((apart < 0.0f ? -apart : apart) <= worst)) worst = apart < 0.0f ? -apart : apart;\n"
             "    }\n"
             "    printf(\"%d: %s, %.7g\\n\", i + 1, @_classes[best], (double)probabilities[best]);\n"
             "  }\n");
  fprintf(header->stream,
          "  printf(\"%zu test vectors: at most %%.3g from Setosa's probabilities (%.3g is allowed)\\n\", (double)worst);\n"
          "  return wrong == 0 && worst <= %.3gf ? 0 : 1;\n}\n#endif\n",
          header->vectors, tolerance, tolerance);
cleanup:
  return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static Status check_range(const Header *header, Error *error) {
  for (size_t i = 0; i < header->model->classes * header->model->features; i++)
    if (!isfinite((float)header->linear.coefficients[i]))
      return error_set(error, SETOSA_ERROR_USAGE, "%s: a coefficient is more than f32 holds once its scale is folded in; export to .json",
                       header->export->path);
  return SETOSA_OK;
}

static Status prepare(Header *header, Error *error) {
  Status status = SETOSA_OK;
  const Model *model = header->model;
  const Dataset *data = header->export->options->data;
  for (size_t c = 0; c < column_count(model); c++) (*(is_number(model, c) ? &header->numbers : &header->categories))++;
  choose_name(header, header->export->options->name);
  header->int8 = header->export->options->quantize == SETOSA_QUANTIZE_INT8;
  header->wide = model->shift != NULL;
  TRY(linear_form_make(&header->linear, model, error));
  TRY(linear_form_centre(&header->linear, model, error));
  TRY(check_range(header, error));
  header->vectors = data != NULL && dataset_shape(data).rows < VECTORS ? dataset_shape(data).rows : VECTORS;
  TRY(memory_allocate((void **)&header->rows, model->features * VECTORS, sizeof(double), "test vectors", error));
  TRY(rows_for_check(header->rows, header->vectors, &header->linear, model, data, header->wide, error));
  header->export->result->vectors = header->vectors;
  if (!header->int8) goto cleanup;
  TRY(quantize(&header->quantized, &header->linear, model, error));
  TRY(quantized_measure(header->export->result, &header->quantized, &header->linear, model, data, header->rows, header->vectors, error));
cleanup:
  return status;
}

Status export_header(const Export *export, Error *error) {
  Status status = SETOSA_OK;
  Header header = {.stream = export->stream, .export = export, .model = export->model};
  TRY(prepare(&header, error));
  write_opening(&header);
  TRY(write_names(&header, error));
  TRY(write_constants(&header, error));
  write_functions(&header);
  TRY(write_check(&header, 1e-6 + (header.int8 ? export->result->largest_difference : 0), error));
  fputs("\n#endif\n", header.stream);
cleanup:
  linear_form_free(&header.linear);
  quantized_free(&header.quantized);
  free(header.rows);
  return status;
}
