/* Sparse rows behind the data seam: whatever is done to them gives the rows that it gives of the same rows with all their zeros. */
#include <math.h>

#include "data/sparse_store.h"
#include "support/sparse.h"

/* Rows of the dense data set are x; those of the sparse one, expanded, are x - shift. Targets are the same. */
static void expect_same_rows(const Dataset *dense, const Dataset *sparse, double tolerance) {
  Error error = {0};
  DataShape shape = dataset_shape(dense), other = dataset_shape(sparse);
  size_t cells = shape.rows * shape.features;
  float *room = malloc(2 * cells * sizeof *room);
  Targets a, b;
  assert_non_null(room);
  support_poison(room, 2 * cells);
  assert_int_equal(other.kind, DATA_SPARSE);
  assert_true(setosa_dataset_is_sparse(sparse) && !setosa_dataset_is_sparse(dense));
  assert_true(other.rows == shape.rows && other.features == shape.features && other.classes == shape.classes);
  assert_true(other.labelled == shape.labelled && other.weighted == shape.weighted);
  const float *x = dataset_dense(dense, dataset_all(dense), room), *found = dataset_dense(sparse, dataset_all(sparse), room + cells);
  const double *shift = setosa_dataset_shift(sparse);
  for (size_t i = 0; i < cells; i++)
    support_near((double)found[i] + (shift != NULL ? shift[i % shape.features] : 0), (double)x[i], tolerance);
  support_ok(dataset_targets(&a, dense, dataset_all(dense), NULL, &error), &error);
  support_ok(dataset_targets(&b, sparse, dataset_all(sparse), NULL, &error), &error);
  if (shape.labelled) assert_memory_equal(a.labels, b.labels, shape.rows * sizeof *a.labels);
  if (shape.weighted) assert_memory_equal(a.weights, b.weights, shape.rows * sizeof *a.weights);
  free(room);
}

/* By their entries, in one piece and in others. */
static void expect_entries(const Dataset *sparse) {
  Error error = {0};
  SparseRoom room = {0};
  SparseRows rows;
  DataShape shape = dataset_shape(sparse);
  float *x = malloc(shape.features * sizeof *x);
  uint64_t entries = 0;
  assert_non_null(x);
  for (size_t begin = 0, count = 1; begin < shape.rows; begin += count, count = count * 2 + 1) {
    RowRange range = {begin, begin + count < shape.rows ? count : shape.rows - begin};
    support_ok(dataset_sparse(&rows, sparse, range, &room, &error), &error);
    assert_true((rows.values == NULL) == shape.ones);
    for (size_t i = 0; i < range.count; i++) {
      dataset_dense(sparse, (RowRange){begin + i, 1}, x);
      for (size_t d = 0, e = 0; d < shape.features; d++) {
        bool here = rows.begin[i] + e < rows.begin[i + 1] && rows.columns[rows.begin[i] + e] == d;
        float value = !here ? 0 : shape.ones ? 1 : rows.values[rows.begin[i] + e];
        assert_true(x[d] == value);
        e += here;
        entries += here;
      }
    }
    assert_int_equal(rows.begin[range.count] - rows.begin[0], dataset_entries(sparse, range));
  }
  assert_int_equal(entries, shape.entries);
  assert_int_equal(entries, setosa_dataset_entries(sparse));
  sparse_room_free(&room);
  free(x);
}

