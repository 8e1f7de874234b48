/* What a model file says of columns: it comes back bit for bit, and what could not be used is refused. */
#include <math.h>

#include "base/memory.h"
#include "model/files.h"
#include "model/model.h"

static char *copy(const char *text) {
  char *made = NULL;
  assert_int_equal(memory_copy_text(&made, text, NULL), SETOSA_OK);
  return made;
}

/* A number whose digits are many, one that has no mean, and names with all that JSON escapes. */
static Columns *make_columns(void) {
  Columns *columns = NULL;
  assert_int_equal(columns_create(&columns, 3, NULL), SETOSA_OK);
  columns->columns[0] = (Column){.name = copy("a \"b\"\n\xc3\xa9"), .number = 4, .shift = 1600000000000.25, .mean = 0x1.fffffffffffffp1};
  columns->columns[1] = (Column){.name = copy("kind"), .number = 0, .kind = COLUMN_CATEGORICAL, .mean = NAN};
  columns->columns[1].levels = calloc(3, sizeof(char *));
  for (size_t l = 0; l < 3; l++)
    columns->columns[1].levels[columns->columns[1].level_count++] = copy((const char *[]){"A", "a,b", "\xf0\x9f\x90\xa7"}[l]);
  columns->columns[2] = (Column){.name = copy("empty"), .number = 7, .shift = -5e-324, .mean = NAN};
  columns->ids = calloc(1, sizeof(char *));
  columns->ids[columns->id_count++] = copy("ticket");
  columns->label = 3;
  columns->missing = SETOSA_MISSING_MEAN;
  columns->unseen = SETOSA_UNSEEN_ERROR;
  columns->na = copy("-9,x");
  columns->decimal = copy(",");
  return columns;
}

static void expect_text(const char *a, const char *b) {
  assert_true((a == NULL) == (b == NULL));
  if (a != NULL) assert_string_equal(a, b);
}

static void expect_same(const Columns *a, const Columns *b) {
  assert_int_equal(a->count, b->count);
  for (size_t c = 0; c < a->count; c++) {
    const Column *one = &a->columns[c], *other = &b->columns[c];
    expect_text(one->name, other->name);
    assert_int_equal(one->number, other->number);
    assert_int_equal(one->kind, other->kind);
    assert_memory_equal(&one->shift, &other->shift, sizeof one->shift);
    assert_true(one->mean == other->mean || (isnan(one->mean) && isnan(other->mean)));
    assert_int_equal(one->level_count, other->level_count);
    for (size_t l = 0; l < one->level_count; l++) assert_string_equal(one->levels[l], other->levels[l]);
  }
  assert_int_equal(a->id_count, b->id_count);
  for (size_t i = 0; i < a->id_count; i++) assert_string_equal(a->ids[i], b->ids[i]);
  assert_int_equal(a->label, b->label);
  assert_int_equal(a->missing, b->missing);
  assert_int_equal(a->unseen, b->unseen);
  expect_text(a->na, b->na);
  expect_text(a->separator, b->separator);
  expect_text(a->decimal, b->decimal);
}

static void columns_come_back(void **state) {
  (void)state;
  Error error = {0};
  Columns *columns = make_columns(), *read = NULL;
  char *text = NULL, *again = NULL;
  support_ok(columns_to_json(&text, columns, &error), &error);
  support_ok(columns_from_json(&read, text, "m", &error), &error);
  expect_same(columns, read);
  support_ok(columns_to_json(&again, read, &error), &error);
  assert_string_equal(text, again);
  columns_release(read);
  columns_release(columns);
  free(text);
  free(again);
}

