/* What can be done with an option once its row is known. */
#include "options/option.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

static const char UNSET_REAL[] = "the default";

_Static_assert(sizeof(SetosaSolver) == sizeof(int) && sizeof(SetosaBackend) == sizeof(int), "a choice is stored as an int");

static bool is_whole(const OptionRow *row) { return row->kind == OPTION_COUNT || row->kind == OPTION_SIZE; }

static const void *place(const OptionRow *row, const void *home) { return (const char *)home + row->offset; }

static uint64_t whole_at(const OptionRow *row, const void *home) {
  return row->kind == OPTION_SIZE ? *(const size_t *)place(row, home) : *(const uint64_t *)place(row, home);
}

static int int_at(const OptionRow *row, const void *home) {
  int value = 0;
  memcpy(&value, place(row, home), sizeof value); /* of whatever enum */
  return value;
}

static size_t choice_count(const OptionRow *row) { return row->choice_count > 0 ? row->choice_count : names_count(row->choices); }

size_t option_size(const OptionRow *row) {
  switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_NOT:
      return sizeof(bool);
    case OPTION_SET:
    case OPTION_CHOICE:
      return sizeof(int);
    case OPTION_TEXT:
      return sizeof(const char *);
    case OPTION_COUNT:
    case OPTION_BYTES:
      return sizeof(uint64_t);
    case OPTION_SIZE:
      return sizeof(size_t);
    case OPTION_REAL:
      return sizeof(double);
    case OPTION_LIST:
      break;
  }
  return 0;
}

void option_copy(const OptionRow *row, void *home, const void *from_home) {
  memcpy((char *)home + row->offset, place(row, from_home), option_size(row));
}

/* ---- as text ---------------------------------------------------------------------------------------------------- */

const char *option_print(char room[OPTION_VALUE], const OptionRow *row, const void *home) {
  room[0] = '\0';
  switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_NOT:
      return *(const bool *)place(row, home) ? "on" : "off";
    case OPTION_SET:
      snprintf(room, OPTION_VALUE, "%d", int_at(row, home));
      break;
    case OPTION_TEXT: {
      const char *text = *(const char *const *)place(row, home);
      return text != NULL ? text : "";
    }
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_BYTES:
      snprintf(room, OPTION_VALUE, "%llu", (unsigned long long)whole_at(row, home));
      break;
    case OPTION_REAL: {
      double value = *(const double *)place(row, home);
      if (isnan(value)) return row->may_be_unset ? UNSET_REAL : "nan";
      if (snprintf(room, OPTION_VALUE, "%.15g", value), strtod(room, NULL) != value) snprintf(room, OPTION_VALUE, "%.17g", value);
      break;
    }
    case OPTION_CHOICE: {
      int choice = int_at(row, home);
      if (choice >= 0 && (size_t)choice < choice_count(row)) return row->choices[choice];
      snprintf(room, OPTION_VALUE, "%d", choice);
      break;
    }
    case OPTION_LIST:
      break;
  }
  return room;
}

bool option_same(const OptionRow *row, const void *home, const void *other_home) {
  char one[OPTION_VALUE], other[OPTION_VALUE];
  return strcmp(option_print(one, row, home), option_print(other, row, other_home)) == 0;
}

