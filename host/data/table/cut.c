/* All bytes of a text go through the first function, twice; the others look at little of it. */
#include "data/table/cut.h"

#include <string.h>

/* Counts in as many bytes as a vector has, and empties these before one is full. */
size_t cut_count_byte(const char *bytes, size_t length, char wanted) {
  enum { LANES = 64, ROUNDS = 255 };
  size_t count = 0, at = 0;
  while (length - at >= LANES) {
    uint8_t lanes[LANES] = {0};
    size_t rounds = (length - at) / LANES < ROUNDS ? (length - at) / LANES : ROUNDS;
    for (size_t r = 0; r < rounds; r++, at += LANES)
      for (size_t i = 0; i < LANES; i++) lanes[i] = (uint8_t)(lanes[i] + (bytes[at + i] == wanted));
    for (size_t i = 0; i < LANES; i++) count += lanes[i];
  }
  for (; at < length; at++) count += bytes[at] == wanted;
  return count;
}

size_t cut_find(const char *bytes, size_t from, size_t length, char newline, bool inside) {
  for (size_t at = length; at > from; at--) {
    if (bytes[at - 1] == '"') inside = !inside;
    if (!inside && bytes[at - 1] == newline) return at;
  }
  return 0;
}

size_t cut_find_line(const char *bytes, size_t from, size_t length, char newline) {
  const char *last = memrchr(bytes + from, newline, length - from);
  return last != NULL ? (size_t)(last - bytes) + 1 : 0;
}

char cut_find_newline(const char *bytes, size_t length, bool whole) {
  if (memchr(bytes, '\n', length) != NULL) return '\n';
  const char *carriage = memchr(bytes, '\r', length);
  if (carriage == NULL) return whole ? '\n' : 0;
  return whole || carriage + 1 < bytes + length ? '\r' : 0; /* else the other half of an end may follow */
}

size_t cut_count_blank_lines(const TextPart *part, bool *all) {
  size_t at = part->length, count = 0;
  while (at > 0 && (part->bytes[at - 1] == ' ' || part->bytes[at - 1] == '\r' || part->bytes[at - 1] == '\n'))
    count += part->bytes[--at] == part->newline;
  *all = at == 0;
  return *all || count == 0 ? count : count - 1; /* the first ends what is before */
}

size_t cut_separator_line(const char *bytes, size_t length, char *separator) {
  if (length < 5 || memcmp(bytes, "sep=", 4) != 0) return 0;
  size_t end = 5;
  if (end < length && bytes[end] == '\r') end++;
  if (end < length && bytes[end] == '\n') end++;
  if (end == 5 && length > 5) return 0;
  *separator = bytes[4];
  return end;
}
