/* Aligned tables: headers, numbers to the right, cut to the page on a terminal. */
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
/* Prints to stdout, indented by two spaces, within width columns where flexible columns allow it. */
void table_print(const Table *table, size_t width, bool color);

#endif