static const SparseShape shapes[] = {{1, 1, 2, 1, false, false, false, 0},    {1, 9, 2, 0, false, false, false, 0},
                                     {40, 1, 3, 0.5, false, true, false, 0},  {200, 30, 4, 0.1, false, true, true, 0},
                                     {500, 20, 3, 0.3, true, true, false, 0}, {301, 12, 3, 1, false, false, true, 0}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void rows_are_their_entries(void **state) {
  (void)state;
  for (size_t i = 0; i < SHAPES; i++) {
    SparsePair pair = sparse_pair(&shapes[i], i);
    uint64_t entries = pair.begin[shapes[i].rows];
    expect_same_rows(pair.dense, pair.sparse, 0);
    expect_entries(pair.sparse);
    assert_null(setosa_dataset_values(pair.sparse));
    assert_int_equal(dataset_shape(pair.sparse).place, DATA_HELD);
    assert_int_equal(dataset_bytes(pair.sparse, dataset_all(pair.sparse)),
                     entries * (shapes[i].ones ? 4 : 8) + (shapes[i].rows + 1) * sizeof(uint64_t));
    assert_int_equal(dataset_bytes(pair.dense, dataset_all(pair.dense)), shapes[i].rows * shapes[i].features * sizeof(float));
    support_near(dataset_square_sum(pair.sparse, dataset_all(pair.sparse)), dataset_square_sum(pair.dense, dataset_all(pair.dense)), 1e-14);
    sparse_pair_free(&pair);
  }
}

static void dense_rows_are_refused_as_sparse_ones(void **state) {
  (void)state;
  SparsePair pair = sparse_pair(&shapes[3], 1);
  SparseRows rows;
  Error error = {0};
  support_fails(dataset_sparse(&rows, pair.dense, dataset_all(pair.dense), NULL, &error), &error, SETOSA_ERROR_INTERNAL,
                "data: dense rows were asked for as sparse ones");
  sparse_pair_free(&pair);
}

/* ---- wrapping ---------------------------------------------------------------------------------------------------- */

static void wrap_checks_what_it_takes(void **state) {
  (void)state;
  static const uint64_t begin[] = {0, 2, 3}, late[] = {1, 2, 3}, back[] = {0, 2, 1};
  static const uint32_t columns[] = {0, 2, 1}, outside[] = {0, 2, 3}, unsorted[] = {2, 0, 1}, twice[] = {2, 2, 1};
  static const float values[] = {1, 2, 3}, infinite[] = {1, 2, INFINITY}, not_a_number[] = {1, NAN, 3};
  static const int32_t labels[] = {0, 1}, negative[] = {0, -1}, large[] = {2, 0};
  const struct {
    size_t rows, features, classes;
    const uint64_t *begin;
    const uint32_t *columns;
    const float *values;
    const int32_t *labels;
    SetosaStatus status;
    const char *message;
  } bad[] = {
      {0, 3, 2, begin, columns, values, labels, SETOSA_ERROR_USAGE, "a data set needs at least one row"},
      {2, 0, 2, begin, columns, values, labels, SETOSA_ERROR_USAGE, "a data set needs at least one row"},
      {2, 3, 2, NULL, columns, values, labels, SETOSA_ERROR_USAGE, "setosa_dataset_wrap_sparse: the argument `row_begin`"},
      {2, 3, 2, begin, NULL, values, labels, SETOSA_ERROR_USAGE, "setosa_dataset_wrap_sparse: the argument `columns`"},
      {2, 3, 1, begin, columns, values, labels, SETOSA_ERROR_USAGE, "a labelled data set needs"},
      {2, (size_t)UINT32_MAX + 1, 2, begin, columns, values, labels, SETOSA_ERROR_USAGE,
       "data: 4294967296 features, and sparse rows have 4294967295 at most"},
      {2, 3, 2, late, columns, values, labels, SETOSA_ERROR_USAGE, "row_begin[0] is 1;"},
      {2, 3, 2, back, columns, values, labels, SETOSA_ERROR_DATA, "data:2: the entries of the row end before they begin"},
      {2, 3, 2, begin, outside, values, labels, SETOSA_ERROR_DATA, "data:2: entry 1 is of column 3, and there are 3"},
      {2, 3, 2, begin, unsorted, values, labels, SETOSA_ERROR_DATA, "data:1: entry 2 is of column 0 after column 2"},
      {2, 3, 2, begin, twice, values, labels, SETOSA_ERROR_DATA, "data:1: entry 2 is of column 2 after column 2"},
      {2, 3, 2, begin, columns, infinite, labels, SETOSA_ERROR_DATA, "data:2: entry 1, of column 1, is not a number, or infinite"},
      {2, 3, 2, begin, columns, not_a_number, labels, SETOSA_ERROR_DATA, "data:1: entry 2, of column 2, is not a number, or infinite"},
      {2, 3, 2, begin, columns, values, negative, SETOSA_ERROR_DATA, "data:2: the label -1 is not in 0..1"},
      {2, 3, 2, begin, columns, values, large, SETOSA_ERROR_DATA, "data:1: the label 2 is not in 0..1"},
  };
  SetosaDataset *dataset = NULL;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    SetosaError error = {0};
    support_fails(setosa_dataset_wrap_sparse(&dataset, bad[i].rows, bad[i].features, bad[i].classes, bad[i].begin, bad[i].columns,
                                             bad[i].values, bad[i].labels, &error),
                  &error, bad[i].status, bad[i].message);
    assert_null(dataset);
  }
  support_ok(setosa_dataset_wrap_sparse(&dataset, 2, 3, 0, begin, columns, NULL, NULL, NULL), NULL);
  assert_true(dataset_shape(dataset).ones && !dataset_shape(dataset).labelled);
  assert_int_equal(setosa_dataset_entries(dataset), 3);
  setosa_dataset_destroy(dataset);
  assert_false(setosa_dataset_is_sparse(NULL));
}

