/* Sparse synthetic data: the same bits whatever the chunks and threads, from the counters that synthetic_sparse.c promises, with the
 * frequencies asked for; held and made rows are the same. */
#include <math.h>

#include "base/hash.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/options.h"
#include "data/synthetic.h"
#include "data/synthetic_columns.h"

static const char TEXT[] = "synthetic:rows=503,features=3000,classes=7,seed=11,noise=0.1,separation=3,sparsity=0.99";
static const char FIELDS[] = "synthetic:rows=503,features=3000,classes=3,seed=12,fields=17";

typedef struct Made {
  Synthetic *synthetic;
  SyntheticSpec spec;
  size_t rows, entries;
  uint32_t *columns; /* (rows,entries) */
  float *values;     /* (rows,entries) */
  int32_t *labels;   /* (rows) */
} Made;

static void poison(Made *made) {
  memset(made->columns, 0xFF, made->rows * made->entries * sizeof *made->columns);
  support_poison(made->values, made->rows * made->entries);
  support_poison_labels(made->labels, made->rows);
}

static Made make(const char *source) {
  Made made = {0};
  SetosaError error = {0};
  support_ok(synthetic_parse(&made.spec, source, &error), &error);
  assert_true(synthetic_spec_is_sparse(&made.spec));
  support_ok(synthetic_create(&made.synthetic, &made.spec, &error), &error);
  made.rows = (size_t)made.spec.rows;
  made.entries = synthetic_spec_entries(&made.spec);
  made.columns = malloc(made.rows * made.entries * sizeof *made.columns);
  made.values = malloc(made.rows * made.entries * sizeof *made.values);
  made.labels = malloc(made.rows * sizeof *made.labels);
  poison(&made);
  synthetic_fill_sparse(made.synthetic, 0, made.rows, made.columns, made.values, made.labels);
  return made;
}

static void made_free(Made *made) {
  synthetic_destroy(made->synthetic);
  free(made->columns);
  free(made->values);
  free(made->labels);
}

static void expect_same(const Made *a, const Made *b) {
  assert_memory_equal(a->columns, b->columns, a->rows * a->entries * sizeof *a->columns);
  assert_memory_equal(a->values, b->values, a->rows * a->entries * sizeof *a->values);
  assert_memory_equal(a->labels, b->labels, a->rows * sizeof *a->labels);
}

/* The bits of today, for ever: a change here breaks every published result on synthetic data. */
static void golden_hashes(void **state) {
  (void)state;
  static const struct {
    const char *source;
    uint64_t columns, values, labels;
  } golden[] = {
      {TEXT, 0xdde3c57c54b551b8, 0xe613374e876ec0d8, 0x3c5037ef9c69d52d},
      {FIELDS, 0x271f89b9ed5ce010, 0x36f683fc50a09f6e, 0xafef726dc32edc4d},
      {"synthetic:rows=9,features=67108864,classes=2,seed=3,sparsity=0.99999", 0x0bad60caeedfc974, 0x8078c556300dc77a, 0xc6be6cc6e8e34935},
  };
  for (size_t s = 0; s < sizeof golden / sizeof *golden; s++) {
    Made made = make(golden[s].source);
    uint64_t columns = hash_bytes(made.columns, made.rows * made.entries * sizeof *made.columns);
    uint64_t values = hash_bytes(made.values, made.rows * made.entries * sizeof *made.values);
    uint64_t labels = hash_bytes(made.labels, made.rows * sizeof *made.labels);
    if (columns != golden[s].columns || values != golden[s].values || labels != golden[s].labels)
      fail_msg("%s: 0x%016llx, 0x%016llx, 0x%016llx", golden[s].source, (unsigned long long)columns, (unsigned long long)values,
               (unsigned long long)labels);
    made_free(&made);
  }
}

static void any_chunk_and_thread_gives_the_same_bits(void **state) {
  (void)state;
  static const size_t chunks[] = {1, 7, 16, 17, 250, 503}, threads[] = {1, 2, 3, 7, 40};
  const char *const sources[] = {TEXT, FIELDS};
  for (size_t s = 0; s < 2; s++) {
    Made whole = make(sources[s]), again = make(sources[s]);
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++)
      for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        poison(&again);
        for (size_t end = again.rows; end > 0;) { /* from the back: order does not matter either */
          size_t count = end < chunks[c] ? end : chunks[c];
          end -= count;
          synthetic_fill_sparse_on(again.synthetic, end, count, again.columns + end * again.entries, again.values + end * again.entries,
                                   again.labels + end, threads[t]);
        }
        expect_same(&whole, &again);
      }
    poison(&again); /* what is not wanted does not change what is */
    synthetic_fill_sparse(again.synthetic, 0, again.rows, again.columns, NULL, NULL);
    synthetic_fill_sparse(again.synthetic, 0, again.rows, NULL, again.values, NULL);
    synthetic_fill_sparse(again.synthetic, 0, again.rows, NULL, NULL, again.labels);
    expect_same(&whole, &again);
    made_free(&again);
    made_free(&whole);
  }
}