static void a_file_keeps_columns(void **state) {
  (void)state;
  Error error = {0};
  const float weights[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  Model *model = NULL, *loaded = NULL;
  SetosaColumn column;
  support_ok(setosa_model_create(&model, 5, 2, weights, NULL, &error), &error);
  model->columns = make_columns();
  support_ok(setosa_model_save(model, test_path, &error), &error);
  support_ok(setosa_model_load(&loaded, test_path, &error), &error);
  expect_same(model->columns, loaded->columns);
  SetosaDataOptions options = setosa_model_data_options(loaded);
  assert_ptr_equal(options.expect_columns, setosa_model_columns(loaded));
  assert_int_equal(options.missing, SETOSA_MISSING_MEAN);
  assert_int_equal(options.unseen, SETOSA_UNSEEN_ERROR);
  assert_string_equal(options.na, "-9,x");
  assert_true(setosa_columns_get(setosa_model_columns(loaded), 1, &column));
  assert_true(column.categorical && column.number == 1 && column.level_count == 3);
  assert_string_equal(column.levels[1], "a,b");
  assert_true(setosa_columns_get(setosa_model_columns(loaded), 0, &column) && column.shift == 1600000000000.25);
  assert_false(setosa_columns_get(setosa_model_columns(loaded), 3, &column));
  assert_string_equal(setosa_columns_id(setosa_model_columns(loaded), 0), "ticket");
  assert_null(setosa_columns_id(setosa_model_columns(loaded), 1));
  for (size_t i = 0; setosa_model_metadata(loaded, i, NULL, NULL); i++) assert_string_not_equal(loaded->metadata[i].key, "columns");
  setosa_model_destroy(loaded);
  /* Five features are made of these; a model of four is another's. */
  free(model->columns->columns[1].levels[2]);
  model->columns->columns[1].level_count = 2;
  support_ok(setosa_model_save(model, test_path, &error), &error);
  assert_int_equal(setosa_model_load(&loaded, test_path, &error), SETOSA_ERROR_DATA);
  assert_non_null(strstr(error.message, "\"columns\" make 4 features but the weights are for 5"));
  setosa_model_destroy(model);
}

#define NUMBER "{\"number\":0}"
#define REST ",\"missing\":\"drop\",\"unseen\":\"zero\"}"

static void what_cannot_be_used_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } wrong[] = {
      {"", "is not a JSON object"},
      {"[]", "is not a JSON object"},
      {"{\"columns\":{}" REST, "is not a JSON object"},
      {"{\"columns\":[1]" REST, "a column without a number"},
      {"{\"columns\":[{}]" REST, "a column without a number"},
      {"{\"columns\":[{\"number\":-1}]" REST, "a column without a number"},
      {"{\"columns\":[{\"number\":1e3}]" REST, "a column without a number"},
      {"{\"columns\":[{\"number\":99999999999}]" REST, "a column without a number"},
      {"{\"columns\":[" NUMBER "," NUMBER "]" REST, "two columns of one number"},
      {"{\"columns\":[{\"number\":0,\"name\":\"a\"},{\"number\":1,\"name\":\"a\"}]" REST, "two columns of one name"},
      {"{\"columns\":[{\"number\":0,\"name\":\"a\"},{\"number\":1}]" REST, "names some of the columns only"},
      {"{\"columns\":[{\"number\":0,\"name\":\"\"}]" REST, "where a text belongs"},
      {"{\"columns\":[{\"number\":0,\"name\":7}]" REST, "where a text belongs"},
      {"{\"columns\":[{\"number\":0,\"shift\":\"1\"}]" REST, "where a number belongs"},
      {"{\"columns\":[{\"number\":0,\"mean\":null}]" REST, "where a number belongs"},
      {"{\"columns\":[{\"number\":0,\"levels\":7}]" REST, "where a list of texts belongs"},
      {"{\"columns\":[{\"number\":0,\"levels\":[]}]" REST, "a column without levels"},
      {"{\"columns\":[{\"number\":0,\"levels\":[\"a\",1]}]" REST, "where a list of texts belongs"},
      {"{\"columns\":[{\"number\":0,\"levels\":[\"a\",\"\"]}]" REST, "where a list of texts belongs"},
      {"{\"columns\":[{\"number\":0,\"levels\":[\"b\",\"a\"]}]" REST, "levels that are not in their order"},
      {"{\"columns\":[{\"number\":0,\"levels\":[\"a\",\"a\"]}]" REST, "levels that are not in their order"},
      {"{\"columns\":[" NUMBER "],\"label\":0" REST, "a label without a number"},
      {"{\"columns\":[" NUMBER "],\"label\":\"1\"" REST, "a label without a number"},
      {"{\"columns\":[" NUMBER "],\"ids\":\"a\"" REST, "where a list of texts belongs"},
      {"{\"columns\":[" NUMBER "],\"missing\":\"mode\"}", "a choice that is none"},
      {"{\"columns\":[" NUMBER "],\"unseen\":1}", "a choice that is none"},
      {"{\"columns\":[" NUMBER "],\"na\":[]" REST, "where a text belongs"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    Error error = {0};
    Columns *read = NULL;
    support_fails(columns_from_json(&read, wrong[i].text, "m.safetensors", &error), &error, SETOSA_ERROR_DATA,
                  "m.safetensors: the metadata \"columns\" ");
    if (strstr(error.message, wrong[i].message) == NULL) fail_msg("%s: \"%s\", not \"%s\"", wrong[i].text, error.message, wrong[i].message);
    assert_null(read);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_come_back),
      cmocka_unit_test(a_file_keeps_columns),
      cmocka_unit_test(what_cannot_be_used_is_refused),
  };
  return support_run("model_columns", tests, create_test_folder, remove_test_folder);
}
