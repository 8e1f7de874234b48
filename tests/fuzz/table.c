/* A table and what its columns are. The last two bytes pick the options, so that the text may be anything. What is read with the columns of
 * a first reading is the same again, and what is said of the columns fits what they became. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "data/columns.h"
#include "data/sparse.h"

static const char *pick(const char *const *choices, unsigned bits) { return choices[bits & 3]; }

static SetosaDataOptions options_of(unsigned flags) {
  static const char *const categorical[] = {NULL, "1", "2,3", "a"}, *const ids[] = {NULL, NULL, "1", "a,2"},
                           *const na[] = {NULL, NULL, "-9,x", "0"}, *const separators[] = {NULL, NULL, ";", "blank"},
                           *const decimals[] = {NULL, NULL, NULL, ","}, *const numeric[] = {NULL, NULL, NULL, "2"};
  SetosaDataOptions options = setosa_data_options_default();
  options.missing = (SetosaMissing)((flags & 3) == 3 ? 0 : flags & 3);
  options.sparse = (flags & 3) == 3 ? SETOSA_SPARSE_ALWAYS : SETOSA_SPARSE_AUTO;
  options.categorical = pick(categorical, flags >> 2);
  options.id = pick(ids, flags >> 4);
  options.na = pick(na, flags >> 6);
  options.separator = pick(separators, flags >> 8);
  options.decimal = pick(decimals, flags >> 10);
  options.numeric = pick(numeric, flags >> 12);
  options.unshifted = (flags & 1u << 14) != 0;
  if ((flags & 1u << 15) != 0) options.label = "1";
  return options;
}

/* In order, and none of them 0. */
static void claim_entries(SparseRows *entries, const SetosaDataset *data) {
  SparseRoom room = {0}; /* rows are held: it stays empty */
  SetosaError error = {0};
  fuzz_claim(dataset_sparse(entries, data, dataset_all(data), &room, &error) == SETOSA_OK, error.message);
  fuzz_claim(sparse_check(entries, setosa_dataset_rows(data), setosa_dataset_features(data), "x", &error) == SETOSA_OK, error.message);
  for (uint64_t i = 0; entries->values != NULL && i < setosa_dataset_entries(data); i++)
    fuzz_claim(entries->values[i] != 0, "no entry is 0");
}

static void claim_same_entries(const SetosaDataset *a, const SetosaDataset *b) {
  SparseRows left, right;
  size_t rows = setosa_dataset_rows(a);
  claim_entries(&left, a);
  claim_entries(&right, b);
  fuzz_claim(memcmp(left.begin, right.begin, (rows + 1) * sizeof *left.begin) == 0, "rows have as many entries again");
  size_t entries = (size_t)setosa_dataset_entries(a);
  fuzz_claim(memcmp(left.columns, right.columns, entries * sizeof *left.columns) == 0, "entries are of the same columns again");
  fuzz_claim((left.values == NULL) == (right.values == NULL), "entries are all 1, or not, again");
  if (left.values != NULL) fuzz_claim(memcmp(left.values, right.values, entries * sizeof *left.values) == 0, "entries are the same again");
}

/* Values as bytes: neither is nan, and -0 is not 0. */
static void claim_same(const SetosaDataset *a, const SetosaDataset *b) {
  size_t rows = setosa_dataset_rows(a), features = setosa_dataset_features(a);
  fuzz_claim(setosa_dataset_rows(b) == rows && setosa_dataset_features(b) == features, "the shape is the same again");
  fuzz_claim(setosa_dataset_is_sparse(a) == setosa_dataset_is_sparse(b), "rows are of the same kind again");
  if (setosa_dataset_is_sparse(a))
    claim_same_entries(a, b);
  else
    fuzz_claim(memcmp(setosa_dataset_values(a), setosa_dataset_values(b), rows * features * sizeof(float)) == 0,
               "values are the same again");
  fuzz_claim(memcmp(setosa_dataset_labels(a), setosa_dataset_labels(b), rows * sizeof(int32_t)) == 0, "labels are the same again");
  fuzz_claim(setosa_dataset_source_rows(a) == setosa_dataset_source_rows(b), "as many rows are left out");
}

/* Through JSON, as a model file keeps them. */
static void read_again(const SetosaDataset *first, const char *path, SetosaDataOptions options) {
  SetosaColumns *columns = NULL;
  SetosaDataset *again = NULL;
  SetosaError error = {0};
  char *text = NULL;
  const char *classes[64];
  if (setosa_dataset_classes(first) > sizeof classes / sizeof *classes) return;
  for (size_t k = 0; k < setosa_dataset_classes(first); k++) classes[k] = setosa_dataset_class_name(first, k);
  fuzz_claim(columns_to_json(&text, setosa_dataset_columns(first), &error) == SETOSA_OK, "columns can be written");
  fuzz_claim(columns_from_json(&columns, text, "again", &error) == SETOSA_OK, "columns that were written can be read");
  options.expect_columns = columns;
  options.expect_classes = setosa_dataset_classes(first);
  options.expect_class_names = classes;
  options.expect_features = setosa_dataset_features(first);
  options.categorical = options.numeric = NULL;
  fuzz_claim(setosa_dataset_load(&again, path, &options, &error) == SETOSA_OK, error.message);
  claim_same(first, again);
  setosa_dataset_destroy(again);
  columns_release(columns);
  free(text);
}

static void look(const SetosaDataset *data, const char *path, const SetosaDataOptions *options) {
  SetosaTableReport *report = NULL;
  SetosaError error = {0};
  SetosaStatus status = setosa_table_inspect(&report, path, options, &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, report);
    fuzz_claim(data == NULL, "what can be read can be looked at");
    return;
  }
  if (report == NULL) return;
  fuzz_claim(report->rows_left_out <= report->rows, "no more rows are left out than there are");
  if (data != NULL) {
    fuzz_claim(report->rows == setosa_dataset_source_rows(data), "it has the rows that are read");
    fuzz_claim(report->features == setosa_dataset_features(data), "it makes the features that are read");
  }
  setosa_table_report_destroy(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  unsigned flags = size > 1 ? (unsigned)(bytes[size - 1] ^ '\n') | (unsigned)(bytes[size - 2] ^ '\n') << 8 : 0;
  const char *path = fuzz_write("x.txt", bytes, size > 1 ? size - 2 : size);
  SetosaDataOptions options = options_of(flags);
  SetosaDataset *data = NULL;
  SetosaError error = {0};
  SetosaStatus status = setosa_dataset_load(&data, path, &options, &error);
  if (status != SETOSA_OK) fuzz_claim_refusal(status, &error, data);
  look(data, path, &options);
  if (data != NULL && setosa_dataset_columns(data) != NULL && setosa_dataset_labels(data) != NULL) read_again(data, path, options);
  setosa_dataset_destroy(data);
  return 0;
}
