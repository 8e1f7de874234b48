/* A command line: words that end with a line feed each, the first of them the command. */
#include "cli/options/options.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "fuzz/fuzz.h"

enum { MOST_WORDS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  const char *words[MOST_WORDS + 1] = {"setosa"};
  int count = 1;
  char *text = malloc(size + 1);
  SetosaError error = {0};
  fuzz_claim(text != NULL, "there is memory for the words");
  memcpy(text, bytes, size);
  text[size] = '\0';
  char *rest = text;
  const char *name = strsep(&rest, "\n");
  while (rest != NULL && count < MOST_WORDS) words[count++] = strsep(&rest, "\n");
  const Command *command = command_find(name);
  if (command == NULL) {
    SetosaStatus status = command_unknown(name, &error);
    fuzz_claim(status != SETOSA_OK, "a word that is no command is refused");
    fuzz_claim_refusal(status, &error, NULL);
  } else {
    Options options;
    options_default(&options);
    SetosaStatus status = options_parse(&options, command, count, words, &error);
    if (status != SETOSA_OK) fuzz_claim_refusal(status, &error, NULL);
    options_free(&options);
  }
  free(text);
  return 0;
}
