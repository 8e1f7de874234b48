/* Limits of the host and of a device are what a clock beside them sees, and what a pass over sparse rows must do is counted as its formula
 * has it. No test of how fast anything is. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/limits.h"
#include "bench/limits_sparse.h"
#include "opencl/kernel.h"
#include "support/device.h"

/* Work over time of the kernel that was chosen, on a machine that others may use meanwhile: a wrong unit or count is off by far more. */
static void check_rate(Limits *limits, int read, double measured) {
  Error error = {0};
  double work = 0, best = DBL_MAX;
  for (int sample = 0; sample < 5; sample++) {
    double began = clock_seconds();
    support_ok(limits->operations->run(limits, read, limits->best[read], limits->rounds[read], &work, &error), &error);
    best = fmin(best, clock_seconds() - began);
  }
  double rate = 1e-9 * work / best;
  if (!(measured > rate / 8 && measured < rate * 8)) fail_msg("%s: %g, a clock says %g", read ? "read" : "fma", measured, rate);
}

static void host_limits_agree_with_a_clock(void **state) {
  (void)state;
  Error error = {0};
  Limits *limits = NULL;
  SetosaBenchLimits measured = {.fma_gflops = NAN};
  support_ok(limits_open_host(&limits, &error), &error);
  support_ok(limits_measure(limits, &measured, &error), &error);
  check_rate(limits, 0, measured.fma_gflops);
  check_rate(limits, 1, measured.read_gbytes_per_s);
  limits_close(limits);
  assert_true(isnan(measured.upload_gbytes_per_s) && isnan(measured.launch_us)); /* nothing is uploaded and nothing launched */
}

/* Work is counted, not guessed: twice the rounds are twice the work, for every kernel of both kinds. */
static void check_counting(Limits *limits) {
  Error error = {0};
  for (int read = 0; read <= 1; read++) {
    size_t count = limits->operations->count(limits, read);
    assert_true(count > 0 && limits->best[read] < count && limits->rounds[read] > 0);
    for (size_t which = 0; which < count; which++) {
      double once = 0, twice = 0;
      support_ok(limits->operations->run(limits, read, which, 1, &once, &error), &error);
      support_ok(limits->operations->run(limits, read, which, 2, &twice, &error), &error);
      assert_true(once > 0);
      support_near(twice / once, 2, 1e-12);
    }
  }
}

static void work_is_counted(void **state) {
  (void)state;
  Error error = {0};
  Limits *limits = NULL;
  support_ok(limits_open_host(&limits, &error), &error);
  check_counting(limits);
  limits_close(limits);
}

/* Copies of 64 MB there and back; a launch takes no nanoseconds and no tenth of a second. */
static void check_transfers(Context *context, const SetosaBenchLimits *measured) {
  enum { BYTES = 64 << 20, SAMPLES = 5 };
  Error error = {0};
  Buffer *buffer = NULL;
  double up = DBL_MAX, down = DBL_MAX;
  char *host = calloc(BYTES, 1);
  assert_non_null(host);
  support_ok(buffer_create(&buffer, context, BYTES, "bytes", &error), &error);
  for (int sample = 0; sample < SAMPLES; sample++) {
    double began = clock_seconds();
    support_ok(buffer_write(buffer, 0, BYTES, host, &error), &error);
    support_ok(context_finish(context, &error), &error);
    up = fmin(up, clock_seconds() - began);
    began = clock_seconds();
    support_ok(buffer_read(buffer, 0, BYTES, host, &error), &error);
    down = fmin(down, clock_seconds() - began);
  }
  buffer_destroy(buffer);
  free(host);
  const double seen[] = {1e-9 * BYTES / up, 1e-9 * BYTES / down}, said[] = {measured->upload_gbytes_per_s, measured->download_gbytes_per_s};
  for (int i = 0; i < 2; i++)
    if (!(said[i] > seen[i] / 8 && said[i] < seen[i] * 8))
      fail_msg("%s: %g GB/s, a clock says %g", i ? "download" : "upload", said[i], seen[i]);
  assert_true(measured->launch_us > 0.01 && measured->launch_us < 1e5);
}

static void device_limits_agree_with_a_clock(void **state) {
  (void)state;
  Error error = {0};
  Context *context = support_device();
  Limits *limits = NULL;
  SetosaBenchLimits measured = {.fma_gflops = NAN};
  support_ok(limits_open_device(&limits, context, &error), &error);
  support_ok(limits_measure(limits, &measured, &error), &error);
  check_counting(limits);
  check_rate(limits, 0, measured.fma_gflops);
  check_rate(limits, 1, measured.read_gbytes_per_s);
  limits_close(limits);
  assert_int_equal(context_bytes(context), 0);
  check_transfers(context, &measured);
}

