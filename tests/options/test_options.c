/* The table of options: every public field is in it, every value survives being written and read, every range holds. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"
#include "options/change.h"
#include "setosa_bench.h"

/* Room for any of the three structs, with their defaults. */
typedef struct Homes {
  SetosaDataOptions data;
  SetosaTrainOptions train;
} Homes;

static Homes defaults(void) { return (Homes){.data = {.header = -1, .scale = NAN}, .train = setosa_train_options_default()}; }

static void *home_of(const OptionRow *row, Homes *homes) {
  if (row->home == OPTION_OF_DATA) return &homes->data;
  if (row->home == OPTION_OF_COMPUTE) return &homes->train.compute;
  assert_int_equal(row->home, OPTION_OF_TRAINING);
  return &homes->train;
}

static void test_values_survive(void **state) {
  (void)state;
  char room[OPTION_VALUE], again[OPTION_VALUE];
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const OptionRow *row = &rows[i];
    Homes begun = defaults(), read = defaults();
    void *from = home_of(row, &begun), *to = home_of(row, &read);
    if (option_is_set(row, from) || row->kind == OPTION_REAL) { /* the default itself */
      support_ok(option_parse(row, to, option_print(room, row, from), NULL), NULL);
      if (row->kind != OPTION_SET) assert_true(option_same(row, from, to));
    }
    change_option(row, from);
    support_ok(option_parse(row, to, option_print(room, row, from), NULL), NULL);
    if (!option_same(row, from, to))
      fail_msg("--%s: %s became %s", option_flag(row), option_print(room, row, from), option_print(again, row, to));
    Homes copied = defaults();
    option_copy(row, home_of(row, &copied), from);
    assert_true(option_same(row, from, home_of(row, &copied)));
    /* A change touches this row's place and no other. */
    Homes fresh = defaults();
    for (size_t k = 0; k < count; k++) {
      bool same = option_same(&rows[k], home_of(&rows[k], &fresh), home_of(&rows[k], &begun));
      if (rows[k].home == row->home && rows[k].offset == row->offset)
        assert_false(same);
      else
        assert_true(same);
    }
  }
}

static void test_flags(void **state) {
  (void)state;
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    bool takes_none = rows[i].kind == OPTION_FLAG || rows[i].kind == OPTION_NOT || rows[i].kind == OPTION_SET;
    assert_true(takes_none == (rows[i].argument == NULL));
    assert_true(rows[i].commands != 0);
    for (size_t k = 0; k < i; k++) assert_string_not_equal(option_flag(&rows[i]), option_flag(&rows[k]));
    if (!takes_none) continue;
    Homes homes = defaults();
    Homes given = homes;
    support_ok(option_parse(&rows[i], home_of(&rows[i], &given), NULL, NULL), NULL);
    assert_false(option_same(&rows[i], home_of(&rows[i], &homes), home_of(&rows[i], &given)));
  }
}

/* Whether a text is refused with "--flag "TEXT": give ...", and nothing set. */
static void expect_refused(const OptionRow *row, const char *text) {
  Homes homes = defaults(), before = homes;
  SetosaError error = {0};
  char beginning[128];
  snprintf(beginning, sizeof beginning, "--%s \"%s\": ", option_flag(row), text);
  support_fails(option_parse(row, home_of(row, &homes), text, &error), &error, SETOSA_ERROR_USAGE, beginning);
  assert_true(option_same(row, home_of(row, &homes), home_of(row, &before)));
}

/* Sets a number without looking at its range. */
static void put(const OptionRow *row, void *home, double value) {
  void *place = (char *)home + row->offset;
  if (row->kind == OPTION_REAL) *(double *)place = value;
  if (row->kind == OPTION_COUNT) *(uint64_t *)place = (uint64_t)value;
  if (row->kind == OPTION_SIZE) *(size_t *)place = (size_t)value;
}

/* The words for a C caller are those for the command line. */
static void expect_alike(const OptionRow *row, double value) {
  Homes homes = defaults(), read = homes;
  SetosaError checked = {0}, parsed = {0};
  char room[OPTION_VALUE];
  put(row, home_of(row, &homes), value);
  assert_int_equal(option_check(row, home_of(row, &homes), &checked), SETOSA_ERROR_USAGE);
  option_parse(row, home_of(row, &read), option_print(room, row, home_of(row, &homes)), &parsed);
  assert_string_equal(checked.message, parsed.message);
}

