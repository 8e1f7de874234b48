/* iconv, a block at a time. */
#include "data/table/utf16.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { RAW_BYTES = 1 << 16, TEXT_BYTES = RAW_BYTES / 2 * 3 /* two bytes become three at most */ };

struct Utf16 {
  Stream *stream;
  iconv_t descriptor;
  uint64_t raw_before; /* bytes of the stream before raw, with its mark */
  size_t raw_count, text_at, text_count;
  char raw[RAW_BYTES], text[TEXT_BYTES];
};

bool utf16_begins(const Stream *stream, bool *big_end) {
  const unsigned char *bytes = NULL;
  if (stream_peek(stream, &bytes) < 2) return false;
  *big_end = bytes[0] == 0xFE;
  return (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE);
}

Status utf16_create(Utf16 **out, Stream *stream, bool big_end, Error *error) {
  Status status = SETOSA_OK;
  Utf16 *converter = NULL;
  *out = NULL;
  TRY(memory_allocate((void **)&converter, 1, sizeof *converter, "a text of UTF-16", error));
  converter->stream = stream;
  converter->raw_before = 2;
  converter->raw_count = converter->text_at = converter->text_count = 0;
  converter->descriptor = iconv_open("UTF-8", big_end ? "UTF-16BE" : "UTF-16LE");
  if (converter->descriptor == (iconv_t)-1) {
    free(converter);
    return error_set(error, SETOSA_ERROR_DATA, "%s: this is UTF-16 text, which this system does not convert (iconv); save it as UTF-8",
                     stream_path(stream));
  }
  *out = converter;
cleanup:
  return status;
}

void utf16_destroy(Utf16 *converter) {
  if (converter == NULL) return;
  iconv_close(converter->descriptor);
  free(converter);
}

/* The next block of text; text_count 0 at the end. */
static Status convert_block(Utf16 *converter, Error *error) {
  size_t got = 0;
  Status status = stream_read(converter->stream, converter->raw + converter->raw_count, RAW_BYTES - converter->raw_count, &got, error);
  if (status != SETOSA_OK) return status;
  char *raw = converter->raw, *text = converter->text;
  size_t raw_left = converter->raw_count + got, text_left = TEXT_BYTES;
  bool converted = iconv(converter->descriptor, &raw, &raw_left, &text, &text_left) != (size_t)-1;
  bool waits = !converted && errno == EINVAL && got > 0; /* the other half of a pair is in the next block */
  uint64_t at = converter->raw_before + (uint64_t)(raw - converter->raw);
  if (!converted && !waits)
    return error_set(error, SETOSA_ERROR_DATA, "%s: at byte %llu the text is no UTF-16, as which it begins; save the table as UTF-8",
                     stream_path(converter->stream), (unsigned long long)at);
  converter->raw_before = at;
  memmove(converter->raw, raw, raw_left);
  converter->raw_count = raw_left;
  converter->text_at = 0;
  converter->text_count = TEXT_BYTES - text_left;
  return SETOSA_OK;
}

Status utf16_read(Utf16 *converter, char *to, size_t length, size_t *got, Error *error) {
  for (*got = 0; *got < length;) {
    if (converter->text_at == converter->text_count) {
      Status status = convert_block(converter, error);
      if (status != SETOSA_OK) return status;
      if (converter->text_count == 0) break;
    }
    size_t left = converter->text_count - converter->text_at, now = length - *got < left ? length - *got : left;
    memcpy(to + *got, converter->text + converter->text_at, now);
    converter->text_at += now;
    *got += now;
  }
  return SETOSA_OK;
}