static void expect_ascending(const Made *made) {
  for (size_t i = 0; i < made->rows; i++)
    for (size_t j = 0; j < made->entries; j++) {
      const uint32_t *columns = made->columns + i * made->entries;
      assert_true(columns[j] < made->spec.features && (j == 0 || columns[j] > columns[j - 1]));
    }
}

/* Every row has as many entries as was asked for, and at the least one. */
static void counts_are_exact(void **state) {
  (void)state;
  static const struct {
    const char *source;
    size_t entries;
  } cases[] = {
      {"synthetic:rows=40,features=1000,sparsity=0.95", 50},
      {"synthetic:rows=40,features=1000,sparsity=0.9874", 13},
      {"synthetic:rows=40,features=1,sparsity=0.95", 1},
      {"synthetic:rows=40,features=31,sparsity=0.95", 2},
      {"synthetic:rows=40,features=64,sparsity=0.999", 1},
      {"synthetic:rows=40,features=4097,sparsity=0.96", 164},
      {"synthetic:rows=40,features=2,fields=1", 1},
      {"synthetic:rows=40,features=6,fields=3", 3},
      {"synthetic:rows=3,features=150000,fields=65536", 65536},
      {"synthetic:rows=40,features=500,fields=9,sparsity=0.99", 9},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    Made made = make(cases[c].source);
    assert_int_equal(made.entries, cases[c].entries);
    expect_ascending(&made);
    made_free(&made);
  }
}

/* Columns and values come from random_words(), not from something like it. */
static void rows_follow_the_counters(void **state) {
  (void)state;
  const uint64_t first = ((uint64_t)1 << 32) - 2; /* the counter passes 32 bits */
  Made made = make("synthetic:rows=4,features=900,classes=2,seed=77,sparsity=0.98");
  poison(&made);
  synthetic_fill_sparse(made.synthetic, first, made.rows, made.columns, made.values, made.labels);
  for (uint64_t i = 0; i < made.rows; i++) {
    bool there[900] = {false};
    uint32_t words[4];
    size_t drawn = 0, at = 0;
    for (uint64_t attempt = 0; drawn < 18; attempt++) { /* c0 = 1 + 18/8 = 3: octaves from 3, 6, ..., 768, where 903 is the end */
      random_words(77, RANDOM_STREAM_FEATURES, attempt / 2, first + i, words);
      const uint32_t *pair = words + 2 * (attempt % 2);
      double place = (double)pair[0] * 0x1p-32 * (8 + (903.0 - 768) / 768), begin = 3 * exp2(floor(place));
      uint64_t sum = (uint64_t)(begin * (1 + place - floor(place)));
      if (!((double)pair[1] * 0x1p-32 * (double)sum < begin) || there[sum - 3]) continue;
      there[sum - 3] = true;
      drawn++;
    }
    for (uint32_t d = 0; d < 900; d++) {
      if (!there[d]) continue;
      random_words(77, RANDOM_STREAM_FEATURES, 0x40000000u + at / 4, first + i, words);
      uint32_t a = (words[at % 4] & 65535) * 901 / 65536, b = (words[at % 4] >> 16) * 901 / 65536;
      assert_int_equal(made.columns[i * 18 + at], d);
      assert_true(made.values[i * 18 + at] == (float)((100 + (a < b ? a : b)) / 1000.0));
      at++;
    }
    assert_int_equal(at, 18);
  }
  made_free(&made);
}

/* The density of column c times c + c0 is the same in every octave but the first ones, where a row has the column already. */
static void columns_fall_as_a_power_law(void **state) {
  (void)state;
  Made made = make("synthetic:rows=20000,features=8192,sparsity=0.998"); /* 16 entries, c0 = 3 */
  double *counts = calloc(8192, sizeof *counts), before = 1, last = 0;
  for (size_t e = 0; e < made.rows * made.entries; e++) counts[made.columns[e]] += 1.0 / (double)made.rows;
  assert_int_equal(made.entries, 16);
  assert_true(counts[0] > 0.3 && counts[0] < 0.7);
  for (size_t begin = 32; begin < 8192; begin *= 2) {
    double sum = 0, weight = 0;
    for (size_t d = begin; d < 2 * begin; d++) {
      sum += counts[d];
      weight += 1 / (double)(d + 3);
    }
    assert_true(sum / (double)begin < before);
    before = sum / (double)begin;
    if (begin > 64) support_near(sum / weight, last, 0.04); /* about 27000 entries in each octave: five deviations are 0.03 */
    last = sum / weight;
  }
  free(counts);
  made_free(&made);
}