bool option_is_set(const OptionRow *row, const void *home) {
  if (row->kind == OPTION_TEXT) return *(const char *const *)place(row, home) != NULL;
  if (row->kind == OPTION_REAL) return !isnan(*(const double *)place(row, home));
  return row->kind != OPTION_BYTES || whole_at(row, home) > 0;
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

static const double COUNT_MOST = 1e15, WORDS = 0x1p64;

/* Where a row names no end the numbers themselves have one. */
static double most_of(const OptionRow *row) {
  if (isfinite(row->most)) return row->most;
  return !is_whole(row) ? DBL_MAX : row->any_word ? WORDS : COUNT_MOST;
}

/* "1e30", not "1e+30". */
static const char *print_end(char room[OPTION_VALUE], double end) {
  snprintf(room, OPTION_VALUE, end == DBL_MAX ? "%.2g" : "%g", end);
  if (end == WORDS) snprintf(room, OPTION_VALUE, "%llu", (unsigned long long)UINT64_MAX);
  char *plus = strchr(room, '+');
  if (plus != NULL) memmove(plus, plus + 1, strlen(plus));
  return room;
}

/* "a number of at least 0", "a number more than 0 and less than 1", ... An end that the row does not name is told to whoever has passed
 * it. */
static void describe_range(const OptionRow *row, const char *given, char *text, size_t size) {
  const char *whole = is_whole(row) ? "a whole number" : "a number", *from = row->open_least ? "more than" : "of at least";
  char one[OPTION_VALUE], other[OPTION_VALUE];
  double value = 0;
  bool passed =
      text_parse_double(given, strlen(given), &value) && (fabs(value) > most_of(row) || fabs(value) == WORDS); /* 2^64 is one too many */
  print_end(one, row->least);
  print_end(other, most_of(row));
  bool least = isfinite(row->least), most = isfinite(row->most) || passed;
  if (least && most && row->open_most)
    snprintf(text, size, "%s %s %s and less than %s", whole, from, one, other);
  else if (least && most && row->open_least)
    snprintf(text, size, "%s %s %s and at most %s", whole, from, one, other);
  else if (least && most)
    snprintf(text, size, "%s from %s to %s", whole, one, other);
  else if (least)
    snprintf(text, size, "%s %s %s", whole, from, one);
  else
    snprintf(text, size, "%s%s%s%s", whole, row->not_zero ? " other than 0" : "", most ? " of size up to " : "", most ? other : "");
}

static Status refuse_choice(const OptionRow *row, const char *text, Error *error) {
  Status status = SETOSA_OK;
  Text list = {0};
  size_t count = choice_count(row);
  for (size_t i = 0; i < count; i++) TRY(text_append(&list, error, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", row->choices[i]));
  const char *nearest = text_nearest(text, row->choices, count);
  if (nearest != NULL)
    status = error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": did you mean %s? (%s)", option_flag(row), text, nearest, list.text);
  else
    status = error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": give %s", option_flag(row), text, list.text);
cleanup:
  text_free(&list);
  return status;
}

/* One line that says what the option takes. */
static Status refuse(const OptionRow *row, const char *text, Error *error) {
  char range[3 * OPTION_VALUE];
  switch (row->kind) {
    case OPTION_CHOICE:
    case OPTION_LIST:
      return refuse_choice(row, text, error);
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_REAL:
      describe_range(row, text, range, sizeof range);
      break;
    case OPTION_BYTES:
      snprintf(range, sizeof range, "a size such as 512M or 4G, below 8388608T");
      break;
    case OPTION_TEXT:
      snprintf(range, sizeof range, "%s", row->argument);
      break;
    case OPTION_FLAG:
    case OPTION_NOT:
      snprintf(range, sizeof range, "on or off");
      break;
    case OPTION_SET:
      return error_set(error, SETOSA_ERROR_USAGE, "--%s takes no value", option_flag(row));
  }
  return error_set(error, SETOSA_ERROR_USAGE, "--%s \"%s\": give %s", option_flag(row), text, range);
}

static bool in_range(const OptionRow *row, double value) {
  if (isnan(value)) return row->may_be_unset;
  if (isinf(value) || (row->not_zero && value == 0)) return false;
  return (row->open_least ? value > row->least : value >= row->least) && (row->open_most ? value < row->most : value <= most_of(row));
}

Status option_check(const OptionRow *row, const void *home, Error *error) {
  char room[OPTION_VALUE];
  bool fine = true;
  if (row->kind == OPTION_CHOICE) fine = int_at(row, home) >= 0 && (size_t)int_at(row, home) < choice_count(row);
  if (is_whole(row)) fine = in_range(row, (double)whole_at(row, home));
  if (row->kind == OPTION_REAL) fine = in_range(row, *(const double *)place(row, home));
  if (row->kind == OPTION_TEXT) fine = !option_is_set(row, home) || option_print(room, row, home)[0] != '\0';
  return fine ? SETOSA_OK : refuse(row, option_print(room, row, home), error);
}

/* ---- from text -------------------------------------------------------------------------------------------------- */

/* Digits alone reach as far as 64 bits do; 1e6 and 2.5e3 are whole numbers, too. */
static bool parse_whole(const char *text, uint64_t *value) {
  errno = 0;
  if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) return text_parse_count(text, value);
  *value = strtoull(text, NULL, 10);
  return errno == 0;
}

