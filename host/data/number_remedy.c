/* Fields that are no numbers although somebody meant one: what can be done about each. */
#include "data/number_remedy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { NUMBER_LENGTH = 40 };

/* text without `left_out` and with a point for every comma that remains is a number. */
static bool reads_as(char out[NUMBER_LENGTH], const char *text, size_t length, char left_out) {
  size_t used = 0;
  double value = 0;
  for (size_t i = 0; i < length && used + 1 < NUMBER_LENGTH; i++)
    if (text[i] != left_out) out[used++] = text[i] == ',' ? '.' : text[i];
  out[used] = '\0';
  return used > 0 && text_parse_double(out, used, &value);
}

/* The digits behind the last comma are three: a group of thousands rather than decimals. */
static bool ends_in_thousands(const char *text, size_t length) {
  size_t digits = 0;
  while (digits < length && isdigit((unsigned char)text[length - 1 - digits])) digits++;
  return digits == 3 && length > 3 && text[length - 4] == ',';
}

const char *number_remedy(char room[NUMBER_REMEDY], const char *text, size_t length) {
  char number[NUMBER_LENGTH];
  const char *comma = memchr(text, ',', length);
  if (length >= NUMBER_LENGTH) return NULL;
  if (memchr(text, ';', length) != NULL) {
    snprintf(room, NUMBER_REMEDY, "give --separator ';' where semicolons separate the fields");
  } else if (comma != NULL && ends_in_thousands(text, length) && reads_as(number, text, length, ',')) {
    snprintf(room, NUMBER_REMEDY, "commas in numbers are not read: write %s; or is it a decimal comma? --decimal ,", number);
  } else if (comma != NULL && memchr(text, '.', length) != NULL && reads_as(number, text, length, '.')) {
    snprintf(room, NUMBER_REMEDY, "points between thousands are not read: write %s", number);
  } else if (comma != NULL && reads_as(number, text, length, '.')) {
    snprintf(room, NUMBER_REMEDY, "--decimal , reads it as %s", number);
  } else {
    return NULL;
  }
  return room;
}
