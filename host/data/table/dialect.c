/* How a table is written: what its options say, else what its first records look like. */
#include <stdlib.h>
#include <string.h>

#include "data/table/table.h"

enum { RECORDS_LOOKED_AT = 200 };

/* What may separate fields, the surest first: a comma is in many texts that are separated by something else, as a decimal point, say. */
static const char candidates[] = "\t;|,";

static Dialect dialect_of(char separator) { return (Dialect){.separator = separator, .blanks = separator == ' ', .decimal = '.'}; }

/* True when every one of the first records has as many fields, two at least; the first may have one less, as R writes a header. */
static bool is_even(const TextPart *head, char separator) {
  Dialect dialect = dialect_of(separator);
  Records records = {0};
  bool more = true, even = true;
  size_t first = 0, others = 0;
  records_begin(&records, head, &dialect);
  for (size_t i = 0; even && i < RECORDS_LOOKED_AT; i++) {
    if (records_next(&records, &more, NULL) != SETOSA_OK) even = false;
    if (!even || !more) break;
    if (i == 0) first = others = records.count;
    if (i == 1) others = records.count;
    even = i == 0 ? first > 1 || separator == ' ' : i == 1 ? others == first || others == first + 1 : records.count == others;
  }
  records_free(&records);
  return even && others > 1;
}

/* Of a text that no candidate separates evenly: what is there in its first line, so that the error to come can say where it is uneven. */
static char first_seen(const TextPart *head) {
  const char *end = memchr(head->bytes, '\n', head->length);
  size_t length = end != NULL ? (size_t)(end - head->bytes) : head->length;
  if (memchr(head->bytes, ',', length) != NULL) return ',';
  for (const char *c = candidates; *c != '\0'; c++)
    if (memchr(head->bytes, *c, length) != NULL) return *c;
  return memchr(head->bytes, ' ', length) != NULL ? ' ' : ',';
}

static Status parse_separator(char *separator, const char *text, Error *error) {
  if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
    *separator = '\t';
  else if (strcmp(text, "blank") == 0 || strcmp(text, "space") == 0)
    *separator = ' ';
  else if (strlen(text) == 1 && strchr(",;|:/^~!#$%&*@_ \t", text[0]) != NULL)
    *separator = text[0];
  else
    return error_set(error, SETOSA_ERROR_USAGE, "--separator \"%s\": give one character that no value holds, as in ';', or tab, or blank",
                     text);
  return SETOSA_OK;
}

static char find_separator(const Table *table) {
  const char *source = table->reader->source;
  if (table_text_separator(table->text) != 0) return table_text_separator(table->text);
  if (reader_has_suffix(source, ".tsv") || reader_has_suffix(source, ".tab")) return '\t';
  for (const char *c = candidates; *c != '\0'; c++)
    if (is_even(&table->head, *c)) return *c;
  return first_seen(&table->head);
}

/* All texts of the first record are in single quotes. */
static bool in_single_quotes(const TextPart *head, const Dialect *dialect) {
  Records records = {0};
  bool more = false, quoted = true;
  records_begin(&records, head, dialect);
  if (records_next(&records, &more, NULL) != SETOSA_OK) more = false;
  for (size_t c = 0; more && c < records.count; c++) {
    const Field *field = &records.fields[c];
    quoted = quoted && (field->length == 0 || (field->length >= 2 && field->text[0] == '\'' && field->text[field->length - 1] == '\''));
  }
  quoted = quoted && more && records.count > 0 && records.fields[records.count - 1].length > 0;
  records_free(&records);
  return quoted;
}

/* Where a comma separates nothing, it may be the decimal point: when it makes numbers of all values of a column, and no column needs a
 * point to be numbers. */
static Status find_decimal(Table *table, Error *error) {
  Status status = SETOSA_OK;
  Records records = {0};
  bool more = true, *words = NULL, *commas = NULL, points = false;
  size_t count = 0;
  double value = 0;
  records_begin(&records, &table->head, &table->dialect);
  for (size_t i = 0; i < RECORDS_LOOKED_AT; i++) {
    TRY(records_next(&records, &more, error));
    if (!more) break;
    if (i == 0) continue; /* perhaps a header */
    if (words == NULL) {
      count = records.count;
      words = calloc(count + 1, sizeof *words);
      commas = calloc(count + 1, sizeof *commas);
      if (words == NULL || commas == NULL) TRY(error_set(error, SETOSA_ERROR_INTERNAL, "out of memory to read %s", table->reader->source));
    }
    for (size_t c = 0; c < records.count && c < count; c++) {
      const Field *field = &records.fields[c];
      if (field_is_missing(field, &table->missing_words)) continue;
      bool comma = field_number(field, ',', &value), point = field_number(field, '.', &value);
      words[c] = words[c] || !comma;
      commas[c] = commas[c] || (comma && !point);
      points = points || (point && !comma);
    }
  }
  for (size_t c = 0; c < count && !points; c++)
    if (commas[c] && !words[c]) table->dialect.decimal = ',';
cleanup:
  free(words);
  free(commas);
  records_free(&records);
  return status;
}

Status table_find_dialect(Table *table, Error *error) {
  Status status = SETOSA_OK;
  const DataOptions *options = table->reader->options;
  char separator = 0;
  if (options->separator != NULL)
    TRY(parse_separator(&separator, options->separator, error));
  else
    separator = find_separator(table);
  table->dialect = dialect_of(separator);
  table->dialect.single_quotes = in_single_quotes(&table->head, &table->dialect);
  if (options->decimal != NULL) {
    if (strcmp(options->decimal, ".") != 0 && strcmp(options->decimal, ",") != 0)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--decimal \"%s\": give . or ,", options->decimal));
    table->dialect.decimal = options->decimal[0];
  } else if (separator != ',') {
    TRY(find_decimal(table, error));
  }
cleanup:
  return status;
}
