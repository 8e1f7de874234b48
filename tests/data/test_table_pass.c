/* A pass over the parts of a text: what comes of it, and in which order, however many parts and threads there are. */
#include "data/table/pass.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

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
  SetosaProgressCallback progress;
} Sums;

static Status sum_part(void *user, void *result, const TextPart *part, Error *error) {
  Status status = SETOSA_OK;
  const Sums *sums = user;
  Sum *sum = result; /* of the part before */
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

/* "1,x\n2,x\n..." up to rows; free() it. bad: the row, from 1, that has a word instead. */
static char *count_up(size_t rows, size_t bad, size_t *length) {
  char *text = malloc(rows * 12 + 1);
  *length = 0;
  for (size_t i = 1; i <= rows; i++) *length += (size_t)sprintf(text + *length, i == bad ? "word,x\n" : "%zu,x\n", i);
  return text;
}

enum { NO_LIMIT = 1000 };
static size_t threads_left = NO_LIMIT; /* that the system lets start */

/* In front of the system's own. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
  *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
  assert_non_null(create);
  if (threads_left == 0) return EAGAIN;
  threads_left--;
  return create(thread, attributes, run, argument);
}

static Status run_pass(Sums *sums, const char *text, size_t length, size_t part_bytes, size_t threads, Error *error) {
  TestTable table;
  TableText *parts = NULL;
  PassWork work = {sum_part, take_sum, create_sum, destroy_sum, rows_of, sums};
  sums->dialect = (Dialect){.separator = ',', .decimal = '.'};
  test_table_open(&table, "pass.csv", text, length);
  table.options.progress = sums->progress;
  table.options.progress_user = sums;
  support_ok(table_text_open_in_parts(&parts, &table.reader, part_bytes, error), error);
  Status status = table_pass_on(parts, &table.reader, &work, threads, error);
  if (status == SETOSA_OK) { /* and again: a text can be read as often as it is wanted */
    double sum = sums->sum;
    uint64_t rows = sums->rows;
    sums->sum = 0;
    sums->rows = sums->parts = 0;
    support_ok(table_pass_on(parts, &table.reader, &work, threads, error), error);
    assert_true(sums->sum == sum);
    assert_int_equal(sums->rows, rows);
  }
  assert_int_equal(sums->created, sums->destroyed);
  table_text_close(parts);
  test_table_close(&table);
  return status;
}

enum { ROWS = 20000, THREADS = 5 };
static const size_t sizes[] = {1000, 10000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void every_row_is_taken_in_order(void **state) {
  (void)state;
  size_t length = 0;
  char *text = count_up(ROWS, 0, &length);
  for (size_t i = 0; i < SIZES; i++) {
    for (size_t threads = 0; threads <= THREADS; threads++) {
      Sums sums = {0};
      SetosaError error = {0};
      threads_left = NO_LIMIT;
      support_ok(run_pass(&sums, text, length, sizes[i], threads, &error), &error);
      assert_int_equal(sums.rows, ROWS);
      assert_true(sums.sum == (double)ROWS * (ROWS + 1) / 2);
      bool alone = threads < 2 || sums.parts == 1;
      assert_int_equal(threads_left, NO_LIMIT - (alone ? 0 : 2 * threads)); /* each of two passes; none for a part by itself */
    }
  }
  free(text);
}

static void where_threads_cannot_be_had_fewer_do(void **state) {
  (void)state;
  size_t length = 0;
  char *text = count_up(ROWS, 0, &length);
  for (size_t left = 0; left < 2 * THREADS; left++) {
    Sums sums = {0};
    SetosaError error = {0};
    threads_left = left;
    support_ok(run_pass(&sums, text, length, 1000, THREADS, &error), &error);
    assert_int_equal(sums.rows, ROWS);
  }
  threads_left = NO_LIMIT;
  free(text);
}

static void the_first_error_of_the_text_is_told(void **state) {
  (void)state;
  size_t length = 0;
  for (size_t round = 0; round < 20; round++) {
    size_t bad = 1 + round * ROWS / 20;
    char *text = count_up(ROWS, bad, &length), expected[32];
    memcpy(strstr(text + length - 300, "\n") + 1, "!", 1); /* another, near the end */
    snprintf(expected, sizeof expected, "pass.csv:%zu: no number", bad);
    for (size_t threads = 1; threads <= THREADS; threads += 2) {
      Sums sums = {0};
      SetosaError error = {0};
      support_fails(run_pass(&sums, text, length, 1000, threads, &error), &error, SETOSA_ERROR_DATA, test_folder);
      assert_non_null(strstr(error.message, expected));
      assert_true(sums.rows < bad);
    }
    free(text);
  }
}

/* What cannot be read comes after the records before it. */
static void an_error_of_the_text_waits_for_what_is_before_it(void **state) {
  (void)state;
  size_t length = 0;
  for (int bad = 0; bad < 2; bad++) {
    char *text = count_up(ROWS, bad ? ROWS / 2 : 0, &length);
    text[length / 4 * 3] = '\0';
    for (size_t threads = 1; threads <= THREADS; threads += 2) {
      Sums sums = {0};
      SetosaError error = {0};
      support_fails(run_pass(&sums, text, length, 1000, threads, &error), &error, SETOSA_ERROR_DATA, test_folder);
      assert_non_null(strstr(error.message, bad ? ": no number" : ": the line holds a zero byte"));
    }
    free(text);
  }
}

static void taking_may_fail(void **state) {
  (void)state;
  size_t length = 0;
  char *text = count_up(ROWS, 0, &length);
  for (size_t threads = 1; threads <= THREADS; threads++) {
    for (uint64_t stop = 1; stop < 12; stop++) {
      Sums sums = {.stop_at = stop};
      SetosaError error = {0};
      support_fails(run_pass(&sums, text, length, 1000, threads, &error), &error, SETOSA_ERROR_DATA, "stopped at");
      assert_int_equal(sums.parts, stop);
    }
  }
  free(text);
}

static bool stop_at_once(const SetosaProgress *progress, void *user) {
  (void)progress;
  (void)user;
  return false;
}

static void the_callback_may_stop_it(void **state) {
  (void)state;
  size_t length = 0;
  char *text = count_up(ROWS, 0, &length);
  for (size_t threads = 1; threads <= THREADS; threads++) {
    Sums sums = {.progress = stop_at_once};
    SetosaError error = {0};
    support_fails(run_pass(&sums, text, length, 1000, threads, &error), &error, SETOSA_INTERRUPTED, test_folder);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_taken_in_order),
      cmocka_unit_test(where_threads_cannot_be_had_fewer_do),
      cmocka_unit_test(the_first_error_of_the_text_is_told),
      cmocka_unit_test(an_error_of_the_text_waits_for_what_is_before_it),
      cmocka_unit_test(taking_may_fail),
      cmocka_unit_test(the_callback_may_stop_it),
  };
  return support_run("data_table_pass", tests, make_folder, remove_folder);
}