/* ---- other rows, and other orders -------------------------------------------------------------------------------- */

static void slices_share_entries(void **state) {
  (void)state;
  Error error = {0};
  SparsePair pair = sparse_pair(&shapes[3], 7);
  Dataset *slices[2], *inner[2];
  Dataset *whole[2] = {pair.dense, pair.sparse};
  SparseRows rows;
  for (int i = 0; i < 2; i++) {
    support_ok(dataset_slice(&slices[i], whole[i], (RowRange){50, 120}, &error), &error);
    support_ok(dataset_slice(&inner[i], slices[i], (RowRange){119, 1}, &error), &error);
  }
  support_ok(dataset_sparse(&rows, slices[1], (RowRange){3, 10}, NULL, &error), &error);
  assert_ptr_equal(rows.columns, pair.columns);
  assert_ptr_equal(rows.begin, pair.begin + 53);
  expect_same_rows(slices[0], slices[1], 0);
  expect_same_rows(inner[0], inner[1], 0);
  expect_entries(slices[1]);
  for (int i = 0; i < 2; i++) { /* a change of a slice is its own */
    support_ok(setosa_dataset_standardize(slices[i], &error), &error);
    setosa_dataset_destroy(inner[i]);
  }
  expect_same_rows(slices[0], slices[1], 1e-5);
  expect_same_rows(pair.dense, pair.sparse, 0);
  for (int i = 0; i < 2; i++) setosa_dataset_destroy(slices[i]);
  sparse_pair_free(&pair);
}

static void shuffles_are_those_of_dense_rows(void **state) {
  (void)state;
  Error error = {0};
  for (size_t i = 0; i < SHAPES; i++) {
    SparsePair pair = sparse_pair(&shapes[i], 20 + i);
    for (uint64_t seed = 0; seed < 2; seed++) {
      support_ok(setosa_dataset_shuffle(pair.dense, seed, &error), &error);
      support_ok(setosa_dataset_shuffle(pair.sparse, seed, &error), &error);
    }
    expect_same_rows(pair.dense, pair.sparse, 0);
    expect_entries(pair.sparse);
    assert_int_equal(dataset_shape(pair.sparse).place, DATA_HELD);
    if (shapes[i].rows > 100) assert_memory_not_equal(setosa_dataset_values(pair.dense), pair.x, 100 * sizeof(float));
    sparse_pair_free(&pair);
  }
}

