/* Labels to classes: the distinct values, as text. Text is interned as it comes (order of first appearance) and put in order at the end. */
#include "data/labels.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/class_names.h"

/* Which row value a number has become, so that numbers that come again need not be spelled out again. */
typedef struct KnownNumber {
  uint64_t bits;
  int32_t value;
  bool known;
} KnownNumber;
enum { KNOWN_NUMBERS = 1 << 12 };

struct Labels {
  const DataOptions *options;
  NameTable *names;   /* texts seen, or the classes of the model */
  bool expected;      /* names are the model's */
  bool all;           /* there are no others to choose */
  KnownNumber *known; /* (KNOWN_NUMBERS) by hash; a number that meets another in its place takes it. NULL: no number was added yet */
  int32_t *rows;
  size_t count, capacity;
  Text room; /* for the text of an element */
};

Status labels_create(Labels **out, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  Labels *labels = NULL;
  *out = NULL;
  TRY(memory_allocate_zero((void **)&labels, 1, sizeof *labels, "labels", error));
  labels->options = options;
  TRY(name_table_create(&labels->names, error));
  if (options->expect_classes > 0 && options->expect_class_names != NULL) {
    labels->expected = true;
    for (size_t k = 0, index; k < options->expect_classes; k++)
      TRY(name_table_add(labels->names, options->expect_class_names[k], strlen(options->expect_class_names[k]), &index, error));
    if (options->positive != NULL && (options->expect_classes != 2 || strcmp(options->positive, options->expect_class_names[0]) != 0)) {
      char list[512];
      reader_list_names(list, sizeof list, options->expect_class_names, options->expect_classes);
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--positive %s does not fit the model, whose classes are %s; leave --positive out",
                    options->positive, list));
    }
  }
  *out = labels;
  labels = NULL;
cleanup:
  labels_destroy(labels);
  return status;
}

void labels_destroy(Labels *labels) {
  if (labels == NULL) return;
  name_table_destroy(labels->names);
  free(labels->rows);
  text_free(&labels->room);
  free(labels->known);
  free(labels);
}

void labels_are_all(Labels *labels) { labels->all = true; }

size_t labels_count(const Labels *labels) { return labels->count; }

static Status unknown_label(const Labels *labels, const char *text, size_t length, Error *error) {
  const DataOptions *options = labels->options;
  char quoted[QUOTE_SIZE], list[512], hint[QUOTE_SIZE + 32] = "", near_quoted[QUOTE_SIZE];
  char *word = strndup(text, length);
  const char *nearest = word != NULL ? text_nearest(word, options->expect_class_names, options->expect_classes) : NULL;
  free(word);
  reader_list_names(list, sizeof list, options->expect_class_names, options->expect_classes);
  if (nearest != NULL) snprintf(hint, sizeof hint, "did you mean %s? ", reader_quote(near_quoted, nearest, strlen(nearest)));
  return error_set(error, SETOSA_ERROR_DATA, "the label %s is not a class of the model; %sits classes are %s",
                   reader_quote(quoted, text, length), hint, list);
}

/* The index of a label among the classes of the model. */
static Status find_expected(Labels *labels, const char *text, size_t length, size_t *index, Error *error) {
  char whole[CLASS_WHOLE];
  if (name_table_find(labels->names, text, length, index)) return SETOSA_OK;
  if (class_whole_number(whole, text, length) && name_table_find(labels->names, whole, strlen(whole), index)) return SETOSA_OK;
  if (labels->options->positive != NULL) { /* {CLASS, "non-CLASS"}: whatever is not CLASS is the rest */
    *index = class_is_same(text, length, labels->options->positive) ? 0 : 1;
    return SETOSA_OK;
  }
  if (labels->options->labels_optional) {
    *index = SIZE_MAX;
    return SETOSA_OK;
  }
  return unknown_label(labels, text, length, error);
}

/* The index of a label among those seen, which it joins if it is new. */
static Status find_seen(Labels *labels, const char *text, size_t length, size_t *index, Error *error) {
  char whole[CLASS_WHOLE], quoted[QUOTE_SIZE];
  if (name_table_find(labels->names, text, length, index)) return SETOSA_OK;
  if (class_whole_number(whole, text, length) && !class_is_padded(text, length)) {
    text = whole;
    length = strlen(whole);
  }
  if (!text_is_utf8(text, length))
    return error_set(error, SETOSA_ERROR_DATA, "the label is not UTF-8 text; convert the file (iconv -f LATIN1 -t UTF-8)");
  if (memchr(text, 0, length) != NULL || name_table_count(labels->names) >= INT32_MAX)
    return error_set(error, SETOSA_ERROR_DATA, "cannot use the label %s; is this the label column?", reader_quote(quoted, text, length));
  return name_table_add(labels->names, text, length, index, error);
}

