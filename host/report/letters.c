/* Widths of letters, cutting. */
#include "report/letters.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { CUT_BYTES = LETTERS_ROOM - 8, WIDE_FROM = 0x1100, EMOJI_FROM = 0x1F000 };

/* Bytes of the character that begins here, and the character; what is no UTF-8 counts as one byte. */
static size_t decode(const char *at, unsigned *character) {
  const unsigned char *byte = (const unsigned char *)at;
  size_t length = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : byte[0] >= 0xC0 ? 2 : 1;
  for (size_t i = 1; i < length; i++)
    if ((byte[i] & 0xC0) != 0x80) length = 1;
  *character = length == 1 ? byte[0] : byte[0] & (0x7FU >> length);
  for (size_t i = 1; i < length; i++) *character = *character << 6 | (byte[i] & 0x3F);
  return length;
}

/* Of DejaVu Sans and Verdana, the widest that browsers come with. */
static double width_of(unsigned character) {
  if (character >= EMOJI_FROM) return 1.4;
  if (character >= WIDE_FROM && !(character >= 0x2000 && character < 0x2190)) return 1.05;
  if (character >= 0x80) return character < 0x300 ? 0.8 : 0.95;
  if (strchr("ijl.,:;'|!", (int)character) != NULL && character != 0) return 0.4;
  if (strchr("mwMW%@", (int)character) != NULL && character != 0) return 1.08;
  if (strchr(" ftrI()[]-/\\\"`", (int)character) != NULL && character != 0) return 0.48;
  if (character >= 'A' && character <= 'Z') return 0.79;
  if (strchr("+=<>~^#", (int)character) != NULL && character != 0) return 0.84;
  return 0.645;
}

double letters_width(const char *text) {
  double width = 0;
  unsigned character;
  for (size_t at = 0; text[at] != '\0';) {
    at += decode(text + at, &character);
    width += width_of(character);
  }
  return width;
}

void letters_make_visible(char *text) {
  unsigned character;
  text_make_visible(text, '?');
  for (size_t at = 0; text[at] != '\0';) {
    size_t length = decode(text + at, &character);
    bool broken = length == 1 && (unsigned char)text[at] >= 0x80, forbidden = character == 0xFFFE || character == 0xFFFF;
    if (broken || forbidden) memset(text + at, '?', length);
    at += length;
  }
}

/* Bytes at the end of text that are at most so wide. */
static size_t fitting_end(const char *text, size_t length, double ems) {
  unsigned character;
  size_t kept = 0;
  for (size_t at = length; at > 0;) {
    size_t begin = at - 1;
    while (begin > 0 && ((unsigned char)text[begin] & 0xC0) == 0x80) begin--;
    decode(text + begin, &character);
    ems -= width_of(character);
    if (ems < 0 || length - begin > CUT_BYTES / 2) break;
    kept = length - begin;
    at = begin;
  }
  return kept;
}

static size_t fitting_begin(const char *text, double ems) {
  unsigned character;
  size_t kept = 0;
  while (text[kept] != '\0') {
    size_t length = decode(text + kept, &character);
    ems -= width_of(character);
    if (ems < 0 || kept + length > CUT_BYTES / 2) break;
    kept += length;
  }
  return kept;
}

bool letters_fit(char room[LETTERS_ROOM], const char *text, double ems) {
  size_t length = strlen(text);
  if (length < LETTERS_ROOM && letters_width(text) <= ems) {
    snprintf(room, LETTERS_ROOM, "%s", text);
    letters_make_visible(room);
    return false;
  }
  double rest = ems - 1;
  size_t begin = fitting_begin(text, 0.6 * rest), end = fitting_end(text, length, 0.4 * rest);
  snprintf(room, LETTERS_ROOM, "%.*s\u2026%s", (int)begin, text, text + length - end);
  letters_make_visible(room);
  return true;
}