static void splits_are_those_of_dense_rows(void **state) {
  (void)state;
  Error error = {0};
  for (size_t i = 2; i < SHAPES; i++) {
    Dataset *dense = NULL, *sparse = NULL;
    SparsePair pair = sparse_pair(&shapes[i], 30 + i);
    support_ok(setosa_dataset_split(pair.dense, 0.3, 5, &dense, &error), &error);
    support_ok(setosa_dataset_split(pair.sparse, 0.3, 5, &sparse, &error), &error);
    expect_same_rows(pair.dense, pair.sparse, 0);
    expect_same_rows(dense, sparse, 0);
    expect_entries(pair.sparse);
    expect_entries(sparse);
    assert_int_equal(setosa_dataset_entries(pair.sparse) + setosa_dataset_entries(sparse), pair.begin[shapes[i].rows]);
    setosa_dataset_destroy(dense);
    setosa_dataset_destroy(sparse);
    sparse_pair_free(&pair);
  }
}

static void samples_are_those_of_dense_rows(void **state) {
  (void)state;
  Error error = {0};
  for (size_t i = 3; i < SHAPES; i++) {
    Dataset *dense = NULL, *sparse = NULL;
    SparsePair pair = sparse_pair(&shapes[i], 40 + i);
    support_ok(dataset_sample(&dense, pair.dense, 0.5, 2, &error), &error);
    support_ok(dataset_sample(&sparse, pair.sparse, 0.5, 2, &error), &error);
    assert_true(setosa_dataset_rows(sparse) > 0 && setosa_dataset_rows(sparse) < shapes[i].rows);
    expect_same_rows(dense, sparse, 0);
    expect_entries(sparse);
    setosa_dataset_destroy(dense);
    setosa_dataset_destroy(sparse);
    sparse_pair_free(&pair);
  }
}

/* Scores are asked for without labels and weights. */
static void a_view_for_scores_has_the_rows_alone(void **state) {
  (void)state;
  Error error = {0};
  SparsePair pair = sparse_pair(&shapes[3], 3);
  Dataset *views[2];
  support_ok(dataset_for_scores(&views[0], pair.dense, 9, &error), &error);
  support_ok(dataset_for_scores(&views[1], pair.sparse, 9, &error), &error);
  expect_same_rows(views[0], views[1], 0);
  assert_false(dataset_shape(views[1]).labelled);
  for (int i = 0; i < 2; i++) setosa_dataset_destroy(views[i]);
  sparse_pair_free(&pair);
}

/* Rows that are gathered as needed are the same ones, and so are they when they are held after that. */
static void gathered_rows_are_brought_together(void **state) {
  (void)state;
  Error error = {0};
  SparsePair pair = sparse_pair(&(SparseShape){150, 20, 2, 0.2, false, false, true, 0}, 6);
  Dataset *sparse = NULL, *slice = NULL, *expected = NULL, *part = NULL;
  float *reversed = malloc(150 * 20 * sizeof *reversed);
  assert_non_null(reversed);
  for (size_t i = 0; i < 150; i++) memcpy(reversed + i * 20, pair.x + (149 - i) * 20, 20 * sizeof *reversed);
  support_ok(setosa_dataset_wrap(&expected, 150, 20, 0, reversed, NULL, &error), &error);
  support_ok(setosa_dataset_wrap_sparse(&sparse, 150, 20, 0, pair.begin, pair.columns, pair.values, NULL, &error), &error);
  gather_in_reverse(sparse);
  assert_int_equal(dataset_shape(sparse).place, DATA_GATHERED);
  expect_same_rows(expected, sparse, 0);
  expect_entries(sparse);
  support_fails(dataset_check_held(sparse, "this", &error), &error, SETOSA_ERROR_USAGE, "data: this wants its rows in memory");
  support_ok(dataset_slice(&slice, sparse, (RowRange){31, 77}, &error), &error);
  support_ok(dataset_slice(&part, expected, (RowRange){31, 77}, &error), &error);
  expect_same_rows(part, slice, 0);
  expect_entries(slice);
  support_ok(dataset_hold(slice, &error), &error);
  support_ok(dataset_hold(sparse, &error), &error);
  assert_int_equal(dataset_shape(slice).place, DATA_HELD);
  assert_int_equal(dataset_shape(sparse).place, DATA_HELD);
  expect_same_rows(part, slice, 0);
  expect_same_rows(expected, sparse, 0);
  expect_entries(sparse);
  setosa_dataset_destroy(part);
  setosa_dataset_destroy(slice);
  setosa_dataset_destroy(expected);
  setosa_dataset_destroy(sparse);
  sparse_pair_free(&pair);
  free(reversed);
}

