/* Aligned tables. */
#include "cli/terminal/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/terminal/color.h"
#include "cli/terminal/console.h"

enum { INDENT = 2, GAP = 2, SHORTEST_FLEXIBLE = 8 };

struct Table {
  size_t columns, repeated, cells, capacity;
  TableColumn *column; /* (columns) */
  size_t *width;       /* (columns) as printed */
  char **cell;         /* (cells) row by row */
};

Status table_create(Table **table, size_t count, const TableColumn *columns, Error *error) {
  Status status = SETOSA_OK;
  Table *made = NULL;
  *table = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a table", error));
  made->columns = count;
  table_repeat(made, 1);
  TRY(memory_allocate((void **)&made->column, count, sizeof *columns, "a table", error));
  TRY(memory_allocate((void **)&made->width, count, sizeof *made->width, "a table", error));
  memcpy(made->column, columns, count * sizeof *columns);
  *table = made;
  made = NULL;
cleanup:
  table_destroy(made);
  return status;
}

void table_destroy(Table *table) {
  if (table == NULL) return;
  for (size_t i = 0; i < table->cells; i++) free(table->cell[i]);
  free(table->cell);
  free(table->column);
  free(table->width);
  free(table);
}

Status table_cell(Table *table, Error *error, const char *format, ...) {
  va_list arguments;
  char *text = NULL;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) return error_set(error, SETOSA_ERROR_INTERNAL, "out of memory for a table");
  Status status = memory_grow((void **)&table->cell, &table->capacity, table->cells + 1, sizeof *table->cell, "a table", error);
  if (status != SETOSA_OK) {
    free(text);
    return status;
  }
  console_make_visible(text);
  table->cell[table->cells++] = text;
  return SETOSA_OK;
}

void table_repeat(Table *table, size_t count) { table->repeated = count < table->columns ? count : table->columns - 1; }

Status table_number(Table *table, double value, int digits, Error *error) {
  if (isnan(value)) return table_cell(table, error, "-");
  return table_cell(table, error, "%.*g", digits, value);
}

/* Bytes of the first `columns` characters of UTF-8 text. */
static int bytes_of_columns(const char *text, size_t columns) {
  const char *at = text;
  for (; *at != '\0'; at++) {
    if (((unsigned char)*at & 0xC0) != 0x80) {
      if (columns == 0) break;
      columns--;
    }
  }
  return (int)(at - text);
}

static void print_cell(const char *text, size_t width, bool right, bool last) {
  size_t columns = console_columns(text);
  if (columns > width) {
    printf("%.*s...", bytes_of_columns(text, width - 3), text);
    columns = width;
  } else {
    if (right) printf("%*s", (int)(width - columns), "");
    fputs(text, stdout);
  }
  if (!right && !last) printf("%*s", (int)(width - columns), "");
  if (!last) printf("%*s", GAP, "");
}

/* Of columns begin..end-1, with the gap before each. */
static size_t width_of(const Table *table, size_t begin, size_t end) {
  size_t sum = 0;
  for (size_t c = begin; c < end; c++) sum += GAP + table->width[c];
  return sum;
}

static void measure(Table *table) {
  for (size_t c = 0; c < table->columns; c++) table->width[c] = console_columns(table->column[c].title);
  for (size_t i = 0; table->columns > 0 && i < table->cells; i++) {
    size_t taken = console_columns(table->cell[i]), c = i % table->columns;
    if (taken > table->width[c]) table->width[c] = taken;
  }
}

/* A name can be shortened, a title not. */
static bool can_shorten(const Table *table, size_t c) {
  return table->column[c].flexible && table->width[c] > SHORTEST_FLEXIBLE && table->width[c] > console_columns(table->column[c].title);
}

/* Takes what is over `width` from the widest flexible column below `end`, one column of text at a time. */
static void shorten(Table *table, size_t end, size_t width) {
  while (width_of(table, 0, end) > width) {
    size_t widest = end;
    for (size_t c = 0; c < end; c++)
      if (can_shorten(table, c) && (widest == end || table->width[c] > table->width[widest])) widest = c;
    if (widest == end) return;
    table->width[widest]--;
  }
}

/* A line of the part that has the repeated columns and begin..end-1: of cells, or of titles when cells is NULL. */
static void print_line(const Table *table, size_t begin, size_t end, char *const *cells) {
  printf("%*s", INDENT, "");
  for (size_t c = 0; c < end; c++) {
    if (c == table->repeated) c = begin;
    print_cell(cells != NULL ? cells[c] : table->column[c].title, table->width[c], table->column[c].right, c + 1 == end);
  }
}

static void print_part(const Table *table, size_t begin, size_t end, bool color) {
  fputs(color_code(color, COLOR_BOLD), stdout);
  print_line(table, begin, end, NULL);
  printf("%s\n", color_code(color, COLOR_PLAIN));
  for (size_t at = 0; at + table->columns <= table->cells; at += table->columns) {
    print_line(table, begin, end, table->cell + at);
    fputc('\n', stdout);
  }
}

/* Widths for one table, or, where it cannot be narrow enough, for several parts. */
static void fit(Table *table, size_t width) {
  measure(table);
  shorten(table, table->columns, width);
  if (width_of(table, 0, table->columns) <= width) return;
  measure(table);
  shorten(table, table->repeated, width / 2);
  for (size_t c = table->repeated; c < table->columns; c++)
    while (can_shorten(table, c) && width_of(table, 0, table->repeated) + GAP + table->width[c] > width) table->width[c]--;
}

void table_print(Table *table, size_t width, bool color) {
  size_t keys = table->repeated;
  fit(table, width);
  for (size_t begin = keys, end; begin < table->columns; begin = end) {
    for (end = begin + 1; end < table->columns; end++)
      if (width_of(table, 0, keys) + width_of(table, begin, end + 1) > width) break;
    if (begin > keys) fputc('\n', stdout);
    print_part(table, begin, end, color);
  }
}