static void trim(const char **text, size_t *length) {
  while (*length > 0 && isspace((unsigned char)**text)) ++*text, --*length;
  while (*length > 0 && isspace((unsigned char)(*text)[*length - 1])) --*length;
}

Status labels_intern(Labels *labels, const char *text, size_t length, int32_t *value, Error *error) {
  size_t index = 0;
  *value = -1;
  trim(&text, &length);
  if (length == 0 && labels->options->labels_optional) return SETOSA_OK;
  if (length == 0) return error_set(error, SETOSA_ERROR_DATA, "the label is missing; fill it in or remove the row");
  Status status = (labels->expected ? find_expected : find_seen)(labels, text, length, &index, error);
  if (status == SETOSA_OK && index != SIZE_MAX) *value = (int32_t)index;
  return status;
}

Status labels_push(Labels *labels, int32_t value, Error *error) {
  if (labels->count == labels->capacity) {
    Status status = memory_grow((void **)&labels->rows, &labels->capacity, labels->count + 1, sizeof *labels->rows, "labels", error);
    if (status != SETOSA_OK) return status;
  }
  labels->rows[labels->count++] = value;
  return SETOSA_OK;
}

Status labels_add_text(Labels *labels, const char *text, size_t length, Error *error) {
  int32_t value = -1;
  Status status = labels_intern(labels, text, length, &value, error);
  return status == SETOSA_OK ? labels_push(labels, value, error) : status;
}

/* text spells the number that has these bits. */
static Status add_spelled(Labels *labels, KnownNumber *place, uint64_t bits, const char *text, Error *error) {
  Status status = labels_add_text(labels, text, strlen(text), error);
  if (status == SETOSA_OK) *place = (KnownNumber){bits, labels->rows[labels->count - 1], true};
  return status;
}

static Status find_place(KnownNumber **place, Labels *labels, uint64_t bits, Error *error) {
  Status status = SETOSA_OK;
  if (labels->known == NULL) TRY(memory_allocate_zero((void **)&labels->known, KNOWN_NUMBERS, sizeof *labels->known, "labels", error));
  *place = &labels->known[(bits * UINT64_C(0x9E3779B97F4A7C15)) >> 52]; /* Fibonacci hashing: the upper 12 bits */
cleanup:
  return status;
}

Status labels_add_integer(Labels *labels, int64_t value, Error *error) {
  char text[ELEMENT_TEXT];
  KnownNumber *place = NULL;
  Status status = find_place(&place, labels, (uint64_t)value, error);
  if (status != SETOSA_OK) return status;
  if (place->known && place->bits == (uint64_t)value) return labels_push(labels, place->value, error);
  snprintf(text, sizeof text, "%" PRId64, value);
  return add_spelled(labels, place, (uint64_t)value, text, error);
}

static Status add_text_element(Labels *labels, ElementType type, const unsigned char *element, Error *error) {
  labels->room.length = 0;
  Status status = element_append_text(&labels->room, type, element, error);
  return status == SETOSA_OK ? labels_add_text(labels, labels->room.text, labels->room.length, error) : status;
}

Status labels_add_element(Labels *labels, ElementType type, const unsigned char *element, Error *error) {
  char text[ELEMENT_TEXT];
  if (element_is_text(type)) return add_text_element(labels, type, element, error);
  uint64_t bits = element_bits(type, element);
  KnownNumber *place = NULL;
  Status status = find_place(&place, labels, bits, error);
  if (status != SETOSA_OK) return status;
  if (place->known && place->bits == bits) return labels_push(labels, place->value, error);
  if (type.kind == 'b')
    snprintf(text, sizeof text, "%s", bits != 0 ? "True" : "False");
  else
    element_print(text, type, element);
  if (!isfinite(element_to_double(type, element))) {
    if (labels->options->labels_optional) return labels_push(labels, -1, error);
    return error_set(error, SETOSA_ERROR_DATA, "the label is %s, which is no class; fill it in or remove the row", text);
  }
  return add_spelled(labels, place, bits, text, error);
}

typedef struct ClassOrder {
  const char *name;
  size_t index;
} ClassOrder;

static int by_value(const void *a, const void *b) {
  return class_compare_whole(((const ClassOrder *)a)->name, ((const ClassOrder *)b)->name);
}