static void fields_have_one_entry_each(void **state) {
  (void)state;
  SetosaError error = {0};
  Made made = make("synthetic:rows=20000,features=5000,fields=23,seed=4");
  ColumnLaw law;
  size_t *field_of = malloc(5000 * sizeof *field_of), neighbours = 0;
  support_ok(column_law_create(&law, &made.spec, &error), &error);
  for (size_t d = 0; d < 5000; d++) field_of[d] = SIZE_MAX;
  assert_int_equal(law.begin[23], 5000);
  for (size_t f = 0; f < 23; f++) {
    uint64_t size = column_law_size(&law, f);
    assert_true(size >= 2 && (f == 0 || size <= column_law_size(&law, f - 1)));
    for (uint64_t rank = 0; rank < size; rank++) {
      uint32_t column = column_law_place(&law, f, rank);
      assert_true(column < 5000 && field_of[column] == SIZE_MAX); /* a permutation */
      field_of[column] = f;
    }
  }
  for (size_t d = 1; d < 5000; d++) neighbours += field_of[d] == field_of[d - 1];
  assert_true(column_law_size(&law, 0) > 2500 && neighbours < 2600); /* one field has 3 of 5 columns: at random 2150 would be */
  double counts[2][2] = {{0}};                                       /* the two most frequent columns of the first and the last field */
  for (size_t i = 0; i < made.rows; i++) {
    uint64_t seen = 0;
    for (size_t j = 0; j < 23; j++) {
      uint32_t column = made.columns[i * 23 + j];
      assert_true(made.values[i * 23 + j] == 1);
      seen |= (uint64_t)1 << field_of[column];
      for (int rank = 0; rank < 2; rank++) {
        counts[0][rank] += column == column_law_place(&law, 0, (uint64_t)rank);
        counts[1][rank] += column == column_law_place(&law, 22, (uint64_t)rank);
      }
    }
    assert_int_equal(seen, ((uint64_t)1 << 23) - 1);
  }
  for (int f = 0; f < 2; f++) support_near(counts[f][0] / counts[f][1], 2, 0.06); /* of 2000 and 1000 at the least */
  expect_ascending(&made);
  column_law_free(&law);
  free(field_of);
  made_free(&made);
}

/* Sums of squares and the like of the true logits of all rows. */
static void logits_are_those_of_the_true_weights(void **state) {
  (void)state;
  static const char *const sources[] = {"synthetic:rows=4000,features=20000,classes=40,separation=2.5,sparsity=0.998,seed=2",
                                        "synthetic:rows=4000,features=20000,classes=40,separation=2.5,fields=39,seed=2"};
  for (size_t s = 0; s < 2; s++) {
    Made made = make(sources[s]);
    SetosaError error = {0};
    float *weights = NULL;
    double sums[40] = {0}, squares[40] = {0}, z[40], variance = 0, hit = 0, expected = 0, spread = 0;
    support_ok(synthetic_weights(&weights, made.synthetic, &error), &error);
    for (size_t i = 0; i < made.rows; i++) {
      double largest = -INFINITY, total = 0, square = 0, cube = 0;
      for (size_t k = 0; k < 40; k++) {
        z[k] = 0;
        for (size_t e = i * made.entries; e < (i + 1) * made.entries; e++)
          z[k] += (double)weights[k * 20000 + made.columns[e]] * (double)made.values[e];
        sums[k] += z[k];
        squares[k] += z[k] * z[k];
        largest = fmax(largest, z[k]);
      }
      for (size_t k = 0; k < 40; k++) total += exp(z[k] - largest);
      for (size_t k = 0; k < 40; k++) {
        double p = exp(z[k] - largest) / total;
        square += p * p;
        cube += p * p * p;
      }
      hit += exp(z[made.labels[i]] - largest) / total; /* its expectation is the sum of the squares, if labels are drawn so */
      expected += square;
      spread += cube - square * square;
    }
    for (size_t k = 0; k < 40; k++) variance += (squares[k] - sums[k] * sums[k] / 4000) / 4000 / 40;
    support_near(sqrt(variance), 2.5, 0.1);
    if (fabs(hit - expected) > 5 * sqrt(spread)) fail_msg("%g instead of %g, deviation %g", hit, expected, sqrt(spread));
    assert_true(expected / 4000 > 0.2); /* chance would be 1/40 */
    free(weights);
    made_free(&made);
  }
}

