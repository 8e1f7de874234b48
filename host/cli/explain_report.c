/* The steps of one example: z, a, P, H, dH/dz, dH/dW beside finite differences and beside the diagonal-only formula. Of a sparse row there
 * are its entries alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/explain.h"
#include "cli/json_output.h"
#include "cli/terminal/page.h"
#include "cli/terminal/table.h"

/* Vectors longer than SMALL are told by their largest entries, LISTED of them. */
enum { SMALL = 6, LISTED = 12, NUMBER_SIZE = 32 };

/* Six decimals where they say enough, else three digits and an exponent. */
static const char *number(char text[NUMBER_SIZE], double value) {
  if (value == 0) value = 0; /* no minus sign on a zero */
  double size = fabs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e6))
    snprintf(text, NUMBER_SIZE, "%.3e", value);
  else
    snprintf(text, NUMBER_SIZE, "%.6f", value);
  return text;
}

/* count <= SMALL. */
static void print_vector(const char *name, size_t count, const double *values) {
  char text[NUMBER_SIZE], list[SMALL * (NUMBER_SIZE + 2) + 1] = "";
  size_t used = 0;
  for (size_t i = 0; i < count && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", number(text, values[i]));
  page_explain("  %s = (%s)\n", name, list);
}

/* apart: after an empty line. */
static void print_step(const Session *session, bool apart, int step, const char *text) {
  bool color = session->console.color_out;
  page_explain("%s%s%d. %s%s\n", apart ? "\n" : "", color_code(color, COLOR_BOLD), step, text, color_code(color, COLOR_PLAIN));
}

static bool is_labelled(const SetosaExplanation *of) { return of->label != SETOSA_NO_LABEL; }

enum { CLASS_SIZE = CONSOLE_NAME + 32 };

/* A class by its number from 1 and its name: 2 "virginica". */
static const char *class_text(char text[CLASS_SIZE], size_t k, ExplainNames names) {
  char name[CONSOLE_NAME];
  snprintf(text, CLASS_SIZE, "%zu \"%s\"", k + 1, console_short_name(name, names.classes[k]));
  return text;
}

/* order[0..*count) = the indices of the largest |values[first..first+length)|, largest first, at most limit of them. */
static void find_largest(const double *values, size_t first, size_t length, size_t limit, size_t *order, size_t *count) {
  size_t held = 0;
  for (size_t i = 0; i < length; i++) {
    size_t at = held;
    while (at > 0 && fabs(values[first + i]) > fabs(values[order[at - 1]])) at--;
    if (at >= limit) continue;
    size_t last = held < limit ? held : limit - 1;
    memmove(order + at + 1, order + at, (last - at) * sizeof *order);
    order[at] = first + i;
    if (held < limit) held++;
  }
  *count = held;
}

/* The class other than the label that is most probable: its column of the gradient is the largest beside the label's. */
static size_t strongest_rival(const SetosaExplanation *of) {
  size_t rival = of->label == 0 ? 1 : 0;
  for (size_t k = 0; k < of->classes; k++)
    if (k != of->label && of->probabilities[k] > of->probabilities[rival]) rival = k;
  return rival;
}

enum { FEATURE_SIZE = CONSOLE_NAME + 24 };

/* The feature that entry i is of: its name, else its number. */
static const char *feature_text(char text[FEATURE_SIZE], const SetosaExplanation *of, size_t i, ExplainNames names) {
  size_t column = of->columns != NULL ? of->columns[i] : i;
  if (names.features != NULL) return names.features[i];
  snprintf(text, FEATURE_SIZE, "%zu", column + names.first);
  return text;
}

/* The largest of a sparse row, each with its feature: a table of them would come twice. */
static void print_entries(const SetosaExplanation *of, ExplainNames names) {
  char value[NUMBER_SIZE], feature[FEATURE_SIZE], shown[CONSOLE_NAME], list[LISTED * (NUMBER_SIZE + FEATURE_SIZE + 8) + 64] = "";
  size_t order[LISTED], count = 0, used = 0;
  find_largest(of->x, 0, of->entries, LISTED, order, &count);
  if (count == of->entries)
    for (size_t i = 0; i < count; i++) order[i] = i;
  for (size_t n = 0; n < count && used < sizeof list; n++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s:%s", n == 0 ? "" : ", ",
                             console_short_name(shown, feature_text(feature, of, order[n], names)), number(value, of->x[order[n]]));
  page_explain("  x has %zu feature%s, and %zu entr%s; all else is 0\n", of->features, of->features == 1 ? "" : "s", of->entries,
               of->entries == 1 ? "y" : "ies");
  if (count > 0) page_explain("  %s: %s\n", count < of->entries ? "the largest" : "x", list);
}

static void print_example(const SetosaExplanation *of, ExplainNames names) {
  char label[CLASS_SIZE];
  if (of->columns != NULL) {
    print_entries(of, names);
  } else if (of->features <= SMALL) {
    if (of->given != NULL) print_vector("x as given", of->features, of->given);
    print_vector("x", of->features, of->x);
  } else {
    size_t zeros = 0;
    for (size_t i = 0; i < of->features; i++) zeros += of->x[i] == 0;
    page_explain("  x has %zu features, %zu of them not 0\n", of->features, of->features - zeros);
  }
  if (of->given != NULL && of->columns != NULL)
    page_explain("  x is scaled as the model was trained: x as given * scale, and what is taken off is in b\n");
  else if (of->given != NULL)
    page_explain("  x is scaled as the model was trained: (x as given - offset) * scale\n");
  if (is_labelled(of))
    page_explain("  label: class %s of %zu\n", class_text(label, of->label, names), of->classes);
  else
    page_explain("  its class is not known: there is no target, and no loss\n");
}

/* All classes as vectors when they are few; else a table of the label and the most probable ones. */
static Status print_many_classes(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error) {
  static const TableColumn columns[] = {{"k", true, false}, {"class", false, true}, {"z", true, false},
                                        {"a", true, false}, {"P", true, false},     {"dH/dz", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  char text[NUMBER_SIZE];
  size_t order[LISTED + 1], count = 0, width = is_labelled(of) ? 6 : 4;
  bool label_listed = !is_labelled(of);
  find_largest(of->probabilities, 0, of->classes, LISTED, order, &count);
  for (size_t i = 0; i < count; i++) label_listed |= order[i] == of->label;
  if (!label_listed) order[count++] = of->label;
  TRY(table_create(&table, width, columns, error));
  table_repeat(table, 2);
  for (size_t i = 0; i < count; i++) {
    size_t k = order[i];
    TRY(table_cell(table, error, "%zu", k + 1));
    TRY(table_cell(table, error, "%s%s", names.classes[k], k == of->label ? " (label)" : ""));
    TRY(table_cell(table, error, "%s", number(text, of->logits[k])));
    TRY(table_cell(table, error, "%s", number(text, of->probabilities[k])));
    if (!is_labelled(of)) continue;
    TRY(table_cell(table, error, "%.0f", of->target[k]));
    TRY(table_cell(table, error, "%s", number(text, of->dlogits[k])));
  }
  if (count < of->classes) page_explain("  the %zu most probable of %zu classes (--json has all):\n", count, of->classes);
  table_print(table, console_page_width(), session->console.color_out);
cleanup:
  table_destroy(table);
  return status;
}

static Status print_forward(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error) {
  char text[NUMBER_SIZE];
  bool few = of->classes <= SMALL;
  print_step(session, true, 1, "logits: z_k = w_k . x + b_k");
  if (few) print_vector("z", of->classes, of->logits);
  bool calibrated = of->temperature != 1;
  print_step(session, few, 2, calibrated ? "softmax: a_k = exp(z_k/T) / sum_j exp(z_j/T)" : "softmax: a_k = exp(z_k) / sum_j exp(z_j)");
  if (calibrated) page_explain("  T = %s is the temperature that the model was calibrated to\n", number(text, of->temperature));
  if (few) print_vector("a", of->classes, of->probabilities);
  if (!is_labelled(of)) {
    if (!few) printf("\n");
    return few ? SETOSA_OK : print_many_classes(of, names, session, error);
  }
  print_step(session, few, 3, "target: P_k = 1 for the label, 0 for every other class");
  if (few) print_vector("P", of->classes, of->target);
  print_step(session, few, 4, "loss: H = -sum_k P_k ln a_k, which is -ln a of the label");
  page_explain("  H = %s\n", number(text, of->loss));
  print_step(session, few, 5,
             calibrated ? "gradient by the logits: dH/dz_k = (a_k - P_k) / T" : "gradient by the logits: dH/dz_k = a_k - P_k");
  if (few) print_vector("dH/dz", of->classes, of->dlogits);
  if (!few) printf("\n");
  return few ? SETOSA_OK : print_many_classes(of, names, session, error);
}

/* Whether the table has the features as given, too: a few were printed as a vector. */
static bool lists_given(const SetosaExplanation *of) { return of->given != NULL && (of->columns != NULL || of->features > SMALL); }

static Status print_entry(Table *table, const SetosaExplanation *of, ExplainNames names, size_t entry, Error *error) {
  Status status = SETOSA_OK;
  char text[NUMBER_SIZE], class[CLASS_SIZE], feature[FEATURE_SIZE];
  size_t k = entry / of->entries, i = entry % of->entries;
  TRY(table_cell(table, error, "%s", class_text(class, k, names)));
  TRY(table_cell(table, error, "%s", feature_text(feature, of, i, names)));
  if (lists_given(of)) TRY(table_cell(table, error, "%s", number(text, of->given[i])));
  TRY(table_cell(table, error, "%s", number(text, of->x[i])));
  TRY(table_cell(table, error, "%s", number(text, of->dweights[entry])));
  TRY(table_cell(table, error, "%s", number(text, of->dweights_finite[entry])));
  TRY(table_cell(table, error, "%s", number(text, of->dweights_diagonal[entry])));
cleanup:
  return status;
}

static Status print_gradient(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error) {
  static const TableColumn columns[] = {{"class", false, true}, {"feature", false, true},      {"x_i", true, false},
                                        {"dH/dW", true, false}, {"finite diff.", true, false}, {"diagonal only", true, false}};
  static const TableColumn scaled_columns[] = {{"class", false, true},        {"feature", false, true}, {"given", true, false},
                                               {"x_i", true, false},          {"dH/dW", true, false},   {"finite diff.", true, false},
                                               {"diagonal only", true, false}};
  Status status = SETOSA_OK;
  Table *table = NULL;
  size_t entries = of->classes * of->entries, order[LISTED], count = entries;
  bool all = of->classes <= SMALL && of->entries <= SMALL;
  char title[64];
  print_step(session, true, 6,
             of->temperature != 1 ? "gradient by the weights: dH/dW[i,k] = (a_k - P_k) x_i / T"
                                  : "gradient by the weights: dH/dW[i,k] = (a_k - P_k) x_i");
  for (size_t k = 0; all && k < of->classes; k++) {
    snprintf(title, sizeof title, "column %zu", k + 1);
    if (of->columns == NULL) print_vector(title, of->features, of->dweights + k * of->features);
  }
  if (entries == 0) page_explain("  0 everywhere, since x is\n");
  if (entries == 0) return SETOSA_OK;
  printf("\n");
  if (!all) { /* both kinds of columns: the label's, and one that the diagonal misses */
    size_t more = 0;
    find_largest(of->dweights, of->label * of->entries, of->entries, LISTED / 2, order, &count);
    find_largest(of->dweights, strongest_rival(of) * of->entries, of->entries, LISTED / 2, order + count, &more);
    count += more;
  }
  TRY(table_create(&table, lists_given(of) ? 7 : 6, lists_given(of) ? scaled_columns : columns, error));
  table_repeat(table, 2);
  for (size_t n = 0; n < count; n++) TRY(print_entry(table, of, names, all ? n : order[n], error));
  if (!all && count < entries) page_explain("  the largest of %zu entries, for the label and its rival (--json has all):\n", entries);
  table_print(table, console_page_width(), session->console.color_out);
  page_explain("\n  largest difference from finite differences, over all entries: %.1e\n", of->largest_difference);
cleanup:
  table_destroy(table);
  return status;
}

Status explain_print_steps(const SetosaExplanation *of, ExplainNames names, const Session *session, Error *error) {
  Status status = SETOSA_OK;
  bool color = session->console.color_out;
  page_explain("%sOne example through softmax regression%s\n", color_code(color, COLOR_BOLD), color_code(color, COLOR_PLAIN));
  print_example(of, names);
  TRY(print_forward(of, names, session, error));
  if (!is_labelled(of)) goto cleanup;
  TRY(print_gradient(of, names, session, error));
  page_explain(
      "\n  \"diagonal only\" is -P_k (1 - a_k) x_i: it keeps da_k/dz_k = a_k (1 - a_k) of the softmax Jacobian and drops the other terms, "
      "da_k/dz_j = -a_k a_j, so it is right for the label's column and gives 0 for every other.\n");
cleanup:
  return status;
}

static json_t *texts_json(size_t count, const char *const *texts) {
  if (texts == NULL) return json_null();
  json_t *list = json_array();
  for (size_t i = 0; list != NULL && i < count; i++) {
    if (json_array_append_new(list, json_text(texts[i])) != 0) {
      json_decref(list);
      list = NULL;
    }
  }
  return list;
}

/* What needs a target; null without. */
static json_t *target_json(const SetosaExplanation *of, const double *values) {
  return is_labelled(of) ? json_numbers(of->classes, values) : json_null();
}

/* (K,E) as K arrays of E; null when it needs a target and there is none. */
static json_t *matrix_json(const SetosaExplanation *of, const double *values) {
  if (!is_labelled(of) && values != of->weights) return json_null();
  json_t *rows = json_array();
  for (size_t k = 0; rows != NULL && k < of->classes; k++) {
    if (json_array_append_new(rows, json_numbers(of->entries, values + k * of->entries)) != 0) {
      json_decref(rows);
      rows = NULL;
    }
  }
  return rows;
}

/* The features that the entries are of, from 0; null: all of them. */
static json_t *columns_json(const SetosaExplanation *of) {
  if (of->columns == NULL) return json_null();
  json_t *list = json_array();
  for (size_t i = 0; list != NULL && i < of->entries; i++) json_add(&list, json_integer((json_int_t)of->columns[i]));
  return list;
}

Status explain_print_json(const SetosaExplanation *of, ExplainNames names, json_t *contributions, Error *error) {
  json_t *document = json_pack(
      "{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "command",
      "explain", "version", SETOSA_VERSION, "features", (json_int_t)of->features, "classes", (json_int_t)of->classes, "entries",
      (json_int_t)of->entries, "columns", columns_json(of), "feature_names", texts_json(of->entries, names.features), "class_names",
      texts_json(of->classes, names.classes), "label", json_text(is_labelled(of) ? names.classes[of->label] : NULL), "x_given",
      of->given != NULL ? json_numbers(of->entries, of->given) : json_null(), "x", json_numbers(of->entries, of->x), "weights",
      matrix_json(of, of->weights), "bias", json_numbers(of->classes, of->bias), "logits", json_numbers(of->classes, of->logits),
      "temperature", json_number(of->temperature), "probabilities", json_numbers(of->classes, of->probabilities), "target",
      target_json(of, of->target), "loss", json_number(of->loss), "dlogits", target_json(of, of->dlogits), "dweights",
      matrix_json(of, of->dweights), "dweights_finite", matrix_json(of, of->dweights_finite), "dweights_diagonal",
      matrix_json(of, of->dweights_diagonal), "dbias", target_json(of, of->dbias), "largest_difference",
      json_number(of->largest_difference));
  json_put(&document, "contributions", contributions);
  return json_print(document, false, stdout, error);
}
