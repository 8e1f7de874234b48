/* A part of LIBSVM text as rows, without the file and the threads around it. The first byte says what is known of it before. */
#include <math.h>
#include <string.h>

#include "data/libsvm/line.h"
#include "fuzz/fuzz.h"

/* Rows are what the arrays hold, their columns ascend, and no value is 0 or none. */
static void look_at_rows(const LibsvmPiece *piece, const LibsvmForm *form) {
  size_t at = 0;
  for (size_t i = 0; i < piece->rows; i++) {
    size_t end = at + piece->lengths[i];
    fuzz_claim(end >= at && end <= piece->entries, "a row lies among the entries");
    for (size_t j = at; j < end; j++) {
      fuzz_claim(isfinite(piece->values[j]) && piece->values[j] != 0, "an entry is a number other than 0");
      fuzz_claim(j == at || piece->columns[j] > piece->columns[j - 1], "columns ascend");
      fuzz_claim(form->hash_bits == 0 || piece->columns[j] < (uint32_t)1 << form->hash_bits, "a hashed column has so many bits");
      fuzz_claim(form->hash_bits > 0 || piece->columns[j] < form->beyond, "no column is beyond the model's");
    }
    at = end;
  }
  fuzz_claim(at == piece->entries, "every entry is of a row");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static LibsvmPiece piece; /* as in a pass, one part after the other */
  unsigned flags = size > 0 ? bytes[0] : 0;
  size_t length = size > 0 ? size - 1 : 0;
  if (length == 0 || memchr(bytes + 1, 0, length) != NULL) return 0; /* a part has neither */
  LibsvmForm form = {.base = (int)(flags & 3) - 1, .beyond = (flags & 4) != 0 ? 7 : UINT64_MAX, .hash_bits = (flags & 8) != 0 ? 5 : 0};
  if (form.base > 1) form.base = -1;
  TextPart part = {.bytes = (const char *)bytes + 1, .length = length, .file = "x", .line = 1, .newline = (flags & 16) != 0 ? '\r' : '\n'};
  Error error = {0};
  Status status = libsvm_piece_read(&piece, &part, &form, &error);
  if (status != SETOSA_OK)
    fuzz_claim_refusal(status, &error, NULL);
  else
    look_at_rows(&piece, &form);
  return 0;
}
