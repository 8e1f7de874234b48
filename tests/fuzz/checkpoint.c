/* A checkpoint of a training, and the options that it restores: the bytes as they are, and once more with length and checksum put right,
 * since hardly any change comes past those. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "fuzz/fuzz.h"

/* How a file begins after the 8 bytes of its header's length (checkpoint_file.c), in what the checksum is of. */
#define BEFORE_BYTES "{\"__metadata__\":{\"format\":\"setosa-checkpoint-2\",\"bytes\":\""
#define BEFORE_CHECKSUM BEFORE_BYTES "0000000000000000\",\"checksum\":\""
static const char head[] = BEFORE_CHECKSUM "00000000000000000000000000000000\"";
enum { HEAD_AT = 8, BYTES_AT = HEAD_AT + sizeof BEFORE_BYTES - 1, CHECKSUM_AT = HEAD_AT + sizeof BEFORE_CHECKSUM - 1 };

static void load(const uint8_t *bytes, size_t size) {
  SetosaCheckpoint *checkpoint = NULL;
  SetosaError error = {0};
  SetosaNote note;
  size_t length = 0;
  SetosaStatus status = setosa_checkpoint_load(&checkpoint, fuzz_write("x.checkpoint", bytes, size), &error);
  if (status != SETOSA_OK) {
    fuzz_claim_refusal(status, &error, checkpoint);
    return;
  }
  SetosaTrainOptions options = setosa_train_options_default();
  setosa_checkpoint_options(checkpoint, &options);
  for (size_t i = 0; setosa_checkpoint_note(checkpoint, i, &note); i++) length += strlen(note.name) + strlen(note.value);
  fuzz_claim(length < SIZE_MAX / 2, "texts end");
  fuzz_claim(setosa_checkpoint_warning(checkpoint)[0] == '\0', "one file, whole, is no reason to warn");
  setosa_checkpoint_destroy(checkpoint);
}

static void put_right(uint8_t *bytes, size_t size) {
  Hash *hash = NULL;
  char checksum[HASH_HEX_SIZE], digits[32];
  memcpy(bytes + HEAD_AT, head, sizeof head - 1);
  if (hash_create(&hash, NULL) != SETOSA_OK) return;
  hash_add(hash, bytes, size);
  hash_hex(hash, checksum);
  hash_destroy(hash);
  snprintf(digits, sizeof digits, "%016zu", size);
  memcpy(bytes + BYTES_AT, digits, 16);
  memcpy(bytes + CHECKSUM_AT, checksum, HASH_HEX_SIZE - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  load(bytes, size);
  uint8_t *copy = size >= HEAD_AT + sizeof head - 1 ? malloc(size) : NULL;
  if (copy == NULL) return 0;
  memcpy(copy, bytes, size);
  put_right(copy, size);
  load(copy, size);
  free(copy);
  return 0;
}
