/* A pass over the parts of a text: what comes of it, and in which order, however many parts and threads there are. */
#include "data/table/pass.h"

#include "data/table.h"

/* The work: the first numbers of the records of a part are summed and listed. */
typedef struct Sum {
  double sum;
  uint64_t rows, first_line;
} Sum;

typedef struct Sums {
  Dialect dialect;
  double sum;
  uint64_t rows, parts, next_line;
  size_t created, destroyed;
  uint64_t stop_at; /* the take of this part fails; 0: none does */
} Sums;

static Status sum_part(void *user, void *result, const TextPart *part, Error *error) {
  Status status = SETOSA_OK;
  const Sums *sums = user;
  Sum *sum = result;
  Records records = {0};
  bool more = true;
  double value = 0;
  *sum = (Sum){.first_line = part->line};
  records_begin(&records, part, &sums->dialect);
  while (more) {
    TRY(records_next(&records, &more, error));
    if (!more) break;
    if (!field_number(&records.fields[0], '.', &value))
      TRY(error_set(error, SETOSA_ERROR_DATA, "%s:%llu: no number", part->file, (unsigned long long)records.line));
    sum->sum += value;
    sum->rows++;
  }
cleanup:
  records_free(&records);
  return status;
}

static Status take_sum(void *user, void *result, const TextPart *part, Error *error) {
  Sums *sums = user;
  const Sum *sum = result;
  assert_int_equal(part->index, sums->parts);
  assert_int_equal(sum->first_line, part->line);
  sums->sum += sum->sum;
  sums->rows += sum->rows;
  if (++sums->parts == sums->stop_at) return error_set(error, SETOSA_ERROR_DATA, "stopped at %llu", (unsigned long long)sums->parts);
  return SETOSA_OK;
}

static Status create_sum(void *user, void **result, Error *error) {
  (void)error;
  ((Sums *)user)->created++;
  *result = calloc(1, sizeof(Sum));
  assert_non_null(*result);
  return SETOSA_OK;
}

static void destroy_sum(void *user, void *result) {
  ((Sums *)user)->destroyed++;
  free(result);
}

static uint64_t rows_of(const void *user) { return ((const Sums *)user)->rows; }

static PassWork work_of(Sums *sums) {
  *sums = (Sums){.dialect = {.separator = ',', .decimal = '.'}};
  return (PassWork){sum_part, take_sum, create_sum, destroy_sum, rows_of, sums};
}

/* "1,x\n2,x\n..." up to rows; free() it. bad: the row, from 1, that has a word instead. */
static char *count_up(size_t rows, size_t bad, size_t *length) {
  char *text = malloc(rows * 12 + 1);
  *length = 0;
  for (size_t i = 1; i <= rows; i++) *length += (size_t)sprintf(text + *length, i == bad ? "word,x\n" : "%zu,x\n", i);
  return text;
}

static Status run_pass(Sums *sums, const char *text, size_t length, size_t part_bytes, size_t threads, SetosaProgressCallback progress,
                       Error *error) {
  TestTable table;
  TableText *parts = NULL;
  PassWork work = work_of(sums);
  (void)threads;
  test_table_open(&table, "pass.csv", text, length);
  table.options.progress = progress;
  support_ok(table_text_open_in_parts(&parts, &table.reader, part_bytes, error), error);
  Status status = table_pass(parts, &table.reader, &work, error);
  assert_int_equal(sums->created, sums->destroyed);
  table_text_close(parts);
  test_table_close(&table);
  return status;
}

static void every_row_is_taken_in_order(void **state) {
  (void)state;
  const size_t rows = 20000;
  size_t length = 0;
  char *text = count_up(rows, 0, &length);
  static const size_t sizes[] = {1000, 10000, 1 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    Sums sums;
    SetosaError error = {0};
    support_ok(run_pass(&sums, text, length, sizes[i], 1, NULL, &error), &error);
    assert_int_equal(sums.rows, rows);
    assert_true(sums.sum == (double)rows * (double)(rows + 1) / 2);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_taken_in_order),
  };
  return support_run("data_table_pass", tests, make_folder, remove_folder);
}
