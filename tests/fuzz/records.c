/* The text of one part of a table as records and fields, and fields as numbers. The first byte picks how the table is written. */
#include <math.h>
#include <string.h>

#include "data/table/records.h"
#include "fuzz/fuzz.h"

/* It lies in the part, or in the room for fields with doubled quotes, and holds no more than the part. */
static void look_at_field(const Records *records, const Field *field, char decimal) {
  const TextPart *part = records->part;
  double value = 0;
  bool in_part = field->text >= part->bytes && field->text + field->length <= part->bytes + part->length;
  bool in_room = records->room != NULL && field->text >= records->room && field->text + field->length <= records->room + records->room_size;
  fuzz_claim(in_part || in_room, "a field lies in its part or in the room for it");
  if (field->length > 0) fuzz_claim(field->text[0] != ' ' && field->text[field->length - 1] != ' ', "blanks around a field do not count");
  if (field_number(field, decimal, &value)) fuzz_claim(!isnan(value), "a number is one");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const char separators[] = ",;\t| ";
  unsigned flags = size > 0 ? bytes[0] : 0;
  size_t length = size > 0 ? size - 1 : 0;
  if (length == 0 || memchr(bytes + 1, 0, length) != NULL) return 0; /* a part has neither */
  Dialect dialect = {.separator = separators[flags % 5], .blanks = flags % 5 == 4, .decimal = (flags & 64) != 0 ? ',' : '.'};
  dialect.single_quotes = (flags & 128) != 0;
  TextPart part = {.bytes = (const char *)bytes + 1, .length = length, .file = "x", .line = 1, .begins_file = true};
  part.newline = (flags & 32) != 0 ? '\r' : '\n';
  Records records = {0};
  Error error = {0};
  uint64_t line = 0;
  size_t at = 0;
  bool more = true;
  records_begin(&records, &part, &dialect);
  for (;;) {
    Status status = records_next(&records, &more, &error);
    if (status != SETOSA_OK) {
      fuzz_claim_refusal(status, &error, NULL);
      break;
    }
    if (!more) break;
    fuzz_claim(records.count > 0, "a record has a field");
    fuzz_claim(records.at > at && records.at <= length, "each record takes some of the text");
    fuzz_claim(records.line >= 1 && records.line >= line && records.next_line >= records.line, "lines are counted up");
    for (size_t c = 0; c < records.count; c++) {
      look_at_field(&records, &records.fields[c], dialect.decimal);
      fuzz_claim(records_field_line(&records, c) >= records.line && records_field_line(&records, c) <= records.next_line,
                 "a field lies in the lines of its record");
    }
    at = records.at;
    line = records.line;
  }
  records_free(&records);
  return 0;
}