/* ---- scaling ----------------------------------------------------------------------------------------------------- */

/* What a mean takes off is in the shift, and zeros stay unwritten; other data sets are scaled alike. */
static void standardized_rows_are_those_of_dense_rows(void **state) {
  (void)state;
  Error error = {0};
  for (size_t i = 2; i < SHAPES; i++) {
    SparsePair pair = sparse_pair(&shapes[i], 50 + i), other = sparse_pair(&shapes[i], 60 + i);
    uint64_t entries = setosa_dataset_entries(pair.sparse);
    support_ok(setosa_dataset_standardize(pair.dense, &error), &error);
    support_ok(setosa_dataset_standardize(pair.sparse, &error), &error);
    expect_same_rows(pair.dense, pair.sparse, 1e-6);
    assert_int_equal(setosa_dataset_entries(pair.sparse), entries);
    assert_non_null(setosa_dataset_shift(pair.sparse));
    for (size_t d = 0; d < shapes[i].features; d++) {
      support_near(dataset_scaling(pair.sparse)->offset[d], dataset_scaling(pair.dense)->offset[d], 1e-12);
      support_near(dataset_scaling(pair.sparse)->scale[d], dataset_scaling(pair.dense)->scale[d], 1e-12);
    }
    support_ok(setosa_dataset_scale_like(other.dense, pair.dense, &error), &error);
    support_ok(setosa_dataset_scale_like(other.sparse, pair.sparse, &error), &error);
    expect_same_rows(other.dense, other.sparse, 1e-6);
    support_ok(setosa_dataset_standardize(other.dense, &error), &error); /* on top of a scaling */
    support_ok(setosa_dataset_standardize(other.sparse, &error), &error);
    expect_same_rows(other.dense, other.sparse, 1e-5);
    sparse_pair_free(&pair);
    sparse_pair_free(&other);
  }
}

static void a_factor_needs_no_shift(void **state) {
  (void)state;
  Error error = {0};
  double offset[20], halves[20], huge[20];
  for (int d = 0; d < 20; d++) offset[d] = d, halves[d] = 0.5, huge[d] = 1e39;
  for (int ones = 0; ones < 2; ones++) {
    SparsePair pair = sparse_pair(&(SparseShape){60, 20, 3, 0.3, ones, false, false, 0}, 4);
    support_fails(dataset_apply_scaling(pair.sparse, NULL, huge, &error), &error, SETOSA_ERROR_DATA, "data: a value of feature ");
    error = (Error){0};
    sparse_pair_free(&pair);
    pair = sparse_pair(&(SparseShape){60, 20, 3, 0.3, ones, false, false, 0}, 4);
    support_ok(dataset_apply_scaling(pair.dense, NULL, halves, &error), &error);
    support_ok(dataset_apply_scaling(pair.sparse, NULL, halves, &error), &error);
    assert_null(setosa_dataset_shift(pair.sparse));
    assert_false(dataset_shape(pair.sparse).ones);
    expect_same_rows(pair.dense, pair.sparse, 0);
    support_ok(dataset_unshift(pair.sparse, &error), &error); /* nothing to do */
    support_fails(dataset_apply_scaling(pair.sparse, offset, halves, &error), &error, SETOSA_ERROR_USAGE, "data: these rows were already");
    error = (Error){0};
    sparse_pair_free(&pair);
    pair = sparse_pair(&(SparseShape){60, 20, 3, 0.3, ones, false, false, 0}, 4);
    support_ok(dataset_apply_scaling(pair.dense, offset, halves, &error), &error);
    support_ok(dataset_apply_scaling(pair.sparse, offset, halves, &error), &error);
    expect_same_rows(pair.dense, pair.sparse, 1e-6);
    support_fails(dataset_unshift(pair.sparse, &error), &error, SETOSA_ERROR_USAGE, "data: sparse rows cannot have a mean taken off");
    error = (Error){0};
    sparse_pair_free(&pair);
  }
}