Status option_parse_choice(const OptionRow *row, const char *text, int *choice, Error *error) {
  for (size_t i = 0; i < choice_count(row); i++)
    if (strcmp(text, row->choices[i]) == 0) {
      *choice = (int)i;
      return SETOSA_OK;
    }
  return refuse_choice(row, text, error);
}

/* A new value, which is stored when it is one of the row's. */
typedef union Value {
  bool flag;
  int number;
  const char *text;
  uint64_t count;
  size_t size;
  double real;
} Value;

Status option_parse(const OptionRow *row, void *home, const char *text, Error *error) {
  Value value = {0};
  uint64_t whole = 0;
  bool given = text == NULL; /* a flag */
  bool fine = true;
  if (text == NULL) text = "";
  switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_NOT:
      value.flag = given ? row->kind == OPTION_FLAG : strcmp(text, "on") == 0;
      fine = given || value.flag || strcmp(text, "off") == 0;
      break;
    case OPTION_SET:
      value.number = (int)row->least;
      break;
    case OPTION_TEXT:
      value.text = text;
      fine = text[0] != '\0';
      break;
    case OPTION_COUNT:
      fine = parse_whole(text, &value.count) && in_range(row, (double)value.count);
      break;
    case OPTION_SIZE:
      fine = parse_whole(text, &whole) && whole <= SIZE_MAX && in_range(row, (double)whole);
      value.size = (size_t)whole;
      break;
    case OPTION_BYTES:
      fine = text_parse_bytes(text, &value.count);
      break;
    case OPTION_REAL:
      if (row->may_be_unset && strcmp(text, UNSET_REAL) == 0)
        value.real = NAN;
      else
        fine = text_parse_double(text, strlen(text), &value.real) && in_range(row, value.real);
      break;
    case OPTION_CHOICE: {
      Status status = option_parse_choice(row, text, &value.number, error);
      if (status != SETOSA_OK) return status;
      break;
    }
    case OPTION_LIST:
      return error_set(error, SETOSA_ERROR_INTERNAL, "--%s is read by the program", option_flag(row));
  }
  if (!fine) return refuse(row, text, error);
  memcpy((char *)home + row->offset, &value, option_size(row));
  return SETOSA_OK;
}

/* ---- without effect --------------------------------------------------------------------------------------------- */

Status option_check_solver(const OptionRow *row, SetosaSolver solver, Error *error) {
  char names[128] = "";
  size_t used = 0, left = 0;
  if (row->solvers == 0 || (row->solvers & 1U << solver) != 0) return SETOSA_OK;
  for (unsigned rest = row->solvers; rest != 0; rest &= rest - 1) left++;
  for (size_t i = 0; solver_names[i] != NULL && used < sizeof names; i++)
    if ((row->solvers & 1U << i) != 0) {
      left--;
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", solver_names[i], left > 1 ? ", " : left == 1 ? " and " : "");
    }
  return error_set(error, SETOSA_ERROR_USAGE, "--%s has no effect with --solver %s: it belongs to %s%s%s%s", option_flag(row),
                   setosa_solver_name(solver), names, row->instead != NULL ? " (" : "", row->instead != NULL ? row->instead : "",
                   row->instead != NULL ? ")" : "");
}

Status option_check_backend(const OptionRow *row, SetosaBackend backend, Error *error) {
  if (row->backends == 0 || (row->backends & 1U << backend) != 0) return SETOSA_OK;
  if (row->backends == WITH_NATIVE)
    return error_set(error, SETOSA_ERROR_USAGE, "--%s is for the native backend alone; leave it out, or use --backend native",
                     option_flag(row));
  return error_set(error, SETOSA_ERROR_USAGE, "--%s: the %s backend runs on the host and uses no device; leave one of the two out",
                   option_flag(row), setosa_backend_name(backend));
}
