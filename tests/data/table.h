/* A table made on the spot, read through the parts of data/table. Shared by their tests. */
#ifndef SETOSA_TESTS_DATA_TABLE_H
#define SETOSA_TESTS_DATA_TABLE_H

#include <string.h>

#include "data/expect.h"
#include "data/reader.h"
#include "data/table/records.h"
#include "data/table/text.h"

/* A reader of a file, as setosa_dataset_load makes it. */
typedef struct TestTable {
  char path[SUPPORT_PATH];
  SetosaDataOptions options;
  Reader reader;
} TestTable;

static inline void test_table_open_file(TestTable *table, const char *path) {
  SetosaError error = {0};
  *table = (TestTable){.options = setosa_data_options_default()};
  snprintf(table->path, sizeof table->path, "%s", path);
  table->reader = (Reader){.source = table->path, .options = &table->options};
  support_ok(stream_open(&table->reader.stream, table->path, &error), &error);
}

/* test_folder/name, written from bytes; compressed when the name ends in .gz. */
static inline void test_table_open(TestTable *table, const char *name, const void *bytes, size_t length) {
  char path[SUPPORT_PATH];
  support_path(path, test_folder, name);
  if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0)
    write_gzip(path, bytes, length);
  else
    support_write(path, bytes, length);
  test_table_open_file(table, path);
}

static inline void test_table_close(TestTable *table) {
  stream_close(table->reader.stream);
  table->reader.stream = NULL;
}

/* A part by itself, of "t.csv". */
static inline TextPart test_part(const char *text) {
  return (TextPart){.bytes = text, .length = strlen(text), .file = "t.csv", .line = 1, .begins_file = true, .newline = '\n'};
}

#endif
