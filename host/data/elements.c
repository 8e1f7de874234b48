/* Bulk conversion. The byte order of the file is honoured byte by byte, so the code does not depend on the host's. */
#include "data/elements.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "data/half.h"

uint64_t element_bits(ElementType type, const unsigned char *source) {
  uint64_t bits = 0;
  for (size_t i = 0; i < type.size; i++) bits |= (uint64_t)source[i] << (8 * (type.big_endian ? type.size - 1 - i : i));
  return bits;
}

static double double_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

int64_t element_to_integer(ElementType type, const unsigned char *source) {
  uint64_t bits = element_bits(type, source);
  if (type.kind == 'u') return bits > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)bits;
  uint64_t sign = (uint64_t)1 << ((8 * type.size - 1) & 63);
  return (int64_t)((bits ^ sign) - sign); /* sign extension */
}

double element_to_double(ElementType type, const unsigned char *source) {
  uint64_t bits = element_bits(type, source);
  if (type.kind == 'u') return (double)bits;
  if (type.kind == 'b') return bits != 0;
  if (type.kind != 'f') return (double)element_to_integer(type, source);
  if (type.size == 2) return (double)half_to_float((uint16_t)bits);
  if (type.size == 4) return (double)half_float_of_bits((uint32_t)bits);
  return double_from_bits(bits);
}

void element_print(char text[ELEMENT_TEXT], ElementType type, const unsigned char *source) {
  if (type.kind == 'u') {
    snprintf(text, ELEMENT_TEXT, "%" PRIu64, element_bits(type, source));
    return;
  }
  if (type.kind == 'i') {
    snprintf(text, ELEMENT_TEXT, "%" PRId64, element_to_integer(type, source));
    return;
  }
  double value = element_to_double(type, source);
  if (type.size == 8)
    number_print(text, value);
  else
    number_print_float(text, (float)value);
}

bool element_is_text(ElementType type) { return type.kind == 'U' || type.kind == 'S'; }

/* One character as UTF-8. */
static Status append_character(Text *text, uint32_t code, Error *error) {
  char bytes[4];
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return error_set(error, SETOSA_ERROR_DATA, "the text holds U+%" PRIX32 ", which is no character; write the file again", code);
  static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = length; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3F));
  bytes[0] = (char)(first[length] | code);
  return text_append_bytes(text, bytes, length, error);
}

Status element_append_text(Text *text, ElementType type, const unsigned char *source, Error *error) {
  Status status = SETOSA_OK;
  size_t length = type.size;
  while (length > 0 && source[length - 1] == 0) length--;
  if (type.kind == 'S') return text_append_bytes(text, (const char *)source, length, error);
  const ElementType unit = {'u', 4, type.big_endian};
  TRY(text_append_bytes(text, "", 0, error));
  for (length = type.size; length > 0 && element_bits(unit, source + length - 4) == 0;) length -= 4;
  for (size_t at = 0; at < length; at += 4) TRY(append_character(text, (uint32_t)element_bits(unit, source + at), error));
cleanup:
  return status;
}

static float convert(ElementType type, const unsigned char *source) {
  if (type.kind == 'u') return (float)element_bits(type, source); /* of whole numbers rounded once */
  return type.kind == 'i' ? (float)element_to_integer(type, source) : (float)element_to_double(type, source);
}

void elements_to_float(ElementType type, const unsigned char *source, size_t count, float *out) {
  if (type.kind == 'u' && type.size == 1) {
    for (size_t i = 0; i < count; i++) out[i] = (float)source[i];
  } else if (type.kind == 'f' && type.size == 4 && !type.big_endian) {
    const ElementType little = {'f', 4, false}; /* constants let the compiler see a plain load */
    for (size_t i = 0; i < count; i++) out[i] = half_float_of_bits((uint32_t)element_bits(little, source + 4 * i));
  } else if (type.kind == 'f' && type.size == 8 && !type.big_endian) {
    const ElementType little = {'f', 8, false};
    for (size_t i = 0; i < count; i++) out[i] = (float)double_from_bits(element_bits(little, source + 8 * i));
  } else {
    for (size_t i = 0; i < count; i++) out[i] = convert(type, source + i * type.size);
  }
}

void elements_to_double(ElementType type, const unsigned char *source, size_t count, double *out) {
  const ElementType little = {'f', 8, false};
  if (type.kind == 'f' && type.size == 8 && !type.big_endian)
    for (size_t i = 0; i < count; i++) out[i] = double_from_bits(element_bits(little, source + 8 * i));
  else
    for (size_t i = 0; i < count; i++) out[i] = element_to_double(type, source + i * type.size);
}
