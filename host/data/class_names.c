/* Whole numbers are compared as digits, so that they may be larger than any integer of the machine. */
#include "data/class_names.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { WHOLE_DIGITS = 40 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* [sign] digits, perhaps with a point and zeros after it. */
static bool read_digits(char whole[CLASS_WHOLE], const char *text, size_t length) {
  size_t at = 0, begin, end;
  bool negative = length > 0 && text[0] == '-';
  if (length > 0 && (text[0] == '-' || text[0] == '+')) at++;
  for (begin = at; at < length && is_digit(text[at]);) at++;
  end = at;
  if (end == begin) return false;
  if (at < length && text[at] == '.')
    for (at++; at < length && text[at] == '0';) at++;
  while (begin + 1 < end && text[begin] == '0') begin++;
  if (at < length || end - begin > WHOLE_DIGITS) return false;
  negative = negative && text[begin] != '0';
  snprintf(whole, CLASS_WHOLE, "%s%.*s", negative ? "-" : "", (int)(end - begin), text + begin);
  return true;
}

bool class_whole_number(char whole[CLASS_WHOLE], const char *text, size_t length) {
  double number = 0;
  if (length == 0 || !(is_digit(text[0]) || strchr("+-.", text[0]) != NULL)) return false;
  if (read_digits(whole, text, length)) return true;
  /* An exponent; a double tells neighbours apart up to 2^53. */
  if (memchr(text, 'e', length) == NULL && memchr(text, 'E', length) == NULL) return false;
  if (!text_parse_double(text, length, &number) || fabs(number) > 9007199254740992.0 || number != floor(number)) return false;
  snprintf(whole, CLASS_WHOLE, "%" PRId64, (int64_t)number);
  return true;
}

bool class_is_padded(const char *text, size_t length) {
  size_t at = length > 0 && (text[0] == '-' || text[0] == '+');
  return at + 1 < length && text[at] == '0' && is_digit(text[at + 1]);
}

bool class_is_same(const char *text, size_t length, const char *name) {
  char a[CLASS_WHOLE], b[CLASS_WHOLE];
  if (strlen(name) == length && memcmp(name, text, length) == 0) return true;
  return class_whole_number(a, text, length) && class_whole_number(b, name, strlen(name)) && strcmp(a, b) == 0;
}

int class_compare_whole(const char *a, const char *b) {
  bool negative = *a == '-';
  if (negative != (*b == '-')) return negative ? -1 : 1;
  size_t digits = strlen(a), others = strlen(b);
  int order = digits != others ? (digits > others) - (digits < others) : strcmp(a, b);
  return negative ? -order : order;
}

/* ---- what may be meant otherwise --------------------------------------------------------------------------------- */

/* Letters small and blanks gone; of other alphabets letters stay as they are. Into out, as long as name; its length. */
static size_t fold(char *out, const char *name) {
  size_t length = 0;
  for (; *name != '\0'; name++)
    if (!isspace((unsigned char)*name)) out[length++] = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
  return length;
}

static Status remark_alike(Dataset *dataset, Error *error) {
  Status status = SETOSA_OK;
  NameTable *folded = NULL;
  Text room = {0};
  size_t *first = NULL, pairs = 0, one = 0, other = 0;
  char quoted[QUOTE_SIZE], beside[QUOTE_SIZE], more[48] = "";
  TRY(name_table_create(&folded, error));
  TRY(memory_allocate((void **)&first, dataset->classes, sizeof *first, "classes", error));
  for (size_t k = 0; k < dataset->classes; k++) {
    const char *name = dataset->class_names[k];
    size_t index = 0, known = name_table_count(folded);
    room.length = 0;
    TRY(text_append_bytes(&room, name, strlen(name), error));
    size_t length = fold(room.text, name);
    TRY(name_table_add(folded, room.text, length, &index, error));
    if (index == known) {
      first[index] = k;
    } else if (pairs++ == 0) {
      one = first[index];
      other = k;
    }
  }
  if (pairs > 1) snprintf(more, sizeof more, " (and %zu more)", pairs - 1);
  if (pairs > 0)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_WARNING, error,
                    "%s: class %s beside %s%s: they differ in case or blanks alone; spell them alike if they are one", dataset->source,
                    reader_quote(quoted, dataset->class_names[other], strlen(dataset->class_names[other])),
                    reader_quote(beside, dataset->class_names[one], strlen(dataset->class_names[one])), more));
cleanup:
  text_free(&room);
  free(first);
  name_table_destroy(folded);
  return status;
}

/* Of a table without a header: the first row alone has its class, which is a word, while most of the others have several rows. */
static Status remark_header(Dataset *dataset, const DataOptions *options, const char *column, Error *error) {
  Status status = SETOSA_OK;
  const int32_t *labels = rows_labels(dataset);
  size_t *counts = NULL, alone = 0;
  char quoted[QUOTE_SIZE];
  double number = 0;
  if (column == NULL || *column != '\0' || options->header == 0 || options->labels_optional || dataset->rows < 3) return SETOSA_OK;
  const char *name = dataset->class_names[labels[0]];
  if (source_rows_of(&dataset->left_out, 0) != 0 || text_parse_double(name, strlen(name), &number)) return SETOSA_OK;
  TRY(memory_allocate_zero((void **)&counts, dataset->classes, sizeof *counts, "classes", error));
  for (size_t i = 0; i < dataset->rows; i++) counts[labels[i]]++;
  for (size_t k = 0; k < dataset->classes; k++) alone += counts[k] == 1;
  if (counts[labels[0]] == 1 && 2 * (alone - 1) < dataset->classes - 1)
    TRY(remarks_add(&dataset->remarks, SETOSA_REMARK_WARNING, error, "%s: class %s has one row, the first: is that line a header? --header",
                    dataset->source, reader_quote(quoted, name, strlen(name))));
cleanup:
  free(counts);
  return status;
}

Status class_names_remark(Dataset *dataset, const DataOptions *options, const char *column, Error *error) {
  if (dataset->classes < 2) return SETOSA_OK;
  Status status = remark_alike(dataset, error);
  return status == SETOSA_OK ? remark_header(dataset, options, column, error) : status;
}
