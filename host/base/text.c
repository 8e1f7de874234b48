/* Number parsing, suggestions, growing strings. */
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/number.h"

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool text_parse_double(const char *text, size_t length, double *value) {
  while (length > 0 && is_blank(*text)) text++, length--;
  while (length > 0 && is_blank(text[length - 1])) length--;
  return number_parse(text, length, '.', value);
}

bool text_parse_count(const char *text, uint64_t *value) {
  double number = 0;
  int64_t whole = 0;
  if (text_parse_int64(text, strlen(text), &whole)) {
    if (whole < 0) return false;
    *value = (uint64_t)whole;
    return true;
  }
  if (!text_parse_double(text, strlen(text), &number) || number < 0 || number > 9.007199254740992e15 || number != floor(number))
    return false;
  *value = (uint64_t)number;
  return true;
}

bool text_parse_bytes(const char *text, uint64_t *bytes) {
  static const char units[] = "KMGT";
  size_t digits = strspn(text, "0123456789.eE+");
  const char *unit = text + digits, *found = NULL;
  double number = 0;
  if (!text_parse_double(text, digits, &number)) return false;
  if (*unit != '\0' && (found = strchr(units, toupper((unsigned char)*unit))) != NULL) {
    for (const char *u = units; u <= found; u++) number *= 1024;
    unit++;
    if (*unit == 'i') unit++;
  }
  if (*unit == 'B' || *unit == 'b') unit++;
  if (*unit != '\0' || !(number >= 1) || number >= 0x1p63) return false;
  *bytes = (uint64_t)number;
  return true;
}

bool text_parse_int64(const char *text, size_t length, int64_t *value) {
  while (length > 0 && is_blank(*text)) text++, length--;
  while (length > 0 && is_blank(text[length - 1])) length--;
  bool negative = length > 0 && *text == '-';
  if (length > 0 && (*text == '-' || *text == '+')) text++, length--;
  if (length == 0) return false;
  int64_t sum = 0;
  for (size_t i = 0; i < length; i++) {
    if (!isdigit((unsigned char)text[i])) return false;
    if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, text[i] - '0', &sum)) return false;
  }
  *value = negative ? -sum : sum;
  return true;
}