static void test_ranges(void **state) {
  (void)state;
  size_t count = 0, numbers = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    const OptionRow *row = &rows[i];
    bool whole = row->kind == OPTION_COUNT || row->kind == OPTION_SIZE;
    if (row->kind == OPTION_CHOICE) expect_refused(row, "zzzzzzzzz");
    if (row->kind == OPTION_TEXT) expect_refused(row, "");
    if (row->kind == OPTION_BYTES) expect_refused(row, "lots");
    if (!whole && row->kind != OPTION_REAL) continue;
    numbers++;
    static const char *const none[] = {"", "x", "nan", "inf", "0x10", "1,5", "1e999"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) expect_refused(row, none[k]);
    if (whole) expect_refused(row, "2.5");
    if (whole) expect_refused(row, "99999999999999999999");
    if (!whole) expect_alike(row, INFINITY);
    if (!whole && !row->may_be_unset) expect_alike(row, NAN);
    double step = whole ? 1.0 : 0.001;
    if (isfinite(row->least) && (!whole || row->least > 0)) expect_alike(row, row->open_least ? row->least : row->least - step);
    if (isfinite(row->most)) expect_alike(row, row->open_most ? row->most : row->most * 1.5);
    if (row->not_zero) expect_alike(row, 0.0);
    Homes homes = defaults();
    if (isfinite(row->least)) put(row, home_of(row, &homes), row->open_least ? row->least + step : row->least);
    support_ok(option_check(row, home_of(row, &homes), NULL), NULL);
    if (isfinite(row->most)) put(row, home_of(row, &homes), row->open_most ? row->most - step : row->most);
    support_ok(option_check(row, home_of(row, &homes), NULL), NULL);
  }
  assert_true(numbers >= 9);
  Homes homes = defaults();
  homes.train.solver = (SetosaSolver)7;
  SetosaError error = {0};
  support_fails(options_check_training(&homes.train, NULL, &error), &error, SETOSA_ERROR_USAGE,
                "--solver \"7\": give auto, newton, lbfgs, gd, sgd or adam");
}

/* An end that no row names is told to whoever has passed it. */
static void test_ends_are_named(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *message;
  } cases[] = {{"epochs", "1e18", "--epochs \"1e18\": give a whole number from 1 to 1e15"},
               {"epochs", "1000000000000001", "--epochs \"1000000000000001\": give a whole number from 1 to 1e15"},
               {"max-iterations", "1e30", "--max-iterations \"1e30\": give a whole number from 0 to 1e15"},
               {"batch-size", "1e400", "--batch-size \"1e400\": give a whole number from 1 to 1e15"},
               {"seed", "1e30", "--seed \"1e30\": give a whole number from 0 to 18446744073709551615"},
               {"seed", "18446744073709551616", "--seed \"18446744073709551616\": give a whole number from 0 to 18446744073709551615"},
               {"tolerance", "1e400", "--tolerance \"1e400\": give a number from 0 to 1.8e308"},
               {"learning-rate", "1e400", "--learning-rate \"1e400\": give a number more than 0 and at most 1.8e308"},
               {"device-memory", "1e30G", "--device-memory \"1e30G\": give a size such as 512M or 4G, below 8388608T"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Homes homes = defaults();
    SetosaError error = {0};
    const OptionRow *row = option_find(cases[i].name);
    assert_int_equal(option_parse(row, home_of(row, &homes), cases[i].text, &error), SETOSA_ERROR_USAGE);
    assert_string_equal(error.message, cases[i].message);
  }
  Homes homes = defaults();
  support_ok(option_parse(option_find("seed"), &homes.train, "18446744073709551615", NULL), NULL);
  assert_true(homes.train.seed == UINT64_MAX);
  support_ok(option_parse(option_find("epochs"), &homes.train, "1e15", NULL), NULL);
}

static void test_without_effect(void **state) {
  (void)state;
  SetosaError error = {0};
  support_fails(option_check_solver(option_find("epochs"), SETOSA_SOLVER_GD, &error), &error, SETOSA_ERROR_USAGE,
                "--epochs has no effect with --solver gd: it belongs to sgd and adam (the others count --max-iterations)");
  error = (SetosaError){0};
  support_fails(option_check_solver(option_find("learning-rate"), SETOSA_SOLVER_LBFGS, &error), &error, SETOSA_ERROR_USAGE,
                "--learning-rate has no effect with --solver lbfgs: it belongs to gd, sgd and adam (the others find their steps)");
  error = (SetosaError){0};
  support_fails(option_check_backend(option_find("tune"), SETOSA_BACKEND_CLBLAST, &error), &error, SETOSA_ERROR_USAGE,
                "--tune is for the native backend alone");
  error = (SetosaError){0};
  support_fails(option_check_backend(option_find("family"), SETOSA_BACKEND_BLAS, &error), &error, SETOSA_ERROR_USAGE,
                "--family: the blas backend runs on the host");
  support_ok(option_check_backend(option_find("family"), SETOSA_BACKEND_CLBLAST, NULL), NULL);
  support_ok(option_check_solver(option_find("l2"), SETOSA_SOLVER_ADAM, NULL), NULL);
}

/* ---- every public field ------------------------------------------------------------------------------------------- */

/* Blanks comments out, in place. */
static void strip_comments(char *text) {
  for (char *begin; (begin = strstr(text, "/*")) != NULL;) {
    char *end = strstr(begin, "*/");
    assert_non_null(end);
    memset(begin, ' ', (size_t)(end + 2 - begin));
  }
}

static bool is_among(const char *name, const char *const *names) {
  while (*names != NULL && strcmp(*names, name) != 0) names++;
  return *names != NULL;
}

/* The identifier that ends at `end`. */
static void name_before(char name[64], const char *end) {
  while (isspace((unsigned char)end[-1])) end--;
  const char *first = end;
  while (isalnum((unsigned char)first[-1]) || first[-1] == '_') first--;
  snprintf(name, 64, "%.*s", (int)(end - first), first);
}

