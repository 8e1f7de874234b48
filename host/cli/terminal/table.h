/* Aligned tables: headers, numbers to the right, fitted to the page. */
#ifndef SETOSA_CLI_TABLE_H
#define SETOSA_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

typedef struct TableColumn {
  const char *title; /* borrowed */
  bool right;        /* numbers */
  bool flexible;     /* may be shortened (with "...") to fit the page */
} TableColumn;

typedef struct Table Table;

/* columns (count) is copied. */
Status table_create(Table **table, size_t count, const TableColumn *columns, Error *error);
void table_destroy(Table *table);
/* Adds the next cell, left to right, row by row. */
Status table_cell(Table *table, Error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A number with `digits` significant digits of %g, "-" for NAN. */
Status table_number(Table *table, double value, int digits, Error *error);
/* The first `count` columns, which say what a row is, stand in every part of a table that is printed in parts. One if not called. */
void table_repeat(Table *table, size_t count);
/* Prints to stdout, indented by two spaces, within width columns: where it would be wider, flexible columns are shortened, and where that
 * is not enough, the columns come in several parts one below the other. */
void table_print(Table *table, size_t width, bool color);

#endif
