/* What a model file says of columns, in the first line, and a table that is read so, in the others. The last byte, a line feed in most
 * files, also says what becomes of values that are missing or new. */
#include <stdlib.h>
#include <string.h>

#include "data/columns.h"
#include "fuzz/fuzz.h"

/* What was taken can be written, and is taken again. */
static void write_again(const Columns *columns) {
  Error error = {0};
  Columns *read = NULL;
  char *text = NULL, *again = NULL;
  fuzz_claim(columns_to_json(&text, columns, &error) == SETOSA_OK, "what was read can be written");
  fuzz_claim(columns_from_json(&read, text, "x", &error) == SETOSA_OK, "what was written can be read");
  fuzz_claim(columns_to_json(&again, read, &error) == SETOSA_OK && strcmp(text, again) == 0, "what was read again is the same");
  columns_release(read);
  free(text);
  free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char *const classes[] = {"a", "b"};
  const uint8_t *end = size > 0 ? memchr(bytes, '\n', size) : NULL;
  size_t length = end != NULL ? (size_t)(end - bytes) : size;
  unsigned flags = size > 0 ? bytes[size - 1] ^ '\n' : 0u;
  char *text = malloc(length + 1);
  SetosaError error = {0};
  Columns *columns = NULL;
  fuzz_claim(text != NULL, "there is memory");
  if (length > 0) memcpy(text, bytes, length);
  text[length] = '\0';
  SetosaStatus status = columns_from_json(&columns, text, "x", &error);
  free(text);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, columns);
    return 0;
  }
  write_again(columns);
  SetosaDataOptions options = setosa_data_options_default();
  options.expect_columns = columns;
  options.expect_features = columns_features(columns);
  options.expect_classes = 2;
  options.expect_class_names = classes;
  options.missing = (flags & 1) != 0 ? SETOSA_MISSING_MEAN : columns->missing;
  options.unseen = (flags & 2) != 0 ? SETOSA_UNSEEN_ERROR : columns->unseen;
  options.labels_optional = (flags & 4) != 0;
  options.unshifted = (flags & 8) != 0;
  if ((flags & 16) != 0) options.id = "1";
  options.na = columns->na;
  options.separator = columns->separator;
  options.decimal = columns->decimal;
  if (end != NULL && options.expect_features > 0) fuzz_load(fuzz_write("x.csv", end + 1, size - length - 1), &options);
  columns_release(columns);
  return 0;
}