static int by_name(const void *a, const void *b) { return strcmp(((const ClassOrder *)a)->name, ((const ClassOrder *)b)->name); }

/* Labels such as 0.37, 1.92, ... nearly all different, or hundreds of them: a measured quantity, not a class. */
static Status refuse_regression(const ClassOrder *order, size_t classes, const Labels *labels, const Dataset *dataset, const char *column,
                                Error *error) {
  size_t fractional = 0;
  double number = 0;
  for (size_t k = 0; k < classes; k++) {
    if (!text_parse_double(order[k].name, strlen(order[k].name), &number)) return SETOSA_OK;
    if (number != floor(number)) fractional++;
  }
  bool different = fractional > dataset->rows / 2, many = fractional > 100 && fractional > classes / 2;
  if (dataset->rows < 3 || !(different || many)) return SETOSA_OK;
  char what[QUOTE_SIZE + 32];
  snprintf(what, sizeof what,
           column == NULL || labels->all ? "the labels hold"
           : *column == '\0'             ? "the label column holds"
                                         : "the label column %.*s holds",
           QUOTE_SIZE, column);
  return error_set(error, SETOSA_ERROR_DATA,
                   "%s: %s %zu different numbers such as %s in %zu rows: this looks like regression, and Setosa classifies; %sgroup "
                   "the numbers into classes",
                   dataset->source, what, classes, order[0].name, dataset->rows,
                   labels->all      ? ""
                   : column == NULL ? "choose the file of classes with --labels, or "
                                    : "choose the column of classes with --label, or ");
}

/* The texts seen, in the order of the classes: by value when all are whole numbers, which they are then called by (into `numbers`). */
static Status order_texts(ClassOrder *order, NameTable *numbers, const Labels *labels, const Dataset *dataset, const char *column,
                          Error *error) {
  Status status = SETOSA_OK;
  size_t distinct = name_table_count(labels->names), at = 0;
  char number[CLASS_WHOLE];
  bool whole = true;
  for (size_t k = 0; k < distinct; k++) {
    order[k] = (ClassOrder){.name = name_table_name(labels->names, k), .index = k};
    whole = whole && class_whole_number(number, order[k].name, strlen(order[k].name));
  }
  if (!whole) TRY(refuse_regression(order, distinct, labels, dataset, column, error));
  for (size_t k = 0; whole && k < distinct; k++) {
    if (!class_is_padded(order[k].name, strlen(order[k].name))) continue;
    class_whole_number(number, order[k].name, strlen(order[k].name));
    TRY(name_table_add(numbers, number, strlen(number), &at, error));
    order[k].name = name_table_name(numbers, at);
  }
  if (distinct > 1) qsort(order, distinct, sizeof *order, whole ? by_value : by_name);
cleanup:
  return status;
}

/* Puts the classes in order, renumbers the rows, names the classes. */
static Status order_classes(Labels *labels, Dataset *dataset, const char *column, Error *error) {
  Status status = SETOSA_OK;
  size_t distinct = name_table_count(labels->names);
  ClassOrder *order = NULL;
  NameTable *numbers = NULL;
  int32_t *renumber = NULL;
  TRY(memory_allocate((void **)&order, distinct, sizeof *order, "classes", error));
  TRY(memory_allocate((void **)&renumber, distinct, sizeof *renumber, "classes", error));
  TRY(memory_allocate_zero((void **)&dataset->class_names, distinct, sizeof *dataset->class_names, "class names", error));
  TRY(name_table_create(&numbers, error));
  TRY(order_texts(order, numbers, labels, dataset, column, error));
  for (size_t k = 0; k < distinct; k++) {
    if (k == 0 || strcmp(order[k].name, order[k - 1].name) != 0) {
      TRY(memory_copy_text(&dataset->class_names[dataset->classes], order[k].name, error));
      dataset->classes++;
    }
    renumber[order[k].index] = (int32_t)(dataset->classes - 1);
  }
  for (size_t i = 0; i < labels->count; i++)
    if (labels->rows[i] >= 0) labels->rows[i] = renumber[labels->rows[i]];
cleanup:
  name_table_destroy(numbers);
  free(order);
  free(renumber);
  return status;
}

static Status unknown_positive(const Dataset *dataset, const char *positive, Error *error) {
  const char *const *names = (const char *const *)dataset->class_names;
  const char *nearest = text_nearest(positive, names, dataset->classes);
  char list[512], hint[QUOTE_SIZE + 32] = "", quoted[QUOTE_SIZE];
  reader_list_names(list, sizeof list, names, dataset->classes);
  if (nearest != NULL) snprintf(hint, sizeof hint, "did you mean %s? ", reader_quote(quoted, nearest, strlen(nearest)));
  return error_set(error, SETOSA_ERROR_USAGE, "--positive %s: %s has no such class; %sits classes are %s", positive, dataset->source, hint,
                   list);
}

