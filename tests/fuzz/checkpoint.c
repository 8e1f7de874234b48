/* A checkpoint of a training, and the options that it restores. */
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  SetosaCheckpoint *checkpoint = NULL;
  SetosaError error = {0};
  SetosaNote note;
  size_t length = 0;
  SetosaStatus status = setosa_checkpoint_load(&checkpoint, fuzz_write("x.checkpoint", bytes, size), &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, checkpoint);
    return 0;
  }
  SetosaTrainOptions options = setosa_train_options_default();
  setosa_checkpoint_options(checkpoint, &options);
  for (size_t i = 0; setosa_checkpoint_note(checkpoint, i, &note); i++) length += strlen(note.name) + strlen(note.value);
  fuzz_claim(length < SIZE_MAX / 2, "texts end");
  fuzz_claim(setosa_checkpoint_warning(checkpoint)[0] == '\0', "one file, whole, is no reason to warn");
  setosa_checkpoint_destroy(checkpoint);
  return 0;
}
