/* What is made visible holds nothing that a terminal acts on, is as long as before, and stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  char *text = malloc(size + 1), *again = malloc(size + 1);
  fuzz_claim(text != NULL && again != NULL, "there is memory for the text");
  if (size > 0) memcpy(text, bytes, size);
  text[size] = '\0';
  size_t length = strlen(text);
  bool utf8 = text_is_utf8(text, length);
  text_make_visible(text, '?');
  fuzz_claim(strlen(text) == length, "the text is as long as before");
  fuzz_claim(!utf8 || text_is_utf8(text, length), "UTF-8 stays UTF-8");
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i], next = (unsigned char)text[i + 1];
    fuzz_claim(c >= 0x20 && c != 0x7F, "no control character is left");
    fuzz_claim(c != 0xC2 || next == '\0' || (next >= 0xA0 && next != 0xAD), "none of C1 is left");
  }
  memcpy(again, text, length + 1);
  text_make_visible(again, '?');
  fuzz_claim(strcmp(text, again) == 0, "what is visible stays as it is");
  free(text);
  free(again);
  return 0;
}
