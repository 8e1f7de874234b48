/* Whether a text is LIBSVM text. Its mistakes are left to the reader, which names them: what counts is the shape of the lines. */
#include "data/libsvm.h"
#include "data/libsvm/line.h"

typedef struct Looks {
  size_t lines, entries, numbered; /* lines with a label that is a number */
  size_t most;                     /* entries of a line */
} Looks;

/* DIGITS:VALUE, where the value is anything. */
static bool is_entry(const char *token, const char *end) {
  const char *at = token;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at > token && at < end && *at == ':' && memchr(token, ',', (size_t)(end - token)) == NULL;
}

/* The next token of a line, whose end is returned; NULL: there is none. */
static const char *next_token(const char **at, const char *end) {
  while (*at < end && libsvm_is_blank(**at)) ++*at;
  const char *stop = *at;
  while (stop < end && !libsvm_is_blank(*stop)) stop++;
  return stop == *at || **at == '#' ? NULL : stop;
}

/* A line that may be cut at its end: then its last token is not looked at. */
static bool look_at_line(Looks *looks, const char *at, const char *end, bool cut) {
  size_t entries = 0;
  double number = 0;
  const char *stop = next_token(&at, end);
  if (stop == NULL || (cut && stop == end)) return true;
  size_t length = (size_t)(stop - at);
  if (memchr(at, ':', length) != NULL || memchr(at, ',', length) != NULL) return false;
  looks->lines++;
  looks->numbered += text_parse_double(at, length, &number);
  for (at = stop; (stop = next_token(&at, end)) != NULL; at = stop) {
    if (cut && stop == end) break;
    if (entries == 0 && stop - at > 4 && memcmp(at, "qid:", 4) == 0) continue;
    if (!is_entry(at, stop)) return false;
    entries++;
  }
  looks->entries += entries;
  if (entries > looks->most) looks->most = entries;
  return true;
}

bool libsvm_looks_so(const unsigned char *bytes, size_t count) {
  const char *at = (const char *)bytes, *end = at + count;
  Looks looks = {0};
  if (count >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline != NULL ? newline : end;
    if (!look_at_line(&looks, at, stop, newline == NULL && count == STREAM_PEEK)) return false;
    at = stop + 1;
  }
  /* "Mon 12:30" is a table of times; a name with several pairs behind it is none. */
  return looks.entries > 0 && (looks.numbered == looks.lines || looks.most > 1);
}