/* The kernels do the work they are credited with, in groups of one (cpu family) and of many (gpu family): every element of x is read once,
 * since x holds other numbers each time; and every chain runs, since a = a / 2 + 1 ends at 2 only when it does. */
static void check_kernels(Context *context, size_t items) {
  enum { GROUPS = 3, SLICES = 2 };
  static const struct {
    const char *name;
    size_t lanes, chains;
  } fma[] = {{"fma_1x8", 1, 8},   {"fma_1x12", 1, 12}, {"fma_4x8", 4, 8},    {"fma_8x8", 8, 8},
             {"fma_8x12", 8, 12}, {"fma_16x8", 16, 8}, {"fma_16x12", 16, 12}},
    read[] = {{"read_1", 1, 4}, {"read_4", 4, 4}, {"read_8", 8, 4}, {"read_16", 16, 4}};
  Error error = {0};
  Buffer *x = NULL, *out = NULL;
  Kernel *kernel = NULL;
  size_t most = GROUPS * SLICES * items * 4 * 16;
  float *values = malloc(most * sizeof *values), *sums = malloc(GROUPS * items * sizeof *sums);
  assert_true(values != NULL && sums != NULL);
  for (size_t i = 0; i < most; i++) values[i] = (float)(i % 7 + 1);
  KernelRange range = {.global = {GROUPS * items}, .local = {items}};
  support_ok(buffer_create(&x, context, most * sizeof *values, "x", &error), &error);
  support_ok(buffer_create(&out, context, GROUPS * items * sizeof *sums, "sums", &error), &error);
  support_ok(buffer_write(x, 0, most * sizeof *values, values, &error), &error);
  for (size_t k = 0; k < sizeof fma / sizeof *fma + sizeof read / sizeof *read; k++) {
    bool reads = k >= sizeof fma / sizeof *fma;
    size_t which = reads ? k - sizeof fma / sizeof *fma : k, lanes = reads ? read[which].lanes : fma[which].lanes;
    double expected = 0, actual = 0;
    support_poison(sums, GROUPS * items);
    support_ok(buffer_write(out, 0, GROUPS * items * sizeof *sums, sums, &error), &error);
    support_ok(kernel_create(&kernel, context, "limits", "", reads ? read[which].name : fma[which].name, &error), &error);
    if (reads) {
      uint64_t slice = SLICES * 4 * items;
      for (size_t i = 0; i < GROUPS * slice * lanes; i++) expected += (double)values[i];
      support_ok(kernel_launch(kernel, range, &error, ARG(x), ARG(slice), ARG(out)), &error);
    } else {
      uint32_t rounds = 10; /* 80 halvings: 2 to the last bit */
      expected = 2.0 * (double)(GROUPS * items * lanes * fma[which].chains);
      support_ok(kernel_launch(kernel, range, &error, ARG(out), ARG(rounds), ARG(0.5f), ARG(1.0f)), &error);
    }
    support_ok(buffer_read(out, 0, GROUPS * items * sizeof *sums, sums, &error), &error);
    for (size_t i = 0; i < GROUPS * items; i++) actual += (double)sums[i];
    if (fabs(actual - expected) > 1e-6 * expected)
      fail_msg("%s, groups of %zu: %.9g, expected %.9g", reads ? read[which].name : fma[which].name, items, actual, expected);
    kernel_destroy(kernel);
  }
  buffer_destroy(x);
  buffer_destroy(out);
  free(values);
  free(sums);
}

static void kernels_do_their_work(void **state) {
  (void)state;
  Context *context = support_device();
  check_kernels(context, 1);
  check_kernels(context, 64);
}

/* ---- sparse rows ------------------------------------------------------------------------------------------------ */

static void rows_of_tables_have_lines(void **state) {
  (void)state;
  static const struct {
    size_t classes, stride;
    double lines;
  } table[] = {{1, 2, 1},   {2, 2, 1},   {3, 4, 1},   {10, 12, 1.5}, {16, 16, 1},
               {20, 20, 2}, {50, 52, 4}, {64, 64, 4}, {65, 72, 5},   {100, 104, 7}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    size_t stride = gather_stride(table[i].classes), lines = 0;
    assert_int_equal(stride, table[i].stride);
    for (size_t row = 0; row < CACHE_LINE; row++) /* counted one by one */
      lines += ((row + 1) * stride * 4 - 1) / CACHE_LINE - row * stride * 4 / CACHE_LINE + 1;
    support_near(table[i].lines, (double)lines / CACHE_LINE, 1e-12);
    support_near(gather_lines(table[i].classes), table[i].lines, 1e-12);
  }
}

