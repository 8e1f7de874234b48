/* A field is missing by its text alone, whatever column it is in. */
#include "data/table/missing.h"

#include <stdlib.h>
#include <string.h>

Status missing_words_take(MissingWords *missing, const char *list, Error *error) {
  *missing = (MissingWords){0};
  if (list != NULL && !text_is_utf8(list, strlen(list)))
    return error_set(error, SETOSA_ERROR_USAGE, "--na \"%s\": give UTF-8, which is what every table is read as", list);
  return list != NULL ? text_split(&missing->words, &missing->count, list, ',', error) : SETOSA_OK;
}

void missing_words_free(MissingWords *missing) {
  free(missing->words);
  *missing = (MissingWords){0};
}

bool field_is_missing_word(const Field *field, const MissingWords *missing) {
  if (reader_is_missing(field->text, field->length)) return true;
  for (size_t i = 0; i < missing->count; i++)
    if (strlen(missing->words[i]) == field->length && memcmp(field->text, missing->words[i], field->length) == 0) return true;
  return false;
}