static void distances_are_known(void **state) {
  (void)state;
  const char *const sources[] = {TEXT, FIELDS};
  for (size_t s = 0; s < 2; s++) {
    Made made = make(sources[s]);
    SetosaError error = {0};
    float *weights = NULL;
    double distance = NAN, cosine = NAN;
    support_ok(synthetic_weights(&weights, made.synthetic, &error), &error);
    support_ok(synthetic_distance(&distance, &cosine, made.synthetic, weights, NULL, &error), &error);
    support_near(distance, 0, 1e-12);
    support_near(cosine, 1, 1e-12);
    for (size_t i = 0; i < made.spec.classes * 3000; i++) weights[i] *= -1;
    support_ok(synthetic_distance(&distance, &cosine, made.synthetic, weights, NULL, &error), &error);
    support_near(distance, 2, 1e-12);
    support_near(cosine, -1, 1e-12);
    free(weights);
    made_free(&made);
  }
}

/* ---- as a data set ----------------------------------------------------------------------------------------------- */

/* A range of rows as it comes through each door. */
static void expect_rows(const SetosaDataset *dataset, const Made *made, RowRange rows, size_t first) {
  SparseRoom room = {0};
  TargetRoom target_room = {0};
  SparseRows sparse;
  Targets targets;
  SetosaError error = {0};
  size_t entries = made->entries, features = (size_t)made->spec.features, from = (first + rows.begin) * entries;
  bool ones = made->spec.fields > 0;
  assert_int_equal(dataset_entries(dataset, rows), rows.count * entries);
  support_ok(dataset_sparse(&sparse, dataset, rows, &room, &error), &error);
  for (size_t i = 0; i <= rows.count; i++) assert_int_equal(sparse.begin[i] - sparse.begin[0], i * entries);
  assert_memory_equal(sparse.columns + sparse.begin[0], made->columns + from, rows.count * entries * sizeof *made->columns);
  assert_int_equal(sparse.values == NULL, ones);
  if (!ones) assert_memory_equal(sparse.values + sparse.begin[0], made->values + from, rows.count * entries * sizeof *made->values);
  support_ok(dataset_targets(&targets, dataset, rows, &target_room, &error), &error);
  assert_memory_equal(targets.labels, made->labels + first + rows.begin, rows.count * sizeof *made->labels);
  float *dense = malloc(rows.count * features * sizeof *dense);
  support_poison(dense, rows.count * features);
  dataset_dense(dataset, rows, dense);
  for (size_t i = 0; i < rows.count; i++) {
    for (size_t e = from + i * entries; e < from + (i + 1) * entries; e++) {
      assert_true(dense[i * features + made->columns[e]] == made->values[e]);
      dense[i * features + made->columns[e]] = 0;
    }
    for (size_t d = 0; d < features; d++) assert_true(dense[i * features + d] == 0);
  }
  free(dense);
  sparse_room_free(&room);
  target_room_free(&target_room);
}

static void expect_shape(const SetosaDataset *dataset, const Made *made, DataPlace place) {
  DataShape shape = dataset_shape(dataset);
  assert_int_equal(shape.rows, made->rows);
  assert_int_equal(shape.features, made->spec.features);
  assert_int_equal(shape.classes, made->spec.classes);
  assert_int_equal(shape.kind, DATA_SPARSE);
  assert_int_equal(shape.place, place);
  assert_int_equal(shape.entries, made->rows * made->entries);
  assert_int_equal(shape.ones, made->spec.fields > 0);
  assert_true(shape.labelled && shape.exchangeable && setosa_dataset_is_sparse(dataset));
}

static void expect_same_hashes(const SetosaDataset *a, const SetosaDataset *b) {
  char hex[2][HASH_HEX_SIZE];
  SetosaError error = {0};
  assert_int_equal(dataset_fingerprint_blocks(a), 1);
  assert_int_equal(dataset_fingerprint_blocks(b), 1);
  support_ok(dataset_fingerprint_block(hex[0], a, 0, &error), &error);
  support_ok(dataset_fingerprint_block(hex[1], b, 0, &error), &error);
  assert_string_equal(hex[0], hex[1]);
  (void)dataset_glance(b); /* of rows that are nowhere */
}