/* Every loop reads every float of its rows: for each width of a tile, and for rows of several tiles. */
static void loops_read_all_rows(void **state) {
  (void)state;
  for (size_t classes = 2; classes <= 136; classes += classes < 64 ? 4 : 24) {
    Error error = {0};
    GatherLimits *limits = NULL;
    support_ok(gather_limits_open(&limits, classes, 1, &error), &error);
    for (size_t loop = 0; loop < gather_limits_loops(limits); loop++)
      for (size_t count = 64; count <= 640; count *= 10)
        support_near(gather_limits_sum(limits, loop, count), (double)GATHER_VALUE * (double)(count * gather_stride(classes)), 1e-6);
    gather_limits_close(limits);
  }
}

/* What is asked for is measured, larger tables cost what the largest does, and samples begin anew. */
static void gathers_are_sampled(void **state) {
  (void)state;
  enum { MEASURED = 3 };
  Error error = {0};
  GatherLimits *limits = NULL;
  support_ok(gather_limits_open(&limits, 3, gather_bytes(MEASURED - 1), &error), &error);
  for (int i = 0; i < 3; i++) support_ok(gather_limits_sample(limits, &error), &error);
  GatherTimes times = gather_limits_times(limits);
  for (size_t i = 0; i < GATHER_SIZES; i++) {
    assert_true(times.random[i] > 0 && isfinite(times.random[i]) && times.ordered[i] > 0 && isfinite(times.ordered[i]));
    if (i >= MEASURED) assert_true(times.random[i] == times.random[MEASURED - 1] && times.ordered[i] == times.ordered[MEASURED - 1]);
  }
  gather_limits_begin(limits);
  assert_true(isnan(gather_limits_times(limits).random[0]));
  gather_limits_close(limits);
}

static double total(const SparseGathers *gathers) {
  double sum = 0;
  for (size_t i = 0; i < GATHER_SIZES; i++) sum += gathers->rows[i];
  return sum;
}

/* Rows of 16 classes are one line, so that 256 columns are 16 KB and 1024 are 64 KB. */
static void columns_cost_what_their_rank_does(void **state) {
  (void)state;
  enum { ROWS = 1000, COLUMNS = 1024 };
  uint64_t counts[COLUMNS];
  SparseTally tally;
  for (size_t c = 0; c < COLUMNS; c++) counts[c] = 1;
  counts[700] = 1000; /* wherever it stands, it is the first */
  counts[701] = 0;
  sparse_tally_count(&tally, ROWS, 16, false, counts, COLUMNS);
  assert_true(tally.stride == 16 && tally.lines == 1 && tally.weights_bytes == 1023 * 64);
  support_near(tally.entries, 2022, 1e-12);
  support_near(total(&tally.logits), 2022, 1e-12);
  support_near(tally.next, (1000.0 * 1000 + 1022) / ROWS, 1e-12);
  double upper = 0; /* parts of those from 16 KB on, straight over the logarithm */
  for (size_t rank = 257; rank <= 1023; rank++) upper += log((double)rank / 256) / log(4);
  support_near(tally.logits.rows[1], upper, 1e-9);
  support_near(tally.logits.rows[0], 2022 - upper, 1e-9);
  for (size_t i = 0; i < GATHER_SIZES; i++) { /* 16 KB are 256 rows; no block is larger than the data */
    double block = fmin(1000, gather_bytes(i) / 64), blocks = ceil(ROWS / block);
    support_near(tally.cut[i].bytes, 64 * block, 1e-12);
    support_near(tally.cut[i].blocks, blocks, 1e-12);
    support_near(tally.cut[i].columns, blocks * (1 + 1022 * (1 - pow(1 - 1.0 / ROWS, block))), 1e-9);
  }
}