void text_write_field(FILE *stream, const char *text) {
  bool plain = text[0] != '\0' && text[strcspn(text, ",\"\r\n")] == '\0' && text[0] != ' ' && text[strlen(text) - 1] != ' ';
  if (plain) {
    fputs(text, stream);
    return;
  }
  fputc('"', stream);
  for (; *text != '\0'; text++) {
    if (*text == '"') fputc('"', stream);
    fputc(*text, stream);
  }
  fputc('"', stream);
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------- */

/* Bytes of a character that begins so; 0: none does. */
static size_t character_bytes(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

static bool continues(const unsigned char *c, size_t bytes) {
  for (size_t i = 1; i < bytes; i++)
    if ((c[i] & 0xC0) != 0x80) return false;
  return true;
}

bool text_is_utf8(const char *text, size_t length) {
  const unsigned char *s = (const unsigned char *)text;
  for (size_t i = 0, bytes; i < length; i += bytes) {
    bytes = character_bytes(s[i]);
    if (bytes == 0 || i + bytes > length || !continues(s + i, bytes)) return false;
    if (s[i] == 0xE0 && s[i + 1] < 0xA0) return false;  /* overlong */
    if (s[i] == 0xED && s[i + 1] >= 0xA0) return false; /* a surrogate */
    if (s[i] == 0xF0 && s[i + 1] < 0x90) return false;
    if (s[i] == 0xF4 && s[i + 1] >= 0x90) return false;
  }
  return true;
}

/* The character that begins here, and its bytes: 0 where none does. One that the end of the text has cut has the bytes that are left. */
static int32_t decode(const unsigned char *c, size_t *length) {
  size_t bytes = character_bytes(c[0]), left = strnlen((const char *)c, bytes);
  int32_t code = bytes == 1 ? c[0] : c[0] & (0x7F >> bytes);
  bool good = left == bytes ? text_is_utf8((const char *)c, bytes) : continues(c, left);
  *length = bytes > 0 && good ? left : 0;
  for (size_t i = 1; i < *length; i++) code = code << 6 | (c[i] & 0x3F);
  return code;
}

/* C0, DEL, C1; the soft hyphen, marks of direction, joiners and blanks of no width, separators of lines; tags. */
static bool acts_on_a_terminal(int32_t code) {
  static const int32_t ranges[][2] = {{0, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
                                      {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
                                      {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
  return false;
}

void text_make_visible(char *text, char replacement) {
  for (unsigned char *c = (unsigned char *)text; *c != '\0';) {
    size_t length = 0;
    int32_t code = decode(c, &length);
    bool whole = length > 0 && length == character_bytes(*c), cut = length > 0 && !whole;
    if (length == 0) length = 1;
    if (!cut && !(whole && !acts_on_a_terminal(code))) memset(c, replacement, length);
    c += length;
  }
}

/* Optimal string alignment distance (edits and swaps of neighbours), any case, of words up to 63 characters. */
static size_t edit_distance(const char *a, const char *b) {
  size_t rows[3][64];
  size_t length_a = strlen(a), length_b = strlen(b);
  if (length_a > 63 || length_b > 63) return 64;
  for (size_t j = 0; j <= length_b; j++) rows[0][j] = j;
  for (size_t i = 1; i <= length_a; i++) {
    size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= length_b; j++) {
      int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
      size_t best = before[j - 1] + (ca != cb);
      if (before[j] + 1 < best) best = before[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && cb == tolower((unsigned char)a[i - 2]) && older[j - 2] + 1 < best)
        best = older[j - 2] + 1;
      now[j] = best;
    }
  }
  return rows[length_a % 3][length_b];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count) {
  const char *nearest = NULL;
  size_t length = strlen(word), best = length <= 1 ? length : length <= 3 ? 2 : length / 5 + 2; /* one letter is near itself only */
  for (size_t i = 0; i < count; i++) {
    size_t distance = edit_distance(word, candidates[i]);
    if (length >= 3 && strncasecmp(word, candidates[i], length) == 0) distance = 1; /* a beginning of it */
    if (distance < best) best = distance, nearest = candidates[i];
  }
  return nearest;
}

Status text_append(Text *text, Error *error, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  Status status = memory_grow((void **)&text->text, &text->capacity, text->length + (size_t)length + 1, 1, "a text", error);
  if (status == SETOSA_OK) {
    vsnprintf(text->text + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
  }
  va_end(again);
  return status;
}

Status text_append_bytes(Text *text, const char *bytes, size_t length, Error *error) {
  Status status = memory_grow((void **)&text->text, &text->capacity, text->length + length + 1, 1, "a text", error);
  if (status != SETOSA_OK) return status;
  memcpy(text->text + text->length, bytes, length);
  text->length += length;
  text->text[text->length] = '\0';
  return SETOSA_OK;
}

void text_free(Text *text) {
  free(text->text);
  *text = (Text){0};
}

Status text_split(char ***parts, size_t *count, const char *list, char separator, Error *error) {
  size_t length = strlen(list), n = 1;
  for (size_t i = 0; i < length; i++) n += list[i] == separator;
  Status status = memory_allocate((void **)parts, 1, n * sizeof(char *) + length + 1, "a list", error);
  if (status != SETOSA_OK) return status;
  char *copy = (char *)(*parts + n);
  memcpy(copy, list, length + 1);
  for (size_t i = 0; i < n; i++) {
    char *end = strchr(copy, separator);
    if (end != NULL) *end = '\0';
    while (is_blank(*copy)) copy++;
    (*parts)[i] = copy;
    for (size_t tail = strlen(copy); tail > 0 && is_blank(copy[tail - 1]); tail--) copy[tail - 1] = '\0';
    if (end != NULL) copy = end + 1;
  }
  *count = n;
  return SETOSA_OK;
}

Status text_append_utf8(Text *text, const char *bytes, Error *error) {
  Status status = SETOSA_OK;
  const unsigned char *s = (const unsigned char *)bytes;
  size_t left = strlen(bytes);
  TRY(text_append_bytes(text, "", 0, error));
  for (size_t now = 0; left > 0; s += now, left -= now) {
    now = character_bytes(*s);
    bool is_one = now > 0 && now <= left && text_is_utf8((const char *)s, now);
    bool looks_escaped = s[0] == '%' && isxdigit(s[1]) && isxdigit(s[2]);
    if (!is_one) now = 1;
    if (!is_one || looks_escaped)
      TRY(text_append(text, error, "%%%02X", *s));
    else
      TRY(text_append_bytes(text, (const char *)s, now, error));
  }
cleanup:
  return status;
}