static void held_and_made_rows_are_the_same(void **state) {
  (void)state;
  const char *const sources[] = {TEXT, FIELDS};
  for (size_t s = 0; s < 2; s++) {
    Made made = make(sources[s]);
    SetosaDataset *held = NULL, *again = NULL, *slice = NULL, *samples[2] = {NULL, NULL};
    SetosaDataOptions options = setosa_data_options_default();
    SetosaError error = {0};
    support_ok(setosa_dataset_load(&held, sources[s], &options, &error), &error);
    options.generate_above_bytes = made.rows * made.entries * 8 - 1;
    support_ok(setosa_dataset_load(&again, sources[s], &options, &error), &error);
    expect_shape(held, &made, DATA_HELD);
    expect_shape(again, &made, DATA_MADE);
    expect_same_hashes(held, again);
    double actual = dataset_square_sum(held, dataset_all(held)); /* the made ones' is expected */
    support_near(dataset_square_sum(again, dataset_all(again)) / actual, 1, 0.03);
    for (size_t i = 0; i < 2; i++) {
      const SetosaDataset *dataset = i == 0 ? held : again;
      expect_rows(dataset, &made, (RowRange){0, made.rows}, 0);
      expect_rows(dataset, &made, (RowRange){100, 33}, 0);
      support_ok(dataset_slice(&slice, dataset, (RowRange){50, 100}, &error), &error);
      expect_rows(slice, &made, (RowRange){7, 20}, 50);
      support_ok(dataset_hold(slice, &error), &error);
      assert_int_equal(dataset_shape(slice).place, DATA_HELD);
      expect_rows(slice, &made, (RowRange){0, 100}, 50);
      setosa_dataset_destroy(slice);
      support_ok(dataset_sample(&samples[i], dataset, 0.3, 5, &error), &error);
    }
    expect_same_hashes(samples[0], samples[1]);
    assert_int_equal(setosa_dataset_rows(samples[0]), setosa_dataset_rows(samples[1]));
    for (int i = 0; i < 2; i++) setosa_dataset_destroy(samples[i]);
    setosa_dataset_destroy(held);
    options.generate_above_bytes++; /* as many are held */
    support_ok(setosa_dataset_load(&held, sources[s], &options, &error), &error);
    expect_shape(held, &made, DATA_HELD);
    options.generate_above_bytes = 0;
    options.parts = 2;
    setosa_dataset_destroy(held);
    support_ok(setosa_dataset_load(&held, sources[s], &options, &error), &error);
    expect_shape(held, &made, DATA_MADE);
    setosa_dataset_destroy(held);
    setosa_dataset_destroy(again);
    made_free(&made);
  }
}

static void options_apply(void **state) {
  (void)state;
  Made made = make(TEXT);
  SetosaDataset *dataset = NULL;
  SparseRows sparse;
  Targets targets;
  SetosaError error = {0};
  support_ok(test_load(&dataset, TEXT, "positive=2 scale=2", &error), &error);
  assert_int_equal(setosa_dataset_classes(dataset), 2);
  support_ok(dataset_sparse(&sparse, dataset, dataset_all(dataset), NULL, &error), &error);
  support_ok(dataset_targets(&targets, dataset, dataset_all(dataset), NULL, &error), &error);
  for (size_t e = 0; e < made.rows * made.entries; e++) assert_true(sparse.values[e] == 2 * made.values[e]);
  for (size_t i = 0; i < made.rows; i++) assert_int_equal(targets.labels[i], made.labels[i] == 2 ? 0 : 1);
  setosa_dataset_destroy(dataset);
  made_free(&made);
}

/* Just below the bound rows are dense, as they always were. */
static void fewer_zeros_are_dense(void **state) {
  (void)state;
  SetosaDataset *dataset = NULL;
  SetosaError error = {0};
  support_ok(setosa_dataset_load(&dataset, "synthetic:rows=50,features=30,sparsity=0.949", NULL, &error), &error);
  assert_false(setosa_dataset_is_sparse(dataset));
  assert_non_null(setosa_dataset_values(dataset));
  setosa_dataset_destroy(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden_hashes),
      cmocka_unit_test(any_chunk_and_thread_gives_the_same_bits),
      cmocka_unit_test(counts_are_exact),
      cmocka_unit_test(rows_follow_the_counters),
      cmocka_unit_test(columns_fall_as_a_power_law),
      cmocka_unit_test(fields_have_one_entry_each),
      cmocka_unit_test(logits_are_those_of_the_true_weights),
      cmocka_unit_test(distances_are_known),
      cmocka_unit_test(held_and_made_rows_are_the_same),
      cmocka_unit_test(options_apply),
      cmocka_unit_test(fewer_zeros_are_dense),
  };
  return support_run("data_synthetic_sparse", tests, NULL, NULL);
}