/* ---- hashes ------------------------------------------------------------------------------------------------------ */

typedef struct Hashes {
  char blocks[64][HASH_HEX_SIZE];
  size_t count;
} Hashes;

static Hashes hashes_of(const Dataset *dataset) {
  Error error = {0};
  Hashes hashes = {.count = dataset_fingerprint_blocks(dataset)};
  assert_true(hashes.count <= 64);
  for (size_t i = 0; i < hashes.count; i++) support_ok(dataset_fingerprint_block(hashes.blocks[i], dataset, i, &error), &error);
  return hashes;
}

static bool same_hashes(const Dataset *a, const Dataset *b) {
  Hashes x = hashes_of(a), y = hashes_of(b);
  assert_int_equal(x.count, y.count);
  for (size_t i = 0; i < x.count; i++)
    if (strcmp(x.blocks[i], y.blocks[i]) != 0) return false;
  return true;
}

/* Another value, another column, an entry in another row. */
static void every_entry_is_hashed(void **state) {
  (void)state;
  Error error = {0};
  const SparseShape shape = {200, 30, 4, 0.1, false, true, false, 0};
  SparsePair pair = sparse_pair(&shape, 2), other = sparse_pair(&shape, 2);
  Dataset *copy = NULL;
  size_t row = 0;
  support_ok(dataset_slice(&copy, other.sparse, dataset_all(other.sparse), &error), &error);
  support_ok(setosa_dataset_set_weights(copy, other.weights, &error), &error); /* copies nothing else */
  assert_true(same_hashes(pair.sparse, other.sparse));
  assert_true(same_hashes(pair.sparse, copy));
  assert_true(dataset_glance(pair.sparse) == dataset_glance(other.sparse));
  const uint64_t at[] = {0, pair.begin[200] / 2, pair.begin[200] - 1};
  for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
    other.values[at[i]] = nextafterf(other.values[at[i]], 9);
    assert_false(same_hashes(pair.sparse, other.sparse));
    other.values[at[i]] = pair.values[at[i]];
  }
  while (other.columns[other.begin[row + 1] - 1] == 29) row++; /* the last entry of a row has room to its right */
  other.columns[other.begin[row + 1] - 1]++;
  assert_false(same_hashes(pair.sparse, other.sparse));
  other.columns[other.begin[row + 1] - 1]--;
  assert_true(same_hashes(pair.sparse, other.sparse));
  row = 0;
  while (other.begin[row + 1] == other.begin[row]) row++;
  other.begin[row + 1]--; /* it moves into the next row */
  assert_false(same_hashes(pair.sparse, other.sparse));
  setosa_dataset_destroy(copy);
  sparse_pair_free(&pair);
  sparse_pair_free(&other);
}

