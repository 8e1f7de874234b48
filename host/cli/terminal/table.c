/* Aligned tables. */
#include "cli/terminal/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/terminal/color.h"
#include "cli/terminal/console.h"

enum { GAP = 2, SHORTEST_FLEXIBLE = 8 };

struct Table {
  size_t columns, cells, capacity;
  TableColumn *column; /* (columns) */
  char **cell;         /* (cells) row by row */
};

Status table_create(Table **table, size_t count, const TableColumn *columns, Error *error) {
  Status status = SETOSA_OK;
  Table *made = NULL;
  *table = NULL;
  TRY(memory_allocate_zero((void **)&made, 1, sizeof *made, "a table", error));
  made->columns = count;
  TRY(memory_allocate((void **)&made->column, count, sizeof *columns, "a table", error));
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

/* Takes what is over the page from the widest flexible column, one column of text at a time. */
static void fit_widths(const Table *table, size_t *widths, size_t width) {
  size_t total = 2 + GAP * (table->columns - 1);
  for (size_t c = 0; c < table->columns; c++) total += widths[c];
  while (total > width) {
    size_t widest = table->columns;
    for (size_t c = 0; c < table->columns; c++)
      if (table->column[c].flexible && widths[c] > SHORTEST_FLEXIBLE && (widest == table->columns || widths[c] > widths[widest]))
        widest = c;
    if (widest == table->columns) return;
    widths[widest]--;
    total--;
  }
}

void table_print(const Table *table, size_t width, bool color) {
  size_t *widths = calloc(table->columns, sizeof *widths);
  if (widths == NULL) return;
  for (size_t c = 0; c < table->columns; c++) widths[c] = console_columns(table->column[c].title);
  for (size_t i = 0; i < table->cells; i++) {
    size_t columns = console_columns(table->cell[i]);
    if (columns > widths[i % table->columns]) widths[i % table->columns] = columns;
  }
  fit_widths(table, widths, width);
  printf("  %s", color_code(color, COLOR_BOLD));
  for (size_t c = 0; c < table->columns; c++)
    print_cell(table->column[c].title, widths[c], table->column[c].right, c + 1 == table->columns);
  printf("%s\n", color_code(color, COLOR_PLAIN));
  for (size_t i = 0; i < table->cells; i++) {
    size_t c = i % table->columns;
    if (c == 0) fputs("  ", stdout);
    print_cell(table->cell[i], widths[c], table->column[c].right, c + 1 == table->columns);
    if (c + 1 == table->columns) fputc('\n', stdout);
  }
  free(widths);
}
