/* Names out of arrays: never empty, UTF-8 and without zero bytes, as texts of C and model files are. */
#include "data/npy_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

Status npy_take_name(void *user, ElementType type, const unsigned char *element, Error *error) {
  Status status = SETOSA_OK;
  NpyNames *names = user;
  char number[ELEMENT_TEXT];
  names->room.length = 0;
  if (element_is_text(type)) {
    TRY(element_append_text(&names->room, type, element, error));
  } else if (type.kind == 'b') {
    TRY(text_append(&names->room, error, "%s", element_bits(type, element) != 0 ? "True" : "False"));
  } else {
    element_print(number, type, element);
    TRY(text_append(&names->room, error, "%s", number));
  }
  if (names->room.length == 0 || !text_is_utf8(names->room.text, names->room.length))
    TRY(error_set(error, SETOSA_ERROR_DATA, "the name is %s; write the names again", names->room.length == 0 ? "empty" : "not UTF-8 text"));
  if (strlen(names->room.text) != names->room.length)
    TRY(error_set(error, SETOSA_ERROR_DATA, "the name holds a zero byte; write the names again"));
  TRY(memory_grow((void **)&names->names, &names->capacity, names->count + 1, sizeof *names->names, "names", error));
  names->names[names->count] = NULL;
  TRY(memory_copy_text(&names->names[names->count], names->room.text, error));
  names->count++;
cleanup:
  return status;
}

void npy_names_free(NpyNames *names) {
  for (size_t i = 0; i < names->count; i++) free(names->names[i]);
  free(names->names);
  text_free(&names->room);
}