static void check_field(const char *name, const char *field, OptionHome home, const char *const *others) {
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  bool has_row = false;
  for (size_t i = 0; i < count; i++) has_row |= rows[i].home == home && strcmp(rows[i].field, field) == 0;
  if (has_row == is_among(field, others)) fail_msg("%s.%s: give it a row in options/table.c, or name it here, not both", name, field);
}

/* Every field of the struct has a row, or stands in `others`: what is no setting but handed over by the caller. Returns how many fields. */
static size_t check_fields(const char *header, const char *name, OptionHome home, const char *const *others) {
  char opening[64], closing[64], field[64];
  size_t fields = 0;
  snprintf(opening, sizeof opening, "typedef struct %s {", name);
  snprintf(closing, sizeof closing, "} %s;", name);
  const char *at = strstr(header, opening), *end = strstr(header, closing);
  assert_true(at != NULL && end != NULL);
  at += strlen(opening);
  for (const char *next = NULL; (next = strchr(at, ';')) != NULL && next < end; at = next + 1) {
    const char *function = strstr(at, "(*"); /* a pointer to one: its arguments are no fields */
    if (function != NULL && function < next) {
      name_before(field, strchr(function, ')'));
      check_field(name, field, home, others);
      fields++;
      continue;
    }
    for (const char *last = at; last < next; last++) {
      last += strcspn(last, ",;");
      name_before(field, last);
      check_field(name, field, home, others);
      fields++;
    }
  }
  return fields;
}

static void test_every_field(void **state) {
  (void)state;
  static const char *const of_data[] = {"unshifted",
                                        "also",
                                        "also_count",
                                        "labels_optional",
                                        "expect_features",
                                        "expect_index_base",
                                        "expect_feature_names",
                                        "expect_columns",
                                        "expect_shift",
                                        "expect_label",
                                        "expect_classes",
                                        "expect_class_names",
                                        "expect_weights",
                                        "generate_above_bytes",
                                        "part",
                                        "parts",
                                        "progress",
                                        "progress_user",
                                        NULL};
  static const char *const of_compute[] = {"device", "devices", "device_count", "ranks", NULL};
  static const char *const of_training[] = {"compute",
                                            "validation",
                                            "initial",
                                            "progress",
                                            "progress_user",
                                            "stop",
                                            "checkpoint_seconds",
                                            "checkpoint_iterations",
                                            "checkpoint_notes",
                                            "checkpoint_note_count",
                                            "resume",
                                            "begins",
                                            "warn",
                                            NULL};
  char path[SUPPORT_PATH];
  support_source_path(path, "host/include/setosa.h");
  char *header = support_read(path, NULL);
  strip_comments(header);
  assert_int_equal(check_fields(header, "SetosaDataOptions", OPTION_OF_DATA, of_data), 38);
  assert_int_equal(check_fields(header, "SetosaComputeOptions", OPTION_OF_COMPUTE, of_compute), 11);
  assert_int_equal(check_fields(header, "SetosaTrainOptions", OPTION_OF_TRAINING, of_training), 34);
  free(header);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(setosa_solver_name(SETOSA_SOLVER_ADAM), "adam");
  assert_string_equal(setosa_solver_name((SetosaSolver)6), "unknown");
  assert_string_equal(setosa_preconditioner_name(SETOSA_PRECONDITIONER_BLOCKS), "blocks");
  assert_string_equal(setosa_schedule_name(SETOSA_SCHEDULE_STEP), "step");
  assert_string_equal(setosa_backend_name(SETOSA_BACKEND_BLAS), "blas");
  assert_string_equal(setosa_backend_name((SetosaBackend)-1), "unknown");
  assert_string_equal(setosa_family_name(SETOSA_FAMILY_GPU), "gpu");
  assert_string_equal(setosa_storage_name(SETOSA_STORAGE_U8), "u8");
  assert_string_equal(setosa_tuning_name(SETOSA_TUNING_FULL), "full");
  assert_string_equal(setosa_device_type_name(SETOSA_DEVICE_OTHER), "other");
  assert_string_equal(setosa_bench_what_name(SETOSA_BENCH_PREDICT), "predict");
  assert_int_equal(names_count(solver_names), 6);
}

/* What may be given again adds to what was given: lists alone, and all lists of names. */
static void test_lists(void **state) {
  (void)state;
  static const char *const lists[] = {"features", "drop", "categorical", "numeric", "id", "na", NULL};
  size_t count = 0;
  const OptionRow *rows = option_table(&count);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(rows[i].joins, rows[i].home == OPTION_OF_DATA && is_among(rows[i].name, lists));
    if (rows[i].joins) assert_true(rows[i].kind == OPTION_TEXT && rows[i].path == PATH_NONE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_survive), cmocka_unit_test(test_flags),          cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_without_effect), cmocka_unit_test(test_ends_are_named), cmocka_unit_test(test_every_field),
      cmocka_unit_test(test_names),          cmocka_unit_test(test_lists),
  };
  return support_run("options", tests, NULL, NULL);
}