/* The class of this name, or else of this number; K when there is none. */
static size_t find_class(const Dataset *dataset, const char *name) {
  char whole[CLASS_WHOLE];
  const char *const spellings[] = {name, class_whole_number(whole, name, strlen(name)) ? whole : name};
  for (size_t s = 0; s < 2; s++)
    for (size_t k = 0; k < dataset->classes; k++)
      if (strcmp(spellings[s], dataset->class_names[k]) == 0) return k;
  size_t k = 0;
  while (k < dataset->classes && !class_is_same(name, strlen(name), dataset->class_names[k])) k++;
  return k;
}

/* Classes {CLASS, "non-CLASS"}. */
static Status apply_positive(Dataset *dataset, const char *positive, Error *error) {
  Status status = SETOSA_OK;
  size_t class_index = find_class(dataset, positive);
  char **names = NULL;
  Text rest = {0};
  if (class_index == dataset->classes) return unknown_positive(dataset, positive, error);
  TRY(memory_allocate_zero((void **)&names, 2, sizeof *names, "class names", error));
  TRY(memory_copy_text(&names[0], dataset->class_names[class_index], error));
  TRY(text_append(&rest, error, "non-%s", names[0]));
  TRY(memory_copy_text(&dataset->positive, names[0], error));
  names[1] = rest.text;
  rest.text = NULL;
  int32_t *labels = rows_labels(dataset);
  for (size_t i = 0; i < dataset->rows; i++)
    if (labels[i] >= 0) labels[i] = (size_t)labels[i] == class_index ? 0 : 1;
  for (size_t k = 0; k < dataset->classes; k++) free(dataset->class_names[k]);
  free(dataset->class_names);
  dataset->class_names = names;
  dataset->classes = 2;
  names = NULL;
cleanup:
  if (names != NULL) free(names[0]);
  free(names);
  text_free(&rest);
  return status;
}

/* Training needs two classes that occur; a model (or predict) brings its own. */
static Status require_two_classes(const Labels *labels, const Dataset *dataset, Error *error) {
  const DataOptions *options = labels->options;
  if (options->expect_classes > 0 || options->labels_optional) return SETOSA_OK;
  const int32_t *rows = rows_labels(dataset);
  for (size_t i = 1; i < dataset->rows; i++)
    if (rows[i] != rows[0]) return SETOSA_OK;
  const char *name = dataset->rows > 0 ? dataset->class_names[rows[0]] : "";
  char quoted[QUOTE_SIZE];
  return error_set(error, SETOSA_ERROR_DATA, "%s: every row has the label %s; at least two classes are needed, check the %s",
                   dataset->source, reader_quote(quoted, name, strlen(name)), labels->all ? "labels" : "label column");
}

Status labels_finish(Labels *labels, Dataset *dataset, const char *column, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = labels->options;
  Rows *held = dataset->held;
  held->labels = labels->rows;
  labels->rows = NULL;
  if (labels->count < labels->capacity / 2 + 1 && labels->count > 0) { /* doubling may have left much unused */
    int32_t *shrunk = realloc(held->labels, labels->count * sizeof *shrunk);
    if (shrunk != NULL) held->labels = shrunk;
  }
  if (labels->expected) {
    TRY(labels_name_expected_classes(dataset, options, error));
    goto cleanup;
  }
  labels->rows = held->labels; /* lent for the renumbering */
  status = order_classes(labels, dataset, column, error);
  labels->rows = NULL;
  TRY(status);
  TRY(class_names_remark(dataset, options, column, error));
  if (options->positive != NULL) TRY(apply_positive(dataset, options->positive, error));
  TRY(require_two_classes(labels, dataset, error));
cleanup:
  return status;
}

Status labels_name_expected_classes(Dataset *dataset, const DataOptions *options, Error *error) {
  Status status = SETOSA_OK;
  if (options->expect_classes == 0 || options->expect_class_names == NULL) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&dataset->class_names, options->expect_classes, sizeof *dataset->class_names, "class names", error));
  dataset->classes = options->expect_classes;
  for (size_t k = 0; k < dataset->classes; k++) TRY(memory_copy_text(&dataset->class_names[k], options->expect_class_names[k], error));
  TRY(memory_copy_text(&dataset->positive, options->positive, error));
cleanup:
  return status;
}