/* Where the rows lie is not hashed, but what they are. */
static void hashes_do_not_tell_how_rows_are_held(void **state) {
  (void)state;
  Error error = {0};
  SparsePair pair = sparse_pair(&(SparseShape){150, 20, 2, 0.2, true, false, true, 0}, 6);
  Dataset *gathered = NULL, *held = NULL;
  for (int i = 0; i < 2; i++) {
    Dataset **one = i == 0 ? &gathered : &held;
    support_ok(setosa_dataset_wrap_sparse(one, 150, 20, 0, pair.begin, pair.columns, pair.values, NULL, &error), &error);
    gather_in_reverse(*one);
  }
  support_ok(dataset_hold(held, &error), &error);
  assert_true(same_hashes(gathered, held));
  setosa_dataset_destroy(gathered);
  setosa_dataset_destroy(held);
  sparse_pair_free(&pair);
}

/* ---- pieces of a reader ------------------------------------------------------------------------------------------ */

/* Rows come in pieces of any size, over several blocks of memory; the first value that is not 1 comes late, or never. */
static void pieces_become_rows(void **state) {
  (void)state;
  enum { ROWS = 9000, ENTRIES = 9 * ROWS }; /* more than two blocks */
  Error error = {0};
  uint32_t *lengths = malloc(ROWS * sizeof *lengths), *columns = malloc(ENTRIES * sizeof *columns);
  float *values = malloc(ENTRIES * sizeof *values);
  assert_true(lengths != NULL && columns != NULL && values != NULL);
  for (int ones = 0; ones < 2; ones++) {
    SparseStore *store = NULL;
    SparseArrays arrays = {0};
    size_t count = 0, at = 0;
    for (size_t i = 0; i < ROWS; i++) {
      lengths[i] = (uint32_t)(i % 10);
      for (uint32_t e = 0; e < lengths[i]; e++, count++) {
        columns[count] = 3 * e + (uint32_t)(i % 3);
        values[count] = ones || count < 20000 ? 1 : (float)count;
      }
    }
    support_ok(sparse_store_create(&store, &error), &error);
    for (size_t row = 0, rows = 1; row < ROWS; row += rows, rows = rows * 3 % 1000 + 1) {
      if (rows > ROWS - row) rows = ROWS - row;
      support_ok(sparse_store_add(store, &(SparsePiece){rows, lengths + row, columns + at, values + at}, &error), &error);
      for (size_t i = row; i < row + rows; i++) at += lengths[i];
    }
    support_ok(sparse_store_finish(store, 0, &arrays, &error), &error);
    assert_true((arrays.values == NULL) == (ones == 1));
    assert_memory_equal(arrays.columns, columns, count * sizeof *columns);
    if (!ones) assert_memory_equal(arrays.values, values, count * sizeof *values);
    at = 0;
    for (size_t i = 0; i < ROWS; i++) {
      assert_int_equal(arrays.begin[i], at);
      at += lengths[i];
    }
    assert_int_equal(arrays.begin[ROWS], count);
    sparse_free(&arrays, NULL);
    sparse_store_destroy(store);
  }
  sparse_store_destroy(NULL);
  free(lengths);
  free(columns);
  free(values);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_their_entries),
      cmocka_unit_test(dense_rows_are_refused_as_sparse_ones),
      cmocka_unit_test(wrap_checks_what_it_takes),
      cmocka_unit_test(slices_share_entries),
      cmocka_unit_test(shuffles_are_those_of_dense_rows),
      cmocka_unit_test(splits_are_those_of_dense_rows),
      cmocka_unit_test(samples_are_those_of_dense_rows),
      cmocka_unit_test(a_view_for_scores_has_the_rows_alone),
      cmocka_unit_test(gathered_rows_are_brought_together),
      cmocka_unit_test(standardized_rows_are_those_of_dense_rows),
      cmocka_unit_test(a_factor_needs_no_shift),
      cmocka_unit_test(every_entry_is_hashed),
      cmocka_unit_test(hashes_do_not_tell_how_rows_are_held),
      cmocka_unit_test(pieces_become_rows),
  };
  return support_run("sparse rows", tests, NULL, NULL);
}