static void passes_are_counted(void **state) {
  (void)state;
  uint64_t counts[3] = {100, 40, 10};
  SparseTally tally;
  GatherTimes times;
  sparse_tally_count(&tally, 100, 50, false, counts, 3); /* rows of 52 floats, 4 lines; all rows are one block of 20.8 KB, or two */
  SparsePass pass = {.tally = &tally, .logits = 1, .gradients = 1, .value_bytes = 4, .cut = GATHER_SIZES - 1};
  double columns = tally.cut[pass.cut].columns;
  support_near(columns, 1 + 1 - pow(0.6, 100) + 1 - pow(0.9, 100), 1e-12);
  support_near(sparse_pass_bytes(&pass), 8 * 100 + 8 * 150 + 208 * columns + 6 * 150 + (8 + 2 * 208) * columns + 208 * 100, 1e-12);
  for (size_t i = 0; i < GATHER_SIZES; i++) times.random[i] = 2, times.ordered[i] = 0.5;
  double next = (100.0 * 100 + 40 * 40 + 10 * 10) / 100; /* 117 of the 150 follow each other */
  support_near(sparse_pass_gathers(&pass, &times, NAN), 1e-9 * 4 * (2 * 150 + 0.5 * next + 2 * (150 - next)), 1e-15);
  support_near(1e9 * sparse_pass_gathers(&pass, NULL, 8), 64 * 4 * 300 / 8.0, 1e-9);
  const SparsePass predict = {.tally = &tally, .logits = 1, .value_bytes = 2, .cut = pass.cut};
  support_near(sparse_pass_bytes(&predict), 8 * 100 + 6 * 150 + 208 * columns, 1e-12);
  support_near(1e9 * sparse_pass_gathers(&predict, &times, NAN), 4 * 2 * 150, 1e-9);
  /* Large blocks move weights and gradients less often; small ones are nearer. */
  sparse_pass_cut(&pass, &times, 1e-3);
  assert_true(tally.cut[pass.cut].blocks == 1);
  for (size_t i = 0; i < GATHER_SIZES; i++) times.random[i] = i == 0 ? 1 : 1e9, times.ordered[i] = times.random[i];
  sparse_pass_cut(&pass, &times, 1);
  assert_int_equal(pass.cut, 0);
}

/* Columns of a data set, counted one by one; and rows that are made as they are asked for. */
static void data_sets_are_counted(void **state) {
  (void)state;
  static const char *const sources[] = {"synthetic:rows=700,features=500,classes=3,sparsity=0.98",
                                        "synthetic:rows=300,features=100,classes=2,fields=4"};
  for (size_t s = 0; s < 2; s++)
    for (int made = 0; made <= 1; made++) {
      Error error = {0};
      Dataset *dataset = NULL;
      SparseTally tally, expected;
      SparseRows rows;
      SparseRoom room = {0};
      uint64_t counts[500] = {0};
      SetosaDataOptions options = setosa_data_options_default();
      if (made) options.generate_above_bytes = 1;
      support_ok(setosa_dataset_load(&dataset, sources[s], &options, &error), &error);
      DataShape shape = dataset_shape(dataset);
      support_ok(sparse_tally_make(&tally, dataset, &error), &error);
      support_ok(dataset_sparse(&rows, dataset, dataset_all(dataset), &room, &error), &error);
      for (uint64_t i = rows.begin[0]; i < rows.begin[shape.rows]; i++) counts[rows.columns[i]]++;
      sparse_tally_count(&expected, shape.rows, shape.classes, shape.ones, counts, shape.features);
      assert_true(tally.ones == (s == 1) && tally.rows == shape.rows && tally.classes == shape.classes);
      support_near(tally.entries, (double)shape.entries, 0);
      support_near(tally.next, expected.next, 1e-12);
      for (size_t i = 0; i < GATHER_SIZES; i++) {
        support_near(tally.logits.rows[i], expected.logits.rows[i], 1e-12);
        support_near(tally.cut[i].columns, expected.cut[i].columns, 1e-12);
      }
      sparse_room_free(&room);
      setosa_dataset_destroy(dataset);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(host_limits_agree_with_a_clock),
      cmocka_unit_test(work_is_counted),
      cmocka_unit_test(device_limits_agree_with_a_clock),
      cmocka_unit_test(kernels_do_their_work),
      cmocka_unit_test(rows_of_tables_have_lines),
      cmocka_unit_test(loops_read_all_rows),
      cmocka_unit_test(gathers_are_sampled),
      cmocka_unit_test(columns_cost_what_their_rank_does),
      cmocka_unit_test(passes_are_counted),
      cmocka_unit_test(data_sets_are_counted),
  };
  return support_run("limits", tests, support_device_open, support_device_close);
}
